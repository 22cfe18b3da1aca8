"""How unlike the titles of a fit a text is, so that a learned system does not answer for what it knows nothing about.

A text costs as much for each letter as its words are surprising: a word of the training titles little, any other word
what a model of letters says that learned from their words, and a word that English job titles do without much. The last
word counts twice, because it mostly names the job.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from data_cleaning.errors import read_json
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import BoolArray, FloatArray, IntArray, StrArray, distinct_keys
from data_cleaning.words import read_texts, split_words

NETWORK_FILE = "novelty.json"
"""In the folder of a saved network."""

FLAGGED_SHARE = 0.015
"""Share of the validation titles that are taken for unlike the training titles, where they cost enough for that."""

MIN_THRESHOLD = 2.5
"""Cost of a letter under which no text is unlike, in nats: English words that training lacks cost about as much."""

_KNOWN_COST, _ODD_COST, _NO_WORDS_COST = 1.0, 9.0, 9.0
"""Of a letter of a word of the training titles, of one that titles do without, and of a text without words, in nats."""

_MIN_KNOWN_TITLES, _MAX_ODD_SHARE = 2, 0.01
"""Training titles with a word that is known, and the share of them that makes an odd word an ordinary one."""

_MIN_ODD_LETTERS = 7
"""Letters that a small word of a sentence counts as at least, so that "not" outweighs the title behind it."""

_MAX_CHARACTERS, _MAX_WORD_LETTERS, _MAX_BEFORE = 1_000, 40, 4
"""Of a text and of a word that are read, and of letters before a letter that tell what it is."""

_UNSEEN_LETTER = 1 / 400
"""Probability of a letter that no training word has."""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""Odd and without a pattern, so that runs of letters have different numbers modulo 2**64."""

_SEPARATORS = r"\s[-|/@:]+\s|,\s|;\s|\s\(|\)\s|\|| (?i:at) "

_ODD_WORDS = pl.read_csv(Path(__file__).with_name("odd_words.csv"), glob=False).with_columns(
    pl.col("words").str.split(" ")
)
"""Words that English titles do without: of sentences, legal forms of companies, and small words of other languages."""

_Numbers = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class TitleNovelty:
    """What is known of the titles of a fit."""

    words: Mapping[str, int]
    """Each word to the number of distinct training titles that have it."""
    n_titles: int
    """Distinct training titles."""
    threshold: float
    """Cost of a letter, in nats, above which a text is unlike the training titles."""

    @classmethod
    def learn(cls, train: Iterable[str], valid: Iterable[str]) -> Self:
        """Learn the words of `train`; the threshold flags at most `FLAGGED_SHARE` of the distinct titles of `valid`."""
        titles, held_out = (list(dict.fromkeys(some)) for some in (train, valid))
        listed = (
            _words(read_texts(titles, _MAX_CHARACTERS))
            .list.unique()
            .explode(empty_as_null=False)
            .rename("word")
            .value_counts(name="titles")
            .sort("word")
        )
        learned = cls(dict(listed.iter_rows()), len(titles), MIN_THRESHOLD)
        if not titles:
            return replace(learned, threshold=math.inf)  # nothing is known, so nothing is known to be unlike it
        if not held_out:
            return learned
        quantile = float(np.quantile(learned.costs(held_out), 1 - FLAGGED_SHARE))
        return replace(learned, threshold=max(MIN_THRESHOLD, quantile))

    def unlike(self, titles: Sequence[str] | StrArray) -> BoolArray:
        """Say which texts are unlike the training titles, (n_titles,). The last answer is cached."""
        if self.threshold == math.inf:
            return np.zeros(len(titles), dtype=bool)
        return self._unlike(tuple(titles)).copy()

    @cached_property
    def _unlike(self) -> Callable[[tuple[str, ...]], BoolArray]:
        return lru_cache(1)(lambda titles: self.costs(titles) > self.threshold)

    def costs(self, titles: Sequence[str] | StrArray) -> npt.NDArray[np.float64]:
        """Return the cost of a letter of each text in nats, (n_titles,); it does not depend on the other texts.

        It is that of the cheapest part, because a company beside a job says nothing against it.
        """
        parts = _parts(titles)
        n_parts = parts.list.len().to_numpy().astype(np.int64)  # (n_titles,), at least 1 each
        costs = self._costs_of_parts(parts.explode())
        return np.minimum.reduceat(costs, np.cumsum(n_parts) - n_parts) if len(costs) else costs

    def _costs_of_parts(self, parts: pl.Series) -> npt.NDArray[np.float64]:
        words = _words(parts)
        n_words = words.list.len().to_numpy().astype(np.int64)  # (n_parts,)
        flat = words.explode(empty_as_null=False).to_frame("word")  # (n_words,)
        distinct = flat.unique().with_row_index("position")
        word = flat.join(distinct, on="word", maintain_order="left")["position"].to_numpy()  # (n_words,)
        within, at_end = self._costs_of_words(distinct["word"])  # (n_distinct, 2) each
        ends = np.cumsum(n_words)[n_words > 0] - 1
        paid = within[word]  # (n_words, 2): nats and letters
        paid[ends] = 2 * at_end[word[ends]]
        part = np.repeat(np.arange(len(n_words)), n_words)
        nats, letters = (np.bincount(part, column, minlength=len(n_words)) for column in paid.T)
        return np.divide(nats, letters, out=np.full(len(n_words), _NO_WORDS_COST), where=letters > 0)

    def _costs_of_words(self, words: pl.Series) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the nats and letters of distinct words within a text and at its end, (n_words, 2) each."""
        read = words.str.head(_MAX_WORD_LETTERS)
        n_titles = words.replace_strict(self.words, default=0, return_dtype=pl.Int64).to_numpy()
        n_letters = read.str.len_chars().to_numpy() + 1.0
        is_known = (n_titles >= _MIN_KNOWN_TITLES) | words.str.contains(r"^\p{N}$").to_numpy()
        nats = _KNOWN_COST * n_letters
        nats[~is_known] = self._letters.costs(read.filter(~is_known))
        plain = np.column_stack([nats, n_letters])
        is_rare = n_titles < _MAX_ODD_SHARE * self.n_titles
        sentence, company, foreign = (is_rare & words.is_in(some.implode()).to_numpy() for some in _ODD_WORDS["words"])
        n_letters = np.where(sentence, np.maximum(n_letters, _MIN_ODD_LETTERS), n_letters)
        odd = np.column_stack([_ODD_COST * n_letters, n_letters])
        # No title ends in a small word: "de" at the end is a country.
        at_end = np.where((sentence | company)[:, None], odd, plain)
        return np.where(foreign[:, None], odd, at_end), at_end

    def to_dict(self) -> dict[str, Any]:
        """Return plain values from which `from_dict` builds the same."""
        return {"words": dict(self.words), "n_titles": self.n_titles, "threshold": self.threshold}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any] | None) -> Self:
        """Build from what `to_dict` returned; None, for a system of an earlier release, takes no text for unlike."""
        if saved is None:
            return cls({}, 0, math.inf)
        words = {str(word): int(number) for word, number in saved["words"].items()}
        return cls(words, int(saved["n_titles"]), float(saved["threshold"]))

    @classmethod
    def beside_network(cls, folder: Path) -> Self:
        """Read what a network that was saved in a folder learned; one of an earlier release has no such file."""
        path = folder / NETWORK_FILE
        return cls.from_dict(read_json(path, "words of a network", "Fit again.") if path.exists() else None)

    @cached_property
    def _letters(self) -> "_LetterModel":
        return _LetterModel(pl.Series(list(self.words), dtype=pl.String))


def fall_back(probabilities: Mapping[str, FloatArray], unlike: BoolArray, taxonomy: Taxonomy) -> dict[str, FloatArray]:
    """Answer for texts that are unlike the training titles with the class for that, twice as likely as any other.

    Args:
        probabilities: target to rows that sum to 1, each (n_titles, n_classes); they stay as they are.
        unlike: which titles are meant, (n_titles,).
        taxonomy: names the class of each target.
    """
    answers = dict(probabilities)
    for target in taxonomy.targets if unlike.any() else ():
        row = np.ones(target.n_classes)
        row[target.class_index[target.no_title]] = 2
        answers[target.name] = np.where(unlike[:, None], row / row.sum(), probabilities[target.name])
    return answers


class _LetterModel:
    """Words letter by letter: each letter by the four before it, as far as training words have these.

    Source: Witten and Bell 1991, "The zero-frequency problem", IEEE Trans. Information Theory 37(4); interpolated as in
    Chen and Goodman 1999, "An empirical study of smoothing techniques for language modeling", section 2.6.
    """

    def __init__(self, words: pl.Series) -> None:
        """Learn from distinct words."""
        self._tables = []
        for before, run in _runs(words)[0]:
            distinct, first, times = np.unique(run, return_index=True, return_counts=True)
            contexts, totals = np.unique(before, return_counts=True)
            kinds = np.unique(before[first], return_counts=True)[1]  # of letters that follow each context
            self._tables.append((distinct, times, contexts, totals, kinds))

    def costs(self, words: pl.Series) -> npt.NDArray[np.float64]:
        """Return the negative log probability of each word and its end in nats, (n_words,)."""
        runs, word = _runs(words)
        # A letter costs what the longest run that ends with it says, and words share most of their runs.
        some, letter = distinct_keys(runs[-1][1])  # a letter with each run, and the run of each letter
        probability = np.full(len(some), _UNSEEN_LETTER)
        for (before, run), (distinct, times, contexts, totals, kinds) in zip(runs, self._tables, strict=True):
            total, kind = _look_up(before[some], contexts, totals, kinds)
            (time,) = _look_up(run[some], distinct, times)
            mixed = (time + kind * probability) / np.maximum(total + kind, 1)
            probability = np.where(total > 0, mixed, probability)
        return np.bincount(word, -np.log(probability)[letter], minlength=len(words)).astype(np.float64)


def _runs(words: pl.Series) -> tuple[list[tuple[_Numbers, _Numbers]], IntArray]:
    """Number the runs of letters that end before each letter, and those that end with it.

    The space behind a word counts as its last letter, and spaces before it as the letters before its first.

    Returns:
        For 0 to 4 letters before each letter, the number of their run and of the run that has the letter too, each
        (n_letters,); and the position of the word of each letter, (n_letters,).
    """
    spaced = (" " * _MAX_BEFORE + words + " ").to_list()
    lengths = np.fromiter(map(len, spaced), np.int64, len(spaced))  # (n_words,)
    codes = np.frombuffer("".join(spaced).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    word = np.repeat(np.arange(len(spaced)), lengths)  # (n_codes,)
    letters = np.flatnonzero(np.arange(len(codes)) - (np.cumsum(lengths) - lengths)[word] >= _MAX_BEFORE)
    runs, ending = [], np.zeros(len(codes), dtype=np.uint64)  # the number of the run that ends at each code
    for _ in range(_MAX_BEFORE + 1):
        longer = np.roll(ending, 1) * _FACTOR + codes
        runs.append((ending[letters - 1], longer[letters]))
        ending = longer
    return runs, word[letters]


def _look_up(wanted: _Numbers, known: _Numbers, *values: IntArray) -> list[IntArray]:
    """Return from each of `values` that of each wanted number, 0 where it is not known; `known` is sorted."""
    if not len(known):
        return [np.zeros(len(wanted), dtype=np.int64) for _ in values]
    position = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    found = known[position] == wanted
    return [np.where(found, each[position], 0) for each in values]


def _parts(titles: Iterable[str]) -> pl.Series:
    """Return the parts of each title that separators set apart, as lists, such as the job and the company."""
    return read_texts(titles, _MAX_CHARACTERS).str.replace_all(_SEPARATORS, "\n").str.split("\n")


def _words(parts: pl.Series) -> pl.Series:
    """Return the words of each text as lists, hyphens separating them and dots within an abbreviation left out."""
    folded = parts.str.replace_all(r"\b(\p{L})\.(?:(\p{L})\.?)?", "${1}${2}").str.replace_all("-", " ")
    return folded.to_frame("part").select(split_words(pl.col("part"))).to_series()
