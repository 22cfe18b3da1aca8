"""Suggestions for people: a spreadsheet and a CSV file with a column in which to accept or reject each of them."""

import csv
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from operator import attrgetter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import BadZipFile, ZipFile

from python_calamine import CalamineError, CalamineWorkbook
from xlsxwriter.utility import xl_cell_to_rowcol

from baselines.table_cells import whole_number
from baselines.table_file import MATCHES
from data_cleaning.errors import BadInput, first_few
from data_cleaning.files import workbooks
from data_cleaning.files.spreadsheet_text import safe_text, unescape_cell
from data_cleaning.files.whole_files import whole_file
from data_cleaning.files.workbooks import BOLD, Style, Workbook
from data_cleaning.files.xlsx_source import part_of
from harness.keywords.suggestions import Origin, Suggestion, column_name, identity, to_json

CSV_NAME, XLSX_NAME, JSON_NAME = "suggestions.csv", "suggestions.xlsx", "suggestions.json"

ACCEPT, REJECT = "accept", "reject"
"""What may be written into the first column; an empty cell is undecided."""

SHEET, ABOUT, EXACT = "suggestions", "about", "exact"
"""The sheet to mark, the one to read, and a hidden one with the suggestions as they were made, to recognise edits."""

HOW_TO = (
    f"Write {ACCEPT} or {REJECT} into the first column of each row that you have decided; leave the others empty.",
    "In a row that you accept you may change keyword, priority, match and labels: your values go into the table.",
    "In a row that you reject you may say why in the column reason; it is kept with the rejection.",
    "Sort, filter, delete rows and add columns as you like, but leave action, line and id as they are.",
    "Then call: python -m harness suggest apply suggestions.xlsx --table TABLE, with the path of your keyword table.",
    "That writes the table's next revision beside it, never over it; what you reject is not suggested again.",
)
"""The first lines of the sheet to read."""

Cell = str | int | float | None

_ANY, _TEXT, _WHOLE, _POINTS, _SHARE, _SMALL = "General", "@", "#,##0", "+0.00%;-0.00%;0.00%", "0.0%", "0.0E+00"
_N_EXAMPLES = 3
_MIN_WIDTH, _FILTER_ARROW, _MARGIN = 8, 4, 2  # characters
_CHUNK = 16_000  # characters; a cell holds 32,767, and escaping may almost double them
_HEAD = Style(bold=True, fill="#E7E6E6")
_UNREADABLE = (
    *(OSError, BadZipFile, zlib.error, EOFError, CalamineError),
    *(SyntaxError, ValueError, KeyError, AttributeError, RuntimeError),
)
"""What is raised for a broken file, another kind of file, and one with a password."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its meaning, its values, and how it looks."""

    name: str
    meaning: str
    value: Callable[[Suggestion], Cell]
    number_format: str = _TEXT
    """Of a spreadsheet; cells of text stay text whatever they look like."""
    max_width: int = 16
    """In characters; longer text is wrapped."""


@dataclass(frozen=True, kw_only=True)
class SheetRow:
    """One row as a person left it."""

    line: int
    """Of the file; the header's is 1."""
    cells: Mapping[str, str]
    """Column to its cell as text, unescaped."""
    not_text: Mapping[str, str] = field(default_factory=dict)
    """Column to what else it holds, such as a formula."""


@dataclass(frozen=True, kw_only=True)
class MarkedSheet:
    """A file of suggestions as a person left it."""

    header: Sequence[str]
    rows: Sequence[SheetRow]


def write_suggestions(folder: Path, suggestions: Sequence[Suggestion], origin: Origin) -> None:
    """Write the three files of suggestions into an existing folder, all or none of them.

    Each has the columns of a keyword table, the empty column `accept` and the evidence. Cells that a spreadsheet would
    run as a formula are escaped in CSV and XLSX, and characters that a worksheet cannot hold become U+FFFD there; the
    JSON is exact. It holds the origin, as the XLSX does; a CSV is applied with the JSON beside it.

    Args:
        folder: to write into; files of the same names are replaced.
        suggestions: in the order in which they should be read, the best first.
        origin: of the suggestions.

    Raises:
        BadInput: a file cannot be written.
    """
    exact = to_json(suggestions, origin)
    columns = columns_for(origin)
    rows = [cells_of(suggestion, columns) for suggestion in suggestions]
    with (
        whole_file(folder / JSON_NAME) as as_json,
        whole_file(folder / CSV_NAME) as as_csv,
        whole_file(folder / XLSX_NAME) as as_xlsx,
    ):
        as_json.write_text(exact, encoding="utf-8")
        with as_csv.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.writer(opened)  # with its own line ends, or it would leave a bare one in a title unquoted
            writer.writerow(safe_text(column.name) for column in columns)
            writer.writerows([safe_text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
        _write_workbook(as_xlsx, columns, rows, origin, exact)


def columns_for(origin: Origin) -> tuple[Column, ...]:
    """Return the columns in order: the mark, those of the keyword table with their changes, and the evidence."""
    labels = [
        Column(
            name=target,
            meaning=f"Raw {target} label that the row sets; empty where it sets none.",
            value=_label(target),
            max_width=28,
        )
        for target in origin.targets
    ]
    known_by = Column(
        name="id",
        meaning="Ties the row to its suggestion; leave it as it is.",
        value=lambda one: identity(one, origin),
    )
    before = [replace(one, name=column_name(one.name, origin.targets)) for one in _BEFORE_LABELS]
    after = [replace(one, name=column_name(one.name, origin.targets)) for one in (*_AFTER_LABELS, known_by)]
    return (*before, *labels, *after)


def cells_of(suggestion: Suggestion, columns: Sequence[Column]) -> list[Cell]:
    """Return the cells of a suggestion, not escaped."""
    return [column.value(suggestion) for column in columns]


def cell_text(cell: Any) -> str:
    """Return the text of a cell."""
    return "" if cell is None else str(cell)


def read_workbook(path: Path) -> tuple[MarkedSheet, str]:
    """Read a spreadsheet as a person left it.

    Returns:
        The sheet to mark, and the JSON of the suggestions as they were made.

    Raises:
        BadInput: it is no XLSX file, or a sheet is missing.
    """
    try:
        with ZipFile(path) as archive, CalamineWorkbook.from_path(path) as book:
            missing = [repr(name) for name in (SHEET, EXACT) if name not in book.sheet_names]
            if not missing:
                cells = book.get_sheet_by_name(SHEET).to_python(skip_empty_area=False)
                exact = "".join(str(row[0]) for row in book.get_sheet_by_name(EXACT).to_python() if row)
                computed = _computed_cells(archive)
    except _UNREADABLE as error:
        raise BadInput(
            f"{path} is not readable as a spreadsheet ({error}). Save it as .xlsx, without a password."
        ) from None
    if missing:
        raise BadInput(
            f"{path} has no sheet {first_few(missing)}. Mark the file as it was written; its sheets keep their names."
        )
    header, *rows = cells or [[]]
    names = [unescape_cell(cell_text(name)).strip() for name in header]
    read = []
    for number, row in enumerate(rows, start=1):
        kinds = [
            computed.get((number, position), "a date" if hasattr(cell, "isoformat") else "")
            for position, cell in enumerate(row)
        ]
        if any(kinds) or any(cell != "" for cell in row):
            named = [position for position, name in enumerate(names) if name]
            read.append(
                SheetRow(
                    line=number + 1,
                    cells={
                        names[position]: unescape_cell(cell_text(whole_number(row[position]))) for position in named
                    },
                    not_text={names[position]: kinds[position] for position in named if kinds[position]},
                )
            )
    return MarkedSheet(header=names, rows=read), exact


def _computed_cells(archive: ZipFile) -> dict[tuple[int, int], str]:
    """Return row and column, from 0, of the cells of the sheet to mark that hold formulas or errors, and which."""
    found = {}
    with archive.open(part_of(archive, SHEET)) as opened:
        for _, cell in ElementTree.iterparse(opened):
            if cell.tag.endswith("}c"):
                is_formula = cell.find("{*}f") is not None
                if is_formula or cell.get("t") == "e":
                    found[xl_cell_to_rowcol(cell.get("r"))] = "a formula" if is_formula else "an error value"
    return found


def _write_workbook(
    path: Path, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], origin: Origin, exact: str
) -> None:
    """Write the sheet to mark, the one that explains it, and the hidden one with the JSON."""
    with Workbook(path) as book:
        sheet = book.sheet(SHEET)
        sheet.widths([_width(column, [row[position] for row in rows]) for position, column in enumerate(columns)])
        sheet.freeze(1, [column.name for column in columns].index("keyword") + 1)
        sheet.row([column.name for column in columns], _HEAD)
        styles = [Style(number_format=column.number_format, wrapped=True) for column in columns]
        for row in rows:
            sheet.row(row, styles)
        sheet.filter(len(columns))
        message = f"Choose {ACCEPT} or {REJECT}, or leave the cell empty."
        sheet.choices(0, (ACCEPT, REJECT), "Unknown mark", message)
        matches = [column.name for column in columns].index(column_name("match", origin.targets))
        sheet.choices(matches, MATCHES, "Unknown match", f"Choose one of {', '.join(MATCHES)}.")
        _write_about(book.sheet(ABOUT), origin, columns)
        hidden = book.sheet(EXACT, hidden=True, escaped=False)
        # Only ASCII, and nothing that a spreadsheet would take for the code of a character.
        plain = json.dumps(json.loads(exact)).replace("_x", "\\u005fx")
        for start in range(0, len(plain), _CHUNK):
            hidden.row([plain[start : start + _CHUNK]])


def _width(column: Column, cells: Sequence[Cell]) -> int:
    """Return the width that the content of a column needs, up to its limit."""
    texts = [cell_text(cell) for cell in cells] if column.number_format == _TEXT else []
    longest = max((len(line) for text in texts for line in text.split("\n")), default=0)
    return max(min(longest, column.max_width) + _MARGIN, len(column.name) + _FILTER_ARROW, _MIN_WIDTH)


def _write_about(sheet: workbooks.Sheet, origin: Origin, columns: Sequence[Column]) -> None:
    """Write how to use the file, where it comes from, and what each column means."""
    facts = {**asdict(replace(origin, rows=())), "targets": ", ".join(origin.targets)}
    del facts["rows"]
    lines: list[tuple[str, str]] = [
        *((str(number), line) for number, line in enumerate(HOW_TO, start=1)),
        ("", ""),
        *facts.items(),
        ("", ""),
        *((column.name, column.meaning) for column in columns),
    ]
    sheet.widths([max(len(cell) for cell in cells) + _MARGIN for cells in zip(*lines, strict=True)])
    for line in lines:
        sheet.row(line, [BOLD, Style(number_format=_TEXT)])


def _label(target: str) -> Callable[[Suggestion], Cell]:
    return lambda one: one.labels.get(target, "")


def _nth(examples: str, number: int) -> Callable[[Suggestion], Cell]:
    return lambda one: "".join(getattr(one.evidence, examples)[number : number + 1])


def _evidence(name: str, meaning: str, number_format: str = _TEXT) -> Column:
    return Column(name=name, meaning=meaning, value=attrgetter(f"evidence.{name}"), number_format=number_format)


def _examples(name: str, meaning: str) -> list[Column]:
    """Return a column for each example title, empty where there are fewer."""
    return [
        Column(
            name=f"{name}_{number + 1}",
            meaning=meaning,
            value=_nth(f"{name}s", number),
            max_width=36,
        )
        for number in range(_N_EXAMPLES)
    ]


_BEFORE_LABELS = (
    Column(name="accept", meaning="Yours: accept, reject, or empty.", value=lambda _: ""),
    Column(name="reason", meaning="Yours: why you reject it.", value=lambda _: "", max_width=30),
    Column(name="action", meaning="What is proposed for the row.", value=attrgetter("action")),
    Column(
        name="line",
        meaning="Line of the row in the table's file; empty for a new row.",
        value=attrgetter("line"),
        number_format=_ANY,
    ),
    Column(name="keyword", meaning="Keyword of the row.", value=attrgetter("keyword"), max_width=40),
    Column(
        name="priority",
        meaning="Priority of the row after the change; a lower number outranks.",
        value=lambda one: whole_number(one.priority),
        number_format=_ANY,
    ),
)
_AFTER_LABELS = (
    Column(name="match", meaning="How the keyword is matched after the change.", value=attrgetter("match")),
    Column(
        name="old_priority",
        meaning="Priority that the row has in the table.",
        value=lambda one: whole_number(one.old_priority),
        number_format=_ANY,
    ),
    Column(name="old_match", meaning="Match that the row has in the table.", value=attrgetter("old_match")),
    Column(name="rationale", meaning="Why, in one sentence.", value=attrgetter("rationale"), max_width=60),
    Column(
        name="group",
        meaning="Changes with the same name here were tried as one, and are best decided together.",
        value=attrgetter("group"),
        max_width=28,
    ),
    _evidence("reviewed_fixed", "Titles labelled by a person that the change fixes.", _WHOLE),
    _evidence("reviewed_broken", "Titles labelled by a person that the change breaks.", _WHOLE),
    _evidence("believed_fixed", "Titles with a predicted label that the change fixes.", _WHOLE),
    _evidence("believed_broken", "Titles with a predicted label that the change breaks.", _WHOLE),
    _evidence("variants_fixed", "Titles derived from labelled ones that the change fixes.", _WHOLE),
    _evidence("variants_broken", "Titles derived from labelled ones that the change breaks.", _WHOLE),
    _evidence("p_value", "Probability of so many fixed titles if the change were useless; of the whole group.", _SMALL),
    _evidence("lift", "Rise of the accuracy on these titles, in percentage points, by importance of targets.", _POINTS),
    _evidence("judge", "Whose labels count as right."),
    _evidence("support_titles", "Distinct titles that the keyword matches.", _WHOLE),
    _evidence("support_records", "Records of these titles.", _WHOLE),
    _evidence("importance", "Mean share of the network's importance that is on the keyword.", _SHARE),
    *_examples("example", "Title that the change fixes."),
    *_examples("counter_example", "Title that the change breaks."),
)
