"""What is believed about the classes of titles: by a network, by a person who labelled them, or by their records."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, IntArray, StrArray


@dataclass(frozen=True, kw_only=True)
class Beliefs:
    """Distinct titles of one part, what each weighs, and how likely each class of each target is held to be."""

    taxonomy: Taxonomy
    titles: StrArray
    """Distinct, (n_titles,)."""
    records: IntArray
    """Records of each title, at least 1, (n_titles,)."""
    shares: Mapping[str, FloatArray]
    """Target to the belief in each class, rows that sum to 1, each (n_titles, n_classes)."""
    reviewed: npt.NDArray[np.bool_]
    """Whether a person labelled the title, whose word is then believed alone, (n_titles,)."""

    def __len__(self) -> int:
        """Return the number of titles."""
        return len(self.titles)

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """What each title weighs where keywords are chosen: the root of its records, so that none drowns the others."""
        return np.sqrt(self.records.astype(np.float64))

    def verdicts(self, target: str) -> IntArray:
        """Return the class that is believed in most, (n_titles,)."""
        return self.shares[target].argmax(axis=1)

    def select(self, titles: npt.NDArray[np.bool_] | IntArray) -> "Beliefs":
        """Return those that a mask or positions name, in that order."""
        return Beliefs(
            taxonomy=self.taxonomy,
            titles=self.titles[titles],
            records=self.records[titles],
            shares={target: rows[titles] for target, rows in self.shares.items()},
            reviewed=self.reviewed[titles],
        )


def beliefs_of(rows: pl.DataFrame, taxonomy: Taxonomy, answers: Mapping[str, FloatArray] | None) -> Beliefs:
    """Gather what is believed about the titles of some rows.

    Args:
        rows: `title`, `source`, a label per target and `count`; titles come in sorted order.
        taxonomy: names the targets.
        answers: a network's probabilities for the sorted distinct titles, target to (n_titles, n_classes), which are
            believed wherever no person labelled the title; None believes the records: each class by its share of them.
    """
    titles = np.array(sorted(rows["title"].unique().to_list()), dtype=object)
    position = pd.Index(titles)
    at = position.get_indexer(rows["title"].to_list())  # (n_rows,)
    is_reviewed = (rows["source"] == "reviewed").to_numpy()  # (n_rows,)
    counts = rows["count"].to_numpy()
    records = np.bincount(at[~is_reviewed], counts[~is_reviewed], minlength=len(titles))
    reviewed = np.zeros(len(titles), dtype=bool)
    reviewed[at[is_reviewed]] = True
    shares: dict[str, FloatArray] = {}
    for target in taxonomy.targets:
        codes = target.encode(rows[target.name].to_list())
        told = np.zeros((len(titles), target.n_classes))
        believed = is_reviewed | ~reviewed[at]
        np.add.at(told, (at[believed], codes[believed]), counts[believed])
        told /= told.sum(axis=1, keepdims=True)
        if answers is not None:
            told = np.where(reviewed[:, None], told, answers[target.name])
        shares[target.name] = told
    return Beliefs(
        taxonomy=taxonomy,
        titles=titles,
        records=np.maximum(records, 1).astype(np.int64),
        shares=shares,
        reviewed=reviewed,
    )
