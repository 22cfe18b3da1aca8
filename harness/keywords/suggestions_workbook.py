"""Suggestions as a spreadsheet: one sheet to mark, one that says how, and a hidden one with what was suggested."""

import json
import re
import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from data_cleaning.errors import BadInput, first_few
from data_cleaning.files.spreadsheet_text import safe_text, unescape_cell
from harness.keywords.sheet_columns import (
    ACCEPT,
    REJECT,
    TEXT,
    Cell,
    Column,
    Sheet,
    SheetRow,
    as_number,
    as_text,
    cells_of,
    columns_for,
)
from harness.keywords.suggestion_json import Origin
from harness.keywords.suggestions import Suggestion

SHEET, ABOUT, EXACT = "suggestions", "about", "exact"
"""The sheet to mark, the one to read, and the hidden one from which edits are told."""

HOW_TO = (
    f"Write {ACCEPT} or {REJECT} into the first column of each row that you have decided; leave the others empty.",
    "In a row that you accept you may change keyword, priority, match and labels: your values go into the table.",
    "Sort, filter, delete rows and add columns as you like, but leave action, line and id as they are.",
    "Then call: python -m harness suggest apply suggestions.xlsx",
    "That writes the table's next revision beside it, never over it; what you reject is not suggested again.",
)
"""The first lines of the sheet to read."""

_NARROWEST, _FILTER_ARROW, _MARGIN = 8, 4, 2  # characters
_CHUNK = 16_000  # characters; a cell holds 32,767, and escaping may not quite double them
_BOLD, _GREY = Font(bold=True), PatternFill("solid", fgColor="FFE7E6E6")
_BROKEN_XML = (SyntaxError, ValueError, TypeError, AttributeError, RuntimeError)
"""What is raised at XML that is cut, or is that of another kind of file, and at a zip file with a password."""
_NO_TEXT = {"f": "a formula", "d": "a date", "e": "an error value"}
# Spreadsheets read "_x0041_" as the letter A, unless the underscore itself is written so.
_CODE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPED_CODE = re.compile("_x005F_(?=x[0-9A-Fa-f]{4}_)")


def write_workbook(path: Path, suggestions: Sequence[Suggestion], origin: Origin, exact: str) -> None:
    """Write the spreadsheet.

    Args:
        path: to write.
        suggestions: a row each, in this order.
        origin: said on the sheet `about`.
        exact: the JSON of both, for the hidden sheet.
    """
    book = Workbook()
    for name in book.sheetnames:
        del book[name]
    columns = columns_for(origin)
    sheet = book.create_sheet(SHEET)
    _fill(sheet, columns, [cells_of(suggestion, columns) for suggestion in suggestions])
    _make_markable(sheet, columns)
    _write_about(book.create_sheet(ABOUT), origin, columns)
    hidden = book.create_sheet(EXACT)
    hidden.sheet_state = "hidden"
    plain = json.dumps(json.loads(exact))  # without what XML cannot hold
    for row, start in enumerate(range(0, len(plain), _CHUNK), start=1):
        _put(hidden.cell(row, 1), plain[start : start + _CHUNK])
    book.save(path)


def read_workbook(path: Path) -> tuple[Sheet, str]:
    """Read a spreadsheet as a person left it.

    Returns:
        The sheet to mark, and the JSON of what was suggested.

    Raises:
        BadInput: it is no XLSX file, or a sheet is missing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about looks that openpyxl does not know
            book = load_workbook(path)
    except (OSError, BadZipFile, zlib.error, EOFError, InvalidFileException, KeyError, *_BROKEN_XML) as error:
        raise BadInput(
            f"{path} is not readable as a spreadsheet ({error}). Save it as .xlsx, without a password."
        ) from None
    missing = [repr(name) for name in (SHEET, EXACT) if name not in book.sheetnames]
    if missing:
        raise BadInput(
            f"{path} has no sheet {first_few(missing)}. Mark the file as it was written; its sheets keep their names."
        )
    chunks = [str(chunk or "") for (chunk,) in book[EXACT].iter_rows(max_col=1, values_only=True)]
    header, *rows = [*book[SHEET].iter_rows()] or [()]
    names = [_text(cell).strip() for cell in header]
    filled = [_row(row, names) for row in rows if any(cell.value is not None for cell in row)]
    return Sheet(header=names, rows=filled), "".join(_ESCAPED_CODE.sub("_", chunk) for chunk in chunks)


def _fill(sheet: Worksheet, columns: Sequence[Column], rows: Sequence[Mapping[str, Cell]]) -> None:
    """Write the header and the rows, each column as wide as its content asks for."""
    top = Alignment(vertical="top", wrap_text=True)
    for position, column in enumerate(columns, start=1):
        head = sheet.cell(1, position)
        _put(head, safe_text(column.name))
        head.font, head.fill = _BOLD, _GREY
        longest = 0
        for number, cells in enumerate(rows, start=2):
            cell = sheet.cell(number, position)
            _put(cell, cells[column.name], column.number_format)
            cell.alignment = top
            longest = max(longest, *map(len, as_text(cells[column.name]).split("\n"))) if column.is_text else longest
        width = max(min(longest, column.widest) + _MARGIN, len(column.name) + _FILTER_ARROW, _NARROWEST)
        sheet.column_dimensions[get_column_letter(position)].width = width


def _make_markable(sheet: Worksheet, columns: Sequence[Column]) -> None:
    """Freeze what names a row, filter every column, and offer the marks."""
    keyword = [column.name for column in columns].index("keyword") + 1
    sheet.freeze_panes = f"{get_column_letter(keyword + 1)}2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{sheet.max_row}"
    marks = DataValidation(type="list", formula1=f'"{ACCEPT},{REJECT}"', allow_blank=True, showErrorMessage=True)
    marks.errorTitle, marks.error = "Unknown mark", f"Choose {ACCEPT} or {REJECT}, or leave the cell empty."
    marks.add(f"A2:A{max(sheet.max_row, 2)}")
    sheet.add_data_validation(marks)


def _write_about(sheet: Worksheet, origin: Origin, columns: Sequence[Column]) -> None:
    """Write how to use the file, where it comes from, and what each column says."""
    facts = {**asdict(origin), "targets": ", ".join(origin.targets)}
    lines: list[tuple[str, str]] = [
        *((str(number), line) for number, line in enumerate(HOW_TO, start=1)),
        ("", ""),
        *facts.items(),
        ("", ""),
        *((column.name, column.meaning) for column in columns),
    ]
    for row, (name, value) in enumerate(lines, start=1):
        _put(sheet.cell(row, 1), safe_text(name))
        _put(sheet.cell(row, 2), safe_text(value))
        sheet.cell(row, 1).font = _BOLD
    sheet.column_dimensions["A"].width = max(len(name) for name, _ in lines) + _MARGIN
    sheet.column_dimensions["B"].width = max(len(value) for _, value in lines) + _MARGIN


def _put(cell: Any, value: Cell, number_format: str = TEXT) -> None:
    """Write a value; text stays text, whatever it looks like."""
    cell.number_format = number_format
    if isinstance(value, str):
        cell.value = _CODE.sub("_x005F_", value) or None
        if value:
            cell.data_type = "s"
    else:
        cell.value = value


def _row(row: Sequence[Any], names: Sequence[str]) -> SheetRow:
    named = [(name, cell) for name, cell in zip(names, row, strict=True) if name]
    return SheetRow(
        line=row[0].row,
        cells={name: _text(cell) for name, cell in named},
        no_text={name: _NO_TEXT[cell.data_type] for name, cell in named if cell.data_type in _NO_TEXT},
    )


def _text(cell: Any) -> str:
    """Return what a cell reads as, whatever a spreadsheet has made of it."""
    if isinstance(cell.value, str):
        return unescape_cell(_ESCAPED_CODE.sub("_", cell.value))
    if isinstance(cell.value, float):
        return as_text(as_number(cell.value))
    return as_text(cell.value)
