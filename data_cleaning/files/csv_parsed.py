"""What either way through a block of CSV gives back, and where it leaves off."""

from dataclasses import dataclass

import pyarrow as pa

from data_cleaning.files.sources import Reject


@dataclass(frozen=True)
class Position:
    """Where reading stands in a CSV file: always where a line begins, but within one that is too long."""

    byte: int
    """Bytes before it, of the file as UTF-8 without its byte order mark."""
    line: int
    """Lines before it."""
    skipped: int
    """Blank lines before it."""
    read_again: int = 0
    """Bytes before it that were read for part of a record, and then for themselves."""
    within_line: int = 0
    """1 within a line that is longer than a row may be."""
    careful_until: int = 0
    """Byte up to which the quick way is known to fail."""


@dataclass(frozen=True)
class Parsed:
    """What was read of a block."""

    rows: pa.Table
    rejects: tuple[Reject, ...]
    end: Position
    """Where the rest begins; where reading began, if the block holds no whole record."""
