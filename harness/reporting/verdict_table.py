"""The one table beside a run's verdict: each system at its best, on the evidence that decided."""

import pandas as pd

from data_cleaning.report_table import Table
from harness.reporting.tables import ANY, RunFigures
from harness.scoring.hits import ALL
from harness.scoring.metrics import EVERY_HISTORY
from harness.scoring.references import WEIGHTINGS
from harness.scoring.scores_file import Standing, Verdict


def verdict_table(figures: RunFigures, verdict: Verdict) -> Table:
    """Return one row per system: its best score, how far that is from the table in force, and what it costs."""
    evidence, targets = verdict.evidence, figures.taxonomy.names
    wanted = {"split": evidence.split, "reference": evidence.reference, "weighting": WEIGHTINGS[0]}
    wanted |= {"history": EVERY_HISTORY, "metric": "accuracy"}
    scores = figures.scores[(figures.scores[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    values = scores.pivot_table(index=["system", "learned_from"], columns="target", values="value", sort=False)
    of_fit = {(str(name[0]), str(name[1])): row for name, row in values.to_dict("index").items()}  # type: ignore[index]
    versus = next((f"vs {one.against_table.than}" for one in verdict.standings if one.against_table), None)
    rows = []
    for one in _best_of_each(verdict):
        of_targets = next(
            row for (name, labels), row in of_fit.items() if name == one.system and one.learned_from in (None, labels)
        )
        row = {
            "verdict": "use" if one.system == verdict.use else "level" if one.may_be_best else "",
            "system": one.system,
            "learned_from": one.learned_from or ANY,
            **{name: of_targets[name] for name in targets},
            ALL: one.score,
            "low": one.low,
            "high": one.high,
        }
        if versus is not None:
            gap = one.against_table
            row |= {versus: gap and gap.difference, "from": gap and gap.low, "to": gap and gap.high}
        rows.append(row | {"s per million": round(one.cost.seconds_per_million_titles)})
    known = {one.system for one in verdict.standings}
    for floor, of_floor in {name: row for (name, _), row in of_fit.items() if name not in known}.items():
        shown = {name: of_floor[name] for name in (*targets, ALL)}
        rows.append({"verdict": "floor", "system": floor, "learned_from": ANY, **shown})
    than = f"; the difference from {versus.removeprefix('vs ')} with its own interval" if versus else ""
    note = (
        f"Share of records right against {evidence.reference}, split by {evidence.split}, for each target and for all "
        f"at once with its 95% interval{than}; seconds to answer for a million titles. Each system with the labels "
        "that serve it best."
    )
    frame = pd.DataFrame(rows).astype({"s per million": "Int64"})
    return Table("verdict", "Which system to use", note, frame)


def _best_of_each(verdict: Verdict) -> list[Standing]:
    """Return the highest standing of each system, but of the one that is used the one that is used."""
    best: dict[str, Standing] = {}
    for one in verdict.standings:
        if one.system != verdict.use or one.learned_from == verdict.learned_from:
            best.setdefault(one.system, one)
    return list(best.values())
