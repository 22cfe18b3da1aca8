"""The spelling that titles are compared in; the original is kept beside it."""

import polars as pl


def normalise_titles(titles: pl.Series) -> pl.Series:
    """Compose Unicode, drop control characters and fold white space; case and wording stay as they were typed."""
    composed = titles.str.normalize("NFC").str.replace_all(r"[\s\p{Cc}\p{Zs}\u200b\ufeff]+", " ")
    return composed.str.strip_chars()
