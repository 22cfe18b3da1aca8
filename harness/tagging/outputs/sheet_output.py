"""Rows as a spreadsheet: one sheet, written as a stream, with no going on after an interruption."""

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet._writer import WorksheetWriter

from data_cleaning.errors import BadInput
from harness.tagging.outputs.contract import Finished, Part
from harness.tagging.outputs.parts import SCRATCH, PartsFolder
from harness.tagging.outputs.sheet_cells import SheetCells, rows_of

_MOST_ROWS, _MOST_COLUMNS = 1_048_575, 16_384
"""That a sheet holds below its header, and beside each other."""
_SHEET = "tagged"


class WorkbookOutput:
    """A spreadsheet that is begun anew after an interruption; see `Output`.

    Parts are joined by writing them: one that failed cannot be taken back, so nothing comes after it.
    """

    resumable = False

    def __init__(self, parts: PartsFolder, names: Sequence[str]) -> None:
        """Begin the sheet.

        Args:
            parts: where the further files of parts lie.
            names: of the columns.
        """
        self._parts = parts
        self._n_rows = 0
        self._is_broken = False
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet(_SHEET)
        self._sheet.freeze_panes = "A2"
        # openpyxl would keep the rows, unzipped, wherever the system keeps such files, which may be memory.
        rows = parts.folder / SCRATCH
        self._sheet._writer = _RowsIn(self._sheet, str(rows))
        self._sheet._writer.write_top()
        # A stream that is let go while it is open complains on stderr.
        self._end_sheet = weakref.finalize(self, _end, self._sheet, rows)
        self._cells = SheetCells(self._sheet)
        self._sheet.append([self._head(name) for name in names])

    @property
    def finished(self) -> Sequence[Finished]:
        """Whole parts from the first."""
        return self._parts.finished

    @property
    def n_cut(self) -> int:
        """How many cells had more text than a cell holds, and were cut."""
        return self._cells.n_cut

    @property
    def n_replaced(self) -> int:
        """How many cells had characters that a spreadsheet cannot hold, and got U+FFFD in their place."""
        return self._cells.n_replaced

    @contextmanager
    def part(self) -> Iterator[Part]:
        """Begin the next part."""
        assert not self._is_broken, "a part failed before"
        self._is_broken = True
        with self._parts.adding() as part:
            part.into = self._write
            yield part
            part.into = None
        self._is_broken = False

    @property
    def folder(self) -> Path:
        """Where the parts lie."""
        return self._parts.folder

    def finish(self, ready: Callable[[Path], None] = lambda joined: None) -> None:
        """Zip the sheet."""
        assert not self._is_broken, "a part failed before"
        self._parts.join(self._book.save, ready)

    def discard(self, last: Callable[[], None] = lambda: None) -> None:
        """Remove the parts."""
        self._end_sheet()
        self._parts.discard(last)

    def close(self) -> None:
        """Let another process write the output."""
        self._end_sheet()
        self._parts.close()

    def _write(self, table: pa.Table, cells: Sequence[tuple[Any, ...]] | None) -> None:
        self._n_rows += table.num_rows
        if self._n_rows > _MOST_ROWS:
            raise BadInput(
                f"{self._parts.out} would have more rows than the {_MOST_ROWS:,} that a spreadsheet holds below its "
                "header. Choose an --out that ends in .csv or .parquet."
            )
        for row in rows_of(table, cells):
            self._sheet.append([self._cells.cell(value) for value in row])

    def _head(self, name: str) -> Any:
        text = self._cells.text(name)
        cell = text if isinstance(text, Cell) else WriteOnlyCell(self._sheet, text)
        cell.font = Font(bold=True)
        return cell


class _RowsIn(WorksheetWriter):
    """Keeps the rows in a file that is named, until they are zipped."""

    def cleanup(self) -> None:
        """Remove the file."""
        Path(str(self.out)).unlink()


def _end(sheet: WriteOnlyWorksheet, rows: Path) -> None:
    """End the stream of a sheet, whole or not, and remove what it has written."""
    with suppress(OSError, ValueError):  # the disk is full, or a row failed
        if not sheet.closed:
            sheet.close()
    rows.unlink(missing_ok=True)


def check_width(n_columns: int, out: Path) -> None:
    """Refuse more columns than a sheet holds.

    Raises:
        BadInput: saying so.
    """
    if n_columns > _MOST_COLUMNS:
        raise BadInput(
            f"{out} would have {n_columns:,} columns; a spreadsheet holds {_MOST_COLUMNS:,}. Choose an --out that ends "
            "in .csv or .parquet."
        )
