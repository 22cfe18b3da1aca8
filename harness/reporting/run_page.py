"""The page of a run, `report.html`: its verdict, charts and contents, a box for a title, and every table by subject."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from data_cleaning.errors import counted
from data_cleaning.report_table import Table
from harness.reporting.charts import charts_of
from harness.reporting.pages import Opening, Section, table_section, write_page
from harness.scoring.hits import ALL
from harness.scoring.scores_file import Verdict

_DETAILS = "Research details"
_GROUPS = {
    "Scores": ("verdict", "summary"),
    "Data": ("ledger", "parts", "references", "learned_from"),
    "Comparison": (
        *("pairs", "by_target", "slices", "robustness", "seeds", "learning_curve", "golden", "what_cleaning_bought"),
        *("target_accuracy", "risk_coverage", "calibration", "reliability"),
    ),
    "Errors": ("by_class", "confusion", "errors", "three_way", "seed_titles", "golden_titles"),
    "Mining": ("mined_lift", "mined_folds", "mined_changes", "mined_examples"),
    "Cost": ("costs",),
}
"""Which tables are about what, in reading order; tables that are in no group are details."""


def write_run_page(
    path: Path,
    tables: Sequence[Table],
    facts: Mapping[str, Any],
    verdict: Verdict | None = None,
    lookup: Mapping[str, Any] | None = None,
) -> None:
    """Write the page of a run beside its folder `tables`.

    Args:
        path: of the page.
        tables: in reading order.
        facts: those of `run.json`.
        verdict: None where the run has only a floor.
        lookup: what the box for a title knows, as `title_lookup.lookup` returns it; None leaves the box out.
    """
    splits = ", ".join(f"{by} {split_hash}" for by, split_hash in facts["split_hash"].items())
    footer = (
        f"Fingerprint {facts['fingerprint']}; sources at {facts['commit'] or 'no commit'}; data {facts['data_hash']}; "
        f"splits {splits}. Beside this page are scores.json and the folder “tables”, with every table as Markdown, CSV "
        "and LaTeX."
    )
    charts = charts_of(tables)
    opening = Opening(
        verdict=verdict,
        charts=[chart for drawn in charts.values() for chart in drawn if chart.is_main],
        lookup=lookup,
    )
    sections = []
    for group, in_group in _grouped(tables):
        if group == "Data" and facts["warnings"]:
            said = facts["warnings"]
            sections.append(Section(name="warnings", title="What to know first", sentences=said, group=group))
        for table in in_group:
            drawn = [chart for chart in charts.get(table.name, ()) if not chart.is_main]
            sections.append(
                table_section(_scores_first(table), "tables", charts=drawn, group=group, is_detail=group == _DETAILS)
            )
    made_at = facts["made_at"][:16].replace("T", " at ")  # to the minute
    made = f"Made on {made_at} with seed {facts['seed']}, on {facts['device']}."
    if facts["warnings"]:
        made += f" Under Data, {counted(len(facts['warnings']), 'warning')} about the leads."
    heading = f"{facts['name']}: which system should sort our titles?"
    write_page(path, heading, [made], sections, footer, opening)


def _grouped(tables: Sequence[Table]) -> list[tuple[str, list[Table]]]:
    """Return each group with those of its tables that there are."""
    named = {table.name: table for table in tables}
    known = {name for names in _GROUPS.values() for name in names}
    groups = [(group, [named[name] for name in names if name in named]) for group, names in _GROUPS.items()]
    return [*groups, (_DETAILS, [table for table in tables if table.name not in known])]


def _scores_first(table: Table) -> Table:
    """Return a table whose scores follow the name of the system, so that a phone shows them."""
    if table.name not in ("verdict", "summary"):
        return table
    first = [name for name in ("system", ALL, "low", "high") if name in table.frame]
    return replace(table, frame=table.frame[[*first, *table.frame.columns.drop(first)]])
