"""Which rows of a reference a system got right."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions

ALL = "all"
"""Every target right at once."""
WEIGHTED = "weighted"
"""Mean over targets, each weighing its importance."""


class Hits:
    """Which rows of one reference one system got right."""

    def __init__(self, rows: pl.DataFrame, predictions: Predictions) -> None:
        """Compare the rows of one reference, as `references.make_references` gathers them, with predictions."""
        self.taxonomy: Taxonomy = predictions.taxonomy
        self.title_codes, self.titles = pd.factorize(rows["title"].to_numpy())  # (n_rows,), (n_titles,)
        self.n_titles = len(self.titles)
        positions = predictions.rows_of(self.titles)[self.title_codes]
        self.predicted = {name: predictions.predicted(name)[positions] for name in self.taxonomy.names}
        self.gold = {target.name: target.encode(rows[target.name].to_list()) for target in self.taxonomy.targets}
        self.records = rows["records"].to_numpy().astype(np.float64)  # (n_rows,)
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

    def cells(self, target: str, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the weight of the rows, (n_rows,), with each label and answer, (n_classes, n_classes)."""
        n_classes = self.taxonomy.n_classes(target)
        cell = self.gold[target].astype(np.int64) * n_classes + self.predicted[target]
        return np.bincount(cell, weights, minlength=n_classes**2).reshape(n_classes, n_classes).astype(np.float64)
