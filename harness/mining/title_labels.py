"""Soft labels of titles: what a network predicts, what a person decided, or the classes of their records."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, IntArray, StrArray


@dataclass(frozen=True, kw_only=True)
class TitleLabels:
    """Distinct titles of one part of the data with their soft labels and weights."""

    taxonomy: Taxonomy
    titles: StrArray
    """Distinct, (n_titles,)."""
    records: IntArray
    """Records of each title, at least 1, (n_titles,)."""
    shares: Mapping[str, FloatArray]
    """Target to the soft labels, rows that sum to 1, each (n_titles, n_classes)."""
    reviewed: npt.NDArray[np.bool_]
    """Whether a person labelled the title; the soft label is then that person's alone, (n_titles,)."""
    variant: npt.NDArray[np.bool_]
    """Whether the title was derived from another, with labels that are known for it, (n_titles,)."""

    def __len__(self) -> int:
        """Return the number of titles."""
        return len(self.titles)

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """Weight of each title where keywords are chosen: the root of its records, so that none drowns the others."""
        return np.sqrt(self.records.astype(np.float64))

    @property
    def believed(self) -> npt.NDArray[np.bool_]:
        """Whether the label of the title is predicted or recorded, (n_titles,)."""
        return ~self.reviewed & ~self.variant

    def top_classes(self, target: str) -> IntArray:
        """Return the class with the largest share of each title, (n_titles,)."""
        return self._tops[target]

    @cached_property
    def _tops(self) -> dict[str, IntArray]:
        return {target: rows.argmax(axis=1) for target, rows in self.shares.items()}

    def select(self, titles: npt.NDArray[np.bool_] | IntArray) -> "TitleLabels":
        """Return the titles that a mask or positions select, in that order."""
        return TitleLabels(
            taxonomy=self.taxonomy,
            titles=self.titles[titles],
            records=self.records[titles],
            shares={target: rows[titles] for target, rows in self.shares.items()},
            reviewed=self.reviewed[titles],
            variant=self.variant[titles],
        )

    def joined(self, others: "TitleLabels") -> "TitleLabels":
        """Return these titles and then others, which are other titles."""
        both = (self, others)
        return TitleLabels(
            taxonomy=self.taxonomy,
            titles=np.concatenate([of.titles for of in both]),
            records=np.concatenate([of.records for of in both]),
            shares={target: np.concatenate([of.shares[target] for of in both]) for target in self.shares},
            reviewed=np.concatenate([of.reviewed for of in both]),
            variant=np.concatenate([of.variant for of in both]),
        )


def label_titles(rows: pl.DataFrame, taxonomy: Taxonomy, predicted: Mapping[str, FloatArray] | None) -> TitleLabels:
    """Make the soft labels of the titles in some rows.

    Args:
        rows: `title`, `source`, a label per target and `count`; titles come in sorted order.
        taxonomy: names the targets.
        predicted: a network's probabilities for the sorted distinct titles, target to (n_titles, n_classes), which
            label every title that no person labelled; None takes the recorded labels: each class by its share of them.
    """
    titles = np.array(sorted(rows["title"].unique().to_list()), dtype=object)
    at = pd.Index(titles).get_indexer(rows["title"].to_list())  # (n_rows,)
    is_reviewed = (rows["source"] == "reviewed").to_numpy()  # (n_rows,)
    counts = rows["count"].to_numpy()
    records = np.bincount(at[~is_reviewed], counts[~is_reviewed], minlength=len(titles))
    reviewed = np.zeros(len(titles), dtype=bool)
    reviewed[at[is_reviewed]] = True
    counted = is_reviewed | ~reviewed[at]  # (n_rows,)
    shares: dict[str, FloatArray] = {}
    for target in taxonomy.targets:
        codes = target.encode(rows[target.name].to_list())
        recorded = np.zeros((len(titles), target.n_classes))
        np.add.at(recorded, (at[counted], codes[counted]), counts[counted])
        recorded /= recorded.sum(axis=1, keepdims=True)
        if predicted is not None:
            recorded = np.where(reviewed[:, None], recorded, predicted[target.name])
        shares[target.name] = recorded
    return TitleLabels(
        taxonomy=taxonomy,
        titles=titles,
        records=np.maximum(records, 1).astype(np.int64),
        shares=shares,
        reviewed=reviewed,
        variant=np.zeros(len(titles), dtype=bool),
    )
