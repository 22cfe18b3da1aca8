"""Recognise a row that names the columns of another table by the rows around it, if its names are unusual."""

from collections.abc import Collection, Sequence
from itertools import zip_longest

import polars as pl

from data_cleaning.files.table_layout import is_data
from data_cleaning.title_likeness import LOOKS_LIKE_TITLES, title_likeness

ROWS_ABOVE, ROWS_BELOW = 30, 10
"""Rows above and below such a row that are looked at."""
_MIN_ROWS = 2
_MAX_LIKENESS = 0.2
"""Likeness to titles of what is below the names of another table."""

_Row = Sequence[str]


def names_other_columns(
    above: Sequence[_Row], names: Sequence[str], below: Sequence[_Row], title_columns: Collection[int]
) -> bool:
    """Say whether a row surely names the columns of another table, such as Vendor,Amount,Currency.

    It does if some column has words in this row and in the rows above, and numbers or dates in the rows below, and if
    the rows below hold no titles where the rows above do. No record meets all of this.

    Args:
        above: cells of the records above it, without blanks around them.
        names: cells of the row.
        below: cells of the rows below it, down to a gap.
        title_columns: positions of columns whose names are usual for titles; if empty, titles may be in any column.
    """
    width = next((at for at, name in enumerate(names) if not name), len(names))
    named = names[:width]
    if min(len(above), len(below)) < _MIN_ROWS or any(names[width:]) or any(any(row[width:]) for row in below):
        return False
    if len(set(named)) < width or any(map(is_data, named)):
        return False
    before, after = ([list(filter(None, column)) for column in zip_longest(*rows)] for rows in (above, below))
    if not any(_turn_into_data(*both) for both in zip(before, after, strict=False)):
        return False
    columns = [at for at in title_columns or range(len(before)) if at < len(before)] or [0]
    likeness = {at: title_likeness(pl.Series(before[at])) for at in columns}
    title = max(likeness, key=likeness.__getitem__)
    titles = after[title] if title < len(after) else []
    if all(map(is_data, titles)):
        return bool(title_columns) or likeness[title] >= LOOKS_LIKE_TITLES
    return likeness[title] >= LOOKS_LIKE_TITLES and title_likeness(pl.Series(titles)) <= _MAX_LIKENESS


def _turn_into_data(words: Sequence[str], data: Sequence[str]) -> bool:
    return min(len(words), len(data)) >= _MIN_ROWS and all(map(is_data, data)) and not any(map(is_data, words))
