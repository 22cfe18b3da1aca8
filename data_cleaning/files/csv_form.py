"""How a CSV file is written: its header, its delimiter, and how its text is to be decoded."""

import csv
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data_cleaning.errors import BadInput
from data_cleaning.files.sources import Reject
from data_cleaning.files.table_layout import ROWS_LOOKED_AT, Header, HeadRow, check_width, find_header
from data_cleaning.files.text_encoding import LONGEST_HEADER, Encoding, bad_byte, undecodable, utf8_blocks

NO_DELIMITER = "\ud800"
"""Stands for a delimiter in a file of one column; no decoded text has it."""

_DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r'"?sep=([,;|^~\t])"?\s*', re.IGNORECASE)
"""What Excel writes above a header to say how to read the file."""


@dataclass(frozen=True)
class CsvForm:
    """What must be known to read the rows of a CSV file."""

    names: tuple[str, ...]
    """Of the columns, as the header has them."""
    delimiter: str | None
    """None in a file of one column, whose lines are cells."""
    encoding: Encoding
    header: Header
    """Where it is."""
    n_bytes: int
    """Of everything down to the end of the header, as UTF-8."""
    n_lines: int
    """Down to the end of the header."""
    n_blank: int
    """Blank lines above the header."""

    @property
    def schema(self) -> pa.Schema:
        """Of the rows: all text."""
        return pa.schema([(name, pa.string()) for name in self.names])

    @property
    def errors(self) -> str:
        """Name of the handler that keeps bytes which cannot be decoded."""
        return undecodable(self.encoding)

    @property
    def in_words(self) -> str:
        """How the file is read, as a sentence for a person."""
        reason = f" ({self.encoding.reason})" if self.encoding.reason else ""
        shown = "a tab" if self.delimiter == "\t" else repr(self.delimiter)
        parts = f"fields separated by {shown}" if self.delimiter is not None else "one column"
        return f"Read as {self.encoding.name}{reason}, {parts}."


@dataclass(frozen=True)
class Position:
    """A position in a CSV file: the beginning of a line, or a place within a line that is too long."""

    byte: int
    """Bytes before it, of the file as UTF-8 without its byte order mark."""
    line: int
    """Lines before it."""
    skipped: int
    """Blank lines before it."""
    read_again: int = 0
    """Bytes before it that were read as part of a record, and then again as records of their own."""
    within_line: int = 0
    """1 within a line that is longer than a row may be."""
    strict_until: int = 0
    """Lines of the file down to which a row needs all its fields, as it may be what is left of a broken one."""


@dataclass(frozen=True)
class Parsed:
    """What was read from a block."""

    rows: pa.Table
    rejects: tuple[Reject, ...]
    lines: npt.NDArray[np.int64]
    """Line on which each row begins, (n_rows,)."""
    end: Position
    """Where the rest begins; where reading began, if the block holds no whole record."""
    short: tuple[int, ...] = ()
    """Lines of the rows that lack fields at their end."""


def read_form(
    path: Path, encoding: Encoding, delimiter: str | None, header_row: int | None = None, *, gzipped: bool
) -> CsvForm:
    """Read the header of a CSV file, which is found unless its line is given.

    Where no delimiter is given, it is the one that occurs most in the header outside quotes; a header without any is
    one column.

    Raises:
        BadInput: there is no header, or none in the line that was given; it is not in the encoding, is too wide, or has
            a stray or unclosed quote; the delimiter is not one ASCII character.
    """
    delimiter = _checked(delimiter)
    block = next(utf8_blocks(path, encoding, LONGEST_HEADER, gzipped=gzipped), b"")[:LONGEST_HEADER]
    lines = block.splitlines(keepends=True)
    if len(block) == LONGEST_HEADER:
        lines = lines[:-1]  # which may be cut
    texts = [line.decode("utf-8", undecodable(encoding)) for line in lines]
    is_blank = [not text.strip() for text in texts]
    first = is_blank.index(False) if False in is_blank else len(texts)
    if first < len(texts) and (found := _SEPARATOR_LINE.fullmatch(texts[first])):
        delimiter, first = delimiter or found[1], first + 1
    if header_row is not None:
        first = header_row - 1
        if first >= len(texts) or is_blank[first]:
            raise BadInput(f"{path} has no header in line {header_row}. Give --header-row the line of the names.")
    if first >= len(texts):
        where = f" in its first {LONGEST_HEADER:,} bytes" if len(block) == LONGEST_HEADER else ""
        raise BadInput(f"{path} has no header{where}; expected a line of column names and at least one row.")
    delimiter, header = _find_table(texts, first, delimiter, asked=header_row is not None)
    place = header.rows[0].place
    reader = csv.reader(texts[place - 1 :], delimiter=delimiter or NO_DELIMITER, strict=True)
    try:
        rows = [next(reader) for _ in header.rows]
    except csv.Error as error:
        raise BadInput(
            f"{path}: the header in line {place} has a quote that is stray or never closed ({error}). Fix it."
        ) from None
    n_lines = place - 1 + reader.line_num
    if (byte := bad_byte("".join(texts[place - 1 : n_lines]))) is not None:
        raise BadInput(
            f"{path}: the header in line {place} is not {encoding.name} (byte {byte:#04x}). Save the file as "
            "UTF-8, or name its encoding (often latin-1 or cp1252)."
        )
    names = header.names if len(rows) > 1 else tuple(rows[0])
    check_width(path, len(names))
    n_bytes = sum(map(len, lines[:n_lines]))
    return CsvForm(names, delimiter, encoding, header, n_bytes, n_lines, sum(is_blank[: place - 1]))


def _find_table(texts: list[str], first: int, delimiter: str | None, *, asked: bool) -> tuple[str | None, Header]:
    """Return the delimiter, None for one column, and the header that it shows best.

    Lines above a table may hold none of its delimiters, or others; where the first line has as many fields as the lines
    below it, there is nothing above the table.
    """
    usual = delimiter or _most_frequent(texts, first)
    others = [] if delimiter else [one for one in _DELIMITERS if one != usual]
    best: tuple[str | None, Header] | None = None
    for one in (usual, *others):
        rows = _head_rows(texts, first, one)
        header = find_header(rows, "line", asked=asked)
        if one == usual and len(rows) > 1 and len(rows[0].cells) > 1:
            n_alike = sum(len(row.cells) == len(rows[0].cells) for row in rows[1:])
            if 10 * n_alike >= 9 * (len(rows) - 1):
                return usual, header
        if best is None or header.evidence > best[1].evidence:
            best = one, header
        if best[1].evidence == 2:
            break
    assert best is not None, "one delimiter is always tried"
    return best


def _head_rows(texts: list[str], first: int, delimiter: str | None) -> list[HeadRow]:
    """Read the first rows that are not blank, leniently, as what is above a table is no CSV."""
    reader = csv.reader(texts[first:], delimiter=delimiter or NO_DELIMITER)
    rows: list[HeadRow] = []
    line = first
    with suppress(csv.Error):
        for cells in reader:
            row = HeadRow(line + 1, tuple(cells))
            line = first + reader.line_num
            if row.width or not rows:
                rows.append(row)
            if len(rows) == ROWS_LOOKED_AT:
                break
    return rows or [HeadRow(first + 1, (texts[first],))]


def _checked(delimiter: str | None) -> str | None:
    if delimiter == "\\t":  # as it is typed where a tab is hard to type
        return "\t"
    if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0'):
        raise BadInput(f"The delimiter {delimiter!r} cannot separate fields; expected one character: , ; | or \\t.")
    return delimiter


def _most_frequent(texts: list[str], first: int) -> str | None:
    """Count the known delimiters outside quotes, from the header's first line to the line that closes its quotes."""
    n_quotes, stop = 0, first + 1  # where no line closes them, the first alone counts
    for line in range(first, len(texts)):
        n_quotes += texts[line].count('"')
        if n_quotes % 2 == 0:
            stop = line + 1
            break
    header = "".join(texts[first:stop])
    outside = re.sub(r'"[^"]*"', "", header)
    best = max(_DELIMITERS, key=outside.count)
    return best if best in outside else None
