"""Reading other people's tables: CSV, gzipped CSV or Parquet in, named faults or columns of text out.

A file is either read whole or refused with the place of every fault; no row is skipped in silence.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet

from data_cleaning.errors import BadInput, first_few, unknown
from data_cleaning.files.csv_files import GZIP_SUFFIX, read_csv
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.words import normalise_titles

LONGEST_TITLE = 10_000
"""Characters; a longer one is no title but rows that an unclosed quote has swallowed."""

NO_TEXT = cs.nested() | cs.binary() | cs.duration() | cs.object()
"""Columns of a Parquet file that no CSV file can hold."""

LARGEST_COUNT = 1_000_000_000
"""Records that one row may stand for, so that sums over any file keep within 64 bits."""


@dataclass(frozen=True, kw_only=True)
class TableFile:
    """Somebody's table as it was read."""

    path: Path
    frame: pl.DataFrame
    """A CSV file's columns as text with null for an empty cell, a Parquet file's as they are."""
    lines: pl.Series | None
    """Line of a CSV file on which each row begins, the header's being 1; None for Parquet, whose rows count from 1."""
    notes: tuple[str, ...] = ()
    """What of the file is not in the frame."""

    @property
    def unit(self) -> str:
        """Whether rows are found by their line or by their number among the rows."""
        return "row" if self.lines is None else "line"

    def numbers(self) -> pl.Series:
        """Return the line or number of each row, (n_rows,)."""
        return pl.int_range(1, len(self.frame) + 1, eager=True) if self.lines is None else self.lines

    def place(self, row: int) -> str:
        """Word where a row stands, as in "line 7"; rows are counted from 0."""
        return f"{self.unit} {row + 1 if self.lines is None else self.lines[row]}"


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


def read_table(path: Path, encoding: str = "utf-8") -> TableFile:
    """Read every column of a table.

    Args:
        path: `.csv`, `.tsv`, `.csv.gz` or `.parquet`; the delimiter of the header line is the file's.
        encoding: of a CSV file.

    Raises:
        BadInput: the file is missing, empty or of another kind, names a column twice, or is no such file as
            `csv_files.read_csv` and `read_parquet` take.
    """
    if not path.is_file():
        raise BadInput(f"No file at {path}. Check the path; a CSV, gzipped CSV or Parquet file is expected there.")
    suffix = path.suffix.lower()
    lines: pl.Series | None = None
    notes: tuple[str, ...] = ()
    if suffix == ".parquet":
        table = read_parquet(path)
    elif suffix in (".csv", ".tsv", ".txt", GZIP_SUFFIX):
        read = read_csv(path, encoding)
        table, lines, notes = read.table, pl.Series("line", read.lines), read.notes
    else:
        raise BadInput(f"{path} ends in {path.suffix or 'nothing'!r}; expected .csv, .tsv, .csv.gz or .parquet.")
    repeated = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if repeated:
        shown = first_few(map(repr, repeated))
        raise BadInput(f"{path} names these columns more than once: {shown}. Rename all but one of each.")
    if not table.num_rows:
        raise BadInput(f"{path} has a header but no rows; expected at least one.")
    return TableFile(path=path, frame=pl.DataFrame(table), lines=lines, notes=notes)


def read_text_table(path: Path, columns: Sequence[str] | None = None, encoding: str = "utf-8") -> pl.DataFrame:
    """Read a table with every column as text; an empty cell is null.

    Args:
        path: as `read_table` takes it.
        columns: names that must be there, in any case, and are returned, in this order; None returns all.
        encoding: of a CSV file.

    Raises:
        BadInput: as `read_table`; a column is missing or holds no text.
    """
    frame = read_table(path, encoding).frame
    if columns is not None:
        frame = _in_any_case(frame, columns, path)
    require_text(frame, path)
    return frame.with_columns(pl.all().cast(pl.String))


def _in_any_case(frame: pl.DataFrame, columns: Sequence[str], path: Path) -> pl.DataFrame:
    """Return columns under the names asked for, of which the frame may have others in case.

    Raises:
        BadInput: there is none, or several.
    """
    picked = []
    for name in columns:
        alike = [column for column in frame.columns if column.strip().lower() == name.lower()]
        if len(alike) != 1:
            listed = first_few(map(repr, frame.columns))
            raise BadInput(f"{path}: expected one column {name!r} in upper or lower case; the file has {listed}.")
        picked.append(pl.col(alike[0]).alias(name))
    return frame.select(picked)


def _require_columns(frame: pl.DataFrame, columns: Sequence[str], path: Path) -> None:
    for name in columns:
        if name not in frame.columns:
            raise BadInput(f"{path}: {unknown('column', name, frame.columns)} Rename it, or map it under 'columns'.")


def require_text(frame: pl.DataFrame, path: Path) -> None:
    """Refuse columns that are no text and cannot be written as such.

    Raises:
        BadInput: naming every one with lists, structures, runs of bytes or durations.
    """
    odd = frame.select(NO_TEXT).columns
    if odd:
        raise BadInput(
            f"{path}: column {first_few(map(repr, odd))} holds {frame[odd[0]].dtype}, expected text. "
            "Write it as text, or name another column."
        )


def read_leads(path: Path, columns: LeadColumns, encoding: str = "utf-8") -> pl.DataFrame:
    """Read leads under the project's own column names.

    Returns:
        Text columns `title` and one per target, those of `country` and `date` that the file has, `record` (from 1, in
        file order, where the file does not name its records) and the whole number `count`.

    Raises:
        BadInput: as `read_text_table` and `pick_leads`; one column is mapped twice.
    """
    check_mapped_once(columns)
    wanted = columns.named()
    table = read_table(path, encoding)
    _require_columns(table.frame, list(wanted.values()), path)
    return pick_leads(table, wanted)


def pick_leads(table: TableFile, wanted: Mapping[str, str]) -> pl.DataFrame:
    """Take leads out of a table, under the project's own column names.

    Args:
        table: somebody's, as it was read.
        wanted: our name to the table's own, the title's among them.

    Returns:
        As `read_leads`.

    Raises:
        BadInput: a column holds no text, a title is beyond `LONGEST_TITLE`, or a count is no whole number above 0.
    """
    require_text(table.frame.select(wanted.values()), table.path)
    leads = table.frame.select(pl.col(column).cast(pl.String).alias(name) for name, column in wanted.items())
    too_long = (leads["title"].str.len_chars() > LONGEST_TITLE).arg_true()
    if len(too_long):
        row = too_long[0]
        raise BadInput(
            f"{table.path}: the title in {table.place(row)} has {leads['title'].str.len_chars()[row]:,} characters, "
            f"more than the {LONGEST_TITLE:,} of the longest title that is read ({len(too_long):,} such). Look for an "
            "unclosed quote there, or cut the title."
        )
    if "count" in leads.columns:
        leads = leads.with_columns(whole_numbers(leads["count"], table.path, wanted["count"], table.place))
    if "record" not in leads.columns:
        leads = leads.with_columns(pl.int_range(1, pl.len() + 1).cast(pl.String).alias("record"))
    if "count" not in leads.columns:
        leads = leads.with_columns(pl.lit(1, dtype=pl.Int64).alias("count"))
    return leads


def read_counted_titles(path: Path) -> pl.DataFrame:
    """Read a list of titles, each with its number of records, from columns called so in any case.

    Returns:
        `title` (distinct, as written) and the whole number `count`.

    Raises:
        BadInput: as `read_table`; a column is missing; a title is empty or stands twice; a count is none.
    """
    table = read_table(path)
    frame = _in_any_case(table.frame, ("title", "count"), path)
    require_text(frame, path)
    frame = frame.with_columns(pl.all().cast(pl.String))
    frame = frame.with_columns(whole_numbers(frame["count"], path, "count", table.place))
    check_distinct(frame["title"], str(path), table.place)
    return frame


def check_distinct(titles: pl.Series, what: str, place: Callable[[int], str]) -> None:
    """Refuse a list in which a title is empty or stands twice.

    Args:
        titles: text, null for none.
        what: the list is, for the message.
        place: words where a row stands, rows being counted from 0.

    Raises:
        BadInput: naming the rows and titles.
    """
    empty = (titles.is_null() | (titles.str.strip_chars() == "")).arg_true()
    if len(empty):
        raise BadInput(f"{what} has no title in {first_few(map(place, empty))}. Fill or drop these.")
    again = (~titles.is_first_distinct()).arg_true()
    if len(again):
        shown = first_few(f"{titles[row]!r} in {place(row)}" for row in again)
        raise BadInput(
            f"{what} has titles that stood in it before: {shown}. Add up their counts, and keep one of each."
        )


def read_labelled(path: Path, columns: LeadColumns, taxonomy: Taxonomy, encoding: str = "utf-8") -> pl.DataFrame:
    """Read a file in which somebody who knows labelled each title: no blanks, every label in the taxonomy.

    The title column is `columns.title` or "title", a target's is its configured name or its own, whichever is there.

    Returns:
        Distinct rows of `title` and a class name per target, in file order.

    Raises:
        BadInput: as `read_text_table`; a blank cell; a label outside the taxonomy; one title with two verdicts.
    """
    table = read_table(path, encoding)
    frame = table.frame
    names = {"title": columns.title, **{name: columns.targets.get(name, name) for name in taxonomy.names}}
    picked = []
    for name, column in names.items():
        if column not in frame.columns and name not in frame.columns:
            raise BadInput(f"{path}: {unknown('column', column, frame.columns)} {name!r} is read as well.")
        picked.append(pl.col(column if column in frame.columns else name).alias(name))
    frame = frame.select(picked)
    require_text(frame, path)
    frame = frame.with_columns(pl.all().cast(pl.String).str.strip_chars())
    frame = frame.with_columns(normalise_titles(frame["title"]))
    for name in names:
        blank = frame[name].is_null() | (frame[name] == "")
        if blank.any():
            rows = first_few(map(table.place, blank.arg_true()))
            raise BadInput(f"{path} has no {name} in {rows}. A labelled file needs every cell; fill or drop them.")
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


def check_mapped_once(columns: LeadColumns) -> None:
    """Refuse settings that name one column of the file twice.

    Raises:
        BadInput: naming what is mapped to it.
    """
    named = columns.named()
    mapped = list(named.values())
    twice = [
        f"{'targets.' if name in columns.targets else ''}{name} -> {column!r}"
        for name, column in named.items()
        if mapped.count(column) > 1
    ]
    if twice:
        raise BadInput(f"leads.columns maps one column more than once: {first_few(twice)}. Give each its own.")


def _nth_row(row: int) -> str:
    return f"row {row + 1} below the header"


def whole_numbers(values: pl.Series, path: Path, column: str, place: Callable[[int], str] = _nth_row) -> pl.Series:
    """Read a column of text as whole numbers from 1 to `LARGEST_COUNT`; "2.0" is one.

    Args:
        values: text, null for an empty cell.
        path: of the file, for messages.
        column: its name in the file.
        place: words where a row stands, rows being counted from 0.

    Raises:
        BadInput: naming the rows that are none.
    """
    stripped = values.str.strip_chars()
    numbers = stripped.cast(pl.Int64, strict=False)
    fractions = stripped.cast(pl.Float64, strict=False)
    whole = fractions.set(fractions != fractions.floor(), None).cast(pl.Int64, strict=False)
    numbers = numbers.fill_null(whole)
    wrong = (numbers.is_null() | ~numbers.is_between(1, LARGEST_COUNT)).arg_true()
    if len(wrong):
        shown = first_few(
            f"{place(row)}: {'an empty cell' if values[row] is None else repr(values[row])}" for row in wrong
        )
        raise BadInput(f"{path}: column {column!r} needs whole numbers from 1 to {LARGEST_COUNT:,}; got {shown}.")
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
