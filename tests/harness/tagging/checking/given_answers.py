"""Titles answered by a small table that a test writes."""

import pandas as pd
import polars as pl

from baselines.keyword_table import KeywordTable
from data_cleaning.taxonomy import Taxonomy
from harness.tagging.checking.answered import Answered

TAXONOMY = Taxonomy.from_dict({
    "targets": {
        "field": {"fallback": "Else", "classes": {"Tech": [], "Trade": [], "Else": []}},
        "grade": {"ordinal": True, "fallback": "Staff", "classes": {"Boss": [], "Lead": [], "Staff": []}},
    }
})  # fmt: skip


def answered(titles, rows):
    """Answer for titles, each with its records, by rows of keyword, priority, field and grade."""
    table = pd.DataFrame(rows, columns=["keyword", "priority", "field", "grade"])
    frame = pl.DataFrame({"title": list(titles), "count": list(titles.values())}).sort("count", descending=True)
    return Answered(titles=frame, table=KeywordTable.from_frame(table, TAXONOMY), hierarchy=None)
