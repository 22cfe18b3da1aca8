"""Reading other people's tables: CSV, gzipped CSV or Parquet in, named faults or columns of text out.

A file is either read whole or refused with the place of every fault; no row is skipped in silence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet

from data_cleaning.csv_files import GZIP_SUFFIX, read_csv
from data_cleaning.errors import BadInput, first_few, unknown
from data_cleaning.normalise import normalise_titles
from data_cleaning.taxonomy import Taxonomy

LONGEST_TITLE = 10_000
"""Characters; a longer one is no title but rows that an unclosed quote has swallowed."""


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


@dataclass(frozen=True, kw_only=True)
class FoundColumns:
    """Which of the configured columns a file has."""

    present: Mapping[str, str]
    """Our name to the file's own."""
    absent: Mapping[str, str]
    """Our name to the configured one that the file lacks."""


def find_columns(names: Sequence[str], columns: LeadColumns, path: Path) -> FoundColumns:
    """Find the columns of a file of which only the title is required.

    A column is found by its configured name, else by that name or our own in other case. A target whose configured
    name is not the default one was asked for by somebody, and must be there.

    Args:
        names: of the file's columns.
        columns: the configured names.
        path: of the file, for messages.

    Raises:
        BadInput: there is no title, or no target that was asked for; one column is mapped twice.
    """
    _check_mapped_once(columns)
    wanted = columns.named()
    present = {ours: column for ours, column in wanted.items() if column in names}
    for ours, column in wanted.items():
        if ours not in present:
            spellings = {column.lower(), ours.lower(), *(("job title",) if ours == "title" else ())}
            free = [name for name in names if name not in present.values() and name.strip().lower() in spellings]
            if len(free) == 1:
                present[ours] = free[0]
    absent = {ours: column for ours, column in wanted.items() if ours not in present}
    usual = LeadColumns().targets
    for ours, column in absent.items():
        if ours == "title" or (ours in columns.targets and usual.get(ours) != column):
            setting = f"leads.columns.{'targets.' if ours in columns.targets else ''}{ours}"
            raise BadInput(
                f"{path}: {unknown('column', column, names)} Rename it, or set {setting} to what it is called."
            )
    return FoundColumns(present=present, absent=absent)


def read_table(path: Path, encoding: str = "utf-8") -> pl.DataFrame:
    """Read every column of a table: a CSV file's as text with null for an empty cell, a Parquet file's as they are.

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
    if suffix == ".parquet":
        table = read_parquet(path)
    elif suffix in (".csv", ".tsv", ".txt", GZIP_SUFFIX):
        table = read_csv(path, encoding)
    else:
        raise BadInput(f"{path} ends in {path.suffix or 'nothing'!r}; expected .csv, .tsv, .csv.gz or .parquet.")
    repeated = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if repeated:
        raise BadInput(f"{path} names these columns more than once: {first_few(repeated)}. Rename all but one of each.")
    if not table.num_rows:
        raise BadInput(f"{path} has a header but no rows; expected at least one.")
    return pl.DataFrame(table)


def read_text_table(path: Path, columns: Sequence[str] | None = None, encoding: str = "utf-8") -> pl.DataFrame:
    """Read a table with every column as text; an empty cell is null.

    Args:
        path: as `read_table` takes it.
        columns: names that must be there and are returned, in this order; None returns all.
        encoding: of a CSV file.

    Raises:
        BadInput: as `read_table`; a column is missing or holds no text.
    """
    frame = read_table(path, encoding)
    for name in columns or ():
        if name not in frame.columns:
            raise BadInput(f"{path}: {unknown('column', name, frame.columns)} Rename it, or map it under 'columns'.")
    if columns is not None:
        frame = frame.select(columns)
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
        BadInput: as `read_text_table` and `pick_leads`; one column is mapped twice.
    """
    _check_mapped_once(columns)
    wanted = columns.named()
    return pick_leads(read_text_table(path, list(wanted.values()), encoding), wanted, path)


def pick_leads(frame: pl.DataFrame, wanted: Mapping[str, str], path: Path) -> pl.DataFrame:
    """Take leads out of a table, under the project's own column names.

    Args:
        frame: a table as it was read.
        wanted: our name to the table's own, the title's among them.
        path: of the file, for messages.

    Returns:
        As `read_leads`.

    Raises:
        BadInput: a column holds no text, a title is beyond `LONGEST_TITLE`, or a count is no whole number above 0.
    """
    require_text(frame.select(wanted.values()), path)
    leads = frame.select(pl.col(column).cast(pl.String).alias(name) for name, column in wanted.items())
    too_long = (leads["title"].str.len_chars() > LONGEST_TITLE).arg_true()
    if len(too_long):
        row = too_long[0]
        raise BadInput(
            f"{path}: the title in row {row + 2} has {leads['title'].str.len_chars()[row]:,} characters, more than the "
            f"{LONGEST_TITLE:,} of the longest title that is read ({len(too_long):,} such). Look for an unclosed quote "
            "there, or cut the title."
        )
    if "count" in leads.columns:
        leads = leads.with_columns(whole_numbers(leads["count"], path, wanted["count"]))
    if "record" not in leads.columns:
        leads = leads.with_columns(pl.int_range(1, pl.len() + 1).cast(pl.String).alias("record"))
    if "count" not in leads.columns:
        leads = leads.with_columns(pl.lit(1, dtype=pl.Int64).alias("count"))
    return leads


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
