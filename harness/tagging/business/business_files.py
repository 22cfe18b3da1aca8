"""The files for the business, beside a tagged file."""

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from data_cleaning.files.output_places import stem
from data_cleaning.files.whole_files import full_disk_as_bad_input
from data_cleaning.files.written_tables import open_rows
from harness.tagging.business.business_tables import file_parts
from harness.tagging.business.follow_up import ADDED
from harness.tagging.business.summary import Summary

_SUMMARY, _OVERVIEW, _CROSSWALK, _FOLLOW_UP = "summary.csv", "summary_overview.csv", "crosswalk.csv", "follow_up.csv"
_BY, _WORKBOOK = "summary_by_{}.csv", "summary.xlsx"


def business_files(out: Path, by: Iterable[str], *, follow_up: bool = True) -> list[Path]:
    """Return the files that a tagged file has beside it, the workbook last.

    The summary is broken down `by` columns; there is a `follow_up` list if the hierarchy says whom to follow up.
    """
    broken_down = [_BY.format(part) for part in file_parts(by)]
    names = [_SUMMARY, _OVERVIEW, *broken_down, _CROSSWALK, *([_FOLLOW_UP] if follow_up else []), _WORKBOOK]
    return [out.with_name(f"{stem(out)}.{name}") for name in names]


def earlier_files(out: Path) -> list[Path]:
    """Return the files beside a tagged file that may have been written with it, whatever it was broken down by."""
    before = f"{stem(out)}."
    patterns = [_SUMMARY, _OVERVIEW, _BY.format("*"), _CROSSWALK, _FOLLOW_UP, _WORKBOOK]
    files = out.parent.iterdir() if out.parent.is_dir() else ()
    beside = {file.name.removeprefix(before): file for file in files if file.name.startswith(before)}
    return [
        beside[name]
        for pattern in patterns
        for name in sorted(fnmatch.filter(beside, pattern))
        if beside[name].is_file()
    ]


def write_business(
    out: Path,
    summary: Summary,
    follow_up: pl.DataFrame | None,
    n_relevant: int,
    facts: Mapping[str, Any],
    *,
    folder: Path,
    raw: bool,
    headers: Sequence[str] | None = None,
) -> list[Path]:
    """Write the summary and the follow-up list, as CSV and as one workbook.

    Args:
        out: the tagged file, after which the files are named.
        summary: of it.
        follow_up: the list that `BestRows` returned; None if the hierarchy does not say whom to follow up.
        n_relevant: records that have a rank, on the list or not.
        facts: what the file was tagged with, for readers of the workbook.
        folder: to write into, from where the caller moves the files beside the tagged file.
        raw: whether text that a spreadsheet would run as a formula is written as it is.
        headers: of the tagged file's columns in the list, where they differ from the frame's; two may be equal.

    Returns:
        The files in the folder, in the order and with the names of `business_files`.

    Raises:
        BadInput: a file cannot be written, or the disk is full.
    """
    from harness.tagging.business.business_workbook import (  # on use: XlsxWriter takes its time
        FollowUpList,
        write_workbook,
    )

    tables = [summary.nodes, summary.overview, *summary.by.values(), summary.crosswalk]
    headed = [(table, table.columns) for table in tables]
    listed = None
    if follow_up is not None:
        n_added = len(ADDED)
        names = [*follow_up.columns[:n_added], *(headers or follow_up.columns[n_added:])]
        listed = FollowUpList(follow_up, names, n_relevant)
        headed.append((listed.frame, names))
    files = [folder / file.name for file in business_files(out, summary.by, follow_up=follow_up is not None)]
    *csv_files, workbook = files
    for file, (table, names) in zip(csv_files, headed, strict=True):
        with full_disk_as_bad_input(out.with_name(file.name)):
            rows = table.to_arrow()
            with open_rows(file, names, rows.schema, raw=raw) as opened:
                opened.write(rows)
    with full_disk_as_bad_input(out.with_name(workbook.name)):
        write_workbook(workbook, summary, listed, facts, raw=raw)
    return files
