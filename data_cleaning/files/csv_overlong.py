"""Lines that are too long for a row, as a file has that is no table or lost its line breaks: rejected in pieces."""

import re
from dataclasses import replace

from data_cleaning.files.csv_form import CsvForm
from data_cleaning.files.csv_parsed import Parsed, Position
from data_cleaning.files.sources import Reject
from data_cleaning.files.utf8_blocks import shown

_LINE_BREAK = re.compile(rb"[\r\n]")
_LONGEST_CHARACTER = 4


def is_overlong(line: bytes, longest_row: int) -> bool:
    """Whether a line, with or without its end, is no row by its length alone."""
    return len(line) >= longest_row and len(line.rstrip(b"\r\n")) >= longest_row


def begins_overlong(block: bytes, longest_row: int) -> bool:
    """Whether the first line of a block is one of those that `is_overlong` tells."""
    return len(block) >= longest_row and not _LINE_BREAK.search(block, 0, longest_row)


def parse_piece(block: bytes, form: CsvForm, position: Position, longest_row: int, *, is_last: bool) -> Parsed:
    """Reject the next piece of a line that is too long, or of its rest.

    Args:
        block: UTF-8 that begins with the piece.
        form: of the file.
        position: where the block begins.
        longest_row: length of a piece, in bytes.
        is_last: whether the file ends with the block.
    """
    nothing = form.schema.empty_table()
    n_needed = longest_row + 2  # what would end the line is seen too
    if len(block) < n_needed and not is_last:
        return Parsed(nothing, (), position)
    if line_break := _LINE_BREAK.search(block, 0, longest_row + 1):
        length, ended = line_break.start(), True
        end = length + 1 + block.startswith(b"\r\n", length)
    else:
        length = end = _before_character(block, longest_row)
        ended = is_last and end == len(block)
    what = "goes on, being" if position.within_line else "is"
    text = shown(block[:length].decode("utf-8", form.errors))
    reject = Reject(position.line + 1, f"{what} longer than {longest_row:,} bytes", text)
    rest = replace(position, byte=position.byte + end, line=position.line + ended, within_line=int(not ended))
    return Parsed(nothing, (reject,), rest)


def _before_character(block: bytes, length: int) -> int:
    """Return the last position up to `length` that does not cut a character of UTF-8."""
    if length >= len(block):
        return len(block)
    starts = (cut for cut in range(length, length - _LONGEST_CHARACTER, -1) if block[cut] & 0xC0 != 0x80)
    return next(starts, length)
