"""The table of a column's values, such as events: who of each value the communications reach."""

import numpy as np
import polars as pl

from harness.tagging.business.columns import Columns, Records, band_columns, not_sure, split_by_band
from harness.tagging.business.counting import MOST_VALUES
from harness.tagging.business.node_table import ALL
from harness.tagging.hierarchy import Hierarchy
from harness.tagging.hierarchy.nodes_and_rules import ROOT, at_or_above

MOST_SHOWN = 1_000
"""Values that have a row of their own, the most frequent ones."""

EMPTY, OTHER, TOO_MANY = "(empty)", "(other values)", f"(more than {MOST_VALUES:,} values)"
"""Rows that are no value."""


def value_table(hierarchy: Hierarchy, name: str, counts: pl.DataFrame, *, is_given_up: bool) -> pl.DataFrame:
    """Return the records of each value: of each group, by band, and by node of the first level.

    In each row the bands, those that are not sure and the records without a title add up to its records, and so do the
    nodes of the first level.

    Args:
        hierarchy: of the records.
        name: of the column.
        counts: by value, node and band.
        is_given_up: whether the column has too many values, so that the counts tell none apart.

    Returns:
        A row for all records, then one per value, the most frequent first, for empty cells, and for all other values.
    """
    names, row = _rows(counts, is_given_up=is_given_up)
    node, band, records = (counts[column].to_numpy() for column in ("node", "band", "records"))

    def split(column: Records, n_columns: int) -> Records:
        cells = np.zeros((len(names) - 1, n_columns), dtype=np.int64)
        np.add.at(cells, (row, column), records)
        return np.vstack([cells.sum(axis=0), cells])

    by_node = split(np.where(node < 0, len(hierarchy.nodes), node).astype(np.int64), len(hierarchy.nodes) + 1)
    n_records = by_node.sum(axis=1)
    shown = (n_records > 0) | (np.arange(len(names)) == 0)  # nothing is empty or another value, as a rule
    by_node, n_records = by_node[shown], n_records[shown]

    table = Columns()
    table.texts(name, [text for text, is_shown in zip(names, shown, strict=True) if is_shown], "column")
    table.records("records", n_records)
    table.shares("share of all records", n_records, n_records[0])
    for group, nodes in hierarchy.groups.items():
        of_group = by_node[:, sorted(nodes)].sum(axis=1)
        table.records(group, of_group, "group")
        table.shares(f"{group}, share of row", of_group, n_records)
    bands = band_columns(hierarchy)
    by_band = split(split_by_band(hierarchy, node, band), len(bands))[shown]
    for band_name, cells in zip(bands[:-1], by_band.T[:-1], strict=True):
        table.records(band_name, cells, "band")
    below = at_or_above(hierarchy.nodes)
    for position, top in enumerate(hierarchy.nodes):
        if top.parent == ROOT:
            table.records(top.name, by_node[:, :-1] @ below[:, position], hierarchy.levels[0])
    table.records(not_sure(hierarchy.levels[0]), by_node[:, ROOT])
    table.records(bands[-1], by_node[:, -1])
    return table.frame()


def _rows(counts: pl.DataFrame, *, is_given_up: bool) -> tuple[list[str], Records]:
    """Return the first cell of each row of the table, and for each count its row, not counting the first row of all."""
    values = counts.drop_nulls("value").group_by("value").agg(pl.col("records").sum())
    shown = values.sort("records", "value", descending=[True, False]).head(MOST_SHOWN)["value"]
    numbered = shown.to_frame().with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    row = counts.join(numbered, on="value", how="left", maintain_order="left")["row"]
    without = np.where(counts["value"].is_null(), len(shown), len(shown) + 1)
    names = [ALL, *shown, TOO_MANY if is_given_up else EMPTY, OTHER]
    return names, np.where(row.is_null(), without, row.fill_null(0)).astype(np.int64)
