"""Whom to follow up: attendees in the order of the hierarchy's ranks, found a part of the file at a time."""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import polars as pl

from data_cleaning.titles import FloatArray, IntArray
from harness.tagging.business.names import free_name
from harness.tagging.hierarchy import FollowUp

NO_RANK = -1
"""Of a record that is not to be followed up."""

ADDED = ("place", "rank", "row")
"""First columns of the list: place on it from 1, name of the rank, and number of the row in the file."""

_LOWEST_BAND = 255  # stands for one that is not sure

_OWN, _RELEVANT = "own", "relevant"


def rank_rows(follow_up: FollowUp, node: IntArray, band: IntArray) -> npt.NDArray[np.int16]:
    """Return the first rank that a record's node and band are in, `NO_RANK` where there is none, (n_rows,).

    Args:
        follow_up: says which ranks there are.
        node: positions in `Hierarchy.nodes`, -1 for no title, (n_rows,).
        band: positions in `Hierarchy.bands`, -1 where it is not sure, (n_rows,).
    """
    named_nodes = [position for rank in follow_up.ranks for position in rank.nodes]
    named_bands = [position for rank in follow_up.ranks for position in rank.bands]
    n_nodes = max([*named_nodes, int(node.max(initial=0))]) + 1
    n_bands = max([*named_bands, int(band.max(initial=0))]) + 1
    first = np.full((n_nodes + 1, n_bands + 1), NO_RANK, dtype=np.int16)  # the last row and column are for -1
    for position, rank in reversed([*enumerate(follow_up.ranks)]):
        first[np.ix_(sorted(rank.nodes), sorted(rank.bands))] = position
    return first[node, band]


def best_of_part(
    follow_up: FollowUp,
    node: IntArray,
    band: IntArray,
    confidence: FloatArray,
    taken: Callable[[IntArray], pl.DataFrame],
    *,
    first_row: int,
) -> pl.DataFrame:
    """Choose who of one part may come onto the list.

    Args:
        follow_up: says which ranks there are, and how many are followed up at most.
        node: positions in `Hierarchy.nodes`, -1 for no title, (n_rows,).
        band: positions in `Hierarchy.bands`, -1 where it is not sure, (n_rows,).
        confidence: that the node is right, (n_rows,).
        taken: returns what is written about the rows at some positions, in their order, as columns of text, truth
            values and numbers; asked once, for at most `follow_up.most` rows.
        first_row: number of the part's first row in the file; the file's first is 1.

    Returns:
        The best, at most `follow_up.most`: rank, band, confidence, row (its number in the file), own (a struct of the
        columns of `taken`, whatever they are called), and relevant, whose sum is how many records of the part have a
        rank. The pieces of one part may be put together under each other.
    """
    rank = rank_rows(follow_up, node, band)
    ranked = np.flatnonzero(rank != NO_RANK)
    n_relevant = len(ranked)
    ranked = ranked[_foremost(rank[ranked], band[ranked], confidence[ranked], follow_up.most)]
    keys = pl.DataFrame(
        {
            "rank": rank[ranked],
            "band": band[ranked].astype(np.int16),
            "confidence": confidence[ranked].astype(np.float32),
            "row": ranked.astype(np.int64) + first_row,
        }
    )
    best = _best(keys, follow_up.most)
    own = taken((best["row"] - first_row).to_numpy())
    relevant = np.zeros(len(best), dtype=np.int64)
    relevant[:1] = n_relevant
    return best.with_columns(own.to_struct(_OWN), pl.Series(_RELEVANT, relevant))


def best_of_all(parts: Iterable[pl.DataFrame], follow_up: FollowUp) -> tuple[pl.DataFrame, int]:
    """Choose the best of the whole file.

    Args:
        parts: what `best_of_part` returned for each, at least one.
        follow_up: the same as for the parts.

    Returns:
        The list, the best first: first the `ADDED` columns, under other names where the tagged file has these, then its
        own; and how many records have a rank, on the list or not.
    """
    best: list[pl.DataFrame] = []
    n_relevant = 0
    for part in parts:
        n_relevant += int(part[_RELEVANT].sum())
        best = [_best(pl.concat([*best, part]), follow_up.most)]
    assert best, "a file has at least one part, be it without rows"
    own = best[0][_OWN].struct.unnest()
    places = pl.Series(np.arange(1, len(own) + 1, dtype=np.int64))
    ranks = pl.Series([follow_up.ranks[position].name for position in best[0]["rank"]], dtype=pl.String)
    added = zip(ADDED, (places, ranks, best[0]["row"]), strict=True)
    front = pl.DataFrame([column.alias(free_name(name, own.columns, "follow_up")) for name, column in added])
    return front.hstack(own), n_relevant


def _foremost(rank: IntArray, band: IntArray, confidence: FloatArray, most: int) -> IntArray:
    """Return the rows that `_best` would keep, in the order of the file; to sort all of a part would be slow."""
    if len(rank) <= most:
        return np.arange(len(rank))
    # Positive floats are in the order of their bits, so that one number has the whole order; the lowest is the best.
    bits = np.maximum(confidence, 0).astype(np.float32).view(np.int32).astype(np.int64)
    lower = np.where(band < 0, _LOWEST_BAND, band.astype(np.int64))
    order = ((rank.astype(np.int64) * (_LOWEST_BAND + 1) + lower) << 32) - bits
    last = np.partition(order, most - 1)[most - 1]
    better = np.flatnonzero(order < last)
    equal = np.flatnonzero(order == last)[: most - len(better)]
    return np.sort(np.concatenate([better, equal]))


def _best(found: pl.DataFrame, most: int) -> pl.DataFrame:
    """Return at most so many rows: by rank, then the higher band, the higher confidence and the earlier row."""
    band = pl.when(pl.col("band") < 0).then(None).otherwise(pl.col("band"))
    order = ["rank", band, "confidence", "row"]
    return found.sort(order, descending=[False, False, True, False], nulls_last=True).head(most)
