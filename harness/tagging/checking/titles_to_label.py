"""The titles that are most worth labelling by hand: doubtful and frequent ones, that together cover the words."""

import polars as pl

from data_cleaning.files.spreadsheet_text import safe_text
from data_cleaning.review_sample import choose_titles_to_review
from harness.tagging.checking.answered import Answered
from harness.tagging.checking.suspicious import FOREIGN, NOT_A_TITLE

N_TITLES = 100
COMMON = "common words"
_FREQUENT_SHARE, _DOUBTFUL_SHARE = 0.4, 0.8
"""Of the titles to label: the most frequent doubtful ones, and all doubtful ones. The rest have the commonest words of
the other leads, so that answers are confirmed too."""


def choose_titles(answered: Answered, suspicious: pl.DataFrame, n_titles: int = N_TITLES) -> pl.DataFrame:
    """Choose titles to label; what is no title or foreign is not worth it.

    Returns:
        `position` of a title in `answered.titles`, and `why` it was chosen; titles of most records first.
    """
    numbered = answered.titles.with_row_index("position").with_columns(pl.col("position").cast(pl.Int64))
    numbered = numbered.join(suspicious.select("position", "kind"), on="position", how="left", maintain_order="left")
    # A spreadsheet escapes some titles, which would not be read back as they are.
    safe = pl.Series([safe_text(title) == title for title in numbered["title"]], dtype=pl.Boolean)
    offered = numbered.filter(safe & ~pl.col("kind").is_in([NOT_A_TITLE, FOREIGN]).fill_null(False))
    doubtful = offered.filter(pl.col("kind").is_not_null())
    n_doubtful = max(round(_DOUBTFUL_SHARE * n_titles), n_titles - (len(offered) - len(doubtful)))
    frequent = doubtful.head(round(_FREQUENT_SHARE * n_titles))
    others = doubtful.slice(len(frequent))
    varied = choose_titles_to_review(others, n_doubtful - len(frequent))
    certain = offered.filter(pl.col("kind").is_null())
    common = choose_titles_to_review(certain, n_titles - len(frequent) - len(varied))
    chosen = pl.concat([frequent, varied, common]).sort("position")  # the titles are in the order of their records
    return chosen.select("position", pl.col("kind").fill_null(COMMON).alias("why"))
