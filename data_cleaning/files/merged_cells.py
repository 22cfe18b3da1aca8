"""Cells of a sheet that are merged across rows, as in a column of events that names each of them once."""

from collections.abc import Iterable, Iterator
from typing import Any

_EMPTY = (None, "")

Cells = tuple[Any, ...]


def filled_down(
    rows: Iterator[tuple[int, Cells]], merged: Iterable[tuple[tuple[int, int], tuple[int, int]]]
) -> Iterator[tuple[int, Cells]]:
    """Give the value of cells that were merged across rows to each of these rows, unless all else in it is empty.

    Rows are numbered from 1; a merged range has its first and last row and column, from 0.
    """
    begins: dict[int, list[tuple[int, int]]] = {}
    for (first, column), (last, _) in merged:
        if last > first:
            begins.setdefault(first + 1, []).append((column, last + 1))
    held: dict[int, tuple[int, Any]] = {}  # column to its last row, and the value
    for number, row in rows:
        held = {column: (last, value) for column, (last, value) in held.items() if number <= last}
        if held and any(cell not in _EMPTY for cell in row):
            row = tuple(
                held[column][1] if column in held and cell in _EMPTY else cell for column, cell in enumerate(row)
            )
        for column, last in begins.get(number, ()):
            if column < len(row):
                held[column] = last, row[column]
        yield number, row
