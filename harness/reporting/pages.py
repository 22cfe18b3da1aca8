"""One HTML page for every report, in one file that opens offline: a heading, sections and a footer.

Whatever people typed is escaped. Only the page's own script may run, and nothing may be loaded from elsewhere.
"""

import base64
import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from data_cleaning.report_table import ShownTable, Table
from harness.reporting.charts import Chart
from harness.scoring.scores_file import Verdict

_HERE = Path(__file__).parent

_MAX_UNBROKEN = 60
"""Characters of the longest cell of a column whose lines are not broken."""


@dataclass(frozen=True, kw_only=True)
class PagePlot:
    """A plot that is beside the page as a PNG and an SVG file."""

    path: str
    """Relative to the page, without the ending; the page holds the PNG and links to the SVG."""
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
    charts: Sequence[Chart] = ()
    plots: Sequence[PagePlot] = ()
    """Above the table."""
    table: ShownTable | None = None
    before_file: str = ""
    """What is said before the link to the file."""
    file: str = ""
    """Relative to the page, with more than the table shows."""
    group: str = ""
    """Sections of one group follow each other below its heading; without groups there are no such headings."""
    is_detail: bool = False
    """Whether its group is for those who look for it, and closed until they do."""


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What a page shows before everything else."""

    verdict: Verdict | None = None
    charts: Sequence[Chart] = ()
    lookup: Mapping[str, Any] | None = None
    """What the box for a title knows, as `title_lookup.lookup` returns it."""


def table_section(
    table: Table,
    folder: str,
    *,
    max_rows: int | None = None,
    plots: Sequence[PagePlot] = (),
    **more: Any,
) -> Section:
    """Return the section of one table, with a link to the CSV file of its name in a folder that has all of it."""
    shown = table.shown(max_rows)
    before = f"{shown.n_more:,} more rows in" if shown.n_more else "All rows as CSV:"
    return Section(
        name=table.name, title=table.title, note=table.note, plots=plots, table=shown, before_file=before,
        file=f"{folder}/{table.name}.csv", **more,
    )  # fmt: skip


def write_page(
    path: Path,
    heading: str,
    introduction: Sequence[str],
    sections: Sequence[Section],
    footer: str = "",
    opening: Opening | None = None,
) -> None:
    """Write a page beside the files that its sections refer to.

    The heading is also its title in the browser, the introduction has one text per paragraph, and the footer is printed
    small.
    """
    environment = Environment(loader=FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    opening = opening or Opening()
    text = environment.get_template("page.html").render(
        heading=heading,
        introduction=introduction,
        opening=opening,
        lookup=None if opening.lookup is None else _embedded(opening.lookup),
        groups=[
            {"title": group, "sections": list(of_group)}
            for group, of_group in itertools.groupby(
                (_laid_out(section, path.parent) for section in sections), key=lambda section: section["group"]
            )
        ],
        footer=footer,
        script=Markup(script),
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    path.write_text(text, encoding="utf-8", newline="\n")


def _embedded(value: object) -> Markup:
    """Return JSON for a script element, in which no text can end the element or open a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028"))


def _laid_out(section: Section, folder: Path) -> dict[str, Any]:
    """Return a section with its plots, and with the style of each column and row of its table."""
    content: dict[str, Any] = {**vars(section), "columns": [], "rows": []}
    content["charts"] = [{"title": chart.title, "svg": Markup(chart.svg)} for chart in section.charts]
    content["plots"] = [
        {**vars(plot), "png": base64.b64encode((folder / f"{plot.path}.png").read_bytes()).decode()}
        for plot in section.plots
    ]
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
