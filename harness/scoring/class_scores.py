"""Scores of the classes of a target: how much of each is found, what is taken for it, and what that makes in all."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
from sklearn.metrics import precision_recall_fscore_support

from data_cleaning.taxonomy import Target
from data_cleaning.titles import Predictions
from harness.scoring.hits import Hits

Weights = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ClassScores:
    """Scores of the classes of one target, each (n_classes,)."""

    cells: Weights
    """Weight of the rows with each label and answer, (n_classes, n_classes)."""
    precision: Weights
    """0 for a class that is never answered."""
    recall: Weights
    """0 for a class that the reference lacks."""
    f1: Weights

    @classmethod
    def of(cls, cells: Weights) -> Self:
        """Score the weight of the rows with each label and answer, (n_classes, n_classes)."""
        n_classes = len(cells)
        label, answer = np.divmod(np.arange(n_classes**2), n_classes)
        precision, recall, f1, _ = precision_recall_fscore_support(
            label, answer, labels=np.arange(n_classes), sample_weight=cells.ravel(), zero_division=0.0
        )
        return cls(cells, precision, recall, f1)

    @property
    def support(self) -> Weights:
        """Weight of the rows with each label."""
        return np.asarray(self.cells.sum(axis=1))

    def by_metric(self, target: Target) -> dict[str, float]:
        """Return the scores of the whole target by name.

        `macro_f1` and `balanced_accuracy` are means over the classes that the reference has, of their F1 and recall;
        `weighted_f1` weighs each class by its rows. `ordinal_error` is the mean number of classes between label and
        answer, where the order of the classes means something.

        Source: Opitz and Burst 2019, arXiv:1911.03347 (averaged F1).
        """
        present = self.support > 0
        found = {
            "macro_f1": self.f1[present].mean(),
            "weighted_f1": np.average(self.f1, weights=self.support),
            "balanced_accuracy": self.recall[present].mean(),
        }
        if target.ordinal:
            label, answer = np.indices(self.cells.shape)
            found["ordinal_error"] = (self.cells * np.abs(label - answer)).sum() / self.cells.sum()
        return {name: float(value) for name, value in found.items()}


def class_scores(rows: pl.DataFrame, predictions: Predictions) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score every class of every target per record, and count what is taken for what.

    Args:
        rows: as `references.make_references` gathers them.
        predictions: of one system, for at least their titles.

    Returns:
        The classes: `reference`, `target`, `class`, `support` in records, `precision` (missing where the class is never
        answered), `recall` (missing without support) and `f1`. And the confusion: `reference`, `target`, `label`,
        `predicted` and `records`, without those that have none.
    """
    by_class, confusion = [], []
    for (reference,), group in rows.group_by("reference", maintain_order=True):
        hits = Hits(group, predictions)
        for target in predictions.taxonomy.targets:
            scores = ClassScores.of(hits.cells(target.name, hits.records))
            about = {"reference": reference, "target": target.name}
            classes = np.array(target.classes, dtype=object)
            answered = scores.cells.sum(axis=0) > 0
            has_label = scores.support > 0
            frame = pd.DataFrame(
                {
                    **about,
                    "class": classes,
                    "support": scores.support.astype(np.int64),
                    "precision": np.where(answered, scores.precision, np.nan),
                    "recall": np.where(has_label, scores.recall, np.nan),
                    "f1": scores.f1,
                }
            )
            by_class.append(frame[answered | has_label])
            label, answer = np.nonzero(scores.cells)
            records = scores.cells[label, answer].astype(np.int64)
            named = {"label": classes[label], "predicted": classes[answer], "records": records}
            confusion.append(pd.DataFrame({**about, **named}))
    return pd.concat(by_class, ignore_index=True), pd.concat(confusion, ignore_index=True)
