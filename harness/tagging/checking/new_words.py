"""Frequent words and two-word phrases of the leads that no row of a keyword table knows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from baselines.matching import normal_form
from harness.mining.phrases import Phrases, find_phrases, split_titles
from harness.tagging.checking.answered import Answered

MAX_NEW_WORDS = 300
_MIN_RECORDS, _MIN_SHARE = 3, 0.0002
"""Records of a phrase worth a keyword, and their share of all; the larger number counts."""

_COVERED = 0.8
"""Share of a word's records in one phrase from which on the phrase stands for the word."""

_TELLS_NOTHING = frozenset({
    *("i", "ii", "iii", "iv", "v", "vi", "a", "an", "the", "of", "and", "for", "to", "in", "at", "on", "or"),
    *("with", "by", "from", "as", "other", "others", "level", "grade", "new", "all"),
    *("de", "del", "della", "di", "da", "do", "dos", "das", "du", "des", "der", "die", "la", "le", "les", "el", "en"),
    *("em", "et", "und", "für", "im", "zum", "von", "van", "voor", "y", "e", "à", "au", "aux", "al", "per", "para"),
    *("dla", "w", "z"),
})  # fmt: skip
_MOST_LABELS = 2


@dataclass(frozen=True, kw_only=True)
class NewWord:
    """A word or phrase that no row knows."""

    text: str
    records: int
    titles: int
    unmatched: int
    """Of the records, those that no row matches at all."""
    labels: str
    """What the titles that hold it are answered now, with shares of the records."""
    examples: str


def find_new_words(answered: Answered) -> list[NewWord]:
    """Find the words that no keyword holds and no row matches, most records without any row first.

    A word is left out where a phrase of two words stands for it, and so are the words of texts that are no titles.
    """
    kept = np.flatnonzero(~answered.no_title)
    phrases = find_phrases(split_titles(answered.texts.gather(kept).to_list()), min_titles=1)
    counts = answered.counts[kept]
    records = phrases.held.T.astype(np.int64) @ counts  # (n_phrases,)
    fewest = max(_MIN_RECORDS, _MIN_SHARE * answered.counts.sum())
    chosen = (phrases.matches == "word") & (phrases.n_words <= 2) & (records >= fewest)
    chosen[chosen] = _unknown(answered, phrases.texts[chosen])
    chosen = _either_word_or_phrase(phrases, records, chosen)
    unmatched = phrases.held.T.astype(np.int64) @ (counts * ~answered.recognised[kept])
    order = np.lexsort((phrases.texts.astype(str), -records, -unmatched))
    best = [at for at in order if chosen[at]][:MAX_NEW_WORDS]
    named = answered.named(answered.labels)
    words = []
    for at in best:
        here = kept[phrases.held[:, [at]].tocoo().row]
        words.append(
            NewWord(
                text=str(phrases.texts[at]),
                records=int(records[at]),
                titles=len(here),
                unmatched=int(unmatched[at]),
                labels=_labels(named.gather(here), answered.counts[here]),
                examples=answered.examples(here),
            )
        )
    return words


def _unknown(answered: Answered, texts: Sequence[str] | np.ndarray) -> np.ndarray:
    """Say which texts no row matches and no keyword holds, (n_texts,)."""
    matched = np.asarray(answered.table.hits(texts).sum(axis=1)).ravel() > 0
    keywords = normal_form(pl.Series(answered.table.rows["keyword"].tolist(), dtype=pl.String)).to_list()
    all_words = "|".join(keywords)
    known = np.array([f" {text} " in all_words for text in texts], dtype=bool)
    dull = np.array([all(_is_dull(word) for word in text.split(" ")) for text in texts], dtype=bool)
    return ~matched & ~known & ~dull


def _is_dull(word: str) -> bool:
    return word in _TELLS_NOTHING or len(word) < 2 or word.isdigit()


def _either_word_or_phrase(phrases: Phrases, records: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Drop a phrase that is a small part of its words, and a word that is hardly anywhere but in one phrase."""
    number = {text: at for at, text in enumerate(phrases.texts) if chosen[at] and phrases.n_words[at] == 1}
    kept = chosen.copy()
    for at in np.flatnonzero(chosen & (phrases.n_words == 2)):
        words = [number[word] for word in phrases.texts[at].split(" ") if word in number]
        stands_for = [word for word in words if records[at] >= _COVERED * records[word]]
        kept[at] = bool(stands_for)
        if kept[at]:
            kept[stands_for] = False
    return kept


def _labels(named: pl.Series, counts: np.ndarray) -> str:
    summed = pl.DataFrame({"label": named, "n": counts}).group_by("label").agg(pl.col("n").sum())
    most = summed.sort("n", "label", descending=[True, False]).head(_MOST_LABELS)
    return "; ".join(f"{label} ({n / counts.sum():.0%})" for label, n in most.iter_rows())
