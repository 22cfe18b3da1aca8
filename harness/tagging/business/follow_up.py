"""Whom to follow up: attendees in the order of the hierarchy's ranks, found a piece of the file at a time."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from data_cleaning.titles import FloatArray, IntArray
from harness.tagging.answers import Answers
from harness.tagging.business.business_tables import free_name
from harness.tagging.hierarchy import FollowUp

NO_RANK = -1
"""Of a record that is not to be followed up."""

ADDED = ("place", "rank", "row")
"""First columns of the list: place on it from 1, name of the rank, and number of the row in the file."""

_LOWEST_BAND = 255  # means that the band is not sure

_OWN = "own"

_EVERYBODY = int(np.iinfo(np.int64).max)


def rank_rows(follow_up: FollowUp, node: IntArray, band: IntArray) -> npt.NDArray[np.int16]:
    """Return the first rank that a record's node and band are in, `NO_RANK` where there is none, (n_rows,).

    A node is -1 for no title, a band where it is not sure; both arrays are (n_rows,).
    """
    named_nodes = [position for rank in follow_up.ranks for position in rank.nodes]
    named_bands = [position for rank in follow_up.ranks for position in rank.bands]
    n_nodes = max([*named_nodes, int(node.max(initial=0))]) + 1
    n_bands = max([*named_bands, int(band.max(initial=0))]) + 1
    first = np.full((n_nodes + 1, n_bands + 1), NO_RANK, dtype=np.int16)  # the last row and column are for -1
    for position, rank in reversed([*enumerate(follow_up.ranks)]):
        first[np.ix_(sorted(rank.nodes), sorted(rank.bands))] = position
    return first[node, band]


class BestRows:
    """Keeps the best rows of a file, a piece of the file at a time."""

    def __init__(self, follow_up: FollowUp) -> None:
        self._follow_up = follow_up
        self._best: list[pl.DataFrame] = []  # rank, band, confidence, row, and a struct of what is written about it
        self._n_relevant = 0

    def add(self, answers: Answers, table: pa.Table, first_row: int) -> None:
        """Choose who of one piece comes onto the list; pieces come in the order of the file.

        The table is what is written about the same rows; its columns may be of any type and have any names. The first
        row of the file has the number 1.
        """
        most = self._follow_up.most
        node, band, confidence = (answers.records[name] for name in ("node", "band", "place_confidence"))
        rank = rank_rows(self._follow_up, node, band)
        self._n_relevant += answers.n_rows(rank != NO_RANK)
        order = _order(rank, band, confidence)
        rows = np.flatnonzero(((rank != NO_RANK) & (order < self._last_place()))[answers.of_row])
        rows = rows[_foremost(order[answers.of_row[rows]], most)]
        of_row = answers.of_row[rows]
        keys = pl.DataFrame(
            {
                "rank": rank[of_row],
                "band": band[of_row].astype(np.int16),
                "confidence": confidence[of_row].astype(np.float32),
                "row": rows.astype(np.int64) + first_row,
            }
        )
        best = _best(keys, most)
        positions = (best["row"] - first_row).to_numpy()
        named = zip(table.column_names, table.columns, strict=True)
        own = pl.DataFrame([listed(column, positions).alias(name) for name, column in named])
        self._add(best.with_columns(own.to_struct(_OWN)))

    def _last_place(self) -> int:
        """Return the place of whom is last on a full list, as `_order` has it; later rows have to be before that."""
        if not self._best or len(self._best[0]) < self._follow_up.most:
            return _EVERYBODY
        last = (self._best[0][name].tail(1).to_numpy() for name in ("rank", "band", "confidence"))
        return int(_order(*last)[0])

    def partial(self) -> tuple[pl.DataFrame, int]:
        """Return the best rows so far, with what is written about each, and how many records have a rank."""
        (best,) = self._best
        return best, self._n_relevant

    def merge(self, best: pl.DataFrame, n_relevant: int, rows_before: int) -> None:
        """Add the `partial` of rows whose file has so many rows before it that their numbers do not count."""
        self._add(best.with_columns(pl.col("row") + rows_before))
        self._n_relevant += n_relevant

    def _add(self, best: pl.DataFrame) -> None:
        self._best = [_best(pl.concat([*self._best, best]), self._follow_up.most)]

    def listed(self) -> tuple[pl.DataFrame, int]:
        """Return the list of the whole file, of which at least one piece was added, even one without rows.

        Returns:
            The list, the best first: first the `ADDED` columns, under other names where the tagged file has these, then
            its own; and how many records have a rank, on the list or not.
        """
        (best,) = self._best
        own = best[_OWN].struct.unnest()
        places = pl.Series(np.arange(1, len(own) + 1, dtype=np.int64))
        ranks = pl.Series([self._follow_up.ranks[position].name for position in best["rank"]], dtype=pl.String)
        added = zip(ADDED, (places, ranks, best["row"]), strict=True)
        front = pl.DataFrame([column.alias(free_name(name, own.columns, "follow_up")) for name, column in added])
        return front.hstack(own), self._n_relevant


def _order(rank: IntArray, band: IntArray, confidence: FloatArray) -> npt.NDArray[np.int64]:
    """Return a number for each answer, (n_answers,): the lower, the earlier `_best` lists it; equals go by row."""
    # Positive floats are in the order of their bits, so that one number has the whole order.
    bits = np.maximum(confidence, 0).astype(np.float32).view(np.int32).astype(np.int64)
    lower = np.where(band < 0, _LOWEST_BAND, band.astype(np.int64))
    return ((rank.astype(np.int64) * (_LOWEST_BAND + 1) + lower) << 32) - bits


def _foremost(order: npt.NDArray[np.int64], most: int) -> IntArray:
    """Return the rows that `_best` would keep, in the order of the file; to sort all of a piece would be slow."""
    if len(order) <= most:
        return np.arange(len(order))
    last = np.partition(order, most - 1)[most - 1]
    better = np.flatnonzero(order < last)
    equal = np.flatnonzero(order == last)[: most - len(better)]
    return np.sort(np.concatenate([better, equal]))


def _best(found: pl.DataFrame, most: int) -> pl.DataFrame:
    """Return at most so many rows: by rank, then the higher band, the higher confidence and the earlier row."""
    band = pl.when(pl.col("band") < 0).then(None).otherwise(pl.col("band"))
    order = ["rank", band, "confidence", "row"]
    return found.sort(order, descending=[False, False, True, False], nulls_last=True).head(most)


_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_KEPT = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating)
_WORDED_BY_ARROW = (pa.types.is_date, pa.types.is_time, pa.types.is_timestamp, pa.types.is_decimal, pa.types.is_null)
"""What reads well as arrow turns it into text, also where no calendar of Python holds it."""


def listed(column: pa.ChunkedArray, positions: IntArray) -> pl.Series:
    """Return some rows of a column, all that is no text, truth value or number as text.

    Neither polars nor Python can hold every date, zone and decimal number that arrow can. The type of the rows depends
    on nothing but that of the column.
    """
    taken = _take(column, positions)
    kind = taken.type
    while pa.types.is_dictionary(kind):
        try:
            taken = pa.chunked_array([chunk.dictionary_decode() for chunk in taken.chunks], kind.value_type)
        except pa.ArrowNotImplementedError:  # of views
            return _worded(taken)
        kind = taken.type
    if any(is_kind(kind) for is_kind in _TEXTS):
        return _text(taken)
    if any(is_kind(kind) for is_kind in _KEPT):
        return _series(taken.cast(pa.float32()) if pa.types.is_float16(kind) else taken)
    return _worded(taken)


def _series(column: pa.ChunkedArray) -> pl.Series:
    return pl.Series(pl.from_arrow(column))


def _take(column: pa.ChunkedArray, positions: IntArray) -> pa.ChunkedArray:
    if pa.types.is_string_view(column.type):  # for polars they are at no cost
        rows = _series(column).gather(positions).to_arrow(compat_level=pl.CompatLevel.newest())
        return pa.chunked_array([rows], column.type)
    try:
        return column.take(pa.array(positions))
    except pa.ArrowNotImplementedError:  # such as of lists of views; every type has slices
        rows = [chunk for position in positions for chunk in column.slice(int(position), 1).chunks]
        return pa.chunked_array(rows, column.type)


def _text(column: pa.ChunkedArray) -> pl.Series:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:  # Parquet files may hold what is no UTF-8, which polars must not be given
        kind = pa.binary_view() if pa.types.is_string_view(column.type) else pa.large_binary()
        values = column.cast(kind).to_pylist()
        return pl.Series(
            [None if value is None else value.decode(errors="replace") for value in values], dtype=pl.String
        )
    return _series(column)


def _worded(column: pa.ChunkedArray) -> pl.Series:
    kind = column.type
    if any(is_kind(kind) for is_kind in _WORDED_BY_ARROW):
        try:
            return _series(column.cast(pa.string()))
        except pa.ArrowException:
            if pa.types.is_timestamp(kind) and kind.tz is not None:  # no such zone is known
                return _worded(column.cast(pa.timestamp(kind.unit))) + f" UTC ({kind.tz})"
    return pl.Series([*_worded_one_by_one(column)], dtype=pl.String)


def _worded_one_by_one(column: pa.ChunkedArray) -> Iterator[str | None]:
    scalar: Any
    for scalar in column:
        try:
            value = scalar.as_py()
            yield None if value is None else str(value)
        except Exception:  # there is no end to what Python may not hold, and the rest of the row counts
            yield f"<{column.type}>"
