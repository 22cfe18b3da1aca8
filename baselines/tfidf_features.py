"""The TF-IDF settings, and one sparse matrix of weighted word runs and character runs of titles.

scikit-learn is imported when runs are learned: it takes a second, which who asks about a title need not wait.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
from scipy import sparse

from baselines.matching import distinct_texts
from data_cleaning.checked_settings import Count, NonNegative, Positive, check_settings
from data_cleaning.titles import IntArray, StrArray
from data_cleaning.words import fold_spelling, read_texts

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import CountVectorizer

WORDS, CHARACTERS = "words", "characters"

_WORD, _NO_SPACE = r"[\p{L}\p{N}_]+", r"\S+"
"""A word of polars, as Python has it, and what is taken for a word when it is taken apart into characters."""

_MAX_CACHED_WORDS = 50_000
"""Words whose runs of characters are known by their columns, about 15 MB."""


@dataclass(frozen=True, kw_only=True)
class TfidfSettings:
    """Which parts of a title are features, and how strongly the regression is regularised.

    Raises:
        BadInput: at least one setting is out of range; all such settings are named.
    """

    max_word_ngram: Count = 2
    """Longest run of words that is a feature."""
    min_character_ngram: Count = 2
    """Shortest run of characters within a word that is a feature; a space marks each end of the word."""
    max_character_ngram: Count = 5
    """Longest run of characters within a word that is a feature."""
    min_titles: Count = 2
    """Drop runs that occur in fewer distinct training titles than this."""
    max_features: Count = 100_000
    """Keep at most this many of the most frequent word runs, and as many character runs."""
    max_characters: Count = 1_000
    """Longest part of a title that is read, so that a pasted page cannot fill the memory."""
    sublinear_frequency: bool = True
    """Count a run that occurs n times in a title as 1 + log(n) instead of n."""
    inverse_regularisation: Positive = 3.0
    """scikit-learn's C over weights of mean 1; more of it follows the training labels more closely."""
    count_power: NonNegative = 1.0
    """A row of c records, each of weight w, weighs w * c ** count_power: 1 counts records, 0 distinct rows."""
    max_iterations: Count = 500
    """Steps of the solver per target; 25,000 real titles labelled by rule, with noise, took 112."""

    def __post_init__(self) -> None:
        check_settings(self, "tfidf", smaller="min_character_ngram", larger="max_character_ngram")


class TitleFeatures:
    """TF-IDF over runs of words, beside TF-IDF over runs of characters within words.

    Measured on 18,788 real titles labelled by rule with 8% noise, a tenth held out: characters within words and
    characters across them are equally accurate (function .921 and .922, role .925 and .926, level .923 and .923), the
    former with fewer features (25,699 and 36,922).

    Titles are read with their spelling folded: of 373 spelling variants, 1 to 3 changed the answer instead of 11 to 14.
    """

    columns_: dict[str, dict[str, int]]
    """Those of `WORDS` and `CHARACTERS` for which training left a run: each run to its column."""
    rarity_: dict[str, npt.NDArray[np.float32]]
    """The inverse document frequency of each run of a kind, (n_runs,)."""

    def __init__(self, settings: TfidfSettings, *, folded: bool = True) -> None:
        """Store the settings; features that an earlier release saved are of titles that are not `folded`."""
        self.settings = settings
        self.folded = folded

    def fit(self, titles: Sequence[str] | StrArray) -> "TitleFeatures":
        """Learn which runs to keep and how rare each is, from distinct titles."""
        read = self._read(titles)
        from sklearn.feature_extraction.text import TfidfTransformer  # on use, as for `_blank`

        self.columns_, self.rarity_ = {}, {}
        self.__dict__.pop("_columns_of_word", None)  # of an earlier fit
        for name, counter in self._blank().items():
            try:
                counts = counter.fit_transform(read.to_list())
            except ValueError:
                # Settings and titles are known to be good, so this means that no run occurs in enough titles.
                continue
            self.columns_[name] = {run: int(column) for run, column in counter.vocabulary_.items()}
            self.rarity_[name] = TfidfTransformer().fit(counts).idf_
        return self

    def transform(self, titles: Sequence[str] | StrArray) -> sparse.csr_matrix:
        """Return the features of each title, float32, shape (n_titles, n_features); an empty title has none."""
        read = self._read(titles)
        if not self.columns_:
            return sparse.csr_matrix((len(read), 0), dtype=np.float32)
        blocks = [self._weighted(name, self._count(name, read)) for name in self.columns_]
        return sparse.hstack(blocks, format="csr", dtype=np.float32)

    def _weighted(self, name: str, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """Weight runs of one kind in place, to the last bit as scikit-learn's `TfidfTransformer` does."""
        if self.settings.sublinear_frequency:
            counts.data = np.log(counts.data) + 1
        counts.data *= self.rarity_[name][counts.indices]
        row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        lengths = np.sqrt(np.bincount(row, counts.data**2, minlength=counts.shape[0]))
        counts.data = (counts.data / lengths[row]).astype(np.float32)
        return counts

    def _count(self, name: str, read: pl.Series) -> sparse.csr_matrix:
        """Count the runs of one kind, (n_titles, n_runs).

        Each distinct word is taken apart once, which takes a third of the time of `CountVectorizer.transform`.
        """
        pattern = _WORD if name == WORDS else _NO_SPACE
        found = read.str.extract_all(pattern)
        words, codes = distinct_texts(found.explode(empty_as_null=False))
        starts = np.concatenate([[0], np.cumsum(found.list.len().to_numpy(), dtype=np.int64)])  # (n_titles + 1,)
        if name == WORDS:
            return self._count_word_runs(words.to_list(), codes, starts)
        # Runs of characters do not cross words.
        columns = [self._columns_of_word(word) for word in words]
        ends = np.concatenate([[0], np.cumsum([len(each) for each in columns], dtype=np.int64)])
        of_words = _ones(np.concatenate([np.zeros(0, dtype=np.int32), *columns]), ends, self.n_features[name])
        return _ones(codes, starts, len(words)) @ of_words

    def _count_word_runs(self, words: list[str], codes: IntArray, starts: npt.NDArray[np.int64]) -> sparse.csr_matrix:
        """Count runs of words, given distinct words, which of them each title holds, and where each title starts."""
        column_of = self.columns_[WORDS]
        title = np.repeat(np.arange(len(starts) - 1), np.diff(starts))  # (n_codes,)
        begins, runs, run_of = np.arange(len(codes)), words, codes  # of runs of one word
        found = []
        for length in range(1, self.settings.max_word_ngram + 1):
            column_of_run = np.array([column_of.get(run, -1) for run in runs], dtype=np.int64)
            columns = column_of_run[run_of]
            found.append((title[begins[columns >= 0]], columns[columns >= 0]))
            goes_on = np.zeros(len(begins), dtype=bool)
            within = begins + length < len(codes)
            goes_on[within] = title[begins[within]] == title[begins[within] + length]
            begins = begins[goes_on]
            longer = run_of[goes_on] * np.int64(len(words)) + codes[begins + length]
            run_of, distinct = pd.factorize(longer)
            runs = [f"{runs[pair // len(words)]} {words[pair % len(words)]}" for pair in distinct.tolist()]
        rows, columns = (np.concatenate(parts) for parts in zip(*found, strict=True))
        shape = len(starts) - 1, len(column_of)
        return sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)

    @cached_property
    def _columns_of_word(self) -> Callable[[str], npt.NDArray[np.int32]]:
        """Return the columns of the runs of characters of a word, those that it holds twice being there twice."""
        column_of, shortest = self.columns_[CHARACTERS], self.settings.min_character_ngram
        longest = self.settings.max_character_ngram

        @lru_cache(_MAX_CACHED_WORDS)
        def columns(word: str) -> npt.NDArray[np.int32]:
            runs = _character_runs(word, shortest, longest)
            return np.array([column_of[run] for run in runs if run in column_of], dtype=np.int32)

        return columns

    @property
    def n_features(self) -> dict[str, int]:
        """Runs kept, by kind."""
        return {name: len(columns) for name, columns in self.columns_.items()}

    def state(self) -> tuple[dict[str, list[str]], dict[str, npt.NDArray[np.float32]]]:
        """Return the runs of each kind in column order, and the rarity of each, shape (n_runs,)."""
        runs = {name: sorted(columns, key=columns.__getitem__) for name, columns in self.columns_.items()}
        return runs, self.rarity_

    @classmethod
    def from_state(
        cls,
        settings: TfidfSettings,
        runs: Mapping[str, list[str]],
        rarity: Mapping[str, npt.NDArray[np.float32]],
        *,
        folded: bool,
    ) -> "TitleFeatures":
        """Build from what `state` returned."""
        features = cls(settings, folded=folded)
        features.columns_ = {name: {run: column for column, run in enumerate(some)} for name, some in runs.items()}
        features.rarity_ = {name: rarity[name] for name in runs}
        return features

    def _read(self, titles: Sequence[str] | StrArray) -> pl.Series:
        """Return what is read of each title, in lower case."""
        read = read_texts(titles, self.settings.max_characters)
        return fold_spelling(read) if self.folded else read.str.to_lowercase()

    def _blank(self) -> "dict[str, CountVectorizer]":
        """Return counters that have learned nothing."""
        from sklearn.feature_extraction.text import CountVectorizer

        shared: dict[str, Any] = {
            "min_df": self.settings.min_titles,
            "max_features": self.settings.max_features,
            "dtype": np.float32,
            "lowercase": False,
        }
        words = (1, self.settings.max_word_ngram)
        characters = (self.settings.min_character_ngram, self.settings.max_character_ngram)
        return {
            # Unlike scikit-learn's own pattern, one letter is a word: the C of "C developer", the R of "R&D".
            WORDS: CountVectorizer(ngram_range=words, token_pattern=r"\w+", **shared),
            CHARACTERS: CountVectorizer(ngram_range=characters, analyzer="char_wb", **shared),
        }


def _character_runs(word: str, shortest: int, longest: int) -> list[str]:
    """Return the runs of characters of a word, a space at each end, as scikit-learn's analyzer `char_wb` does."""
    runs = []
    for part in word.split():  # Python knows more white space than polars
        spaced = f" {part} "
        for length in range(shortest, min(longest, len(spaced)) + 1):
            runs += [spaced[start : start + length] for start in range(len(spaced) - length + 1)]
        if shortest > len(spaced):
            runs.append(spaced)  # a word shorter than any run counts once, as a whole
    return runs


def _ones(columns: IntArray, starts: npt.NDArray[np.int64], n_columns: int) -> sparse.csr_matrix:
    """Return a matrix of ones in the given columns, row after row from `starts`, (n_rows, n_columns)."""
    data = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_matrix((data, columns, starts), shape=(len(starts) - 1, n_columns))
