"""Suggestions as JSON, in which every text and number is exact, and which is read back to equal suggestions."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from data_cleaning.errors import BadInput, first_few
from harness.keywords.suggestions import Suggestion

FORMAT = 1
"""Version of the file's layout."""

_AS_THEY_ARE = ("action", "line", "keyword", "priority", "match", "old_priority", "old_match", "rationale")


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

    @classmethod
    def of(cls, table: Path, targets: Sequence[str], *, run: str, split: str, learned_from: str) -> "Origin":
        """Describe suggestions made now for the table in a file."""
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
        )


@dataclass(frozen=True, kw_only=True)
class Exact:
    """The content of a file of suggestions."""

    origin: Origin
    suggestions: Mapping[str, Suggestion]
    """By identity, in the order of the file."""
    marks: Mapping[str, str]
    """The marks in `accept`, by identity."""


_ORIGIN = TypeAdapter(Origin)
_SUGGESTION = TypeAdapter(Suggestion)


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

    Args:
        text: of the file.
        where: name of the file in messages.

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
    except (ValidationError, json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
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
    named = {column_name(name, origin.targets): value for name, value in own.items()}
    place = list(named).index("match")  # a table has its targets before it
    return dict([*list(named.items())[:place], *labels.items(), *list(named.items())[place:]])


def _read_entry(entry: Mapping[str, Any], origin: Origin) -> Suggestion:
    facts = {name: entry[column_name(name, origin.targets)] for name in (*_AS_THEY_ARE, "evidence")}
    labels = {target: entry[target] for target in origin.targets}
    return _SUGGESTION.validate_python({**facts, "labels": labels})
