"""How far communications penetrate: each event by department and seniority, or by the labels of a table alone."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from data_cleaning.titles import BoolArray, IntArray
from harness.tagging.business.business_tables import (
    ALL,
    EMPTY,
    NO_TITLE,
    NOT_SURE,
    OTHER,
    UNTITLED,
    Columns,
    not_sure,
)
from harness.tagging.checking.answered import Answered
from harness.tagging.hierarchy.nodes_and_rules import ROOT

MAX_VALUES = 200
"""Values of a column that are told apart, the most frequent ones; the others share their rows."""

BAND = "seniority"
"""The column of `placed_titles` that says in which column of `department_table` a title is counted."""

_DEPTH = 2
"""Levels of the hierarchy, from the first, that have a row each."""


def department_table(answered: Answered, of_record: IntArray, name: str, values: pl.Series | None) -> pl.DataFrame:
    """Return the records of each value, department and band of seniority.

    Without a hierarchy the classes of the first target take the place of departments, and those of the ordinal target,
    or else of the last one, the place of bands.

    Args:
        answered: the titles.
        of_record: position of each record's title, -1 for none, (n_records,).
        name: of the column that is broken down by; not used where there are no values.
        values: of that column, null where empty, (n_records,); None for all records alone.

    Returns:
        A row per value and department that has records, all records first, then the most frequent values.
    """
    names, cells, row, columns, column = _placed(answered) if answered.hierarchy else _labelled(answered)
    records = pl.DataFrame(
        {
            "row": np.where(of_record < 0, len(cells) - 1, row[of_record]),
            "column": np.where(of_record < 0, len(columns) - 1, column[of_record]),
        }
    )
    blocks = [(ALL, records)] if values is None else [(ALL, records), *_blocks(records, values)]
    lines: list[tuple[str, int]] = []
    counted = []
    for value, block in blocks:
        cross = np.zeros((len(cells), len(columns)), dtype=np.int64)
        np.add.at(cross, (block["row"].to_numpy(), block["column"].to_numpy()), 1)
        kept = np.flatnonzero(cross.any(axis=1))
        lines += [(value, int(at)) for at in kept]
        counted.append(cross[kept])
    numbers = np.vstack(counted)
    whole = {value: len(block) for value, block in blocks}
    table = Columns()
    if values is not None:
        table.texts(name, [value for value, _ in lines], "column")
    for depth, level in enumerate(names):
        table.texts(level, [cells[at][depth] for _, at in lines], "level")
    table.records("records", numbers.sum(axis=1))
    of = "all records" if values is None else f"the {name}"
    table.shares(f"share of {of}", numbers.sum(axis=1), np.array([whole[value] for value, _ in lines]))
    for title, figures in zip(columns, numbers.T, strict=True):
        if figures.any():
            table.records(title, figures, "band")
    return table.frame()


def placed_titles(answered: Answered, of_record: IntArray, kept: BoolArray) -> pl.DataFrame:
    """Return the titles behind the cells of `department_table`, those of most records first.

    Args:
        answered: the titles.
        of_record: position of each record's title, -1 for none, (n_records,).
        kept: which records count, (n_records,).

    Returns:
        `title` and `records`, and between them the row's levels and, as the last of them, the column.
    """
    names, cells, row, columns, column = _placed(answered) if answered.hierarchy else _labelled(answered)
    records = np.bincount(of_record[kept & (of_record >= 0)], minlength=len(answered.texts))
    frame = pl.DataFrame(
        {
            "title": answered.texts,
            **{level: [cells[at][depth] for at in row] for depth, level in enumerate(names)},
            BAND: [columns[at] for at in column],
            "records": records,
        },
        strict=False,
    )
    return frame.filter(pl.col("records") > 0).sort("records", "title", descending=[True, False])


def label_table(answered: Answered) -> pl.DataFrame:
    """Return the records of each class of each target, for a taxonomy without a hierarchy."""
    rows = []
    for target in answered.table.taxonomy.targets:
        records = np.bincount(answered.labels[target.name], weights=answered.counts, minlength=target.n_classes)
        decided = answered.hits[target.name].winners >= 0
        by_row = np.bincount(
            answered.labels[target.name], weights=answered.counts * decided, minlength=target.n_classes
        )
        rows += [
            (target.name, label, int(n), int(n_decided))
            for label, n, n_decided in zip(target.classes, records, by_row, strict=True)
        ]
    schema = {"target": pl.String, "label": pl.String, "records": pl.Int64, "decided by a row": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    share = (pl.col("records") / max(int(answered.counts.sum()), 1)).alias("share of titled records")
    return frame.select("target", "label", "records", share, "decided by a row")


_Cells = list[tuple[str | None, ...]]


def _placed(answered: Answered) -> tuple[Sequence[str], _Cells, IntArray, list[str], IntArray]:
    """Return names and cells of the rows, the row of each title, names of the columns, and the column of each title.

    The last row and the last column are for records without a title.
    """
    hierarchy, placements = answered.hierarchy, answered.placements
    assert hierarchy is not None, "asked for with a hierarchy alone"
    assert placements is not None, "a hierarchy places titles"
    depth = min(_DEPTH, len(hierarchy.levels))
    paths = [node.path[:depth] for node in hierarchy.nodes]
    distinct = [path for path in dict.fromkeys(paths) if path]
    number = {path: at for at, path in enumerate(distinct)} | {(): len(distinct)}
    row = np.array([number[path] for path in paths])[placements.node]
    row = np.where(placements.node == ROOT, len(distinct), row)
    cells: _Cells = [(*path, *[None] * (depth - len(path))) for path in distinct]
    cells += [(NOT_SURE, *[None] * (depth - 1)), (NO_TITLE, *[None] * (depth - 1))]
    columns = [*hierarchy.bands, not_sure(hierarchy.band_name), UNTITLED]
    column = np.where(placements.band < 0, len(hierarchy.bands), placements.band)
    return hierarchy.levels[:depth], cells, row, columns, column


def _labelled(answered: Answered) -> tuple[Sequence[str], _Cells, IntArray, list[str], IntArray]:
    """Return what `_placed` does, with classes in the place of departments and bands."""
    targets = answered.table.taxonomy.targets
    first, *others = targets
    across = next((target for target in others if target.ordinal), others[-1] if others else None)
    cells: _Cells = [*((label,) for label in first.classes), (NO_TITLE,)]
    if across is None:
        return (
            [first.name],
            cells,
            answered.labels[first.name],
            ["titled", UNTITLED],
            np.zeros(len(answered.texts), int),
        )
    return [first.name], cells, answered.labels[first.name], [*across.classes, UNTITLED], answered.labels[across.name]


def _blocks(records: pl.DataFrame, values: pl.Series) -> list[tuple[str, pl.DataFrame]]:
    """Split records by value, the most frequent first, then those without one and those of rarer values."""
    counts = values.drop_nulls().alias("value").value_counts(name="n").sort("n", "value", descending=[True, False])
    shown = counts["value"].head(MAX_VALUES).to_list()
    valued = records.with_columns(values.alias("value"))
    parts = {str(key[0]): block for key, block in valued.group_by("value") if key[0] is not None}
    blocks = [(value, parts[value]) for value in shown]
    rest = valued.filter(pl.col("value").is_not_null() & ~pl.col("value").is_in(shown))
    blocks += [(EMPTY, valued.filter(pl.col("value").is_null())), (OTHER, rest)]
    return [(value, block) for value, block in blocks if len(block)]
