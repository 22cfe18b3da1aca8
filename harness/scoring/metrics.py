"""Scores of one system against every reference."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import polars as pl

from data_cleaning.titles import Predictions
from harness.scoring.class_scores import ClassScores
from harness.scoring.hits import WEIGHTED, Hits
from harness.scoring.references import WEIGHTINGS
from harness.scoring.significance import clustered_intervals, wilson_interval

SCORE_COLUMNS = ("reference", "weighting", "history", "metric", "target", "value", "low", "high", "titles", "records")
EVERY_HISTORY = "any"


def score_rows(rows: pl.DataFrame, predictions: Predictions, seed: int) -> pd.DataFrame:
    """Score predictions against every reference, by record and by title, and by how titles were labelled.

    Args:
        rows: as `references.make_references` gathers them.
        predictions: of one system, for at least the titles in `rows`.
        seed: of the bootstrap.

    Returns:
        One score per row, `SCORE_COLUMNS`; `low` and `high` bound the 95% interval of an accuracy; other metrics
        have none.
    """
    found: list[tuple[object, ...]] = []
    for (reference,), group in rows.group_by("reference", maintain_order=True):
        gathered = Hits(group, predictions)
        for weighting in WEIGHTINGS:
            for score in (*_accuracies(gathered, weighting, seed), *_class_means(gathered, weighting)):
                found.append((reference, weighting, EVERY_HISTORY, *score))
        if reference == "legacy":
            for (history,), part in group.group_by("history", maintain_order=True):
                for score in _accuracies(Hits(part, predictions), "per record", seed):
                    found.append((reference, "per record", history, *score))
    return pd.DataFrame(found, columns=list(SCORE_COLUMNS))


def _accuracies(hits: Hits, weighting: str, seed: int) -> Iterator[tuple[object, ...]]:
    """Yield metric, target, value, low, high, titles, records."""
    points, weights = hits.points(weighting)
    values = weights @ points / weights.sum()
    bounds = clustered_intervals(points, weights, seed)
    counted = (hits.n_titles, int(hits.records.sum()))
    for position, (name, value) in enumerate(zip(hits.names, values, strict=True)):
        low, high = bounds[position]
        reached = set(np.unique(points[:, position]))
        # Whole titles that are right or wrong have an exact answer, which few titles need most.
        if name != WEIGHTED and np.ptp(weights) == 0 and reached <= {0.0, 1.0}:
            low, high = wilson_interval(round(points[:, position].sum()), hits.n_titles)
        # All right or all wrong, resampling sees no doubt; as many titles of equal weight would still leave some.
        elif reached in ({0.0}, {1.0}):
            n_equal = max(1, round(weights.sum() ** 2 / (weights**2).sum()))
            low, high = wilson_interval(round(n_equal * value), n_equal)
        yield ("accuracy", name, float(value), float(low), float(high), *counted)


def _class_means(hits: Hits, weighting: str) -> Iterator[tuple[object, ...]]:
    """Yield the same of the scores that are means over classes, without an interval."""
    row_weights = hits.row_weights(weighting)
    for target in hits.taxonomy.targets:
        of_classes = ClassScores.of(hits.cells(target.name, row_weights))
        for metric, score in of_classes.by_metric(target).items():
            yield (metric, target.name, score, None, None, hits.n_titles, int(hits.records.sum()))
