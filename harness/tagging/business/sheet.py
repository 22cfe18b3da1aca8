"""A table as a worksheet that people filter and print; no cell of it runs as a formula."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, cast

import polars as pl
from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.formatting.rule import DataBarRule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from harness.tagging.business.cell_text import cell_text
from harness.tagging.business.sheet_rows import TOO_LARGE, add_rows

MOST_ROWS = 100_000
"""Rows of a sheet below its header; the CSV file beside it has them all."""

_FACE = "Calibri"
PLAIN, BOLD = Font(name=_FACE, size=11), Font(name=_FACE, size=11, bold=True)
FAINT, ALERT = Font(name=_FACE, size=11, color="FF808080"), Font(name=_FACE, size=11, color="FFC00000")
TITLE = Font(name=_FACE, size=14, bold=True)
_HEADER_FILL = PatternFill("solid", fgColor="FFDDE6F0")
_BAR = "FF9DC3E6"

TEXT, WHOLE, SHARE, ANY = "@", '#,##0;-#,##0;"–"', '0.0%;-0.0%;"–"', "General"
"""Number formats; text is text whatever it looks like, and a dash for nothing leaves the eye what there is."""

LINE_POINTS = 15
"""Height of a line of text."""

_NARROWEST, _WIDEST, _OF_NUMBERS, _MARGIN, _FILTER_ARROW = 10, 44, 12, 2, 3  # characters
_MOST_FROZEN = 100  # characters; more would leave a small screen nothing to scroll
_MEASURED_ROWS = 1_000
_MOST_COLUMNS, _DEEPEST = 16_384, 7


@dataclass(frozen=True, kw_only=True)
class Look:
    """What sets one sheet apart from others."""

    formats: Sequence[str]
    """Number format per column; text that looks like a number stays text."""
    frozen_columns: int = 1
    """At the left, that stay in view, unless they would take all of it."""
    bars: Sequence[int] = ()
    """Columns of shares, from 0, that are drawn as bars as well."""
    depths: Sequence[int] = ()
    """How deep in a tree each row is; a row can be folded into the less deep one above it."""
    font: Callable[[int, int], Font] | None = None
    """One of the fonts above for a cell, by its row below the header and its column, both from 0; None is plain."""


def write_sheet(book: Workbook, name: str, frame: pl.DataFrame, header: Sequence[str], look: Look) -> None:
    """Add a sheet to a workbook that is only written.

    Args:
        book: made with `write_only`.
        name: of the sheet.
        frame: the table, of text, truth values and numbers; what is beyond the rows and columns of a sheet is left out.
        header: a name per column of the table.
        look: of the sheet.
    """
    frame = frame[:, :_MOST_COLUMNS].head(MOST_ROWS)
    header = header[: frame.width]
    sheet: Any = book.create_sheet(name)
    widths = [_width(title, column) for title, column in zip(header, frame.iter_columns(), strict=True)]
    for position, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(position)].width = width
    sheet.row_dimensions[1].height = LINE_POINTS * max(map(n_lines, header, widths), default=1)
    depths = [min(depth, _DEEPEST) for depth in look.depths[: len(frame)]]
    sheet.sheet_format.outlineLevelRow = max(depths, default=0)
    sheet.sheet_properties.outlinePr.summaryBelow = False
    n_frozen = sum(right <= _MOST_FROZEN for right in accumulate(widths[: look.frozen_columns]))
    sheet.freeze_panes = f"{get_column_letter(n_frozen + 1)}2"
    last_row = max(len(frame), 1) + 1
    sheet.auto_filter.ref = f"A1:{get_column_letter(frame.width)}{last_row}"
    for column in look.bars:
        letter = get_column_letter(column + 1)
        bar = DataBarRule(start_type="num", start_value=0, end_type="num", end_value=1, color=_BAR)
        sheet.conditional_formatting.add(f"{letter}2:{letter}{last_row}", bar)
    set_for_print(sheet)
    sheet.print_title_rows = "1:1"

    sheet.append([header_cell(sheet, title) for title in header])
    add_rows(sheet, frame, _styles(sheet, look, frame), depths)


def _styles(sheet: Any, look: Look, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the number that the workbook has for the style of each cell, as wide and long as the frame."""
    numbers: dict[tuple[str, int], int] = {}

    def number(column: int, font: Font) -> int:
        key = look.formats[column], id(font)
        if key not in numbers:
            cell = WriteOnlyCell(sheet)
            cell.number_format, cell.font = look.formats[column], font
            numbers[key] = cell.style_id
        return numbers[key]

    styles = {}
    for column, name in enumerate(frame.columns):
        if look.font is None:
            styles[name] = pl.repeat(number(column, PLAIN), len(frame), dtype=pl.Int32, eager=True)
        else:
            of_rows = [number(column, look.font(row, column)) for row in range(len(frame))]
            styles[name] = pl.Series(of_rows, dtype=pl.Int32)
    return pl.DataFrame(styles)


def put(cell: Any, value: Any) -> None:
    """Write a value; text stays text, whatever it looks like, and what a spreadsheet cannot hold becomes text."""
    if value is None or value == "" or (isinstance(value, int | float) and abs(value) < TOO_LARGE):
        cell.value = value if value != "" else None
    else:
        cell.value = cell_text(str(value))
        cell.data_type = "s"


def header_cell(sheet: Any, title: str) -> Cell:
    """Return a cell that heads a column."""
    cell = WriteOnlyCell(sheet)
    put(cell, title)
    cell.font, cell.fill = BOLD, _HEADER_FILL
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def n_lines(text: str, width: int) -> int:
    """Return how many lines a text takes in a column, a little room at its end left free."""
    return max(len(textwrap.wrap(text, width - _MARGIN)), 1)


def set_for_print(sheet: Any) -> None:
    """Print a sheet across, all columns on a page."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _width(title: str, column: pl.Series) -> int:
    """Return the width of a column in characters: what its text and the words of its title ask for."""
    of_title = max(map(len, title.split()), default=0)
    longest = column.head(_MEASURED_ROWS).str.len_chars().max() if column.dtype == pl.String else _OF_NUMBERS - _MARGIN
    wanted = max(cast(int, longest or 0), of_title + _FILTER_ARROW - _MARGIN, _NARROWEST - _MARGIN)
    return min(wanted, _WIDEST) + _MARGIN
