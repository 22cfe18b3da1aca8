"""How a spreadsheet shows its numbers, dates and times, kept with each of them: 000123, 31/12/2026, 12%."""

import re
import zipfile
from datetime import datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree

import numpy as np

_STYLES = "xl/styles.xml"
_MAX_STYLES_BYTES = 1 << 24
"""Beyond this, some 100,000 formats, how numbers are shown is not kept."""
_LONGEST_FORMAT = 255
"""Characters, as a spreadsheet allows."""
_GENERAL, _TEXT, _FIRST_OWN = 0, 49, 164
"""Numbers of formats: the one without a format, the one of text, and the first that a file defines."""
_NUMBER_CELL = re.compile(rb'<c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})" s="(\d{1,6})"(?: t="n")?>')
"""A cell that holds a number or a date; the attributes come in this order in the files of every program we met."""
_ZEROS = re.compile("0+")


class _Shown:
    number_format: str | int
    """As in a cell of a spreadsheet, or the number of one that every spreadsheet knows."""


class ShownInt(int, _Shown):
    """A whole number and its format; one such as "000000" makes its text as long."""

    def __str__(self) -> str:
        """Return the digits, with zeros before them where the format is nothing but zeros."""
        is_padded = isinstance(self.number_format, str) and _ZEROS.fullmatch(self.number_format)
        return f"{int(self):0{len(self.number_format)}d}" if is_padded and self >= 0 else int.__str__(self)  # type: ignore[arg-type]


class ShownFloat(float, _Shown):
    """A number and its format."""


class ShownDateTime(datetime, _Shown):
    """A day or a moment and its format."""


class ShownTime(time, _Shown):
    """A time of the day and its format."""


class ShownDuration(timedelta, _Shown):
    """A duration and its format."""


def with_format(value: Any, number_format: str | int) -> Any:
    """Return an equal value that knows its format; text, truth values and empty cells stay as they are."""
    kept: Any
    if type(value) is int:
        kept = ShownInt(value)
    elif type(value) is float:
        kept = ShownFloat(value)
    elif type(value) is datetime:
        kept = ShownDateTime.combine(value.date(), value.time())
    elif type(value) is time:
        kept = ShownTime(value.hour, value.minute, value.second, value.microsecond)
    elif type(value) is timedelta:
        kept = ShownDuration(value.days, value.seconds, value.microseconds)
    else:
        return value
    kept.number_format = number_format
    return kept


class SheetFormats:
    """The formats of the numbers of one sheet, found in its XML piece by piece."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Read the formats that the workbook of an XLSX file defines."""
        self._formats = _cell_formats(archive)
        self._found: list[np.ndarray[Any, Any]] = []  # each (3, n_cells): row, column, style

    def add(self, block: bytes) -> None:
        """Look for cells in a piece of the sheet's XML; pieces may overlap."""
        if not self._formats:
            return
        cells = _NUMBER_CELL.findall(block)
        if cells:
            letters, rows, styles = (np.array(part) for part in zip(*cells, strict=True))
            styles = styles.astype(np.int32)
            kept = np.isin(styles, list(self._formats))
            names, name_of_cell = np.unique(letters[kept], return_inverse=True)  # of the few columns
            columns = np.array([column_number(name) for name in names.tolist()], dtype=np.int32)
            self._found.append(np.stack([rows[kept].astype(np.int32), columns[name_of_cell], styles[kept]]))

    def by_row(self) -> "RowFormats":
        """Return what was found."""
        found = np.concatenate(self._found, axis=1) if self._found else np.empty((3, 0), dtype=np.int32)
        return RowFormats(found[:, np.argsort(found[0], kind="stable")], self._formats)


class RowFormats:
    """The formats of the cells of each row."""

    def __init__(self, cells: "np.ndarray[Any, Any]", formats: dict[int, str | int]) -> None:
        """Take the row, column and style of cells, both counted from 1 and sorted by row, (3, n_cells)."""
        rows, self._columns, self._styles = cells
        self._starts = np.searchsorted(rows, np.arange(int(rows.max(initial=0)) + 2, dtype=rows.dtype)).tolist()
        self._formats = formats

    def applied(self, row: int, cells: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the values of a row with the formats of its cells."""
        if row + 1 >= len(self._starts):
            return cells
        values = list(cells)
        start, stop = self._starts[row], self._starts[row + 1]
        for column, style in zip(self._columns[start:stop].tolist(), self._styles[start:stop].tolist(), strict=True):
            if column <= len(values):
                values[column - 1] = with_format(values[column - 1], self._formats[style])
        return tuple(values)


def column_number(letters: bytes) -> int:
    """Return the number of a column from its letters: A is 1, AA is 27."""
    return sum((letter - 64) * 26**power for power, letter in enumerate(reversed(letters)))


def _cell_formats(archive: zipfile.ZipFile) -> dict[int, str | int]:
    """Return the format of each style of cells that has one."""
    if _STYLES not in archive.namelist() or archive.getinfo(_STYLES).file_size > _MAX_STYLES_BYTES:
        return {}
    styles = ElementTree.fromstring(archive.read(_STYLES))
    own = {one.get("numFmtId"): one.get("formatCode") or "" for one in styles.iterfind("{*}numFmts/{*}numFmt")}
    formats: dict[int, str | int] = {}
    for number, style in enumerate(styles.iterfind("{*}cellXfs/{*}xf")):
        known = style.get("numFmtId", "0")
        code = own.get(known)
        if code is None and known.isdecimal() and _GENERAL < int(known) < _FIRST_OWN and int(known) != _TEXT:
            formats[number] = int(known)
        elif code and code.lower() not in ("general", "@") and len(code) <= _LONGEST_FORMAT:
            formats[number] = code
    return formats
