"""The keyword table's file: read from any kind of table, written as CSV, with every fault of it named by line."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import pandas as pd
import polars as pl

from baselines.gap_and_mask import GAP, MASK, star_fault
from baselines.matching import normal_form
from baselines.table_cells import Question, Record, clean_cells, column_names, whole_number
from data_cleaning.errors import BadInput, first_few
from data_cleaning.files.sources import STANDARD_INPUT
from data_cleaning.files.spreadsheet_text import escape_cell, unescape_cell
from data_cleaning.files.table_reader import as_text, read_table
from data_cleaning.taxonomy import Taxonomy

MATCHES = ("substring", "word", "prefix", GAP, MASK)
"""How a row's keyword is sought; the first is what an empty cell or an absent column means."""

_MAX_FAULTS, _MAX_LINES = 50, 10


@dataclass(frozen=True, kw_only=True)
class Duplicate:
    """A row that sets a target which an earlier one sets for the same keyword and match."""

    line: int
    first_line: int
    keyword: str
    match: str
    target: str
    label: str
    """Raw label of the later row."""
    first_label: str
    """Raw label of the earlier one."""


@dataclass(frozen=True, kw_only=True)
class TableRows:
    """The rows of a table file, and how it was read."""

    frame: pd.DataFrame
    """As `check_rows` returns it."""
    notes: tuple[str, ...]
    """What was passed over or read otherwise than it is written, in sentences for a person."""
    questions: tuple[Question, ...]
    duplicates: tuple[Duplicate, ...] = ()
    """What a lenient read left out."""


def read_rows(path: Path, taxonomy: Taxonomy, *, lenient: bool = False) -> TableRows:
    """Read and check a table file; cells are read as `clean_cells` says.

    Args:
        path: CSV, Parquet or XLSX.
        taxonomy: its targets are the columns, its raw labels the values.
        lenient: whether rows may repeat each other; the first row that sets a target then keeps it, and rows that then
            set nothing are left out.

    Raises:
        BadInput: the file is missing, cannot be read, or has a fault that `check_rows` names.
    """
    if path != STANDARD_INPUT and not path.exists():
        raise BadInput(f"No keyword table at {path}. Set 'keyword.table' in the config to a CSV or XLSX file.")
    table = read_table(path, None, allow_no_rows=True, keep_rejects=True)
    texts = as_text(table.frame, path)
    known = _columns(taxonomy)
    header = column_names(map(unescape_cell, table.frame.columns), known)
    _check_header(path, header, known)
    rows = texts.fill_null("").iter_rows()
    records = [(line, dict(zip(header, row, strict=True))) for line, row in zip(table.places, rows, strict=True)]
    cells = clean_cells(records, taxonomy)
    faults = [f"{table.unit} {one.place} {one.reason}" for one in table.rejects]
    frame, duplicates = _check(cells.records, taxonomy, str(path), faults, lenient=lenient)
    others = [name for name in header if name not in known]
    ignored = [f"Columns that no keyword table has, passed over: {first_few(map(repr, others))}."] if others else []
    of_file = [note for note in table.notes if not note.startswith("Read as UTF-8")]  # as nearly every table is
    notes = (*of_file, *ignored, *cells.notes)
    return TableRows(frame=frame, notes=notes, questions=cells.questions, duplicates=tuple(duplicates))


def check_rows(records: Iterable[Record], taxonomy: Taxonomy, where: str, faults: Iterable[str] = ()) -> pd.DataFrame:
    """Check the rows of a table and return them as a frame.

    Args:
        records: line and cells of each row; `match` and targets may be absent, which is as good as empty.
        taxonomy: its targets are the columns, its raw labels the values.
        where: what to call the table in messages.
        faults: faults found before, to be named along with those found here.

    Returns:
        One row per record: `line`, `keyword`, `priority` (float), `match`, and a raw label or "" per target.

    Raises:
        BadInput: a cell is not as the columns ask, a row sets nothing, or two rows set the same target for one keyword.
    """
    return _check(records, taxonomy, where, faults, lenient=False)[0]


def _check(
    records: Iterable[Record], taxonomy: Taxonomy, where: str, faults: Iterable[str], *, lenient: bool
) -> tuple[pd.DataFrame, list[Duplicate]]:
    """Check rows; what repeats an earlier row is a fault, or, where that is asked for, left out and returned."""
    before = list(faults)
    found: dict[str, list[int]] = {}  # fault -> lines that have it
    setters: dict[tuple[str, str, str], tuple[int, str]] = {}  # (keyword, match, target) -> what sets it first
    duplicates: list[Duplicate] = []
    rows = []
    listed = list(records)
    keywords = pl.Series([cells["keyword"] for _, cells in listed], dtype=pl.String)
    for (line, cells), has_word in zip(listed, normal_form(keywords) != " ", strict=True):
        keyword, match = cells["keyword"], cells.get("match", "").strip() or MATCHES[0]
        labels = {target: cells.get(target, "").strip() for target in taxonomy.names}
        priority = _number(cells["priority"])
        row_faults = _keyword_faults(keyword, match, has_word=has_word) + _label_faults(labels, taxonomy)
        if not (math.isfinite(priority) and priority > 0):
            row_faults.append(f"priority {cells['priority']!r} is not a number above 0")
        kept = dict(labels)
        for target in filter(labels.get, labels):
            first, first_label = setters.setdefault((keyword.lower(), match, target), (line, labels[target]))
            if first == line:
                continue
            if not lenient:
                row_faults.append(f"repeats the {target} of {keyword!r} that line {first} sets")
            kept[target] = ""
            duplicates.append(Duplicate(
                line=line, first_line=first, keyword=keyword, match=match, target=target,
                label=labels[target], first_label=first_label,
            ))  # fmt: skip
        for fault in row_faults:
            found.setdefault(fault, []).append(line)
        if any(kept.values()):
            rows.append({"line": line, "keyword": keyword, "priority": priority, "match": match, **kept})
    if not rows and not before and not found:
        before.append("there is a header and no row; give at least one keyword")
    if before or found:
        named = [*before, *(f"{_lines(lines)}: {fault}" for fault, lines in found.items())]
        raise BadInput(f"{where}: {first_few(named, _MAX_FAULTS)}.")
    frame = pd.DataFrame(rows, dtype=object)
    return frame.astype({"line": "int64", "priority": "float64"}), duplicates


def write_rows(rows: pd.DataFrame, taxonomy: Taxonomy, path: Path) -> None:
    """Write rows that `read_rows` reads back to an equal frame; gaps between line numbers become blank lines.

    Text that a spreadsheet would run as a formula is escaped.
    """
    plain = bool((rows["match"] == MATCHES[0]).all())
    header = [name for name in _columns(taxonomy) if not (plain and name == "match")]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(escape_cell, header))
    next_line = 2
    for row in rows.to_dict("records"):
        text.write("\n" * (row["line"] - next_line))
        next_line = row["line"] + 1
        match = "" if row["match"] == MATCHES[0] else row["match"]
        cells = {**row, "priority": whole_number(row["priority"]), "match": match}
        row_cells = [cells[name] for name in header]
        writer.writerow([escape_cell(cell) if isinstance(cell, str) else cell for cell in row_cells])
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def _columns(taxonomy: Taxonomy) -> tuple[str, ...]:
    """Return every column that a table may have, in the order in which one is written."""
    return ("keyword", "priority", *taxonomy.names, "match")


def _check_header(path: Path, header: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a header in which a column is missing, repeated, or named nearly like one that a table has."""
    missing = [name for name in known if name not in header and name != "match"]
    faults = [f"column {name!r} is missing" for name in missing]
    for name in dict.fromkeys(header):
        near = get_close_matches(name.lower(), known, n=1, cutoff=0.75)
        if name not in known and (near or missing):
            valid = f", the nearest valid name is {near[0]!r}" if near else ""
            faults.append(f"unknown column {name!r}{valid}")
        elif name in known and header.count(name) > 1:
            faults.append(f"column {name!r} occurs {header.count(name)} times")
    if faults:
        raise BadInput(f"{path}: {first_few(faults)}.")


def _nearest(name: str, known: Iterable[str]) -> str:
    """Name the nearest of some names, or the first of them where none is near."""
    names = {one.casefold(): one for one in known}
    near = get_close_matches(name.casefold(), list(names), n=1)
    return f"the nearest is {names[near[0]]!r}" if near else f"known are {first_few(map(repr, names.values()), 12)}"


def _lines(lines: Sequence[int]) -> str:
    """Name the lines that share a fault, as a spreadsheet repeats a wrong label in many of them."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    shown = ", ".join(map(str, lines[:_MAX_LINES]))
    return f"lines {shown}{f' and {len(lines) - _MAX_LINES:,} more' if len(lines) > _MAX_LINES else ''}"


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _keyword_faults(keyword: str, match: str, *, has_word: bool) -> list[str]:
    faults = []
    if match not in MATCHES:
        known = ", ".join(MATCHES)
        faults.append(f"unknown match {match!r}, {_nearest(match, MATCHES)} (known: {known})")
    if not keyword.strip():
        faults.append("empty keyword")
    elif "\n" in keyword or "\r" in keyword:
        faults.append(f"keyword {keyword!r} holds a line break; give each line a row")
    elif match != MATCHES[0] and not has_word:
        faults.append(f"keyword {keyword!r} has no letter or digit, so it matches no {match}")
    elif match in (GAP, MASK) and (fault := star_fault(keyword, match)):
        faults.append(fault)
    return faults


def _label_faults(labels: Mapping[str, str], taxonomy: Taxonomy) -> list[str]:
    faults = []
    for target, label in labels.items():
        known = taxonomy[target].raw_to_class
        if label and label not in known:
            faults.append(f"{label!r} is no {target} label, {_nearest(label, known)}")
    if not any(labels.values()):
        faults.append(f"sets no target; give a label for {' or '.join(labels)}")
    return faults
