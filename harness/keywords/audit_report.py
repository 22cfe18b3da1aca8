"""The folder of an audit: a page to read, and every table as CSV for a spreadsheet."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from data_cleaning.files.output_places import mark
from data_cleaning.files.written_tables import write_table
from data_cleaning.report_table import Table
from harness.keywords.audit import Audit
from harness.keywords.audit_tables import OWN
from harness.reporting.pages import Section, write_page

VERB = "audit"
PAGE = "audit.html"

_FINDINGS_SHOWN, _LINES_SHOWN = 15, 20

_CHAIN = tuple(f"{end}_{kind}" for end in ("first", "second", "third") for kind in ("line", "keyword", "class"))
_PAIR = ("target", "line", "keyword", "class", "opponent_line", "opponent", "opponent_class")


def findings_table(audit: Audit) -> Table:
    """Return the most important findings as a table for the command line."""
    shown = audit.findings.head(_FINDINGS_SHOWN)
    if audit.references:
        note = f"What certainly costs most records comes first, according to {' or '.join(audit.references)}."
    else:
        note = "There are no labels to hold the table against, so what most records depend on comes first."
    # The console wraps the lines of a column called why.
    return Table("findings", "What the audit found", note, for_people(shown.select("rank", "records", why="sentence")))


def write_audit_folder(
    folder: Path, audit: Audit, heading: str, notes: Sequence[str], facts: Mapping[str, Any]
) -> list[str]:
    """Write the page and the tables of an audit into an empty folder; return the names of the files, the page first.

    The notes say what was audited on
    which leads, and what was left out; the facts say which files were read.
    """
    frames = {f"{field.name}.csv": getattr(audit, field.name) for field in fields(audit) if field.name != "references"}
    written = {name: frame for name, frame in frames.items() if frame.width}
    for name, frame in written.items():
        write_table(frame, folder / name)
    sentences = audit.findings["sentence"].to_list()
    listed = Section(
        name="findings",
        title="What matters most",
        sentences=sentences,
        note="" if sentences else "Nothing was found.",
        before_file="Every finding is in" if sentences else "",
        file="findings.csv" if sentences else "",
    )
    write_page(folder / PAGE, heading, notes, [listed, *_excerpts(audit)])
    mark(folder, VERB, dict(facts))
    return [PAGE, *written]


def for_people(frame: pl.DataFrame) -> pd.DataFrame:
    """Return a frame for a `Table` in which a column of whole numbers remains one even if some are missing."""
    kinds = {name: "Int64" if kind.is_integer() else None for name, kind in frame.schema.items()}
    return pd.DataFrame({name: pd.Series(frame[name].to_list(), dtype=kind) for name, kind in kinds.items()})


def _excerpts(audit: Audit) -> list[Section]:
    """Return the tables that have rows, in reading order."""
    judge = audit.references[0] if audit.references else None
    said = f" Shares are those of the records that {judge} knows." if judge else ""
    rivals = {"right": "own_right", "opponent_right": "opponent_right"}
    decided = ("records", "decided_records")
    won = audit.conflicts.filter(pl.col("wins") == OWN) if audit.conflicts.width else audit.conflicts
    excerpts = [
        _excerpt(
            "duplicates",
            "What repeats",
            "Rows that set what an earlier row sets for the same keyword and match. The earlier row was kept.",
            audit.duplicates,
            audit.duplicates.columns,
        ),
        _excerpt(
            "questions",
            "Keywords to look at",
            "Rows whose keyword is probably not what its owner wants to find.",
            audit.questions,
            audit.questions.columns,
        ),
        _excerpt(
            "coverage",
            "What is decided",
            f"Titles and records that some row decides, and those left to the fallback.{said}",
            _with_shares(audit.coverage, judge, wrong="wrong_records"),
            ("target", "decided_by", "titles", "records", "wrong"),
        ),
        _rows(audit, judge, said),
        _excerpt(
            "accidents",
            "Keywords inside longer words",
            "Titles in which the keyword of a substring row only occurs inside a longer word, and those of them that "
            f"the row decides, with the commonest longer words. accident_words.csv has a line for each word.{said}",
            _with_shares(_ranked(audit.accidents, judge, "wrong_records"), judge, wrong="wrong_records"),
            ("line", "keyword", "titles", *decided, "wrong", "hosts"),
        ),
        _excerpt(
            "conflicts",
            "Rows against each other",
            "Rows that hit the same title and set different classes, the winner first; decided are the records that no "
            f"third row decides. The file has each pair twice, from the view of either row.{said}",
            _with_shares(_ranked(won, judge, "opponent_right"), judge, **rivals),
            (*_PAIR, *decided, *rivals),
        ),
        _excerpt(
            "clashes",
            "Rows of equal priority against each other",
            f"Between these the longer keyword wins, or the earlier row.{said}",
            _with_shares(_ranked(audit.clashes, judge, "opponent_right"), judge, **rivals),
            (*_PAIR, "wins_by", *decided, *rivals),
        ),
        _excerpt(
            "chains",
            "Keywords that lose to a third one",
            f"The first keyword beats the second, but the third matches as well and wins with another class.{said}",
            _with_shares(
                _ranked(audit.chains, judge, "right_without"), judge, right_so="right", right_without="right_without"
            ),
            ("target", *_CHAIN, "titles", "records", "right_so", "right_without"),
        ),
    ]
    return [excerpt for excerpt in excerpts if excerpt.table and excerpt.table.rows]


def _rows(audit: Audit, judge: str | None, said: str) -> Section:
    """Return the rows with most wrong or most decided records; without titles, the rows that can never decide one."""
    if "records" not in audit.rows.columns:
        idle = audit.rows.filter(pl.col("verdict").is_not_null())
        note = "Rows that can never decide a title, because others outrank them wherever they match."
        return _excerpt("rows", "Rows that decide nothing", note, idle, ("line", "keyword", "verdict"))
    first = f"wrong_records_{judge}" if judge else "decided_records"
    ranked = _with_shares(audit.rows, judge, wrong="wrong_records").sort(first, descending=True, maintain_order=True)
    note = (
        f"What each row hits, and what it decides of one target or more, {'the most wrong' if judge else 'most'} first."
    )
    columns = ["line", "keyword", "priority", "match", "titles", "records", "decided_records"]
    columns += [first, "wrong", "verdict"] if judge else ["verdict"]
    return _excerpt("rows", "What each row is worth", f"{note}{said}", ranked, columns)


def _excerpt(name: str, title: str, note: str, frame: pl.DataFrame, columns: Sequence[str]) -> Section:
    """Return the first lines of a table with a link to all of it; columns that it does not have are left out."""
    shown = frame.head(_LINES_SHOWN).select(column for column in columns if column in frame.columns)
    n_more = len(frame) - _LINES_SHOWN
    return Section(
        name=name,
        title=title,
        note=note,
        table=Table(name, title, note, for_people(shown)).shown(),
        before_file=f"{n_more:,} more, and every figure, in" if n_more > 0 else "Every figure is in",
        file=f"{name}.csv",
    )


def _ranked(frame: pl.DataFrame, judge: str | None, figure: str) -> pl.DataFrame:
    """Sort a table by the records of one figure if there is a reference; otherwise it stays as it is."""
    if judge is None or not frame.width:
        return frame
    return frame.sort(f"{figure}_{judge}", descending=True, maintain_order=True)


def _with_shares(frame: pl.DataFrame, judge: str | None, **figures: str) -> pl.DataFrame:
    """Add each figure as a share of the judged records; a figure is the name of a column without its reference."""
    if judge is None or not frame.width:
        return frame
    judged = pl.col(f"judged_records_{judge}")
    return frame.with_columns(
        (pl.when(judged > 0).then(pl.col(f"{figure}_{judge}") / judged)).alias(name) for name, figure in figures.items()
    )
