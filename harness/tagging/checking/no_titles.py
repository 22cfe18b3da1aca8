"""Texts in a column of titles that are no job titles, by their form alone.

`check` has no fitted system whose titles `data_cleaning.novelty` could compare with, so that unusual words and words of
other languages are not looked for.
"""

import polars as pl

from baselines.matching import normal_form

_EMPTY_WORDS = (
    *("n a", "na", "none", "null", "nil", "nan", "unknown", "tbd", "tba", "test", "testing", "asdf", "qwerty", "xxx"),
    *("not applicable", "not available", "no title", "title", "job title", "mr", "mrs", "ms", "dr", "miss", "xx", "x"),
    *("private", "confidential", "various", "misc", "abc", "no", "yes", "me", "myself", "person", "true", "false"),
)
_ADDRESS = r"(?i)[\w.+-]+@[\w-]+\.\w+|https?://|\bwww\.|^[\w.-]+\.(?:com|org|net|io|edu)$"
_FORMULA = r"^[=@]"
_COMPANY = r"(?i)[ ,](?:inc|llc|ltd|gmbh|corp|plc|pty|s\.a|b\.v|n\.v)\.?$"
_DENIAL = r"(?i)^(?:not an?|no longer|i am|i'm|i work|we |my |please|do not|don't)\b"
_KEYS = r"(?:^| )[a-z]*(?:[bcdfghjklmnpqrstvwxz]{6,}|[aeiou]{6,}|a{4,}|x{3,}|z{3,}|asdf|qwert|sdfg)[a-z]*(?: |$)"
"""Words in which nobody spells a job: consonants or vowels in a row, and keys that are next to each other."""
_SENTENCE_WORDS = 20


def is_no_title(texts: pl.Series) -> pl.Series:
    """Say which texts are no job titles by their form: addresses, companies, keys hit at random; (n_titles,)."""
    text = pl.col("text")
    plain = normal_form(texts).str.strip_chars()
    frame = texts.to_frame("text").with_columns(plain.alias("plain"))
    letters = text.str.count_matches(r"\p{L}")
    return frame.select(
        (letters < 2)
        | pl.col("plain").is_in(_EMPTY_WORDS)
        | text.str.contains(_ADDRESS)
        | text.str.contains(_FORMULA)
        | text.str.contains(_COMPANY)
        | text.str.contains(_DENIAL)
        | pl.col("plain").str.contains(_KEYS)
        | (pl.col("plain").str.count_matches(" ") >= _SENTENCE_WORDS)
    ).to_series()
