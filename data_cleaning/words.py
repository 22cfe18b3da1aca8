"""How titles are compared and split: their normal spelling, their words, and how often each occurs.

A word is a run of letters and digits, lower-cased. White space and any other sign separate two words, except one of
. ' & + # @ _ - with a letter or digit on both sides ("r&d", "cyber-security", "asp.net"), a slash between digits
("24/7"), and plus or number signs behind a word ("c++", "c#"). Nothing else is folded: "sr" and "senior", or "vp" and
"v.p", are two words, and a title in a script without spaces is one word. A sign alone ("&", an emoji) is not a word.
"""

import re
from collections.abc import Iterable
from functools import cache

import polars as pl

from data_cleaning.text_repair import repaired

# Before composing, which turns an acute accent used as an apostrophe into a space and an accent.
_QUOTES = (
    ("[\u2018\u2019\u201a\u201b\u2032\u2035\u02bc\u00b4`\uff07]", "'"),
    ("[\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\uff02]", '"'),
)
_DASHES = "[\u2010-\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d]"
_SPACE = r"[\s\p{Cc}\p{Zs}]+"
_NOT_NORMAL = "[^ !-_a-~]|^ |  | $"
"""What every title has that normalising may change, and few others: all but the common ASCII characters, and spaces."""

_SPELLINGS = (
    (r"[-,/|:;()]|\.(?:\s|$)", " "),
    (r"(\p{L})ies\b", "${1}y"),
    (r"(ss|x|ch|sh)es\b", "${1}"),
    (r"(\p{L}{2}[^sui\P{L}])s\b", "${1}"),
    (r"\b(?:of|the|for|and)\b", " "),
)
"""Spellings, to what they become, one after the other."""

_MAYBE_SPELLED = r"\b\p{L}[. ]\s?\p{L}\b"
_SPELLED = re.compile(r"(?<![\w&/'’-])(?:(?:[^\W\d_]\.\s?)+[^\W\d_](?!\w)\.?|(?:[^\W\d_] )+[^\W\d_](?![\w.&/'’]))")
"""Two and more single letters with dots, or with blanks, between them."""
_PREFIXED = r"(\p{Ll})(\p{Lu}{3})"
_NO_LETTER = re.compile(r"[\W\d_]")

_WORD = (
    r"\p{N}+(?:/\p{N}+)+"
    r"|[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:[.'’&+#@_-][\p{L}\p{N}][\p{L}\p{M}\p{N}]*)*(?:\+{1,2}|#)?"
)


def read_texts(titles: Iterable[str], max_characters: int) -> pl.Series:
    """Return the beginning of each text as a column; half of a character of two code units becomes a question mark."""
    given = list(titles)
    try:
        return pl.Series(given, dtype=pl.String).str.head(max_characters)
    except UnicodeEncodeError:
        whole = [title[:max_characters].encode("utf-8", "replace").decode() for title in given]
        return pl.Series(whole, dtype=pl.String)


def normalise_titles(titles: pl.Series) -> pl.Series:
    """Repair titles, compose Unicode (NFKC) and fold quotes, dashes, control characters and white space.

    Case and wording stay. A title in normal spelling stays unchanged.
    """
    return normalise_repaired(repaired(titles))


def normalise_repaired(whole: pl.Series) -> pl.Series:
    """Normalise titles that are repaired already; to look for damage again takes longer than all the rest."""
    rows = whole.str.contains(_NOT_NORMAL).fill_null(False).arg_true()
    if rows.is_empty():
        return whole
    given = whole.gather(rows)
    folded = given
    for curly, straight in _QUOTES:
        folded = folded.str.replace_all(curly, straight)
    folded = folded.str.normalize("NFKC").str.replace_all(_DASHES, "-").str.replace_all(_SPACE, " ").str.strip_chars()
    # Folding may uncover damage, as wide letters can spell an entity.
    changed = (folded != given).arg_true()
    if not changed.is_empty():
        folded = folded.scatter(changed, normalise_titles(folded.gather(changed)))
    return whole.clone().scatter(rows, folded)


def spell_acronyms(titles: pl.Series) -> pl.Series:
    """Write acronyms as words of their own: "C.I.S.O." as "CISO", "V P Sales" as "VP Sales", "vCISO" as "v CISO"."""
    titles = titles.str.replace_all(_PREFIXED, "${1} ${2}")
    rows = titles.str.contains(_MAYBE_SPELLED).arg_true()
    joined = [_SPELLED.sub(lambda found: _NO_LETTER.sub("", found.group()), title) for title in titles.gather(rows)]
    return titles.clone().scatter(rows, pl.Series(joined, dtype=pl.String)) if joined else titles


def fold_spelling(titles: pl.Series) -> pl.Series:
    """Write titles alike that differ in case, plurals, small words and signs between words, up to white space."""
    folded = titles.str.to_lowercase()
    for spelling, alike in _SPELLINGS:
        folded = folded.str.replace_all(spelling, alike)
    return folded


@cache
def stop_words() -> frozenset[str]:
    """Return scikit-learn's common English words; "it" and "system" are among them, which mean more than that here."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS  # on use: it takes half a second to import

    return frozenset(ENGLISH_STOP_WORDS)


def split_words(titles: pl.Expr) -> pl.Expr:
    """Return the words of each title in their order, repeats included, as a list; null for a null title."""
    return titles.str.to_lowercase().str.extract_all(_WORD)


def title_records(titles: pl.Series, counts: pl.Series | None = None) -> pl.DataFrame:
    """Count the records of each distinct title, compared as it is written; null titles are left out.

    Args:
        titles: n_rows titles.
        counts: records of each row, (n_rows,); None for one each.

    Returns:
        `title` and `records`, the most frequent first, then by title.
    """
    records = pl.lit(1, dtype=pl.Int64) if counts is None else counts.cast(pl.Int64)
    frame = titles.to_frame("title").with_columns(records.alias("records")).drop_nulls("title")
    counted = frame.group_by("title").agg(pl.col("records").sum())
    return counted.sort("records", "title", descending=[True, False])


def unique_words(titles: pl.Series, counts: pl.Series | None = None) -> pl.DataFrame:
    """Count the records whose title has each word, as `title_records` does; a word that a title repeats counts once.

    Returns:
        `word` and `records`, the most frequent first, then by word.
    """
    # Splitting each distinct title once is what makes this fast: titles repeat about five times.
    distinct = title_records(titles, counts)
    held = distinct.select(split_words(pl.col("title")).list.unique().alias("word"), "records")
    held = held.explode("word").drop_nulls("word")
    return title_records(held["word"], held["records"]).rename({"title": "word"})
