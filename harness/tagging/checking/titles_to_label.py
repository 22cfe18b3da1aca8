"""The titles that are most worth labelling by hand: doubtful and frequent ones, that together cover the words."""

import polars as pl

from data_cleaning.files.spreadsheet_text import safe_text
from data_cleaning.review_sample import choose_titles_to_review
from harness.tagging.checking.answered import Answered
from harness.tagging.checking.suspicious import FOREIGN, NOT_A_TITLE

N_TITLES = 100
_DOUBTFUL_SHARE = 0.7
"""Of the titles to label; the rest are the commonest words of all leads, so that right answers are confirmed too."""


def choose_titles(answered: Answered, suspicious: pl.DataFrame, n_titles: int = N_TITLES) -> pl.DataFrame:
    """Choose titles to label, the doubtful ones first; what is no title or foreign is not worth it.

    Returns:
        `position` of a title in `answered.titles`, and `why` it was chosen.
    """
    numbered = answered.titles.with_row_index("position").with_columns(pl.col("position").cast(pl.Int64))
    numbered = numbered.join(suspicious.select("position", "kind"), on="position", how="left", maintain_order="left")
    # A spreadsheet escapes some titles, which would not be read back as they are.
    safe = pl.Series([safe_text(title) == title for title in numbered["title"]], dtype=pl.Boolean)
    offered = numbered.filter(safe & ~pl.col("kind").is_in([NOT_A_TITLE, FOREIGN]).fill_null(False))
    doubtful = offered.filter(pl.col("kind").is_not_null())
    n_doubtful = max(round(_DOUBTFUL_SHARE * n_titles), n_titles - (len(offered) - len(doubtful)))
    first = choose_titles_to_review(doubtful, n_doubtful)
    rest = offered.join(first.select("position"), on="position", how="anti", maintain_order="left")
    more = choose_titles_to_review(rest, n_titles - len(first))
    why = pl.col("kind").fill_null("common words")
    return pl.concat([first, more]).select("position", why.alias("why"))
