"""One HTML page for every report: a heading, sections with sentences, plots and tables, and a footer."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from data_cleaning.report_table import ShownTable, Table

_MAX_UNBROKEN = 60
"""Characters of the longest cell of a column whose lines are not broken."""


@dataclass(frozen=True, kw_only=True)
class PagePlot:
    """A plot that is beside the page as a PNG and an SVG file."""

    path: str
    """Relative to the page, without the ending."""
    title: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of a page; what it does not have is left out."""

    name: str
    """By which a link finds it on the page."""
    title: str
    note: str = ""
    sentences: Sequence[str] = ()
    """A numbered list."""
    plots: Sequence[PagePlot] = ()
    """Above the table."""
    table: ShownTable | None = None
    before_file: str = ""
    """What is said before the link to the file."""
    file: str = ""
    """Relative to the page, with more than the table shows."""


def table_section(table: Table, folder: str, *, max_rows: int | None = None, plots: Sequence[PagePlot] = ()) -> Section:
    """Return the section of one table, with a link to the CSV file of its name in a folder that has all of it."""
    shown = table.shown(max_rows)
    before = f"{shown.n_more:,} more rows in" if shown.n_more else "All rows as CSV:"
    return Section(
        name=table.name, title=table.title, note=table.note, plots=plots, table=shown, before_file=before,
        file=f"{folder}/{table.name}.csv",
    )  # fmt: skip


def write_run_page(path: Path, tables: Sequence[Table], facts: Mapping[str, Any]) -> None:
    """Write the page of a run beside its folder `tables`: its tables in reading order, and the facts of `run.json`."""
    splits = ", ".join(f"{by} {split_hash}" for by, split_hash in facts["split_hash"].items())
    footer = (
        f"Fingerprint {facts['fingerprint']}; sources at {facts['commit'] or 'no commit'}; data {facts['data_hash']}; "
        f"splits {splits}. The folder “tables” beside this page has every table as Markdown, CSV and LaTeX."
    )
    write_page(
        path,
        f"{facts['name']}: which system should sort our titles?",
        [f"Made {facts['made_at']} with seed {facts['seed']} on {facts['device']}.", *facts["warnings"]],
        [table_section(table, "tables") for table in tables],
        footer,
    )


def write_page(
    path: Path, heading: str, introduction: Sequence[str], sections: Sequence[Section], footer: str = ""
) -> None:
    """Write a page beside the files that its sections refer to; titles, labels and keywords in it are escaped.

    The heading is also its title in the browser, the introduction has one text per paragraph, and the footer is printed
    small.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    text = environment.get_template("page.html").render(
        heading=heading, introduction=introduction, sections=[_laid_out(section) for section in sections], footer=footer
    )
    path.write_text(text, encoding="utf-8")


def _laid_out(section: Section) -> dict[str, Any]:
    """Return a section with the style of each column and row of its table."""
    content: dict[str, Any] = {**vars(section), "columns": [], "rows": []}
    table = section.table
    if table is None:
        return content
    for position, name in enumerate(table.columns):
        longest = max((len(row[position]) for row in table.rows), default=0)
        style = "number" if table.is_number[position] else "text" if longest > _MAX_UNBROKEN else ""
        content["columns"].append({"name": name.replace("_", " "), "style": style})
    previous = None
    for cells in table.rows:
        styles = ["group"] if _is_grouped(table) and previous not in (None, cells[0]) else []
        styles += ["ceiling"] if any(cell.startswith("(noise") for cell in cells) else []
        content["rows"].append({"cells": cells, "style": " ".join(styles)})
        previous = cells[0]
    return content


def _is_grouped(table: ShownTable) -> bool:
    """Return whether rows that begin alike are next to each other, so that a line between groups helps."""
    first = [row[0] for row in table.rows]
    changes = sum(one != other for one, other in itertools.pairwise(first))
    return len(set(first)) == changes + 1 < len(first)
