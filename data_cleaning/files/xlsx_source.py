"""An XLSX file as a source: the first sheet that is not hidden, with its cells' own values and as text."""

import datetime
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa

from data_cleaning.errors import BadInput
from data_cleaning.files.sources import Batch, Reject, file_identity, readable

BATCH_ROWS = 50_000
_HEADER_ROWS = 100
"""Read at once in search of the header, which is nearly always the first."""
MOST_SHEET_ROWS = 1_048_576
"""Of a sheet by its format; a row number beyond it would be counted up to."""
_MOST_HELD_BYTES = 1 << 30
"""Limit for the parts that are held in memory whole, of which the texts of all cells are the largest."""
_WORKSHEETS = "xl/worksheets/"
_WORKBOOK = "xl/workbook.xml"
_MOST_EXACT_FLOAT = 1e15
_EMPTY = (None, "")

_Cells = tuple[Any, ...]


class XlsxSource:
    """The first visible sheet of an XLSX file; its header is the first row that is not empty."""

    unit = "row"
    resumable = False
    delimiter: str | None = None

    def __init__(self, path: Path, most_bytes: int) -> None:
        """Look into the file and read its header.

        Args:
            path: of the file.
            most_bytes: limit for what all its parts unpack to.

        Raises:
            BadInput: it is broken, encrypted, no XLSX file, beyond the limit, or has no visible sheet or no header.
        """
        self.path = path
        _check_parts(path, most_bytes)
        with _workbook(path) as workbook:
            sheets = workbook.worksheets
            visible = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
            if not visible:
                raise BadInput(f"{path} has no visible sheet; expected one with a header. Unhide it.")
            self._sheet = str(visible[0].title)
            n_rows = visible[0].max_row or 0
            self._header_row, header = _find_header(visible[0], path)
        self.schema = pa.schema([(_text(name) or "", pa.string()) for name in header])
        self.n_rows = max(n_rows - self._header_row, 0)
        self.n_skipped = self._header_row - 1
        several = f"Read sheet {self._sheet!r}, the first visible one of {len(sheets)}."
        self.notes: tuple[str, ...] = (several,) if len(sheets) > 1 else ()

    def identity(self) -> dict[str, Any]:
        """Return what tells whether the file is still the one that was begun."""
        return file_identity(self.path)

    def batches(self, start: Mapping[str, int] | None = None) -> Iterator[Batch]:
        """Read the rows, or those after `start`, the `end` of an earlier batch; the file is read from its beginning.

        Raises:
            BadInput: the file is broken further down.
        """
        last = start["row"] if start else self._header_row
        self.n_skipped = start["skipped"] if start else self._header_row - 1
        n_columns = len(self.schema.names)
        with _workbook(self.path) as workbook:
            numbered = enumerate(_rows(workbook[self._sheet], last + 1), start=last + 1)
            while read := _next_rows(numbered, self.path, BATCH_ROWS):
                cells, rejects, places = [], [], []
                for number, row in read:
                    if _is_empty(row):
                        continue
                    self.n_skipped += number - last - 1
                    last = number
                    if _is_empty(row[n_columns:]):
                        cells.append((*row[:n_columns], *[None] * (n_columns - len(row))))
                        places.append(number)
                    else:
                        rejects.append(_beyond_header(number, row, n_columns))
                if cells or rejects:
                    end = {"row": last, "skipped": self.n_skipped}
                    yield Batch(
                        _as_text(cells, self.schema), tuple(rejects), end, cells, np.array(places, dtype=np.int64)
                    )


@contextmanager
def _workbook(path: Path) -> Iterator[Any]:
    """Open a workbook; whatever openpyxl finds wrong in it, with errors of every kind, becomes bad input."""
    try:
        with readable(path), path.open("rb") as file:
            with _quietly():
                workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            with closing(workbook):
                yield workbook
    except BadInput:
        raise
    except Exception as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise BadInput(f"{path} is not readable as XLSX ({what}). Save it again, or as CSV.") from None


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep openpyxl from warning about looks that it does not know; never around a yield of rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _check_parts(path: Path, most_bytes: int) -> None:
    """Refuse what is no workbook, or too large, by the list of parts; zipfile reads no part beyond what is listed.

    Raises:
        BadInput: saying which of these it is.
    """
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
    if n_bytes > most_bytes:
        raise BadInput(f"{path} unpacks to {n_bytes:,} bytes, beyond the limit of {most_bytes:,}. Save it as CSV.")
    held = max((part for part in parts if not part.filename.startswith(_WORKSHEETS)), key=lambda part: part.file_size)
    if held.file_size > _MOST_HELD_BYTES:
        raise BadInput(
            f"{path}: its part {held.filename} unpacks to {held.file_size:,} bytes, beyond the limit of "
            f"{_MOST_HELD_BYTES:,} for what is held in memory. Save it as CSV."
        )


def _rows(sheet: Any, first: int) -> Iterator[_Cells]:
    """Read a sheet from a row on, whatever size it says it has."""
    sheet.reset_dimensions()
    return iter(sheet.iter_rows(min_row=first, max_row=MOST_SHEET_ROWS + 1, values_only=True))


def _next_rows(numbered: Iterator[tuple[int, _Cells]], path: Path, n_rows: int) -> list[tuple[int, _Cells]]:
    """Read the next `n_rows` rows with their numbers, or those that are left.

    Raises:
        BadInput: one has a number beyond those of a sheet.
    """
    with _quietly():
        read = list(islice(numbered, n_rows))
    if read and read[-1][0] > MOST_SHEET_ROWS:
        raise BadInput(f"{path} has a row beyond {MOST_SHEET_ROWS:,}, the last of a sheet. Save it again, or as CSV.")
    return read


def _find_header(sheet: Any, path: Path) -> tuple[int, _Cells]:
    """Return the first row that is not empty, up to its last cell that is not, and its number.

    Raises:
        BadInput: there is none.
    """
    numbered = enumerate(_rows(sheet, 1), start=1)
    while read := _next_rows(numbered, path, _HEADER_ROWS):
        for number, row in read:
            if not _is_empty(row):
                width = max(position for position, cell in enumerate(row) if cell not in _EMPTY)
                return number, row[: width + 1]
    raise BadInput(f"{path}: sheet {sheet.title!r} is empty; expected a header and at least one row.")


def _is_empty(cells: _Cells) -> bool:
    return all(cell in _EMPTY for cell in cells)


def _beyond_header(number: int, row: _Cells, n_columns: int) -> Reject:
    n_cells = max(position for position, cell in enumerate(row) if cell not in _EMPTY) + 1
    text = "\t".join(_text(cell) or "" for cell in row[:n_cells])
    return Reject(number, f"has {n_cells} fields, expected {n_columns}", text)


def _as_text(cells: Sequence[_Cells], schema: pa.Schema) -> pa.Table:
    columns = ([_text(row[position]) for row in cells] for position in range(len(schema.names)))
    return pa.Table.from_arrays([pa.array(column, pa.string()) for column in columns], schema=schema)


def _text(cell: Any) -> str | None:
    """Write a cell as a CSV file would have it; None for an empty one."""
    if cell in _EMPTY:
        return None
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _MOST_EXACT_FLOAT:
        return str(int(cell))
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()  # a sheet keeps a day as its midnight
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell)
