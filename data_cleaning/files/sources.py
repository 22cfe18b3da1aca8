"""What every kind of file is read into: batches of rows, and rejects for what could not be read as a row."""

import gzip
import hashlib
import os
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from data_cleaning.column_names import unique_names
from data_cleaning.errors import BadInput
from data_cleaning.files.table_layout import Layout

MAX_BYTES = 20 * 10**9
"""Limit for what a packed file unpacks to: some ten times the largest list of leads, and a bound for zip bombs."""

_EDGE_BYTES = 1 << 20

STANDARD_INPUT = Path("-")
"""Path that stands for what is piped into the process."""

GZIP_SUFFIX = ".gz"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Reject:
    """Something that could not be read as a row."""

    place: int
    """CSV: line of the file on which it begins, the header's being 1. Parquet: row, from 1. XLSX: row of the sheet."""
    reason: str
    """What is wrong, as a phrase without subject: "has 4 fields, expected 3"."""
    text: str
    """All of it as read, without the last line end; a byte that cannot be decoded is written \\xNN."""


@dataclass(frozen=True)
class Batch:
    """Rows that follow each other in a file, and the rejects among them."""

    rows: pa.Table
    """The file's columns in their order, under its names, of which several may be equal or empty.

    Text in CSV and XLSX, where an empty cell is null; Parquet keeps its own types.
    """
    rejects: tuple[Reject, ...]
    cells: Sequence[tuple[Any, ...]] | None = None
    """XLSX only: the cells of each row as the sheet has them, numbers and dates included, (n_rows, n_columns)."""
    places: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Where each row begins, counted as `Reject.place` is, (n_rows,)."""
    short: tuple[int, ...] = ()
    """Places of the rows that lack fields at their end, each of which is empty; in a sheet none is known to."""


class Source(ABC):
    """A file that is read piece by piece, in memory that does not grow with it."""

    path: Path
    unit: str = "row"
    """What `Reject.place` counts: "line" or "row"."""
    schema: pa.Schema
    """Of `Batch.rows`."""
    n_rows: int
    """For progress bars: exact for Parquet, an upper estimate for CSV, for XLSX what the sheet says of itself."""
    layout: Layout = Layout()
    """Where the table is, as it was asked for."""
    codec: str | None = None
    """Python's name for the encoding of a CSV file; None for other kinds."""
    delimiter: str | None = None
    """The character between the fields of a CSV file; None where it has one column, and for other kinds."""
    notes: tuple[str, ...] = ()
    """How the file is read, in sentences for a person."""
    left_out: tuple[str, ...] = ()
    """What was found below the header that is no record, in sentences; known once all batches are read."""
    n_skipped: int = 0
    """Blank lines, in XLSX empty rows, that were passed over so far."""
    as_opened: "FileState | None" = None
    """State of the file before anything of it was read; None if it was not recorded."""

    def identity(self) -> dict[str, Any]:
        """Return values, as JSON can hold them, by which a change of the content is noticed.

        Raises:
            BadInput: the file cannot be read.
        """
        facts = {"content": content_digest(self.path), "encoding": self.codec, "delimiter": self.delimiter}
        return facts | asdict(self.layout)

    def batches(self) -> Iterator[Batch]:
        """Read the rows, from the first to the last.

        Raises:
            BadInput: the file can no longer be read, or it has changed since it was opened.
        """
        try:
            yield from self._read()
        except BadInput:
            self._check_unchanged()  # as a change is the better explanation
            raise
        self._check_unchanged()

    @abstractmethod
    def _read(self) -> Iterator[Batch]:
        """Read the rows, as `batches` yields them."""

    def _check_unchanged(self) -> None:
        then = self.as_opened
        if then is not None and (now := FileState.of(self.path)) != then:
            sizes = f"{then.size:,} bytes then, {now.size:,} now" if then.size != now.size else "of the same size"
            raise BadInput(
                f"{self.path} changed while it was read ({sizes}). Wait until it is complete, then start again."
            )

    def first_rows(self) -> pa.Table:
        """Return rows from the beginning of the file, enough to see what its columns hold."""
        return next((batch.rows for batch in self.batches() if batch.rows.num_rows), self.schema.empty_table())


class FileColumns:
    """The columns of a file by distinct names, and what they hold in its first rows."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.names = unique_names(source.schema.names)
        """Of all columns, blank ones among them."""
        self.named = [name for name in self.names if name.strip()]

    @cached_property
    def _rows(self) -> pa.Table:
        return self._source.first_rows()

    def values(self, name: str) -> pl.Series:
        """Return the first values of a column."""
        return pl.Series(name, pl.from_arrow(self._rows.column(self.names.index(name))))


@dataclass(frozen=True)
class FileState:
    """Facts by which a change of a file is noticed without reading all of it."""

    size: int
    """In bytes."""
    mtime_ns: int
    """Time of its last change."""
    edges: str
    """A hash over its first and last MiB, for a change that keeps both."""

    @classmethod
    def of(cls, path: Path) -> Self:
        """Look at a file.

        Raises:
            BadInput: it cannot be read.
        """
        digest = hashlib.sha256()
        with readable(path), path.open("rb") as file:
            facts = os.fstat(file.fileno())
            digest.update(file.read(_EDGE_BYTES))
            file.seek(max(facts.st_size - _EDGE_BYTES, 0))
            digest.update(file.read(_EDGE_BYTES))
        return cls(facts.st_size, facts.st_mtime_ns, digest.hexdigest())


def content_digest(path: Path) -> str:
    """Return the SHA-256 of all bytes of a file.

    Raises:
        BadInput: it cannot be read.
    """
    with readable(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn any error of the system or of gzip while reading a file into bad input."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadInput(f"{path} is not a whole gzip file: {error}. Compress or fetch it again.") from None
    except OSError as error:
        what = error if error.errno is None else os.strerror(error.errno)
        raise BadInput(f"{path} cannot be read: {what}. Give a file that you may read.") from None


def first_bytes(path: Path, n_bytes: int) -> bytes:
    """Return the first bytes of a file, as they are on disk.

    Raises:
        BadInput: there is no such file, it is a folder, a device or a pipe, it cannot be read, or it is empty.
    """
    with readable(path):
        if not path.exists():
            raise BadInput(f"No file at {path}; expected a CSV, Parquet or XLSX file there. Check the path.")
        if not path.is_file():
            kind = "a folder" if path.is_dir() else "a pipe or device, which cannot be read twice"
            raise BadInput(f"{path} is {kind}; expected a CSV, Parquet or XLSX file.")
        with path.open("rb") as file:
            start = file.read(n_bytes)
    if not start:
        raise BadInput(f"{path} is empty; expected a header line and at least one row.")
    return start


def is_gzip(path: Path) -> bool:
    """Tell a gzipped file by its first bytes, whatever its name."""
    return first_bytes(path, len(_GZIP)) == _GZIP


def unpacked(path: Path, *, gzipped: bool) -> BinaryIO:
    """Open a file for reading its content, unpacked where it is gzipped; to be used within `readable`."""
    return cast(BinaryIO, gzip.open(path)) if gzipped else path.open("rb")
