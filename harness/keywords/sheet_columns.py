"""The columns in which people read and mark suggestions, in a spreadsheet as in CSV."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from data_cleaning.files.spreadsheet_text import safe_text
from harness.keywords.suggestion_json import Origin, column_name, identity
from harness.keywords.suggestions import Suggestion

ACCEPT, REJECT = "accept", "reject"
"""What may be written into the first column; an empty cell is undecided."""

TEXT = "@"
"""How a spreadsheet formats cells that are text whatever they look like."""

Cell = str | int | float | None

_ANY, _WHOLE, _POINTS, _SHARE = "General", "#,##0", "+0.00%;-0.00%;0.00%", "0.0%"
_N_EXAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: what it says, where that comes from, and how it looks."""

    name: str
    meaning: str
    value: Callable[[Suggestion], Cell]
    number_format: str = TEXT
    """Of a spreadsheet."""
    widest: int = 16
    """Characters, beyond which text is wrapped."""

    @property
    def is_text(self) -> bool:
        """Whether its cells are text."""
        return self.number_format == TEXT


@dataclass(frozen=True, kw_only=True)
class SheetRow:
    """One row as a person left it."""

    line: int
    """Of the file; the header's is 1."""
    cells: Mapping[str, str]
    """Column to its cell as text, not escaped any more."""
    no_text: Mapping[str, str] = field(default_factory=dict)
    """Column to what else it holds, such as a formula."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A file of suggestions as a person left it."""

    header: Sequence[str]
    rows: Sequence[SheetRow]


def columns_for(origin: Origin) -> tuple[Column, ...]:
    """Return the columns in order: the mark, the table's own with what is to become of them, and the evidence."""
    labels = [
        Column(
            name=target,
            meaning=f"Raw {target} label that the row sets; empty where it sets none.",
            value=_label(target),
            widest=28,
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


def cells_of(suggestion: Suggestion, columns: Sequence[Column]) -> dict[str, Cell]:
    """Return the cells of a suggestion by column, text made safe for a spreadsheet."""
    values = ((column.name, column.value(suggestion)) for column in columns)
    return {name: safe_text(value) if isinstance(value, str) else value for name, value in values}


def as_text(cell: Cell) -> str:
    """Return what a cell reads as."""
    return "" if cell is None else str(cell)


def as_number(number: float | None) -> Cell:
    """Return a whole number as such, so that it is written without a fraction."""
    return int(number) if number is not None and float(number).is_integer() else number


def _label(target: str) -> Callable[[Suggestion], Cell]:
    return lambda one: one.labels.get(target, "")


def _examples(name: str, meaning: str, titles: Callable[[Suggestion], Sequence[str]]) -> list[Column]:
    def nth(number: int) -> Callable[[Suggestion], Cell]:
        return lambda one: titles(one)[number] if number < len(titles(one)) else ""

    return [
        Column(name=f"{name}_{number + 1}", meaning=meaning, value=nth(number), widest=36)
        for number in range(_N_EXAMPLES)
    ]


_BEFORE_LABELS = (
    Column(name="accept", meaning="Yours: accept, reject, or empty.", value=lambda _: ""),
    Column(name="action", meaning="What is to become of the row.", value=lambda one: one.action),
    Column(
        name="line",
        meaning="Line of the row in the table's file; empty for a new row.",
        value=lambda one: one.line,
        number_format=_ANY,
    ),
    Column(name="keyword", meaning="Keyword of the row.", value=lambda one: one.keyword, widest=40),
    Column(
        name="priority",
        meaning="Priority of the row from now on; a lower number outranks.",
        value=lambda one: as_number(one.priority),
        number_format=_ANY,
    ),
)
_AFTER_LABELS = (
    Column(name="match", meaning="How the keyword is sought from now on.", value=lambda one: one.match),
    Column(
        name="old_priority",
        meaning="Priority that the row has in the table.",
        value=lambda one: as_number(one.old_priority),
        number_format=_ANY,
    ),
    Column(name="old_match", meaning="Match that the row has in the table.", value=lambda one: one.old_match),
    Column(name="rationale", meaning="Why, in one sentence.", value=lambda one: one.rationale, widest=60),
    Column(
        name="lift",
        meaning="Rise of the accuracy on validation, in percentage points: targets weigh their importance, titles the "
        "root of their records.",
        value=lambda one: one.evidence.lift,
        number_format=_POINTS,
    ),
    Column(
        name="lift_low",
        meaning="Lower bound of its one-sided 95% interval.",
        value=lambda one: one.evidence.lift_low,
        number_format=_POINTS,
    ),
    Column(
        name="fixed",
        meaning="Titles of validation that the change sets right.",
        value=lambda one: one.evidence.fixed,
        number_format=_WHOLE,
    ),
    Column(
        name="broken",
        meaning="Titles of validation that the change spoils.",
        value=lambda one: one.evidence.broken,
        number_format=_WHOLE,
    ),
    Column(
        name="precision",
        meaning="Share of the judged titles whose verdict is right after the change.",
        value=lambda one: one.evidence.precision,
        number_format=_SHARE,
    ),
    Column(
        name="precision_low",
        meaning="Lower bound of its 95% interval.",
        value=lambda one: one.evidence.precision_low,
        number_format=_SHARE,
    ),
    Column(
        name="precision_high",
        meaning="Upper bound of its 95% interval.",
        value=lambda one: one.evidence.precision_high,
        number_format=_SHARE,
    ),
    Column(
        name="judged_titles",
        meaning="Titles of validation whose verdict the change decides, and that the judge knows.",
        value=lambda one: one.evidence.judged_titles,
        number_format=_WHOLE,
    ),
    Column(name="judge", meaning="Whose verdict counts as right.", value=lambda one: one.evidence.judge),
    Column(
        name="support_titles",
        meaning="Distinct titles of train that the keyword matches.",
        value=lambda one: one.evidence.support_titles,
        number_format=_WHOLE,
    ),
    Column(
        name="support_records",
        meaning="Records of these titles.",
        value=lambda one: one.evidence.support_records,
        number_format=_WHOLE,
    ),
    Column(
        name="importance",
        meaning="Mean share of the network's importance that falls on the keyword.",
        value=lambda one: one.evidence.importance,
        number_format=_SHARE,
    ),
    *_examples("example", "Title that it sets right.", lambda one: one.evidence.examples),
    *_examples("counter_example", "Title that it spoils.", lambda one: one.evidence.counter_examples),
)
