"""The page of an audit: its findings to read, and the first lines of its tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data_cleaning.report_table import Table
from harness.reporting.pages import Section, write_page


@dataclass(frozen=True)
class Excerpt:
    """The first lines of a table, with the columns that a reader needs."""

    table: Table
    """Its name is that of the file with all lines and columns."""
    n_more: int
    """Lines that are in the file alone."""


def write_audit_page(
    path: Path, heading: str, notes: Sequence[str], findings: Sequence[str], excerpts: Sequence[Excerpt]
) -> None:
    """Write the page; keywords and titles in it are escaped.

    Args:
        path: of the page, beside the files that it refers to.
        heading: its first line.
        notes: what a reader must know beforehand.
        findings: sentences, what matters most first.
        excerpts: tables in reading order.
    """
    listed = Section(
        name="findings",
        title="What matters most",
        sentences=findings,
        note="" if findings else "Nothing was found.",
        before_file="Every finding is in" if findings else "",
        file="findings.csv" if findings else "",
    )
    write_page(path, heading, notes, [listed, *map(_section, excerpts)])


def _section(excerpt: Excerpt) -> Section:
    more = f"{excerpt.n_more:,} more, and every figure, in" if excerpt.n_more else "Every figure is in"
    table = excerpt.table
    return Section(
        name=table.name,
        title=table.title,
        note=table.note,
        table=table.shown(),
        before_file=more,
        file=f"{table.name}.csv",
    )
