"""The tables that compare the systems of a run; the fit that does best on unseen titles comes first in each."""

from dataclasses import dataclass

import pandas as pd

from data_cleaning.report_table import Table
from harness.scoring.hits import ALL, WEIGHTED

_FIRST = 20
_FIT = ["split", "learned_from"]
_METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "ordinal_error": "ordinal error",
}


@dataclass(frozen=True)
class ComparisonFigures:
    """What was measured against one reference per record.

    Every frame begins with `split`, `learned_from` and `system`, and is sorted by these: fits split by title first,
    with reviewed titles first, and of these the best system first.
    """

    reference: str
    scores: pd.DataFrame
    """What `metrics.score_rows` returns."""
    by_class: pd.DataFrame
    confusion: pd.DataFrame
    """What `class_scores.class_scores` returns."""
    pairs: pd.DataFrame | None
    """What `pairs.compare_rows` returns about all targets; None for one system."""


def comparison_tables(figures: ComparisonFigures) -> list[Table]:
    """Return every table that compares systems, the most important one first."""
    tables = [] if figures.pairs is None else [_pairs(figures, figures.pairs)]
    return [*tables, _by_target(figures), _by_class(figures), _confusion(figures)]


def _pairs(figures: ComparisonFigures, pairs: pd.DataFrame) -> Table:
    note = (
        f"Accuracy per record against {figures.reference} with all targets right, minus that of the baseline, with its "
        "95% interval (titles resampled with all their records); and the titles on which the system does better and "
        "worse, with McNemar's exact test of these, corrected for all pairs by Holm. A system is ahead or behind where "
        f"both leave no doubt; the others are level. Shown for {_named(pairs)}."
    )
    columns = ["difference", "low", "high", "better", "worse", "p_holm", "verdict"]
    frame = pairs[[*_FIT, "system", "baseline", *columns]]
    return Table("pairs", "Which systems are ahead of which?", note, frame, _n_first(pairs, _FIT))


def _by_target(figures: ComparisonFigures) -> Table:
    scores = figures.scores[~figures.scores["target"].isin([ALL, WEIGHTED])]
    keys = [*_FIT, "system", "target"]
    order = scores[keys].drop_duplicates()
    wide = scores.pivot_table(index=keys, columns="metric", values="value", sort=False).reset_index()
    metrics = [name for name in _METRICS if name in wide]
    frame = order.merge(wide, on=keys)[[*keys, *metrics]].rename(columns=_METRICS)
    note = (
        f"Per record against {figures.reference}. Balanced accuracy and macro F1 are means over classes, so that rare "
        "ones count as much as frequent ones; weighted F1 weighs each class by its records. "
        + ("The ordinal error is the mean number of classes between label and answer. " if len(metrics) == 5 else "")
        + f"Shown for {_named(frame)}."
    )
    return Table("by_target", "How good is each system on each target?", note, frame, _n_first(frame, _FIT))


def _by_class(figures: ComparisonFigures) -> Table:
    note = (
        f"Records of each class by {figures.reference} (support); of the answers with a class, the share that is right "
        "(precision); of its records, the share that is found (recall). "
        f"Shown for {_named(figures.by_class, 'system')}."
    )
    n_rows = _n_first(figures.by_class, [*_FIT, "system"])
    return Table("by_class", "Which classes are hard?", note, figures.by_class, n_rows)


def _confusion(figures: ComparisonFigures) -> Table:
    keys = [*_FIT, "system"]
    counted = figures.confusion
    of_label = counted.groupby([*keys, "target", "label"], sort=False)["records"].transform("sum")
    frame = counted.assign(share=counted["records"] / of_label, is_right=counted["label"] == counted["predicted"])
    rank = frame.groupby(keys, sort=False).ngroup()
    frame = frame.assign(rank=rank).sort_values(
        ["rank", "is_right", "records"], ascending=[True, True, False], kind="stable"
    )
    note = (
        f"Records whose label by {figures.reference} gets another answer, the most frequent mistakes first, and their "
        f"share of the records with that label. Shown for {_named(frame, 'system')}; confusion.csv has every system, "
        "right answers too."
    )
    n_rows = min(_FIRST, _n_first(frame, keys))
    return Table("confusion", "What is taken for what?", note, frame.drop(columns=["rank", "is_right"]), n_rows)


def _named(frame: pd.DataFrame, *more: str) -> str:
    """Say which fit the first rows are about."""
    first = frame.iloc[0]
    who = first["system"] if more else "systems"
    return f"{who} split by {first['split']} and learned from {first['learned_from']} labels"


def _n_first(frame: pd.DataFrame, keys: list[str]) -> int:
    """Count the rows that are about the same as the first one."""
    return int((frame[keys] == frame[keys].iloc[0]).all(axis=1).sum())
