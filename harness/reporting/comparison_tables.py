"""The tables that compare the systems of a run; the fit that does best on unseen titles comes first in each."""

from dataclasses import dataclass

import pandas as pd

from data_cleaning.report_table import Table
from harness.scoring.confidence import calibration_errors
from harness.scoring.hits import ALL, WEIGHTED

_FIRST, _MAX_ROWS = 20, 25
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
    confidence_bins: pd.DataFrame
    risk_coverage: pd.DataFrame
    """What `confidence.confidence_scores` returns; the floor is left out of both."""
    slices: pd.DataFrame
    """What `slices.score_slices` returns; without the floor."""
    robustness: pd.DataFrame | None
    """What `robustness.robustness` returns; None where a run has only a floor, which is left out."""
    seeds: tuple[pd.DataFrame, pd.DataFrame] | None
    """What `seeds.compare_seeds` returns; None where nobody asked."""
    errors: pd.DataFrame | None
    """What `disagreements.rank_errors` returns; None where a run has only a floor, which is left out."""
    three_way: pd.DataFrame | None
    """What `disagreements.three_way` returns; None where nothing is known of any title."""
    costs: pd.DataFrame
    """Columns that say what they are."""
    pairs: pd.DataFrame | None
    """What `pairs.compare_rows` returns about all targets; None for one system."""


def comparison_tables(figures: ComparisonFigures) -> list[Table]:
    """Return every table that compares systems, the most important one first."""
    tables = [] if figures.pairs is None else [_pairs(figures, figures.pairs)]
    tables += [_by_target(figures), _by_class(figures), _confusion(figures)]
    tables += [_risk_coverage(figures), _calibration(figures), _reliability(figures)]
    if len(figures.slices):
        tables.append(_slices(figures))
    if figures.robustness is not None and len(figures.robustness):
        tables.append(_robustness(figures, figures.robustness))
    if figures.seeds is not None:
        tables += _seeds(figures.reference, *figures.seeds)
    if figures.errors is not None and len(figures.errors):
        tables.append(_errors(figures.errors))
    if figures.three_way is not None:
        tables.append(_three_way(figures.three_way))
    return [*tables, _costs(figures)]


def _pairs(figures: ComparisonFigures, pairs: pd.DataFrame) -> Table:
    note = (
        f"Accuracy per record against {figures.reference} with all targets right, minus that of the baseline, with its "
        "95% interval (titles resampled with all their records); and the titles on which the system does better and "
        "worse, with McNemar's exact test of these, corrected for all pairs by Holm. A system is ahead or behind where "
        f"both leave no doubt; the others are level. Shown for {_named(pairs)}."
    )
    columns = ["difference", "low", "high", "better", "worse", "p_holm", "verdict"]
    frame = pairs[[*_FIT, "system", "baseline", *columns]]
    n_rows = min(_MAX_ROWS, _n_first(pairs, _FIT))
    return Table("pairs", "Which systems are ahead of which?", note, frame, n_rows)


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
    mistakes = ~frame["is_right"].head(_n_first(frame, keys))
    n_rows = min(_FIRST, int(mistakes.sum()))
    return Table("confusion", "What is taken for what?", note, frame.drop(columns=["rank", "is_right"]), n_rows)


def _risk_coverage(figures: ComparisonFigures) -> Table:
    frame = _by_system(figures.risk_coverage, ["coverage"], "accuracy")
    note = (
        f"Accuracy per record against {figures.reference} with all targets right, where only so large a share of the "
        f"records is answered, those with the highest confidence. Shown for {_named(frame)}."
    )
    n_rows = _n_first(frame, _FIT)
    return Table("risk_coverage", "How right are the answers that a system is sure of?", note, frame, n_rows)


def _calibration(figures: ComparisonFigures) -> Table:
    frame = calibration_errors(figures.confidence_bins, [*_FIT, "system", "target"])
    frame = frame.assign(overconfidence=frame["confidence"] - frame["accuracy"], is_target=frame["target"] != ALL)
    rank = frame.groupby(_FIT, sort=False).ngroup()
    frame = frame.assign(rank=rank).sort_values(["rank", "is_target"], kind="stable")
    frame = frame.drop(columns=["rank", "is_target"]).rename(columns={"ece": "ECE"})
    note = (
        f"Expected calibration error (ECE), per record against {figures.reference}: how far confidence and accuracy "
        "are apart, over ten bins of confidence. The confidence of all targets is the lowest of theirs. "
        f"Shown for all targets of {_named(frame)}; calibration.csv has every target."
    )
    n_rows = _n_first(frame, [*_FIT, "target"])
    return Table("calibration", "Does confidence mean what it says?", note, frame, n_rows)


def _reliability(figures: ComparisonFigures) -> Table:
    bins = figures.confidence_bins
    of_all = bins["target"] == ALL
    keys = [*_FIT, "system"]
    frame = bins.assign(rank=bins.groupby(keys, sort=False).ngroup(), is_target=~of_all)
    frame = frame.sort_values(["rank", "is_target"], kind="stable").drop(columns=["rank", "is_target"])
    note = (
        f"Records by the confidence of their answers, and the share that is right by {figures.reference}. Shown for "
        f"all targets of {_named(frame, 'system')}; reliability.csv has every system and target."
    )
    n_rows = _n_first(frame, [*keys, "target"])
    return Table("reliability", "How right are answers of each confidence?", note, frame, n_rows)


def _slices(figures: ComparisonFigures) -> Table:
    index = ["slice", "value", "titles", "records"]
    keys = [*_FIT, *index]
    frame = _by_system(figures.slices, index, "accuracy")
    margin = figures.slices.assign(margin=(figures.slices["high"] - figures.slices["low"]) / 2)
    widest = margin.groupby(keys, sort=False)["margin"].max().reset_index()
    frame = frame.merge(widest, on=keys, how="left")
    note = (
        f"Accuracy per record against {figures.reference} by kinds of titles and records: all targets, and for the "
        "cause of a simulated label its own target. The margin is half the widest 95% interval of the row; below 20 "
        f"titles there is none. Shown for {_named(frame)}."
    )
    n_rows = min(_MAX_ROWS, _n_first(frame, _FIT))
    return Table("slices", "On which titles are systems good or bad?", note, frame, n_rows)


def _robustness(figures: ComparisonFigures, robustness: pd.DataFrame) -> Table:
    measures = {"changed": "answers that change", "before": "right as written", "after": "right as varied"}
    keys = [*_FIT, "system", "variant", "titles"]
    long = robustness.melt(keys, list(measures), "share", "value")
    long["share"] = long["share"].map(measures)
    frame = _by_system(long, ["variant", "titles", "share"], "value")
    # A stable sort keeps the three shares in their order.
    order = {name: position for position, name in enumerate(robustness["variant"].unique())}
    frame = frame.sort_values("variant", key=lambda column: column.map(order), kind="stable")
    note = (
        "Titles of the test part typed otherwise: the share of them for which the answer for any target changes, and "
        f"the share with all targets right by {figures.reference} before and after. Only titles that the change alters "
        f"are counted. Shown for {_named(frame)}."
    )
    return Table("robustness", "Do answers change with the spelling of a title?", note, frame, len(frame))


def _seeds(reference: str, spread: pd.DataFrame, titles: pd.DataFrame) -> list[Table]:
    note = (
        f"Accuracy per record against {reference} with all targets right, over fits on the same split that differ only "
        "in their seed: the mean, the standard deviation between seeds, and the lowest and highest. Differ is the "
        "share of records that not all seeds answer alike. Systems whose fits draw nothing are left out."
    )
    which = "Test titles that the seeds of a system answer differently, with the number of seeds for each answer."
    return [
        Table("seeds", "How much depends on the seed?", note, spread),
        Table("seed_titles", "Where do seeds disagree?", which, titles, _FIRST),
    ]


def _errors(errors: pd.DataFrame) -> Table:
    note = (
        "Recorded labels of test titles that a system contradicts, those to which it gives the least chance first. The "
        "label is suspect where most of the other systems give the same answer, the system where most give the label; "
        "none of them has learned from these titles. "
        f"Shown for {_named(errors, 'system')}; errors.csv has up to 1,000 of every system."
    )
    n_rows = min(_FIRST, _n_first(errors, [*_FIT, "system"]))
    return Table("errors", "Which labels or answers are most wrong?", note, errors, n_rows)


def _three_way(counted: pd.DataFrame) -> Table:
    known = counted["known"].iloc[0]
    note = (
        f"Records of titles whose right labels are known ({known}), by who contradicts these in any target: the "
        "recorded label alone, the system alone, both alike, or each in its own way. Records where the label alone is "
        "wrong are what a system would gain, those where it alone is wrong what it would cost. "
        f"Shown for {_named(counted)}."
    )
    frame = counted.drop(columns="known")
    return Table("three_way", "Who is wrong: the recorded label or the system?", note, frame, _n_first(counted, _FIT))


def _costs(figures: ComparisonFigures) -> Table:
    keys = [*_FIT, "system"]
    of_all = figures.scores[(figures.scores["metric"] == "accuracy") & (figures.scores["target"] == ALL)]
    frame = figures.costs.merge(of_all[[*keys, "value"]].rename(columns={"value": "accuracy"}), on=keys)
    beaten = [
        ((same["accuracy"] >= accuracy) & (same["titles per second"] >= speed)).sum()
        - ((same["accuracy"] == accuracy) & (same["titles per second"] == speed)).sum()
        for _, same in frame.groupby(_FIT, sort=False)
        for accuracy, speed in zip(same["accuracy"], same["titles per second"], strict=True)
    ]
    frame = frame.assign(**{"Pareto front": ["" if n_better else "yes" for n_better in beaten]})
    note = (
        "Wall seconds on this machine; distinct titles per second; MB by which the memory of the process rose while "
        "the system was fitted, and while it was loaded and answered. On the Pareto front are systems than which no "
        f"other is at least as accurate (per record against {figures.reference}, all targets) and as fast, and better "
        f"in one. Shown for {_named(frame)}."
    )
    return Table("costs", "What does each system cost?", note, frame, _n_first(frame, _FIT))


def _by_system(frame: pd.DataFrame, index: list[str], values: str) -> pd.DataFrame:
    """Spread one value into a column per system, in the order in which they come."""
    systems = frame["system"].unique()
    wide = frame.pivot_table(index=[*_FIT, *index], columns="system", values=values, sort=False)[systems]
    wide.columns.name = None
    return wide.reset_index()


def _named(frame: pd.DataFrame, *more: str) -> str:
    """Say which fit the first rows are about."""
    first = frame.iloc[0]
    who = first["system"] if more else "systems"
    return f"{who} split by {first['split']} and learned from {first['learned_from']} labels"


def _n_first(frame: pd.DataFrame, keys: list[str]) -> int:
    """Count the rows that are about the same as the first one."""
    return int((frame[keys] == frame[keys].iloc[0]).all(axis=1).sum())
