"""A taxonomy from the columns and labels of a keyword table, for a table whose owner has written none."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from data_cleaning.column_names import column_key, same_columns
from data_cleaning.errors import BadInput, first_few
from data_cleaning.files.table_reader import as_text, read_table
from data_cleaning.taxonomy import Taxonomy

NOT_LABELS = ("keyword", "priority", "match")
"""Columns of a keyword table that hold no labels."""

UNDECIDED = "(no row)"
"""Class of what no row decides, in a table without a label that says so."""

_MIN_REMARKS = 20
"""Filled cells of a column before it can be told that it holds remarks."""

_SAY_NOTHING = (
    "unknown other others none nonegiven na notknown notapplicable undefined elsewhere unassigned".split()  # noqa: SIM905
)
"""Labels that stand for everything else, as `column_key` writes them, the best one first."""


def read_labels(table: Path) -> dict[str, pl.Series]:
    """Return each column of labels of a table, trimmed and without empty cells; the column's name is stripped.

    A column without any text, or with a text of its own in most rows, has remarks and no labels.

    Raises:
        BadInput: the table cannot be read, or has no column of labels.
    """
    if not table.exists():
        raise BadInput(f"No keyword table at {table}. Give a CSV, Parquet or XLSX file with --table.")
    # What is wrong with single rows is said when the table itself is read.
    read = read_table(table, None, allow_no_rows=True, keep_rejects=True)
    columns = {cells.name.strip(): cells for cells in as_text(read.frame, table)}
    for needed in ("keyword", "priority"):
        if not same_columns(list(columns), needed):
            raise BadInput(
                f"{table} has no column {needed!r}, so it is no keyword table; it has {first_few(map(repr, columns))}. "
                "A keyword table has keyword, priority and a column of labels for each target."
            )
    filled = {name: _filled(cells) for name, cells in columns.items() if column_key(name) not in NOT_LABELS}
    labels = {name: cells for name, cells in filled.items() if not _is_remark(cells)}
    if not labels:
        raise BadInput(
            f"{table} has the columns {first_few(map(repr, columns))}; expected keyword, priority and at least one "
            "column of labels, such as function. Add it."
        )
    return labels


def fits(labels: Mapping[str, pl.Series], taxonomy: Taxonomy) -> list[str]:
    """Say in phrases what keeps a table's labels from being those of a taxonomy; nothing where they are.

    Columns that are none of its targets do not matter.
    """
    ours = {name.lower(): name for name in labels}
    absent = [name for name in taxonomy.names if name.lower() not in ours]
    reasons = [f"it has no column {name!r}" for name in absent]
    for target in taxonomy.targets:
        cells = labels.get(ours.get(target.name.lower(), ""))
        strange = [] if cells is None else sorted(set(cells) - set(target.raw_to_class))
        if strange:
            reasons.append(f"it has {target.name} labels of its own, {first_few(map(repr, strange), 3)}")
    return reasons


def taxonomy_of(labels: Mapping[str, pl.Series], where: str = "keyword table") -> Taxonomy:
    """Make a taxonomy in which each column is a target and each label a class, in the order of the table.

    The fallback of a target is its label for everything else, such as "Other", or else a class of its own. Targets
    weigh the same, and none is ordinal, as a table does not say which label is above which.

    Raises:
        BadInput: a column has a name that the project's tables use themselves; `where` is what the message begins with.
    """
    targets: dict[str, dict[str, Any]] = {}
    for name, cells in labels.items():
        classes = cells.unique(maintain_order=True).to_list()
        fallback = label_of_the_rest(classes) or UNDECIDED
        names = [label for label in classes if label != fallback]
        targets[name] = {"fallback": fallback, "classes": {label: [] for label in (*names, fallback)}}
    return Taxonomy.from_dict({"targets": targets}, where)


def label_of_the_rest(labels: Iterable[str]) -> str | None:
    """Return the label that says best that a title fits nowhere, such as "Other"; None where none does."""
    ranks = {label: _SAY_NOTHING.index(key) for label in labels if (key := column_key(label)) in _SAY_NOTHING}
    return min(ranks, key=ranks.__getitem__, default=None)


def _is_remark(cells: pl.Series) -> bool:
    return cells.is_empty() or (len(cells) >= _MIN_REMARKS and cells.n_unique() > len(cells) / 2)


def _filled(cells: pl.Series) -> pl.Series:
    texts = cells.str.strip_chars()
    return texts.filter(texts.is_not_null() & (texts != ""))
