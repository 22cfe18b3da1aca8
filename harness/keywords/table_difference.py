"""What changes when one keyword table replaces another: its rows, and the titles that each changed row moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from baselines.gap_and_mask import MASK
from baselines.keyword_table import KeywordTable
from data_cleaning.titles import IntArray, StrArray
from harness.keywords.judged_hits import read_references

ADDED, REMOVED, REORDERED = "added", "removed", "reordered"
REPRIORITISED, REMATCHED, RELABELLED = "re-prioritised", "rematched", "relabelled"
"""How a row changed; the kinds of the second line can combine. A reordered row changed only its position among rows of
equal priority and length, of which the earlier wins."""

BETTER, WORSE, NEITHER = "better", "worse", "neither"
"""Whether more records of a title are labelled as in the new table, as in the old one, or equally many."""

ANY = "any"
"""Instead of a target: titles of which any target changes, each counted once."""

_Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RowChange:
    """One row of two tables, or of one of them."""

    old: int | None
    """Its position in the old table; None where it was added."""
    new: int | None
    """Its position in the new one; None where it was removed."""
    kinds: tuple[str, ...]
    """How it changed; empty where it did not."""
    targets: frozenset[str]
    """Targets that the change may affect: all if the row was added, removed, re-prioritised or rematched, otherwise
    those with a new label."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What changes between two tables."""

    rows: pl.DataFrame
    """A line per changed row: see `describe_changes`. With titles also the distinct `titles` and `records` that it
    moves to another class, most records first, and with labels `better_verdicts`, `worse_verdicts` and
    `neither_verdicts`: records, counted once for each target that changes. If both the row that decided a title and the
    row that decides it now were changed, the latter moves it."""
    titles: pl.DataFrame | None
    """A line per title and target whose class changes, most records first: `title`, `records`, `target`, `old_class`,
    `new_class`, `old_line`, `old_keyword`, `new_line` and `new_keyword` of the deciding rows (null for the fallback),
    `change` (how the row that moves it changed) and, with labels, `better_records`, those labelled as in the new table,
    `worse_records`, `neither_records`, and as `verdict` which of these are most. None without titles."""
    summary: pl.DataFrame | None
    """Per target, and for any of them: `titles`, `records`, and with labels the same figures. None without titles."""


def diff_rows(old: KeywordTable, new: KeywordTable) -> Difference:
    """Compare two tables row by row, without any titles."""
    changed = [change for change in match_rows(old, new) if change.kinds]
    return Difference(rows=describe_changes(old, new, changed), titles=None, summary=None)


def diff_tables(
    old: KeywordTable, new: KeywordTable, titles: pl.DataFrame, labels: pl.DataFrame | None = None
) -> Difference:
    """Compare the classes that two tables give to titles.

    Args:
        old: the table in force.
        new: the table that may replace it, of the same taxonomy.
        titles: distinct `title`, not null, and `count`, its records.
        labels: rows of `title`, a class or raw label per target (null or absent where unknown) and `count`.

    Raises:
        BadInput: a label is in no class of the taxonomy.
    """
    changes = match_rows(old, new)
    texts, records = titles["title"].to_numpy(), titles["count"].cast(pl.Int64)
    before, after = old.winners(texts), new.winners(texts)
    judge = None if labels is None else read_references({"labels": labels}, titles["title"], new.taxonomy)[0]
    classes_of = {
        name: [table.class_positions[name][rows[name]] for table, rows in ((old, before), (new, after))]
        for name in new.taxonomy.names
    }  # (n_titles,) each
    any_moved = np.logical_or.reduce([was != becomes for was, becomes in classes_of.values()])
    hidden = _hidden(changes, old, new, texts, np.flatnonzero(any_moved))
    pieces = []
    for target in new.taxonomy.targets:
        old_class, new_class = classes_of[target.name]
        moved = np.flatnonzero(old_class != new_class)  # (n_moved,)
        rows = {"old_row": before[target.name][moved], "new_row": after[target.name][moved]}
        hiding = hidden[target.name][moved]
        columns = {"position": moved, **rows, "mover": _movers(changes, target.name, rows, hiding)}
        if judge is not None:
            better, worse = (judge.right(target.name, moved, classes[moved]) for classes in (new_class, old_class))
            columns |= {BETTER: better, WORSE: worse, NEITHER: judge.judged[target.name][moved] - better - worse}
        names = pl.Series(target.classes)
        pieces.append(
            pl.DataFrame(columns).select(
                pl.lit(target.name).alias("target"),
                names.gather(old_class[moved]).alias("old_class"),
                names.gather(new_class[moved]).alias("new_class"),
                pl.all(),
                records.gather(moved).alias("records"),
            )
        )
    moves = pl.concat(pieces).sort("records", "position", descending=[True, False], maintain_order=True)
    return Difference(
        rows=_by_row(old, new, changes, moves),
        titles=_by_title(old, new, changes, moves, titles["title"]),
        summary=_by_target(moves, new.taxonomy.names),
    )


def _hidden(
    changes: Sequence[RowChange], old: KeywordTable, new: KeywordTable, titles: StrArray, asked: IntArray
) -> dict[str, IntArray]:
    """Return per target the change of a mask row that hides words of a title in either table, -1 for none, (n_titles,).

    Only titles at the positions `asked` are looked at.
    """
    found = {name: np.full(len(titles), -1) for name in new.taxonomy.names}
    for number, change in enumerate(changes):
        for table, row in ((old, change.old), (new, change.new)):
            if change.kinds and row is not None and table.rows["match"].iloc[row] == MASK:
                alone = replace(table, rows=table.rows.iloc[[row]])
                hit = asked[alone.hits(titles[asked]).toarray()[:, 0]]
                for name, of_target in found.items():
                    if table.sets[name][row]:
                        of_target[hit] = number
    return found


def _movers(changes: Sequence[RowChange], target: str, rows: Mapping[str, IntArray], hiding: IntArray) -> IntArray:
    """Return the change that moves each title: that of the row that decides it now, or else of the row that did.

    If neither row was changed, a mask row was that hides words of the title, or else the order of rows: the row that
    decides the title now has moved.

    Args:
        changes: every row of either table once.
        target: that is decided.
        rows: `old_row` and `new_row` that decide each title, -1 for the fallback, (n_moved,).
        hiding: what `_hidden` returns for these titles, (n_moved,).
    """
    of_side = {}
    for side in ("old", "new"):
        known = {getattr(change, side): number for number, change in enumerate(changes)}
        of_side[side] = np.array([known[row] for row in range(len(known) - (None in known))] + [-1], dtype=np.int64)
    relevant = np.array([target in change.targets for change in changes] + [False])  # the last is for the fallback
    was, becomes = of_side["old"][rows["old_row"]], of_side["new"][rows["new_row"]]  # (n_moved,)
    movers = np.where(relevant[becomes] | ~relevant[was], becomes, was)
    return np.where((hiding >= 0) & ~relevant[becomes] & ~relevant[was], hiding, movers)


def _by_row(old: KeywordTable, new: KeywordTable, changes: Sequence[RowChange], moves: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that were changed or that move titles."""
    movers = set(moves["mover"])
    shown = [number for number, change in enumerate(changes) if change.kinds or number in movers]
    # A row that moves titles without a change of its own comes before or after other rows than it did.
    named = [replace(changes[number], kinds=changes[number].kinds or (REORDERED,)) for number in shown]
    figures = [name for name in (BETTER, WORSE, NEITHER) if name in moves.columns]
    summed = moves.group_by("mover").agg(
        pl.col("position").n_unique().cast(pl.Int64).alias("titles"),
        pl.col("records").filter(pl.col("position").is_first_distinct()).sum(),
        *(pl.col(name).sum().alias(f"{name}_verdicts") for name in figures),
    )
    lines = describe_changes(old, new, named).with_columns(pl.Series("mover", shown, dtype=pl.Int64))
    joined = lines.join(summed, on="mover", how="left", maintain_order="left").drop("mover")
    counted = joined.with_columns(pl.col(joined.columns[len(lines.columns) - 1 :]).fill_null(0))
    return counted.sort("records", descending=True, maintain_order=True)


def _by_title(
    old: KeywordTable, new: KeywordTable, changes: Sequence[RowChange], moves: pl.DataFrame, titles: pl.Series
) -> pl.DataFrame:
    kinds = pl.Series([", ".join(change.kinds) or REORDERED for change in changes], dtype=pl.String)
    columns = [titles.gather(moves["position"]).alias("title"), *moves["records", "target", "old_class", "new_class"]]
    for side, table in (("old", old), ("new", new)):
        rows = moves[f"{side}_row"]
        chosen = rows.set(rows < 0, None)
        for name, cells in (("line", pl.Int64), ("keyword", pl.String)):
            of_rows = pl.Series(table.rows[name].tolist(), dtype=cells)
            columns.append(of_rows.gather(chosen).alias(f"{side}_{name}"))
    frame = pl.DataFrame([*columns, kinds.gather(moves["mover"]).alias("change")])
    if BETTER not in moves.columns:
        return frame
    figures = moves.select(pl.col(name).alias(f"{name}_records") for name in (BETTER, WORSE, NEITHER))
    gain = pl.col(f"{BETTER}_records") - pl.col(f"{WORSE}_records")
    known = pl.sum_horizontal(figures.columns) > 0
    verdict = pl.when(gain > 0).then(pl.lit(BETTER)).when(gain < 0).then(pl.lit(WORSE)).otherwise(pl.lit(NEITHER))
    return frame.hstack(figures).with_columns(pl.when(known).then(verdict).alias("verdict"))


def _by_target(moves: pl.DataFrame, targets: Sequence[str]) -> pl.DataFrame:
    figures = [name for name in (BETTER, WORSE, NEITHER) if name in moves.columns]
    lines: list[dict[str, Any]] = []
    for target in targets:
        chosen = moves.filter(pl.col("target") == target)
        sums = {f"{name}_records": chosen[name].sum() for name in figures}
        lines.append({"target": target, "titles": len(chosen), "records": chosen["records"].sum(), **sums})
    distinct = moves.unique("position")
    nothing = dict.fromkeys((f"{name}_records" for name in figures), None)
    lines.append({"target": ANY, "titles": len(distinct), "records": distinct["records"].sum(), **nothing})
    return pl.DataFrame(lines)


def match_rows(old: KeywordTable, new: KeywordTable) -> list[RowChange]:
    """Pair the rows of two tables that have the same keyword, ignoring case, and set a target in common.

    Of several such rows, those that differ least are paired.

    Returns:
        Every row of either table once: those of the new table in its order, then those that were removed.
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
        before = old_of[after]
        kinds = _kinds(of_old[before], row, names)
        relabelled = [name for name in names if row[name] != of_old[before][name]]
        targets = frozenset(names if {REPRIORITISED, REMATCHED} & set(kinds) else relabelled)
        changes.append(RowChange(old=before, new=after, kinds=kinds, targets=targets))
    left = (before for before in range(len(of_old)) if before not in taken)
    return changes + [RowChange(old=before, new=None, kinds=(REMOVED,), targets=frozenset(names)) for before in left]


def describe_changes(old: KeywordTable, new: KeywordTable, changes: Sequence[RowChange]) -> pl.DataFrame:
    """Return changes as a table, a line each.

    Returns:
        The kinds of `change`, `keyword`; `line`, `priority`, `match` and `labels` of the `old_` and the `new_` row,
        null if there is none; and the `details` as text.
    """
    of_old, of_new = _rows(old), _rows(new)
    names = new.taxonomy.names
    sides = ("old", "new")
    schema = {
        **dict.fromkeys(("change", "keyword"), pl.String),
        **{f"{side}_line": pl.Int64 for side in sides},
        **{f"{side}_priority": pl.Float64 for side in sides},
        **{f"{side}_{name}": pl.String for name in ("match", "labels") for side in sides},
        "details": pl.String,
    }
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
    return pl.DataFrame(lines, schema=schema)


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
    """Say what is different, or describe a row that only one table has."""
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
