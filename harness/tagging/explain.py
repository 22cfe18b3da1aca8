"""Explains why a title is tagged as it is: each system's answer, the keywords and words behind it, and its place.

This is told as tables and lines for a screen, or as JSON for programs.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from baselines.keyword import KeywordClassifier
from baselines.matching import as_series
from data_cleaning.report_table import Table
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray
from data_cleaning.words import normalise_titles
from harness.experiment.systems import SYSTEMS, load_system
from harness.tagging.models import Model
from harness.tagging.tagger import LONGEST_TITLE

if TYPE_CHECKING:
    from harness.tagging.hierarchy import Hierarchy
    from neural.classifier import NeuralClassifier

METHOD = "integrated-gradients"


@dataclass(frozen=True)
class KeywordHit:
    """A row of a keyword table that matches a title and sets a target."""

    keyword: str
    line: int
    """Of the table's file."""
    priority: int
    """A lower number outranks a higher one."""
    match: str
    raw_label: str
    label: str
    """The class of the raw label."""


@dataclass(frozen=True)
class Word:
    """How much one word of a title, as it was read, counts for a label."""

    text: str
    share: float
    """Share of the importance of all words, in [-1, 1]; below 0 the word counts against the label."""


@dataclass(frozen=True)
class Answer:
    """What one system says about one target of one title, and why."""

    system: str
    target: str
    label: str
    confidence: float
    """The probability of the label, in [0, 1]."""
    decided: KeywordHit | None = None
    """The row of a keyword table that decided; None for other systems, and where the fallback answers."""
    outranked: tuple[KeywordHit, ...] = ()
    """The rows that it outranked, the strongest first."""
    words: tuple[Word, ...] = ()
    """In the order of the title; none but for the network."""


@dataclass(frozen=True)
class Place:
    """Where a title is in the hierarchy, by the answers of one system."""

    system: str
    path: tuple[str, ...]
    """Down to the deepest sure node; () where not even the first level is sure."""
    confidence: float
    """The probability of that node, in [0, 1]."""
    leaf: tuple[str, ...]
    """Path of the leaf that the most probable labels lead to, sure or not."""
    rule: str
    """What the rule that decided on the leaf asks for."""
    line: int
    """Of the hierarchy's file, where that rule begins."""
    band: str | None
    """Band of seniority; None where none is sure."""
    contradiction: str | None
    """Why the labels contradict themselves; None where they do not."""
    new_labels: Mapping[str, str]
    """Target to the new label of the node."""


@dataclass(frozen=True)
class Explanation:
    """What is explained about one title."""

    title: str
    """As it was given."""
    read_as: str
    """The spelling that the systems read; empty where the title has no text, and then nothing else is said."""
    answers: tuple[Answer, ...] = ()
    """System after system, the targets of each in the taxonomy's order."""
    place: Place | None = None


def explain_titles(model: Model, titles: Sequence[str], hierarchy: "Hierarchy | None") -> list[Explanation]:
    """Explain what every system of a model answers for each title.

    The systems are loaded one after the other. Titles, as somebody typed them, are placed in the hierarchy, if there is
    one, by the answers of the model's default system.

    Raises:
        BadInput: a title is no text, a system cannot be loaded, or the hierarchy is for another taxonomy.
    """
    spelled = normalise_titles(as_series(titles).str.head(LONGEST_TITLE)).to_list()
    asked = list(dict.fromkeys(title for title in spelled if title))
    row_of = {title: row for row, title in enumerate(asked)}
    answers: list[list[Answer]] = [[] for _ in asked]
    places: list[Place | None] = [None for _ in asked]
    default = model.system(None)
    for name, folder in model.systems.items() if asked else ():
        if name not in SYSTEMS:  # a system of your own is code, and runs only where it is asked for by name
            continue
        system: Any = load_system(name, folder, batch_invariant=True)
        probabilities = system.predict_proba(asked)
        for row, found in enumerate(_answers(name, system, asked, probabilities, model.taxonomy)):
            answers[row] += found
        if name == default and hierarchy is not None:
            places = [*_places(name, asked, probabilities, hierarchy)]
    return [
        Explanation(title, read, tuple(answers[row_of[read]]), places[row_of[read]]) if read else Explanation(title, "")
        for title, read in zip(titles, spelled, strict=True)
    ]


def _answers(
    name: str, system: Any, titles: list[str], probabilities: Mapping[str, FloatArray], taxonomy: Taxonomy
) -> list[list[Answer]]:
    reasons: list[dict[str, dict[str, Any]]] = [{target: {} for target in taxonomy.names} for _ in titles]
    explains = SYSTEMS[name].explains
    if explains == "keywords":
        reasons = _keywords(system, titles)
    elif explains == "words":
        reasons = _words(system, titles, probabilities)
    return [
        [
            Answer(
                name,
                target.name,
                target.classes[int(probabilities[target.name][row].argmax())],
                float(probabilities[target.name][row].max()),
                **reasons[row][target.name],
            )
            for target in taxonomy.targets
        ]
        for row in range(len(titles))
    ]


def _keywords(system: KeywordClassifier, titles: list[str]) -> list[dict[str, dict[str, Any]]]:
    """Return per title and target the row that decided, and those that it outranked."""
    table = system.table
    matches = table.hits(titles, system.normalised)
    ranked = matches.tocsc()[:, table.order].tocsr()  # (n_titles, n_rows), the strongest row first
    found = []
    for row in range(len(titles)):
        matching = table.order[np.sort(ranked[row].indices)]
        hits = {
            target: [_hit(system, target, position) for position in matching[table.sets[target][matching]]]
            for target in table.taxonomy.names
        }
        found.append(
            {target: {"decided": of[0] if of else None, "outranked": tuple(of[1:])} for target, of in hits.items()}
        )
    return found


def _hit(system: KeywordClassifier, target: str, position: int) -> KeywordHit:
    row = system.table.rows.iloc[int(position)]
    raw, match = str(row[target]), str(row["match"])
    return KeywordHit(
        keyword=str(row["keyword"]),
        line=int(row["line"]),
        priority=int(row["priority"]),
        match="word" if system.normalised and match == "substring" else match,
        raw_label=raw,
        label=system.taxonomy[target].group(raw),
    )


def _words(
    system: "NeuralClassifier", titles: list[str], probabilities: Mapping[str, FloatArray]
) -> list[dict[str, dict[str, Any]]]:
    """Return per title and target each word's share of the importance for the label that was answered."""
    from neural.attribution import explain

    # What answers may have been rounded to 8 bits, so that torch alone might explain another label.
    classes = {target: rows.argmax(axis=1) for target, rows in probabilities.items()}
    found = explain(system, titles, METHOD, classes=classes)
    reasons = []
    for row, title in enumerate(titles):
        of_title = np.flatnonzero(found.title_of_word == row)
        texts = [title[found.starts[word] : found.ends[word]] for word in of_title]
        shares = {}
        for target, scores in found.scores.items():
            values = scores[of_title]  # (n_words,)
            shares[target] = values / max(float(np.abs(values).sum()), np.finfo(np.float64).tiny)
        reasons.append(
            {
                target: {"words": tuple(Word(text, float(share)) for text, share in zip(texts, of, strict=True))}
                for target, of in shares.items()
            }
        )
    return reasons


def _places(
    system: str, titles: list[str], probabilities: Mapping[str, FloatArray], hierarchy: "Hierarchy"
) -> list[Place]:
    placed = hierarchy.place(titles, probabilities)
    places = []
    for row in range(len(titles)):
        node, rule = hierarchy.nodes[placed.node[row]], hierarchy.rules[placed.rule[row]]
        contradiction = int(placed.contradiction[row])
        places.append(
            Place(
                system=system,
                path=node.path,
                confidence=float(placed.confidence[row]),
                leaf=hierarchy.nodes[placed.leaf[row]].path,
                rule=str(rule),
                line=rule.line,
                band=hierarchy.bands[placed.band[row]] if placed.band[row] >= 0 else None,
                contradiction=hierarchy.contradictions[contradiction].why if contradiction >= 0 else None,
                new_labels=dict(node.new_labels),
            )
        )
    return places


def as_json_text(model: str, default: str, explained: Sequence[Explanation]) -> str:
    """Return everything that is said about titles as JSON."""
    content = {"model": model, "default_system": default, "titles": [asdict(one) for one in explained]}
    return json.dumps(content, indent=2, ensure_ascii=False)


def tables_of(explanation: Explanation, default: str) -> list[Table]:
    """Return the tables about one title: the answers of every system, the keywords that match, the words that count."""
    if not explanation.answers:
        return []
    found = (_answer_table(explanation, default), _keyword_table(explanation), _word_table(explanation))
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

    def rank(row: dict[str, str]) -> tuple[int, ...]:
        return order.index(row["system"]), int(row["priority"]), -len(row["keyword"]), int(row["line"])

    ranked = sorted(rows.values(), key=rank)
    note = (
        "Rows of the tables that match the title. Among the rows that set a target the lowest priority decides, then "
        "the longer keyword; labels that were outranked are in brackets. Lines are lines of the table's file."
    )
    return Table("keywords", "Keywords", note, pd.DataFrame(ranked))


def _word_table(explanation: Explanation) -> Table | None:
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
