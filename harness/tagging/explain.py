"""Explains why a title is tagged as it is: each system's answer, the keywords and words behind it, and its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from baselines.matching import as_series
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray
from data_cleaning.words import normalise_titles
from harness.experiment.systems import SYSTEMS, load_system
from harness.tagging.models import Model
from harness.tagging.tagger import LONGEST_TITLE

if TYPE_CHECKING:
    from baselines.keyword import KeywordClassifier
    from baselines.keyword_table import KeywordTable
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

    Args:
        model: its systems are loaded one after the other.
        titles: as somebody typed them.
        hierarchy: to place titles in, by the answers of the model's default system; None places none.

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


def _keywords(system: "KeywordClassifier", titles: list[str]) -> list[dict[str, dict[str, Any]]]:
    """Return per title and target the row that decided, and those that it outranked."""
    table = _as_read(system)
    ranked = table.hits(titles).tocsc()[:, table.order].tocsr()  # (n_titles, n_rows), the strongest row first
    found = []
    for row in range(len(titles)):
        matching = table.order[np.sort(ranked[row].indices)]
        hits = {
            target: [_hit(table, target, position) for position in matching[table.sets[target][matching]]]
            for target in table.taxonomy.names
        }
        found.append(
            {target: {"decided": of[0] if of else None, "outranked": tuple(of[1:])} for target, of in hits.items()}
        )
    return found


def _as_read(system: "KeywordClassifier") -> "KeywordTable":
    """Return the table with its rows matching as the system reads them: corrected, substrings are whole words."""
    if not system.normalised:
        return system.table
    from baselines.keyword_table import KeywordTable

    rows = system.table.rows
    return KeywordTable(taxonomy=system.taxonomy, rows=rows.assign(match=rows["match"].replace("substring", "word")))


def _hit(table: "KeywordTable", target: str, position: int) -> KeywordHit:
    row = table.rows.iloc[int(position)]
    raw = str(row[target])
    return KeywordHit(
        keyword=str(row["keyword"]),
        line=int(row["line"]),
        priority=int(row["priority"]),
        match=str(row["match"]),
        raw_label=raw,
        label=table.taxonomy[target].group(raw),
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
