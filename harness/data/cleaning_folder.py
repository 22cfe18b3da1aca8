"""The folder beside cleaned leads: what was done to them, what was set aside, and what they say about themselves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from data_cleaning.clean import CleanedLeads
from data_cleaning.clean_reports import CleanReports
from data_cleaning.files.output_places import mark
from data_cleaning.files.written_tables import write_table
from data_cleaning.leads import NO_TEXT
from harness.reporting.table import Table, write_tables

VERB = "clean"
QUARANTINE = "quarantine"

_ASIDE = (
    "The records that were dropped, with their reason, their place in the file and all columns as they came. The place "
    "is the `line` of a CSV file on which the record begins, the header line being 1, or the `row` of a Parquet file, "
    "the first record being 1."
)
_LONG = {
    "foreign_titles": "The titles that the language step set aside, one row each: read these to check it.",
    "near_duplicates": "Titles that are equal but for case, separators, word order and common abbreviations; `titles` "
    "and `records` are those of the shared key.",
    "label_combinations": "Every title with every combination of its labels: the records of each, how many there are "
    "of the title, and their `rank` by records, 1 the largest. Titles of most records first.",
    "inconsistent_titles": "The titles with more than one combination, one row each: by how many records their labels "
    "disagree, and how far. Most worth mending first.",
}
"""Name of each table that is too long to read on a page, and what it holds."""


def ledger_table(cleaned: CleanedLeads) -> Table:
    """Return the ledger as a table to show or to write."""
    note = (
        "Each step with the records and distinct titles it was given, the records it changed and dropped, and what it "
        f"left. Every dropped record is in the file {QUARANTINE}, with its reason."
    )
    return Table("ledger", "What cleaning did", note, cleaned.ledger.to_pandas())


def write_cleaning_folder(
    folder: Path, cleaned: CleanedLeads, reports: CleanReports, quarantine: pl.DataFrame, facts: Mapping[str, Any]
) -> None:
    """Write the ledger, the quarantine file and every report into an empty folder.

    Args:
        folder: to fill.
        cleaned: the leads and their ledger.
        reports: what they say about themselves.
        quarantine: the dropped rows of the file, with reason and row.
        facts: which file was cleaned, and how; `file` and `settings` among them.
    """
    short = _short_tables(cleaned, reports)
    write_tables(short, folder, with_latex=False)
    # A row of a Parquet file may hold what no CSV file can, and is kept as it came.
    aside = f"{QUARANTINE}.parquet" if quarantine.select(NO_TEXT).columns else f"{QUARANTINE}.csv"
    write_table(quarantine, folder / aside)
    long = {
        "foreign_titles": cleaned.foreign_titles,
        "near_duplicates": reports.near_duplicates,
        "label_combinations": reports.combinations,
        "inconsistent_titles": reports.titles,
    }
    written = {name: frame for name, frame in long.items() if frame is not None}
    for name, frame in written.items():
        frame.write_csv(folder / f"{name}.csv")
    _write_guide(folder, short, {aside: quarantine}, written, facts)
    mark(folder, VERB, dict(facts))


def _short_tables(cleaned: CleanedLeads, reports: CleanReports) -> list[Table]:
    tables = [ledger_table(cleaned)]
    aside = f"Records and distinct titles in the file {QUARANTINE}, by reason."
    tables.append(Table("quarantine_reasons", "What was set aside", aside, reports.quarantine.to_pandas()))
    if reports.majority is not None:
        note = (
            "Titles, and their records, whose most frequent combination of labels is their majority; those of which "
            "several are the most frequent (tie); and those of which the most frequent has fewer records than "
            "clean.min_support (too few). Records with other labels than the majority's are those that "
            "clean.consensus=whole-file changes; this is counted on the labels before it, whether or not it was taken. "
            "label_combinations.csv names every title with its `majority_status`."
        )
        tables.append(Table("majority", "Which titles have a majority", note, reports.majority.to_pandas()))
    if reports.ceilings is not None:
        note = (
            "The best accuracy that any system can reach which sees only the title, because records of the same title "
            "disagree: per record, or with every distinct title weighing the same. Raw labels are those of the file, "
            "grouped ones the taxonomy's classes, and consensus gives each title its most frequent labels over the "
            "whole file. A title that occurs once cannot contradict itself and lifts the ceiling: the last column is "
            "the share of such records."
        )
        tables.append(Table("noise_ceilings", "How high a score can get", note, reports.ceilings.to_pandas()))
    if len(cleaned.label_map):
        note = (
            "Every raw label of the taxonomy, its class, and the records that had it when labels were grouped; 0 where "
            "none did. The version is the taxonomy file's."
        )
        tables.append(Table("label_map", "Which raw label is in which class", note, cleaned.label_map.to_pandas()))
    return tables


def _write_guide(
    folder: Path,
    short: list[Table],
    aside: Mapping[str, pl.DataFrame],
    long: Mapping[str, pl.DataFrame],
    facts: Mapping[str, Any],
) -> None:
    """Write what lies in the folder, for someone who opens it without having cleaned anything."""
    lines = [f"# Cleaning of {facts['file']}", "", "| file | rows | what it holds |", "|---|---:|---|"]
    lines += [f"| {table.name}.md, {table.name}.csv | {len(table.frame):,} | {table.title}. |" for table in short]
    lines += [f"| {name} | {len(frame):,} | {_ASIDE} |" for name, frame in aside.items()]
    lines += [f"| {name}.csv | {len(frame):,} | {_LONG[name]} |" for name, frame in long.items()]
    lines += ["", "Settings:", "", *(f"- {name}: {value}" for name, value in facts["settings"].items()), ""]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
