"""The tables of titles, words and lengths, and of how unique titles and words grow with the records."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import polars as pl

from data_cleaning.profile.material import Material
from data_cleaning.profile.measures import (
    fit_heaps,
    growth_curve,
    length_summary,
    length_table,
    round_sizes,
    with_shares,
)
from data_cleaning.profile.profile_page import Table
from data_cleaning.progress import Progress
from data_cleaning.titles import IntArray
from data_cleaning.words import STOP_WORDS, split_words

MAX_TOKENS = 64
"""Tokens of a title that the study's network read."""

_TOKEN_CHUNK = 20_000
_MOST_TITLES = 1000

TokenCounter = Callable[[Sequence[str]], IntArray]
"""Titles to the tokens of each, (n_titles,)."""


def title_tables(of: Material) -> Iterator[Table]:
    """Yield the most common titles and words."""
    if of.titles.is_empty():
        of.left_out.append("No figures on titles and words: every title is missing.")
        return
    folded = of.titles["title"].str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    n_titles, n_words = len(of.titles), len(of.words)
    once = int((of.titles["records"] == 1).sum())
    of.add("unique titles, as written", n_titles, of.n_titled, "records with a title")
    of.add("unique titles, case and white space aside", folded.n_unique(), of.n_titled, "records with a title")
    of.add("titles that occur once", once, n_titles, "unique titles")
    yield Table(
        "titles",
        "The most common titles",
        f"Titles as they are written; shares are of the {of.n_titled:,} records with a title.",
        with_shares(of.titles).head(_MOST_TITLES),
    )
    if of.words.is_empty():
        of.left_out.append("No figures on words: no title holds a letter or a digit.")
        return
    words = of.words.with_columns(
        (pl.col("records") / of.n_titled).alias("share"), pl.col("word").is_in(list(STOP_WORDS)).alias("stop_word")
    )
    stop_words = words.filter("stop_word").drop("stop_word")
    of.add("unique words", n_words)
    of.add("words in one record only", int((of.words["records"] == 1).sum()), n_words, "unique words")
    of.add("stop words among the unique words", len(stop_words), n_words, "unique words")
    yield Table(
        "words",
        "The most common words",
        "A word is a lower-cased run of letters and digits. White space and punctuation part words, but signs inside "
        "a word stay (r&d, c++, 24/7, cyber-security). Records whose title holds the word, and their share of the "
        "records with a title; a title holds several words, so the shares add up to more than all.",
        words,
        f"the {of.n_titled:,} records with a title",
    )
    if len(stop_words):
        yield Table(
            "stop_words",
            "Stop words in the titles",
            f"Words of the {len(STOP_WORDS)} English stop words of scikit-learn that titles hold. Look before you drop "
            'them: "it" is on the list.',
            stop_words,
        )
    yield _zipf(of)


def _zipf(of: Material) -> Table:
    ranks = sorted({int(rank) for rank in np.geomspace(1, max(len(of.words), len(of.titles)), 60).round()})
    at = pl.DataFrame({"rank": ranks}, schema={"rank": pl.Int64})
    for name, counted in (("word", of.words), ("title", of.titles)):
        ranked = counted.with_row_index("rank", offset=1).cast({"rank": pl.Int64})
        at = at.join(ranked.rename({"records": f"{name}_records"}), on="rank", how="left", maintain_order="left")
    return Table(
        "zipf",
        "How fast words and titles become rare",
        "Words and titles ranked by their records, at ranks that are evenly apart on a logarithmic scale. On such "
        "axes Zipf's law is a straight line that falls by one tenfold per tenfold.",
        at,
    )


def length_tables(of: Material, count_tokens: TokenCounter | None, progress: Progress) -> Iterator[Table]:
    """Yield the lengths of the titles in characters, words and, with a tokenizer, tokens."""
    if of.titles.is_empty():
        return
    titles, records = of.titles["title"], of.titles["records"].to_numpy()
    words = of.titles.select(split_words(pl.col("title")).list.len()).to_series()
    lengths = {"characters": titles.str.len_chars().to_numpy(), "words": words.to_numpy()}
    if count_tokens is None:
        of.left_out.append(f"No figures on tokens, nor on titles above {MAX_TOKENS} of them: no tokenizer was given.")
    else:
        lengths["tokens"] = _in_chunks(titles, count_tokens, progress)
    tables = {unit: length_table(of_titles, records) for unit, of_titles in lengths.items()}
    if "tokens" in tables:
        above = int(tables["tokens"].filter(pl.col("length") > MAX_TOKENS)["records"].sum())
        of.add(f"records with a title above {MAX_TOKENS} tokens", above, of.n_titled, "records with a title")
    rows = [{"unit": unit, **length_summary(table)} for unit, table in tables.items()]
    yield Table(
        "lengths",
        "Length of the titles",
        "Per record with a title. Nine in ten records have a title of at most the length in that column.",
        pl.DataFrame(rows),
    )
    for unit in ("words", "tokens"):
        if unit in tables:
            note = f"Records with a title of each length, as a share of the {of.n_titled:,} records with a title."
            yield Table(f"lengths_{unit}", f"Length of the titles in {unit}", note, tables[unit])


def _in_chunks(titles: pl.Series, count_tokens: TokenCounter, progress: Progress) -> IntArray:
    """Count the tokens of each distinct title, telling how far that is; it is the longest step."""
    counted = []
    for start in range(0, len(titles), _TOKEN_CHUNK):
        counted.append(np.asarray(count_tokens(titles[start : start + _TOKEN_CHUNK].to_list())))
        progress("Count tokens", min(start + _TOKEN_CHUNK, len(titles)), len(titles))
    return np.concatenate(counted)


def growth_tables(of: Material) -> Iterator[Table]:
    """Yield how unique titles and words grow with the records, and the Heaps curves fitted to both."""
    sizes = round_sizes(of.n_titled) if of.n_titled else []
    if len(sizes) < 2 or of.words.is_empty():
        of.left_out.append("No growth of titles and words: it takes two records with a title, and a word.")
        return
    growth = growth_curve(of.titles["title"], sizes, of.titles["records"])
    fits = {}
    for name in ("unique_titles", "unique_words"):
        fits[name] = fit_heaps(growth["size"].to_numpy(), growth[name].to_numpy())
        curve = fits[name].k * pl.col("size") ** fits[name].exponent
        growth = growth.with_columns(curve.alias(f"fitted_{name}"))
    yield Table(
        "growth",
        "Growth with the number of records",
        "Unique titles and words in a random sample of that many records, averaged over all samples, and the Heaps "
        "curve k × records ^ exponent that is fitted to each.",
        growth.rename({"size": "records"}),
    )
    rows = [{"growth_of": name.replace("_", " "), **fit._asdict()} for name, fit in fits.items()]
    yield Table(
        "growth_fit",
        "Heaps curves",
        "With an exponent of 1 every record would bring something new, with 0 none would. The deviation is the "
        "largest gap between the curve and a size above, as a share of the unique titles or words there.",
        pl.DataFrame(rows),
    )
