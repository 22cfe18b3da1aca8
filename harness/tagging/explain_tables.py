"""Tells why a title is tagged as it is: as tables and lines for a screen, or as JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from data_cleaning.report_table import Table
from harness.tagging.explain import Answer, Explanation, KeywordHit

_WITHOUT, _TOGETHER = "(without words)", "(all together)"
_WORDS_NOTE = (
    "Log-odds of the label: what a title without words has, what each word adds on average over all orders in which "
    "the words may join (Shapley values), and their sum, which is that of the probability above: 0 is .50, +2.2 is "
    ".90, +4.6 is .99."
)


def as_json_text(model: str, default: str, explained: Sequence[Explanation]) -> str:
    """Return everything that is said about titles as JSON."""
    content = {"model": model, "default_system": default, "titles": [asdict(one) for one in explained]}
    return json.dumps(content, indent=2, ensure_ascii=False)


def tables_of(explanation: Explanation, default: str) -> list[Table]:
    """Return the tables about one title: answers, keywords, the nearest reviewed titles, words."""
    if not explanation.answers:
        return []
    found = (
        _answer_table(explanation, default),
        _keyword_table(explanation),
        _nearest_table(explanation),
        *_word_tables(explanation),
    )
    return [table for table in found if table is not None]


def place_lines(explanation: Explanation) -> list[str]:
    """Word the place of a title in the hierarchy; no lines without a hierarchy."""
    if not explanation.answers:
        return [f"{explanation.title!r} has no text; no system is asked, and it gets no label."]
    lines = []
    unlike = list(dict.fromkeys(answer.system for answer in explanation.answers if answer.unlike))
    if unlike:
        lines.append(
            f"The title is unlike those that {' and '.join(unlike)} learned from, so that the fallback answers with "
            "low confidence."
        )
    if explanation.language is not None:
        lines.append(
            f"The title seems to be in another language ({explanation.language}). The systems learned English titles, "
            "so that their answers mean little."
        )
    place = explanation.place
    if place is None:
        return lines
    path, leaf = " > ".join(place.path), " > ".join(place.leaf)
    lines += [f"Place, by {place.system}: {path or 'none with enough confidence'} (probability {place.confidence:.3f})"]
    if place.path != place.leaf:
        lines.append(f"  its labels lead to {leaf}, with too little confidence")
    lines.append(f"  rule of line {place.line}: {place.rule}")
    if place.band is not None:
        lines.append(f"  band: {place.band}")
    if place.new_labels:
        lines.append("  new labels: " + ", ".join(f"{target} {label}" for target, label in place.new_labels.items()))
    if place.contradiction is not None:
        lines.append(f"  its labels contradict themselves: {place.contradiction}")
    elif place.disagreement is not None:
        lines.append(f"  its labels disagree with the place: {place.disagreement}")
    return lines


def _answer_table(explanation: Explanation, default: str) -> Table:
    """Return a row per system, with its label and confidence for each target."""
    rows: dict[str, dict[str, str]] = {}
    for answer in explanation.answers:
        shown = f"{answer.label} {answer.confidence:.3f}"
        rows.setdefault(answer.system, {"system": answer.system})[answer.target] = shown
    read = "" if explanation.read_as == explanation.title else f"Read as {explanation.read_as!r}. "
    note = f"{read}The label of each system and its probability. {default} answers unless another system is named."
    return Table("answers", repr(explanation.title), note, pd.DataFrame(list(rows.values())))


def _keyword_table(explanation: Explanation) -> Table | None:
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

    def rank(row: dict[str, str]) -> tuple[float, ...]:
        return order.index(row["system"]), float(row["priority"]), -len(row["keyword"]), int(row["line"])

    ranked = sorted(rows.values(), key=rank)
    note = (
        "Rows of the tables that match the title. Among the rows that set a target the lowest priority decides, then "
        "the longer keyword; labels that were outranked are in brackets. Lines are lines of the table's file."
    )
    return Table("keywords", "Keywords", note, pd.DataFrame(ranked))


def _nearest_table(explanation: Explanation) -> Table | None:
    """Return the reviewed titles that are most like the title; None where there are none."""
    if not explanation.nearest:
        return None
    note = "What people said of the reviewed titles that are most like it. Likeness is the cosine of TF-IDF features."
    return Table("nearest", "The nearest reviewed titles", note, pd.DataFrame(explanation.nearest).fillna(""))


def _word_tables(explanation: Explanation) -> list[Table]:
    """Return a table per system with what each word adds to the label of each target."""
    asked: dict[str, list[Answer]] = {}
    for answer in explanation.answers:
        if answer.words:
            asked.setdefault(answer.system, []).append(answer)
    return [
        Table(
            f"words_{system}",
            f"What each word adds, by {system}",
            _WORDS_NOTE if number == 0 else "As above.",
            pd.DataFrame(
                {
                    "word": [_WITHOUT, *(word.text for word in answers[0].words), _TOGETHER],
                    **{f"{answer.target}: {answer.label}": _added(answer) for answer in answers},
                }
            ),
        )
        for number, (system, answers) in enumerate(asked.items())
    ]


def _added(answer: Answer) -> list[str]:
    start = answer.without_words or 0.0
    adds = [word.adds for word in answer.words]
    return [f"{value:+.2f}" for value in (start, *adds, start + sum(adds))]
