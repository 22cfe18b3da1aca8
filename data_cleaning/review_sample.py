"""Which titles a person should label first: those that together cover the words of all leads."""

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.titles import IntArray
from data_cleaning.words import split_words

MIN_RECORDS = 20
"""Words of fewer records are not worth a reviewer's time."""


def choose_titles_to_review(titles: pl.DataFrame, n_titles: int) -> pl.DataFrame:
    """Choose titles for a person to label, by their words and records alone, without labels or keywords.

    A sample covers a word of r records by sqrt(r) * log(1 + titles of the sample with the word): common words are
    worth most, and each further title adds less. The title that adds most per word is chosen again and again, which
    avoids long remarks. Of near duplicates only the most frequent is chosen.

    Returns:
        `n_titles` rows, or all, of distinct titles with their `count` of records, in the order of their choice.

    Source: Wei, Iyer and Bilmes 2014, "Fast multi-stage submodular maximization" (feature-based functions), with the
    greedy choice of Nemhauser, Wolsey and Fisher 1978.
    """
    keyed = titles.with_columns(near_duplicate_keys(titles["title"])).sort("count", "title", descending=[True, False])
    offered = keyed.unique("key", keep="first", maintain_order=True).drop("key")
    held, worth = _words_of(offered, titles)
    n_words = offered.select(split_words(pl.col("title")).list.n_unique().clip(1)).to_series().to_numpy()
    covered = np.zeros(len(worth))  # (n_words,), titles of the sample that hold each word
    is_left = np.full(len(offered), True)
    chosen: list[int] = []
    for _ in range(min(n_titles, len(offered))):
        gain = held @ (worth * np.log((covered + 2) / (covered + 1))) / n_words  # (n_offered,)
        best = int(np.where(is_left, gain, -1.0).argmax())
        chosen.append(best)
        is_left[best] = False
        covered[held[best].indices] += 1
    return offered[chosen]


def _words_of(offered: pl.DataFrame, titles: pl.DataFrame) -> tuple[sparse.csr_matrix, npt.NDArray[np.float64]]:
    """Return which title has which word, (n_offered, n_words), and what each word is worth, (n_words,)."""
    records = _in_rows(titles).group_by("word").agg(pl.col("count").sum())
    frequent = records.filter(pl.col("count") >= MIN_RECORDS).sort("word")
    numbered = frequent.select("word", pl.int_range(pl.len()).alias("column"))
    pairs = _in_rows(offered).join(numbered, on="word")
    places: tuple[IntArray, IntArray] = (pairs["row"].to_numpy(), pairs["column"].to_numpy())
    held = sparse.csr_matrix((np.ones(len(pairs)), places), shape=(len(offered), len(frequent)))
    return held, np.sqrt(frequent["count"].to_numpy())


def _in_rows(titles: pl.DataFrame) -> pl.DataFrame:
    words = split_words(pl.col("title")).list.unique().alias("word")
    return titles.select(pl.int_range(pl.len()).alias("row"), words, "count").explode("word").drop_nulls("word")
