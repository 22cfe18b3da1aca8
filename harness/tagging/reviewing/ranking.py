"""Which titles are most worth a person's minute: frequent, disputed, doubtful and unlike those reviewed already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from baselines.tfidf_features import TfidfSettings, TitleFeatures
from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, IntArray, StrArray

_FLOOR = 0.1
"""Of disagreement and of doubt, so that neither alone rules a title out."""

_RECORDS_POWER = 0.5
"""Of the records of a title: a title of 10,000 records is worth ten of 100 records."""

Answers = Mapping[str, FloatArray]
"""Target to the probabilities of one system, (n_titles, n_classes)."""


@dataclass(frozen=True, kw_only=True)
class Worth:
    """What makes titles worth reviewing; arrays have length n_titles, and shares are from 0 to 1."""

    records: IntArray
    disagreement: npt.NDArray[np.float64]
    """Share of the pairs of systems that answer differently, the mean over targets by importance."""
    doubt: npt.NDArray[np.float64]
    """What the most probable class lacks to certainty in the mean of all systems, over targets by importance."""

    @property
    def alone(self) -> npt.NDArray[np.float64]:
        """The worth of each title whatever else is reviewed."""
        certain = (_FLOOR + self.disagreement) * (_FLOOR + self.doubt)
        return np.asarray(self.records, dtype=np.float64) ** _RECORDS_POWER * certain


def worth_of(records: IntArray, systems: Sequence[Answers], taxonomy: Taxonomy) -> Worth:
    """Compare what systems, at least one, answer for titles of so many records, (n_titles,)."""
    weights = np.array([target.importance for target in taxonomy.targets])
    weights = weights / weights.sum()
    disagreement, doubt = np.zeros(len(records)), np.zeros(len(records))
    for weight, target in zip(weights, taxonomy.names, strict=True):
        votes = np.stack([answers[target].argmax(axis=1) for answers in systems])  # (n_systems, n_titles)
        differ = votes[:, None] != votes[None]  # (n_systems, n_systems, n_titles)
        pairs = max(len(systems) * (len(systems) - 1), 1)
        disagreement += weight * differ.sum(axis=(0, 1)) / pairs
        doubt += weight * (1 - np.mean([answers[target] for answers in systems], axis=0).max(axis=1))
    return Worth(records=records, disagreement=disagreement, doubt=doubt)


def choose(titles: StrArray, worth: npt.NDArray[np.float64], known: Sequence[str], n_titles: int) -> IntArray:
    """Choose titles one by one, each by its worth times how unlike it is to the known ones and to those chosen before.

    Unlike is 1 minus the largest cosine of TF-IDF features. Of near duplicates one is chosen, and none of a known one.

    Args:
        titles: distinct, (n_offered,).
        worth: of each title, (n_offered,), above 0.
        known: titles that were reviewed already.
        n_titles: how many to choose, if there are so many.

    Returns:
        Positions of the chosen titles, those most worth first.
    """
    keys = near_duplicate_keys([*titles, *known])
    number = keys.to_frame("key").select(pl.col("key").rank("dense")).to_series().to_numpy()
    of_title, of_known = number[: len(titles)], number[len(titles) :]
    features = TitleFeatures(TfidfSettings(min_titles=1)).fit(titles) if len(titles) else None
    if features is None:
        return np.zeros(0, dtype=np.int64)
    rows = features.transform(titles)
    likeness = _largest_cosine(rows, features.transform(list(known)))
    free = ~np.isin(of_title, of_known)
    chosen: list[int] = []
    while len(chosen) < n_titles and free.any():
        best = int(np.where(free, worth * (1 - likeness), -1.0).argmax())
        chosen.append(best)
        free &= of_title != of_title[best]
        likeness = np.maximum(likeness, cosines(rows, rows[best]).toarray()[:, 0])
    return np.array(chosen, dtype=np.int64)


def _largest_cosine(rows: sparse.csr_matrix, others: sparse.csr_matrix) -> npt.NDArray[np.float64]:
    """Return the largest cosine of each row with any other, 0 without others, (n_rows,)."""
    if not others.shape[0]:
        return np.zeros(rows.shape[0])
    return np.asarray(cosines(rows, others).max(axis=1).toarray()[:, 0], dtype=np.float64)


def cosines(rows: sparse.csr_matrix, others: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the cosine of each row of `TitleFeatures` with each other one, in [0, 1], (n_rows, n_others)."""
    # Words and characters have a length of 1 each, so that two equal titles have 2.
    return (rows @ others.T).multiply(0.5).tocsr()
