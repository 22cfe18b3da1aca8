"""An XLSX file as a source: the first sheet that is not hidden, with its cells' own values and as text."""

import datetime
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
from python_calamine import SheetTypeEnum, SheetVisibleEnum, load_workbook

from data_cleaning.errors import BadInput
from data_cleaning.files.sources import Batch, Reject, Source, readable
from data_cleaning.files.table_layout import Layout

BATCH_ROWS = 50_000
MAX_SHEET_ROWS = 1_048_576
"""Of a sheet by its format."""
_MAX_CELLS = 50_000_000
"""From the first to the last that is filled; the library holds each of them, 32 bytes, whether it is empty or not."""
_MAX_HELD_BYTES = 1 << 30
"""Limit for the parts that are held in memory whole, of which the texts of all cells are the largest."""
_WORKSHEETS = "xl/worksheets/"
_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_SCAN_BYTES, _OVERLAP_BYTES = 1 << 22, 1 << 16
_LONGEST_REFERENCE = 11
"""Three letters and eight digits, more than any sheet has."""
_ERROR_CELL = re.compile(rb'<c\b[^>]*\br="([A-Z]+)(\d+)"[^>]*\bt="e"[^>]*>(?:<f\b[^<]*(?:/>|</f>))?<v>([^<]*)</v>')
_MAX_EXACT_FLOAT = 1e15
_EMPTY = (None, "")

_Cells = tuple[Any, ...]


class XlsxSource(Source):
    """The first visible sheet of an XLSX file; its header is the first row that is not empty."""

    def __init__(self, path: Path, max_bytes: int, layout: Layout = Layout()) -> None:
        """Read the sheet into memory, once all parts of the file are known to unpack to `max_bytes` or less.

        Raises:
            BadInput: it is broken, encrypted, no XLSX file, beyond the limit, or has no visible sheet or no header.
        """
        self.path, self.layout = path, layout
        _check_parts(path, max_bytes)
        with _whole(path), load_workbook(str(path)) as workbook:
            sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
            visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
            if not visible:
                raise BadInput(f"{path} has no visible sheet; expected one with a header. Unhide it.")
            self._errors = _scan_sheet(path, visible[0])
            self._sheet = workbook.get_sheet_by_name(visible[0])
        self._header_row, header = self._find_header(visible[0])
        self.schema = pa.schema([(_text(name) or "", pa.string()) for name in header])
        last_row = self._sheet.end[0] + 1 if self._sheet.end else 0
        self.n_rows = max(last_row - self._header_row, 0)
        self.n_skipped = self._header_row - 1
        if len(sheets) > 1:
            self.notes = (f"Read sheet {visible[0]!r}, the first visible one of {len(sheets)}.",)

    def batches(self) -> Iterator[Batch]:
        """Read the rows, from the first to the last."""
        last = self._header_row
        self.n_skipped = last - 1
        n_columns = len(self.schema.names)
        numbered = islice(self._rows(), last, None)
        while read := list(islice(numbered, BATCH_ROWS)):
            cells, rejects, places = [], [], []
            for number, row in read:
                if _is_empty(row):
                    continue
                self.n_skipped += number - last - 1
                last = number
                if all(_is_blank(cell) for cell in row[n_columns:]):
                    cells.append((*row[:n_columns], *[None] * (n_columns - len(row))))
                    places.append(number)
                else:
                    filled = [_text(cell) or "" for cell in _trimmed(row)]
                    reason = f"has {len(filled)} fields, expected {n_columns}"
                    rejects.append(Reject(number, reason, "\t".join(filled)))
            if cells or rejects:
                texts = [pa.array([_text(row[column]) for row in cells], pa.string()) for column in range(n_columns)]
                rows = pa.Table.from_arrays(texts, schema=self.schema)
                yield Batch(rows, tuple(rejects), cells, np.array(places, dtype=np.int64))

    def _rows(self) -> Iterator[tuple[int, _Cells]]:
        for number, row in enumerate(self._sheet.iter_rows(), start=1):
            cells = [_value(cell) for cell in row]
            for column, error in self._errors.get(number, ()):
                cells[column - 1] = error
            yield number, tuple(cells)

    def _find_header(self, sheet: str) -> tuple[int, _Cells]:
        """Return the first row that is not empty, up to its last cell that is not, and its number."""
        for number, row in self._rows():
            if not _is_empty(row):
                return number, _trimmed(row)
        raise BadInput(f"{self.path}: sheet {sheet!r} is empty; expected a header and at least one row.")


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Turn whatever is found wrong in a workbook, with errors of every kind, into bad input."""
    try:
        with readable(path):
            yield
    except BadInput:
        raise
    except BaseException as error:
        # The reader is written in Rust, whose assertions are no `Exception`.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise BadInput(f"{path} is not readable as XLSX ({what}). Save it again, or as CSV.") from None


def _check_parts(path: Path, max_bytes: int) -> None:
    """Refuse what is no workbook, or too large, by the list of parts; zipfile reads no part beyond what is listed."""
    try:
        with readable(path), zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise BadInput(f"{path} is not a whole XLSX file: {error}. Save or fetch it again.") from None
    if not any(part.filename.lower() == _WORKBOOK for part in parts):
        raise BadInput(f"{path} is a zip file, but no XLSX file. Save the table as .xlsx, or unpack the file in it.")
    if any(part.flag_bits & 1 for part in parts):
        raise BadInput(f"{path} is encrypted. Save it without a password.")
    n_bytes = sum(part.file_size for part in parts)
    if n_bytes > max_bytes:
        raise BadInput(f"{path} unpacks to {n_bytes:,} bytes, beyond the limit of {max_bytes:,}. Save it as CSV.")
    held = max((part for part in parts if not part.filename.startswith(_WORKSHEETS)), key=lambda part: part.file_size)
    if held.file_size > _MAX_HELD_BYTES:
        raise BadInput(
            f"{path}: its part {held.filename} unpacks to {held.file_size:,} bytes, beyond the limit of "
            f"{_MAX_HELD_BYTES:,} for what is held in memory. Save it as CSV."
        )


def part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the part of an XLSX file that holds a sheet.

    Raises:
        KeyError: the file has no such sheet, or does not say where it is.
    """
    book, relations = (ElementTree.fromstring(archive.read(part)) for part in (_WORKBOOK, _RELATIONS))
    # The namespace of the attribute is another one in the strict variant of the format.
    sheets = book.iterfind(".//{*}sheet")
    known_by = {one.get("name"): value for one in sheets for key, value in one.items() if key.endswith("}id")}
    targets = {one.get("Id"): one.get("Target") or "" for one in relations}
    target = targets[known_by[sheet]]
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _scan_sheet(path: Path, sheet: str) -> dict[int, list[tuple[int, str]]]:
    """Check the size of a sheet before it is read, and find the errors in it, which the reader takes for empty cells.

    A cell far from the others makes a small file fill any memory, and the size that a sheet states may be wrong.

    Returns:
        Row to the column and text of each error in it, both counted from 1.
    """
    errors: dict[int, list[tuple[int, str]]] = {}
    n_rows = n_columns = 0
    with zipfile.ZipFile(path) as archive, archive.open(part_of(archive, sheet)) as file:
        block = b""
        while read := file.read(_SCAN_BYTES):
            block = block[-_OVERLAP_BYTES:] + read
            rows, columns = _references(block)
            n_rows, n_columns = max(n_rows, rows), max(n_columns, columns)
            if b't="e"' in block:
                for letters, row, error in _ERROR_CELL.findall(block):
                    column = sum((letter - 64) * 26**power for power, letter in enumerate(reversed(letters)))
                    errors.setdefault(int(row), []).append((column, error.decode()))
    if n_rows > MAX_SHEET_ROWS:
        raise BadInput(f"{path} has a row beyond {MAX_SHEET_ROWS:,}, the last of a sheet. Save it again, or as CSV.")
    if n_rows * n_columns > _MAX_CELLS:
        raise BadInput(
            f"{path} has a sheet of {n_rows:,} rows by {n_columns:,} columns, beyond the limit of {_MAX_CELLS:,} "
            "cells. Delete what is far below or beside the table, or save it as CSV."
        )
    return errors


def _references(block: bytes) -> tuple[int, int]:
    """Return the largest row and column among references such as r="B7" or r="7" in the XML of a sheet."""
    letters = np.frombuffer(block + bytes(_LONGEST_REFERENCE + 1), dtype=np.uint8)
    is_quote = (letters == ord('"')) | (letters == ord("'"))
    cursor = np.flatnonzero((letters[:-2] == ord("r")) & (letters[1:-1] == ord("=")) & is_quote[2:]) + 3
    rows = columns = np.zeros(len(cursor), dtype=np.int64)
    for _ in range(3):
        letter = letters[cursor]
        is_letter = (letter >= ord("A")) & (letter <= ord("Z"))
        columns = np.where(is_letter, columns * 26 + letter - 64, columns)
        cursor = cursor + is_letter
    for _ in range(_LONGEST_REFERENCE - 3):
        digit = letters[cursor]
        is_digit = (digit >= ord("0")) & (digit <= ord("9"))
        rows = np.where(is_digit, rows * 10 + digit - 48, rows)
        cursor = cursor + is_digit
    return int(rows.max(initial=0)), int(columns.max(initial=0))


def _value(cell: Any) -> Any:
    """Return a cell as a spreadsheet shows its kind: whole numbers as such, a day as its midnight, None for empty."""
    if cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _MAX_EXACT_FLOAT:
        return int(cell)
    if isinstance(cell, datetime.date) and not isinstance(cell, datetime.datetime):
        return datetime.datetime.combine(cell, datetime.time())
    return cell


def _is_empty(cells: _Cells) -> bool:
    return all(cell in _EMPTY for cell in cells)


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _trimmed(cells: _Cells) -> _Cells:
    """Leave out the empty cells at the end of a row that is not empty."""
    return cells[: max(position for position, cell in enumerate(cells) if cell not in _EMPTY) + 1]


def _text(cell: Any) -> str | None:
    """Write a cell as a CSV file would have it; None for an empty one."""
    if cell in _EMPTY:
        return None
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()  # a sheet keeps a day as its midnight
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell)
