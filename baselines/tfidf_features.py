"""The TF-IDF settings, and one sparse matrix of weighted word runs and character runs of titles.

scikit-learn is imported when features are made, so that a config can check settings without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
from scipy import sparse

from data_cleaning.checked_settings import Count, NonNegative, Positive, check_settings
from data_cleaning.titles import StrArray
from data_cleaning.words import fold_spelling

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

WORDS, CHARACTERS = "words", "characters"


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

    counters_: "dict[str, CountVectorizer]"
    """Those of `WORDS` and `CHARACTERS` for which training left a run."""
    weights_: "dict[str, TfidfTransformer]"

    def __init__(self, settings: TfidfSettings, *, folded: bool = True) -> None:
        """Store the settings; features that an earlier release saved are of titles that are not `folded`."""
        self.settings = settings
        self.folded = folded

    def fit(self, titles: Sequence[str] | StrArray) -> "TitleFeatures":
        """Learn which runs to keep and how rare each is, from distinct titles."""
        read = self._read(titles)
        self.counters_, self.weights_ = {}, {}
        for name, counter in self._blank().items():
            try:
                counts = counter.fit_transform(read)
            except ValueError:
                # Settings and titles are known to be good, so this means that no run occurs in enough titles.
                continue
            self.counters_[name], self.weights_[name] = counter, self._weighting().fit(counts)
        return self

    def transform(self, titles: Sequence[str] | StrArray) -> sparse.csr_matrix:
        """Return the features of each title, float32, shape (n_titles, n_features); an empty title has none."""
        read = self._read(titles)
        if not read or not self.counters_:  # scikit-learn transforms neither
            return sparse.csr_matrix((len(read), sum(self.n_features.values())), dtype=np.float32)
        blocks = [self.weights_[name].transform(self._count(name, read), copy=False) for name in self.counters_]
        return sparse.hstack(blocks, format="csr", dtype=np.float32)

    def _count(self, name: str, read: list[str]) -> sparse.csr_matrix:
        """Count the runs of one kind, (n_titles, n_runs)."""
        counter = self.counters_[name]
        words = [title.split() for title in read]
        if name == WORDS or not any(words):
            return counter.transform(read)
        # Runs of characters do not cross words, so that each distinct word is taken apart only once.
        codes, distinct = pd.factorize(np.array(list(chain.from_iterable(words)), dtype=object))
        starts = np.concatenate([[0], np.cumsum([len(each) for each in words])])
        ones = np.ones(len(codes), dtype=np.float32)
        held = sparse.csr_matrix((ones, codes, starts), shape=(len(read), len(distinct)))
        counts = held @ counter.transform(distinct)
        counts.sort_indices()  # sums over runs then do not depend on the other titles
        return counts

    @property
    def n_features(self) -> dict[str, int]:
        """Runs kept, by kind."""
        return {name: len(counter.vocabulary_) for name, counter in self.counters_.items()}

    def state(self) -> tuple[dict[str, list[str]], dict[str, npt.NDArray[np.float32]]]:
        """Return the runs of each kind in column order, and the rarity of each, shape (n_runs,)."""
        runs = {name: counter.get_feature_names_out().tolist() for name, counter in self.counters_.items()}
        return runs, {name: weighting.idf_ for name, weighting in self.weights_.items()}

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
        features.counters_, features.weights_ = {}, {}
        for name, counter in features._blank().items():
            if name in runs:
                features.counters_[name] = counter.set_params(vocabulary=runs[name])
                features.weights_[name] = features._weighting()
                features.weights_[name].idf_ = rarity[name]
        return features

    def _read(self, titles: Sequence[str] | StrArray) -> list[str]:
        """Return what is read of each title; half of a character of two code units cannot be."""
        read = [title[: self.settings.max_characters].encode("utf-8", "replace").decode() for title in titles]
        return fold_spelling(pl.Series(read, dtype=pl.String)).to_list() if self.folded else read

    def _blank(self) -> "dict[str, CountVectorizer]":
        """Return counters that have learned nothing."""
        from sklearn.feature_extraction.text import CountVectorizer

        shared: dict[str, Any] = {
            "min_df": self.settings.min_titles,
            "max_features": self.settings.max_features,
            "dtype": np.float32,
        }
        words = (1, self.settings.max_word_ngram)
        characters = (self.settings.min_character_ngram, self.settings.max_character_ngram)
        return {
            # Unlike scikit-learn's own pattern, one letter is a word: the C of "C developer", the R of "R&D".
            WORDS: CountVectorizer(ngram_range=words, token_pattern=r"\w+", **shared),
            CHARACTERS: CountVectorizer(ngram_range=characters, analyzer="char_wb", **shared),
        }

    def _weighting(self) -> "TfidfTransformer":
        """Return a weighting that has learned nothing."""
        from sklearn.feature_extraction.text import TfidfTransformer

        return TfidfTransformer(sublinear_tf=self.settings.sublinear_frequency)
