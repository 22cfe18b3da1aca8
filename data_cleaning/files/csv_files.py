"""CSV and gzipped CSV in, columns of text out; every fault is named with its line before a parser could hide it.

A row is named by the line of the file on which it begins, as an editor counts lines: the header's is line 1, blank
lines count, and so does each line break inside quotes.

A first pass reads the file strictly and checks each row; a second one parses it fast. Quotes decide why both are
needed: a lenient parser takes everything from an unclosed quote to the next one for a single cell, in silence.
"""

import codecs
import csv
import gzip
import io
import itertools
import zlib
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from data_cleaning.errors import BadInput, first_few

GZIP_SUFFIX = ".gz"
DELIMITERS = ",;\t|"

_BLOCK_BYTES = 1 << 24
"""More than a row of cells within csv's limit takes, but for absurd numbers of full cells."""
_LONGEST_HEADER = 1 << 20
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""The longer marks first, as one begins with another."""
_UTF8_NAMES = ("utf-8", "utf-8-sig")


@dataclass
class _Checked:
    """What the strict pass found."""

    header: list[str]
    delimiter: str
    lines: "array[int]" = field(default_factory=lambda: array("q"))
    """Line on which each row begins."""
    blank: list[int] = field(default_factory=list)
    """Blank lines that are no rows."""
    ragged: list[tuple[int, list[str]]] = field(default_factory=list)
    """Line and cells of each row with too many or too few fields."""


@dataclass(frozen=True, kw_only=True)
class CsvFile:
    """What a CSV file holds."""

    table: pa.Table
    """Every column as text; an empty cell is null."""
    lines: npt.NDArray[np.int64]
    """Line of the file on which each row begins, (n_rows,)."""
    notes: tuple[str, ...]
    """What was left out, and where it stands."""


def read_csv(path: Path, encoding: str = "utf-8") -> CsvFile:
    """Read a CSV file, gzipped where its name ends in .gz.

    The delimiter is that of the header line. A byte order mark of UTF-16 or UTF-32 outranks `encoding`. Left out are
    blank lines, unless there is one column, of which they are empty cells; and columns without name and content.

    Raises:
        BadInput: the encoding is unknown, or the file is empty, has rows with too many or too few fields, unclosed or
            stray quotes, a cell beyond csv's limit, NUL bytes, bytes that are not in the encoding, or content in a
            column without a name.
    """
    encoding = _encoding(path, encoding)
    try:
        with _whole_gzip(path):
            checked = _check(path, encoding)
    except UnicodeDecodeError:
        raise _undecodable(path, encoding) from None
    if checked.ragged:
        shown = first_few(
            f"line {line} has {len(cells)} field{'s' * (len(cells) != 1)} ({_short(cells)})"
            for line, cells in checked.ragged
        )
        raise BadInput(
            f"{path}: expected {len(checked.header)} fields in every row, but {shown}. "
            "Put quotes around a title that holds a comma, or mend those rows."
        )
    table = _parse(path, encoding, checked)
    if table.num_rows != len(checked.lines):
        raise BadInput(
            f"{path} has {len(checked.lines):,} rows, of which the parser finds {table.num_rows:,}. "
            "Look for stray quotes and line breaks, or save the file as Parquet."
        )
    notes = []
    if checked.blank:
        notes.append(f"Blank lines, skipped: {len(checked.blank):,} (line {first_few(map(str, checked.blank))}).")
    lines = np.array(checked.lines, dtype=np.int64)
    table, nameless = _without_nameless(path, table, lines)
    if nameless:
        notes.append(f"Columns without name and content, left out: {first_few(map(str, nameless))}, from the left.")
    return CsvFile(table=table, lines=lines, notes=tuple(notes))


def _without_nameless(path: Path, table: pa.Table, lines: npt.NDArray[np.int64]) -> tuple[pa.Table, list[int]]:
    """Drop the columns that have neither name nor content, as spreadsheets leave them; return which, from 1.

    Raises:
        BadInput: one has content, or no column has a name.
    """
    nameless = [position for position, name in enumerate(table.column_names) if not name.strip()]
    if len(nameless) == table.num_columns:
        raise BadInput(f"{path} names no column in its first line; expected a header such as Title,Country.")
    for position in nameless:
        cells = pc.fill_null(pc.utf8_trim_whitespace(table.column(position)), "")
        filled = np.flatnonzero(pc.not_equal(cells, "").to_numpy(zero_copy_only=False))
        if len(filled):
            raise BadInput(
                f"{path}: column {position + 1} from the left has no name but content, first in line "
                f"{lines[filled[0]]} ({len(filled):,} in all). Name it in the header, or empty it."
            )
    named = [position for position in range(table.num_columns) if position not in nameless]
    return table.select(named) if nameless else table, [position + 1 for position in nameless]


def _encoding(path: Path, encoding: str) -> str:
    """Return the encoding to read a file in, by its byte order mark where there is one."""
    try:
        "".encode(encoding)  # refuses unknown names, and codecs that are not for text
        name = codecs.lookup(encoding).name
    except LookupError:
        raise BadInput(f"Unknown encoding {encoding!r}; expected a name such as utf-8, utf-16 or latin-1.") from None
    with _whole_gzip(path), _opened(path) as opened:
        start = opened.read(4)
    if name in _UTF8_NAMES:
        name = "utf-8"
        return next((wide for mark, wide in _BYTE_ORDER_MARKS.items() if start.startswith(mark)), name)
    return name


def _opened(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if path.suffix.lower() == GZIP_SUFFIX else path.open("rb")


@contextmanager
def _whole_gzip(path: Path) -> Iterator[None]:
    """Turn the faults of a gzip file that is cut, or is none, into bad input."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadInput(f"{path} is not a whole gzip file: {error}. Compress or fetch it again.") from None


def _lines(path: Path, decoded: Iterable[str]) -> Iterator[str]:
    """Yield lines; refuse NUL bytes, which csv.reader takes for characters."""
    for number, line in enumerate(decoded, start=1):
        if "\0" in line:
            raise BadInput(
                f"{path}: line {number} holds a NUL byte, which no title does. Delete that byte, export the file again "
                "as UTF-8 text, or name its encoding where it is UTF-16."
            )
        yield line


def _check(path: Path, encoding: str) -> _Checked:
    """Read every row strictly.

    Raises:
        BadInput: at the first cell that cannot be read as it stands.
        UnicodeDecodeError: a byte is not in the encoding.
    """
    decoding = "utf-8-sig" if encoding == "utf-8" else encoding  # without its byte order mark
    with io.TextIOWrapper(_opened(path), encoding=decoding, newline="") as decoded:
        lines = _lines(path, decoded)
        first = next(lines, "")
        if not first.strip():
            what = "begins with a blank line" if first else "is empty"
            raise BadInput(f"{path} {what}; expected a header line and at least one row.")
        delimiter = max(DELIMITERS, key=first[:_LONGEST_HEADER].count)
        reader = csv.reader(itertools.chain([first], lines), delimiter=delimiter, strict=True)
        line = 0
        try:
            checked = _Checked(next(reader), delimiter)
            line = reader.line_num
            for cells in reader:
                _note_row(checked, line + 1, cells)
                line = reader.line_num
        except csv.Error as error:
            at = "the header line" if line == 0 else f"line {line + 1}"
            raise BadInput(f"{path}: {_bad_cell(str(error), at)}") from None
    return checked


def _note_row(checked: _Checked, line: int, cells: list[str]) -> None:
    n_columns = len(checked.header)
    # In a file of one column an empty line is an empty cell, and its row must not go missing.
    if not cells and n_columns > 1:
        checked.blank.append(line)
        return
    checked.lines.append(line)
    if cells and len(cells) != n_columns:
        checked.ragged.append((line, cells))


def _bad_cell(error: str, at: str) -> str:
    """Word what csv.reader found; the line on which the row begins is where to look."""
    if "field larger" in error:
        return (
            f"a cell that begins in {at} has more than {csv.field_size_limit():,} characters. "
            "Close its quote where it is one that swallows the rows below, or cut the cell."
        )
    if "unexpected end" in error:
        return f"a quote opens in {at} and is never closed. Close it there, or double it where it belongs to the title."
    return (
        f"a quote opens in {at} that is not closed at the end of its cell ({error}). "
        "Close it there, or double every quote that belongs to the title."
    )


def _parse(path: Path, encoding: str, checked: _Checked) -> pa.Table:
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(checked.header, pa.string()), null_values=[""], strings_can_be_null=True
    )
    parse = pyarrow.csv.ParseOptions(
        delimiter=checked.delimiter, newlines_in_values=True, ignore_empty_lines=len(checked.header) > 1
    )
    read = pyarrow.csv.ReadOptions(encoding=encoding, block_size=_BLOCK_BYTES, use_threads=True)
    with _opened(path) as opened:
        try:
            return pyarrow.csv.read_csv(opened, read_options=read, parse_options=parse, convert_options=convert)
        except pa.ArrowInvalid as error:
            raise BadInput(f"{path} is not readable as CSV: {error}. Save it as Parquet, or mend the row.") from None


def _undecodable(path: Path, encoding: str) -> BadInput:
    """Name the lines that are not in the encoding, and say whether others with accents are."""
    if encoding.startswith(("utf-16", "utf-32")):  # whose lines do not end in a single byte
        return BadInput(f"{path} is not {encoding} from beginning to end. Save the file as UTF-8.")
    bad: list[int] = []
    first_byte, n_accented = 0, 0
    with _opened(path) as opened:
        for number, line in enumerate(opened, start=1):
            try:
                n_accented += not line.decode(encoding).isascii()
            except UnicodeDecodeError as error:
                first_byte = first_byte if bad else error.object[error.start]
                bad.append(number)
    lines = first_few(map(str, bad[1:]))
    also = f", and neither {'are lines' if len(bad) > 2 else 'is line'} {lines}" if bad[1:] else ""
    found = f"{path}: line {bad[0]} is not {encoding} (byte 0x{first_byte:02x}){also}"
    if n_accented and encoding == "utf-8":
        return BadInput(
            f"{found}, while other lines with accents are ({n_accented:,}): the file mixes encodings. "
            "Write those lines again as UTF-8; to name another encoding would spoil the others."
        )
    return BadInput(f"{found}. Save the file as UTF-8, or name its encoding (often latin-1 or cp1252).")


def _short(cells: list[str], most: int = 60) -> str:
    text = ",".join(cells)
    return repr(text if len(text) <= most else text[: most - 1] + "…")
