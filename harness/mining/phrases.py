"""Phrases of one to three words that may become keywords, and how often each only qualifies a title."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
from scipy import sparse

from baselines.gap_and_mask import GapsAndMasks
from baselines.matching import MatchingPass, as_series, find_matches, normal_form
from data_cleaning.titles import IntArray, StrArray

MAX_WORDS = 3
JOINING = frozenset({"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"})
_ENDINGS = (
    *("ments", "ment", "ances", "ance", "ences", "ence", "ings", "ing", "ions", "ion", "ants", "ant"),
    *("ents", "ent", "ers", "ors", "ies", "er", "or", "ed", "es", "al", "y", "e", "s"),
)
"""Endings of English nouns and verbs, longer ones before those that they end in."""
_MIN_STEM = 4

MAX_QUALIFYING_SHARE = 0.5
"""A phrase that qualifies a title in at least this share of its titles is no keyword. On 60,000 simulated leads planted
words do so in at most .22 of their titles, and places, companies and degrees in .6 and more."""

_WORD = re.compile(r"[^\W_]+")
_SEPARATOR = re.compile(r"(?:[,;:|/@(\[-]|\bat|\bfor)\s*$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """Distinct phrases of some titles and where they occur; all arrays of phrases have length n_phrases."""

    texts: npt.NDArray[np.object_]
    """Words separated by single spaces, in the spelling of `matching.normal_form`."""
    matches: npt.NDArray[np.object_]
    """How a table would match each: as "word", or as "prefix" where inflections were merged."""
    titles: IntArray
    """Title of each occurrence, (n_occurrences,); only the first occurrence of a phrase in a title counts."""
    phrases: IntArray
    """Phrase of each occurrence, (n_occurrences,)."""
    first_words: IntArray
    """First word of each occurrence, counted from 0 in its title, (n_occurrences,)."""
    n_titles: int

    @cached_property
    def n_words(self) -> IntArray:
        """Words of each phrase, (n_phrases,)."""
        return np.array([text.count(" ") + 1 for text in self.texts], dtype=np.int64)

    @cached_property
    def held(self) -> sparse.csc_matrix:
        """Which title contains which phrase, booleans, (n_titles, n_phrases)."""
        ones = np.ones(len(self.titles), dtype=bool)
        return sparse.csc_matrix((ones, (self.titles, self.phrases)), shape=(self.n_titles, len(self.texts)))


def split_titles(titles: Sequence[str] | npt.NDArray[np.object_]) -> list[list[str]]:
    """Return the words of each title in the spelling in which keywords are matched."""
    return [text.split() for text in normal_form(pl.Series(titles, dtype=pl.String))]


def find_phrases(words: Sequence[Sequence[str]], *, min_titles: int) -> Phrases:
    """Find the phrases of some titles.

    A phrase neither begins nor ends with a joining word such as "of", and has a letter and more than one character.
    Phrases that differ only in the ending of the last word ("threat hunter", "threat hunting") are returned as they
    are, and once more as the beginning that they share ("threat hunt").

    Args:
        words: of each title, from `split_titles`.
        min_titles: phrases in fewer titles are left out.
    """
    texts = {text for of_title in words for text, _ in _runs(of_title)}
    beginnings = _shared_beginnings(texts)
    keys = [*((text, "word") for text in sorted(texts)), *((start, "prefix") for start in sorted(beginnings))]
    number = {key: at for at, key in enumerate(keys)}
    in_run = {
        text: [number[text, "word"], *(number[start, "prefix"] for start in _beginnings_of(text, beginnings))]
        for text in texts
    }
    occurrences: list[tuple[int, int, int]] = []
    for title, of_title in enumerate(words):
        seen: set[int] = set()
        for text, first in _runs(of_title):
            for phrase in in_run[text]:
                if phrase not in seen:
                    seen.add(phrase)
                    occurrences.append((title, phrase, first))
    at = np.array(occurrences, dtype=np.int64).reshape(-1, 3)
    frequent = np.bincount(at[:, 1], minlength=len(keys)) >= min_titles
    kept = frequent[at[:, 1]]
    renumbered = np.cumsum(frequent) - 1
    chosen = list(compress(keys, frequent))
    return Phrases(
        texts=np.array([text for text, _ in chosen], dtype=object),
        matches=np.array([match for _, match in chosen], dtype=object),
        titles=at[kept, 0],
        phrases=renumbered[at[kept, 1]],
        first_words=at[kept, 2],
        n_titles=len(words),
    )


def titles_matching(
    keywords: Sequence[str] | pd.Series, matches: Sequence[str] | pd.Series, titles: Sequence[str] | StrArray
) -> list[IntArray]:
    """Return the positions of the titles that each keyword matches, ascending, one array per keyword.

    Keywords are in the spelling of `split_titles`, and each has its match, "word", "prefix" or "gap".
    """
    distinct = {key: at for at, key in enumerate(dict.fromkeys(zip(keywords, matches, strict=True)))}
    if not distinct:
        return []
    rows = pd.DataFrame(list(distinct), columns=["keyword", "match"])
    gaps = GapsAndMasks.of(rows, ())
    texts = [
        gaps.patterns.get(at, f" {text} " if match == "word" else f" {text}") for (text, match), at in distinct.items()
    ]
    search = MatchingPass(spell=normal_form, patterns=tuple(texts), ranks={}, no_match=0)
    ((at, found),) = find_matches([search], gaps.readings(as_series(titles), ()).titles)
    held = sparse.csc_matrix((np.ones(len(at), dtype=bool), (at, found)), shape=(len(titles), len(distinct)))
    held.sort_indices()
    columns = [distinct[key] for key in zip(keywords, matches, strict=True)]
    return [held.indices[held.indptr[one] : held.indptr[one + 1]].astype(np.int64) for one in columns]


def stem(word: str) -> str:
    """Strip endings while at least four letters remain; words with the same stem count as inflections of one word."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM:
            return stem(word[: -len(ending)])
    return word


def _runs(words: Sequence[str]) -> Iterable[tuple[str, int]]:
    """Yield every run of words that may be a phrase, with the position of its first word."""
    for first in range(len(words)):
        for last in range(first, min(first + MAX_WORDS, len(words))):
            text = " ".join(words[first : last + 1])
            if _is_phrase(text):
                yield text, first


def _is_phrase(text: str) -> bool:
    words = text.split(" ")
    joins = words[0] in JOINING or words[-1] in JOINING
    return not joins and len(text) > 1 and any(letter.isalpha() for letter in text)


def _shared_beginnings(texts: Iterable[str]) -> set[str]:
    """Return the common beginnings of texts that differ only in the ending of the last word."""
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for text in texts:
        before, _, last = text.rpartition(" ")
        alike[before, stem(last)].append(text)
    # Two words with the same stem share at least its four letters.
    shared = {_common_start(members) for members in alike.values() if len(members) > 1}
    return set(filter(_is_phrase, shared))


def _common_start(texts: Sequence[str]) -> str:
    """Return the longest common beginning of all texts."""
    # What the first and the last text in sorted order have in common, all texts between them have as well.
    first, last = min(texts), max(texts)
    length = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:length]


def _beginnings_of(text: str, beginnings: set[str]) -> list[str]:
    """Return the beginnings that a text starts with and that end within its last word."""
    shortest = len(text) - len(text.rpartition(" ")[2]) + _MIN_STEM
    return [text[:end] for end in range(shortest, len(text) + 1) if text[:end] in beginnings]


def qualifying_shares(
    titles: Sequence[str] | StrArray, words: Sequence[Sequence[str]], phrases: Phrases
) -> npt.NDArray[np.float64]:
    """Return the share of its titles in which each phrase is a qualifier at the end, (n_phrases,).

    A qualifier names a place, a company or a degree rather than a job; people put it after a separator. "Asia" is one
    in "Director - Asia", and "Stenora Inc" in "CTO at Stenora Inc."; "Risk" in "Head of Risk" is not, and neither is a
    phrase that is the whole title.

    Args:
        titles: as they were typed.
        words: of each title, from `split_titles`.
        phrases: of the titles, in the same order.
    """
    tails = [_words_after_separator(str(title), len(of_title)) for title, of_title in zip(titles, words, strict=True)]
    n_words = phrases.n_words
    separated, seen = np.zeros(len(n_words)), np.zeros(len(n_words))
    for title, phrase, first in zip(phrases.titles, phrases.phrases, phrases.first_words, strict=True):
        seen[phrase] += 1
        separated[phrase] += first in tails[title] and first + n_words[phrase] == len(words[title])
    return separated / np.maximum(seen, 1)


def _words_after_separator(title: str, n_words: int) -> frozenset[int]:
    """Return the positions of words, except the first, that follow a separator; none if the words cannot be aligned."""
    starts = [found.start() for found in _WORD.finditer(title)]
    if len(starts) != n_words:
        return frozenset()
    return frozenset(at for at, start in enumerate(starts) if at and _SEPARATOR.search(title[:start]))
