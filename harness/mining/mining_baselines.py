"""Baselines for mining: rankings of the same phrases from labels alone, without a network, which mining has to beat."""

import warnings
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import chi2
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from data_cleaning.taxonomy import Target
from data_cleaning.titles import FloatArray, IntArray
from harness.mining.candidates import in_order, keep_distinct
from harness.mining.phrases import Phrases
from harness.mining.title_labels import TitleLabels

BASELINES = ("logistic regression", "chi-squared", "random")
"""Largest weights; strongest association; a random draw of phrases that occur in about as many titles as the mined."""

_MAX_ITERATIONS = 200
_Rows = tuple[sparse.csr_matrix, IntArray, FloatArray]
"""Phrases, class and weight of each pair of a title and a label, (n_pairs, n_phrases) and (n_pairs,) twice."""


def rank_baselines(
    phrases: Phrases,
    labels: TitleLabels,
    possible: Mapping[str, npt.NDArray[np.bool_]],
    mined: Mapping[str, pd.DataFrame],
    *,
    max_candidates: int,
    reviewed_share: float,
    seed: int,
) -> dict[str, dict[str, pd.DataFrame]]:
    """Rank phrases by each baseline, from the same titles, phrases and labels as the network learned from.

    Args:
        phrases: of the titles, in the same order.
        labels: of train as they were recorded or reviewed.
        possible: target to the phrases that may be its keywords, (n_phrases,).
        mined: target to the mined candidates; random phrases are drawn to match their numbers of titles.
        max_candidates: to keep for each target; random ones are as many as there are mined.
        reviewed_share: share of the weight that reviewed titles carry together, where there are any.
        seed: of the random draw.

    Returns:
        Baseline to target to candidates, the best first: `keyword`, `match`, `class`, `score`, `titles`, `records`.
    """
    held = phrases.held
    weights = _weights(labels, reviewed_share)
    found: dict[str, dict[str, pd.DataFrame]] = {name: {} for name in BASELINES}
    for target in labels.taxonomy.targets:
        rows = _rows(held, labels.shares[target.name], weights)
        chosen = np.flatnonzero(possible[target.name])
        scores = {
            "logistic regression": _regression_weights(rows, target, chosen),
            "chi-squared": _associations(rows, target, chosen),
        }
        for name, of_class in scores.items():
            frame = _frame(phrases, labels, target, chosen, of_class.argmax(axis=1), of_class.max(axis=1))
            found[name][target.name] = keep_distinct(in_order(frame[frame["score"] > 0]), held, max_candidates)
        rng = np.random.default_rng([seed, labels.taxonomy.names.index(target.name)])
        drawn = _matched(mined[target.name]["titles"].to_numpy(), held[:, chosen], rng)
        majority = (held[:, chosen[drawn]].T @ (labels.shares[target.name] * weights[:, None])).argmax(axis=1)
        found["random"][target.name] = _frame(
            phrases, labels, target, chosen[drawn], majority, np.zeros(len(drawn))
        ).reset_index(drop=True)
    return found


def _weights(labels: TitleLabels, reviewed_share: float) -> npt.NDArray[np.float64]:
    """Return the weight of each title: the root of its records, reviewed ones scaled to their share, (n_titles,)."""
    weights = labels.weights
    reviewed, others = weights[labels.reviewed].sum(), weights[~labels.reviewed].sum()
    if reviewed and others:
        weights = np.where(
            labels.reviewed, weights * others / reviewed * reviewed_share / (1 - reviewed_share), weights
        )
    return weights


def _rows(held: sparse.csc_matrix, shares: FloatArray, weights: npt.NDArray[np.float64]) -> _Rows:
    """Make one row for each pair of a title and a label that its records have."""
    titles, classes = np.nonzero(shares)
    pair_weights = weights[titles] * shares[titles, classes]
    return held.tocsr()[titles].astype(np.float64), classes, pair_weights / pair_weights.mean()


def _regression_weights(rows: _Rows, target: Target, chosen: IntArray) -> FloatArray:
    """Return the weight of each phrase for each class, (n_chosen, n_classes), 0 for classes without titles."""
    held, classes, weights = rows
    found = np.zeros((len(chosen), target.n_classes))
    present = np.unique(classes)
    if len(present) < 2 or not len(chosen):
        return found
    model = LogisticRegression(C=1.0, max_iter=_MAX_ITERATIONS)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the order of the largest weights is stable early
        model.fit(held, classes, sample_weight=weights)
    if len(present) == 2:
        found[:, present[1]], found[:, present[0]] = model.coef_[0][chosen], -model.coef_[0][chosen]
    else:
        found[:, present] = model.coef_[:, chosen].T
    return found


def _associations(rows: _Rows, target: Target, chosen: IntArray) -> FloatArray:
    """Return chi-squared of each phrase and class with a positive association, else 0, (n_chosen, n_classes)."""
    held, classes, weights = rows
    weighed = sparse.diags_array(weights) @ held[:, chosen]
    found = np.zeros((len(chosen), target.n_classes))
    for code in np.unique(classes):
        is_class = classes == code
        if is_class.all() or not len(chosen):
            continue
        inside = np.asarray(weighed[is_class].sum(axis=0)).ravel() / np.asarray(weighed.sum(axis=0)).ravel()
        statistics, _ = chi2(weighed, is_class)
        found[:, code] = np.where(inside > weights[is_class].sum() / weights.sum(), statistics, 0.0)
    return found


def _matched(titles: IntArray, held: sparse.csc_matrix, rng: np.random.Generator) -> IntArray:
    """Draw a different phrase with about as many titles for each number of titles; return positions of phrases."""
    counts = np.asarray(held.sum(axis=0)).ravel()
    order = rng.permutation(len(counts))  # equal counts come in random order
    left = dict.fromkeys(order[np.argsort(counts[order], kind="stable")].tolist())
    drawn = []
    for wanted in titles[: len(counts)]:
        phrases = np.fromiter(left, dtype=np.int64)
        gap = np.abs(np.log(counts[phrases] / wanted))
        near = phrases[gap <= gap.min() + np.log(1.1)]
        phrase = int(rng.choice(near))
        drawn.append(phrase)
        del left[phrase]
    return np.array(drawn, dtype=np.int64)


def _frame(
    phrases: Phrases, labels: TitleLabels, target: Target, chosen: IntArray, classes: IntArray, scores: FloatArray
) -> pd.DataFrame:
    """Return phrases with their class and score, indexed by phrase."""
    held = phrases.held[:, chosen]
    return pd.DataFrame(
        {
            "keyword": phrases.texts[chosen],
            "match": phrases.matches[chosen],
            "class": np.array(target.classes, dtype=object)[classes],
            "score": scores,
            "titles": np.asarray(held.sum(axis=0)).ravel().astype(np.int64),
            "records": (held.T @ labels.records).astype(np.int64),
        },
        index=chosen,
    )
