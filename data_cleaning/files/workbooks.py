"""The one writer of XLSX files: sheets of rows, written from the top down in memory that does not grow with them."""

import io
import math
import re
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from data_cleaning.files.spreadsheet_text import escape_cell, replace_unwritable
from data_cleaning.files.whole_files import ROWS, place_to_fill

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
"""Of a sheet, the header included."""

MAX_CHARACTERS = 32_767
"""UTF-16 units that a cell holds; a character beyond the first 65,536 of Unicode counts twice."""

MAX_LEVEL = 7
"""Depth of rows that can be folded."""

LINE_POINTS = 15
"""Height of a row with one line of text."""

_LONGEST_LIST = 255
"""Characters of the values to choose from, with a comma between two of them, that a rule holds by itself."""

_CHOICES = "choices"
"""The hidden sheet with longer lists."""

_MAX_DIGITS = 15
"""Digits that a spreadsheet keeps of a number."""

_FIRST_YEAR = 1900
_CREATED = datetime(2000, 1, 1)
"""Said by every file, so that equal content gives equal bytes."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a cell looks."""

    number_format: str | int = "General"
    """"@" shows text as text whatever it looks like; a number names a format that every spreadsheet knows."""
    bold: bool = False
    size: int = 11
    color: str | None = None
    """Of the text, such as "#808080"."""
    fill: str | None = None
    """Of the background."""
    wrapped: bool = False
    """Whether long text continues on the next line of the cell, starting at its top."""


PLAIN, BOLD = Style(), Style(bold=True)

_AS_TEXT = Style(number_format="@")
_WITHIN_CODE = re.compile("(?<=_x)(?=[0-9A-Fa-f]{4}_)")
_SHARED_UNDERSCORE = re.compile("_x[0-9A-Fa-f]{4}_x[0-9A-Fa-f]{4}_")

_NUMBER_FORMATS = {
    datetime: "yyyy-mm-dd h:mm:ss",
    date: "yyyy-mm-dd",
    time: "h:mm:ss",
    timedelta: "[hh]:mm:ss",
}


class _Output(io.FileIO):
    """The file of a workbook, which drops what comes after a write that failed.

    A `ZipFile` that could not be closed tries it again when it is collected, and Python would print that this fails.
    """

    _has_failed = False

    def write(self, data: Any) -> int:
        left = memoryview(data).cast("B")
        while len(left) and not self._has_failed:
            try:
                left = left[super().write(left) :]
            except OSError:
                self._has_failed = True
                raise
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0 if self._has_failed else super().seek(offset, whence)

    def tell(self) -> int:
        return 0 if self._has_failed else super().tell()

    def flush(self) -> None:
        if not self._has_failed:
            super().flush()


class Workbook(AbstractContextManager["Workbook"]):
    """An XLSX file; it is written when the `with` block ends without an error, and not at all otherwise.

    Text is stored as text and never as a formula; it is also escaped as `escape_cell` does, since it would become one
    when the cell is typed again or the sheet saved as CSV. What a cell cannot hold is cut or replaced, and
    counted. Equal content gives equal bytes.
    """

    def __init__(self, path: Path, scratch: Path | None = None) -> None:
        """Begin a workbook; rows wait in the folder `scratch`, or the system's own, until they are zipped."""
        self.n_cut = 0
        """Cells with more text than a cell holds."""
        self.n_replaced = 0
        """Cells with characters that XML cannot hold, which became U+FFFD."""
        self.n_escaped = 0
        """Cells that would be formulas once they are typed again or saved as CSV, which got an apostrophe."""
        self._waiting = tempfile.TemporaryDirectory(dir=scratch, prefix=place_to_fill(Path(ROWS)).name)
        self._path = path
        self._book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": self._waiting.name})
        self._book.set_properties({"created": _CREATED})
        self._book.use_zip64()
        self._formats: dict[Style, Any] = {}
        self._choices: Sheet | None = None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                with _Output(self._path, "w") as self._book.filename:
                    self._book.close()
        finally:
            for sheet in self._book.worksheets():
                with suppress(OSError):  # a full disk, which was said already
                    sheet.row_data_fh.close()
            self._waiting.cleanup()

    def sheet(self, name: str, *, hidden: bool = False, escaped: bool = True) -> "Sheet":
        """Add a sheet after the others; one whose text is not `escaped` holds what programs read back exactly.

        The name has at most 31 characters, none of which is a bracket, colon, slash, asterisk or question mark.
        """
        sheet = self._book.add_worksheet(name)
        if hidden:
            sheet.hide()
        return Sheet(self, sheet, escaped=escaped)

    def look(self, style: Style) -> Any:
        """Return a style as XlsxWriter has it; None for the plain one."""
        if style == PLAIN:
            return None
        if style not in self._formats:
            asked = {"num_format": style.number_format, "bold": style.bold, "font_size": style.size}
            asked |= {"text_wrap": True, "valign": "top"} if style.wrapped else {}
            asked |= {"font_color": style.color} if style.color else {}
            asked |= {"bg_color": style.fill} if style.fill else {}
            self._formats[style] = self._book.add_format(asked)
        return self._formats[style]

    def listed(self, values: Sequence[str]) -> list[str] | str:
        """Return values to choose from as a rule can hold them: by themselves, or else on a hidden sheet."""
        if len(",".join(values)) <= _LONGEST_LIST and not any("," in value for value in values):
            return list(values)
        if self._choices is None:
            self._choices = self.sheet(_CHOICES, hidden=True, escaped=False)
        self._choices.row(values)
        row = self._choices.n_rows - 1
        last = xl_rowcol_to_cell(row, len(values) - 1, row_abs=True, col_abs=True)
        return f"={_CHOICES}!{xl_rowcol_to_cell(row, 0, row_abs=True, col_abs=True)}:{last}"

    def text(self, text: str, *, escaped: bool) -> str:
        """Return a text as a cell holds it, and count it where that is not all of it."""
        held = replace_unwritable(text)
        self.n_replaced += held != text
        safe = escape_cell(held) if escaped else held
        self.n_escaped += safe != held
        whole = safe.replace("\r\n", "\n").replace("\r", "\n")  # XML knows one end of a line
        shown = _cut(whole)
        self.n_cut += len(shown) < len(whole)
        return shown


class Sheet:
    """A sheet of a workbook, filled row by row."""

    def __init__(self, book: Workbook, sheet: Any, *, escaped: bool) -> None:
        self.n_rows = 0
        """Rows so far, the header included."""
        self._book = book
        self._sheet = sheet
        self._escaped = escaped

    def row(
        self,
        values: Sequence[Any],
        styles: Style | Sequence[Style] = PLAIN,
        *,
        height: float | None = None,
        level: int = 0,
        merged_to: int | None = None,
    ) -> None:
        """Write the next row.

        Args:
            values: of its cells: Python's text, numbers, truth values, dates and times; None and "" leave a cell empty,
                and whatever a spreadsheet would not keep as it is becomes text.
            styles: of all cells, or of each.
            height: in points; None leaves it to the spreadsheet.
            level: how deep the row is in an outline; it can be folded into the last row that is less deep.
            merged_to: position of the last column into which the last value extends; None merges nothing.
        """
        number = self.n_rows
        self.n_rows += 1
        if height is not None or level:
            self._sheet.set_row(number, height, None, {"level": min(level, MAX_LEVEL)})
        if merged_to is not None and merged_to >= len(values):
            last = styles if isinstance(styles, Style) else styles[len(values) - 1]
            self._sheet.merge_range(number, len(values) - 1, number, merged_to, "", self._book.look(last))
        if isinstance(styles, Style):
            look = self._book.look(styles)
            for column, value in enumerate(values):
                self._cell(number, column, value, styles, look)
        else:
            for column, (value, style) in enumerate(zip(values, styles, strict=True)):
                self._cell(number, column, value, style, self._book.look(style))

    def widths(self, characters: Sequence[float]) -> None:
        """Set the width of the first columns."""
        for position, width in enumerate(characters):
            self._sheet.set_column(position, position, width)

    def freeze(self, rows: int, columns: int = 0) -> None:
        """Keep the first rows and columns in view."""
        self._sheet.freeze_panes(rows, columns)

    def filter(self, n_columns: int) -> None:
        """Offer filters in the header, over all rows so far."""
        self._sheet.autofilter(0, 0, max(self.n_rows - 1, 1), n_columns - 1)

    def choices(self, column: int, values: Sequence[str], title: str, message: str) -> None:
        """Offer a list of values in a column, over all rows below the header so far.

        Another value is refused with the title and the message; a cell may be left empty too.
        """
        source = self._book.listed(values)
        rule = {"validate": "list", "source": source, "error_title": title, "error_message": message}
        self._sheet.data_validation(1, column, max(self.n_rows - 1, 1), column, rule)

    def bars(self, column: int, color: str) -> None:
        """Draw the shares of a column, from 0 to 1, as bars in their cells, over all rows so far."""
        ends = {"min_type": "num", "min_value": 0, "max_type": "num", "max_value": 1}
        rule = {"type": "data_bar", "bar_color": color, **ends}
        self._sheet.conditional_format(1, column, max(self.n_rows - 1, 1), column, rule)

    def fold_upwards(self) -> None:
        """Fold rows of a deeper level into the row above them, not into the one below."""
        self._sheet.outline_settings(True, False, True, False)

    def print_across(self, *, header: bool) -> None:
        """Print across, all columns on one page; `header` repeats the first row on each."""
        self._sheet.set_landscape()
        self._sheet.fit_to_pages(1, 0)
        if header:
            self._sheet.repeat_rows(0)

    def hide_grid(self) -> None:
        """Show and print no lines between the cells."""
        self._sheet.hide_gridlines(2)

    def _cell(self, row: int, column: int, value: Any, style: Style, look: Any) -> None:
        if (number_format := getattr(value, "number_format", None)) and style.number_format == PLAIN.number_format:
            style = replace(style, number_format=number_format)
            look = self._book.look(style)
        if isinstance(value, str):
            self._text(row, column, value, look)
        elif value is None:
            if look is not None:
                self._sheet.write_blank(row, column, None, look)
        elif isinstance(value, bool):
            self._sheet.write_boolean(row, column, value, look)
        elif isinstance(value, int | float | Decimal):
            if _fits(value):
                self._sheet.write_number(row, column, float(value) if isinstance(value, Decimal) else value, look)
            else:
                self._text(row, column, str(value).replace("nan", "NaN"), look)
        elif isinstance(value, date | time | timedelta) and _is_known(value):
            if style.number_format == PLAIN.number_format:
                look = self._book.look(replace(style, number_format=_NUMBER_FORMATS[type(value)]))
            self._sheet.write_datetime(row, column, value, look)
        else:
            self._text(row, column, value.isoformat() if isinstance(value, date | time) else str(value), look)

    def _text(self, row: int, column: int, value: str, look: Any) -> None:
        text = self._book.text(value, escaped=self._escaped)
        pieces = _pieces(text)
        if len(pieces) > 1:
            face = look or self._book.look(_AS_TEXT)
            fragments = [fragment for piece in pieces for fragment in (face, piece)]
            self._sheet.write_rich_string(row, column, *fragments, *([look] if look else []))
        elif text:
            self._sheet.write_string(row, column, text, look)
        elif look is not None:
            self._sheet.write_blank(row, column, None, look)


def _pieces(text: str) -> list[str]:
    """Return a text as one piece, or in several where XlsxWriter would take it for something else.

    It takes "<r>…</r>" for XML of its own, and of two codes such as "_x0041_" that share an underscore it escapes one.
    A code that is in two pieces is none.
    """
    is_taken = text.startswith("<r>") and text.endswith("</r>")
    if not is_taken and not ("_x" in text and _SHARED_UNDERSCORE.search(text)):
        return [text]
    first, *others = _WITHIN_CODE.split(text)
    return [first[0], first[1:], *others]


def _fits(number: int | float | Decimal) -> bool:
    """Say whether a spreadsheet keeps a number; of floats it keeps 15 or 16 digits, which is taken as enough."""
    if isinstance(number, float):
        return math.isfinite(number)
    if isinstance(number, Decimal):
        return number.is_finite() and len(number.normalize().as_tuple().digits) <= _MAX_DIGITS
    return abs(number) < 10**_MAX_DIGITS


def _is_known(value: date | time | timedelta) -> bool:
    """Say whether a spreadsheet knows a date or time: it has no zones, and no days before its first."""
    if isinstance(value, datetime | time) and value.tzinfo is not None:
        return False
    return not isinstance(value, date) or value.year >= _FIRST_YEAR


def _cut(text: str) -> str:
    if len(text) <= MAX_CHARACTERS // 2:
        return text
    return text.encode("utf-16-le")[: 2 * MAX_CHARACTERS].decode("utf-16-le", errors="ignore")
