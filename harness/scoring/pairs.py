"""Whether one system is ahead of another by more than chance, for many pairs of systems at once."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import polars as pl

from data_cleaning.titles import Predictions
from harness.scoring.hits import Hits
from harness.scoring.references import WEIGHTINGS
from harness.scoring.significance import MIN_TITLES, holm, mcnemar_p_value, percentile_interval, resampled_means

AHEAD, BEHIND, TIE, TOO_FEW = "ahead", "behind", "no difference shown", "too few titles"

_LEVEL = 0.05
_KEYS = ["reference", "weighting", "target"]


def compare_rows(
    rows: pl.DataFrame, answers: Mapping[str, Predictions], pairs: Sequence[tuple[str, str]], seed: int
) -> pd.DataFrame:
    """Measure how far one system of each pair is ahead of the other on the same titles, per record and per title.

    Args:
        rows: as `references.make_references` gathers them.
        answers: predictions of every system, by its name.
        pairs: names of a system and of the one that it should beat.
        seed: of the bootstrap.

    Returns:
        `compared`, `baseline`, `reference`, `weighting`, `target`, `difference` in accuracy (above 0: ahead) with the
        bounds `low` and `high` of its 95% interval, all systems scored on the same resampled titles; `better` and
        `worse`, the titles of which more and fewer records are right; `p_value`, of McNemar's exact test of these, and
        `p_holm`, corrected for all pairs of this reference and target; and the `verdict`: ahead or behind where the
        interval leaves out 0 and `p_holm` is below 0.05.
    """
    found: list[tuple[object, ...]] = []
    compared = dict.fromkeys(name for pair in pairs for name in pair)
    for (reference,), group in rows.group_by("reference", maintain_order=True):
        hits = {name: Hits(group, answers[name]) for name in compared}
        names = next(iter(hits.values())).names
        for weighting in WEIGHTINGS:
            points, weights = {}, np.empty(0)
            for name, of_system in hits.items():
                points[name], weights = of_system.points(weighting)
            values = {name: weights @ scored / weights.sum() for name, scored in points.items()}
            means = dict(zip(points, _resampled(list(points.values()), weights, seed), strict=True))
            for name, other in pairs:
                bounds = percentile_interval(means[name] - means[other])
                better, worse = (points[name] > points[other]).sum(axis=0), (points[name] < points[other]).sum(axis=0)
                for at, target in enumerate(names):
                    difference = float(values[name][at] - values[other][at])
                    counted = (int(better[at]), int(worse[at]), mcnemar_p_value(int(better[at]), int(worse[at])))
                    found.append((name, other, reference, weighting, target, difference, *bounds[at], *counted))
    columns = ["compared", "baseline", *_KEYS, "difference", "low", "high", "better", "worse", "p_value"]
    frame = pd.DataFrame(found, columns=columns)
    frame["p_holm"] = frame.groupby(_KEYS)["p_value"].transform(lambda tests: holm(tests.to_numpy()))
    return frame.assign(verdict=_verdicts(frame))


def every_pair(names: Sequence[str], baseline: str) -> list[tuple[str, str]]:
    """Return each pair of systems once: first the pairs with the baseline, which is to be beaten in each of these."""
    order = [baseline, *(name for name in names if name != baseline)]
    return [(name, other) for at, other in enumerate(order) for name in order[at + 1 :]]


def _resampled(points: Sequence[np.ndarray], weights: np.ndarray, seed: int) -> Sequence[np.ndarray]:
    """Return the resampled means of every system, (n_resamples, n_scores) each; missing where titles are too few."""
    n_scores = points[0].shape[1]
    if len(weights) < MIN_TITLES:
        return [np.full((1, n_scores), np.nan)] * len(points)
    return np.split(resampled_means(np.concatenate(points, axis=1), weights, seed), len(points), axis=1)


def _verdicts(frame: pd.DataFrame) -> np.ndarray:
    is_shown = frame["p_holm"] < _LEVEL
    ahead = is_shown & (frame["low"] > 0) & (frame["better"] > frame["worse"])
    behind = is_shown & (frame["high"] < 0) & (frame["better"] < frame["worse"])
    return np.select([frame["low"].isna(), ahead, behind], [TOO_FEW, AHEAD, BEHIND], TIE)
