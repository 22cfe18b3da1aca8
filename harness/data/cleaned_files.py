"""What `clean` writes: the file's own rows with what cleaning added, and the folder of reports beside them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from data_cleaning.clean import CleanedLeads
from data_cleaning.clean_reports import CleanReports, foreign_warning
from data_cleaning.consensus import MAJORITY, TIE, TOO_FEW, UNSEEN
from data_cleaning.errors import BadInput, first_few
from data_cleaning.files.output_places import REJECTS, mark
from data_cleaning.files.spreadsheet_text import unescape_frame
from data_cleaning.files.table_reader import NO_TEXT, TableFile
from data_cleaning.files.written_tables import write_table
from data_cleaning.ledger import kept_share
from data_cleaning.report_table import Table, markdown_text, write_tables
from data_cleaning.taxonomy import Target, Taxonomy
from data_cleaning.words import normalise_titles

VERB = "clean"
QUARANTINE = "quarantine"

_QUARANTINE_HOLDS = (
    "The dropped records with their reason, their place in the file and all columns unchanged, but for an apostrophe "
    "before text that a spreadsheet would run. The place is the `line` of a CSV file on which the record begins (the "
    "header is line 1), the `row` of a Parquet file (the first record is row 1) or the `row` of a sheet."
)
_REJECTS_HOLD = "What could not be read as a record: its place, what is wrong with it, and its text as it was read."
_LONG = {
    "foreign_titles": "The titles that the language step dropped, one row each: read these to check it.",
    "near_duplicates": "Titles that are equal but for case, separators, word order and common abbreviations; `titles` "
    "and `records` are those of the shared key.",
    "label_combinations": "Every title with every combination of its labels: the records of each, the number of "
    "combinations of the title, and their `rank` by records, 1 the largest. Titles with most records first.",
    "inconsistent_titles": "The titles with more than one combination, one row each: by how many records their labels "
    "disagree, and how far. Most worth fixing first.",
}
"""Name of each table that is too long to read on a page, and what it holds."""

_ORIGINAL_TITLE = "original_title"
_STATUS = "majority_status"


def check_added(table: TableFile, leads: pl.DataFrame, present: Mapping[str, str], taxonomy: Taxonomy) -> None:
    """Refuse columns with the names that cleaning adds, unless each row shows that an earlier cleaning wrote them.

    The leads are the rows of the table under our names, and `present` maps our name of a column to the file's own.

    Raises:
        BadInput: such a column is itself read as a title, a label or the like, or does not agree with the title and
            the labels of its rows.
    """
    targets = [target for target in taxonomy.targets if target.name in leads.columns]
    of_targets = [f"{prefix}_{target.name}" for target in targets for prefix in ("raw", "original")]
    added = [_ORIGINAL_TITLE, *of_targets, *([_STATUS] if targets else [])]
    mapped = [f"{ours} from {theirs!r}" for ours, theirs in present.items() if theirs in added]
    if mapped:
        raise BadInput(
            f"{table.path}: columns that are read have the names of columns that cleaning adds: {first_few(mapped)}. "
            "Rename them in the file, or read others."
        )
    texts = table.frame.select(name for name in added if name in table.frame.columns)
    if not texts.columns:
        return
    texts = unescape_frame(texts.cast(pl.String)).with_columns(pl.all().str.strip_chars())
    by_consensus = _by_consensus(texts, targets)
    disagree = {}
    if _STATUS in texts.columns and by_consensus is None:
        disagree[_STATUS] = texts[_STATUS].is_not_null()
    if _ORIGINAL_TITLE in texts.columns:
        disagree[_ORIGINAL_TITLE] = _titles_disagree(texts[_ORIGINAL_TITLE], leads["title"])
    for target in targets:
        disagree |= _labels_disagree(texts, leads[target.name], target, by_consensus)
    faults = [f"{name} ({table.place(rows.arg_max() or 0)})" for name, rows in disagree.items() if rows.any()]
    if faults:
        raise BadInput(
            f"{table.path} already has columns that cleaning adds, and not from an earlier cleaning, as they disagree "
            f"with the title or label of their row: {first_few(faults)}. Rename or drop them."
        )


def _by_consensus(texts: pl.DataFrame, targets: list[Target]) -> pl.Series | None:
    """Return which rows say that consensus gave them their labels; None where the file does not say it."""
    if _STATUS not in texts.columns or not all(f"original_{target.name}" in texts.columns for target in targets):
        return None
    if not texts[_STATUS].drop_nulls().is_in([MAJORITY, TIE, TOO_FEW, UNSEEN]).all():
        return None
    return (texts[_STATUS] == MAJORITY).fill_null(False)


def _titles_disagree(originals: pl.Series, titles: pl.Series) -> pl.Series:
    pairs = pl.DataFrame([originals.alias("original"), titles.alias("title")])
    distinct = pairs.unique().drop_nulls("original")
    wrong = (normalise_titles(distinct["original"]) != distinct["title"]).fill_null(True)
    checked = distinct.with_columns(wrong.alias("wrong"))
    joined = pairs.join(checked, on=["original", "title"], how="left", nulls_equal=True, maintain_order="left")
    return joined["wrong"].fill_null(False)


def _labels_disagree(
    texts: pl.DataFrame, labels: pl.Series, target: Target, by_consensus: pl.Series | None
) -> dict[str, pl.Series]:
    """Compare the class of a row's label with the classes of its recorded earlier labels.

    Consensus may have given a row another class than its own labels have; those two must then be of one class.
    """
    pairs = dict(target.raw_to_class)
    of_row = labels.str.strip_chars().replace_strict(pairs, default=None, return_dtype=pl.String)
    unknown = labels.is_not_null() & of_row.is_null()  # grouping reports these
    raw, original = f"raw_{target.name}", f"original_{target.name}"
    disagree = {}
    for name in (original, raw):
        if name in texts.columns:
            of_name = texts[name].replace_strict(pairs, default=None, return_dtype=pl.String)
            wrong = (of_name != of_row).fill_null(True) & ~unknown
            if by_consensus is not None:
                wrong &= ~by_consensus | of_name.is_null()
                if name == raw:
                    of_original = texts[original].replace_strict(pairs, default=None, return_dtype=pl.String)
                    wrong |= by_consensus & (of_name != of_original).fill_null(False)
            disagree[name] = wrong & texts[name].is_not_null()
    return disagree


def cleaned_rows(frame: pl.DataFrame, present: Mapping[str, str], cleaned: CleanedLeads) -> pl.DataFrame:
    """Return the kept rows of the file's frame with all columns, those that cleaning changed or added included.

    What an earlier cleaning wrote stays; cells that it left empty are filled. `present` is as for `check_added`.
    """
    kept = cleaned.kept
    rows = frame[cleaned.kept_rows]
    changed = [kept[name].alias(present[name]) for name in ("title", *cleaned.targets)]
    added = []
    for name in _added(cleaned):
        new = kept[name]
        if name == _STATUS and name in rows.columns:
            # A label from an earlier consensus is still a majority's, however few of its records are left.
            new = new.set(rows[name].cast(pl.String) == MAJORITY, MAJORITY)
        elif name in rows.columns:
            new = pl.select(pl.coalesce(rows[name].cast(pl.String), new)).to_series()
        added.append(new.alias(name))
    return rows.with_columns(*changed, *added)


def _added(cleaned: CleanedLeads) -> list[str]:
    of_targets = [f"{prefix}_{name}" for prefix in ("raw", "original") for name in cleaned.targets]
    return [name for name in (_ORIGINAL_TITLE, *of_targets, _STATUS) if name in cleaned.kept.columns]


def unchanged_cells(table: TableFile, present: Mapping[str, str], cleaned: CleanedLeads) -> dict[str, list[Any]]:
    """Return the kept rows' cells of a spreadsheet, of the columns that cleaning neither changed nor filled."""
    changed = {*(present[name] for name in ("title", *cleaned.targets)), *_added(cleaned)}
    kept = cleaned.kept_rows.to_list()
    return {name: [cells[row] for row in kept] for name, cells in table.cells.items() if name not in changed}


def quarantined_rows(table: TableFile, cleaned: CleanedLeads) -> pl.DataFrame:
    """Return the file's dropped rows, unchanged, after their reason and their line or row."""
    own = table.frame.columns
    reason, place = (_free(name, own) for name in ("reason", table.unit))
    dropped = table.frame[cleaned.quarantined_rows]
    numbers = table.places[cleaned.quarantined_rows]
    return dropped.with_columns(cleaned.quarantined["reason"].alias(reason), numbers.alias(place)).select(
        reason, place, *own
    )


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name = f"quarantine_{name}"
    return name


def ledger_table(ledger: pl.DataFrame) -> Table:
    """Return the ledger as a table to show or to write."""
    note = (
        "Each step with the records and distinct titles it was given, the records it changed and dropped, and what it "
        f"left, also as shares of what it was given. Every dropped record is in the file {QUARANTINE}, with its reason."
    )
    return Table("ledger", "What cleaning did", note, ledger.to_pandas())


def kept_in_words(cleaned: CleanedLeads) -> str:
    """Say how many of the records and of the distinct titles were kept, and which shares these are."""
    ledger = cleaned.ledger
    counts = {name: (ledger[f"{name}_out"][-1], ledger[f"{name}_in"][0]) for name in ("records", "titles")}
    kept = [f"{n_out:,} of {n_in:,} {name} ({kept_share(n_out, n_in):.1%})" for name, (n_out, n_in) in counts.items()]
    return " and ".join(kept)


def write_quarantine(folder: Path, quarantine: pl.DataFrame, *, raw: bool = False) -> tuple[str, int]:
    """Write what `quarantined_rows` has returned into a folder; return the name of the file and how many rows it has.

    A row of a Parquet file may hold what a CSV file cannot, and stays unchanged.
    """
    name = f"{QUARANTINE}.parquet" if quarantine.select(NO_TEXT).columns else f"{QUARANTINE}.csv"
    write_table(quarantine, folder / name, raw=raw)
    return name, len(quarantine)


def write_cleaning_folder(
    folder: Path,
    cleaned: CleanedLeads,
    reports: CleanReports,
    dropped: tuple[str, int],
    facts: Mapping[str, Any],
    *,
    n_rejects: int = 0,
    raw: bool = False,
) -> None:
    """Write the ledger and every report into a folder, and a guide to it.

    The caller has written the `dropped` rows, to a file of this name and so many, and the `n_rejects` that could not be
    read. The facts say which `file` was cleaned with which `settings`.
    """
    short = _short_tables(cleaned, reports)
    write_tables(short, folder, with_latex=False)
    long = {
        "foreign_titles": cleaned.foreign_titles,
        "near_duplicates": reports.near_duplicates,
        "label_combinations": reports.combinations,
        "inconsistent_titles": reports.titles,
    }
    written = {name: frame for name, frame in long.items() if frame is not None}
    for name, frame in written.items():
        write_table(frame, folder / f"{name}.csv", raw=raw)
    # A guide to the folder, for someone who did not run the cleaning.
    warning = foreign_warning(cleaned)
    kept = f"Kept: {kept_in_words(cleaned)}."
    lines = [
        f"# Cleaning of {markdown_text(facts['file'])}",
        "",
        kept,
        "",
        *([f"**{markdown_text(warning)}**", ""] if warning else []),
        "| file | rows | what it holds |",
        "|---|---:|---|",
    ]
    lines += [f"| {table.name}.md, {table.name}.csv | {len(table.frame):,} | {table.title}. |" for table in short]
    lines += [f"| {dropped[0]} | {dropped[1]:,} | {_QUARANTINE_HOLDS} |"]
    lines += [f"| {REJECTS} | {n_rejects:,} | {_REJECTS_HOLD} |"] if n_rejects else []
    lines += [f"| {name}.csv | {len(frame):,} | {_LONG[name]} |" for name, frame in written.items()]
    lines += [
        "",
        "Settings:",
        "",
        *(f"- {name}: {markdown_text(str(value))}" for name, value in facts["settings"].items()),
        "",
    ]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
    mark(folder, VERB, dict(facts))


def _short_tables(cleaned: CleanedLeads, reports: CleanReports) -> list[Table]:
    tables = [ledger_table(cleaned.ledger)]
    note = f"Records and distinct titles in the file {QUARANTINE}, by reason."
    tables.append(Table("quarantine_reasons", "What was dropped", note, reports.quarantine.to_pandas()))
    if reports.majority is not None:
        note = (
            "Titles and their records: with a majority, their most frequent combination of labels; with several most "
            "frequent ones (tie); and with fewer records of the most frequent one than clean.min_support (too few). "
            "clean.consensus=whole-file changes the records with other labels than the majority's; they are counted on "
            "the labels before it, whether or not it was used. label_combinations.csv has the `majority_status` of "
            "every title."
        )
        tables.append(Table("majority", "Which titles have a majority", note, reports.majority.to_pandas()))
    if reports.ceilings is not None:
        note = (
            "The best accuracy that any system can reach which sees only the title, because records of the same title "
            "disagree: per record, or with the same weight for every distinct title. Raw labels are those of the file, "
            "grouped ones the taxonomy's classes, and consensus gives each title its most frequent labels over the "
            "whole file. A title that occurs once cannot contradict itself and raises the ceiling: the last column "
            "is the share of such records."
        )
        tables.append(Table("noise_ceilings", "How high a score can get", note, reports.ceilings.to_pandas()))
    if len(cleaned.label_map):
        note = (
            "Every raw label of the taxonomy, its class, and the records that had it when labels were grouped; 0 where "
            "none did. The version is the taxonomy file's."
        )
        tables.append(Table("label_map", "Which raw label is in which class", note, cleaned.label_map.to_pandas()))
    return tables
