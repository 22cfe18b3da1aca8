"""What counts as a word of a title, and how often each word occurs.

A word is a run of letters and digits, lower-cased. White space and any other sign part two words, except one of
. ' & + # @ _ - with a letter or digit on both sides ("r&d", "cyber-security", "asp.net"), a slash between digits
("24/7"), and plus or number signs behind a word ("c++", "c#"). Nothing else is folded: "sr" and "senior", or "vp" and
"v.p", are two words, and a title in a script that sets no spaces is one. A sign alone ("&", an emoji) is no word.
"""

import polars as pl
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

STOP_WORDS: frozenset[str] = frozenset(ENGLISH_STOP_WORDS)
"""Common English words, the list of scikit-learn; "it" and "system" are among them, which mean more than that here."""

_WORD = (
    r"\p{N}+(?:/\p{N}+)+"
    r"|[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:[.'’&+#@_-][\p{L}\p{N}][\p{L}\p{M}\p{N}]*)*(?:\+{1,2}|#)?"
)


def split_words(titles: pl.Expr) -> pl.Expr:
    """Return the words of each title in their order, repeats included, as a list; null for a null title."""
    return titles.str.to_lowercase().str.extract_all(_WORD)


def title_records(titles: pl.Series, counts: pl.Series | None = None) -> pl.DataFrame:
    """Count the records of each distinct title; null titles are left out.

    Args:
        titles: n_rows titles, compared as they are written.
        counts: records that each row stands for, (n_rows,); None for one each.

    Returns:
        `title` and `records`, the most frequent first, then by title.
    """
    return _records_of(titles.alias("title"), counts)


def unique_words(titles: pl.Series, counts: pl.Series | None = None) -> pl.DataFrame:
    """Count the records whose title holds each word; a word that a title repeats counts once.

    Args:
        titles: n_rows titles; null ones are left out.
        counts: records that each row stands for, (n_rows,); None for one each.

    Returns:
        `word` and `records`, the most frequent first, then by word.
    """
    # Splitting each distinct title once is what makes this fast: titles repeat about five times.
    distinct = title_records(titles, counts)
    held = distinct.select(split_words(pl.col("title")).list.unique().alias("word"), "records")
    held = held.explode("word").drop_nulls("word")
    return _records_of(held["word"], held["records"])


def _records_of(values: pl.Series, counts: pl.Series | None) -> pl.DataFrame:
    """Sum the records of each distinct value."""
    records = pl.lit(1, dtype=pl.Int64) if counts is None else counts.cast(pl.Int64)
    frame = values.to_frame().with_columns(records.alias("records")).drop_nulls(values.name)
    return (
        frame.group_by(values.name)
        .agg(pl.col("records").sum())
        .sort(["records", values.name], descending=[True, False])
    )
