"""Where the table is within a file: the row that names its columns, and what else than records is around it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from data_cleaning.column_names import column_key, name_words, usual_names
from data_cleaning.errors import BadInput, first_few, shortened

ALL_SHEETS = "all"
MAX_COLUMNS = 4_096
"""Of a table: several times the widest survey."""

ROWS_LOOKED_AT = 1_000
"""From the beginning of a file, among which the header must be unless somebody names its row."""

_MEANINGS = ("title", "function", "role", "level", "record", "country", "date", "count", "event", "other")
_DATA = re.compile(r"[\W\d_]*|.*@\w.*|(https?:|www\.).*|.*\d{4}-\d\d.*|.*\d[./-]\d{1,2}[./-]\d.*", re.DOTALL)
_CODE = re.compile(r"(q|qid|question|v|var)[\s_]?\d+([._]\d+)*(_text)?", re.IGNORECASE)
"""What survey programs call a column whose question is in the row below."""
_IMPORT_ID = re.compile(r'\s*\{\s*"+ImportId"', re.IGNORECASE)
_OPEN_ANSWER = {"openendedresponse", "response", "responses"}
"""What is written below a question that has one column."""
_LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Layout:
    """What a person says of the place of the table; None finds it out."""

    sheet: str | None = None
    """Name of a sheet of a workbook; "all" joins every sheet with the same header."""
    header_row: int | None = None
    """Line of a CSV file, or row of a sheet, that has the names of the columns; from 1."""

    def __post_init__(self) -> None:
        """Check the row.

        Raises:
            BadInput: it is below 1.
        """
        if self.header_row is not None and self.header_row < 1:
            raise BadInput(f"--header-row {self.header_row}: expected 1 for the first row of the file, or more.")


@dataclass(frozen=True)
class HeadRow:
    """A row near the beginning of a file that is not blank."""

    place: int
    """Line or row on which it begins, from 1."""
    cells: tuple[str, ...]
    """As they are written; "" for an empty one."""

    @property
    def filled(self) -> list[str]:
        """The cells that are not blank; a cell that was merged over several columns counts once."""
        filled = [cell for cell in self.cells if cell.strip()]
        return filled[:1] if len(set(filled)) == 1 else filled

    @property
    def width(self) -> int:
        """Cells up to the last that is not blank."""
        return max((position for position, cell in enumerate(self.cells, start=1) if cell.strip()), default=0)


@dataclass(frozen=True)
class Header:
    """Where the table begins, and what its columns are called."""

    names: tuple[str, ...]
    rows: tuple[HeadRow, ...]
    """The rows of the header, with those of questions and identifiers below it; the records follow."""
    notes: tuple[str, ...] = ()
    """What was found beside a header in the first row, in sentences for a person."""
    evidence: int = 0
    """How surely it is one: 2 names a column of titles, 1 others that are usual, 0 none."""


def is_title_name(name: str) -> bool:
    """Say whether a column is usually called so if it holds job titles."""
    return column_key(name) in _keys("title")


@lru_cache(1 << 16)
def is_usual_name(name: str) -> bool:
    """Say whether columns are usually called so, or end in such a word, as in "Work Email"."""
    words = name_words(name)
    return bool(words) and ("".join(words) in _keys(*_MEANINGS) or words[-1] in _keys("other") or name[-1:] == "?")


def is_data(cell: str) -> bool:
    """Say whether a cell is a number, date, address or symbol, which no column is called; a blank one is."""
    return _DATA.fullmatch(cell.strip()) is not None


def names_columns(cells: Iterable[str]) -> bool:
    """Say whether a row surely has the names of columns: no data, and most of them usual ones."""
    filled = [cell for cell in cells if cell.strip()]
    if len(filled) < 2 or any(map(is_data, filled)):
        return False
    n_usual = sum(map(is_usual_name, filled))
    n_whole = sum(column_key(cell) in _keys(*_MEANINGS) for cell in filled)  # "Beta Company" may be one
    return n_whole >= (1 if len(filled) > 2 else 2) and (2 * n_usual > len(filled) or n_usual >= 4)


def find_header(rows: Sequence[HeadRow], unit: str, *, asked: bool = False) -> Header:
    """Find the header of a table, which is the first row unless another one surely is.

    Args:
        rows: at least one, from the beginning of the file or, if it was asked for, from the header.
        unit: what their places count.
        asked: whether somebody named the first of the rows as the header.
    """
    at = 0 if asked else _choose(rows)
    head, names, notes = [rows[at]], rows[at].cells, []
    if not asked:
        if at and _is_group_row(*rows[at - 1 : at + 1]):
            at, head = at - 1, list(rows[at - 1 : at + 1])
        elif _are_two_rows(*rows[at : at + 2]):
            head = list(rows[at : at + 2])
    if len(head) > 1:
        names = _joined(*head)
        notes.append(f"The names of the columns are in {unit}s {head[0].place} and {head[1].place}.")
    elif at:
        notes.append(f"The names of the columns are in {unit} {head[0].place}.")
    if at:
        lines = [repr(shortened(row.filled[0].strip(), _LONGEST_SHOWN)) for row in rows[:at] if row.width]
        shown = first_few(lines, max_items=3) or "blank cells"
        notes.append(f"Not part of the table: what is above it ({shown}).")
    evidence = 2 if any(map(is_title_name, names)) else int(at > 0 or names_columns(names))
    below = rows[at + len(head) : at + len(head) + 3]
    if questions := _question_rows(names, below):
        names = _with_questions(names, questions[0])
        head += questions
        places = " and ".join(str(row.place) for row in questions)
        notes.append(f"No records, but questions of a survey: {unit}{'s' * (len(questions) > 1)} {places}.")
    return Header(tuple(names), tuple(head), tuple(notes), evidence)


def check_width(path: object, n_columns: int) -> None:
    """Refuse a table with too many columns.

    Raises:
        BadInput: there are more than `MAX_COLUMNS`.
    """
    if n_columns > MAX_COLUMNS:
        raise BadInput(
            f"{path} has {n_columns:,} columns, beyond the limit of {MAX_COLUMNS:,}. Keep the column of titles and "
            "those that you need, and save it again."
        )


@cache
def _keys(*meanings: str) -> frozenset[str]:
    return frozenset("".join(words) for meaning in meanings for words in usual_names(meaning))


def _choose(rows: Sequence[HeadRow]) -> int:
    """Return the number of the row that is the header, or the lower one of two."""
    rows = rows[:ROWS_LOOKED_AT]
    if all(row.width == 1 for row in rows):
        return _choose_in_list(rows)
    named = [number for number, row in enumerate(rows) if names_columns(row.filled)]
    titled = [number for number in named if any(map(is_title_name, rows[number].filled))]
    if titled:
        return titled[0]
    if len(rows[0].filled) > 1:
        return 1 if named[:1] == [1] and _is_group_row(*rows[:2]) else 0
    if named:
        ends = [*named[1:], len(rows)]
        return max(zip(named, ends, strict=True), key=lambda one: one[1] - one[0])[0]
    return _choose_by_width(rows)


def _choose_in_list(rows: Sequence[HeadRow]) -> int:
    """Look for a usual name of titles among the first lines of a list, below a remark that is no title."""
    for number, row in enumerate(rows[:10]):
        above = rows[:number]
        if is_title_name(row.cells[0]):
            gap = bool(above) and row.place - above[-1].place > 1
            return number if gap or any(re.search(r"\d|:", one.cells[0]) for one in above) else 0
    return 0


def _choose_by_width(rows: Sequence[HeadRow]) -> int:
    """Below a line of one cell, take the first of the rows that are as wide as most, if it names data.

    Titles have commas, and columns may be without a name; a column of numbers or dates below a text shows a header.
    """
    widths = sorted(row.width for row in rows[1:])
    wide = widths[len(widths) // 2] if widths else 1
    number = next((number for number, row in enumerate(rows) if row.width >= wide and len(row.filled) > 1), 0)
    below, filled = rows[number + 1 :], rows[number].filled
    if wide < 2 or len(below) < 2 or len(set(filled)) < len(filled) or any(map(is_data, filled)):
        return 0
    fitting = [row for row in below if len(row.cells) == len(rows[number].cells)]
    columns = [
        [row.cells[at] for row in fitting] for at, name in enumerate(rows[number].cells) if name.strip() and fitting
    ]
    has_data = any(any(cell.strip() for cell in column) and all(map(is_data, column)) for column in columns)
    return number if has_data and 10 * len(fitting) >= 9 * len(below) else 0


def _is_group_row(upper: HeadRow, lower: HeadRow) -> bool:
    """Say whether a row names groups of the columns that the row below it names."""
    groups = _groups(upper)
    inside = [not group.strip() for group in groups[: lower.width]]
    return (
        2 <= len([group for group in groups if group.strip()]) < len(lower.filled)
        and any(inside)
        and upper.width <= lower.width
        and lower.place == upper.place + 1
        and not any(map(is_data, upper.filled))
    )


def _groups(row: HeadRow) -> list[str]:
    """Return the cells of a row, one that repeats the cell before it being blank."""
    return [cell if not at or cell != row.cells[at - 1] else "" for at, cell in enumerate(row.cells)]


def _are_two_rows(upper: HeadRow, lower: HeadRow | None = None) -> bool:
    """Say whether the row below the first row of a header names its columns too."""
    if lower is None or lower.place != upper.place + 1 or len(lower.cells) > len(upper.cells):
        return False
    gaps = [at for at, group in enumerate(_groups(upper)) if not group.strip()]
    if not gaps or any(map(is_data, lower.filled)):
        return False
    if _OPEN_ANSWER.intersection(map(column_key, lower.cells)):
        return True
    return names_columns(lower.filled) and any(lower.cells[at].strip() for at in gaps if at < len(lower.cells))


def _joined(upper: HeadRow, lower: HeadRow) -> tuple[str, ...]:
    """Join two rows of names: the lower name, with the upper one before it where several are alike."""
    width = max(len(upper.cells), lower.width)
    groups, names = [*_groups(upper), *[""] * width][:width], [*lower.cells, *[""] * width][:width]
    group, joined = "", []
    for above, below in zip(groups, names, strict=True):
        group = above if above.strip() else group
        alone = not below.strip() or column_key(below) in _OPEN_ANSWER
        joined.append((group, group if alone else below))
    alike = [name for _, name in joined]
    return tuple(
        name if alike.count(name) == 1 or not group.strip() or name == group else f"{group.strip()} - {name}"
        for group, name in joined
    )


def _question_rows(names: Sequence[str], below: Sequence[HeadRow]) -> list[HeadRow]:
    """Return the rows below a survey's header that hold its questions and identifiers in place of answers."""
    for number, row in enumerate(below):
        if any(_IMPORT_ID.match(cell) for cell in row.cells):
            return list(below[: number + 1])
    if not below:
        return []
    row = below[0]
    asked = [cell for name, cell in zip(names, row.cells, strict=False) if _CODE.fullmatch(name.strip())]
    are_questions = asked and all(len(cell.split()) > 3 or "?" in cell for cell in asked if cell.strip())
    has_data = any(map(is_data, row.filled))
    return [row] if are_questions and any("?" in cell for cell in asked) and not has_data else []


def _with_questions(names: Sequence[str], row: HeadRow) -> tuple[str, ...]:
    """Add its question to each name that is a code, as in "Q5 - What is your job title?"."""
    cells = [" ".join(cell.split()) for cell in row.cells] + [""] * len(names)
    return tuple(
        f"{name} - {cell}" if cell and _CODE.fullmatch(name.strip()) and not _IMPORT_ID.match(cell) else name
        for name, cell in zip(names, cells, strict=False)
    )
