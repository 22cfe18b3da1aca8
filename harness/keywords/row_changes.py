"""Which row of one keyword table became which row of another, and what changed about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from baselines.keyword_table import KeywordTable

ADDED, REMOVED, REORDERED = "added", "removed", "reordered"
REPRIORITISED, REMATCHED, RELABELLED = "re-prioritised", "rematched", "relabelled"
"""What may become of a row; it may be several of the second line. Reordered is one that changed only its place among
rows of equal priority and length, of which the earlier wins."""

_SCHEMA = {
    "change": pl.String,
    "keyword": pl.String,
    **{f"{side}_line": pl.Int64 for side in ("old", "new")},
    **{f"{side}_priority": pl.Float64 for side in ("old", "new")},
    **{f"{side}_{name}": pl.String for name in ("match", "labels") for side in ("old", "new")},
    "details": pl.String,
}

_Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RowChange:
    """One row of two tables, or of one of them."""

    old: int | None
    """Its position in the old table; None where it was added."""
    new: int | None
    """Its position in the new one; None where it was removed."""
    kinds: tuple[str, ...]
    """What became of it; none where it stayed as it was."""
    targets: frozenset[str]
    """Targets that the change may move: all where the row was added, removed, re-prioritised or rematched, else those
    that it labels in another way."""


def match_rows(old: KeywordTable, new: KeywordTable) -> list[RowChange]:
    """Pair the rows of two tables that have one keyword, whatever its case, and set a target in common.

    Of several such rows, those that differ least go together.

    Returns:
        Every row of either table once: those of the new one in its order, then those that were removed.
    """
    of_old, of_new = _rows(old), _rows(new)
    names = new.taxonomy.names
    found: dict[str, list[int]] = {}
    for position, row in enumerate(of_old):
        found.setdefault(row["keyword"].lower(), []).append(position)
    candidates = []
    for after, row in enumerate(of_new):
        for before in found.get(row["keyword"].lower(), ()):
            if any(row[name] and of_old[before][name] for name in names):
                kinds = _kinds(of_old[before], row, names)
                candidates.append((len(kinds), kinds, before, after))
    old_of: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, before, after in sorted(candidates):
        if before not in taken and after not in old_of:
            old_of[after] = before
            taken.add(before)
    changes = []
    for after, row in enumerate(of_new):
        if after not in old_of:
            changes.append(RowChange(old=None, new=after, kinds=(ADDED,), targets=frozenset(names)))
            continue
        kinds = _kinds(of_old[old_of[after]], row, names)
        moved = [name for name in names if row[name] != of_old[old_of[after]][name]]
        whole = {REPRIORITISED, REMATCHED} & set(kinds)
        changes.append(
            RowChange(old=old_of[after], new=after, kinds=kinds, targets=frozenset(names if whole else moved))
        )
    left = (before for before in range(len(of_old)) if before not in taken)
    return changes + [RowChange(old=before, new=None, kinds=(REMOVED,), targets=frozenset(names)) for before in left]


def describe_changes(old: KeywordTable, new: KeywordTable, changes: Sequence[RowChange]) -> pl.DataFrame:
    """Return changes as a table, a line each.

    Returns:
        `change` in a word or several, `keyword`; `line`, `priority`, `match` and `labels` of the `old_` and the `new_`
        row, null for one that is not there; and the `details` in words.
    """
    of_old, of_new = _rows(old), _rows(new)
    names = new.taxonomy.names
    lines: list[dict[str, Any]] = []
    for change in changes:
        before = None if change.old is None else of_old[change.old]
        after = None if change.new is None else of_new[change.new]
        keyword = (after or before or {})["keyword"]
        line: dict[str, Any] = {"change": ", ".join(change.kinds), "keyword": keyword}
        for side, row in (("old", before), ("new", after)):
            if row is not None:
                line |= {f"{side}_{name}": row[name] for name in ("line", "priority", "match")}
                line[f"{side}_labels"] = _labels(row, names)
        lines.append(line | {"details": _details(before, after, names)})
    return pl.DataFrame(lines, schema=_SCHEMA)


def _rows(table: KeywordTable) -> list[_Row]:
    return [{str(name): cell for name, cell in row.items()} for row in table.rows.to_dict("records")]


def _kinds(before: _Row, after: _Row, names: Sequence[str]) -> tuple[str, ...]:
    differ = {
        REPRIORITISED: before["priority"] != after["priority"],
        REMATCHED: before["match"] != after["match"],
        RELABELLED: any(before[name] != after[name] for name in names),
    }
    return tuple(kind for kind, differs in differ.items() if differs)


def _labels(row: _Row, names: Sequence[str]) -> str:
    return "; ".join(f"{name}: {row[name]}" for name in names if row[name])


def _details(before: _Row | None, after: _Row | None, names: Sequence[str]) -> str:
    """Say what is different, or what a row that stands in one table alone has."""
    if before is None or after is None:
        row = before or after or {}
        return f"priority {row['priority']:g}; {row['match']}; {_labels(row, names)}"
    differ = []
    if before["priority"] != after["priority"]:
        differ.append(f"priority {before['priority']:g} to {after['priority']:g}")
    if before["match"] != after["match"]:
        differ.append(f"{before['match']} to {after['match']}")
    moved = (name for name in names if before[name] != after[name])
    differ += [f"{name}: {before[name] or 'none'} to {after[name] or 'none'}" for name in moved]
    return "; ".join(differ) or f"line {before['line']} to {after['line']}"
