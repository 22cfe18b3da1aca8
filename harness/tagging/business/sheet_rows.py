"""Rows of a worksheet as XML, a column at a time: openpyxl takes ten times as long, cell by cell."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import polars as pl
from openpyxl.utils import get_column_letter

from harness.tagging.business.cell_text import cell_text, cell_texts

TOO_LARGE = 10**15
"""A spreadsheet keeps 15 digits of a number; from here on it becomes text."""

_SLICE = 8_192
"""Rows that are turned into XML at a time."""
_END = b"</sheetData>"
_NUMBER, _TRUTH = "><v>{}</v></c>", ' t="b"><v>{}</v></c>'
_TEXT, _EMPTY = ' t="inlineStr"><is><t xml:space="preserve">{}</t></is></c>', "/>"


def add_rows(sheet: Any, frame: pl.DataFrame, styles: pl.DataFrame, depths: Sequence[int]) -> None:
    """Close a sheet of a workbook that is only written, with these rows below the one it has.

    Args:
        sheet: everything about it is set, and its header appended.
        frame: columns of text, truth values, whole numbers and floats.
        styles: number of the style of each cell, as wide and long as the frame.
        depths: how deep each row is in an outline; empty where there is none.
    """
    sheet.close()
    # The sheet waits in a file of its own until the workbook is zipped; what comes after the rows is short.
    with Path(sheet._writer.out).open("r+b") as opened:
        content = opened.read()
        end = content.rindex(_END)
        opened.seek(end)
        for start in range(0, len(frame), _SLICE):
            rows = slice(start, start + _SLICE)
            opened.write(_rows(frame[rows], styles[rows], depths[rows], start + 2).encode())
        opened.write(content[end:])


def _rows(frame: pl.DataFrame, styles: pl.DataFrame, depths: Sequence[int], first: int) -> str:
    """Return the XML of rows, of which the first has this number in the sheet."""
    number = pl.int_range(first, first + len(frame), eager=True).cast(pl.String)
    outline = pl.Series([f' outlineLevel="{depth}"' if depth else "" for depth in depths], dtype=pl.String)
    pieces = [pl.format('<row r="{}"{}>', number, outline if depths else pl.lit(""))]
    for position, (column, style) in enumerate(zip(frame.iter_columns(), styles.iter_columns(), strict=True), start=1):
        place = pl.format(f'<c r="{get_column_letter(position)}{{}}" s="{{}}"', number, style)
        pieces += [place, pl.lit(_rest(column))]
    written = pl.select(pl.concat_str(*pieces, pl.lit("</row>"))).to_series()
    return cast(str, written.str.join("").item())


def _rest(column: pl.Series) -> pl.Series:
    """Return what comes in the XML of each cell after its place and its style."""
    if column.dtype == pl.String:
        return _texts(cell_texts(column))
    if column.dtype == pl.Boolean:
        return _filled(_TRUTH, column.cast(pl.Int8))
    fits = column.cast(pl.Float64).is_between(-TOO_LARGE, TOO_LARGE, closed="none")
    numbers = _filled(_NUMBER, column)
    if fits.all():  # but for empty cells
        return numbers
    large = [None if value is None else cell_text(str(value)) for value in column.to_list()]
    return numbers.zip_with(fits.fill_null(value=True), _texts(pl.Series(large, dtype=pl.String)))


def _texts(texts: pl.Series) -> pl.Series:
    """Return the same for texts; one without a letter is an empty cell."""
    safe = texts.str.replace_all("&", "&amp;", literal=True).str.replace_all("<", "&lt;", literal=True)
    return _filled(_TEXT, safe.str.replace_all(">", "&gt;", literal=True).replace("", None))


def _filled(form: str, values: pl.Series) -> pl.Series:
    return pl.select(pl.format(form, values).fill_null(_EMPTY)).to_series()
