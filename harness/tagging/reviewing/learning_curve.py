"""How accuracy has grown with the number of reviewed titles, and what more of them would bring."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from baselines.tfidf import TfidfClassifier
from baselines.tfidf_features import TfidfSettings
from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.progress import Progress, silent
from data_cleaning.titles import BoolArray, IntArray, LabelledTitles
from harness.experiment.joint_answers import all_right

MIN_TITLES = 80
"""Reviewed titles, below which nothing can be said of a curve."""

_FOLDS, _ROUNDS = 5, 3
_SHARES = (0.2, 0.35, 0.6, 1.0)
"""Of the titles that are not held out, that are learned from."""

_DRAWS, _INTERVAL = 1_000, (0.05, 0.95)
"""Resamples of the folds, and the part of them that an interval holds: nine in ten."""


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """The cross-validated accuracy of a cheap learner against the number of reviewed titles."""

    n_titles: IntArray
    """Learned from, ascending, (n_sizes,)."""
    right: npt.NDArray[np.float64]
    """Share of held-out titles with every known label right, per repetition, (n_repetitions, n_sizes)."""

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """Mean over repetitions, (n_sizes,)."""
        return self.right.mean(axis=0)

    def gain(self, n_now: int, n_more: int, seed: int = 0) -> tuple[float, float, float]:
        """Return the gain in accuracy that more titles would bring, and the bounds of its 90% interval.

        The error is taken to fall as a power of the number of titles. The bounds come from resampled repetitions, and
        are as much wider as repetitions that share titles ask for.

        Source: Cortes et al. 1993, "Learning curves: asymptotic values and rate of convergence", NIPS 6, without
        asymptote, as few sizes do not show one; Nadeau and Bengio 2003, "Inference for the generalization error",
        Machine Learning 52, equation 9.
        """
        drawn = np.random.default_rng(seed).integers(len(self.right), size=(_DRAWS, len(self.right)))
        gains = [self._gain(self.right[rows].mean(axis=0), n_now, n_more) for rows in drawn]
        gain, bounds = self._gain(self.mean, n_now, n_more), np.quantile(gains, _INTERVAL)
        wider = np.sqrt(1 + len(self.right) / (_FOLDS - 1))  # of 1 / n repetitions, to 1 / n + tested / learned
        low, high = gain + wider * (bounds - gain)
        return gain, float(low), float(high)

    def _gain(self, right: npt.NDArray[np.float64], n_now: int, n_more: int) -> float:
        errors = np.log(np.maximum(1 - right, 1e-3))
        slope, at_one = np.polyfit(np.log(self.n_titles), errors, 1)
        now, then = (float(np.exp(at_one + slope * np.log(n))) for n in (n_now, n_now + n_more))
        return now - then


def learning_curve(rows: LabelledTitles, on_progress: Progress = silent, seed: int = 0) -> LearningCurve | None:
    """Measure TF-IDF on reviewed titles by cross-validation, near duplicates in one fold; None for too few titles."""
    keys = near_duplicate_keys(rows.titles.tolist()).to_numpy()
    number, distinct = pd.factorize(keys, sort=True)
    if len(distinct) < MIN_TITLES:
        return None
    n_learned = len(distinct) * (_FOLDS - 1) // _FOLDS
    sizes = np.array([round(share * n_learned) for share in _SHARES])
    right = np.zeros((_FOLDS * _ROUNDS, len(sizes)))
    for repetition in range(len(right)):
        turn, fold = divmod(repetition, _FOLDS)
        order = np.random.default_rng([seed, turn]).permutation(len(distinct))
        is_held = np.isin(number, order[fold::_FOLDS])
        others = np.array([key for at, key in enumerate(order) if at % _FOLDS != fold])
        for at, size in enumerate(sizes):
            right[repetition, at] = _share_right(rows, np.isin(number, others[:size]), is_held)
        on_progress("learning curve", repetition + 1, len(right), "folds")
    return LearningCurve(n_titles=sizes, right=right)


def _share_right(rows: LabelledTitles, learned: BoolArray, held: BoolArray) -> float:
    tested = rows.select(held)
    system = TfidfClassifier(TfidfSettings()).fit(rows.select(learned), rows.select(learned))
    return float(all_right(system.predict_proba(tested.titles.tolist()), tested.labels).mean())
