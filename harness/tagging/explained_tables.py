"""What is said about a title as tables and lines for a screen, and as JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from data_cleaning.report_table import Table
from harness.tagging.explain import METHOD, Explanation, KeywordHit


def as_json_text(model: str, default: str, explained: Sequence[Explanation]) -> str:
    """Return everything that is said about titles as JSON."""
    content = {"model": model, "default_system": default, "titles": [asdict(one) for one in explained]}
    return json.dumps(content, indent=2, ensure_ascii=False)


def tables_of(explanation: Explanation, default: str) -> list[Table]:
    """Return the tables about one title: the answers of every system, the keywords that match, the words that count."""
    if not explanation.answers:
        return []
    found = (_answers(explanation, default), _keywords(explanation), _words(explanation))
    return [table for table in found if table is not None]


def place_lines(explanation: Explanation) -> list[str]:
    """Word the place of a title in the hierarchy; no lines without a hierarchy."""
    if not explanation.answers:
        return [f"{explanation.title!r} has no text; no system is asked, and it gets no label."]
    place = explanation.place
    if place is None:
        return []
    path, leaf = " > ".join(place.path), " > ".join(place.leaf)
    lines = [f"Place, by {place.system}: {path or 'none with enough confidence'} (probability {place.confidence:.3f})"]
    if place.path != place.leaf:
        lines.append(f"  its labels lead to {leaf}, with too little confidence")
    lines.append(f"  rule of line {place.line}: {place.rule}")
    if place.band is not None:
        lines.append(f"  band: {place.band}")
    if place.new_labels:
        lines.append("  new labels: " + ", ".join(f"{target} {label}" for target, label in place.new_labels.items()))
    if place.contradiction is not None:
        lines.append(f"  its labels contradict themselves: {place.contradiction}")
    return lines


def _answers(explanation: Explanation, default: str) -> Table:
    """Return a row per system, with its label and confidence for each target."""
    rows: dict[str, dict[str, str]] = {}
    for answer in explanation.answers:
        shown = f"{answer.label} {answer.confidence:.3f}"
        rows.setdefault(answer.system, {"system": answer.system})[answer.target] = shown
    read = "" if explanation.read_as == explanation.title else f"Read as {explanation.read_as!r}. "
    note = f"{read}The label of each system and its probability. {default} answers unless another system is named."
    return Table("answers", repr(explanation.title), note, pd.DataFrame(list(rows.values())))


def _keywords(explanation: Explanation) -> Table | None:
    """Return a row per keyword of each table, what it decides and where it is outranked; None without tables."""
    rows: dict[tuple[str, int], dict[str, str]] = {}
    targets = list(dict.fromkeys(answer.target for answer in explanation.answers))

    def row_of(system: str, hit: KeywordHit) -> dict[str, str]:
        shown = {"keyword": hit.keyword, "priority": str(hit.priority), "line": str(hit.line), "match": hit.match}
        return rows.setdefault((system, hit.line), {"system": system, **shown, **dict.fromkeys(targets, "")})

    for answer in explanation.answers:
        for position, hit in enumerate(((answer.decided,) if answer.decided else ()) + answer.outranked):
            raw = hit.label if hit.raw_label == hit.label else f"{hit.raw_label} = {hit.label}"
            row_of(answer.system, hit)[answer.target] = raw if position == 0 else f"({raw})"
    if not rows:
        return None
    order = list(dict.fromkeys(answer.system for answer in explanation.answers))

    def rank(row: dict[str, str]) -> tuple[int, ...]:
        return order.index(row["system"]), int(row["priority"]), -len(row["keyword"]), int(row["line"])

    ranked = sorted(rows.values(), key=rank)
    note = (
        "Rows of the tables that match the title. Among the rows that set a target the lowest priority decides, then "
        "the longer keyword; labels that were outranked are in brackets. Lines are lines of the table's file."
    )
    return Table("keywords", "Keywords", note, pd.DataFrame(ranked))


def _words(explanation: Explanation) -> Table | None:
    """Return a row per word with its share of the evidence for the label of each target; None without a network."""
    asked = [answer for answer in explanation.answers if answer.words]
    if not asked:
        return None
    columns = {f"{answer.target}: {answer.label}": [f"{word.share:+.2f}" for word in answer.words] for answer in asked}
    frame = pd.DataFrame({"word": [word.text for word in asked[0].words], **columns})
    note = (
        f"The share of each word in the evidence for the label ({METHOD.replace('-', ' ')}); a negative share speaks "
        "against it."
    )
    return Table("words", f"Importance of each word to {asked[0].system}", note, frame)
