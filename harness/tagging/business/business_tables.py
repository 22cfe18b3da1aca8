"""The tables of a summary (nodes, values of a column, crosswalk), and unique names for columns, files and sheets."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from data_cleaning.titles import IntArray
from harness.tagging.business.counting import MAX_VALUES
from harness.tagging.hierarchy import Hierarchy
from harness.tagging.hierarchy.nodes_and_rules import ROOT, at_or_above, children

_LONGEST_IN_FILE, _LONGEST_OF_SHEET = 40, 31  # characters
_NOT_IN_FILE, _NOT_IN_SHEET = re.compile(r"[^\w.-]+"), re.compile(r"[\[\]:*?/\\\x00-\x1f]+")


def free_name(name: str, taken: Iterable[str], prefix: str) -> str:
    """Return a name that is not taken, with the prefix before it if need be."""
    others = frozenset(taken)
    while name in others:
        name = f"{prefix}_{name}"
    return name


def file_parts(names: Iterable[str]) -> list[str]:
    """Turn names into parts of file names that all differ, even where file names ignore case."""
    plain = (_NOT_IN_FILE.sub("_", name).strip("._")[:_LONGEST_IN_FILE] or "column" for name in names)
    return _numbered(plain, _LONGEST_IN_FILE)


def sheet_names(names: Iterable[str]) -> list[str]:
    """Turn names into ones that a workbook's sheets can have, all different."""
    plain = (_NOT_IN_SHEET.sub(" ", name).strip(" '")[:_LONGEST_OF_SHEET].rstrip(" '") or "Sheet" for name in names)
    return _numbered(plain, _LONGEST_OF_SHEET)


def _numbered(names: Iterable[str], longest: int) -> list[str]:
    """Put _2, _3 and so on behind names that have come before."""
    found: list[str] = []
    taken: set[str] = set()
    for name in names:
        free, number = name, 1
        while free.casefold() in taken:
            number += 1
            end = f"_{number}"
            free = f"{name[: longest - len(end)]}{end}"
        taken.add(free.casefold())
        found.append(free)
    return found


Records = npt.NDArray[np.int64]

_DECIMALS = 6

UNTITLED = "no title"
"""Column of the records that cannot be placed, as they have no title."""


class Columns:
    """The columns of a table in their order; the type of each says what it holds: text, whole numbers or shares."""

    def __init__(self) -> None:
        self._columns: dict[str, pl.Series] = {}

    def texts(self, name: str, values: Sequence[str | None], prefix: str) -> str:
        """Add a column of text; return its name, which has the prefix before it where another column has it already."""
        return self._add(name, pl.Series(values, dtype=pl.String), prefix)

    def records(self, name: str, values: Records, prefix: str = "records") -> None:
        """Add a column of whole numbers."""
        self._add(name, pl.Series(values, dtype=pl.Int64), prefix)

    def shares(self, name: str, part: Records, whole: Records | int) -> None:
        """Add a column of part / whole."""
        self._add(name, pl.Series(share(part, whole), dtype=pl.Float64), "share")

    def frame(self) -> pl.DataFrame:
        """Return the table."""
        return pl.DataFrame(self._columns)

    def _add(self, name: str, column: pl.Series, prefix: str) -> str:
        free = free_name(name, self._columns, prefix)
        self._columns[free] = column
        return free


def share(part: Records, whole: Records | int) -> npt.NDArray[np.float64]:
    """Return part / whole, rounded; of nothing the share is 0."""
    return np.round(np.asarray(part, dtype=np.float64) / np.maximum(whole, 1), _DECIMALS)


def band_columns(hierarchy: Hierarchy) -> list[str]:
    """Return the bands, and a column each for a band that is not sure and for no title."""
    return [*hierarchy.bands, not_sure(hierarchy.band_name), UNTITLED]


def not_sure(name: str) -> str:
    """Return the column of the records for which a band or level is not sure."""
    return f"{spoken(name)} not sure"


def spoken(name: str) -> str:
    """Return a name of a configuration as people would say it."""
    return name.replace("_", " ")


def split_by_band(hierarchy: Hierarchy, node: IntArray, band: IntArray) -> Records:
    """Return the position in `band_columns` of each pair of node and band, (n_pairs,)."""
    n_bands = len(hierarchy.bands)
    return np.where(node < 0, n_bands + 1, np.where(band < 0, n_bands, band)).astype(np.int64)


ALL, NOT_SURE, NO_TITLE = "(all records)", "(not sure)", "(no title)"
"""Rows that are no node."""

COUNTS_AS = "counts as"
"""Column that names the groups that a node is in."""


@dataclass(frozen=True)
class _Row:
    node: int
    """-1 for the records without a title."""
    path: tuple[str, ...]
    """Its cells in the columns of the levels."""
    alone: bool = False
    """Whether only records at the node itself are counted, not those below it."""


def node_table(hierarchy: Hierarchy, whole: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the records of each node and everything below it, by band.

    The rows right below a node add up to it: where there are records of which no more than the node is sure, they have
    the last one. The first level, its last row and the records without a title add up to all.

    Returns:
        The table, and those of its columns that name nodes, the highest level first.
    """
    node, band, records = (whole[name].to_numpy() for name in ("node", "band", "records"))
    names = band_columns(hierarchy)
    own = np.zeros((len(hierarchy.nodes) + 1, len(names)), dtype=np.int64)  # the last row is for -1, no title
    np.add.at(own, (node, split_by_band(hierarchy, node, band)), records)
    with_below = at_or_above(hierarchy.nodes).T.astype(np.int64) @ own[:-1]  # (n_nodes, n_names)
    with_below[ROOT] += own[-1]
    rows = [row for row in _node_rows(hierarchy) if not row.alone or row.node <= ROOT or own[row.node].any()]
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


def _node_rows(hierarchy: Hierarchy) -> Iterator[_Row]:
    """Yield the rows, each node before the nodes below it."""
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


MAX_SHOWN = 1_000
"""Values that have a row of their own, the most frequent ones."""

EMPTY, OTHER, TOO_MANY = "(empty)", "(other values)", f"(more than {MAX_VALUES:,} values)"
"""Rows that are no value."""


def value_table(hierarchy: Hierarchy, name: str, counts: pl.DataFrame, *, is_given_up: bool) -> pl.DataFrame:
    """Return the records of each value: of each group, by band, and by node of the first level.

    In each row the bands, those that are not sure and the records without a title add up to its records, and so do the
    nodes of the first level. If the column was given up for its many values, the counts tell none apart.

    Returns:
        A row for all records, then one per value, the most frequent first, for empty cells, and for all other values.
    """
    names, row = _value_rows(counts, is_given_up=is_given_up)
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


def _value_rows(counts: pl.DataFrame, *, is_given_up: bool) -> tuple[list[str], Records]:
    """Return the first cell of each row of the table, and for each count its row, not counting the first row of all."""
    values = counts.drop_nulls("value").group_by("value").agg(pl.col("records").sum())
    shown = values.sort("records", "value", descending=[True, False]).head(MAX_SHOWN)["value"]
    numbered = shown.to_frame().with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    row = counts.join(numbered, on="value", how="left", maintain_order="left")["row"]
    without = np.where(counts["value"].is_null(), len(shown), len(shown) + 1)
    names = [ALL, *shown, TOO_MANY if is_given_up else EMPTY, OTHER]
    return names, np.where(row.is_null(), without, row.fill_null(0)).astype(np.int64)


CONTRADICTION = "contradiction"


def crosswalk_table(hierarchy: Hierarchy, whole: pl.DataFrame) -> pl.DataFrame:
    """Return each combination of old labels and the leaf that it leads to, the most frequent first.

    Records without a title have no labels, and are left out. Keywords and confidence may lead one combination to
    several leaves; each is a row.
    """
    is_sure = pl.when(pl.col("node") == pl.col("leaf")).then(pl.col("records")).otherwise(0)
    titled = whole.filter(pl.col("node") >= 0).group_by("labels", "leaf", "contradiction")
    found = titled.agg(pl.col("records").sum(), is_sure.sum().alias("sure"))
    found = found.sort("records", "labels", "leaf", descending=[True, False, False])
    leaves = [hierarchy.nodes[position] for position in found["leaf"]]

    table = Columns()
    for target in hierarchy.taxonomy.targets:
        codes = found["labels"].struct.field(target.name)
        table.texts(f"old {target.name}", [target.classes[code] for code in codes], "old")
    for depth, level in enumerate(hierarchy.levels):
        table.texts(level, [leaf.path[depth] if depth < len(leaf.path) else None for leaf in leaves], "level")
    table.texts(hierarchy.band_name, [hierarchy.bands[leaf.band] for leaf in leaves], "new")
    renewed = {name for node in hierarchy.nodes if node.leaf for name in node.new_labels}
    for name in (name for name in hierarchy.taxonomy.names if name in renewed):
        table.texts(f"new {name}", [leaf.new_labels.get(name) for leaf in leaves], "new")
    records = found["records"].to_numpy()
    table.records("records", records)
    table.shares("share of records with a title", records, int(records.sum()))
    table.records("records sure of the leaf", found["sure"].to_numpy())
    why = [hierarchy.contradictions[position].why if position >= 0 else None for position in found["contradiction"]]
    table.texts(CONTRADICTION, why, "labels")
    return table.frame()
