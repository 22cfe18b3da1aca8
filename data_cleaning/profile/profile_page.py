"""Tables as Markdown and CSV, and one HTML page that shows them with the plots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment
from tabulate import tabulate

_ROWS_ON_PAGE = 15
_SHOWN_WHOLE = 40
"""Rows of a table that the page does not cut."""

_ROWS_IN_MARKDOWN = 100
_LONGEST_CELL = 90

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What is in these leads?</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; color: #1c2430; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .3rem; }
  p { max-width: 50rem; margin: .3rem 0 .8rem; }
  img { max-width: 100%; height: auto; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
  th { text-align: left; border-bottom: 2px solid #1c2430; vertical-align: bottom; }
  th, td { padding: .25rem .6rem; white-space: nowrap; }
  td { border-bottom: 1px solid #d7dce3; }
  .number { text-align: right; }
  .more { color: #5b6675; font-size: .85rem; }
</style>
</head>
<body>
<h1>What is in these leads?</h1>
{% for line in left_out %}<p>{{ line }}</p>
{% endfor %}
{% for table in tables %}
<h2 id="{{ table.name }}">{{ table.title }}</h2>
<p>{{ table.note }}</p>
{% for plot in table.plots %}<p><a href="plots/{{ plot.name|urlencode }}.svg">
<img src="plots/{{ plot.name|urlencode }}.png" alt="{{ plot.title }}"></a></p>
{% endfor %}
<div class="scroll"><table>
<thead><tr>{% for name in table.columns %}<th{% if name in table.numbers %} class="number"{% endif %}>{{ name }}</th>
{%- endfor %}</tr></thead>
<tbody>
{% for row in table.rows %}<tr>{% for cell in row %}
<td{% if table.columns[loop.index0] in table.numbers %} class="number"{% endif %}>{{ cell }}</td>
{%- endfor %}</tr>
{% endfor %}</tbody></table></div>
<p class="more">{% if table.n_more %}{{ "{:,}".format(table.n_more) }} more rows in {% else %}Also as {% endif -%}
<a href="tables/{{ table.name|urlencode }}.csv">tables/{{ table.name }}.csv</a>.</p>
{% endfor %}
</body>
</html>
"""


@dataclass(frozen=True)
class Table:
    """One table with what a reader must know to read it."""

    name: str
    """Of its files."""
    title: str
    note: str
    frame: pl.DataFrame
    """Numbers stay numbers, and shares lie in [0, 1]; `worded` sets them for people."""
    whole: str = ""
    """What the shares are a part of, such as "the 9 records with a title"; for the axis of a plot."""


@dataclass(frozen=True)
class PlotFile:
    """A plot that lies in the folder of plots as `name`.png and `name`.svg."""

    name: str
    title: str
    table: str
    """Name of the table that it draws."""


def write_tables(tables: Sequence[Table], folder: Path) -> None:
    """Write each table whole as `.csv`, and its first rows as `.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        table.frame.write_csv(folder / f"{table.name}.csv")
        numbers = _numbers(table.frame)
        sides = ["right" if name in numbers else "left" for name in table.frame.columns]
        # A bar inside a cell would open a column of its own.
        rows = [[cell.replace("|", r"\|") for cell in row] for row in worded(table.frame.head(_ROWS_IN_MARKDOWN))]
        body = tabulate(rows, _headers(table.frame), tablefmt="pipe", disable_numparse=True, colalign=sides)
        n_more = len(table.frame) - _ROWS_IN_MARKDOWN
        more = f"\n\n{n_more:,} more rows in {table.name}.csv." if n_more > 0 else ""
        (folder / f"{table.name}.md").write_text(f"# {table.title}\n\n{table.note}\n\n{body}{more}\n", encoding="utf-8")


def write_page(path: Path, tables: Sequence[Table], plots: Sequence[PlotFile], left_out: Sequence[str]) -> None:
    """Write the page; titles and labels in it are escaped.

    Args:
        path: of the page, beside the folders `tables` and `plots`.
        tables: in reading order.
        plots: each stands above the table that it draws.
        left_out: what the page does not show, and why.
    """
    template = Environment(autoescape=True).from_string(_PAGE)
    shown = [_shown(table, [plot for plot in plots if plot.table == table.name]) for table in tables]
    path.write_text(template.render(tables=shown, left_out=left_out), encoding="utf-8")


def worded(frame: pl.DataFrame) -> list[list[str]]:
    """Set every cell for people: thousands separators, shares in per cent, nothing as a dash, long text cut."""
    return [[_word(name, value) for name, value in zip(frame.columns, row, strict=True)] for row in frame.iter_rows()]


def cut(text: str, most: int) -> str:
    """Shorten a text to `most` characters, the last of them an ellipsis where something is left out."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def percent(share: float) -> str:
    """Set a share in [0, 1] for people; only all is 100%, and only none is 0%."""
    if share in (0, 1):
        return f"{share:.0%}"
    return "<0.01%" if share < 0.0001 else ">99.99%" if share > 0.9999 else f"{share:.2%}"


def _word(column: str, value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return cut(" ".join(value.split()), _LONGEST_CELL)
    if isinstance(value, float):
        if "share" in column or "deviation" in column:
            return percent(value)
        return f"{value:,.0f}" if value >= 100 or value.is_integer() else f"{value:,.3f}"
    return f"{value:,}"


def _headers(frame: pl.DataFrame) -> list[str]:
    return [name.replace("_", " ") for name in frame.columns]


def _numbers(frame: pl.DataFrame) -> set[str]:
    return {name for name, kind in frame.schema.items() if kind.is_numeric()}


def _shown(table: Table, plots: Sequence[PlotFile]) -> Mapping[str, Any]:
    n_shown = len(table.frame) if len(table.frame) <= _SHOWN_WHOLE else _ROWS_ON_PAGE
    return {
        "name": table.name,
        "title": table.title,
        "note": table.note,
        "plots": plots,
        "columns": _headers(table.frame),
        "numbers": {name.replace("_", " ") for name in _numbers(table.frame)},
        "rows": worded(table.frame.head(n_shown)),
        "n_more": len(table.frame) - n_shown,
    }
