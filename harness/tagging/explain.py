"""Explains why a title is tagged as it is: each system's answer, the keywords and words behind it, and its place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from baselines.keyword import KeywordClassifier
from baselines.matching import as_series
from baselines.table_cells import whole_number
from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.text_repair import repaired
from data_cleaning.titles import BoolArray, FloatArray
from data_cleaning.words import normalise_titles
from harness.experiment.system_contract import NoveltyDetector
from harness.experiment.systems import CASCADE, HYBRID, NETWORK, SYSTEMS, check_saved, is_table, load_system
from harness.tagging.models import Model
from harness.tagging.tagger import LONGEST_TITLE
from harness.tagging.word_contributions import word_contributions

if TYPE_CHECKING:
    from harness.tagging.hierarchy import Hierarchy
    from harness.tagging.nearest_reviewed import NearestReviewed

_SURE = 0.7
"""Confidence of the default system from which a title is not asked about its language, if a keyword matches."""


@dataclass(frozen=True)
class KeywordHit:
    """A row of a keyword table that matches a title and sets a target."""

    keyword: str
    line: int
    """Of the table's file."""
    priority: float
    """A lower number outranks a higher one."""
    match: str
    raw_label: str
    label: str
    """The class of the raw label."""


@dataclass(frozen=True)
class Word:
    """What one word of a title, as it is written, adds to a label; in a long title, several words in a row."""

    text: str
    adds: float
    """To the log-odds of the label; below 0 the word speaks against it."""


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
    """In the order of the title; none for keyword tables and for systems that ignore the title."""
    unlike: bool = False
    """Whether the title is unlike those that the system learned from, so that the fallback answers; it has no words."""
    without_words: float | None = None
    """Log-odds of the label for a title without words; with what the words add, it is that of the confidence."""


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
    """What of the title and its labels the rule that decided on the leaf asks for."""
    line: int
    """Of the hierarchy's file, where that rule begins."""
    band: str | None
    """Band of seniority; None where none is sure."""
    contradiction: str | None
    """Why the labels contradict themselves; None where they do not."""
    disagreement: str | None
    """Which labels do not go with the place; None where all do."""
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
    nearest: tuple[Mapping[str, str | float | None], ...] = ()
    """Reviewed titles that are most like it: `title`, `likeness` in [0, 1] and a label per target, the likest first."""
    language: str | None = None
    """ISO 639-1 code of the language that the title seems to be in, if it is not English."""


def explain_titles(
    model: Model,
    titles: Sequence[str],
    hierarchy: "Hierarchy | None",
    system: str | None = None,
    load: "Callable[[str, Path], Any] | None" = None,
    reviewed: "NearestReviewed | None" = None,
) -> list[Explanation]:
    """Explain what a system answers for each title, or what every one of the project's own systems does.

    The systems are loaded one after the other. Titles, as somebody typed them, are placed in the hierarchy, if there is
    one, by the answers of the system or of the model's default one. `load` takes the place of `load_to_explain`, and
    `reviewed` has the titles to compare with.

    Raises:
        BadInput: a title is no text, a system cannot be loaded, or the hierarchy is for another taxonomy.
    """
    spelled = normalise_titles(repaired(as_series(titles)).str.head(LONGEST_TITLE)).to_list()
    asked = list(dict.fromkeys(title for title in spelled if title))
    row_of = {title: row for row, title in enumerate(asked)}
    answers: list[list[Answer]] = [[] for _ in asked]
    places: Sequence[Place | None] = [None for _ in asked]
    default = model.system(system)
    # A system of your own is code, and runs only where it is asked for by name.
    names = [name for name in model.systems if name in SYSTEMS] if system is None else [default]
    if default not in names:
        raise BadInput(f"{model.folder} has only systems of your own: {', '.join(model.systems)}. Name one: --system.")
    for name in names if asked else ():
        loaded = (load or load_to_explain)(name, model.systems[name])
        probabilities = loaded.predict_proba(asked)
        unlike = loaded.unlike(asked) if isinstance(loaded, NoveltyDetector) else np.zeros(len(asked), dtype=bool)
        for row, found in enumerate(_answers(name, loaded, asked, probabilities, unlike, model.taxonomy)):
            answers[row] += found
        if name == default and hierarchy is not None:
            # As for tagging, no keyword of the hierarchy's rules may find a place for what is no title.
            titled = ["" if is_unlike else title for title, is_unlike in zip(asked, unlike, strict=True)]
            places = _places(name, titled, probabilities, hierarchy)
    doubtful = [title for title, row in row_of.items() if _is_doubtful(title, answers[row], default)]
    languages = _languages(doubtful)
    return [
        Explanation(
            title,
            read,
            tuple(answers[row_of[read]]),
            places[row_of[read]],
            () if reviewed is None else reviewed.of_title(read),
            languages.get(read),
        )
        if read
        else Explanation(title, "")
        for title, read in zip(titles, spelled, strict=True)
    ]


def load_to_explain(name: str, folder: Path) -> Any:
    """Load a system that answers as it does where files are tagged; a network without torch where possible."""
    if name == NETWORK:
        check_saved(folder)
        return _load_network(folder)
    if name in (HYBRID, CASCADE):
        from harness.experiment.hybrid import HybridClassifier

        check_saved(folder)
        return HybridClassifier.load(folder, load_network=_load_network)
    return load_system(name, folder, batch_invariant=True)


def _load_network(folder: Path) -> Any:
    from neural.numpy_network import load_for_few_titles

    return load_for_few_titles(folder) or load_system(NETWORK, folder, batch_invariant=True)


def _is_doubtful(title: str, answers: Sequence[Answer], default: str) -> bool:
    """Say whether a title may be foreign: to find the language takes seconds, which most titles need not pay."""
    decided = [answer.decided for answer in answers if is_table(answer.system)]
    sure = min(answer.confidence for answer in answers if answer.system == default)
    return not title.isascii() or sure < _SURE or (bool(decided) and not any(decided))


def _languages(titles: list[str]) -> dict[str, str]:
    """Return the language of each title that seems to be foreign."""
    if not titles:
        return {}
    from data_cleaning.language import judge_languages  # on use: its models take seconds

    judged = judge_languages(pl.DataFrame({"title": titles, "count": [1] * len(titles)}))
    found = zip(judged["title"], judged["language"], judged["reason"], strict=True)
    return {title: language for title, language, reason in found if language is not None and reason is not None}


def _answers(
    name: str,
    system: Any,
    titles: list[str],
    probabilities: Mapping[str, FloatArray],
    unlike: BoolArray,
    taxonomy: Taxonomy,
) -> list[list[Answer]]:
    reasons: list[dict[str, dict[str, Any]]] = [{target: {} for target in taxonomy.names} for _ in titles]
    if is_table(name):
        reasons = _keywords(system, titles)
    elif name not in SYSTEMS or not SYSTEMS[name].is_floor:
        reasons = [
            {target: {"unlike": True} for target in taxonomy.names}
            if unlike[row]
            else _words(system, title, row, probabilities)
            for row, title in enumerate(titles)
        ]
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
    matches = table.hits_by_target(titles, system.normalised)
    found = []
    for row in range(len(titles)):
        hits = {}
        for target, of_target in matches.items():
            ranked = table.order[of_target[row].toarray()[0, table.order]]  # the strongest row first
            hits[target] = [_hit(system, target, position) for position in ranked[table.sets[target][ranked]]]
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
        priority=whole_number(row["priority"]),
        match="word" if system.normalised and match == "substring" else match,
        raw_label=raw,
        label=system.taxonomy[target].group(raw),
    )


def _words(system: Any, title: str, row: int, probabilities: Mapping[str, FloatArray]) -> dict[str, dict[str, Any]]:
    """Return per target what each word of a title adds to the label that was answered."""
    classes = {target: int(rows[row].argmax()) for target, rows in probabilities.items()}
    pieces, found = word_contributions(system, title, classes)
    return {
        target: {
            "words": tuple(Word(text, adds) for text, adds in zip(pieces, of.words, strict=True)),
            "without_words": of.start,
        }
        for target, of in found.items()
    }


def _places(
    system: str, titles: list[str], probabilities: Mapping[str, FloatArray], hierarchy: "Hierarchy"
) -> list[Place]:
    placed = hierarchy.place(titles, probabilities)
    positions = [probabilities[name].argmax(axis=1) for name in hierarchy.taxonomy.names]
    disagreement, said = hierarchy.disagreements(np.column_stack(positions), placed.node, placed.band)
    places = []
    for row, title in enumerate(titles):
        labels = {
            target.name: target.classes[codes[row]]
            for target, codes in zip(hierarchy.taxonomy.targets, positions, strict=True)
        }
        node, rule = hierarchy.nodes[placed.node[row]], hierarchy.rules[placed.rule[row]]
        contradiction = int(placed.contradiction[row])
        places.append(
            Place(
                system=system,
                path=node.path,
                confidence=float(placed.confidence[row]),
                leaf=hierarchy.nodes[placed.leaf[row]].path,
                rule=rule.matched(title, labels),
                line=rule.line,
                band=hierarchy.bands[placed.band[row]] if placed.band[row] >= 0 else None,
                contradiction=hierarchy.contradictions[contradiction].why if contradiction >= 0 else None,
                disagreement=said[disagreement[row]] if disagreement[row] >= 0 else None,
                new_labels=dict(node.new_labels),
            )
        )
    return places
