"""Text as a cell of a spreadsheet can hold it, which no spreadsheet runs as a formula."""

import re

import polars as pl

from data_cleaning.files.spreadsheet_text import safe_text

_LONGEST = 32_767
"""UTF-16 units that a cell holds."""
# Spreadsheets read "_x0041_" as the letter A, unless the underscore itself is written so.
_CODE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")

_UNUSUAL = r"^['=+\-@\t\r\n]|_x[0-9A-Fa-f]{4}_|[\x00-\x08\x0b\x0c\x0e-\x1f\x{fffe}\x{ffff}]"
"""Whatever `cell_text` may change, length aside; in the syntax of polars."""


def cell_text(text: str) -> str:
    """Return a text as a cell holds it: not run, without what XML cannot say, and cut to what there is room for."""
    return _CODE.sub("_x005F_", _cut(safe_text(text)))


def cell_texts(column: pl.Series) -> pl.Series:
    """Return `cell_text` of each text of a column; few need it, so that the others are not looked at one by one."""
    unusual = (column.str.contains(_UNUSUAL) | (column.str.len_chars() > _LONGEST // 2)).fill_null(value=False)
    if not unusual.any():
        return column
    return column.scatter(unusual.arg_true(), [cell_text(text) for text in column.filter(unusual)])


def _cut(text: str) -> str:
    """Cut a text to what a cell holds; letters beyond the first 65,536 of Unicode count twice."""
    if len(text) <= _LONGEST // 2:
        return text
    return text.encode("utf-16-le")[: 2 * _LONGEST].decode("utf-16-le", errors="ignore")
