"""One HTML page with the tables of a run, for people who open a browser rather than a terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment

from harness.reporting.table import Table, is_number

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ facts.name }}: which system should sort our titles?</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; color: #1c2430; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .3rem; }
  p { max-width: 50rem; margin: .3rem 0 .8rem; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
  th { text-align: left; border-bottom: 2px solid #1c2430; vertical-align: bottom; }
  th, td { padding: .25rem .5rem; white-space: nowrap; }
  td.why { white-space: normal; min-width: 18rem; }
  td { border-bottom: 1px solid #d7dce3; }
  .number { text-align: right; }
  tr.group td { border-top: 2px solid #8a94a3; }
  tr.ceiling td { color: #5b6675; font-style: italic; }
  footer { margin-top: 3rem; color: #5b6675; font-size: .85rem; }
</style>
</head>
<body>
<h1>{{ facts.name }}: which system should sort our titles?</h1>
<p>Made {{ facts.made_at }} with seed {{ facts.seed }} on {{ facts.device }}.</p>
{% for table in tables %}
<h2 id="{{ table.name }}">{{ table.title }}</h2>
<p>{{ table.note }}</p>
<div class="scroll"><table>
<thead><tr>{% for column in table.columns %}<th{% if column.number %} class="number"{% endif %}>{{ column.name }}</th>
{%- endfor %}</tr></thead>
<tbody>
{% for row in table.rows %}<tr class="{{ row.style }}">{% for cell in row.cells %}
<td{% if table.columns[loop.index0].style %} class="{{ table.columns[loop.index0].style }}"{% endif %}>{{ cell }}</td>
{%- endfor %}</tr>
{% endfor %}</tbody></table></div>
{% endfor %}
<footer>Fingerprint {{ facts.fingerprint }}; sources at {{ facts.commit or "no commit" }}; data {{ facts.data_hash }};
splits {% for by, hash in facts.split_hash.items() %}{{ by }} {{ hash }}{{ ", " if not loop.last }}{% endfor %}.
The same tables lie beside this page under tables/, as Markdown, CSV and LaTeX.</footer>
</body>
</html>
"""


def write_page(path: Path, tables: Sequence[Table], facts: Mapping[str, Any]) -> None:
    """Write the page; titles and labels in it are escaped."""
    template = Environment(autoescape=True).from_string(_PAGE)
    path.write_text(template.render(tables=[_shown(table) for table in tables], facts=facts), encoding="utf-8")


def _shown(table: Table) -> dict[str, Any]:
    worded = table.shown
    columns = []
    for name in worded:
        number = is_number(table, name)
        style = "number" if number else "why" if name == "why" else ""
        columns.append({"name": str(name).replace("_", " "), "number": number, "style": style})
    rows = []
    previous = None
    for cells in worded.itertuples(index=False):
        styles = ["group"] if previous not in (None, cells[0]) else []
        styles += ["ceiling"] if any(str(cell).startswith("(noise") for cell in cells) else []
        rows.append({"cells": list(cells), "style": " ".join(styles)})
        previous = cells[0]
    return {"name": table.name, "title": table.title, "note": table.note, "columns": columns, "rows": rows}
