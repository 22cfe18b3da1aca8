"""The sheet in which a person labels titles, and what is read back of it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from data_cleaning.column_names import one_column, same_columns
from data_cleaning.errors import BadInput, did_you_mean, first_few
from data_cleaning.files.sources import FileColumns
from data_cleaning.files.table_layout import Layout
from data_cleaning.files.table_reader import as_text, read_table
from data_cleaning.files.workbooks import Workbook
from data_cleaning.labelled_files import ANSWER, DONE, ID, LABELLING_SHEET, REVIEWER
from data_cleaning.lead_columns import LeadColumns, find_title
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.words import normalise_titles
from harness.tagging.business.business_workbook import (
    PLAIN,
    TITLE,
    TO_FILL,
    OverviewSheet,
    SheetTable,
    counted_table,
    write_sheet,
)

NOTE = "note"
YES = "yes"
_MARKS = frozenset({YES, "y", "x", "done", "true", "1", "ok", "ja", "oui", "si"})
_UNMARKED = frozenset({"", "no", "n", "false", "0", "nein", "non"})
_BETWEEN = " / "
_NOTHING = "(blank)"
"""A target without a label in the column of answers."""


@dataclass(frozen=True, kw_only=True)
class ReviewedRows:
    """What a person said in one file."""

    rows: pl.DataFrame
    """`place` in the file, `title` in normal spelling, a class name or null per target, `reviewer` and `note`, null
    where the file has none."""
    n_left: int
    """Rows that nobody has judged yet."""
    faults: Sequence[str]
    """Faults of single rows, each with its place."""


def labelling_table(frame: pl.DataFrame, taxonomy: Taxonomy, about: str, to_fill: Sequence[str] = ()) -> SheetTable:
    """Return the sheet in which a person labels titles: drop-downs of classes, and yellow cells to fill in."""
    filled = {frame.get_column_index(name) for name in (*taxonomy.names, *to_fill)}
    choices: dict[int, Sequence[str]] = {
        frame.get_column_index(target.name): target.classes for target in taxonomy.targets
    }
    if DONE in frame.columns:
        choices[frame.get_column_index(DONE)] = [YES]
    return counted_table(
        frame,
        name=LABELLING_SHEET,
        about=about,
        wrapped=True,
        style=lambda row, column: TO_FILL if column in filled else PLAIN,
        choices=choices,
    )


def write_picked(path: Path, picked: pl.DataFrame, taxonomy: Taxonomy, heading: str, about: Sequence[str]) -> None:
    """Write a workbook of picked titles, the sheet to fill in first.

    Args:
        path: of the workbook.
        picked: `title`, the best answer per target, `records` and `why`.
        taxonomy: names the targets and their classes.
        heading: of the second sheet, which says how to use the first.
        about: its sentences.
    """
    n_titles = len(picked)
    names = taxonomy.names
    answers = [_answer(dict(zip(names, labels, strict=True))) for labels in picked.select(names).iter_rows()]
    empty = pl.Series([None] * n_titles, dtype=pl.String)
    frame = picked.select("title", *names).with_columns(
        **{DONE: empty, NOTE: empty}, records=picked["records"], why=picked["why"],
        **{ANSWER: pl.Series(answers, dtype=pl.String), ID: pl.Series(map(identity, picked["title"]), dtype=pl.String)},
    )  # fmt: skip
    with Workbook(path, path.parent) as book:
        write_sheet(book.sheet(LABELLING_SHEET), labelling_table(frame, taxonomy, "", (DONE, NOTE)))
        overview = OverviewSheet(book.sheet("How to"))
        overview.line(heading, TITLE)
        for sentence in about:
            overview.line(sentence)


def identity(title: str) -> str:
    """Return what a sheet calls a title, by which a title that was changed is noticed."""
    # It begins with a letter, so that no spreadsheet takes it for a number.
    return "t" + hashlib.sha256(title.encode()).hexdigest()[:11]


def read_reviewed(path: Path, taxonomy: Taxonomy, encoding: str | None, known: pl.Series | None) -> ReviewedRows:
    """Read a file that a person has labelled: one that `review pick` wrote, or any other with titles of `known` leads.

    A row of a picked sheet counts once it is marked as done, or a label differs from the answer that was filled in. In
    any other file a row counts once it has a label.

    Raises:
        BadInput: the file cannot be read; its header is not as it was; it was not picked and no leads are known. Faults
            of single rows are in the result.
    """
    from data_cleaning.files.xlsx_source import has_sheet  # on use, as every reader of one kind of file

    if not path.is_file():
        raise BadInput(f"No file at {path}; expected a sheet that 'review pick' wrote, with what a person says of it.")
    found: dict[str, str] = {}

    def choose(file: FileColumns) -> list[str]:
        found.update(_columns(file, path, taxonomy, known is not None))
        return list(found.values())

    layout = Layout(sheet=LABELLING_SHEET if has_sheet(path, LABELLING_SHEET) else None)
    table = read_table(path, encoding, choose=choose, layout=layout)
    frame = as_text(table.frame, path).rename({theirs: ours for ours, theirs in found.items()})
    frame = frame.with_columns(pl.all().str.strip_chars().replace("", None))
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in (REVIEWER, NOTE) if name not in found]
    frame = frame.with_columns(*absent, normalise_titles(frame["title"]))
    places = [table.place(row) for row in range(len(frame))]
    in_leads = None if known is None else frozenset(known)
    rows, faults, n_left = [], [], 0
    for place, cells in zip(places, frame.iter_rows(named=True), strict=True):
        labels, of_row = _labels(cells, taxonomy)
        judged, of_mark = _is_judged(cells, labels, picked=ID in found)
        if not judged and not of_mark:
            n_left += 1
            continue
        of_row += of_mark + _title_faults(cells, in_leads, picked=ID in found)
        faults += [f"{place}: {fault}" for fault in of_row]
        rows.append((place, cells["title"], *labels.values(), cells[REVIEWER], cells[NOTE]))
    schema = dict.fromkeys(("place", "title", *taxonomy.names, REVIEWER, NOTE), pl.String)
    return ReviewedRows(rows=pl.DataFrame(rows, schema=schema, orient="row"), n_left=n_left, faults=faults)


def _columns(file: FileColumns, path: Path, taxonomy: Taxonomy, leads_known: bool) -> dict[str, str]:
    """Return our name of each column to read to the file's own."""
    names, remedy = file.named, "Give the columns the names that they had."
    of_sheet = [name for name in (DONE, ANSWER, ID) if name in names]
    found = {name: one_column(names, name, path, remedy) for name in taxonomy.names}
    if of_sheet:
        needed = ("title", DONE, ANSWER, ID)
        found |= {name: one_column(names, name, path, remedy) for name in needed}
    elif leads_known:
        found["title"] = find_title(
            names, LeadColumns().title, path, asked_for=False, taken=list(found.values()), values=file.values
        ).name
    else:
        raise BadInput(
            f"{path} is not a sheet that 'review pick' wrote: it has none of the columns {DONE!r}, {ANSWER!r} and "
            f"{ID!r}. If somebody made it by hand, name the leads that its titles are from with --leads."
        )
    return found | {name: name for name in (REVIEWER, NOTE) if len(same_columns(names, name)) == 1 and name in names}


def _labels(cells: Mapping[str, str | None], taxonomy: Taxonomy) -> tuple[dict[str, str | None], list[str]]:
    labels: dict[str, str | None] = {}
    faults = []
    for target in taxonomy.targets:
        written = cells[target.name]
        labels[target.name] = None if written is None else target.raw_to_class.get(written)
        if written is not None and labels[target.name] is None:
            close = did_you_mean(written, list(target.raw_to_class))
            faults.append(f"unknown {target.name} {written!r}.{close}".rstrip("."))
    return labels, faults


def _is_judged(
    cells: Mapping[str, str | None], labels: Mapping[str, str | None], *, picked: bool
) -> tuple[bool, list[str]]:
    """Say whether a person has judged a row, and what is wrong with its mark."""
    if not picked:
        return any(cells[name] is not None for name in labels), []
    mark = (cells[DONE] or "").lower()
    if mark not in _MARKS | _UNMARKED:
        return False, [f"{DONE} is {cells[DONE]!r}; write {YES}, or leave it empty"]
    written = _answer({name: cells[name] for name in labels})
    return mark in _MARKS or (written != cells[ANSWER] and _answer(labels) != cells[ANSWER]), []


def _title_faults(cells: Mapping[str, str | None], known: frozenset[str] | None, *, picked: bool) -> list[str]:
    title = cells["title"]
    if title is None:
        return ["has no title"]
    if picked and identity(title) != cells[ID]:
        return [
            f"the title {title!r} is not the one that was picked there; a spreadsheet may have changed quotes or "
            "dropped zeros, or the row was sorted in part. Copy title and id from the picked file"
        ]
    if known is not None and title not in known:
        return [f"the title {title!r} is not in the leads{did_you_mean(title, list(known))}".rstrip("?. ")]
    return []


def _answer(labels: Mapping[str, str | None]) -> str:
    return _BETWEEN.join(label or _NOTHING for label in labels.values())


def refuse_faults(said_in: str, faults: Sequence[str]) -> None:
    """Refuse a file, named in messages, with faulty rows, all of them named.

    Raises:
        BadInput: there is a fault.
    """
    if faults:
        raise BadInput(
            f"{said_in} was not added, and nothing was changed. {first_few(faults, 20)}. Correct these rows."
        )
