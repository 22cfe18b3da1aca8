"""The summary and the follow-up list as one spreadsheet, for people who do not know how it came about."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from harness.tagging.business.follow_up import ADDED
from harness.tagging.business.names import sheet_names
from harness.tagging.business.sheet import (
    ALERT,
    ANY,
    BOLD,
    FAINT,
    LINE_POINTS,
    MOST_ROWS,
    PLAIN,
    SHARE,
    TEXT,
    TITLE,
    WHOLE,
    Look,
    header_cell,
    n_lines,
    put,
    set_for_print,
    write_sheet,
)
from harness.tagging.business.summary import Summary

_OVERVIEW_WIDTHS = (26, 46, 13, 13, 13)  # characters

_HIERARCHY = (
    "A row per node of the hierarchy, with everything below it. A record is counted at the last node on the way down "
    "that the system is sure of; the rows right under a node add up to it. All shares are of all records. Rows can be "
    "folded at the left."
)
_BY = (
    "A row per value of the column. Its share is of all records; the share of a group, such as ideal customers, is of "
    "the row's own records. In each row the bands add up to its records, and so do the nodes of the first level, both "
    "with those not sure and those without a title."
)
_CROSSWALK = (
    "The labels that records have now, and the leaf of the hierarchy that these lead to. Shares are of the records "
    "with a title. In red: why labels cannot all be right. Sure of the leaf are those records that are counted at it."
)
_FOLLOW_UP = (
    "Whom to follow up, the best first: by rank, then the higher band, the surer place in the hierarchy, and the order "
    "of the file. A row is an attendee as the file has it; whoever stands there twice does so here."
)


@dataclass(frozen=True)
class FollowUpList:
    """Who is to be followed up, the best first."""

    frame: pl.DataFrame
    header: Sequence[str]
    """Name of each column of the frame; two may be equal."""
    n_relevant: int
    """Records that have a rank, on the list or not."""


@dataclass(frozen=True)
class _Table:
    name: str
    about: str
    frame: pl.DataFrame
    header: Sequence[str]
    look: Look


def write_workbook(path: Path, summary: Summary, follow_up: FollowUpList | None, facts: Mapping[str, Any]) -> None:
    """Write the workbook: an overview to read, and a sheet per table.

    Args:
        path: to write.
        summary: of the tagged file.
        follow_up: None where the hierarchy does not say whom to follow up.
        facts: what the file was tagged with, said at the end of the overview.
    """
    tables = [*_tables(summary)]
    if follow_up is not None:
        formats = [TEXT if dtype == pl.String else ANY for dtype in follow_up.frame.dtypes]
        look = Look(formats=formats, frozen_columns=len(ADDED))
        tables.append(_Table("Follow-up", _FOLLOW_UP, follow_up.frame, follow_up.header, look))
    first, *names = sheet_names(["Overview", *(table.name for table in tables)])
    book = Workbook(write_only=True)
    _Overview(book.create_sheet(first)).write(summary, dict(zip(names, tables, strict=True)), follow_up, facts)
    for name, table in zip(names, tables, strict=True):
        write_sheet(book, name, table.frame, table.header, table.look)
    book.save(path)


def _tables(summary: Summary) -> Iterator[_Table]:
    yield _Table("Hierarchy", _HIERARCHY, summary.nodes, summary.nodes.columns, _node_look(summary))
    for name, frame in summary.by.items():
        look = Look(
            formats=_formats(frame),
            bars=_shares(frame)[1:],
            font=lambda row, column: PLAIN if row else BOLD,  # the first row is all records
        )
        yield _Table(f"By {name}", _BY, frame, frame.columns, look)
    crosswalk = summary.crosswalk
    last = crosswalk.width - 1  # says what contradicts itself
    look = Look(
        formats=_formats(crosswalk),
        frozen_columns=0,
        bars=_shares(crosswalk),
        font=lambda row, column: ALERT if column == last else PLAIN,
    )
    yield _Table("Crosswalk", _CROSSWALK, crosswalk, crosswalk.columns, look)


def _node_look(summary: Summary) -> Look:
    """Make the tree stand out: nodes above a row's own are faint, the first level is bold."""
    n_levels = len(summary.levels)
    depths = [n_levels - row.count(None) for row in summary.nodes.select(summary.levels).iter_rows()]

    def font(row: int, column: int) -> Font:
        if column < depths[row] - 1:
            return FAINT
        return BOLD if depths[row] == 1 else PLAIN

    return Look(
        formats=_formats(summary.nodes),
        frozen_columns=n_levels,
        bars=_shares(summary.nodes)[:1],
        depths=[depth - 1 for depth in depths],
        font=font,
    )


def _formats(frame: pl.DataFrame) -> list[str]:
    return [WHOLE if dtype == pl.Int64 else SHARE if dtype == pl.Float64 else TEXT for dtype in frame.dtypes]


def _shares(frame: pl.DataFrame) -> list[int]:
    return [position for position, dtype in enumerate(frame.dtypes) if dtype == pl.Float64]


class _Overview:
    """The first sheet, written row by row."""

    def __init__(self, sheet: Any) -> None:
        self._sheet = sheet
        self._n_rows = 0
        for position, width in enumerate(_OVERVIEW_WIDTHS, start=1):
            sheet.column_dimensions[get_column_letter(position)].width = width
        sheet.sheet_view.showGridLines = False
        set_for_print(sheet)

    def write(
        self, summary: Summary, tables: Mapping[str, _Table], follow_up: FollowUpList | None, facts: Mapping[str, Any]
    ) -> None:
        """Write what was found, the figures, what each sheet says, and the facts."""
        self._line("How far communications penetrate", TITLE)
        for sentence in summary.sentences:
            self._line(sentence)
        self._row([])
        overview = summary.overview
        self._row([header_cell(self._sheet, name) for name in overview.columns], height=2 * LINE_POINTS)
        about = None
        for values in overview.iter_rows():
            font = PLAIN if values[0] == about else BOLD
            self._row([self._cell(*cell, font) for cell in zip(values, _formats(overview), strict=True)])
            about = values[0]
        self._row([])
        self._line("What each sheet says", BOLD)
        for about in dict.fromkeys(table.about for table in tables.values()):
            self._pair(", ".join(name for name, table in tables.items() if table.about == about), about)
        for name, table in tables.items():
            if len(table.frame) > MOST_ROWS:
                self._pair(name, f"Only the first {MOST_ROWS:,} of {len(table.frame):,} rows; the CSV file has all.")
        notes = [*summary.notes]
        if follow_up is not None and len(follow_up.frame) < follow_up.n_relevant:
            notes.append(
                f"The follow-up list holds the best {len(follow_up.frame):,} of {follow_up.n_relevant:,} records that "
                "have a rank."
            )
        for number, note in enumerate(notes):
            self._pair("" if number else "Left out", note)
        self._row([])
        for name, value in facts.items():
            self._pair(name, value)

    def _line(self, text: str, font: Font = PLAIN) -> None:
        """Write a text across all columns."""
        self._text_from(1, text, font)

    def _pair(self, name: str, text: Any) -> None:
        """Write a name, and what it stands for across the other columns."""
        self._text_from(2, str(text), PLAIN, before=name)

    def _text_from(self, column: int, text: str, font: Font, before: str = "") -> None:
        cells = [self._cell(before, font=BOLD)] * (column - 1) + [self._cell(text, font=font)]
        lines = max(n_lines(text, sum(_OVERVIEW_WIDTHS[column - 1 :])), n_lines(before, _OVERVIEW_WIDTHS[0]))
        self._row(cells, height=LINE_POINTS * lines * font.size / PLAIN.size)
        first, last = (get_column_letter(position) for position in (column, len(_OVERVIEW_WIDTHS)))
        self._sheet.merged_cells.add(f"{first}{self._n_rows}:{last}{self._n_rows}")

    def _cell(self, value: Any, number_format: str = TEXT, font: Font = PLAIN) -> Cell:
        cell = WriteOnlyCell(self._sheet)
        put(cell, value)
        cell.number_format, cell.font = number_format, font
        cell.alignment = Alignment(wrap_text=number_format == TEXT, vertical="top")
        return cell

    def _row(self, cells: Sequence[Cell], height: float = LINE_POINTS) -> None:
        self._n_rows += 1
        self._sheet.row_dimensions[self._n_rows].height = height
        self._sheet.append(cells)
