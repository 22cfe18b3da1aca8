"""Phrases ranked as new keywords of each target: by what a network attributes importance to, and by the baselines."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import chi2
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from baselines.keyword_table import KeywordTable
from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Target
from data_cleaning.titles import FloatArray, IntArray
from harness.mining.phrases import Phrases
from harness.mining.title_labels import TitleLabels

if TYPE_CHECKING:
    from neural.classifier import NeuralClassifier


SAME_TITLES = 0.8
"""Of two phrases that share this much of the titles that they would change, only the better one is a candidate."""

MORE_TITLES, AS_CONSISTENT, AS_IMPORTANT = 1.5, 0.9, 0.5
"""What a shorter phrase needs to replace a longer one that contains it: times the titles changed, the consistency and
the importance of the longer one."""

COLUMNS = ("keyword", "match", "class", "score", "importance", "consistency", "changed", "titles", "records")

BASELINES = ("logistic regression", "chi-squared", "random")
"""Largest weights; strongest association; a random draw of phrases that occur in about as many titles as the mined."""

_MAX_ITERATIONS = 200
_Rows = tuple[sparse.csr_matrix, IntArray, FloatArray]
"""Phrases, class and weight of each pair of a title and a label, (n_pairs, n_phrases) and (n_pairs,) twice."""


@dataclass(frozen=True, kw_only=True)
class WordShares:
    """The share of a network's importance on each word of some titles."""

    explained: npt.NDArray[np.bool_]
    """Which titles were explained, (n_titles,)."""
    offsets: IntArray
    """Where the words of each title begin in `shares`, and the end of the last, (n_titles + 1,)."""
    shares: Mapping[str, FloatArray]
    """Target to the share of each word in the evidence for the explained class, in [0, 1], each (n_words,)."""


def choose_to_explain(
    labels: TitleLabels, table_classes: Mapping[str, IntArray], max_titles: int
) -> npt.NDArray[np.bool_]:
    """Choose titles to explain, (n_titles,): reviewed ones and those the table gets wrong first, then by records."""
    differs = np.zeros(len(labels), dtype=bool)
    for target, classes in table_classes.items():
        differs |= labels.top_classes(target) != classes
    order = np.lexsort((np.arange(len(labels)), -labels.records, ~(differs | labels.reviewed)))
    chosen = np.zeros(len(labels), dtype=bool)
    chosen[order[:max_titles]] = True
    return chosen


def explain_words(
    system: "NeuralClassifier",
    labels: TitleLabels,
    words: Sequence[Sequence[str]],
    chosen: npt.NDArray[np.bool_],
    method: str,
    on_progress: Progress,
) -> WordShares:
    """Attribute a fitted network's evidence for the top class of some titles to their words.

    Only importance that counts for the class is kept; it is scaled to a sum of 1 per title.

    Args:
        system: fitted.
        labels: of the titles.
        words: of each title, from `phrases.split_titles`.
        chosen: titles to explain, (n_titles,).
        method: one of `neural.attribution.METHODS`.
        on_progress: told of the titles done.
    """
    from neural.attribution import explain

    rows = np.flatnonzero(chosen)
    classes = {target: labels.top_classes(target)[rows] for target in labels.taxonomy.names}
    found = explain(system, list(labels.titles[rows]), method, classes=classes, on_progress=on_progress)
    n_words = np.array([len(of_title) for of_title in words], dtype=np.int64)  # (n_titles,)
    offsets = np.concatenate([[0], np.cumsum(n_words)])  # (n_titles + 1,)
    n_found = np.bincount(found.title_of_word, minlength=len(rows))  # (n_chosen,)
    # Composing a character may join or split words; such a title is left out, as its words cannot be aligned.
    agrees = n_found == n_words[rows]
    explained = np.zeros(len(words), dtype=bool)
    explained[rows[agrees]] = True
    kept = agrees[found.title_of_word]  # (n_found_words,)
    within = np.arange(len(found.title_of_word)) - (np.cumsum(n_found) - n_found)[found.title_of_word]
    places = (offsets[rows[found.title_of_word]] + within)[kept]
    shares: dict[str, FloatArray] = {}
    for target, scores in found.scores.items():
        positive = np.maximum(scores, 0.0)
        total = np.bincount(found.title_of_word, positive, minlength=len(rows))
        shares[target] = np.zeros(offsets[-1])
        shares[target][places] = (positive / np.maximum(total, np.finfo(np.float64).tiny)[found.title_of_word])[kept]
    return WordShares(explained=explained, offsets=offsets, shares=shares)


def phrase_shares(phrases: Phrases, words: WordShares, target: str) -> FloatArray:
    """Return the share of importance on each occurrence of a phrase, (n_occurrences,); 0 if it was not explained."""
    running = np.concatenate([[0.0], np.cumsum(words.shares[target])])
    first = words.offsets[phrases.titles] + phrases.first_words
    last = np.minimum(first + phrases.n_words[phrases.phrases], words.offsets[phrases.titles + 1])
    return np.where(words.explained[phrases.titles], running[last] - running[np.minimum(first, last)], 0.0)


def may_be_keywords(phrases: Phrases, table: KeywordTable) -> dict[str, npt.NDArray[np.bool_]]:
    """Say which phrases a target could have as new keywords, target to (n_phrases,).

    Excluded are keywords that the table has for that target, however they are matched, and phrases that consist only
    of keywords of other targets, as "senior director" consists of levels.
    """
    known = {target: set(table.rows.loc[table.sets[target], "keyword"].str.lower()) for target in table.taxonomy.names}
    words = sorted({word for text in phrases.texts for word in text.split()})
    winners = table.winners(words, normalised=True)
    possible = {}
    for target in table.taxonomy.names:
        others = np.zeros(len(words), dtype=bool)
        for name, rows in winners.items():
            others = others | (rows >= 0) if name != target else others
        elsewhere = {word for word, is_theirs in zip(words, others & (winners[target] < 0), strict=True) if is_theirs}
        is_new = (text not in known[target] and not elsewhere.issuperset(text.split()) for text in phrases.texts)
        possible[target] = np.fromiter(is_new, dtype=bool)
    return possible


def rank_candidates(
    phrases: Phrases,
    labels: TitleLabels,
    words: WordShares,
    table_classes: Mapping[str, IntArray],
    possible: Mapping[str, npt.NDArray[np.bool_]],
    max_candidates: int,
) -> dict[str, pd.DataFrame]:
    """Rank phrases as new keywords of each target.

    A phrase is a candidate for the class that the most importance on it counts for:

    - importance: mean share of the evidence for that class that is on the phrase, over titles that contain it and have
      that class as their top class;
    - consistency: mean soft label of that class over all titles that contain the phrase;
    - changed: by how many titles, soft labels summed, more would be right if the phrase rather than the table decided
      all titles that contain it;

    and the score is importance * consistency * log(1 + changed). Titles are weighted by the root of their records.

    Args:
        phrases: of the titles, in the same order.
        labels: of train.
        words: importances for the top classes.
        table_classes: target to the table's class of each title, (n_titles,).
        possible: target to the phrases that may be its keywords, (n_phrases,).
        max_candidates: to keep for each target.

    Returns:
        Target to its candidates, the best first: `COLUMNS`; `titles` and `records` are those that contain the phrase.
    """
    held, weights = phrases.held.astype(np.float64), labels.weights
    weight_of_phrase = held.T @ weights  # (n_phrases,)
    ranked = {}
    for target in labels.taxonomy.targets:
        name, shares = target.name, labels.shares[target.name]
        weight = (weights * words.explained)[phrases.titles]  # (n_occurrences,)
        n_cells = len(phrases.texts) * target.n_classes
        cells = phrases.phrases * target.n_classes + labels.top_classes(name)[phrases.titles]
        attributed = np.bincount(cells, weight * phrase_shares(phrases, words, name), n_cells)
        weight_of_cell = np.bincount(cells, weight, n_cells)
        chosen = attributed.reshape(-1, target.n_classes).argmax(axis=1)  # (n_phrases,)
        at = np.arange(len(chosen)) * target.n_classes + chosen
        importance = attributed[at] / np.maximum(weight_of_cell[at], np.finfo(np.float64).tiny)
        right = (held.T @ (shares * weights[:, None]))[np.arange(len(chosen)), chosen]  # (n_phrases,)
        right_now = weights * shares[np.arange(len(labels)), table_classes[name]]  # (n_titles,)
        changed = right - held.T @ right_now
        score = importance * right / weight_of_phrase * np.log1p(np.maximum(changed, 0))
        frame = _frame(phrases, labels, target, np.arange(len(chosen)), chosen, score)
        frame = frame.assign(importance=importance, consistency=right / weight_of_phrase, changed=changed)[[*COLUMNS]]
        ordered = in_order(frame[possible[name] & (frame["score"] > 0)])
        counted = {label: table_classes[name] != code for label, code in target.class_index.items()}
        ranked[name] = keep_distinct(ordered[~_replaceable(ordered)], phrases.held, max_candidates, counted)
    return ranked


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the best first; of equal ones the longer, which describes the same titles best, then by name."""
    longest = frame.assign(_length=frame["keyword"].str.len())
    ordered = longest.sort_values(["score", "_length", "keyword"], ascending=[False, False, True], kind="stable")
    return ordered.drop(columns="_length")


def keep_distinct(
    ordered: pd.DataFrame,
    held: sparse.csc_matrix,
    max_candidates: int,
    counted: Mapping[str, npt.NDArray[np.bool_]] | None = None,
) -> pd.DataFrame:
    """Drop candidates whose titles are mostly covered by better candidates of the same class.

    Args:
        ordered: candidates, the best first, indexed by phrase, with `class`.
        held: which title contains which phrase, (n_titles, n_phrases).
        max_candidates: to keep.
        counted: class to the titles that count, (n_titles,); None for all.
    """
    covered: dict[object, npt.NDArray[np.bool_]] = {}
    kept = []
    for phrase, name in zip(ordered.index.tolist(), ordered["class"], strict=True):
        titles = held.indices[held.indptr[phrase] : held.indptr[phrase + 1]]
        titles = titles[counted[name][titles]] if counted is not None else titles
        before = covered.setdefault(name, np.zeros(held.shape[0], dtype=bool))
        if not len(titles) or before[titles].mean() >= SAME_TITLES:
            continue
        before[titles] = True
        kept.append(phrase)
        if len(kept) == max_candidates:
            break
    return ordered.loc[kept].reset_index(drop=True)


def _replaceable(frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which phrases a part of them can replace, (n_rows,).

    The part is a candidate for the same class, about as consistent, changes clearly more titles and has at least half
    of the importance: "site reliability" replaces "senior site reliability". A part with the same titles does not, so
    that "zero trust" is not cut to "zero".
    """
    listed = frame[["keyword", "match", "class", "changed", "consistency", "importance"]]
    rows = {(keyword, match): row for keyword, match, *row in listed.itertuples(index=False)}
    replaceable = []
    for keyword, _, *whole in listed.itertuples(index=False):
        words = keyword.split()
        parts = {
            " ".join(words[first:last]) for first in range(len(words)) for last in range(first + 1, len(words) + 1)
        }
        keys = ((part, match) for part in parts for match in ("word", "prefix"))
        replaceable.append(any(_can_replace(rows[key], whole) for key in keys if key in rows))
    return np.array(replaceable, dtype=bool)


def _can_replace(part: Sequence[Any], whole: Sequence[Any]) -> bool:
    """Compare class, changed titles, consistency and importance of two phrases."""
    return bool(
        part[0] == whole[0]
        and part[1] >= MORE_TITLES * whole[1]
        and part[2] >= AS_CONSISTENT * whole[2]
        and part[3] >= AS_IMPORTANT * whole[3]
    )


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
        possible: as for `rank_candidates`.
        mined: target to the mined candidates; as many random phrases are drawn, with about as many titles.
        max_candidates: to keep for each target.
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
        random = _frame(phrases, labels, target, chosen[drawn], majority, np.zeros(len(drawn)))
        found["random"][target.name] = random.reset_index(drop=True)
    return found


def _weights(labels: TitleLabels, reviewed_share: float) -> npt.NDArray[np.float64]:
    """Return the weight of each title: the root of its records, reviewed ones scaled to their share, (n_titles,)."""
    weights = labels.weights
    reviewed, others = weights[labels.reviewed].sum(), weights[~labels.reviewed].sum()
    if not reviewed or not others:
        return weights
    return np.where(labels.reviewed, weights * others / reviewed * reviewed_share / (1 - reviewed_share), weights)


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
