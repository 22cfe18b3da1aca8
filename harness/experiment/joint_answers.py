"""Answers for all targets of a title together: which classes of two targets go with each other counts for both."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from data_cleaning.titles import FloatArray, IntArray

_UNSEEN = 1 / 30
"""Titles that each pair of classes is taken to have beside those counted."""

_FLOOR = 1e-6
"""Least probability of a class before pairs count, so that one which a fit never saw can still be answered."""

_WEIGHT = 0.5
"""Of the pairs beside a target's own probabilities, which have seen some of the same words."""

ALWAYS = 1.1
"""Above every probability: a bound with which a second opinion is always asked for."""

_ROUNDS = 5
"""How often each target is answered again in view of the others; more changed no answer on real titles."""


@dataclass(frozen=True)
class ClassPairs:
    """How much more often classes of two targets meet in one title than by chance."""

    information: Mapping[tuple[str, str], npt.NDArray[np.float64]]
    """Each two targets to the pointwise mutual information of their classes in nats, (n_classes, n_classes)."""

    @classmethod
    def learn(cls, labels: Mapping[str, IntArray], n_classes: Mapping[str, int]) -> Self:
        """Count pairs in class positions of titles, target to (n_titles,), where both are known."""
        information = {}
        for first, second in itertools.combinations(labels, 2):
            counts = np.zeros((n_classes[first], n_classes[second]))
            known = (labels[first] >= 0) & (labels[second] >= 0)
            np.add.at(counts, (labels[first][known], labels[second][known]), 1)
            by_chance = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / max(counts.sum(), 1)
            information[first, second] = np.log((counts + _UNSEEN) / (by_chance + _UNSEEN))
        return cls(information)

    def decide(self, probabilities: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Return the probabilities of each target, (n_titles, n_classes), in view of those of the others.

        Source: mean-field approximation, Bishop 2006, "Pattern Recognition and Machine Learning", section 10.1.
        """
        alone = {target: np.log(rows.astype(np.float64) + _FLOOR) for target, rows in probabilities.items()}
        answers: dict[str, FloatArray] = {target: softmax(rows, axis=1) for target, rows in alone.items()}
        for _ in range(_ROUNDS):
            for target, rows in alone.items():
                seen_with = [
                    answers[other] @ (information.T if target == first else information)
                    for (first, second), information in self.information.items()
                    if target in (first, second)
                    for other in (second if target == first else first,)
                ]
                answers[target] = softmax(rows + _WEIGHT * sum(seen_with, np.zeros_like(rows)), axis=1)
        return answers


def cooled(probabilities: Mapping[str, FloatArray], temperatures: Mapping[str, float]) -> dict[str, FloatArray]:
    """Return each target's rows with their logarithms divided by its temperature, and as rows that sum to 1 again."""
    return {
        target: softmax(np.log(rows + 1e-12) / temperatures[target], axis=1) for target, rows in probabilities.items()
    }


def mixed(first: Mapping[str, FloatArray], second: Mapping[str, FloatArray], share: float) -> dict[str, FloatArray]:
    """Return the weighted geometric mean of two answers per target, the second having `share` of the weight."""
    return {
        target: softmax((1 - share) * np.log(rows + _FLOOR) + share * np.log(second[target] + _FLOOR), axis=1)
        for target, rows in first.items()
    }


def mixed_where_unsure(
    own: Mapping[str, FloatArray],
    share: float,
    ask: Callable[[IntArray], Mapping[str, FloatArray]],
    below: float,
) -> dict[str, FloatArray]:
    """Mix in a second opinion on those titles of which the own answers leave some target in doubt.

    Args:
        own: class probabilities per target, (n_titles, n_classes).
        share: weight of the second opinion, as for `mixed`.
        ask: given positions of titles, returns the second opinion on these.
        below: probability of the most probable class of a target under which the target is in doubt.
    """
    answers = {target: rows.copy() for target, rows in own.items()}
    unsure = np.flatnonzero(_leaves_doubt(own, below))
    if len(unsure):
        for target, rows in mixed({target: rows[unsure] for target, rows in own.items()}, ask(unsure), share).items():
            answers[target][unsure] = rows
    return answers


def _leaves_doubt(own: Mapping[str, FloatArray], below: float) -> npt.NDArray[np.bool_]:
    doubt: npt.NDArray[np.bool_] = np.min([rows.max(axis=1) for rows in own.values()], axis=0) < below
    return doubt


def honest_titles(own: Mapping[str, FloatArray], held: npt.NDArray[np.bool_], below: float) -> IntArray:
    """Return titles whose mixed answers learned from none of them, in the proportions of all.

    Args:
        own: answers that did not learn from their titles, (n_titles, n_classes) per target.
        held: titles that the second opinion did not learn from either, (n_titles,).
        below: as for `mixed_where_unsure`.

    Returns:
        Positions of all titles without a second opinion, and of the others that are held, repeated to stand for all.
    """
    doubt = _leaves_doubt(own, below)
    others = np.flatnonzero(doubt & held)
    return np.concatenate([np.flatnonzero(~doubt), np.resize(others, doubt.sum() if len(others) else 0)])


def log_likelihood(probabilities: Mapping[str, FloatArray], labels: Mapping[str, IntArray]) -> float:
    """Return the mean over titles of the log probability of the right classes, those that are known, in nats."""
    total = 0.0
    for target, rows in probabilities.items():
        known = np.flatnonzero(labels[target] >= 0)
        total += float(np.log(rows[known, labels[target][known]] + _FLOOR).sum()) / max(len(rows), 1)
    return total


def all_right(probabilities: Mapping[str, FloatArray], labels: Mapping[str, IntArray]) -> npt.NDArray[np.bool_]:
    """Say for which titles the most probable class of every target that is known is right, (n_titles,)."""
    right: Sequence[npt.NDArray[np.bool_]] = [
        (rows.argmax(axis=1) == labels[target]) | (labels[target] < 0) for target, rows in probabilities.items()
    ]
    return np.logical_and.reduce(right)


def is_better(right: npt.NDArray[np.bool_], other_right: npt.NDArray[np.bool_]) -> bool:
    """Say whether more titles are right by over one standard deviation of the difference if neither were better."""
    fixed, broken = (right & ~other_right).sum(), (other_right & ~right).sum()
    return bool(fixed - broken > np.sqrt(fixed + broken))
