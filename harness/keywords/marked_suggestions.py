"""Marked suggestions: what a person accepted, rejected and changed, with every fault named by line."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from baselines.keyword_table import KeywordTable
from baselines.table_cells import clean_cells
from baselines.table_file import MATCHES, check_rows
from data_cleaning.errors import BadInput, did_you_mean, first_few, read_text
from data_cleaning.files.spreadsheet_text import replace_unwritable, unescape_cell
from data_cleaning.files.table_reader import as_text, read_table
from harness.keywords.suggestion_sheets import (
    ACCEPT,
    EXACT,
    JSON_NAME,
    REJECT,
    MarkedSheet,
    SheetRow,
    cell_text,
    columns_for,
    read_workbook,
)
from harness.keywords.suggestions import Exact, Origin, Suggestion, column_name, from_json

_OWN = ("accept", "action", "line", "id")
"""Columns that are read besides those of the keyword table; all others are evidence."""


@dataclass(frozen=True, kw_only=True)
class MarkedRow:
    """One row that a person marked."""

    line: int
    mark: str
    suggestion: Suggestion
    """As it was made."""
    cells: Mapping[str, str]
    """Columns of a keyword table to the row's cells; exactly those of the suggestion where nobody changed them."""
    changed: Mapping[str, str]
    """Columns of a keyword table that a person changed, to what was suggested."""
    reason: str = ""
    """Why it was rejected, if the person said so."""


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A file of suggestions with a person's marks."""

    path: Path
    origin: Origin
    rows: tuple[MarkedRow, ...]
    n_undecided: int
    faults: tuple[str, ...]
    """Faults of single rows, by line."""

    def with_mark(self, mark: str) -> list[MarkedRow]:
        """Return the rows with one mark."""
        return [row for row in self.rows if row.mark == mark]


def json_beside(path: Path) -> Path:
    """Return the JSON that belongs to a CSV of suggestions."""
    return path.with_name(JSON_NAME)


def read_marked(path: Path) -> Marked:
    """Read a file that `suggestion_sheets.write_suggestions` wrote and a person marked.

    A cell that reads like the suggestion counts as unchanged, so that escaping, or a spreadsheet that writes 2.5 as
    2,5, changes nothing. A JSON file may be marked but not changed; its suggestions count as lines, from 1.

    Args:
        path: `.xlsx`, `.json`, or `.csv` with suggestions.json in the same folder.

    Raises:
        BadInput: the file cannot be read, or a column is missing. Faults of single rows are in the result.
    """
    sheet, exact = _read(path)
    own = {name: column_name(name, exact.origin.targets) for name in _OWN}
    _check_header(path, sheet.header, [*own.values(), "keyword", "priority", "match", *exact.origin.targets])
    rows: list[MarkedRow] = []
    faults: list[str] = []
    lines: dict[str, int] = {}  # identity to the line that has it
    n_undecided = 0
    for row in sheet.rows:
        known_by, mark = row.cells[own["id"]].strip(), row.cells[own["accept"]].strip().lower()
        suggestion = exact.suggestions.get(known_by)
        if not mark:
            n_undecided += suggestion is not None
        elif suggestion is None:
            faults.append(
                f"line {row.line}: no suggestion has the id {known_by!r}; restore the one that the row had, or leave "
                f"the row unmarked"
            )
        else:
            read = _marked_row(row, mark, suggestion, exact.origin)
            reason = row.cells.get(column_name("reason", exact.origin.targets), "").strip()
            read = replace(read, reason=reason if mark == REJECT else "")
            rows.append(read)
            found = _faults(row, read, own, lines.setdefault(known_by, row.line))
            faults += [f"line {row.line}: {fault}" for fault in found]
    return Marked(path=path, origin=exact.origin, rows=tuple(rows), n_undecided=n_undecided, faults=tuple(faults))


def accepted_changes(marked: Marked, table: KeywordTable) -> list[Suggestion]:
    """Return the accepted suggestions for a table with the changes by hand, in the order of the file.

    Raises:
        BadInput: rows of the file are faulty, or set what another row sets for a keyword; all are named by line.
    """
    accepted = marked.with_mark(ACCEPT)
    written = [row for row in accepted if row.suggestion.action != "retire"]
    faults = [*marked.faults, *_conflicts(written, accepted, table, marked.origin.table_name)]
    final = {row.line: row.suggestion for row in accepted}
    if written or faults:
        cells_of = clean_cells([(row.line, row.cells) for row in written], table.taxonomy).records
        checked = check_rows(cells_of, table.taxonomy, str(marked.path), faults)
        for cells in checked.to_dict("records"):
            final[cells["line"]] = replace(
                final[cells["line"]],
                keyword=cells["keyword"],
                priority=cells["priority"],
                match=cells["match"],
                labels={target: cells[target] for target in table.taxonomy.names},
            )
    return list(final.values())


def _read(path: Path) -> tuple[MarkedSheet, Exact]:
    """Read the rows of a file, and the suggestions as they were made."""
    if not path.is_file():
        raise BadInput(f"No file at {path}; expected suggestions.xlsx or suggestions.csv of a run, with marks.")
    kind = path.suffix.lower()
    if kind == ".xlsx":
        sheet, exact = read_workbook(path)
        return sheet, from_json(exact, f"{path}, sheet {EXACT!r}")
    if kind == ".csv":
        exact = read_text(json_beside(path), "file beside the CSV", "Put suggestions.json of the same run there.")
        return _csv_sheet(path), from_json(exact, str(json_beside(path)))
    if kind == ".json":
        read = from_json(read_text(path, "file of suggestions", "Check the path."), str(path))
        return _json_sheet(read), read
    raise BadInput(f"{path} ends in {path.suffix or 'nothing'!r}; expected .xlsx, .csv or .json.")


def _csv_sheet(path: Path) -> MarkedSheet:
    table = read_table(path, allow_no_rows=True)
    texts = as_text(table.frame, path).fill_null("")
    header = [unescape_cell(name.strip()) for name in table.frame.columns]
    rows = [
        SheetRow(line=line, cells=dict(zip(header, cells, strict=True)))
        for line, cells in zip(table.places, texts.iter_rows(), strict=True)
    ]
    return MarkedSheet(header=header, rows=rows)


def _json_sheet(exact: Exact) -> MarkedSheet:
    """Return the rows as suggested, with the marks of the file."""
    accept = column_name("accept", exact.origin.targets)
    rows = [
        SheetRow(line=number, cells={**_readable(suggestion, exact.origin), accept: exact.marks[known_by]})
        for number, (known_by, suggestion) in enumerate(exact.suggestions.items(), start=1)
    ]
    return MarkedSheet(header=[column.name for column in columns_for(exact.origin)], rows=rows)


def _readable(suggestion: Suggestion, origin: Origin) -> dict[str, str]:
    """Return the cells of a suggestion as they are read from an unchanged file."""
    return {one.name: replace_unwritable(cell_text(one.value(suggestion))) for one in columns_for(origin)}


def _check_header(path: Path, header: Sequence[str], needed: Sequence[str]) -> None:
    """Refuse a file in which a column that is read is missing or repeated."""
    faults = []
    for name in needed:
        if name not in header:
            faults.append(f"column {name!r} is missing.{did_you_mean(name, header)}".removesuffix("."))
        elif header.count(name) > 1:
            faults.append(f"column {name!r} occurs {header.count(name)} times")
    if faults:
        raise BadInput(f"{path}, line 1: {first_few(faults)}. Give the columns their original names.")


def _marked_row(row: SheetRow, mark: str, suggestion: Suggestion, origin: Origin) -> MarkedRow:
    """Compare a row with its suggestion, ignoring differences in how a cell is written."""
    suggested = _readable(suggestion, origin)
    facts = {"keyword": suggestion.keyword, "priority": repr(suggestion.priority), "match": suggestion.match}
    exact = {**facts, **{target: suggestion.labels.get(target, "") for target in origin.targets}}
    changed = {
        name: suggested[name] for name in exact if not _reads_as(row.cells[name], suggested[name], name == "priority")
    }
    cells = {name: row.cells[name] if name in changed else value for name, value in exact.items()}
    return MarkedRow(line=row.line, mark=mark, suggestion=suggestion, cells=cells, changed=changed)


def _reads_as(cell: str, suggested: str, is_number: bool) -> bool:
    if not is_number:
        return cell == suggested
    try:
        return math.isclose(float(cell.replace(",", ".")), float(suggested))
    except ValueError:
        return False


def _faults(row: SheetRow, read: MarkedRow, own: Mapping[str, str], first_line: int) -> list[str]:
    """Return the faults of a marked row, except those that the keyword table checks itself."""
    suggested = {"action": read.suggestion.action, "line": cell_text(read.suggestion.line)}
    faults = [
        f"{name!r} was {value!r} and is {row.cells[own[name]]!r}; restore it, and edit the table itself to change that"
        for name, value in suggested.items()
        if row.cells[own[name]].strip() != value
    ]
    faults += [
        f"{name!r} holds {kind}; write its value as text"
        for name, kind in row.not_text.items()
        if name in (own["accept"], *read.cells)
    ]
    if read.mark not in (ACCEPT, REJECT):
        faults.append(f"{row.cells[own['accept']]!r} is not a mark; write {ACCEPT} or {REJECT}, or empty the cell")
    if first_line != row.line:
        faults.append(f"repeats the suggestion of line {first_line}; leave one of them unmarked")
    if read.mark == ACCEPT and read.suggestion.action == "retire" and read.changed:
        faults.append(f"retires its row, so the change of {first_few(read.changed)} has no effect; restore it")
    return faults


def _conflicts(
    written: Sequence[MarkedRow], accepted: Sequence[MarkedRow], table: KeywordTable, table_name: str
) -> list[str]:
    """Return the rows that set a target of a keyword that an unchanged row of the table sets already."""
    touched = {row.suggestion.line for row in accepted}
    setters = {
        (kept["keyword"].lower(), kept["match"], target): kept["line"]
        for kept in table.rows.to_dict("records")
        if kept["line"] not in touched
        for target in table.taxonomy.names
        if kept[target]
    }
    faults = []
    for row in written:
        match = row.cells["match"].strip() or MATCHES[0]
        for target in table.taxonomy.names:
            line = setters.get((row.cells["keyword"].lower(), match, target))
            if row.cells[target].strip() and line is not None:
                faults.append(
                    f"line {row.line}: repeats the {target} of {row.cells['keyword']!r} that line {line} of "
                    f"{table_name} sets"
                )
    return faults
