"""Cells of a keyword table as people and spreadsheet programs write them, read as they were meant where that is sure.

What is not sure is questioned: the row is kept as it is, and a sentence says what may be wrong with its keyword.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from typing import Any

import polars as pl

from baselines.gap_and_mask import GAP, MASK, with_star
from data_cleaning.errors import counted, first_few
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.words import normalise_titles

Record = tuple[int, Mapping[str, str]]  # line of a CSV file or row of a sheet, column to cell

_MONTH = (  # English and German
    "(?:jan(?:uary?)?|feb(?:ruary?)?|m[aä]r(?:ch|z)?|mrz|apr(?:il)?|ma[iy]|jun[ei]?|jul[yi]?|aug(?:ust)?|"
    "sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)"
)
_DATE = re.compile(
    rf"\d{{4}}-\d\d-\d\d(?:[T ].*)?|\d{{1,2}}([./-])\d{{1,2}}\1\d{{2,4}}|{_MONTH}[-./ ]+\d{{2,4}}"
    rf"|\d{{1,2}}[-./ ]+{_MONTH}(?:[-./ ]+\d{{2,4}})?|\d{{1,2}}:\d\d(?::\d\d)?",
    re.IGNORECASE,
)
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
_SERIAL_DAYS = range(36_526, 54_789)  # 2000 to 2049
_SERIAL_ORIGIN = date(1899, 12, 30)

_QUESTIONS: tuple[tuple[str, str], ...] = (
    (r"(?i)true|false|wahr|falsch", "a spreadsheet program may have taken a word for a truth value"),
    (r"\d(?:\.\d+)?E[+-]?\d+", "a spreadsheet program may have written a number or a code in scientific notation"),
    (r"#(?:N/A|NAME\?|REF!|VALUE!|DIV/0!|NULL!|NUM!|NV|BEZUG!|WERT!)", "a formula in the spreadsheet has failed"),
    (r".*[*?^$\\\[\]{}].*", "it is sought as it is written, not as a pattern; give the beginning of a word with match "
     "'prefix'; a star counts with match 'gap' or 'mask'"),
    (r".*[|;].*", "it is sought as it is written, not as several keywords; give each a row"),
    (r".*\".*", "it holds a quote, which few titles do"),
    (r".*\ufffd.*", "it holds a character that was lost when the file was saved"),
)  # fmt: skip
"""Patterns of whole keywords, and what may be wrong with such a keyword."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A row whose keyword is probably not what its owner wants to find."""

    line: int
    keyword: str
    reason: str
    """A clause that says why."""

    def __str__(self) -> str:
        """Name the row and the reason."""
        return f"line {self.line} {self.keyword!r}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class CleanCells:
    """Rows of a table in normal spelling."""

    records: list[Record]
    notes: tuple[str, ...]
    """What was read otherwise than it is written, in sentences for a person."""
    questions: tuple[Question, ...]


def clean_cells(records: Sequence[Record], taxonomy: Taxonomy) -> CleanCells:
    """Bring the cells of a table into normal spelling.

    Rows without any text are left out. Keywords are spelled as titles are (see `normalise_titles`) and lose quotes
    around them; a substring with blanks on both sides becomes a word. A match may have any case, a priority a decimal
    comma, and a label any case and blanks, as far as only one label of the target is meant.
    """
    rows = [(line, dict(cells)) for line, cells in records if any(cell.strip() for cell in cells.values())]
    written = [cells.get("keyword", "") for _, cells in rows]
    spelled = normalise_titles(pl.Series(written, dtype=pl.String)).to_list()
    used = {cells.get(target, "").strip() for _, cells in rows for target in taxonomy.names}
    folded = _folded({*used, *chain.from_iterable(taxonomy[target].raw_to_class for target in taxonomy.names)})
    labels = {target: _labels_by_spelling(taxonomy, target, folded) for target in taxonomy.names}
    keywords, others, questions = [], [], []
    for (line, cells), keyword, now in zip(rows, written, spelled, strict=True):
        match = cells.get("match", "").strip().lower()
        if match in ("", "substring") and keyword.strip() and keyword[0].isspace() and keyword[-1].isspace():
            match = "word"
        if "\n" not in keyword.strip() and "\r" not in keyword.strip():  # is a fault of its own
            cells["keyword"] = with_star(_without_quotes(now)) if match in (GAP, MASK) else _without_quotes(now)
        cells["match"] = match
        if re.fullmatch(r"\d+,\d{1,2}", cells.get("priority", "").strip()):
            cells["priority"] = cells["priority"].replace(",", ".")
        if cells.get("keyword", "") != keyword:
            as_word = ", as a whole word" if match == "word" and keyword[-1:].isspace() else ""
            keywords.append(f"line {line} {keyword!r} as {cells['keyword']!r}{as_word}")
        for target, known in labels.items():
            label = cells.get(target, "").strip()
            meant = known.get(folded[label], label)
            if meant != label and label not in taxonomy[target].raw_to_class:
                others.append(f"line {line} {label!r} as {meant!r}")
                cells[target] = meant
        reason = None if match in (GAP, MASK) else question_of(cells.get("keyword", ""))
        if reason:
            questions.append(Question(line=line, keyword=cells["keyword"], reason=reason))
    notes = [f"Rows without any text, left out: {len(records) - len(rows):,}."] if len(rows) < len(records) else []
    notes += _read_as("keyword", keywords) + _read_as("label", others)
    if questions:
        notes.append(f"{counted(len(questions), 'keyword')} to look at: {first_few(map(str, questions))}.")
    return CleanCells(records=[*rows], notes=tuple(notes), questions=tuple(questions))


def whole_number(value: Any) -> Any:
    """Return a whole number without a fraction, and any other value as it is: a priority of 5.0 is written 5."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def question_of(keyword: str) -> str | None:
    """Say what may be wrong with a keyword, as a clause; None if nothing is known."""
    serial = _SERIAL.fullmatch(keyword)
    if serial and int(serial[1]) in _SERIAL_DAYS:
        day = _SERIAL_ORIGIN + timedelta(days=int(serial[1]))
        return f"a spreadsheet program may have turned a date or a word into this number, which stands for {day}"
    if _DATE.fullmatch(keyword):
        return "a spreadsheet program may have turned a word or a number into a date or time"
    return next((reason for pattern, reason in _QUESTIONS if re.fullmatch(pattern, keyword)), None)


def column_names(header: Iterable[str], known: Sequence[str]) -> list[str]:
    """Return the known name of each column, and its own, stripped, where none is meant.

    Case, blanks, and signs such as the star of "Priority *" make no difference, unless they tell two known names apart.
    """
    written_names = list(header)
    folded = _folded({*known, *written_names})
    meant: dict[str, list[str]] = {}
    for name in known:
        meant.setdefault(_letters(folded[name]), []).append(name)
    names = []
    for written in written_names:
        exact = [name for name in known if name.lower() == written.strip().lower()]
        alike = exact or meant.get(_letters(folded[written]), [])
        names.append(alike[0] if len(alike) == 1 else written.strip())
    return names


def _read_as(noun: str, changes: Sequence[str]) -> list[str]:
    return [f"Read {counted(len(changes), noun)} otherwise than written: {first_few(changes)}."] if changes else []


def _labels_by_spelling(taxonomy: Taxonomy, target: str, folded: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of a target by their folded form, without those that two classes share."""
    of_class = taxonomy[target].raw_to_class
    found: dict[str, list[str]] = {}
    for label in of_class:
        found.setdefault(folded[label], []).append(label)
    return {key: labels[0] for key, labels in found.items() if len({of_class[label] for label in labels}) == 1}


def _folded(texts: Collection[str]) -> dict[str, str]:
    """Return each text without what case and spelling make different; all at once, as one takes a millisecond."""
    spelled = normalise_titles(pl.Series(list(texts), dtype=pl.String)).to_list()
    return {text: now.casefold() for text, now in zip(texts, spelled, strict=True)}


def _letters(folded: str) -> str:
    return re.sub(r"[\W_]+", "", folded)


def _without_quotes(keyword: str) -> str:
    """Take quotes off that enclose a whole keyword and do not occur in it."""
    for quote in "\"'":
        inner = keyword[1:-1]
        if len(keyword) > 2 and keyword[0] == keyword[-1] == quote and quote not in inner and inner.strip():
            return _without_quotes(inner.strip())
    return keyword
