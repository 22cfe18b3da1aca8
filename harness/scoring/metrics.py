"""Scores of one system against one reference, its lead over another system, and the loss of each of its predictions."""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
from sklearn.metrics import f1_score

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.scoring.references import WEIGHTINGS
from harness.scoring.significance import clustered_intervals, wilson_interval

ALL = "all"
"""Every target right at once."""
WEIGHTED = "weighted"
"""Mean over targets, each weighing its importance."""

SCORE_COLUMNS = ("reference", "weighting", "history", "metric", "target", "value", "low", "high", "titles", "records")
EVERY_HISTORY = "any"

_MIN_PROBABILITY = 1e-12
"""A class that a system rules out costs 27.6 nats, not infinitely many."""


def macro_f1(
    gold: npt.NDArray[np.integer], predicted: npt.NDArray[np.integer], weights: npt.NDArray[np.float64]
) -> float:
    """Average the F1 of each class that the reference has, every such class weighing the same.

    Args:
        gold: class positions, shape (n_rows,).
        predicted: class positions of one system, same order.
        weights: of the rows, shape (n_rows,).

    Source: Opitz and Burst 2019, arXiv:1911.03347 (averaged F1).
    """
    present = np.unique(gold)
    return float(f1_score(gold, predicted, labels=present, average="macro", sample_weight=weights, zero_division=0.0))


def score_rows(rows: pl.DataFrame, predictions: Predictions, seed: int) -> pd.DataFrame:
    """Score predictions against every reference, by record and by title, and by how titles were labelled.

    Args:
        rows: as `references.make_references` gathers them.
        predictions: of one system, for at least the titles in `rows`.
        seed: of the bootstrap.

    Returns:
        One score per row, `SCORE_COLUMNS`; `low` and `high` bound the 95% interval and are missing for macro-F1.
    """
    found: list[tuple[object, ...]] = []
    for (reference,), group in rows.group_by("reference", maintain_order=True):
        gathered = _Hits(group, predictions)
        for weighting in WEIGHTINGS:
            for score in gathered.scores(weighting, seed):
                found.append((reference, weighting, EVERY_HISTORY, *score))
        if reference == "legacy":
            for (history,), part in group.group_by("history", maintain_order=True):
                for score in _Hits(part, predictions).scores("per record", seed):
                    found.append((reference, "per record", history, *score))
    return pd.DataFrame(found, columns=list(SCORE_COLUMNS))


def compare_rows(rows: pl.DataFrame, predictions: Predictions, baseline: Predictions, seed: int) -> pd.DataFrame:
    """Measure how far one system is ahead of another on the same titles, per record and per title.

    Args:
        rows: as `references.make_references` gathers them.
        predictions: of the system in question.
        baseline: of the system that it should beat.
        seed: of the bootstrap.

    Returns:
        `reference`, `weighting`, `target`, `difference` in accuracy (above 0: ahead), and the bounds `low` and `high`
        of its 95% interval, both systems scored on the same resampled titles.
    """
    found: list[tuple[object, ...]] = []
    for (reference,), group in rows.group_by("reference", maintain_order=True):
        hits, base = _Hits(group, predictions), _Hits(group, baseline)
        for weighting in WEIGHTINGS:
            points, weights = hits.points(weighting)
            ahead = points - base.points(weighting)[0]
            bounds = clustered_intervals(ahead, weights, seed)
            for name, value, (low, high) in zip(hits.names, weights @ ahead / weights.sum(), bounds, strict=True):
                found.append((reference, weighting, name, float(value), float(low), float(high)))
    return pd.DataFrame(found, columns=["reference", "weighting", "target", "difference", "low", "high"])


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


class _Hits:
    """Which rows of one reference one system got right."""

    def __init__(self, rows: pl.DataFrame, predictions: Predictions) -> None:
        self.taxonomy: Taxonomy = predictions.taxonomy
        positions = predictions.rows_of(rows["title"].to_numpy())
        self.predicted = {name: predictions.predicted(name)[positions] for name in self.taxonomy.names}
        self.gold = {target.name: target.encode(rows[target.name].to_list()) for target in self.taxonomy.targets}
        self.records = rows["records"].to_numpy().astype(np.float64)  # (n_rows,)
        self.title_codes, distinct = pd.factorize(rows["title"].to_numpy())  # (n_rows,)
        self.n_titles = len(distinct)
        right = np.column_stack([self.predicted[name] == self.gold[name] for name in self.taxonomy.names])
        importance = np.array([target.importance for target in self.taxonomy.targets])
        weighted = right @ (importance / importance.sum())
        self.names = (*self.taxonomy.names, ALL, WEIGHTED)
        self.right = np.column_stack([right, right.all(axis=1), weighted]).astype(np.float64)  # (n_rows, n_scores)

    def row_weights(self, weighting: str) -> npt.NDArray[np.float64]:
        """Return what each row weighs, (n_rows,)."""
        if weighting == "per record":
            return self.records
        of_title = np.bincount(self.title_codes, self.records, minlength=self.n_titles)  # (n_titles,)
        return np.asarray(self.records / of_title[self.title_codes])

    def points(self, weighting: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return what each title scores, (n_titles, n_scores), and what it weighs, (n_titles,)."""
        row_weights = self.row_weights(weighting)
        weights = np.bincount(self.title_codes, row_weights, minlength=self.n_titles).astype(np.float64)
        totals = [
            np.bincount(self.title_codes, row_weights * column, minlength=self.n_titles) for column in self.right.T
        ]
        return np.column_stack(totals) / weights[:, None], weights

    def scores(self, weighting: str, seed: int) -> Iterator[tuple[object, ...]]:
        """Yield metric, target, value, low, high, titles, records."""
        points, weights = self.points(weighting)
        values = weights @ points / weights.sum()
        bounds = clustered_intervals(points, weights, seed)
        counted = (self.n_titles, int(self.records.sum()))
        for position, (name, value) in enumerate(zip(self.names, values, strict=True)):
            low, high = bounds[position]
            hits = set(np.unique(points[:, position]))
            # Whole titles that are right or wrong have an exact answer, which few titles need most.
            if name != WEIGHTED and np.ptp(weights) == 0 and hits <= {0.0, 1.0}:
                low, high = wilson_interval(round(points[:, position].sum()), self.n_titles)
            # All right or all wrong, resampling sees no doubt; as many titles of equal weight would still leave some.
            elif hits in ({0.0}, {1.0}):
                n_equal = max(1, round(weights.sum() ** 2 / (weights**2).sum()))
                low, high = wilson_interval(round(n_equal * value), n_equal)
            yield ("accuracy", name, float(value), float(low), float(high), *counted)
        row_weights = self.row_weights(weighting)
        f1 = [macro_f1(self.gold[name], self.predicted[name], row_weights) for name in self.taxonomy.names]
        for name, value in zip(self.taxonomy.names, f1, strict=True):
            yield ("macro_f1", name, value, None, None, *counted)
