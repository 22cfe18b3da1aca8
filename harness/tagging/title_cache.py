"""What was answered for the titles that came last, so that a repeated title costs a look-up; bounded."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Records = npt.NDArray[np.void]
"""One record per title, of the tagger's fields."""

_LONGEST_KEPT = 1_000
"""Characters; longer texts hardly repeat, and would make the memory that titles take unbounded."""


class TitleCache:
    """Titles to their answers, at most `most` of them.

    Two generations: what comes goes to the young one; when that is half of all, it becomes the old one, and the former
    old one is forgotten. So a title that keeps coming may be answered again once in a while, which costs time and
    changes nothing, and a look-up writes nothing.
    """

    def __init__(self, fields: np.dtype, most: int) -> None:
        """Make an empty cache.

        Args:
            fields: of a record.
            most: titles to hold, at least 2.
        """
        self._room = most // 2
        self._fields = fields
        self._young: dict[str, int] = {}
        self._old: dict[str, int] = {}
        self._young_records = np.empty(self._room, dtype=fields)
        self._old_records = np.empty(0, dtype=fields)

    def __len__(self) -> int:
        """Return the number of titles held, counting one that is in both generations twice."""
        return len(self._young) + len(self._old)

    def find(self, titles: Sequence[str]) -> tuple[Records, npt.NDArray[np.bool_]]:
        """Look titles up.

        Returns:
            A record per title, (n_titles,), and which were found, (n_titles,); the others' records mean nothing.
        """
        found = np.zeros(len(titles), dtype=self._fields)
        known = np.zeros(len(titles), dtype=bool)
        for slots, records in ((self._young, self._young_records), (self._old, self._old_records)):
            if slots:
                asked = np.flatnonzero(~known)
                get = slots.get
                places = np.fromiter((get(titles[row], -1) for row in asked.tolist()), np.int64, len(asked))
                hits = places >= 0
                found[asked[hits]] = records[places[hits]]
                known[asked[hits]] = True
        return found, known

    def add(self, titles: Sequence[str], records: Records) -> None:
        """Keep the answers of titles that were not found, as far as there is room for them.

        Args:
            titles: distinct.
            records: one per title, (n_titles,).
        """
        kept = [row for row, title in enumerate(titles) if len(title) <= _LONGEST_KEPT][: self._room]
        if len(self._young) + len(kept) > self._room:
            self._old, self._old_records = self._young, self._young_records
            self._young, self._young_records = {}, np.empty(self._room, dtype=self._fields)
        first = len(self._young)
        self._young_records[first : first + len(kept)] = records[kept]
        self._young.update((titles[row], first + number) for number, row in enumerate(kept))
