"""The distinct titles of a file of any size, with how many records each stands for."""

from pathlib import Path

import numpy as np
import polars as pl

from data_cleaning.files import open_source
from data_cleaning.lead_columns import find_title
from data_cleaning.progress import Progress
from data_cleaning.titles import IntArray, StrArray
from data_cleaning.words import normalise_titles
from harness.tagging.work import check_text, only_column

_STEP = "reading titles"
_COUNTED = [pl.col("records").sum()]


def count_titles(
    leads: Path, column: str, *, asked_for: bool, encoding: str | None, on_progress: Progress
) -> tuple[StrArray, IntArray, int]:
    """Read the titles of a file, in the spelling that they are compared in.

    Args:
        leads: the file.
        column: of titles.
        asked_for: whether somebody named that column; else title and job title will do.
        encoding: of a CSV file; None finds it out.
        on_progress: told how many rows are read.

    Returns:
        Distinct titles, the most frequent first, (n_titles,); their records, (n_titles,); and how many rows could not
        be read.

    Raises:
        BadInput: the file cannot be read, or has no column of titles.
    """
    source = open_source(leads, encoding=encoding)
    name = find_title(source.schema.names, column, leads, asked_for=asked_for)
    place = only_column(name, source.schema.names, leads)
    check_text(source.schema.field(place), leads)
    counts = pl.DataFrame(schema={"title": pl.String, "records": pl.Int64})
    n_rows = n_rejected = 0
    on_progress(_STEP, 0, source.n_rows + 1, "rows")
    for batch in source.batches():
        titles = pl.Series("title", pl.from_arrow(batch.rows.column(place))).cast(pl.String)
        new = titles.to_frame().group_by("title").len("records").with_columns(pl.col("records").cast(pl.Int64))
        counts = pl.concat([counts, new]).group_by("title").agg(_COUNTED)
        n_rows += len(titles)
        n_rejected += len(batch.rejects)
        on_progress(_STEP, n_rows, max(source.n_rows, n_rows) + 1, "rows")
    on_progress(_STEP, n_rows, n_rows, "rows")
    normal = counts.with_columns(normalise_titles(counts["title"])).drop_nulls("title").filter(pl.col("title") != "")
    normal = normal.group_by("title").agg(_COUNTED).sort("records", "title", descending=[True, False])
    return normal["title"].to_numpy(), normal["records"].to_numpy().astype(np.int64), n_rejected
