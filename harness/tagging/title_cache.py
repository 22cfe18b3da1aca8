"""What was answered for the titles that came last, so that a repeated title costs a look-up; bounded."""

import secrets
from collections.abc import Sequence
from itertools import repeat

import numpy as np
import numpy.typing as npt
import polars as pl

Records = npt.NDArray[np.void]
"""One record per title, of the tagger's fields."""

_NOBODY = -1


class TitleCache:
    """Titles to their answers, at most `most` of them.

    A title is known by 128 bits of hashes whose seeds nobody can guess, so that the texts, which may be long, are not
    kept. Two generations bound it: what comes goes to the young one; when that is half of all, it becomes the
    old one, and the former old one is forgotten. A title that keeps coming may so be answered again once in a while,
    which costs time and changes nothing, and a look-up writes nothing.
    """

    def __init__(self, fields: np.dtype, most: int, seeds: Sequence[int] | None = None) -> None:
        """Make an empty cache.

        Args:
            fields: of a record.
            most: titles to hold, at least 2.
            seeds: of the cache whose titles will be restored; None draws new ones.
        """
        self._room = most // 2
        self._fields = fields
        self.seeds = [secrets.randbits(64) for _ in range(2)] if seeds is None else list(seeds)
        self._young, self._old = _Generation(fields, self._room), _Generation(fields, 0)

    def __len__(self) -> int:
        """Return the number of titles held, counting one that is in both generations twice."""
        return len(self._young.slots) + len(self._old.slots)

    def find(self, titles: pl.Series) -> tuple[Records, npt.NDArray[np.bool_]]:
        """Look titles up.

        Returns:
            A record per title, (n_titles,), and which were found, (n_titles,); the others' records mean nothing.
        """
        found = np.zeros(len(titles), dtype=self._fields)
        known = np.zeros(len(titles), dtype=bool)
        keys, checks = self._hashes(titles)
        for generation in (self._young, self._old):
            if generation.slots:
                asked = np.flatnonzero(~known)
                get = generation.slots.get
                places = np.fromiter(map(get, keys[asked].tolist(), repeat(_NOBODY)), np.int64, len(asked))
                hits = places != _NOBODY
                hits[hits] = generation.checks[places[hits]] == checks[asked[hits]]
                found[asked[hits]] = generation.records[places[hits]]
                known[asked[hits]] = True
        return found, known

    def add(self, titles: pl.Series, records: Records) -> Records:
        """Keep the answers of titles that were not found, as far as there is room for them.

        Args:
            titles: distinct.
            records: one per title, (n_titles,).

        Returns:
            What was kept, for `restore`, (n_kept,).
        """
        keys, checks = self._hashes(titles.head(self._room))
        kept = np.empty(len(keys), dtype=[("key", np.uint64), ("check", np.uint64), ("record", self._fields)])
        kept["key"], kept["check"], kept["record"] = keys, checks, records[: len(keys)]
        self.restore(kept)
        return kept

    def restore(self, kept: Records) -> None:
        """Add what a cache with the same seeds has kept; after all of it, in its order, both hold the same."""
        if self._young.n_added + len(kept) > self._room:
            self._old, self._young = self._young, _Generation(self._fields, self._room)
        self._young.add(kept["key"], kept["check"], kept["record"])

    def _hashes(self, titles: pl.Series) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        """Return what titles are looked up by, and what a hit is checked with, (n_titles,) each."""
        key, check = (titles.hash(seed).to_numpy() for seed in self.seeds)
        return key, check


class _Generation:
    """Titles that came one after the other."""

    def __init__(self, fields: np.dtype, room: int) -> None:
        self.slots: dict[int, int] = {}
        self.n_added = 0  # more than slots, should two titles ever share a key
        self.checks = np.empty(room, dtype=np.uint64)
        self.records = np.empty(room, dtype=fields)

    def add(self, keys: npt.NDArray[np.uint64], checks: npt.NDArray[np.uint64], records: Records) -> None:
        first, self.n_added = self.n_added, self.n_added + len(keys)
        self.checks[first : self.n_added], self.records[first : self.n_added] = checks, records
        self.slots.update(zip(keys.tolist(), range(first, self.n_added), strict=True))
