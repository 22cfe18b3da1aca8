"""Leads and lists of titles, read from a file of any kind under the project's own column names."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path

import polars as pl

from data_cleaning.column_names import one_column
from data_cleaning.errors import BadInput, counted, first_few, unknown
from data_cleaning.files.sources import FileColumns, Reject
from data_cleaning.files.table_layout import Layout
from data_cleaning.files.table_reader import TableFile, as_text, read_table
from data_cleaning.lead_columns import FoundColumns, LeadColumns, find_columns
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.text_repair import repaired, repaired_in_words

LONGEST_TITLE = 10_000
"""Characters; a longer one is no title but rows that an unclosed quote has swallowed."""

_UNCLOSED = f"more than the {LONGEST_TITLE:,} of the longest title that is read"

LARGEST_COUNT = 1_000_000_000
"""Records that one row may stand for, so that sums over any file keep within 64 bits."""


@dataclass(frozen=True, kw_only=True)
class OpenedLeads:
    """A file, and the leads in it."""

    table: TableFile
    """The columns that were read; every column of the file where all were asked for."""
    leads: pl.DataFrame
    """The same rows under our names, as `leads.pick_leads` returns them."""
    found: FoundColumns


def read_leads(
    path: Path,
    columns: LeadColumns,
    encoding: str | None = "utf-8",
    layout: Layout = Layout(),
    set_aside: Callable[[TableFile], None] | None = None,
    announce: Callable[[str], None] | None = None,
) -> pl.DataFrame:
    """Read leads under the project's own column names; `announce` is told which column is read as the titles.

    Rows that could not be read are refused, or, where others could, `set_aside` is called with the table of the others,
    which holds them as `rejects`.

    Returns:
        Text columns `title` and one per target, those of `country` and `date` that the file has, `record` (from 1, in
        file order, where the file does not name its records) and the whole number `count`.

    Raises:
        BadInput: as `read_table` and `pick_leads`; a column is missing, or is mapped twice.
    """
    found: FoundColumns | None = None

    def choose(file: FileColumns) -> list[str]:
        nonlocal found
        found = find_columns(file.named, columns, path, values=file.values, every=True)
        return list(found.present.values())

    table = read_table(path, encoding, choose=choose, layout=layout, keep_rejects=set_aside is not None)
    assert found is not None, "columns are chosen before rows are read"
    if set_aside is not None:
        table = without_endless_titles(table, found.present["title"])
        set_aside(table)
    if announce is not None:
        announce(f"Titles are read from {found.present['title']!r} of {path.name}. {found.why}".rstrip())
    return pick_leads(table, found.present)


def without_endless_titles(table: TableFile, title: str) -> TableFile:
    """Make rejects of the rows whose title is beyond `LONGEST_TITLE`, unless all are; `title` names its column."""
    if table.frame[title].dtype != pl.String:
        return table
    lengths = table.frame[title].str.len_chars().fill_null(0)
    endless = lengths > LONGEST_TITLE
    if not endless.any() or endless.all():
        return table
    found = zip(
        table.places.filter(endless), lengths.filter(endless), table.frame.filter(endless).iter_rows(), strict=True
    )
    rejects = [
        Reject(place, f"has a title of {length:,} characters, {_UNCLOSED}", "\t".join(str(cell or "") for cell in row))
        for place, length, row in found
    ]
    return replace(
        table,
        frame=table.frame.filter(~endless),
        cells={name: list(compress(values, ~endless)) for name, values in table.cells.items()},
        places=table.places.filter(~endless),
        rejects=tuple(sorted((*table.rejects, *rejects), key=lambda one: one.place)),
    )


def pick_leads(table: TableFile, wanted: Mapping[str, str]) -> pl.DataFrame:
    """Take leads out of a table as `read_leads` returns them; `wanted` maps our column names to the table's own.

    Raises:
        BadInput: a column holds no text, a title is beyond `LONGEST_TITLE`, or a count is no whole number above 0.
    """
    texts = as_text(table.frame.select(wanted.values()), table.path)
    leads = texts.select(pl.col(column).alias(name) for name, column in wanted.items())
    lengths = leads["title"].str.len_chars()
    too_long = (lengths > LONGEST_TITLE).arg_true()
    if len(too_long):
        row = too_long[0]
        raise BadInput(
            f"{table.path}: the title in {table.place(row)} has {lengths[row]:,} characters, "
            f"{_UNCLOSED} ({len(too_long):,} such). Look for an unclosed quote there, or cut the title."
        )
    if "count" in leads.columns:
        leads = leads.with_columns(_whole_numbers(leads["count"], wanted["count"], table))
    defaults = (
        pl.int_range(1, pl.len() + 1).cast(pl.String).alias("record"),
        pl.lit(1, dtype=pl.Int64).alias("count"),
    )
    return leads.with_columns(column for column in defaults if column.meta.output_name() not in leads.columns)


def without_strange_labels(opened: OpenedLeads, taxonomy: Taxonomy, announce: Callable[[str], None]) -> OpenedLeads:
    """Drop each column of labels that holds none of the taxonomy, such as levels from 1 to 5, and announce it."""
    strange = {}
    for name in (name for name in taxonomy.names if name in opened.leads.columns):
        labels = opened.leads[name].str.strip_chars().drop_nulls().unique(maintain_order=True)
        labels = labels.filter(labels != "")
        if len(labels) and not labels.is_in(list(taxonomy[name].raw_to_class)).any():
            strange[name] = labels
    present = opened.found.present
    for name, labels in strange.items():
        announce(
            f"{present[name]!r} is not read as the {name}: none of its {counted(len(labels), 'label')} "
            f"({first_few(map(repr, labels))}) is in the taxonomy. Add them to its classes to use them."
        )
    kept = {ours: theirs for ours, theirs in present.items() if ours not in strange}
    return replace(opened, leads=opened.leads.drop(strange), found=replace(opened.found, present=kept))


def open_leads(
    path: Path,
    columns: LeadColumns,
    encoding: str | None,
    taxonomy: Taxonomy,
    title_column: str | None,
    announce: Callable[[str], None],
    *,
    every_column: bool = False,
    keep_cells: bool = False,
    layout: Layout = Layout(),
) -> OpenedLeads:
    """Read a file of which only the title is required, and say which columns were found and what could not be read.

    Args:
        path: CSV, gzipped CSV, Parquet or XLSX.
        columns: the configured ones.
        encoding: of a CSV file.
        taxonomy: names the targets that there can be.
        title_column: name of the title's column, where it is not the configured one.
        announce: called with a line about the columns, and others about what was left out of the file.
        every_column: whether to read columns of unknown meaning too, so that they can be passed on.
        keep_cells: whether to keep the cells of a spreadsheet as well as their text.
        layout: where the table is within the file; by default it is found.

    Raises:
        BadInput: the file cannot be read, or lacks a title, a count or a target that was asked for.
    """
    found: FoundColumns | None = None

    def choose(file: FileColumns) -> list[str]:
        nonlocal found
        found = find_lead_columns(file, columns, taxonomy, path, title_column)
        return file.named if every_column else list(found.present.values())

    table = read_table(path, encoding, choose=choose, layout=layout, keep_rejects=True, keep_cells=keep_cells)
    assert found is not None, "columns are chosen before rows are read"
    table = without_endless_titles(table, found.present["title"])
    others = "Passed through unchanged" if every_column else "Ignored"
    for line in (*table.notes, columns_said(found, table.columns, others), *table.rejects_said()):
        announce(line)
    leads = pick_leads(table, found.present)
    damaged = leads.filter(repaired(leads["title"]) != leads["title"])
    if len(damaged):
        announce(repaired_in_words(int(damaged["count"].sum())))
    return OpenedLeads(table=table, leads=leads, found=found)


def find_lead_columns(
    file: FileColumns, columns: LeadColumns, taxonomy: Taxonomy, path: Path, title_column: str | None
) -> FoundColumns:
    """Find the columns of a file of which only the title is required, as `open_leads` does."""
    if title_column is not None:
        columns = replace(columns, title=title_column)
    for name in columns.targets:
        if name not in taxonomy.names:
            raise unknown("target in leads.columns.targets", name, taxonomy.names)
    asked = title_column is not None
    return find_columns(file.named, columns, path, title_asked_for=asked, values=file.values)


def read_counted_titles(path: Path) -> pl.DataFrame:
    """Read a list of titles, each with its number of records, from columns called so in any case.

    Returns:
        `title` (distinct, as written) and the whole number `count`.

    Raises:
        BadInput: as `read_table`; a column is missing; a title is empty or occurs twice; a count is no
            whole number.
    """
    remedy = "A list of titles has the columns title and count; rename yours."
    names = ("title", "count")
    table = read_table(path, choose=lambda file: [one_column(file.named, name, path, remedy) for name in names])
    frame = as_text(table.frame, path)
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    frame = frame.with_columns(_whole_numbers(frame["count"], "count", table))
    check_distinct(frame["title"], str(path), table.place)
    return frame


def check_distinct(titles: pl.Series, what: str, place: Callable[[int], str]) -> None:
    """Refuse a list in which a title is empty or occurs twice; messages say `what` it is and the `place` of each row.

    Raises:
        BadInput: naming the rows, which `place` is given from 0, and the titles.
    """
    empty = (titles.is_null() | (titles.str.strip_chars() == "")).arg_true()
    if len(empty):
        raise BadInput(f"{what} has no title in {first_few(map(place, empty))}. Fill or drop these.")
    again = (~titles.is_first_distinct()).arg_true()
    if len(again):
        shown = first_few(f"{titles[row]!r} in {place(row)}" for row in again)
        raise BadInput(f"{what} has titles that occur more than once: {shown}. Add up their counts, and keep one each.")


def _whole_numbers(values: pl.Series, column: str, table: TableFile) -> pl.Series:
    """Read a column of text as whole numbers from 1 to `LARGEST_COUNT`; "2.0" is one."""
    stripped = values.str.strip_chars()
    fractions = stripped.cast(pl.Float64, strict=False)
    whole = fractions.set(fractions != fractions.floor(), None).cast(pl.Int64, strict=False)
    numbers = stripped.cast(pl.Int64, strict=False).fill_null(whole)
    wrong = (numbers.is_null() | ~numbers.is_between(1, LARGEST_COUNT)).arg_true()
    if len(wrong):
        cells = ((row, "an empty cell" if values[row] is None else repr(values[row])) for row in wrong)
        shown = first_few(f"{table.place(row)}: {cell}" for row, cell in cells)
        raise BadInput(f"{table.path}: column {column!r} needs whole numbers from 1 to {LARGEST_COUNT:,}; got {shown}.")
    return numbers


def columns_said(found: FoundColumns, names: Sequence[str], others: str) -> str:
    """Say which columns are read as what, and what becomes of the others of the `names`."""
    read = ", ".join(f"{ours} from {theirs!r}" for ours, theirs in found.present.items())
    absent = ", ".join(f"{ours} ({configured!r})" for ours, configured in found.absent.items())
    rest = [repr(name) for name in names if name not in found.present.values()]
    return (
        f"Columns: {read}."
        + (f" {found.why}" if found.why else "")
        + (f" Not in the file, and not needed: {absent}." if absent else "")
        + (f" {others}: {first_few(rest)}." if rest else "")
    )
