"""Proposed changes of a keyword table with their evidence, the amended table, and the memory of rejected changes."""

import hashlib
import json
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import polars as pl
from pydantic import TypeAdapter, ValidationError

from baselines.keyword_table import KeywordTable
from data_cleaning.errors import BadInput, first_few
from data_cleaning.files.table_reader import as_text, read_table
from data_cleaning.taxonomy import Taxonomy

Action = Literal["add", "re-prioritise", "narrow", "retire"]

ACTIONS: tuple[Action, ...] = ("add", "re-prioritise", "narrow", "retire")
"""A new row; another priority; a substring row that does not match inside words after the change; a row that is
removed."""

MEMORY_NAME = "rejected_suggestions.csv"
COLUMNS = ("date", "action", "keyword", "table", "reason", "key")
"""Of the file; a person may add others. Only `key` is read again, so a suggestion is forgotten by deleting its row."""

FORMAT = 2
"""Version of the layout of the JSON file."""

_AS_THEY_ARE = ("action", "line", "keyword", "priority", "match", "old_priority", "old_match", "rationale", "group")
_KEY = re.compile(rf"({'|'.join(ACTIONS)})\|.", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The evidence for and against one change, made on top of the changes before it."""

    support_titles: int
    """Distinct judged titles that the row matches after the change or, if it is retired, before."""
    support_records: int
    """Records of these titles."""
    judge: str
    """Whose labels count as right."""
    lift: float
    """Gain of the accuracy on the judged titles, in [-1, 1]; targets are weighted by their importance."""
    p_value: float
    """Of the sign test of fixed against broken titles; of a pair or a group, that of all its changes together."""
    reviewed_fixed: int
    """Titles that a person labelled in which more targets are right after the change."""
    reviewed_broken: int
    """Such titles in which fewer are."""
    believed_fixed: int
    """The same of titles whose label is predicted, or recorded where nothing was reviewed."""
    believed_broken: int
    variants_fixed: int
    """The same of titles that were derived from labelled ones, such as "Former CISO" from "CISO"."""
    variants_broken: int
    examples: tuple[str, ...]
    """At most three of the fixed titles, reviewed ones and then the most frequent first."""
    counter_examples: tuple[str, ...]
    """At most three of the broken titles."""
    importance: float | None
    """Mean share of the network's importance that is on the keyword, in [0, 1]; None where none was attributed."""

    @property
    def fixed(self) -> int:
        """Titles of all kinds that the change fixes."""
        return self.reviewed_fixed + self.believed_fixed + self.variants_fixed

    @property
    def broken(self) -> int:
        """Titles of all kinds that the change breaks."""
        return self.reviewed_broken + self.believed_broken + self.variants_broken


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """One change of a table, in the columns of the table, with its evidence."""

    action: Action
    keyword: str
    priority: float
    """Of the row after the change; its current one if it is retired."""
    match: str
    """How the keyword is matched after the change."""
    labels: Mapping[str, str]
    """Target to the raw label that the row sets, "" where it sets none."""
    line: int | None = None
    """Line of the row in the table's file; None for a new row."""
    old_priority: float | None = None
    old_match: str | None = None
    evidence: Evidence
    rationale: str
    """One plain sentence."""
    group: str = ""
    """Name of the group or pair of changes that was tried as one, and of which this is a part."""

    @property
    def key(self) -> str:
        """The key under which the change is remembered if it is rejected; see `key_of`."""
        return key_of(self.action, self.keyword, self.labels)

    @property
    def cells(self) -> dict[str, str | float]:
        """The row after the change, in the columns of a keyword table."""
        return {"keyword": self.keyword, "priority": self.priority, "match": self.match, **self.labels}


def key_of(action: Action, keyword: str, labels: Mapping[str, str]) -> str:
    """Return the key under which a change is remembered if it is rejected.

    A keyword that was rejected as a new row is not offered with other labels or at another priority either. A row of
    the table is identified by its keyword and labels, as line numbers change from one revision to the next.
    """
    known_by = [] if action == "add" else [f"{target}={label}" for target, label in sorted(labels.items()) if label]
    return "|".join([action, keyword.casefold(), *known_by])


def amend(table: KeywordTable, changes: Sequence[Suggestion]) -> KeywordTable:
    """Return a table with changes made; new rows come last, and the others keep their order.

    Raises:
        BadInput: a row that is to be changed is not in the table, or the table would be faulty: two rows would set the
            same target for one keyword.
    """
    rows = {int(row["line"]): row for row in table.rows.to_dict("records")}
    for change in changes:
        if change.action == "add":
            continue
        row = rows.get(change.line or 0)
        if row is None or row["keyword"] != change.keyword:
            raise BadInput(
                f"The suggestion to {change.action} {change.keyword!r} is for line {change.line} of another table. "
                "Apply suggestions to the table that they were made for."
            )
        if change.action == "retire":
            del rows[int(row["line"])]
        else:
            rows[int(row["line"])] = {**row, "match": change.match, "priority": change.priority}
    added = [change.cells for change in changes if change.action == "add"]
    whole = pd.DataFrame([*rows.values(), *added], columns=table.rows.columns.drop("line"), dtype=object)
    return KeywordTable.from_frame(whole, table.taxonomy, "the amended table")


def without_row(table: KeywordTable, line: int) -> KeywordTable:
    """Return a table without the row of one line; the others keep their lines."""
    return replace(table, rows=table.rows[table.rows["line"] != line].reset_index(drop=True))


def memory_beside(table: Path) -> Path:
    """Return the file of the rejected suggestions for a table and for its other revisions."""
    return table.with_name(MEMORY_NAME)


def read_memory(path: Path) -> pl.DataFrame:
    """Read every column of the file, of any kind, as text; without a file there are no rows.

    Raises:
        BadInput: the file cannot be read, has no column `key`, or a row in it has no key of a suggestion.
    """
    if not path.exists():
        return pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
    table = read_table(path, allow_no_rows=True)
    frame = as_text(table.frame, path).rename(str.strip)
    if "key" not in frame.columns:
        raise BadInput(f"{path} has no column 'key' but {first_few(map(repr, frame.columns))}; name it in line 1.")
    faults = [
        f"{table.place(row)}: {key or ''!r} is no key of a suggestion"
        for row, key in enumerate(frame["key"])
        if not _KEY.match(key or "")
    ]
    if faults:
        raise BadInput(f"{path}: {first_few(faults)}. A key is written as 'add|keyword'; fix or delete these rows.")
    return frame


def read_rejected(path: Path) -> list[str]:
    """Return the keys of the suggestions that were rejected; see `read_memory`."""
    return read_memory(path)["key"].to_list()


def updated(
    memory: pl.DataFrame,
    *,
    accepted: Sequence[str],
    rejected: Sequence[tuple[Suggestion, str]],
    table_name: str,
    day: date,
) -> pl.DataFrame:
    """Remove from the memory what is accepted now, by key, and add what is rejected and not yet in it, with reasons."""
    kept = memory.filter(~pl.col("key").is_in(list(accepted)))
    known = set(kept["key"])
    new = {one.key: (one, reason) for one, reason in rejected if one.key not in known}
    cells = [
        (day.isoformat(), one.action, one.keyword, table_name, reason or None, key)
        for key, (one, reason) in new.items()
    ]
    noted = pl.DataFrame(cells, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    return pl.concat([kept, noted], how="diagonal")


OriginalRow = tuple[int, str, float, str, tuple[str, ...]]
"""Line, keyword, priority, match, and the label of each target ("" for none)."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The keyword table that suggestions were made for, and the run that made them."""

    table_name: str
    """Name of the table's file, such as 2023.csv."""
    table_path: str
    """Path of the file: relative to the folder in which the verb was called if it was inside, otherwise absolute."""
    table_sha256: str
    """Of the file's bytes."""
    targets: tuple[str, ...]
    """Of the taxonomy, the most important first."""
    made_at: str
    """Date and time with its zone, as ISO 8601."""
    run: str
    """Name of the run whose network was mined."""
    split: str
    learned_from: str
    rows: tuple[OriginalRow, ...] = ()
    """The rows of the table, to tell whether another file holds the same; none in files of earlier versions."""

    @classmethod
    def of(
        cls,
        table: Path,
        targets: Sequence[str],
        *,
        run: str,
        split: str,
        learned_from: str,
        read: KeywordTable | None = None,
    ) -> "Origin":
        """Describe suggestions made now for the table in a file; `read` is its content, for a later comparison."""
        place, here = table.absolute(), Path.cwd()
        return cls(
            table_name=table.name,
            table_path=(place.relative_to(here) if place.is_relative_to(here) else place).as_posix(),
            table_sha256=sha256_of(table),
            targets=tuple(targets),
            made_at=datetime.now().astimezone().isoformat(timespec="seconds"),
            run=run,
            split=split,
            learned_from=learned_from,
            rows=() if read is None else tuple(_original_row(row, targets) for row in read.rows.to_dict("records")),
        )

    def original(self, taxonomy: Taxonomy) -> KeywordTable:
        """Return the table that the suggestions were made for, as far as `rows` has it."""
        rows = [(*facts, *labels) for *facts, labels in self.rows]
        columns = ["line", "keyword", "priority", "match", *self.targets]
        return KeywordTable(taxonomy=taxonomy, rows=pd.DataFrame(rows, columns=columns))


@dataclass(frozen=True, kw_only=True)
class Exact:
    """The content of a JSON file of suggestions."""

    origin: Origin
    suggestions: Mapping[str, Suggestion]
    """By identity, in the order of the file."""
    marks: Mapping[str, str]
    """The marks in `accept`, by identity."""


_ORIGIN = TypeAdapter(Origin)
_SUGGESTION = TypeAdapter(Suggestion)


def _original_row(row: Mapping[Hashable, Any], targets: Sequence[str]) -> OriginalRow:
    labels = tuple(row[target] for target in targets)
    return int(row["line"]), row["keyword"], float(row["priority"]), row["match"], labels


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def column_name(name: str, targets: Sequence[str]) -> str:
    """Return the name of one of our own columns; a target of the same name takes precedence."""
    return f"suggestion_{name}" if name in targets else name


def identity(suggestion: Suggestion, origin: Origin) -> str:
    """Return a short name for one change of one table that a spreadsheet takes for text."""
    labels = {target: label for target, label in suggestion.labels.items() if label}
    line = None if suggestion.line is None else int(suggestion.line)  # json does not know NumPy's numbers
    facts = (suggestion.action, line, suggestion.keyword, float(suggestion.priority), suggestion.match, labels)
    content = json.dumps([origin.table_sha256, facts], sort_keys=True)
    return f"s{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def to_json(suggestions: Sequence[Suggestion], origin: Origin) -> str:
    """Return the text of a file in which each suggestion has the columns of a table, and its evidence below them."""
    entries = [_entry(suggestion, origin) for suggestion in suggestions]
    content = {"version": FORMAT, "origin": asdict(origin), "suggestions": entries}
    # NumPy's whole numbers are the only values that json does not know.
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False, default=int) + "\n"


def from_json(text: str, where: str) -> Exact:
    """Read what `to_json` returned, in which nothing but the marks may have been changed.

    `where` names the file in messages.

    Raises:
        BadInput: it is no such file, or a suggestion in it was changed.
    """
    remedy = "Make suggestions again; to change a keyword, priority, match or label, use the .xlsx or .csv file."
    try:
        content = json.loads(text)
        if content["version"] != FORMAT:
            raise BadInput(f"{where} has version {content['version']!r}; expected {FORMAT}. Make suggestions again.")
        origin = _ORIGIN.validate_python(content["origin"])
        read = [(_read_entry(entry, origin), entry) for entry in content["suggestions"]]
        written = [str(entry[column_name("id", origin.targets)]) for _, entry in read]
        marks = [str(entry.get(column_name("accept", origin.targets)) or "") for _, entry in read]
    except BadInput:
        raise
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        fault = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise BadInput(f"{where} does not hold suggestions as they were written ({fault}). {remedy}") from None
    suggestions = {identity(suggestion, origin): suggestion for suggestion, _ in read}
    changed = [str(number) for number, name in enumerate(written, start=1) if name not in suggestions]
    if changed:
        raise BadInput(f"{where}: suggestion {first_few(changed)} was changed after it was made. {remedy}")
    return Exact(origin=origin, suggestions=suggestions, marks=dict(zip(written, marks, strict=True)))


def _entry(suggestion: Suggestion, origin: Origin) -> dict[str, Any]:
    facts = {name: getattr(suggestion, name) for name in _AS_THEY_ARE}
    own = {"id": identity(suggestion, origin), "accept": "", **facts, "evidence": asdict(suggestion.evidence)}
    labels = {target: suggestion.labels.get(target, "") for target in origin.targets}
    named = [(column_name(name, origin.targets), value) for name, value in own.items()]
    place = list(own).index("match")  # a table has its targets before it
    return dict([*named[:place], *labels.items(), *named[place:]])


def _read_entry(entry: Mapping[str, Any], origin: Origin) -> Suggestion:
    facts = {name: entry[column_name(name, origin.targets)] for name in (*_AS_THEY_ARE, "evidence")}
    labels = {target: entry[target] for target in origin.targets}
    return _SUGGESTION.validate_python({**facts, "labels": labels})
