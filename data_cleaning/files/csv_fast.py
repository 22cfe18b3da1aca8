"""Parses a block of CSV at once, where every parser would read the same cells in it."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from data_cleaning.files.csv_form import CsvForm, Parsed, Position

_QUOTE, _LINE_FEED, _RETURN = b'"\n\r'
_MARK = b"\xef\xbb\xbf"
_UNUSED = "\x1f\x1e\x1d\x1c"
"""Delimiters for a file of one column, of which one that a block does not have is taken."""


def parse_fast(block: bytes, form: CsvForm, position: Position, *, is_last: bool) -> Parsed | None:
    """Parse the whole rows at the beginning of a block.

    The block is UTF-8 that begins at `position`, where a row does; the file ends with it if it `is_last`.

    Returns:
        The rows; None where the block must be looked at line by line: for a fault, a blank line, a quote within a cell
        that has none around it, a line that ends in CR, or because it holds no whole row.
    """
    bytes_of_block = np.frombuffer(block, dtype=np.uint8)
    quotes = np.flatnonzero(bytes_of_block == _QUOTE) if b'"' in block else np.empty(0, dtype=np.int64)
    end = len(block) if is_last else _last_row_end(block, bytes_of_block, quotes)
    quotes = quotes[: np.searchsorted(quotes, end)]
    if not end or len(quotes) % 2:
        return None
    rows = block[:end]
    delimiter = form.delimiter or next((letter for letter in _UNUSED if letter.encode() not in rows), None)
    breaks = bytes_of_block[:end] == _LINE_FEED  # (n_bytes,); numpy finds what is frequent several times as fast
    if delimiter is None or _has_odd_lines(rows, breaks, len(form.names), is_last):
        return None
    if len(quotes) and not _quotes_are_simple(bytes_of_block[:end], quotes, ord(delimiter)):
        return None
    table = _parse(rows, form, delimiter)
    if table is None:
        return None
    n_lines = int(np.count_nonzero(breaks)) + (not rows.endswith(b"\n"))
    rest = replace(position, byte=position.byte + end, line=position.line + n_lines)
    return Parsed(table, (), position.line + _row_lines(breaks, quotes, table.num_rows, n_lines), rest)


def _row_lines(
    breaks: npt.NDArray[np.bool_], quotes: npt.NDArray[np.int64], n_rows: int, n_lines: int
) -> npt.NDArray[np.int64]:
    """Return the line on which each row begins, counted from 1 within the block, (n_rows,)."""
    if n_rows == n_lines:
        return np.arange(1, n_rows + 1)
    positions = np.flatnonzero(breaks)
    between_rows = np.searchsorted(quotes, positions) % 2 == 0
    return np.concatenate(([1], np.flatnonzero(between_rows) + 2))[:n_rows]


def _last_row_end(block: bytes, bytes_of_block: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64]) -> int:
    """Return the position after the last line break outside quotes, 0 where there is none."""
    last = block.rfind(b"\n")
    if np.searchsorted(quotes, last) % 2 == 0:  # quotes before it are closed
        return last + 1
    breaks = np.flatnonzero(bytes_of_block == _LINE_FEED)
    outside = breaks[np.searchsorted(quotes, breaks) % 2 == 0]
    return int(outside[-1]) + 1 if len(outside) else 0


def _has_odd_lines(rows: bytes, breaks: npt.NDArray[np.bool_], n_columns: int, is_last: bool) -> bool:
    """Find blank lines, lines that end in CR alone, and the byte order mark that pyarrow would drop."""
    with_returns = b"\r" in rows
    if rows.startswith(_MARK) or (with_returns and rows.count(b"\r") != rows.count(b"\r\n")):
        return True
    if n_columns > 1:
        blank = rows.startswith((b"\n", b"\r")) or bool((breaks[1:] & breaks[:-1]).any())
        return blank or (with_returns and b"\n\r" in rows)
    # One column: a blank line is an empty cell, unless it ends the file.
    return is_last and (rows in (b"\n", b"\r\n") or rows.endswith((b"\n\n", b"\n\r\n")))


def _quotes_are_simple(rows: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64], delimiter: int) -> bool:
    """Check that quotes only open cells, close them, or are doubled inside.

    Counted from 0, an even quote opens a cell or follows the odd one that it doubles; an odd one closes a cell, or is
    doubled by the next. If all do, every parser sees the same cells. The number of quotes is even, and their positions
    ascend.
    """
    opening, closing = quotes[::2], quotes[1::2]
    before = rows[np.maximum(opening - 1, 0)]
    after = rows[np.minimum(closing + 1, len(rows) - 1)]
    opens = (opening == 0) | (before == delimiter) | (before == _LINE_FEED) | (before == _QUOTE)
    at_end = closing == len(rows) - 1
    closes = at_end | (after == delimiter) | (after == _LINE_FEED) | (after == _RETURN) | (after == _QUOTE)
    return bool(opens.all() and closes.all())


def _parse(rows: bytes, form: CsvForm, delimiter: str) -> pa.Table | None:
    names = [str(position) for position in range(len(form.names))]
    # A copy that is pyarrow's own: one of its threads may let go of the rows after they are read, and to free what is
    # Python's it has to wait for the interpreter. If that is about to exit, the process aborts.
    with pa.BufferOutputStream() as stream:
        stream.write(rows)
        copy = stream.getvalue()
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(copy),
            # Measured: several threads take the same time and twice the work, and other threads tag and write.
            read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=len(rows) + 1, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowException:  # a wrong number of fields, or bytes that are no UTF-8
        return None
    return table.rename_columns(list(form.names))
