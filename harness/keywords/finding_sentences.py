"""The sentences of an audit, each made from one line of its tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from data_cleaning.errors import counted
from harness.keywords.audit_tables import NEVER_FIRED, SHADOWED, UNREACHABLE

Line = Mapping[str, Any]
"""Column to cell. `judge` is the reference that the line is compared with; without one, no share is given."""

_MAX_HOSTS, _MAX_ROWS = 2, 5


def accident(line: Line) -> str:
    """Say that a keyword decides records in which it only occurs inside longer words."""
    hosts = [repr(host) for host in dict.fromkeys(line["hosts"])]
    if len(hosts) > _MAX_HOSTS + 1:
        hosts = [*hosts[:_MAX_HOSTS], f"{len(hosts) - _MAX_HOSTS:,} other words"]
    inside = f"{', '.join(hosts[:-1])} or {hosts[-1]}" if len(hosts) > 1 else hosts[0]
    records = line["decided_records"]
    said = f"{_row(line)} decides {counted(records, 'record')} in which it only occurs inside {inside}"
    return f"{said}{_wrong(line, records)}."


def clash(line: Line) -> str:
    """Say that the length of a keyword or the order of two rows decides between classes."""
    tie = "longer" if line["wins_by"] == "longer keyword" else "earlier"
    both = f"{_row(line)} has the same priority as {_row(line, 'opponent')} and wins because it is {tie}"
    return f"{both}, {_set_by_winner(line)}"


def conflict(line: Line) -> str:
    """Say that a row outranks one of another class."""
    return f"{_row(line)} outranks {_row(line, 'opponent')}, {_set_by_winner(line)}"


def chain(line: Line) -> str:
    """Say that a third keyword wins where another one beats a second."""
    outcome = {
        **line,
        **{"class": line["third_class"], "opponent_class": line["first_class"], "decided_records": line["records"]},
        **{"own_right": line.get("right"), "opponent_right": line.get("right_without")},
    }
    all_three = f"{_row(line, 'first')} beats {_row(line, 'second')}, but {_row(line, 'third')} beats both"
    return f"{all_three}, {_set_by_winner(outcome)}"


def wrong(line: Line) -> str:
    """Say how often a row is wrong about one target."""
    records = line["decided_records"]
    said = f"{_row(line)} sets the {line['target']} of {counted(records, 'record')} to {line['label']!r}"
    return f"{said}{_wrong(line, records)}, where {line['instead']!r} is right most often."


def fallback(line: Line) -> str:
    """Say how many records no row decides."""
    records = line["records"]
    share = percent(records / line["all_records"])
    undecided = f"No row decides the {line['target']} of {counted(records, 'record')}"
    said = f"{undecided}, {share} of all, which get {line['fallback']!r}"
    return f"{said}{_wrong(line, records)}."


def duplicate(line: Line) -> str:
    """Say that a row repeats an earlier one."""
    label = "the same label" if line["agree"] else f"another label, {line['label']!r} and not {line['first_label']!r}"
    repeats = f"{_row(line)} repeats the {line['target']} that line {line['first_line']} sets, with {label}"
    decides = "" if line["records"] is None else f", and decides {counted(line['records'], 'record')}"
    return f"{repeats}; the earlier row was kept here{decides}. Other verbs refuse the table."


def question(line: Line) -> str:
    """Say that a keyword is probably not what its owner wants to find."""
    hit = "" if line.get("records") is None else f" hits {counted(line['records'], 'record')}"
    return f"{_row(line)}{hit}: {line['reason']}."


def overlap(line: Line) -> str:
    """Say that two rows of equal priority conflict wherever one of them matches, whatever the titles."""
    both = f"{_row(line)} and {_row(line, 'opponent')} have the same priority but set the {line['target']}"
    classes = f"to {line['class']!r} and {line['opponent_class']!r}"
    return f"{both} {classes}; where both match, the first wins as the {line['wins_by']}."


def never_decides(line: Line) -> str:
    """Say that a row can never decide a title."""
    return f"{_row(line)} can never decide a title: it is {line['verdict']}."


def idle(kind: str, records: int, lines: Sequence[Line]) -> str:
    """Say which rows decide nothing for one reason; only the first lines are named."""
    rows = counted(len(lines), "row")
    because = "" if kind == NEVER_FIRED else kind.split()[0]
    named = [_row(line) + (line["verdict"].removeprefix(because) if because else "") for line in lines[:_MAX_ROWS]]
    if kind == NEVER_FIRED:
        told = sorted(lines, key=lambda line: line["never_because"] is None)[:_MAX_ROWS]
        named = [_row(line) + (f", as {line['never_because']}" if line["never_because"] else "") for line in told]
    left = len(lines) - len(named)
    listed = "; ".join(named) + (f"; and {left:,} more" if left else "")
    hit = f"{counted(records, 'record')} {'is' if records == 1 else 'are'} hit by {rows} that"
    return {
        NEVER_FIRED: f"{rows} never fired: {listed}.",
        SHADOWED: f"{hit} {'is' if len(lines) == 1 else 'are'} outranked every time: {listed}.",
        UNREACHABLE: f"{hit} can never decide a title: {listed}.",
    }[kind]


def percent(share: float) -> str:
    """Write a share for a sentence; only all is 100%, and only none is 0%."""
    if 0 < share < 0.005:
        return "under 1%"
    return "over 99%" if 0.995 <= share < 1 else f"{share:.0%}"


def _row(line: Line, side: str = "") -> str:
    """Name the row of a line, or the one on another side, such as the opponent."""
    if side == "opponent":
        keyword, number = line["opponent"], line["opponent_line"]
    else:
        keyword, number = (line[f"{side}_{name}" if side else name] for name in ("keyword", "line"))
    return f"{keyword!r} (line {number})"


def _set_by_winner(line: Line) -> str:
    """Say which class is set for how many records, which would be set otherwise, and how often either is right."""
    own, other = line["class"], line["opponent_class"]
    said = (
        f"setting the {line['target']} of {counted(line['decided_records'], 'record')} to {own!r} instead of {other!r}"
    )
    if not line.get("judge"):
        return f"{said}."
    judged = line["judged_records"]
    right, otherwise = (percent(line[name] / judged) for name in ("own_right", "opponent_right"))
    return f"{said}; in {line['judge']} {otherwise} of {judged:,} are {other!r} and {right} {own!r}."


def _wrong(line: Line, records: int) -> str:
    """End a sentence with the share that is wrong, and of how many records where not all are known."""
    if not line.get("judge"):
        return ""
    judged, share = line["judged_records"], percent(line["wrong_records"] / line["judged_records"])
    if judged == records:
        return f"; {share} of them are wrong according to {line['judge']}"
    return f"; of the {judged:,} that {line['judge']} knows, {share} are wrong"
