"""Rows that match two phrases with other words between them, and rows that hide the phrase after them.

Both are found by rewriting the few titles that contain such a row's phrases, so that the one search for all keywords
finds them like any other word: a mark takes the place of a hidden phrase, and a word of its own is added for each gap.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
import pandas as pd
import polars as pl

from baselines.matching import lower_case, normal_form
from data_cleaning.titles import IntArray

GAP, MASK = "gap", "mask"

STAR = "*"
"""In a keyword: the words between two phrases, or the hidden phrase."""

_MARK = "\ua66e"
"""A letter that no title has, which the spellings of `matching` keep and search as a word."""

_STARS = re.compile(r"\s*(?:\*|\u2026|\.\.\.)\s*")
_PIECE = r"[^\s,;|/()\[\]{}\u2013\u2014-]+"
_BETWEEN = r"(?:\s+|-+|[.:&'\"+]+\s*)"
_HIDDEN = rf"{_PIECE}(?:(?:\s+|-+){_PIECE})*"
"""Up to a comma, semicolon, slash, bar, bracket, or a dash with a blank beside it; a hyphen within a word is none."""


def with_star(keyword: str) -> str:
    """Spell a keyword of such a row: one blank, a star and one blank, where dots may have been typed for the star."""
    return _STARS.sub(f" {STAR} ", keyword).strip()


def star_fault(keyword: str, match: str) -> str | None:
    """Say what is wrong with the keyword of such a row; None if nothing is."""
    words = _phrases(keyword)
    if match == GAP and not (len(words) == 2 and all(words)):
        return f"keyword {keyword!r} needs two phrases with one star between them, as in 'director * security'"
    if match == MASK and not (len(words) == 2 and words[0] and not words[1]):
        return f"keyword {keyword!r} needs one phrase with one star after it, as in 'assistant to *'"
    return None


@cache  # tables are amended many times, and polars takes longer to be called than for a column
def _phrases(keyword: str) -> list[str]:
    """Return what is before and after each star, in the spelling in which it is searched."""
    return normal_form(pl.Series(keyword.split(STAR))).str.strip_chars().to_list()


@dataclass(frozen=True)
class GapsAndMasks:
    """The rows of a table that need rewritten titles."""

    patterns: Mapping[int, str]
    """Row to what is searched for instead of its keyword, in the spelling of `normal_form`."""
    gaps: Mapping[str, tuple[str, str]]
    """Word that stands for a gap, to the phrases on its sides."""
    masks: Mapping[str, frozenset[str]]
    """Phrase to the targets for which it hides what follows."""

    @classmethod
    def of(cls, rows: pd.DataFrame, targets: Sequence[str]) -> Self:
        """Find them among the rows of a table."""
        patterns: dict[int, str] = {}
        words: dict[tuple[str, str], str] = {}
        masks: dict[str, frozenset[str]] = {}
        for number in np.flatnonzero(rows["match"].isin([GAP, MASK]).to_numpy()).tolist():
            row = rows.iloc[number]
            sides = _phrases(row["keyword"])
            if row["match"] == GAP:
                word = words.setdefault((sides[0], sides[1]), f"{_MARK}{len(words)}")
                patterns[number] = f" {word} "
            else:
                patterns[number] = f" {sides[0]} {_MARK} "
                masks[sides[0]] = masks.get(sides[0], frozenset()) | {target for target in targets if row[target]}
        return cls(patterns, {word: sides for sides, word in words.items()}, masks)

    def readings(self, titles: pl.Series, targets: Sequence[str]) -> "Readings":
        """Rewrite the titles that contain phrases of these rows."""
        flagged = self._may_match(titles).arg_true().to_numpy() if self.patterns else np.empty(0, dtype=np.int64)
        if not len(flagged):
            return Readings(titles, {}, np.empty(0, dtype=np.int64))
        some = titles.gather(flagged)
        for_all = titles.scatter(flagged, self._with_gaps(some)) if self.gaps else titles
        if not self.masks:
            return Readings(for_all, {}, np.empty(0, dtype=np.int64))
        texts = [unicodedata.normalize("NFKC", title) for title in some]
        hiding = frozenset().union(*self.masks.values())
        hidden = {target: self._hide(texts, target) for target in targets if target in hiding}
        masked = np.array([any(of[at] != text for of in hidden.values()) for at, text in enumerate(texts)], dtype=bool)
        rewritten = {
            target: self._with_gaps(pl.Series(of, dtype=pl.String).filter(pl.Series(masked)))
            for target, of in hidden.items()
        }
        return Readings(for_all, rewritten, flagged[masked])

    def _may_match(self, titles: pl.Series) -> pl.Series:
        """Say which titles could match: those with a word that a row needs, or beyond ASCII."""
        needed = [max(phrase.split(), key=len) for phrase in (*(last for _, last in self.gaps.values()), *self.masks)]
        # Letters beyond ASCII may be spelled in more than one way, so the search itself decides about such titles.
        wide = titles.str.len_bytes() > titles.str.len_chars()
        return lower_case(titles).str.contains_any(needed) | wide

    def _with_gaps(self, titles: pl.Series) -> pl.Series:
        """Add the word of each gap to the titles that have its two phrases with a word between them."""
        words = normal_form(titles)
        for word, (first, last) in self.gaps.items():
            held = words.str.contains(f" {first} (?:[^ ]+ )+{last} ")
            titles = titles.zip_with(~held, titles + f" {word}")
        return titles

    def _hide(self, titles: Sequence[str], target: str) -> list[str]:
        """Put the mark in place of what the masks of a target hide."""
        phrases = [phrase for phrase, targets in self.masks.items() if target in targets]
        longest_first = sorted(phrases, key=len, reverse=True)
        spelled = "|".join(r"[\W_]+".join(map(re.escape, phrase.split())) for phrase in longest_first)
        mask = re.compile(rf"(?<![^\W_])({spelled}){_BETWEEN}{_HIDDEN}", re.IGNORECASE)
        return [mask.sub(rf"\1 {_MARK}", title) for title in titles]


@dataclass(frozen=True)
class Readings:
    """Titles as they are searched."""

    titles: pl.Series
    """With the words of gaps, (n_titles,)."""
    rewritten: Mapping[str, pl.Series]
    """Target for which something is hidden, to the texts of `masked` in which it is, each (n_masked,)."""
    masked: IntArray
    """Titles in which something is hidden, (n_masked,)."""
