"""How far communications penetrate: everything that is told about a tagged file, ready for writing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from harness.tagging.business.counting import MOST_VALUES, Counts
from harness.tagging.business.crosswalk_table import crosswalk_table
from harness.tagging.business.node_table import node_table
from harness.tagging.business.overview import overview
from harness.tagging.business.value_table import MOST_SHOWN, value_table
from harness.tagging.hierarchy import Hierarchy


@dataclass(frozen=True)
class Summary:
    """Tables of text, of records (whole numbers) and of shares (floats from 0 to 1)."""

    overview: pl.DataFrame
    """A row per figure about the whole file."""
    nodes: pl.DataFrame
    """A row per node, its name under its level, by band."""
    levels: tuple[str, ...]
    """Columns of `nodes` that hold names of nodes, the highest level first."""
    by: Mapping[str, pl.DataFrame]
    """Column to a row per value, by group, band and node of the first level."""
    crosswalk: pl.DataFrame
    """A row per combination of old labels and the leaf that they lead to."""
    sentences: tuple[str, ...]
    """The overview in words."""
    notes: tuple[str, ...]
    """Which values of a column have no row of their own."""


def summarise(hierarchy: Hierarchy, counts: Counts, *, n_review: int | None) -> Summary:
    """Turn the counts of a file into tables.

    Args:
        hierarchy: that the records were placed in.
        counts: of the whole file.
        n_review: records that a person should look at; None where nobody has counted them.
    """
    nodes, levels = node_table(hierarchy, counts.whole)
    told = overview(hierarchy, counts.whole, n_review)
    by = {
        name: value_table(hierarchy, name, rows, is_given_up=name in counts.given_up)
        for name, rows in counts.by.items()
    }
    return Summary(
        overview=told.table(),
        nodes=nodes,
        levels=levels,
        by=by,
        crosswalk=crosswalk_table(hierarchy, counts.whole),
        sentences=tuple(told.sentences()),
        notes=tuple(_notes(counts)),
    )


def _notes(counts: Counts) -> Iterator[str]:
    for name, rows in counts.by.items():
        n_values = rows["value"].drop_nulls().n_unique()
        if name in counts.given_up:
            yield f"Column {name!r} has more than {MOST_VALUES:,} different values, so they are not told apart."
        elif n_values > MOST_SHOWN:
            yield (
                f"Column {name!r} has {n_values:,} different values; the {MOST_SHOWN:,} most frequent have a row each, "
                "the others one together."
            )
