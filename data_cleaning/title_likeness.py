"""How much the values of a column look like job titles, judged by the words of the project's own lists of titles."""

import re
from functools import cache

import polars as pl

from data_cleaning.words import normalise_titles, split_words

LOOKS_LIKE_TITLES = 0.4
"""Likeness from which a column is taken for job titles. Measured: English titles .55 to .95, names of departments .5,
the titles of talks and papers .1 to .25, names of people and companies below .15."""

NOT_ENGLISH = 0.2
"""Likeness of a text in a script that the lists have hardly a title in, so that nothing is known about it."""

_SAMPLE = 300
"""Distinct values that are looked at."""
_MAX_WORDS = 12
_JOINING = frozenset(
    {"a", "an", "and", "as", "at", "by", "for", "from", "in", "is", "of", "on", "or", "the", "to", "with"}
)
"""Words of every English text, which speak for no title."""
_NOT_NAMED = r"[@\\]|^\P{L}*$|\p{N}{4}|https?:"
"""An address, numbers alone, a long number."""
_NOT_LATIN = r"[\p{L}--\p{Latin}]"


def title_likeness(values: pl.Series) -> float:
    """Say how much texts look like job titles in English, from 0 to 1; the first distinct ones decide.

    Half of it is for words that name a holder or a rank, such as "engineer" and "head"; the other half is the share of
    the words that titles are made of.

    Args:
        values: of a column, of any type, nulls among them.
    """
    if values.dtype.is_nested() or values.dtype in (pl.Binary, pl.Duration, pl.Object):
        return 0.0
    titles = normalise_titles(values.cast(pl.String).drop_nulls().unique(maintain_order=True).head(_SAMPLE))
    titles = titles.filter(titles != "")
    if titles.is_empty():
        return 0.0
    known, holders, empty = _vocabulary()
    words = titles.to_frame("title").select("title", split_words(pl.col("title")).alias("word"))
    words = words.with_columns(pl.col("title").str.to_lowercase().is_in(empty).alias("empty"))
    odd = pl.col("empty") | pl.col("title").str.contains(_NOT_NAMED) | (pl.col("word").list.len() > _MAX_WORDS)
    word = pl.col("word").list
    share = word.eval(pl.element().is_in(known)).list.mean().fill_null(0)
    held = word.eval(pl.element().is_in(holders)).list.any().fill_null(False)
    likeness = pl.when(odd).then(0.0).when(pl.col("title").str.contains(_NOT_LATIN)).then(NOT_ENGLISH)
    return float(words.select(likeness.otherwise((share + held) / 2).mean()).item())


@cache
def _vocabulary() -> tuple[list[str], list[str], list[str]]:
    """Return the words of titles, those among them that name a holder or a rank, and texts that are no titles."""
    from data_cleaning.simulate.word_lists import read_list  # the package imports the columns of leads

    listed = [row["title"] for row in read_list("listed_titles") if row["family"] != "junk"]
    fields = [row[form] for row in read_list("disciplines") for form in ("before_job", "before_rank", "after_of")]
    ranks = [row["before"] for row in read_list("grades")]
    ranks += [re.sub(r"\{.*?\}", " ", row["pattern"]) for row in read_list("patterns")]
    varied = [form for row in read_list("abbreviations") for form in row.values()]
    jobs = [row["job"] for row in read_list("jobs")]
    # The holder is the last word of the part before a comma or "of": "Engineer" of "Senior Engineer, Networks".
    last = [re.split(r",| of | for | - ", title)[0].split()[-1] for title in listed]
    known = _words([*listed, *fields, *ranks, *varied, *jobs]) - _JOINING
    holders = _words([*jobs, *ranks, *last]) - _words(fields) - _JOINING
    empty = [row["title"].lower() for row in read_list("listed_titles") if row["family"] == "junk"]
    return sorted(known), sorted(holders), empty


def _words(texts: list[str]) -> set[str]:
    frame = pl.DataFrame({"text": texts}).select(split_words(pl.col("text")).alias("word"))
    return set(frame["word"].explode().drop_nulls())
