"""Parses CSV line by line, where something is odd: a fault costs its own row and no other."""

import csv
import re
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate

import numpy as np
import pyarrow as pa

from data_cleaning.files.csv_form import NO_DELIMITER, CsvForm, Parsed, Position
from data_cleaning.files.sources import Reject
from data_cleaning.files.text_encoding import bad_byte, shown

_MAX_LINES_READ_AGAIN = 100
"""A record of more lines that has a wrong number of fields is rejected whole."""
_FREE_READ_AGAIN = 1 << 28
_MAX_READ_AGAIN = 16
"""Bytes read again after unclosed quotes, per byte of the file, beyond the free ones; then rejects are whole too."""
_LINE_ENDS = (b"\n", b"\r\n", b"\r")
_LINE_BREAK = re.compile(rb"[\r\n]")
_LONGEST_CHARACTER = 4
_NO_LINES = np.empty(0, dtype=np.int64)


@contextmanager
def _any_size() -> Iterator[None]:
    """Let csv read cells of any size; its limit is one for the whole process."""
    limit = csv.field_size_limit((1 << 31) - 1)  # the largest that C's long has everywhere
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def parse_carefully(block: bytes, form: CsvForm, position: Position, longest_row: int, *, is_last: bool) -> Parsed:
    """Read the records at the beginning of a block, up to one that the block does not hold whole.

    A record is a row where it has the header's number of fields, or lacks or adds empty ones at its end, and all of it
    is text. Otherwise it is a reject; one that spans several lines is mostly an unclosed quote, so only its first line
    is rejected, and the lines below are read again as records of their own. Of these, what the quote has held may lack
    no field, since a piece of a broken record is no row.

    The block is UTF-8 that begins at `position`, where a line does; the file ends with it if it `is_last`.
    `longest_row` is the limit for a record, in bytes; reading stops before a line that has as many (`is_overlong`).
    """
    reading = _Reading(block, form, position, longest_row, is_last=is_last)
    with _any_size():
        while reading.read_records():
            pass
    return reading.parsed()


class _Reading:
    """The state of `parse_carefully`; lines are counted from 0, from the beginning of the block."""

    def __init__(self, block: bytes, form: CsvForm, position: Position, longest_row: int, *, is_last: bool) -> None:
        self._form, self._position, self._longest_row, self._is_last = form, position, longest_row, is_last
        self._lines = block.splitlines(keepends=True)
        self._ends = list(accumulate(map(len, self._lines)))  # (n_lines,); byte after each line
        errors = form.errors
        self._texts = [line.decode("utf-8", errors) for line in self._lines[: self._n_whole_lines(block)]]
        self._all_is_text = bad_byte("".join(self._texts)) is None
        self._rows: list[list[str]] = []
        self._row_lines: list[int] = []
        self._short: list[int] = []
        self._rejects: list[Reject] = []
        self._done = 0
        """Lines that were read as rows, rejected or skipped."""
        self._strict_until = max(position.strict_until - position.line, 0)
        self._n_blank = 0
        self._n_read_again = 0

    def _n_whole_lines(self, block: bytes) -> int:
        """Count the lines down to the first that is not whole or is too long."""
        # The LF of a line that ends in CR may be in the next block.
        n_whole = len(self._lines) - (not self._is_last and bool(block) and not block.endswith(b"\n"))
        if len(block) < self._longest_row:
            return n_whole
        overlong = (number for number, line in enumerate(self._lines) if is_overlong(line, self._longest_row))
        return min(n_whole, next(overlong, n_whole))

    def parsed(self) -> Parsed:
        begin, schema = self._position, self._form.schema
        columns = [pa.array([cell or None for cell in column], pa.string()) for column in zip(*self._rows, strict=True)]
        return Parsed(
            pa.Table.from_arrays(columns, schema=schema) if columns else schema.empty_table(),
            tuple(self._rejects),
            np.array(self._row_lines, dtype=np.int64),
            replace(
                begin,
                byte=begin.byte + (self._ends[self._done - 1] if self._done else 0),
                line=begin.line + self._done,
                skipped=begin.skipped + self._n_blank,
                read_again=begin.read_again + self._n_read_again,
                strict_until=begin.line + self._strict_until,
            ),
            tuple(self._short),
        )

    def read_records(self) -> bool:
        """Read until a record must be split or the block ends; return whether there is more to read."""
        start = self._done
        # Starts at any line without copying those below.
        texts = map(self._texts.__getitem__, range(start, len(self._texts)))
        reader = csv.reader(texts, delimiter=self._form.delimiter or NO_DELIMITER, strict=True)
        begin = start
        try:
            for cells in reader:
                stop = start + reader.line_num
                self._take(cells, begin, stop)
                if self._done != stop:
                    return True
                begin = stop
        except csv.Error as error:
            return self._take_fault(str(error), begin, start + reader.line_num)
        return False

    def _take(self, cells: list[str], begin: int, stop: int) -> None:
        if len(cells) <= 1 and self._is_blank(begin):
            self._n_blank += 1
            self._done = stop
        elif stop - begin > 1 and self._limit(begin) < stop:
            self._reject_apart(self._too_long, begin, self._limit(begin))
        elif not self._fits(cells, begin, stop):
            self._take_ragged(len(cells), begin, stop)
        elif not self._all_is_text and (byte := bad_byte("".join(self._texts[begin:stop]))) is not None:
            self._reject(f"is not {self._form.encoding.name} (byte {byte:#04x})", begin, stop)
        else:
            n_columns = len(self._form.names)
            self._rows.append(cells[:n_columns] + [""] * (n_columns - len(cells)))
            self._row_lines.append(self._position.line + begin + 1)
            if 0 < len(cells) < n_columns:
                self._short.append(self._row_lines[-1])
            self._done = stop

    def _fits(self, cells: list[str], begin: int, stop: int) -> bool:
        """Say whether a record has the header's fields, but for empty ones that its end lacks or adds."""
        n_more = len(cells) - len(self._form.names)
        if n_more >= 0 or not cells:  # a line without any is blank, and an empty cell where there is one column
            return n_more <= 0 or not any(cell.strip(" \t\u00a0") for cell in cells[-n_more:])
        # Below an unclosed quote, whole rows would be taken for lines of its cell.
        most = max(
            (text.count(self._form.delimiter or NO_DELIMITER) for text in self._texts[begin + 1 : stop]), default=0
        )
        return begin >= self._strict_until and most < len(self._form.names) - 1

    def _take_ragged(self, n_fields: int, begin: int, stop: int) -> None:
        reason = f"has {n_fields} field{'s' * (n_fields != 1)}, expected {len(self._form.names)}"
        n_below = stop - begin - 1
        if n_below:
            reason += f", its quotes closing {n_below} line{'s' * (n_below != 1)} below"
        self._strict_until = max(self._strict_until, stop)
        if n_below < _MAX_LINES_READ_AGAIN:
            self._reject_apart(reason, begin, stop)
        else:
            self._reject(reason, begin, stop)

    def _take_fault(self, error: str, begin: int, stop: int) -> bool:
        """Reject the first line of a record that csv cannot read; return False where the rest of it is yet to come."""
        limit = self._limit(begin)
        is_open = "unexpected end" in error
        # A record that is open at the end of the whole lines continues in the next one, which may be too long.
        if limit < stop or (is_open and limit < len(self._lines)):
            self._reject_apart(self._too_long, begin, limit)
        elif is_open and not self._is_last:
            return False
        elif is_open or stop - begin > 1:
            if not is_open:
                self._strict_until = max(self._strict_until, stop)
            self._reject_apart("opens a quote that is never closed", begin, stop)
        else:
            self._reject("has a quote within quotes that is not doubled, or text after a closing one", begin, stop)
        return True

    @property
    def _too_long(self) -> str:
        return f"opens a quote that is not closed within {self._longest_row:,} bytes"

    def _limit(self, begin: int) -> int:
        """Return the line with which a record that begins in a line gets too long."""
        before = self._ends[begin] - len(self._lines[begin])
        return bisect_left(self._ends, before + self._longest_row)

    def _is_blank(self, begin: int) -> bool:
        """Whether a line of one field is no row: spaces among several columns, nothing at the end of a file of one."""
        text = self._texts[begin]
        if len(self._form.names) > 1:
            return not text.strip()
        return self._is_last and begin == len(self._lines) - 1 and self._lines[begin] in _LINE_ENDS

    def _reject(self, reason: str, begin: int, stop: int) -> None:
        text = shown("".join(self._texts[begin:stop]))
        self._rejects.append(Reject(self._position.line + begin + 1, reason, text))
        self._done = stop

    def _reject_apart(self, reason: str, begin: int, stop: int) -> None:
        """Reject the first line of a record and leave the others to be read again, within limits."""
        n_read_again = self._position.read_again + self._n_read_again
        n_before = self._position.byte + self._ends[begin]
        if stop > begin + 1 and n_read_again > _FREE_READ_AGAIN + _MAX_READ_AGAIN * n_before:
            self._reject(reason, begin, stop)
            return
        self._n_read_again += self._ends[max(stop - 1, begin)] - self._ends[begin]
        self._reject(reason, begin, begin + 1)


def is_overlong(line: bytes, longest_row: int) -> bool:
    """Whether a line, with or without its end, is no row by its length alone."""
    return len(line) >= longest_row and len(line.rstrip(b"\r\n")) >= longest_row


def begins_overlong(block: bytes, longest_row: int) -> bool:
    """Whether the first line of a block is one of those that `is_overlong` tells."""
    return len(block) >= longest_row and not _LINE_BREAK.search(block, 0, longest_row)


def parse_piece(block: bytes, form: CsvForm, position: Position, longest_row: int, *, is_last: bool) -> Parsed:
    """Reject the next piece of a line that is too long, or of its rest; a piece has `longest_row` bytes.

    The block is UTF-8 that begins at `position`, where the piece does; the file ends with it if it `is_last`.
    """
    nothing = form.schema.empty_table()
    n_needed = longest_row + 2  # what would end the line is seen too
    if len(block) < n_needed and not is_last:
        return Parsed(nothing, (), _NO_LINES, position)
    if line_break := _LINE_BREAK.search(block, 0, longest_row + 1):
        length, ended = line_break.start(), True
        end = length + 1 + block.startswith(b"\r\n", length)
    else:
        length = end = _before_character(block, longest_row)
        ended = is_last and end == len(block)
    what = "continues, being" if position.within_line else "is"
    text = shown(block[:length].decode("utf-8", form.errors))
    reject = Reject(position.line + 1, f"{what} longer than {longest_row:,} bytes", text)
    rest = replace(position, byte=position.byte + end, line=position.line + ended, within_line=int(not ended))
    return Parsed(nothing, (reject,), _NO_LINES, rest)


def _before_character(block: bytes, length: int) -> int:
    """Return the last position up to `length` that does not cut a character of UTF-8."""
    if length >= len(block):
        return len(block)
    starts = (cut for cut in range(length, length - _LONGEST_CHARACTER, -1) if block[cut] & 0xC0 != 0x80)
    return next(starts, length)
