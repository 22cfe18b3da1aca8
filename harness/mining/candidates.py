"""Phrases that a network attributes importance to and the table does not know, ranked for each target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from baselines.keyword_table import KeywordTable
from data_cleaning.progress import Progress
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
    """Attribute a network's evidence for the top class of some titles to their words.

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
        possible[target] = np.array(
            [
                text not in known[target] and not all(word in elsewhere for word in text.split())
                for text in phrases.texts
            ],
            dtype=bool,
        )
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
        frame = pd.DataFrame(
            {
                "keyword": phrases.texts,
                "match": phrases.matches,
                "class": np.array(target.classes, dtype=object)[chosen],
                "score": importance * right / weight_of_phrase * np.log1p(np.maximum(changed, 0)),
                "importance": importance,
                "consistency": right / weight_of_phrase,
                "changed": changed,
                "titles": np.asarray(held.sum(axis=0)).ravel().astype(np.int64),
                "records": (held.T @ labels.records).astype(np.int64),
            },
            columns=list(COLUMNS),
        )
        ordered = in_order(frame[possible[name] & (frame["score"] > 0)])
        counted = {label: table_classes[name] != code for label, code in target.class_index.items()}
        ranked[name] = keep_distinct(ordered[~_replaceable(ordered)], phrases.held, max_candidates, counted)
    return ranked


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the best first; of equal ones the longer, which describes the same titles best, then by name."""
    longest = frame.assign(_longest=-frame["keyword"].str.len())
    return longest.sort_values(["score", "_longest", "keyword"], ascending=[False, True, True], kind="stable").drop(
        columns="_longest"
    )


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
