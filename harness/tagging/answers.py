"""Answers of titles: of the rows of a file, in memory those that came last, and on the disk all that took long."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from data_cleaning.files.whole_files import sync, whole_file
from data_cleaning.titles import BoolArray, IntArray, distinct_keys

Records = npt.NDArray[np.void]
"""One record per title, of the tagger's fields."""

_ABSENT = -1
_ANSWERS, _TITLE, _ANSWER, _SUM_BYTES = "answers-{:06d}.arrows", "title", "answer", 32

_NUMBER = np.uint64((1 << 24) - 1)
"""The bits of the number of a file; 40 are left for a hash."""


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

    A title is known by 128 bits of hashes with random seeds, so that the texts, which may be long, are not kept. It is
    found in a table of slots, from the slot that its hash names to the first empty one, many titles at a time.
    """

    def __init__(self, fields: np.dtype, max_titles: int) -> None:
        self._seeds = [secrets.randbits(64) for _ in range(2)]
        self._n_titles = 0
        self._hashes = np.empty((max_titles, 2), dtype=np.uint64)
        self._records: Records = np.empty(max_titles, dtype=fields)
        n_slots = 1 << (2 * max_titles - 1).bit_length()  # at least twice as many, so that the next empty one is near
        self._slots = np.full(n_slots, _ABSENT, dtype=np.int32)  # positions in the two arrays

    def __len__(self) -> int:
        return self._n_titles

    def find(self, titles: pl.Series) -> tuple[Records, BoolArray]:
        """Look titles up.

        Returns:
            A record per title, (n_titles,), and which were found, (n_titles,); the others' records mean nothing.
        """
        hashes = self._hashes_of(titles)
        found: Records = np.zeros(len(titles), dtype=self._records.dtype)
        known = np.zeros(len(titles), dtype=bool)
        sought, slots = np.arange(len(titles)), self._first_slots(hashes)
        while len(sought):
            held = self._slots[slots]
            sought, slots, held = (values[held != _ABSENT] for values in (sought, slots, held))
            is_it = (self._hashes[held] == hashes[sought]).all(axis=1)
            found[sought[is_it]], known[sought[is_it]] = self._records[held[is_it]], True
            sought, slots = sought[~is_it], self._next(slots[~is_it])
        return found, known

    def add(self, titles: pl.Series, records: Records) -> None:
        """Keep the answers of titles that were not found, (n_titles,), as far as there is room for them."""
        if self._n_titles + len(titles) > len(self._records):
            self._slots.fill(_ABSENT)
            self._n_titles = 0
        hashes = self._hashes_of(titles.head(len(self._records)))
        first, self._n_titles = self._n_titles, self._n_titles + len(hashes)
        self._hashes[first : self._n_titles] = hashes
        self._records[first : self._n_titles] = records[: len(hashes)]
        positions, slots = np.arange(first, self._n_titles, dtype=np.int32), self._first_slots(hashes)
        while len(positions):
            empty = self._slots[slots] == _ABSENT
            self._slots[slots[empty]] = positions[empty]  # of several titles that want one slot, the last gets it
            placed = self._slots[slots] == positions
            positions, slots = positions[~placed], self._next(slots[~placed])

    def _hashes_of(self, titles: pl.Series) -> npt.NDArray[np.uint64]:
        """Return two hashes of each title, (n_titles, 2)."""
        return np.column_stack([titles.hash(seed).to_numpy() for seed in self._seeds])

    def _first_slots(self, hashes: npt.NDArray[np.uint64]) -> IntArray:
        return (hashes[:, 0] % np.uint64(len(self._slots))).astype(np.int64)

    def _next(self, slots: IntArray) -> IntArray:
        return (slots + 1) % len(self._slots)


class AnswerStore:
    """Titles to their answers in a folder, a file for each batch that was answered; it survives a kill.

    A file is a stream of Arrow behind its SHA-256. Memory holds 8 bytes a title: the beginning of its hash and the
    number of its file, so that only files are read that have what is asked for. A title whose hash begins as that of
    one in another file may be answered again.
    """

    def __init__(self, folder: Path, fields: np.dtype) -> None:
        """Open what an earlier process of the same job has stored in a folder, which is made if need be."""
        folder.mkdir(exist_ok=True)
        self.n_titles = 0
        """Titles that are stored."""
        self._folder = folder
        self._fields = fields
        self._seed = secrets.randbits(64)
        self._n_files = 0
        self._known: list[npt.NDArray[np.uint64]] = []  # sorted; each more than twice as long as the next
        # Until there are no more, or one is damaged; those after it are written again.
        while (titles := _whole_titles(self._path(self._n_files), fields)) is not None:
            self._note(titles)

    def find(self, titles: Sequence[str]) -> tuple[Records, BoolArray]:
        """Look titles up.

        Returns:
            A record per title, (n_titles,), and which were found, (n_titles,); the others' records mean nothing.
        """
        found = np.zeros(len(titles), dtype=self._fields)
        known = np.zeros(len(titles), dtype=bool)
        asked = pa.array(titles, pa.large_string())
        file_of = self._files_of(asked)
        for number in np.unique(file_of[file_of != _ABSENT]).tolist():
            rows = np.flatnonzero(file_of == number)
            stored = _table_in(self._path(number).read_bytes())
            # Mostly few are asked for, so that it is these which go into a table of hashes.
            places = pc.index_in(stored[_TITLE].chunk(0), value_set=asked.take(rows))
            hits = places.is_valid().to_numpy(zero_copy_only=False)
            here = rows[places.drop_null().to_numpy()]
            found[here] = np.frombuffer(stored[_ANSWER].chunk(0).buffers()[1], self._fields)[hits]
            known[here] = True
        return found, known

    def add(self, titles: Sequence[str], records: Records) -> None:
        """Store the answers of distinct titles, (n_titles,); when this returns, they are on the disk.

        Raises:
            BadInput: the disk is full.
        """
        table = pa.table({_TITLE: pa.array(titles, pa.large_string()), _ANSWER: _as_binary(records)})
        with pa.BufferOutputStream() as sink:
            with pa.ipc.new_stream(sink, table.schema) as stream:
                stream.write_table(table)
            content = sink.getvalue().to_pybytes()
        with whole_file(self._path(self._n_files)) as filling:
            filling.write_bytes(hashlib.sha256(content).digest() + content)
            sync(filling)
        self._note(table[_TITLE].chunk(0))

    def _path(self, number: int) -> Path:
        return self._folder / _ANSWERS.format(number)

    def _note(self, titles: pa.LargeStringArray) -> None:
        """Remember that the next file has these titles."""
        known = np.sort(self._hashes(titles) | np.uint64(self._n_files))
        while self._known and len(self._known[-1]) <= 2 * len(known):
            known = np.sort(np.concatenate([self._known.pop(), known]))
        self._known.append(known)
        self._n_files += 1
        self.n_titles += len(titles)

    def _files_of(self, titles: pa.LargeStringArray) -> IntArray:
        """Return the number of the file that may have each title, -1 where none has, (n_titles,)."""
        hashes, file_of = self._hashes(titles), np.full(len(titles), _ABSENT)
        for known in self._known:
            nearest = known[np.searchsorted(known, hashes).clip(max=len(known) - 1)]
            hits = nearest & ~_NUMBER == hashes
            file_of[hits] = nearest[hits] & _NUMBER
        return file_of

    def _hashes(self, titles: pa.LargeStringArray) -> npt.NDArray[np.uint64]:
        """Return the hash of each title, with room for the number of a file, (n_titles,)."""
        return pl.Series(pl.from_arrow(titles)).hash(self._seed).to_numpy() & ~_NUMBER


def _as_binary(records: Records) -> pa.FixedSizeBinaryArray:
    buffers = [None, pa.py_buffer(records.tobytes())]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(records.dtype.itemsize), len(records), buffers)


def _whole_titles(path: Path, fields: np.dtype) -> pa.LargeStringArray | None:
    """Return the titles of a file of answers; None where there is no such file, or it is damaged."""
    try:
        written = path.read_bytes()
        if hashlib.sha256(written[_SUM_BYTES:]).digest() != written[:_SUM_BYTES]:
            return None
        stored = _table_in(written)
    except (OSError, pa.ArrowException):
        return None
    is_of_fields = stored.schema.field(_ANSWER).type == pa.binary(fields.itemsize)
    return stored[_TITLE].chunk(0) if is_of_fields else None


def _table_in(written: bytes) -> pa.Table:
    """Return the titles and answers of a file, one chunk each, without copying them."""
    return pa.ipc.open_stream(pa.py_buffer(written)[_SUM_BYTES:]).read_all()
