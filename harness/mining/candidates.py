"""Phrases that a network hears and the table does not, ranked for each target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from baselines.keyword_table import KeywordTable
from data_cleaning.titles import FloatArray, IntArray
from harness.mining.beliefs import Beliefs
from harness.mining.phrases import Phrases

SAME_TITLES = 0.8
"""Of two phrases that would change the same titles, but for one in five, only the better one is a candidate."""

MORE_TITLES, AS_CONSISTENT, AS_IMPORTANT = 1.5, 0.9, 0.5
"""What a part of a phrase needs to stand for it: times the titles changed, the consistency and the importance."""

COLUMNS = ("keyword", "match", "class", "score", "importance", "consistency", "changed", "titles", "records")


@dataclass(frozen=True, kw_only=True)
class WordShares:
    """What share of a network's importance falls on each word of some titles."""

    explained: npt.NDArray[np.bool_]
    """Which titles were explained, (n_titles,)."""
    offsets: IntArray
    """Where the words of each title begin in `shares`, and the end of the last, (n_titles + 1,)."""
    shares: Mapping[str, FloatArray]
    """Target to the share of each word in what speaks for the class explained, in [0, 1], each (n_words,)."""


def phrase_shares(phrases: Phrases, words: WordShares, target: str) -> FloatArray:
    """Return the share of importance on each occurrence of a phrase, (n_occurrences,); 0 if it was not explained."""
    running = np.concatenate([[0.0], np.cumsum(words.shares[target])])
    first = words.offsets[phrases.titles] + phrases.first_words
    last = np.minimum(first + phrases.n_words[phrases.phrases], words.offsets[phrases.titles + 1])
    return np.where(words.explained[phrases.titles], running[last] - running[np.minimum(first, last)], 0.0)


def may_be_keywords(phrases: Phrases, table: KeywordTable) -> dict[str, npt.NDArray[np.bool_]]:
    """Say which phrases a target could have as new keywords, target to (n_phrases,).

    Not those that the table has for that target, whatever it seeks them as; nor those all of whose words are keywords
    of other targets alone, as "senior director" is of levels.
    """
    held = {target: set(table.rows.loc[table.sets[target], "keyword"].str.lower()) for target in table.taxonomy.names}
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
                text not in held[target] and not all(word in elsewhere for word in text.split())
                for text in phrases.texts
            ],
            dtype=bool,
        )
    return possible


def rank_candidates(
    phrases: Phrases,
    beliefs: Beliefs,
    words: WordShares,
    table_classes: Mapping[str, IntArray],
    possible: Mapping[str, npt.NDArray[np.bool_]],
    most: int,
) -> dict[str, pd.DataFrame]:
    """Rank phrases as new keywords of each target.

    For the class for which most importance on the phrase speaks:

    - importance: mean share of what speaks for that class that falls on the phrase, over titles that hold it and are
      believed to be of that class;
    - consistency: mean belief in that class over all titles that hold the phrase;
    - changed: how many titles more would be believed right if the phrase decided all titles that hold it, rather than
      the table;

    and the score is importance * consistency * log(1 + changed). Titles weigh the root of their records.

    Args:
        phrases: of the titles that are believed about, in the same order.
        beliefs: of train.
        words: importances for the classes that are believed in most.
        table_classes: target to the table's class of each title, (n_titles,).
        possible: target to the phrases that may be its keywords, (n_phrases,).
        most: candidates to keep for each target.

    Returns:
        Target to its candidates, the best first: `COLUMNS`; `titles` and `records` are those that hold the phrase.
    """
    held, weights = phrases.held.astype(np.float64), beliefs.weights
    weight_of_phrase = held.T @ weights  # (n_phrases,)
    ranked = {}
    for target in beliefs.taxonomy.targets:
        name, shares = target.name, beliefs.shares[target.name]
        verdicts = beliefs.verdicts(name)
        weight = (weights * words.explained)[phrases.titles]  # (n_occurrences,)
        n_cells = len(phrases.texts) * target.n_classes
        cells = phrases.phrases * target.n_classes + verdicts[phrases.titles]
        spoken = np.bincount(cells, weight * phrase_shares(phrases, words, name), n_cells)
        meant = np.bincount(cells, weight, n_cells)
        chosen = spoken.reshape(-1, target.n_classes).argmax(axis=1)  # (n_phrases,)
        at = np.arange(len(chosen)) * target.n_classes + chosen
        importance = spoken[at] / np.maximum(meant[at], np.finfo(np.float64).tiny)
        believed = (held.T @ (shares * weights[:, None]))[np.arange(len(chosen)), chosen]  # (n_phrases,)
        as_it_is = weights * shares[np.arange(len(beliefs)), table_classes[name]]  # (n_titles,)
        changed = believed - held.T @ as_it_is
        frame = pd.DataFrame(
            {
                "keyword": phrases.texts,
                "match": phrases.matches,
                "class": np.array(target.classes, dtype=object)[chosen],
                "score": importance * believed / weight_of_phrase * np.log1p(np.maximum(changed, 0)),
                "importance": importance,
                "consistency": believed / weight_of_phrase,
                "changed": changed,
                "titles": np.asarray(held.sum(axis=0)).ravel().astype(np.int64),
                "records": (held.T @ beliefs.records).astype(np.int64),
            },
            columns=list(COLUMNS),
        )
        ordered = in_order(frame[possible[name] & (frame["score"] > 0)])
        counted = {label: table_classes[name] != code for label, code in target.class_index.items()}
        ranked[name] = keep_distinct(ordered[~_stood_for(ordered)], phrases.held, most, counted)
    return ranked


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the best first; of equal ones the longer, which names the same titles best, then by name."""
    longest = frame.assign(_longest=-frame["keyword"].str.len())
    return longest.sort_values(["score", "_longest", "keyword"], ascending=[False, True, True], kind="stable").drop(
        columns="_longest"
    )


def keep_distinct(
    ordered: pd.DataFrame,
    held: sparse.csc_matrix,
    most: int,
    counted: Mapping[str, npt.NDArray[np.bool_]] | None = None,
) -> pd.DataFrame:
    """Drop candidates most of whose titles better ones of the same class have.

    Args:
        ordered: candidates, the best first, indexed by phrase, with `class`.
        held: which title holds which phrase, (n_titles, n_phrases).
        most: candidates to keep.
        counted: class to the titles that count, (n_titles,); None for all.
    """
    taken: dict[object, npt.NDArray[np.bool_]] = {}
    kept = []
    for phrase, name in zip(ordered.index.tolist(), ordered["class"], strict=True):
        titles = held.indices[held.indptr[phrase] : held.indptr[phrase + 1]]
        titles = titles[counted[name][titles]] if counted is not None else titles
        before = taken.setdefault(name, np.zeros(held.shape[0], dtype=bool))
        if not len(titles) or before[titles].mean() >= SAME_TITLES:
            continue
        before[titles] = True
        kept.append(phrase)
        if len(kept) == most:
            break
    return ordered.loc[kept].reset_index(drop=True)


def _stood_for(frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which phrases a part of them stands for, (n_rows,).

    The part speaks for the same class about as consistently and in clearly more titles, and carries at least half of
    the importance: "site reliability" stands for "senior site reliability". A part with the same titles does not, so
    that "zero trust" is not cut to "zero".
    """
    listed = frame[["keyword", "match", "class", "changed", "consistency", "importance"]]
    rows = {(keyword, match): row for keyword, match, *row in listed.itertuples(index=False)}
    stood_for = []
    for keyword, _, *own in listed.itertuples(index=False):
        words = keyword.split()
        parts = {
            " ".join(words[first:last]) for first in range(len(words)) for last in range(first + 1, len(words) + 1)
        }
        stood_for.append(
            any(
                _stands_for(rows[part, match], own)
                for part in parts
                for match in ("word", "prefix")
                if (part, match) in rows
            )
        )
    return np.array(stood_for, dtype=bool)


def _stands_for(part: Sequence[Any], whole: Sequence[Any]) -> bool:
    """Compare class, changed titles, consistency and importance of two phrases."""
    return bool(
        part[0] == whole[0]
        and part[1] >= MORE_TITLES * whole[1]
        and part[2] >= AS_CONSISTENT * whole[2]
        and part[3] >= AS_IMPORTANT * whole[3]
    )
