"""Scores of one system against one reference, and the loss of each of its predictions."""

from collections.abc import Iterator, Mapping

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

_MIN_PROBABILITY = 1e-12
"""A class that a system rules out costs 27.6 nats, not infinitely many."""


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
            for score in _scores(gathered, weighting, seed):
                found.append((reference, weighting, EVERY_HISTORY, *score))
        if reference == "legacy":
            for (history,), part in group.group_by("history", maintain_order=True):
                for score in _scores(Hits(part, predictions), "per record", seed):
                    found.append((reference, "per record", history, *score))
    return pd.DataFrame(found, columns=list(SCORE_COLUMNS))


def rank_by_loss(rows: pl.DataFrame, predictions: Predictions, target_weights: Mapping[str, float]) -> pl.DataFrame:
    """Put the rows whose labels the predictions give the least chance first.

    Args:
        rows: `part`, `title`, a class name per target and `count`.
        predictions: of at least the titles of the rows.
        target_weights: what each target counts in the loss; only the ratios matter.

    Returns:
        `part`, `title`, the labels, the predicted classes as `predicted_<target>`, `loss` in nats (the weighted mean of
        the targets' cross-entropies) and `records`; the largest loss first, then most records.
    """
    places = predictions.rows_of(rows["title"].to_list())
    loss = np.zeros(len(rows))
    predicted = {}
    for target in predictions.taxonomy.targets:
        labels = target.encode(rows[target.name])
        chances = predictions.probabilities[target.name][places, labels].astype(np.float64)
        loss -= target_weights[target.name] * np.log(np.maximum(chances, _MIN_PROBABILITY))
        positions = predictions.predicted(target.name)[places]
        classes = [target.classes[code] for code in positions]
        predicted[f"predicted_{target.name}"] = pl.Series(classes, dtype=pl.String)
    names = predictions.taxonomy.names
    total = sum(target_weights[name] for name in names)
    ranked = rows.select("part", "title", *names, pl.col("count").alias("records")).with_columns(
        **predicted, loss=pl.Series(loss / total)
    )
    order = ranked.sort("loss", "records", "title", *names, descending=[True, True, False, *(False for _ in names)])
    return order.select("part", "title", *names, *predicted, "loss", "records")


def _scores(hits: Hits, weighting: str, seed: int) -> Iterator[tuple[object, ...]]:
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
    row_weights = hits.row_weights(weighting)
    for target in hits.taxonomy.targets:
        of_classes = ClassScores.of(hits.cells(target.name, row_weights))
        for metric, score in of_classes.by_metric(target).items():
            yield (metric, target.name, score, None, None, *counted)
