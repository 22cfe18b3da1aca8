"""Reading other people's tables: CSV, gzipped CSV or Parquet in, named faults or columns of text out.

A file is either read whole or refused with the place of every fault; no row is skipped in silence.
"""

import codecs
import csv
import gzip
import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from data_cleaning.errors import BadInput, first_few, unknown
from data_cleaning.normalise import normalise_titles
from data_cleaning.taxonomy import Taxonomy

_CHUNK_BYTES = 1 << 24
_GZIP_SUFFIX = ".gz"
_LONGEST_HEADER = 1 << 20


@dataclass(frozen=True, kw_only=True)
class LeadColumns:
    """What the columns of a leads file are called; None where the file has no such column."""

    title: str = "Title"
    targets: Mapping[str, str] = field(
        default_factory=lambda: {"function": "Job Function", "role": "Job Role", "level": "Job Level"}
    )
    """Target name to its column."""
    record: str | None = None
    country: str | None = None
    date: str | None = None
    count: str | None = None
    """Number of records that a row stands for."""

    def named(self) -> dict[str, str]:
        """Return our name of each column that the file has, to the file's own."""
        optional = {"record": self.record, "country": self.country, "date": self.date, "count": self.count}
        present = {name: column for name, column in optional.items() if column is not None}
        return {"title": self.title, **self.targets, **present}


_DELIMITERS = ",;\t|"


def read_text_table(path: Path, columns: Sequence[str] | None = None, encoding: str = "utf-8") -> pl.DataFrame:
    """Read a table with every column as text; an empty cell is null.

    Args:
        path: `.csv`, `.tsv`, `.csv.gz` or `.parquet`; the delimiter of the header line is the file's.
        columns: names that must be there and are returned, in this order; None returns all.
        encoding: of a CSV file.

    Raises:
        BadInput: the file is missing, empty or of another kind, lacks a column or names one twice, has rows with too
            many or too few fields, holds NUL bytes or bytes that are not in the encoding.
    """
    if not path.is_file():
        raise BadInput(f"No file at {path}. Check the path; a CSV, gzipped CSV or Parquet file is expected there.")
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        table = read_parquet(path)
    elif suffix in (".csv", ".tsv", ".txt", _GZIP_SUFFIX):
        _check_bytes(path, encoding)
        table = _read_csv(path, encoding)
    else:
        raise BadInput(f"{path} ends in {path.suffix or 'nothing'!r}; expected .csv, .tsv, .csv.gz or .parquet.")
    repeated = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if repeated:
        raise BadInput(f"{path} names these columns more than once: {first_few(repeated)}. Rename all but one of each.")
    for name in columns or ():
        if name not in table.column_names:
            raise BadInput(
                f"{path}: {unknown('column', name, table.column_names)} Rename it, or map it under 'columns'."
            )
    frame = pl.DataFrame(table.select(list(columns)) if columns is not None else table)
    if frame.is_empty():
        raise BadInput(f"{path} has a header but no rows; expected at least one.")
    require_text(frame, path)
    return frame.with_columns(pl.all().cast(pl.String))


def require_text(frame: pl.DataFrame, path: Path) -> None:
    """Refuse columns that hold anything but one value per cell.

    Raises:
        BadInput: naming every list, structure or run of bytes.
    """
    odd = frame.select(cs.nested() | cs.binary()).columns
    if odd:
        raise BadInput(f"{path}: column {first_few(map(repr, odd))} holds {frame[odd[0]].dtype}, expected text.")


def read_leads(path: Path, columns: LeadColumns, encoding: str = "utf-8") -> pl.DataFrame:
    """Read leads under the project's own column names.

    Returns:
        Text columns `title` and one per target, those of `country` and `date` that the file has, `record` (from 1, in
        file order, where the file does not name its records) and the whole number `count`.

    Raises:
        BadInput: as `read_text_table`; a count is not a whole number of at least 1; one column is mapped twice.
    """
    wanted = columns.named()
    _check_mapped_once(columns)
    frame = read_text_table(path, list(wanted.values()), encoding)
    frame = frame.select(pl.col(column).alias(name) for name, column in wanted.items())
    if "count" in frame.columns:
        frame = frame.with_columns(whole_numbers(frame["count"], path, wanted["count"]))
    if "record" not in frame.columns:
        frame = frame.with_columns(pl.int_range(1, pl.len() + 1).cast(pl.String).alias("record"))
    if "count" not in frame.columns:
        frame = frame.with_columns(pl.lit(1, dtype=pl.Int64).alias("count"))
    return frame


def read_labelled(path: Path, columns: LeadColumns, taxonomy: Taxonomy, encoding: str = "utf-8") -> pl.DataFrame:
    """Read a file in which somebody who knows labelled each title: no blanks, every label in the taxonomy.

    The title column is `columns.title` or "title", a target's is its configured name or its own, whichever is there.

    Returns:
        Distinct rows of `title` and a class name per target, in file order.

    Raises:
        BadInput: as `read_text_table`; a blank cell; a label outside the taxonomy; one title with two verdicts.
    """
    frame = read_text_table(path, encoding=encoding)
    names = {"title": columns.title, **{name: columns.targets.get(name, name) for name in taxonomy.names}}
    picked = []
    for name, column in names.items():
        if column not in frame.columns and name not in frame.columns:
            raise BadInput(f"{path}: {unknown('column', column, frame.columns)} {name!r} is read as well.")
        picked.append(pl.col(column if column in frame.columns else name).str.strip_chars().alias(name))
    frame = frame.select(picked)
    frame = frame.with_columns(normalise_titles(frame["title"]))
    for name in names:
        blank = frame[name].is_null() | (frame[name] == "")
        if blank.any():
            rows = first_few(str(row + 2) for row in blank.arg_true())
            raise BadInput(f"{path} has no {name} in rows {rows}. A labelled file needs every cell; fill or drop them.")
    for target in taxonomy.targets:
        try:
            codes = target.encode(frame[target.name].to_list())
        except BadInput as error:
            raise BadInput(f"{path}: {error}") from None
        frame = frame.with_columns(pl.Series(target.name, [target.classes[code] for code in codes]))
    frame = frame.unique(maintain_order=True)
    twice = frame.filter(pl.col("title").is_duplicated())["title"].unique(maintain_order=True)
    if len(twice):
        raise BadInput(f"{path} labels the same title in two ways: {first_few(map(repr, twice))}. Keep one of each.")
    return frame


def _check_mapped_once(columns: LeadColumns) -> None:
    named = columns.named()
    mapped = list(named.values())
    twice = [
        f"{'targets.' if name in columns.targets else ''}{name} -> {column!r}"
        for name, column in named.items()
        if mapped.count(column) > 1
    ]
    if twice:
        raise BadInput(f"leads.columns maps one column more than once: {first_few(twice)}. Give each its own.")


def whole_numbers(values: pl.Series, path: Path, column: str) -> pl.Series:
    """Read a column of text as whole numbers of at least 1.

    Raises:
        BadInput: naming the rows that are none.
    """
    numbers = values.str.strip_chars().cast(pl.Int64, strict=False)
    wrong = (numbers.is_null() | (numbers < 1)).arg_true()
    if len(wrong):
        shown = first_few(f"row {row + 2}: {values[row]!r}" for row in wrong)
        raise BadInput(f"{path}: column {column!r} needs whole numbers of at least 1; got {shown}.")
    return numbers


def read_parquet(path: Path) -> pa.Table:
    """Read a Parquet file with the types it has.

    Raises:
        BadInput: it is no such file.
    """
    try:
        return pyarrow.parquet.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput(f"{path} is not a readable Parquet file: {error}") from None


def _read_csv(path: Path, encoding: str) -> pa.Table:
    header, delimiter = _header(path, encoding)
    as_text = dict.fromkeys(header, pa.string())
    ragged: list[pyarrow.csv.InvalidRow] = []

    def note(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    try:
        table = pyarrow.csv.read_csv(
            path,
            # Row numbers reach the handler only when the file is parsed in order.
            read_options=pyarrow.csv.ReadOptions(encoding=encoding, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter,
                invalid_row_handler=note,
                newlines_in_values=True,
                # In a file of one column an empty line is an empty cell, and its row must not go missing.
                ignore_empty_lines=len(header) > 1,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=as_text, null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            raise BadInput(f"{path} is empty; expected a header line and at least one row.") from None
        raise BadInput(f"{path} is not readable as CSV: {error}") from None
    if ragged:
        shown = first_few(f"row {row.number} has {row.actual_columns} fields ({_short(row.text)})" for row in ragged)
        raise BadInput(
            f"{path}: expected {ragged[0].expected_columns} fields in every row, but {shown}. "
            "Put quotes around a title that holds a comma, or mend those rows."
        )
    return table


def _header(path: Path, encoding: str) -> tuple[list[str], str]:
    """Return the names of the columns and what parts them."""
    with gzip.open(path) if path.suffix.lower() == _GZIP_SUFFIX else path.open("rb") as opened:
        lines = io.TextIOWrapper(opened, encoding=encoding, newline="")
        first = lines.readline(_LONGEST_HEADER)
        delimiter = max(_DELIMITERS, key=first.count)
        try:
            names = next(csv.reader(itertools.chain([first], lines), delimiter=delimiter), [])
        except csv.Error as error:
            raise BadInput(f"{path}: the header line is not readable: {error}. Look for an unclosed quote.") from None
        return [name.removeprefix("\ufeff") for name in names], delimiter


def _short(text: str, most: int = 60) -> str:
    return repr(text if len(text) <= most else text[: most - 1] + "…")


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) if path.suffix.lower() == _GZIP_SUFFIX else path.open("rb") as opened:
            while chunk := opened.read(_CHUNK_BYTES):
                yield chunk
    except (gzip.BadGzipFile, EOFError) as error:
        raise BadInput(f"{path} is not a whole gzip file: {error}") from None


def _check_bytes(path: Path, encoding: str) -> None:
    """Refuse NUL bytes and bytes outside the encoding, naming the line; the CSV parser lets both pass."""
    try:
        "".encode(encoding)  # refuses unknown names, and codecs that are not for text
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError:
        raise BadInput(f"Unknown encoding {encoding!r}; expected a name such as utf-8, utf-16 or latin-1.") from None
    line = 1
    wide = encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32"))
    for chunk in _chunks(path):
        if not wide and (at := chunk.find(b"\0")) >= 0:
            before = line + chunk[:at].count(b"\n")
            raise BadInput(
                f"{path}: line {before} holds a NUL byte, which no title does. "
                "Export the file again as UTF-8 text, or delete that byte."
            )
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            bad = error.object[error.start]
            before = line + error.object[: error.start].count(b"\n")
            raise BadInput(
                f"{path}: line {before} is not {encoding} (byte 0x{bad:02x}). "
                "Save the file as UTF-8, or name its encoding (often latin-1 or cp1252)."
            ) from None
        line += chunk.count(b"\n")
