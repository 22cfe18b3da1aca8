"""An XLSX file as a source: the sheet with the table, with its cells' own values and as text."""

import datetime
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
from python_calamine import SheetTypeEnum, SheetVisibleEnum, load_workbook

from data_cleaning.errors import BadInput, counted, first_few, unknown
from data_cleaning.files.merged_cells import filled_down
from data_cleaning.files.not_records import Sifter
from data_cleaning.files.number_formats import RowFormats, SheetFormats, column_number
from data_cleaning.files.sources import MAX_BYTES, Batch, Reject, Source, readable
from data_cleaning.files.table_layout import (
    ALL_SHEETS,
    ROWS_LOOKED_AT,
    Header,
    HeadRow,
    Layout,
    check_width,
    find_header,
)

BATCH_ROWS = 50_000
MAX_SHEET_ROWS, MAX_SHEET_COLUMNS = 1_048_576, 16_384
"""Of a sheet by its format."""
_MAX_CELLS = 50_000_000
"""From the first to the last that is filled; the library holds each of them, 32 bytes, whether it is empty or not."""
_MAX_CELLS_LOOKED_AT = 200_000
"""For the header."""
_MAX_HELD_BYTES = 1 << 30
"""Limit for the parts that are held in memory whole, of which the texts of all cells are the largest."""
_MAX_STYLES_BYTES = 1 << 26
"""Several times what 65,490 formats, the most that a spreadsheet program keeps, take."""
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


@dataclass
class _Sheet:
    """A sheet in memory, and the table in it."""

    name: str
    rows: Any
    """The library's own, whose errors look like empty cells."""
    errors: dict[int, list[tuple[int, str]]]
    formats: RowFormats
    header: Header
    """Its names are without the empty ones at the end."""

    @property
    def n_above(self) -> int:
        """Rows down to the last of the header."""
        return self.header.rows[-1].place

    @property
    def n_rows(self) -> int:
        """Rows below the header, empty ones among them."""
        return max((self.rows.end[0] + 1 if self.rows.end else 0) - self.n_above, 0)

    def numbered(self) -> Iterator[tuple[int, _Cells]]:
        for number, row in _numbered(self.rows, self.errors):
            yield number, self.formats.applied(number, row)


class XlsxSource(Source):
    """One sheet of an XLSX file, or several with the same columns."""

    def __init__(self, path: Path, max_bytes: int, layout: Layout = Layout()) -> None:
        """Read the sheets into memory, once all parts of the file are known to unpack to `max_bytes` or less.

        Raises:
            BadInput: it is broken, encrypted, no XLSX file, beyond the limit, or has no visible sheet, no such sheet or
                no header.
        """
        self.path, self.layout = path, layout
        _check_parts(path, max_bytes)
        with _whole(path), load_workbook(str(path)) as workbook:
            sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
            names = [sheet.name for sheet in sheets]
            visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
            asked = None if layout.sheet in (None, ALL_SHEETS) else layout.sheet
            if asked is not None and asked not in names:
                raise BadInput(f"{path}: {unknown('sheet', asked, names)}")
            if not visible and asked is None:
                raise BadInput(f"{path} has no visible sheet; expected one with a header. Unhide it.")
            self._sheets, same = self._choose(workbook, visible if asked is None else [asked])
        if len(sheets) > 1:
            self.notes = (_sheets_said([sheet.name for sheet in self._sheets], same, names, visible),)
        several = len(self._sheets) > 1
        for sheet in self._sheets:
            self.notes += tuple(f"{sheet.name!r}: {note}" if several else note for note in sheet.header.notes)
        self.schema = pa.schema([(name, pa.string()) for name in self._sheets[0].header.names])
        self.n_rows = sum(sheet.n_rows for sheet in self._sheets)
        self.n_skipped = self._n_empty_above()

    def _read(self) -> Iterator[Batch]:
        self.n_skipped, self.left_out = self._n_empty_above(), ()
        several = len(self._sheets) > 1
        names, n_columns = self.schema.names, len(self.schema.names)
        for sheet in self._sheets:
            own = sheet.header.names
            order = [own.index(name) for name in names] if sheet is not self._sheets[0] else range(n_columns)
            rows = ([*row.cells, *[""] * n_columns] for row in sheet.header.rows)
            sifter = Sifter([names, *([row[at] for at in order] for row in rows)], self.unit, "\t", is_sheet=True)
            yield from sifter.sift(self._batches(sheet, order, f"of sheet {sheet.name!r} " if several else ""))
            self.left_out += tuple(f"{sheet.name!r}: {said}" if several else said for said in sifter.said)

    def _batches(self, sheet: _Sheet, order: Sequence[int], where: str) -> Iterator[Batch]:
        last = sheet.n_above
        n_columns = len(self.schema.names)
        numbered = filled_down(islice(sheet.numbered(), last, None), sheet.rows.merged_cell_ranges or ())
        while read := list(islice(numbered, BATCH_ROWS)):
            cells, rejects, places = [], [], []
            for number, row in read:
                if _is_empty(row):
                    continue
                self.n_skipped += number - last - 1
                last = number
                if all(_is_blank(cell) for cell in row[n_columns:]):
                    padded = (*row[:n_columns], *[None] * (n_columns - len(row)))
                    cells.append(tuple(padded[at] for at in order))
                    places.append(number)
                else:
                    filled = [_text(cell) or "" for cell in _trimmed(row)]
                    reason = f"{where}has {len(filled)} fields, expected {n_columns}"
                    rejects.append(Reject(number, reason, "\t".join(filled)))
            if cells or rejects:
                texts = [pa.array([_text(row[column]) for row in cells], pa.string()) for column in range(n_columns)]
                rows = pa.Table.from_arrays(texts, schema=self.schema)
                yield Batch(rows, tuple(rejects), cells, np.array(places, dtype=np.int64))

    def _n_empty_above(self) -> int:
        heads = [sheet.header.rows[0].place for sheet in self._sheets]
        return sum(
            _is_empty(row)
            for sheet, head in zip(self._sheets, heads, strict=True)
            for _, row in islice(sheet.numbered(), head - 1)
        )

    def _choose(self, workbook: Any, names: Sequence[str]) -> tuple[list[_Sheet], dict[str, int]]:
        """Return the sheets to read, and the names of others with the same columns to their numbers of rows.

        The first sheet that names a column of titles is read; without one the first, unless it is a mere text.
        """
        chosen: list[_Sheet] = []
        same: dict[str, int] = {}
        refused: BadInput | None = None
        for name in names:
            try:
                sheet = self._open(workbook, name)
            except BadInput as error:
                refused = refused or error
                continue
            if not chosen or _is_better(sheet.header, chosen[0].header):
                chosen, same = [sheet], {}
            elif sorted(sheet.header.names) == sorted(chosen[0].header.names):
                if self.layout.sheet == ALL_SHEETS:
                    chosen.append(sheet)
                else:
                    same[name] = sheet.n_rows
        if not chosen:
            assert refused is not None, "there is at least one sheet"
            raise refused
        return chosen, same

    def _open(self, workbook: Any, name: str) -> _Sheet:
        """Read a sheet and find its header.

        Raises:
            BadInput: it is empty, too large or too wide, or has no header where it was asked for.
        """
        errors, formats = _scan_sheet(self.path, name)
        rows = workbook.get_sheet_by_name(name)
        asked = self.layout.header_row
        head: list[HeadRow] = []
        n_cells = 0
        for number, row in islice(_numbered(rows, errors), (asked or 1) - 1, None):
            if not _is_empty(row):
                head.append(HeadRow(number, tuple(_text(cell) or "" for cell in row)))
                n_cells += len(row)
            if len(head) == ROWS_LOOKED_AT or n_cells > _MAX_CELLS_LOOKED_AT or (asked == number and not head):
                break
        if not head:
            if asked is not None:
                raise BadInput(f"{self.path}: sheet {name!r} has no header in row {asked}. Check --header-row.")
            raise BadInput(f"{self.path}: sheet {name!r} is empty; expected a header and at least one row.")
        header = find_header(head, "row", asked=asked is not None)
        width = max(position for position, text in enumerate(header.names, start=1) if text)
        check_width(self.path, width)
        return _Sheet(name, rows, errors, formats, replace(header, names=header.names[:width]))


def has_sheet(path: Path, name: str) -> bool:
    """Say whether a file is a workbook that has a sheet of this name.

    Raises:
        BadInput: it is packed, but no whole workbook, or beyond the limit.
    """
    if not (path.is_file() and zipfile.is_zipfile(path)):  # a pipe would be waited for
        return False
    _check_parts(path, MAX_BYTES)
    with _whole(path), load_workbook(str(path)) as workbook:
        return name in workbook.sheet_names


def _is_better(header: Header, first: Header) -> bool:
    """Say whether the table of a sheet is surely meant rather than that of a sheet before it."""
    if header.evidence == first.evidence:
        return False
    return header.evidence == 2 or (header.evidence > first.evidence and len(first.names) == 1)


def _sheets_said(chosen: Sequence[str], same: dict[str, int], names: Sequence[str], visible: Sequence[str]) -> str:
    """Say which of several sheets are read."""
    said = f"Read sheet{'s' * (len(chosen) > 1)} {first_few(map(repr, chosen))} of {len(names)}."
    if same:
        listed = first_few(f"{name!r} ({counted(n_rows, 'row')} below its header)" for name, n_rows in same.items())
        said += f" Not read, though with the same columns: {listed}; --sheet all reads all of these."
    others = [name for name in names if name not in (*chosen, *same)]
    if others:
        said += " Not read: " + first_few(repr(name) + " (hidden)" * (name not in visible) for name in others) + "."
    return said


def _numbered(rows: Any, errors: dict[int, list[tuple[int, str]]]) -> Iterator[tuple[int, _Cells]]:
    for number, row in enumerate(rows.iter_rows(), start=1):
        cells = [_value(cell) for cell in row]
        for column, error in errors.get(number, ()):
            cells[column - 1] = error
        yield number, tuple(cells)


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Turn whatever is found wrong in a workbook, with errors of every kind, into bad input."""
    try:
        with readable(path):
            yield
    except (BadInput, MemoryError):
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
    for part in parts:
        is_styles = part.filename.lower().endswith("styles.xml")
        limit = _MAX_STYLES_BYTES if is_styles else _MAX_HELD_BYTES
        if not part.filename.startswith(_WORKSHEETS) and part.file_size > limit:
            raise BadInput(
                f"{path}: its part {part.filename} unpacks to {part.file_size:,} bytes, beyond the limit of "
                f"{limit:,} for what is held in memory. Save it as CSV."
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


def _scan_sheet(path: Path, sheet: str) -> tuple[dict[int, list[tuple[int, str]]], RowFormats]:
    """Check the size of a sheet before it is read, and find what the reader does not tell: errors and formats.

    A cell far from the others makes a small file fill any memory, and the size that a sheet states may be wrong.

    Returns:
        Row to the column and text of each error in it, which the reader takes for an empty cell, both counted from 1;
        and how numbers are shown.
    """
    errors: dict[int, list[tuple[int, str]]] = {}
    n_rows = n_columns = 0
    with zipfile.ZipFile(path) as archive, archive.open(part_of(archive, sheet)) as file:
        block = b""
        formats = SheetFormats(archive)
        while read := file.read(_SCAN_BYTES):
            block = block[-_OVERLAP_BYTES:] + read
            rows, columns = _references(block)
            n_rows, n_columns = max(n_rows, rows), max(n_columns, columns)
            formats.add(block)
            if b't="e"' in block:
                for letters, row, error in _ERROR_CELL.findall(block):
                    errors.setdefault(int(row), []).append((column_number(letters), error.decode()))
    if n_rows > MAX_SHEET_ROWS:
        raise BadInput(f"{path} has a row beyond {MAX_SHEET_ROWS:,}, the last of a sheet. Save it again, or as CSV.")
    if n_rows * n_columns > _MAX_CELLS:
        raise BadInput(
            f"{path} has a sheet of {n_rows:,} rows by {n_columns:,} columns, beyond the limit of {_MAX_CELLS:,} "
            "cells. Delete what is far below or beside the table, or save it as CSV."
        )
    return errors, formats.by_row()


def _references(block: bytes) -> tuple[int, int]:
    """Return the largest row and column among references such as r="B7" or r="7" in the XML of a sheet."""
    letters = np.frombuffer(block + bytes(_LONGEST_REFERENCE + 5), dtype=np.uint8)
    is_quote = (letters == ord('"')) | (letters == ord("'"))
    cursor = np.flatnonzero((letters[:-2] == ord("r")) & (letters[1:-1] == ord("=")) & is_quote[2:]) + 3
    rows = columns = np.zeros(len(cursor), dtype=np.int64)
    for _ in range(7):  # the reader takes more letters than the three of the last column
        letter = letters[cursor]
        is_letter = (letter >= ord("A")) & (letter <= ord("Z"))
        columns = np.where(is_letter, columns * 26 + letter - 64, columns)
        cursor = cursor + is_letter
    for _ in range(_LONGEST_REFERENCE - 3):
        digit = letters[cursor]
        is_digit = (digit >= ord("0")) & (digit <= ord("9"))
        rows = np.where(is_digit, rows * 10 + digit - 48, rows)
        cursor = cursor + is_digit
    columns = np.where((columns > MAX_SHEET_COLUMNS) & (rows == 0), 0, columns)  # a word in a text
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
