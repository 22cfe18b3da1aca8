"""The summary and the follow-up list as one spreadsheet, for readers who know nothing of how it was made."""

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Any, cast

import polars as pl

from data_cleaning.files.workbooks import LINE_POINTS, MAX_COLUMNS, Sheet, Style, Workbook
from harness.tagging.business.business_tables import sheet_names
from harness.tagging.business.follow_up import ADDED
from harness.tagging.business.summary import Summary

MAX_LISTED = 100_000
"""Rows of a sheet below its header; the CSV file beside it has them all."""

PLAIN, BOLD, TITLE = Style(), Style(bold=True), Style(bold=True, size=14)
FAINT, ALERT, TO_FILL = Style(color="#808080"), Style(color="#C00000"), Style(fill="#FFF2CC")
_HEADER = Style(bold=True, fill="#DDE6F0", wrapped=True)
_BAR = "#9DC3E6"

TEXT, WHOLE, SHARE, ANY = "@", '#,##0_);-#,##0_);"–"_)', '0.0%_);-0.0%_);"–"_)', "General"
"""Number formats; text is text whatever it looks like, and a dash for nothing makes what there is easier to see."""

_NARROWEST, _WIDEST, _TO_CHOOSE, _OF_NUMBERS, _MARGIN, _FILTER_ARROW = 10, 44, 24, 12, 2, 3  # characters
_MAX_FROZEN = 100  # characters; more would leave a small screen nothing to scroll
_MEASURED_ROWS = 1_000

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
    "of the file. A row is an attendee as the file has it; one who is in it twice is here twice."
)


@dataclass(frozen=True)
class FollowUpList:
    """Who is to be followed up, the best first."""

    frame: pl.DataFrame
    header: Sequence[str]
    """Name of each column of the frame; two may be equal."""
    n_relevant: int
    """Records that have a rank, on the list or not."""


@dataclass(frozen=True, kw_only=True)
class SheetTable:
    """A table, and how its sheet looks."""

    name: str
    about: str
    frame: pl.DataFrame
    header: Sequence[str]
    """Name of each column of the frame; two may be equal."""
    formats: Sequence[str]
    """Number format per column."""
    frozen_columns: int = 1
    """At the left, that stay in view, unless they would take all of it."""
    bars: Sequence[int] = ()
    """Columns of shares, from 0, that are drawn as bars as well."""
    depths: Sequence[int] = ()
    """How deep in a tree each row is; a row can be folded into the less deep one above it."""
    style: Callable[[int, int], Style] = lambda row, column: PLAIN
    """Of a cell, by its row below the header and its column, both from 0."""
    wrapped: bool = False
    """Whether text that is longer than its column is wide continues on the next line."""
    choices: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """Column, from 0, to the values that may be chosen in it."""


def write_workbook(
    path: Path, summary: Summary, follow_up: FollowUpList | None, facts: Mapping[str, Any], *, raw: bool
) -> None:
    """Write the workbook: an overview to read, at its end what the file was tagged with, and a sheet per table."""
    tables = [*_tables(summary)]
    if follow_up is not None:
        tables.append(
            SheetTable(
                name="Follow-up",
                about=_FOLLOW_UP,
                frame=follow_up.frame,
                header=follow_up.header,
                formats=[TEXT if dtype == pl.String else ANY for dtype in follow_up.frame.dtypes],
                frozen_columns=len(ADDED),
            )
        )
    first, *names = sheet_names(["Overview", *(table.name for table in tables)])
    with Workbook(path, path.parent) as book:
        overview = OverviewSheet(book.sheet(first, escaped=not raw))
        overview.write(summary, dict(zip(names, tables, strict=True)), follow_up, facts)
        for name, table in zip(names, tables, strict=True):
            write_sheet(book.sheet(name, escaped=not raw), table)


def penetration_tables(summary: Summary) -> Iterator[SheetTable]:
    """Yield the tables of the nodes and of each column that the summary is broken down by."""
    yield _node_table(summary)
    for name, frame in summary.by.items():
        yield counted_table(
            frame,
            name=f"By {name}",
            about=_BY,
            bars=_shares(frame)[1:],
            style=lambda row, column: PLAIN if row else BOLD,  # the first row is all records
        )


def _tables(summary: Summary) -> Iterator[SheetTable]:
    yield from penetration_tables(summary)
    crosswalk = summary.crosswalk
    last = crosswalk.width - 1  # says what contradicts itself
    yield counted_table(
        crosswalk,
        name="Crosswalk",
        about=_CROSSWALK,
        frozen_columns=0,
        bars=_shares(crosswalk),
        style=lambda row, column: ALERT if column == last else PLAIN,
    )


def _node_table(summary: Summary) -> SheetTable:
    """Make the tree easy to see: nodes above a row's own are faint, the first level is bold."""
    n_levels = len(summary.levels)
    depths = [n_levels - row.count(None) for row in summary.nodes.select(summary.levels).iter_rows()]

    def style(row: int, column: int) -> Style:
        if column < depths[row] - 1:
            return FAINT
        return BOLD if depths[row] == 1 else PLAIN

    return counted_table(
        summary.nodes,
        name="Hierarchy",
        about=_HIERARCHY,
        frozen_columns=n_levels,
        bars=_shares(summary.nodes)[:1],
        depths=[depth - 1 for depth in depths],
        style=style,
    )


def counted_table(frame: pl.DataFrame, **look: Any) -> SheetTable:
    """Return a table of text, whole numbers and shares with the formats of these."""
    return SheetTable(frame=frame, header=frame.columns, formats=_formats(frame), **look)


def _formats(frame: pl.DataFrame) -> list[str]:
    return [WHOLE if dtype == pl.Int64 else SHARE if dtype == pl.Float64 else TEXT for dtype in frame.dtypes]


def _shares(frame: pl.DataFrame) -> list[int]:
    return [position for position, dtype in enumerate(frame.dtypes) if dtype == pl.Float64]


class OverviewSheet:
    """A sheet to read: lines across all columns, and pairs of a name and its meaning."""

    def __init__(self, sheet: Sheet) -> None:
        """Lay out an empty sheet."""
        self._sheet = sheet
        sheet.widths(_OVERVIEW_WIDTHS)
        sheet.hide_grid()
        sheet.print_across(header=False)

    def write(
        self,
        summary: Summary,
        tables: Mapping[str, SheetTable],
        follow_up: FollowUpList | None,
        facts: Mapping[str, Any],
    ) -> None:
        """Write the overview of a summary."""
        self.line("How far communications penetrate", TITLE)
        for sentence in summary.sentences:
            self.line(sentence)
        self.gap()
        overview = summary.overview
        self._sheet.row(overview.columns, _HEADER, height=2 * LINE_POINTS)
        about = None
        for values in overview.iter_rows():
            style = PLAIN if values[0] == about else BOLD
            self._sheet.row(values, [_formatted(style, one) for one in _formats(overview)], height=LINE_POINTS)
            about = values[0]
        self.gap()
        self.contents(tables)
        for name, table in tables.items():
            if len(table.frame) > MAX_LISTED:
                self.pair(name, f"Only the first {MAX_LISTED:,} of {len(table.frame):,} rows; the CSV file has all.")
        notes = [*summary.notes]
        if follow_up is not None and len(follow_up.frame) < follow_up.n_relevant:
            notes.append(
                f"The follow-up list holds the best {len(follow_up.frame):,} of {follow_up.n_relevant:,} records that "
                "have a rank."
            )
        for number, note in enumerate(notes):
            self.pair("" if number else "Left out", note)
        self.gap()
        for name, value in facts.items():
            self.pair(name, value)

    def gap(self) -> None:
        """Leave a row empty."""
        self._sheet.row([], height=LINE_POINTS)

    def contents(self, tables: Mapping[str, SheetTable]) -> None:
        """Say what each sheet holds."""
        self.line("What each sheet says", BOLD)
        for about in dict.fromkeys(table.about for table in tables.values()):
            self.pair(", ".join(name for name, table in tables.items() if table.about == about), about)

    def line(self, text: str, style: Style = PLAIN) -> None:
        """Write a text across all columns."""
        lines = _n_lines(text, sum(_OVERVIEW_WIDTHS))
        self._merged([text], [_formatted(style, TEXT)], LINE_POINTS * lines * style.size / PLAIN.size)

    def pair(self, name: str, text: Any) -> None:
        """Write a name, and its meaning across the other columns."""
        first, *others = _OVERVIEW_WIDTHS
        lines = max(_n_lines(str(text), sum(others)), _n_lines(name, first))
        self._merged([name, str(text)], [_formatted(BOLD, TEXT), _formatted(PLAIN, TEXT)], LINE_POINTS * lines)

    def _merged(self, values: Sequence[str], styles: Sequence[Style], height: float) -> None:
        self._sheet.row(values, styles, height=height, merged_to=len(_OVERVIEW_WIDTHS) - 1)


def write_sheet(sheet: Sheet, table: SheetTable) -> None:
    """Write a table that people filter and print, as much of it as a sheet holds."""
    frame = table.frame[:, :MAX_COLUMNS].head(MAX_LISTED)
    header = table.header[: frame.width]
    widths = [
        max(_width(title, column), _TO_CHOOSE if at in table.choices else 0)
        for at, (title, column) in enumerate(zip(header, frame.iter_columns(), strict=True))
    ]
    sheet.widths(widths)
    sheet.row(header, _HEADER, height=LINE_POINTS * max(map(_n_lines, header, widths), default=1))
    styles = {
        (style, one): replace(style, number_format=one, wrapped=table.wrapped)
        for style in _STYLES
        for one in table.formats
    }
    texts = [at for at, kind in enumerate(frame.dtypes) if kind == pl.String] if table.wrapped else []
    for number, values in enumerate(frame.iter_rows()):
        # Not every spreadsheet gives a row the height that its text takes.
        lines = max((_n_lines(values[at] or "", widths[at]) for at in texts), default=1)
        of_cells = [styles[table.style(number, column), one] for column, one in enumerate(table.formats[: frame.width])]
        level = table.depths[number] if table.depths else 0
        sheet.row(values, of_cells, height=LINE_POINTS * lines if lines > 1 else None, level=level)
    sheet.freeze(1, sum(right <= _MAX_FROZEN for right in accumulate(widths[: table.frozen_columns])))
    sheet.filter(frame.width)
    for column in table.bars:
        sheet.bars(column, _BAR)
    for column, offered in table.choices.items():
        sheet.choices(column, offered, f"Unknown {header[column]}", f"Choose one of the list for {header[column]}.")
    sheet.fold_upwards()
    sheet.print_across(header=True)


_STYLES = (PLAIN, BOLD, FAINT, ALERT, TO_FILL)


def _formatted(style: Style, number_format: str) -> Style:
    """Return a style with a number format; text is wrapped."""
    return replace(style, number_format=number_format, wrapped=number_format == TEXT)


def _n_lines(text: str, width: int) -> int:
    """Return how many lines a text takes in a column, a little room at its end left free."""
    if len(text) <= width - _MARGIN:
        return 1
    return max(len(textwrap.wrap(text, width - _MARGIN)), 1)


def _width(title: str, column: pl.Series) -> int:
    """Return the width of a column in characters: what its text and the words of its title ask for."""
    of_title = max(map(len, title.split()), default=0)
    longest = column.head(_MEASURED_ROWS).str.len_chars().max() if column.dtype == pl.String else _OF_NUMBERS - _MARGIN
    wanted = max(cast(int, longest or 0), of_title + _FILTER_ARROW - _MARGIN, _NARROWEST - _MARGIN)
    return min(wanted, _WIDEST) + _MARGIN
