"""What changes between two hierarchies on the same titles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_cleaning.errors import BadInput
from data_cleaning.titles import FloatArray, IntArray, StrArray
from harness.tagging.hierarchy.hierarchy import Hierarchy, Placements
from harness.tagging.hierarchy.nodes_and_rules import at_or_above

UNSURE = "(not sure of any)"
"""Path of a title of which not even a node of the first level is sure."""

_EXAMPLES = 3


@dataclass(frozen=True)
class Difference:
    """Answers of an old and a new hierarchy side by side."""

    moves: pd.DataFrame
    """A row per move, most records first: `from` and `to` as `A > B > C`, `differs` (place, band, labels),
    `titles`, `records`, `share` of all records, and `examples`, the titles with most records."""
    nodes: pd.DataFrame
    """A row per `path` in either tree: `in` (old, new, both), `records_before` and `records_after` at or below it."""
    changed: npt.NDArray[np.bool_]
    """Whether the answer for each title differs, (n_titles,)."""


def diff(
    old: Hierarchy,
    new: Hierarchy,
    titles: Sequence[str] | StrArray,
    probabilities: Mapping[str, FloatArray],
    records: IntArray,
) -> Difference:
    """Place the same titles in two hierarchies. An answer is the deepest sure node, the band and the new labels.

    Titles and probabilities are as `Hierarchy.place` takes them; each title has a number of records, (n_titles,).

    Raises:
        BadInput: the two speak of different labels.
    """
    labels_of = [{target.name: target.classes for target in one.taxonomy.targets} for one in (old, new)]
    if labels_of[0] != labels_of[1]:
        raise BadInput(
            f"Hierarchies {old.version!r} and {new.version!r} were read with taxonomies of different labels; read both "
            "with the same one."
        )
    before, after = old.place(titles, probabilities), new.place(titles, probabilities)
    pairs = pd.DataFrame({
        "old_node": before.node, "old_band": before.band, "new_node": after.node, "new_band": after.band,
    })  # fmt: skip
    # Both answers of a title are one pair; the pairs are few, so that each can be worded in turn.
    pair_of_title = pairs.groupby(list(pairs), sort=False).ngroup().to_numpy()  # (n_titles,), numbered as they occur
    worded = [_worded(old, new, *map(int, row)) for row in pairs.drop_duplicates().itertuples(index=False)]
    changed = np.array([differs != "" for _, _, differs in worded], dtype=bool)[pair_of_title]
    moves = _moves(worded, pair_of_title, changed, pd.Series(titles, dtype=object), pd.Series(records))
    return Difference(moves, _nodes(old, new, before, after, records), changed)


def _worded(
    old: Hierarchy, new: Hierarchy, old_node: int, old_band: int, new_node: int, new_band: int
) -> tuple[str, str, str]:
    """Word both places and what differs between the two answers."""
    there, here = old.nodes[old_node], new.nodes[new_node]
    was, becomes = (
        hierarchy.bands[band] if band >= 0 else "" for hierarchy, band in ((old, old_band), (new, new_band))
    )
    differs = {
        "place": there.path != here.path,
        "band": was != becomes,
        "labels": dict(there.new_labels) != dict(here.new_labels),
    }
    return _path(there.path), _path(here.path), ", ".join(name for name, does in differs.items() if does)


def _path(path: Sequence[str]) -> str:
    return " > ".join(path) or UNSURE


def _moves(
    worded: Sequence[tuple[str, str, str]],
    pair_of_title: IntArray,
    changed: npt.NDArray[np.bool_],
    titles: pd.Series,
    records: pd.Series,
) -> pd.DataFrame:
    """Gather the changed titles by move; two bands of one leaf may be worded alike."""
    distinct = list(dict.fromkeys(worded))
    move = np.array([distinct.index(words) for words in worded], dtype=np.int64)[pair_of_title]
    each = pd.DataFrame({"move": move, "title": titles, "records": records})[changed]
    each = each.sort_values(["records", "title"], ascending=[False, True])
    by_move = each.groupby("move")
    moves = pd.DataFrame(distinct, columns=["from", "to", "differs"], dtype=object).loc[list(by_move.groups)]
    moves["titles"] = by_move.size()
    moves["records"] = by_move["records"].sum()
    moves["share"] = moves["records"] / max(int(records.sum()), 1)
    moves["examples"] = by_move.head(_EXAMPLES).groupby("move")["title"].agg("; ".join)
    return moves.sort_values(["records", "from", "to"], ascending=[False, True, True], ignore_index=True)


def _nodes(old: Hierarchy, new: Hierarchy, before: Placements, after: Placements, records: IntArray) -> pd.DataFrame:
    counted = [_records_of(old, before.node, records), _records_of(new, after.node, records)]
    rows = [
        {
            "path": _path(path),
            "in": "both" if all(path in one for one in counted) else "old" if path in counted[0] else "new",
            "records_before": counted[0].get(path, 0),
            "records_after": counted[1].get(path, 0),
        }
        for path in dict.fromkeys([*counted[1], *counted[0]])
    ]
    return pd.DataFrame(rows, columns=["path", "in", "records_before", "records_after"])


def _records_of(hierarchy: Hierarchy, node: IntArray, records: IntArray) -> dict[tuple[str, ...], int]:
    """Return the records whose answer is each node or below it, by path, the root left out."""
    at = np.bincount(node, weights=records, minlength=len(hierarchy.nodes))  # (n_nodes,), exact up to 2**53
    held = at @ at_or_above(hierarchy.nodes)  # (n_nodes,)
    return {each.path: int(count) for each, count in zip(hierarchy.nodes, held, strict=True) if each.path}
