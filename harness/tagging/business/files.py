"""The files for the business, beside a tagged file."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from data_cleaning.leads import NO_TEXT
from harness.mining.spreadsheet_safe import escape_cell, escape_frame
from harness.store import whole_file
from harness.table_files import stem
from harness.tagging.business.follow_up import ADDED
from harness.tagging.business.names import file_parts
from harness.tagging.business.summary import Summary


def business_files(out: Path, by: Iterable[str], *, follow_up: bool = True) -> list[Path]:
    """Return the files that `write_business` writes, the workbook last.

    Args:
        out: the tagged file, of any kind.
        by: columns that the summary is broken down by.
        follow_up: whether the hierarchy says whom to follow up.
    """
    names = ["summary", "summary_overview", *(f"summary_by_{part}" for part in file_parts(by)), "crosswalk"]
    if follow_up:
        names.append("follow_up")
    files = [*(f"{name}.csv" for name in names), "summary.xlsx"]
    return [out.with_name(f"{stem(out)}.{name}") for name in files]


def write_business(
    out: Path,
    summary: Summary,
    follow_up: pl.DataFrame | None,
    n_relevant: int,
    facts: Mapping[str, Any],
    *,
    spreadsheet_safe: bool,
    headers: Sequence[str] | None = None,
) -> list[Path]:
    """Write the summary and the follow-up list, as CSV and as one workbook, beside the tagged file.

    No file takes its name before all are written.

    Args:
        out: the tagged file.
        summary: of it.
        follow_up: the list that `best_of_all` returned; None where the hierarchy does not say whom to follow up.
        n_relevant: records that have a rank, on the list or not.
        facts: what the file was tagged with, for readers of the workbook.
        spreadsheet_safe: whether text in the CSV files that a spreadsheet would run gets an apostrophe before it; in
            the workbook it does so always.
        headers: of the tagged file's columns in the list, where they differ from the frame's; two may be equal.

    Returns:
        The files, as `business_files` names them.

    Raises:
        BadInput: a file cannot be written, or the disk is full.
    """
    from harness.tagging.business.workbook import FollowUpList, write_workbook  # on use: openpyxl takes its time

    tables = [summary.nodes, summary.overview, *summary.by.values(), summary.crosswalk]
    headed = [(table, table.columns) for table in tables]
    listed = None
    if follow_up is not None:
        n_added = len(ADDED)
        names = [*follow_up.columns[:n_added], *(headers or follow_up.columns[n_added:])]
        listed = FollowUpList(_with_texts(follow_up), names, n_relevant)
        headed.append((listed.frame, names))
    files = business_files(out, summary.by, follow_up=follow_up is not None)
    with ExitStack() as stack:
        *csv_files, workbook = [stack.enter_context(whole_file(file)) for file in files]
        for path, (table, names) in zip(csv_files, headed, strict=True):
            _write_csv(path, table, names, spreadsheet_safe=spreadsheet_safe)
        write_workbook(workbook, summary, listed, facts)
    return files


def _write_csv(path: Path, table: pl.DataFrame, names: Sequence[str], *, spreadsheet_safe: bool) -> None:
    with path.open("w", encoding="utf-8", newline="") as opened:
        header = [escape_cell(name) for name in names] if spreadsheet_safe else names
        csv.writer(opened, lineterminator="\n").writerow(header)
        opened.write((escape_frame(table) if spreadsheet_safe else table).write_csv(include_header=False))


def _with_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Turn lists and the like, which neither CSV nor a cell can hold, into text, and categories too."""
    odd = frame.select(NO_TEXT)
    texts = [[None if value is None else str(value) for value in column.to_list()] for column in odd]
    made = [pl.Series(name, values, dtype=pl.String) for name, values in zip(odd.columns, texts, strict=True)]
    return frame.with_columns((cs.categorical() | cs.enum()).cast(pl.String), *made)
