"""The one writer of tables: CSV, gzipped CSV, Parquet or XLSX, whole or row by row, as the ending of a path says."""

import csv
import gzip
import io
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import polars as pl
import pyarrow as pa

from data_cleaning.errors import BadInput, first_few
from data_cleaning.files.output_places import ending
from data_cleaning.files.sources import Reject
from data_cleaning.files.spreadsheet_text import escape_cell, escape_frame, may_be_risky
from data_cleaning.files.table_reader import NO_TEXT

if TYPE_CHECKING:
    from data_cleaning.files.workbooks import Workbook

_GZIP_LEVEL = 2
"""Twice as fast as level 4 for files a fifth larger, measured on text with labels."""

_ROW_GROUP = 100_000
"""Rows that are gathered before they are written to Parquet: small groups make large files that are slow to read."""

_PLAIN = (
    *(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_boolean, pa.types.is_null),
    *(pa.types.is_integer, pa.types.is_floating, pa.types.is_date, pa.types.is_time, pa.types.is_timestamp),
    *(pa.types.is_decimal32, pa.types.is_decimal64, pa.types.is_decimal128),
)
"""Types that one cell of text can hold."""

_MEASURED_ROWS, _NARROWEST, _WIDEST = 200, 9, 60
"""Rows of a sheet that decide on the widths of its columns, and their bounds, in characters."""

Cells = Sequence[tuple[Any, ...]]


class RowWriter(Protocol):
    """A table that is being written."""

    @property
    def n_cut(self) -> int:
        """How many cells had more text than a cell of a spreadsheet holds, and were cut."""

    @property
    def n_replaced(self) -> int:
        """How many cells had characters that a spreadsheet cannot hold, and got U+FFFD in their place."""

    @property
    def n_escaped(self) -> int:
        """How many cells, headers included, a spreadsheet would have run, and got an apostrophe in front."""

    def write(self, table: pa.Table, cells: Cells | None = None) -> None:
        """Write the next rows.

        Args:
            table: all columns to write, by position; their names are unique and are not written.
            cells: for XLSX, a tuple per row with the values of the first columns, written instead of their text.

        Raises:
            BadInput: the file cannot hold the rows.
        """


@contextmanager
def open_rows(
    path: Path,
    names: Sequence[str],
    schema: pa.Schema,
    *,
    delimiter: str = ",",
    raw: bool = False,
    sheet: str = "rows",
    scratch: Path | None = None,
) -> Iterator[RowWriter]:
    """Open a file to write row by row; it is finished when the block ends.

    Args:
        path: to write; `check_schema` has passed it.
        names: header of each column, as it is written; equal and empty ones may be among them, except in Parquet.
        schema: types of the columns by position, and the metadata that Parquet keeps.
        delimiter: of CSV, one character.
        raw: whether text that a spreadsheet would run as a formula is written as it is; in Parquet it always is.
        sheet: name of the only sheet of XLSX.
        scratch: folder in which the rows of XLSX wait until they are zipped; None takes the system's own.
    """
    kind = ending(path).lower()
    if kind == ".parquet":
        import pyarrow.parquet as pq

        named = pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)], schema.metadata)
        # Measured: as fast as snappy on text with labels, within a fifth, for files a quarter smaller.
        with pq.ParquetWriter(path, named, compression="zstd", compression_level=1) as opened:
            parquet = _ParquetRows(opened, named)
            yield parquet
            parquet.flush()
    elif kind == ".xlsx":
        from data_cleaning.files.workbooks import Workbook

        with Workbook(path, scratch) as book:
            yield _SheetRows(book, sheet, names, raw=raw)
    else:
        with path.open("wb", buffering=0) as file:
            yield _CsvRows(file, names, delimiter=delimiter, raw=raw, zipped=kind == ".csv.gz")


def write_table(
    frame: pl.DataFrame,
    path: Path,
    *,
    raw: bool = False,
    sheet: str = "rows",
    cells: Mapping[str, Sequence[Any]] | None = None,
) -> int:
    """Write a table that `check_columns` has passed, in the form that the ending of its path names.

    Unless the table is to be `raw`, text that a spreadsheet would run as a formula is escaped in CSV and XLSX. The
    `cells` are the values of columns by name, (n_rows,), that XLSX gets instead of their text.

    Returns:
        How many cells were escaped, headers included.

    Raises:
        BadInput: a spreadsheet has no room for so many rows or columns.
    """
    kind = ending(path).lower()
    if kind == ".parquet":
        frame.write_parquet(path)
        return 0
    if kind == ".xlsx":
        from data_cleaning.files.workbooks import Workbook

        _check_width(frame.width)
        with Workbook(path) as book:
            rows = _SheetRows(book, sheet, frame.columns, raw=raw)
            columns = [(cells or {}).get(column.name, column) for column in frame]
            rows.add(zip(*columns, strict=True), len(frame))
            return rows.n_escaped
    written, n_escaped = (frame, 0) if raw else _escaped(frame)
    if not raw:
        n_escaped += sum(escape_cell(name) != name for name in frame.columns)
        written = written.rename(escape_cell)
    written.write_csv(path, compression="gzip" if kind == ".csv.gz" else "uncompressed", check_extension=False)
    return n_escaped


def write_rejects(path: Path, rejects: Sequence[Reject], unit: str, *, raw: bool = False) -> None:
    """Append what could not be read as rows to a CSV file: where it is (line or row), why, and its text as it was read.

    The first call makes the file and its header; without rejects there is none. Text that would run as a formula is
    escaped, unless it is to be `raw`.
    """
    if not rejects:
        return
    safe = str if raw else escape_cell
    is_new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        if is_new:
            writer.writerow((unit, "reason", "text"))
        writer.writerows((one.place, safe(one.reason), safe(one.text)) for one in rejects)


def check_columns(frame: pl.DataFrame, source: Path, out: Path) -> None:
    """Refuse columns that the output, as CSV or XLSX, cannot hold, before any work is done."""
    kind = ending(out).lower()
    odd = [] if kind == ".parquet" else frame.select(NO_TEXT).columns
    if odd:
        what = "spreadsheet" if kind == ".xlsx" else "CSV file"
        raise BadInput(
            f"{source}: column {first_few(map(repr, odd))} holds {frame[odd[0]].dtype}, which a {what} cannot. "
            "Choose an --out that ends in .parquet, or leave the column out."
        )


def check_schema(
    out: Path,
    names: Sequence[str],
    schema: pa.Schema,
    delimiter: str = ",",
    otherwise: str = "choose an --out that ends in .csv",
) -> None:
    """Refuse, before any work is done, what `open_rows` could not write with the same arguments.

    Messages about equal names of columns say what can be done `otherwise`.

    Raises:
        BadInput: the ending is unknown, a column cannot be written in this form, or the delimiter is none.
    """
    kind = ending(out).lower()
    if kind == ".parquet":
        several = [repr(name) for name, count in Counter(names).items() if count > 1]
        if several:
            raise BadInput(
                f"{out} would have several columns of one name, which readers of Parquet refuse: {first_few(several)}. "
                f"Rename them, or {otherwise}."
            )
        return
    odd = [
        f"{name!r} holds {field.type}" for name, field in zip(names, schema, strict=True) if not _is_plain(field.type)
    ]
    if odd:
        raise BadInput(
            f"{out} cannot hold every column: {first_few(odd)}. Choose an --out that ends in .parquet, or leave them "
            "out."
        )
    if kind == ".xlsx":
        _check_width(len(names))
    elif len(delimiter) != 1 or not delimiter.isascii() or delimiter.isalnum() or delimiter in "\"\r\n\0.+-:'":
        raise BadInput(f"The delimiter is {delimiter!r}; expected one character such as ',' or ';' or a tab.")


class _CsvRows:
    """CSV as polars writes it, quoted where it must be; gzipped, each table is a member of its own."""

    n_cut = n_replaced = 0

    def __init__(self, file: io.FileIO, names: Sequence[str], *, delimiter: str, raw: bool, zipped: bool) -> None:
        self._file = file
        self._delimiter = delimiter
        self._raw = raw
        self._zipped = zipped
        text = io.StringIO()
        header = list(names) if raw else [escape_cell(name) for name in names]
        self.n_escaped = sum(shown != name for shown, name in zip(header, names, strict=True))
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(header)
        line = text.getvalue().encode()
        file.write(gzip.compress(line, _GZIP_LEVEL, mtime=0) if zipped else line)

    def write(self, table: pa.Table, cells: Cells | None = None) -> None:
        if not table.num_rows:
            return
        frame = cast(pl.DataFrame, pl.from_arrow(table))
        if not self._raw:
            harmless = [
                name for name, column in zip(frame.columns, table.columns, strict=True) if not may_be_risky(column)
            ]
            frame, n_escaped = _escaped(frame, harmless)
            self.n_escaped += n_escaped
        frame.write_csv(
            self._file,
            include_header=False,
            separator=self._delimiter,
            quote_style="necessary",
            # A line that is blank altogether would not be read back as a row.
            null_value='""' if frame.width == 1 else None,
            compression="gzip" if self._zipped else "uncompressed",
            compression_level=_GZIP_LEVEL if self._zipped else None,
            check_extension=False,
        )


class _ParquetRows:
    """Parquet with its types, every column dictionary-encoded as far as that pays."""

    n_cut = n_replaced = n_escaped = 0

    def __init__(self, opened: Any, schema: pa.Schema) -> None:
        self._opened = opened
        self._schema = schema
        self._waiting: list[pa.Table] = []

    def write(self, table: pa.Table, cells: Cells | None = None) -> None:
        if table.num_rows:
            self._waiting.append(table.rename_columns(self._schema.names).cast(self._schema))
        if sum(one.num_rows for one in self._waiting) >= _ROW_GROUP:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            self._opened.write_table(pa.concat_tables(self._waiting))
            self._waiting.clear()


class _SheetRows:
    """The only sheet of a workbook; its header stays in sight, and columns are as wide as their first rows ask for."""

    def __init__(self, book: "Workbook", name: str, names: Sequence[str], *, raw: bool) -> None:
        from data_cleaning.files.workbooks import BOLD

        self._book = book
        self._sheet = book.sheet(name, escaped=not raw)
        self._sheet.freeze(1)
        self._widths = [len(name) + 2 for name in names]  # a header also has the arrow of its filter
        self._sheet.row(names, BOLD)

    @property
    def n_cut(self) -> int:
        return self._book.n_cut

    @property
    def n_replaced(self) -> int:
        return self._book.n_replaced

    @property
    def n_escaped(self) -> int:
        return self._book.n_escaped

    def write(self, table: pa.Table, cells: Cells | None = None) -> None:
        n_own = len(cells[0]) if cells else 0
        columns = [_values(column) for column in table.columns[n_own:]]
        rest = zip(*columns, strict=True) if columns else iter([()] * table.num_rows)
        rows = ((*own, *others) for own, others in zip(cells, rest, strict=True)) if cells else rest
        self.add(rows, table.num_rows)

    def add(self, rows: Iterator[tuple[Any, ...]], n_rows: int) -> None:
        from data_cleaning.files.workbooks import MAX_ROWS

        if self._sheet.n_rows + n_rows > MAX_ROWS:
            raise BadInput(
                f"There are more rows than the {MAX_ROWS - 1:,} that a spreadsheet holds below its header. Choose an "
                "--out that ends in .csv or .parquet."
            )
        for row in rows:
            if self._sheet.n_rows <= _MEASURED_ROWS:
                lengths = (len(str(value)) if value is not None else 0 for value in row)
                self._widths = [max(pair) for pair in zip(self._widths, lengths, strict=True)]
            self._sheet.row(row)
        self._sheet.widths([min(max(width + 2, _NARROWEST), _WIDEST) for width in self._widths])
        if self._widths:
            self._sheet.filter(len(self._widths))


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column, those of a time that no calendar of Python holds as text."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)  # a finer one is lost in a spreadsheet anyway
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError):
        values = column.cast(pa.string()).to_pylist()
    return values


def _escaped(frame: pl.DataFrame, harmless: Collection[str] = ()) -> tuple[pl.DataFrame, int]:
    return escape_frame(frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String)), harmless)


def _check_width(n_columns: int) -> None:
    from data_cleaning.files.workbooks import MAX_COLUMNS

    if n_columns > MAX_COLUMNS:
        raise BadInput(
            f"There are {n_columns:,} columns; a spreadsheet holds {MAX_COLUMNS:,}. Choose an --out that ends in .csv "
            "or .parquet."
        )


def _is_plain(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    return any(is_one(kind) for is_one in _PLAIN)
