"""Cells of a file of any kind as the follow-up list has them: text, numbers and truth values."""

from collections.abc import Iterator
from typing import Any

import polars as pl
import pyarrow as pa

from data_cleaning.titles import IntArray

_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_KEPT = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating)
_WORDED_BY_ARROW = (pa.types.is_date, pa.types.is_time, pa.types.is_timestamp, pa.types.is_decimal, pa.types.is_null)
"""What reads well as arrow turns it into text, also where no calendar of Python holds it."""


def listed(column: pa.ChunkedArray, positions: IntArray) -> pl.Series:
    """Return some rows of a column, all that is no text, truth value or number as text.

    Neither polars nor Python can hold every date, zone and decimal number that arrow can.

    Args:
        column: of any type.
        positions: of the rows, in the order in which they are wanted, (n_positions,).

    Returns:
        The rows, (n_positions,). Their type depends on nothing but that of the column.
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
