"""The spelling that titles are compared in; the original is kept beside it."""

import polars as pl

_INVISIBLE = r"[\u00ad\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069]"
"""Soft hyphens, joiners of words and marks of writing direction; the joiner U+200D stays, as emoji need it."""

# Before composing: to compose turns an acute accent that stands for an apostrophe into a space and an accent.
_QUOTES = (
    ("[\u2018\u2019\u201a\u201b\u2032\u2035\u02bc\u00b4`\uff07]", "'"),
    ("[\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\uff02]", '"'),
)
_DASHES = "[\u2010-\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d]"
_SPACE = r"[\s\p{Cc}\p{Zs}\u200b\ufeff]+"


def normalise_titles(titles: pl.Series) -> pl.Series:
    """Compose Unicode (NFKC), drop invisible marks and fold quotes, dashes, control characters and white space.

    Case and wording stay as they were typed. What is normal already comes back unchanged.
    """
    folded = titles.str.replace_all(_INVISIBLE, "")
    for curly, straight in _QUOTES:
        folded = folded.str.replace_all(curly, straight)
    return folded.str.normalize("NFKC").str.replace_all(_DASHES, "-").str.replace_all(_SPACE, " ").str.strip_chars()
