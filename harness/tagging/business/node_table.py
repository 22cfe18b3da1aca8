"""The table of nodes and seniority bands."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from harness.tagging.business.columns import Columns, band_columns, split_by_band
from harness.tagging.hierarchy import Hierarchy
from harness.tagging.hierarchy.nodes_and_rules import ROOT, at_or_above, children

ALL, NOT_SURE, NO_TITLE = "(all records)", "(not sure)", "(no title)"
"""Rows that are no node."""

COUNTS_AS = "counts as"
"""Column that names the groups that a node is in."""


@dataclass(frozen=True)
class _Row:
    node: int
    """-1 for the records without a title."""
    path: tuple[str, ...]
    """What stands under the levels."""
    alone: bool = False
    """Whether what lies below the node does not count."""


def node_table(hierarchy: Hierarchy, whole: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the records of each node and everything below it, by band.

    The rows right below a node add up to it: where there are records of which no more than the node is sure, they have
    the last one. The first level, its last row and the records without a title add up to all.

    Args:
        hierarchy: of the records.
        whole: counts of the whole file.

    Returns:
        The table, and those of its columns that name nodes, the highest level first.
    """
    node, band, records = (whole[name].to_numpy() for name in ("node", "band", "records"))
    names = band_columns(hierarchy)
    own = np.zeros((len(hierarchy.nodes) + 1, len(names)), dtype=np.int64)  # the last row is for -1, no title
    np.add.at(own, (node, split_by_band(hierarchy, node, band)), records)
    with_below = at_or_above(hierarchy.nodes).T.astype(np.int64) @ own[:-1]  # (n_nodes, n_names)
    with_below[ROOT] += own[-1]
    rows = [row for row in _rows(hierarchy) if not row.alone or row.node <= ROOT or own[row.node].any()]
    cells = np.array([(own if row.alone else with_below)[row.node] for row in rows])  # (n_rows, n_names)

    table = Columns()
    levels = [
        table.texts(level, [row.path[depth] if depth < len(row.path) else None for row in rows], "level")
        for depth, level in enumerate(hierarchy.levels)
    ]
    n_all = int(records.sum())
    table.records("records", cells.sum(axis=1))
    table.shares("share of all records", cells.sum(axis=1), n_all)
    for name, column in zip(names, cells.T, strict=True):
        table.records(name, column, "band")
    for name, column in zip(names, cells.T, strict=True):
        table.shares(f"{name}, share of all", column, n_all)
    groups = [[name for name, nodes in hierarchy.groups.items() if row.node in nodes] for row in rows]
    table.texts(COUNTS_AS, ["; ".join(names) or None for names in groups], "group")
    return table.frame(), tuple(levels)


def _rows(hierarchy: Hierarchy) -> Iterator[_Row]:
    """Yield the rows, each node before what lies below it."""
    below = children(hierarchy.nodes)

    def branch(position: int) -> Iterator[_Row]:
        path = hierarchy.nodes[position].path
        yield _Row(position, path or (ALL,))
        for child in below.get(position, ()):
            yield from branch(child)
        if position in below:
            yield _Row(position, (*path, NOT_SURE), alone=True)

    yield from branch(ROOT)
    yield _Row(-1, (NO_TITLE,), alone=True)
