"""Answers of titles: of the rows of a file, in memory those that came last, and on the disk all that took long."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from baselines.matching import distinct_keys
from data_cleaning.files.whole_files import sync, whole_file
from data_cleaning.titles import BoolArray, IntArray

Records = npt.NDArray[np.void]
"""One record per title, of the tagger's fields."""

_ABSENT = -1
_ANSWERS, _TITLE, _ANSWER, _SUM = "answers-{:06d}.parquet", "title", "answer", b"sha256"


@dataclass(frozen=True)
class Answers:
    """What was answered for rows: most rows share their answer with others, so that each answer is looked at once."""

    records: Records
    """A record per answer, (n_answers,), all of them distinct or nearly so."""
    of_row: IntArray
    """The position of each row's answer, (n_rows,)."""

    def distinct(self) -> "Answers":
        """Return the same answers, each of them once; a keyword table has few for thousands of titles."""
        written = pl.Series(pl.from_arrow(_as_binary(self.records)))
        kept, position = distinct_keys(written.hash().to_numpy())
        if not (written.gather(kept).gather(position) == written).all():
            return self  # two answers share a hash
        return Answers(self.records[kept], position[self.of_row])

    def n_rows(self, chosen: BoolArray) -> int:
        """Count the rows whose answer is among the chosen ones, (n_answers,)."""
        return int(np.count_nonzero(chosen[self.of_row]))


class TitleCache:
    """Titles to their answers in memory, at most `max_titles` of them; once it is full, it begins again empty.

    A title is known by 128 bits of hashes with random seeds, so that the texts, which may be long, are not kept. A
    title that was forgotten is looked up or answered again, which costs time and changes nothing.
    """

    def __init__(self, fields: np.dtype, max_titles: int) -> None:
        self._seeds = [secrets.randbits(64) for _ in range(2)]
        self._slots: dict[int, int] = {}
        self._n_added = 0  # more than slots, should two titles ever share a key
        self._checks = np.empty(max_titles, dtype=np.uint64)
        self._records: Records = np.empty(max_titles, dtype=fields)

    def __len__(self) -> int:
        return len(self._slots)

    def find(self, titles: pl.Series) -> tuple[Records, BoolArray]:
        """Look titles up.

        Returns:
            A record per title, (n_titles,), and which were found, (n_titles,); the others' records mean nothing.
        """
        found: Records = np.zeros(len(titles), dtype=self._records.dtype)
        keys, checks = self._hashes(titles)
        places = np.fromiter(map(self._slots.get, keys.tolist(), repeat(_ABSENT)), np.int64, len(titles))
        known = places != _ABSENT
        known[known] = self._checks[places[known]] == checks[known]
        found[known] = self._records[places[known]]
        return found, known

    def add(self, titles: pl.Series, records: Records) -> None:
        """Keep the answers of titles that were not found, (n_titles,), as far as there is room for them."""
        if self._n_added + len(titles) > len(self._records):
            self._slots.clear()
            self._n_added = 0
        keys, checks = self._hashes(titles.head(len(self._records)))
        first, self._n_added = self._n_added, self._n_added + len(keys)
        self._checks[first : self._n_added], self._records[first : self._n_added] = checks, records[: len(keys)]
        self._slots.update(zip(keys.tolist(), range(first, self._n_added), strict=True))

    def _hashes(self, titles: pl.Series) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        """Return what titles are looked up by, and what a hit is checked with, (n_titles,) each."""
        key, check = (titles.hash(seed).to_numpy() for seed in self._seeds)
        return key, check


class AnswerStore:
    """Titles to their answers in a folder, a Parquet file for each batch that was answered; it survives a kill."""

    def __init__(self, folder: Path, fields: np.dtype) -> None:
        """Open what an earlier process of the same job has stored in a folder, which is made if need be."""
        folder.mkdir(exist_ok=True)
        self.n_titles = 0
        """Titles that are stored."""
        self._folder = folder
        self._fields = fields
        self._files: list[Path] = []
        # Until there are no more, or one is damaged; those after it are written again.
        while (n_titles := _n_whole(path := folder / _ANSWERS.format(len(self._files)), fields)) is not None:
            self.n_titles += n_titles
            self._files.append(path)

    def find(self, titles: Sequence[str]) -> tuple[Records, BoolArray]:
        """Look titles up.

        Returns:
            A record per title, (n_titles,), and which were found, (n_titles,); the others' records mean nothing.
        """
        found = np.zeros(len(titles), dtype=self._fields)
        known = np.zeros(len(titles), dtype=bool)
        asked = pa.array(titles, pa.large_string())
        for path in self._files:
            if known.all():
                break
            stored = pq.read_table(path, memory_map=False).combine_chunks()
            places = pc.index_in(asked, value_set=stored[_TITLE].chunk(0)).fill_null(_ABSENT).to_numpy()
            hits = places != _ABSENT
            answers = stored[_ANSWER].chunk(0)
            first = answers.offset * self._fields.itemsize
            records = np.frombuffer(answers.buffers()[1], self._fields, count=len(answers), offset=first)
            found[hits] = records[places[hits]]
            known |= hits
        return found, known

    def add(self, titles: Sequence[str], records: Records) -> None:
        """Store the answers of titles, (n_titles,); when this returns, they are on the disk.

        Raises:
            BadInput: the disk is full.
        """
        table = pa.table({_TITLE: pa.array(titles, pa.large_string()), _ANSWER: _as_binary(records)})
        table = table.replace_schema_metadata({_SUM: _sum_of(table)})
        path = self._folder / _ANSWERS.format(len(self._files))
        with whole_file(path) as filling:
            pq.write_table(table, filling)
            sync(filling)
        self._files.append(path)
        self.n_titles += len(titles)


def _as_binary(records: Records) -> pa.FixedSizeBinaryArray:
    buffers = [None, pa.py_buffer(records.tobytes())]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(records.dtype.itemsize), len(records), buffers)


def _n_whole(path: Path, fields: np.dtype) -> int | None:
    """Return how many titles a file of answers has; None where there is no such file, or it is damaged."""
    try:
        stored = pq.read_table(path, memory_map=False)
        is_whole = stored.schema.field(_ANSWER).type == pa.binary(fields.itemsize) and len(stored) > 0
        return len(stored) if is_whole and stored.schema.metadata[_SUM] == _sum_of(stored) else None
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        return None


def _sum_of(table: pa.Table) -> bytes:
    """Return the SHA-256 of titles and their answers, as hexadecimal digits."""
    titles = json.dumps(table[_TITLE].to_pylist())
    return hashlib.sha256(b"".join([titles.encode(), *table[_ANSWER].to_pylist()])).hexdigest().encode()
