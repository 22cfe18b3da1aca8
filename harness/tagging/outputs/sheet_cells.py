"""Values as a worksheet can hold them, and how many it could not hold as they were."""

import math
import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ERROR_CODES
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from data_cleaning.files.spreadsheet_text import escape_cell, replace_unwritable

_MOST_CHARACTERS = 32_767
"""That a cell holds; one beyond the basic plane counts twice."""
_FIRST_YEAR = 1900
_MOST_DIGITS = 15
"""That a spreadsheet keeps of a number."""

# Spreadsheets read "_x0041_" as the letter A, unless the underscore itself is written so.
_CODE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


class SheetCells:
    """Makes the cells of one sheet."""

    def __init__(self, sheet: WriteOnlyWorksheet) -> None:
        self.n_cut = 0
        """Cells with more text than a cell holds."""
        self.n_replaced = 0
        """Cells with characters that XML cannot hold."""
        self._sheet = sheet

    def cell(self, value: Any) -> Any:
        """Return what to write for a value: numbers, dates and truth values as such, all else as text."""
        if value is None or isinstance(value, bool | time | timedelta):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, float):
            return value if math.isfinite(value) else self.text("NaN" if math.isnan(value) else str(value))
        if isinstance(value, int | Decimal):
            return value if _fits(value) else self.text(str(value))
        if isinstance(value, date):
            # Spreadsheets know neither zones nor days before their first.
            foreign = value.year < _FIRST_YEAR or (isinstance(value, datetime) and value.tzinfo is not None)
            return self.text(value.isoformat()) if foreign else value
        return self.text(str(value))

    def text(self, text: str) -> Any:
        """Return text that a spreadsheet shows as it is and does not run; None for none."""
        safe = escape_cell(text)
        held = replace_unwritable(safe)
        coded = _CODE.sub("_x005F_", held)
        shown = _cut(coded)
        self.n_replaced += held != safe
        self.n_cut += len(shown) < len(coded)
        if shown in ERROR_CODES:
            cell = WriteOnlyCell(self._sheet, shown)
            cell.data_type = "s"  # "#N/A" may be what somebody is called
            return cell
        return shown or None


def values_of(column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column, those of a time that no calendar of Python holds as text."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)  # a finer one is lost in a spreadsheet anyway
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError):
        values = column.cast(pa.string()).to_pylist()
    return values


def rows_of(table: pa.Table, cells: Sequence[tuple[Any, ...]] | None) -> list[tuple[Any, ...]]:
    """Return a table by row, its first columns replaced by those of `cells`."""
    n_own = len(cells[0]) if cells else 0
    columns = [values_of(column) for column in table.columns[n_own:]]
    rest = list(zip(*columns, strict=True)) if columns else [()] * table.num_rows
    if not cells:
        return rest
    return [(*own, *others) for own, others in zip(cells, rest, strict=True)]


def _fits(number: int | Decimal) -> bool:
    """Say whether a spreadsheet keeps every digit of a number."""
    if isinstance(number, Decimal):
        return number.is_finite() and len(number.normalize().as_tuple().digits) <= _MOST_DIGITS
    return abs(number) < 10**_MOST_DIGITS


def _cut(text: str) -> str:
    if len(text) <= _MOST_CHARACTERS // 2:
        return text
    return text.encode("utf-16-le")[: 2 * _MOST_CHARACTERS].decode("utf-16-le", errors="ignore")
