"""A taxonomy from the columns and labels of a keyword table, for a table whose owner has written none."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from data_cleaning.errors import BadInput, first_few
from data_cleaning.files.table_reader import as_text, read_table
from data_cleaning.taxonomy import Taxonomy

NOT_LABELS = ("keyword", "priority", "match")
"""Columns of a keyword table that hold no labels."""

UNDECIDED = "(no row)"
"""Class of what no row decides, in a table without a label that says so."""

_MIN_REMARKS = 20
"""Filled cells of a column before it can be told that it holds remarks."""

_SAY_NOTHING = ("unknown", "other", "others", "none", "n/a", "na", "not known", "not applicable", "undefined")
"""Labels that stand for everything else, the best one first."""


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
    filled = {name: _filled(cells) for name, cells in columns.items() if name.lower() not in NOT_LABELS}
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
        rest = sorted((label for label in classes if label.lower() in _SAY_NOTHING), key=_how_well)
        fallback = rest[0] if rest else UNDECIDED
        names = [label for label in classes if label != fallback]
        targets[name] = {"fallback": fallback, "classes": {label: [] for label in (*names, fallback)}}
    return Taxonomy.from_dict({"targets": targets}, where)


def _how_well(label: str) -> int:
    return _SAY_NOTHING.index(label.lower())


def _is_remark(cells: pl.Series) -> bool:
    return cells.is_empty() or (len(cells) >= _MIN_REMARKS and cells.n_unique() > len(cells) / 2)


def _filled(cells: pl.Series) -> pl.Series:
    texts = cells.str.strip_chars()
    return texts.filter(texts.is_not_null() & (texts != ""))
