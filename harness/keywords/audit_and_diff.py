"""The verbs `audit` and `diff`: examine a keyword table, or compare two."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from baselines.keyword_table import KeywordTable
from data_cleaning.consensus import consensus
from data_cleaning.errors import BadInput, counted
from data_cleaning.files import Layout
from data_cleaning.files.opening import refuse_two_standard_inputs
from data_cleaning.files.output_places import (
    REJECTS,
    beside,
    check_folder,
    check_table,
    default_folder,
    rejects_file,
)
from data_cleaning.files.table_reader import TableFile
from data_cleaning.files.whole_files import whole_file, whole_folder
from data_cleaning.files.written_tables import write_rejects, write_table
from data_cleaning.grouping import group_labels
from data_cleaning.labelled_files import read_labelled
from data_cleaning.lead_columns import LeadColumns
from data_cleaning.leads import open_leads, without_strange_labels
from data_cleaning.progress import Progress
from data_cleaning.report_table import Table, cut
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.words import normalise_titles
from harness.keywords.audit import audit_rows, audit_table
from harness.keywords.audit_report import PAGE, VERB, findings_table, for_people, write_audit_folder
from harness.keywords.table_difference import BETTER, NEITHER, REORDERED, WORSE, Difference, diff_rows, diff_tables

_LINES_SHOWN, _LONGEST_CELL = 20, 40


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """What a config says about keyword tables and leads."""

    taxonomy: Path
    """File of the taxonomy."""
    columns: LeadColumns
    """Of the leads and of the labelled files."""
    encoding: str | None
    """Of CSV files."""
    labelled: Mapping[str, Path]
    """Name of a reference to its labelled file."""
    layout: Layout = Layout()
    """Where the table of leads is within its file."""


@dataclass(frozen=True, kw_only=True)
class AuditFolder:
    """A finished audit."""

    page: Path
    """To open first."""
    files: tuple[str, ...]
    """Names of the files in the folder, the page first."""
    rejects: Path | None
    """What could not be read of the leads; None where there is nothing."""
    findings: Table
    """The most important findings."""


@dataclass(frozen=True, kw_only=True)
class ComparedTables:
    """A finished comparison."""

    tables: tuple[Table, ...]
    """To show, the first lines of each."""
    n_rows: int
    """Rows that were changed."""
    n_titles: int | None
    """Distinct titles that change; None where no leads were given."""
    written: tuple[Path, ...]
    """Files, none if no output was asked for."""
    n_rejects: int
    """Rows of the leads that could not be read."""


def audit_file(
    table: Path,
    settings: TableSettings,
    *,
    leads: Path | None,
    out: Path | None,
    title_column: str | None,
    force: bool,
    on_progress: Progress,
    announce: Callable[[str], None],
) -> AuditFolder:
    """Write a folder that says what a keyword table is worth, row by row and finding by finding.

    A table with duplicate rows, which every other verb refuses, is read as well: the first row counts.

    Args:
        table: keywords, in CSV, Parquet or XLSX.
        settings: name the taxonomy, the columns of the leads and any labelled files to compare the table with.
        leads: None audits the rows alone.
        out: folder to write; None makes `<stem>_audit` in the current one.
        title_column: of the leads, where it is not the configured one.
        force: whether a folder that this verb has written may be replaced.
        on_progress: told of the slow steps.
        announce: told which columns were found, what was left out, and what is unknown.

    Raises:
        BadInput: a file cannot be read or is faulty, or the folder holds something else.
    """
    refuse_two_standard_inputs(table, leads)
    folder = out or default_folder(table, "_audit")
    for source in (table, *([leads] if leads else [])):
        check_folder(folder, source, VERB, force=force)
    taxonomy = Taxonomy.read(settings.taxonomy)
    loaded = KeywordTable.read(table, taxonomy, lenient=True)
    notes = [*loaded.notes]
    read: TableFile | None = None
    if loaded.duplicates:
        n_rows = len({one.line for one in loaded.duplicates})
        repeat = f"{counted(n_rows, 'row')} of {table.name} repeat{'s' if n_rows == 1 else ''} what an earlier one sets"
        notes.append(f"{repeat}. The earlier one was kept; other verbs refuse the table.")
    if leads is None:
        notes.append("What rows hit, decide and get wrong is not known without leads; name some with --leads.")
        audit = audit_rows(loaded)
    else:
        titles, labels, read = _read_leads(leads, settings, taxonomy, title_column, announce)
        references = _references(titles, labels, settings, taxonomy, announce)
        audit = audit_table(loaded, titles, references, on_progress=on_progress)
        known = [f"{name} ({counted(references[name]['title'].n_unique(), 'title')})" for name in audit.references]
        against = f"held against {', '.join(known)}" if known else "which have no labels to hold the table against"
        records = counted(int(titles["count"].sum()), "record")
        audited = f"{counted(len(titles), 'distinct title')} of {records} in {leads.name}"
        notes.append(f"Audited on {audited}, {against}.")
    for note in notes:
        announce(note)
    notes += [] if read is None else read.rejects_said()  # opening the leads has announced them
    facts = {"file": table.name, "leads": leads.name if leads else None, "references": list(audit.references)}
    with whole_folder(folder) as filling:
        files = write_audit_folder(filling, audit, f"Audit of {table.name}", notes, facts)
        if read is not None and read.rejects:
            write_rejects(filling / REJECTS, read.rejects, read.unit)
            files.append(REJECTS)
    return AuditFolder(
        page=folder / PAGE,
        files=tuple(files),
        findings=findings_table(audit),
        rejects=folder / REJECTS if REJECTS in files else None,
    )


def diff_files(
    old: Path,
    new: Path,
    settings: TableSettings,
    *,
    leads: Path | None,
    out: Path | None,
    title_column: str | None,
    force: bool,
    on_progress: Progress,
    announce: Callable[[str], None],
) -> ComparedTables:
    """Compare two keyword tables: which rows were changed, and which titles get other classes.

    Args:
        old: the keyword table in force.
        new: the one that may replace it.
        settings: name the taxonomy and the columns of the leads.
        leads: None compares the rows alone.
        out: file to write the titles to, with the rows beside it as `<stem>.rows<ending>`; without leads, the rows are
            written to it. What could not be read of the leads goes beside it too. None writes nothing.
        title_column: of the leads, where it is not the configured one.
        force: whether existing files may be replaced.
        on_progress: told of the slow steps.
        announce: told which columns were found and what was left out.

    Raises:
        BadInput: a file cannot be read or is faulty, or an output exists or cannot be written.
    """
    refuse_two_standard_inputs(old, new, leads)
    places = [] if out is None else [out] if leads is None else [out, beside(out, ".rows")]
    rejected = [] if out is None or leads is None else [rejects_file(out)]
    for place in (*places, *rejected):
        for source in (old, new, *([leads] if leads else [])):
            check_table(place, source, force=force)
    taxonomy = Taxonomy.read(settings.taxonomy)
    tables = KeywordTable.read(old, taxonomy), KeywordTable.read(new, taxonomy)
    read: TableFile | None = None
    for path, table in zip((old, new), tables, strict=True):
        for note in table.notes:
            announce(f"{path.name}: {note}")
    if leads is None:
        announce("Which titles change is not known without leads; name some with --leads.")
        found = diff_rows(*tables)
    else:
        titles, labels, read = _read_leads(leads, settings, taxonomy, title_column, announce)
        on_progress("Compare the tables", 1, 2, "steps")
        found = diff_tables(*tables, titles, labels)
        on_progress("Compare the tables", 2, 2, "steps")
    frames = [found.rows] if found.titles is None else [found.titles, found.rows]
    with ExitStack() as stack:
        for place, frame in zip(places, frames, strict=False):
            write_table(frame, stack.enter_context(whole_file(place)))
        if read is not None and read.rejects:
            for place in rejected:
                write_rejects(stack.enter_context(whole_file(place)), read.rejects, read.unit)
            places += rejected
    return ComparedTables(
        tables=tuple(_shown(found)),
        n_rows=int((found.rows["change"] != REORDERED).sum()),
        n_titles=None if found.titles is None else found.titles["title"].n_unique(),
        written=tuple(places),
        n_rejects=0 if read is None else len(read.rejects),
    )


def _shown(found: Difference) -> Iterator[Table]:
    """Yield the tables of a comparison to print."""
    if found.summary is not None:
        note = "Titles and records whose class changes. Better are records that are labelled as in the new table."
        note = note if "better_records" in found.summary.columns else note.partition(" Better")[0]
        yield Table("summary", "What changes", note, for_people(found.summary))
    figures = {f"{name}_verdicts": name for name in (BETTER, WORSE, NEITHER)}
    columns = ("keyword", "change", "titles", "records", *figures, "details")
    rows = found.rows.select(name for name in columns if name in found.rows.columns)
    yield _first("rows", "Rows that were changed", rows.rename({**figures, "details": "why"}, strict=False))
    if found.titles is not None:
        changed = ("old_class", "new_class", "old_keyword", "new_keyword", "change", "verdict")
        titles = found.titles.select(
            name for name in ("title", "records", "target", *changed) if name in found.titles.columns
        )
        yield _first("titles", "Titles that change", titles)


def _first(name: str, title: str, frame: pl.DataFrame) -> Table:
    left = len(frame) - _LINES_SHOWN
    note = f"The first {_LINES_SHOWN} of {len(frame):,}." if left > 0 else f"All {len(frame):,}."
    shown = frame.head(_LINES_SHOWN)
    texts = [column for column in shown.columns if column in ("title", "keyword", "old_keyword", "new_keyword")]
    shortened = shown.with_columns(
        pl.col(column).map_elements(lambda text: cut(text, _LONGEST_CELL), return_dtype=pl.String) for column in texts
    )
    return Table(name, title, note, for_people(shortened))


def _read_leads(
    path: Path, settings: TableSettings, taxonomy: Taxonomy, title_column: str | None, announce: Callable[[str], None]
) -> tuple[pl.DataFrame, pl.DataFrame | None, TableFile]:
    """Read leads of which only the title is required.

    Returns:
        Distinct normalised `title` and `count`, its records, in order of the titles; and distinct rows of `title`, the
        class of each target that the file has (null for none) and `count`, None where it has no labels; and the file as
        it was read.

    Raises:
        BadInput: the file cannot be read, has no column of titles or no title in it, or a label that is in no class.
    """
    opened = open_leads(
        path, settings.columns, settings.encoding, taxonomy, title_column, announce, layout=settings.layout
    )
    leads = without_strange_labels(opened, taxonomy, announce).leads
    targets = [name for name in taxonomy.names if name in leads.columns]
    # Rows of equal cells are merged before anything is done to their texts. They stay in file order, so that a message
    # about an unknown label names the first record that has it.
    merged = leads.group_by("title", *targets, maintain_order=True).agg(pl.col("count").sum(), pl.col("record").first())
    labels = [pl.col(name).str.strip_chars().replace("", None) for name in targets]
    merged = merged.with_columns(normalise_titles(merged["title"]).replace("", None), *labels)
    blank = merged.filter(pl.col("title").is_null())
    n_blank = int(blank["count"].sum())
    if n_blank:
        announce(f"Left out: {counted(n_blank, 'record')} without a title.")
    merged = merged.filter(pl.col("title").is_not_null())
    if merged.is_empty():
        raise BadInput(f"{path} has no title in any row; check the column that is read as the title.")
    grouped, _ = group_labels(merged, taxonomy, targets)
    rows = grouped.group_by("title", *targets).agg(pl.col("count").sum()).sort("title", *targets)
    titles = rows.group_by("title", maintain_order=True).agg(pl.col("count").sum())
    labelled = rows.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in targets)) if targets else None
    return titles, None if labelled is None or labelled.is_empty() else labelled, opened.table


def _references(
    titles: pl.DataFrame,
    labels: pl.DataFrame | None,
    settings: TableSettings,
    taxonomy: Taxonomy,
    announce: Callable[[str], None],
) -> dict[str, pl.DataFrame]:
    """Gather the references that a table can be compared with, name to rows of `title`, a class per target and `count`.

    These are the leads' own labels (legacy), their majority per title (consensus), and the titles of the labelled files
    (truth and reviewed), each of which counts as often as it occurs in the leads.

    Raises:
        BadInput: a labelled file is faulty.
    """
    references = {}
    if labels is not None:
        references["legacy"] = labels
        targets = [name for name in taxonomy.names if name in labels.columns]
        references["consensus"] = consensus(labels.drop_nulls(targets), targets)[0]
    for name, path in settings.labelled.items():
        partly = name == "reviewed"
        known = read_labelled(path, settings.columns, taxonomy, settings.encoding, partly=partly)
        known = known.select("title", *taxonomy.names).drop_nulls()
        references[name] = known.join(titles, on="title", how="inner")
        both = f"{len(references[name]):,} of its {len(known):,} titles are in the leads"
        announce(f"{name.capitalize()} from {path.name}: {both}.")
    return {name: rows for name, rows in references.items() if len(rows)}
