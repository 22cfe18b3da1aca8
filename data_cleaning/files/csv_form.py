"""How a CSV file is written: its header, its delimiter, and how its text is to be decoded."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data_cleaning.errors import BadInput
from data_cleaning.files.sources import Reject
from data_cleaning.files.text_encoding import Encoding, bad_byte, undecodable, utf8_blocks

NO_DELIMITER = "\ud800"
"""Stands for a delimiter in a file of one column; no decoded text has it."""

_DELIMITERS = ",;\t|"
_LONGEST_HEADER = 1 << 20
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


def read_form(path: Path, encoding: Encoding, delimiter: str | None, *, gzipped: bool) -> CsvForm:
    """Read the header of a CSV file.

    Where no delimiter is given, it is the one that occurs most in the header outside quotes; a header without any is
    one column.

    Raises:
        BadInput: there is no header, it is not in the encoding, has a stray or unclosed quote, or the delimiter is not
            one ASCII character.
    """
    delimiter = _checked(delimiter)
    block = next(utf8_blocks(path, encoding, _LONGEST_HEADER, gzipped=gzipped), b"")[:_LONGEST_HEADER]
    lines = block.splitlines(keepends=True)
    if len(block) == _LONGEST_HEADER:
        lines = lines[:-1]  # which may be cut
    texts = [line.decode("utf-8", undecodable(encoding)) for line in lines]
    n_blank = next((position for position, text in enumerate(texts) if text.strip()), len(texts))
    first = n_blank
    if first < len(texts) and (found := _SEPARATOR_LINE.fullmatch(texts[first])):
        delimiter, first = delimiter or found[1], first + 1
    if first >= len(texts):
        where = f" in its first {_LONGEST_HEADER:,} bytes" if len(block) == _LONGEST_HEADER else ""
        raise BadInput(f"{path} has no header{where}; expected a line of column names and at least one row.")
    delimiter = delimiter or _most_frequent(texts, first)
    reader = csv.reader(texts[first:], delimiter=delimiter or NO_DELIMITER, strict=True)
    try:
        names = next(reader)
    except csv.Error as error:
        raise BadInput(
            f"{path}: the header in line {first + 1} has a quote that is stray or never closed ({error}). Fix it."
        ) from None
    n_lines = first + reader.line_num
    header = "".join(texts[first:n_lines])
    if (byte := bad_byte(header)) is not None:
        raise BadInput(
            f"{path}: the header in line {first + 1} is not {encoding.name} (byte {byte:#04x}). Save the file as "
            "UTF-8, or name its encoding (often latin-1 or cp1252)."
        )
    return CsvForm(tuple(names), delimiter, encoding, sum(map(len, lines[:n_lines])), n_lines, n_blank)


def _checked(delimiter: str | None) -> str | None:
    if delimiter == "\\t":  # as it is typed where a tab is hard to type
        return "\t"
    if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0'):
        raise BadInput(f"The delimiter {delimiter!r} cannot separate fields; expected one character: , ; | or \\t.")
    return delimiter


def _most_frequent(texts: list[str], first: int) -> str | None:
    """Count the known delimiters outside quotes, from the header's first line to the line that closes its quotes."""
    header, n_quotes = "", 0
    for text in texts[first:]:
        header, n_quotes = header + text, n_quotes + text.count('"')
        if n_quotes % 2 == 0:
            break
    else:
        header = texts[first]
    outside = re.sub(r'"[^"]*"', "", header)
    best = max(_DELIMITERS, key=outside.count)
    return best if best in outside else None
