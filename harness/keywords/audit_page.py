"""The page of an audit: its findings to read, and the first lines of its tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment

from harness.reporting.table import Table, is_number

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ heading }}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; color: #1c2430; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .3rem; }
  p, li { max-width: 56rem; margin: .3rem 0 .6rem; }
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
<h1>{{ heading }}</h1>
{% for line in notes %}<p>{{ line }}</p>
{% endfor %}
<h2 id="findings">What matters most</h2>
{% if findings %}<ol>
{% for sentence in findings %}<li>{{ sentence }}</li>
{% endfor %}</ol>
{% else %}<p>Nothing was found.</p>
{% endif %}
{% for table in tables %}
<h2 id="{{ table.name }}">{{ table.title }}</h2>
<p>{{ table.note }}</p>
<div class="scroll"><table>
<thead><tr>{% for column in table.columns %}<th{% if column.number %} class="number"{% endif %}>{{ column.name }}</th>
{%- endfor %}</tr></thead>
<tbody>
{% for row in table.rows %}<tr>{% for cell in row %}
<td{% if table.columns[loop.index0].number %} class="number"{% endif %}>{{ cell }}</td>
{%- endfor %}</tr>
{% endfor %}</tbody></table></div>
<p class="more">{% if table.n_more %}{{ "{:,}".format(table.n_more) }} more, and every figure, in {% else %}Every figure
is in {% endif %}<a href="{{ table.name }}.csv">{{ table.name }}.csv</a>.</p>
{% endfor %}
</body>
</html>
"""


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
    shown = []
    for excerpt in excerpts:
        table = excerpt.table
        worded = table.shown
        shown.append(
            {
                "name": table.name,
                "title": table.title,
                "note": table.note,
                "columns": [{"name": str(name).replace("_", " "), "number": is_number(table, name)} for name in worded],
                "rows": worded.to_numpy().tolist(),
                "n_more": excerpt.n_more,
            }
        )
    page = Environment(autoescape=True).from_string(_PAGE)
    text = page.render(heading=heading, notes=notes, findings=findings, tables=shown)
    path.write_text(text, encoding="utf-8")
