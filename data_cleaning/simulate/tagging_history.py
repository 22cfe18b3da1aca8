"""Label records as their history did: the revision in force, source habits, manual overrides and blanks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_cleaning.errors import unknown
from data_cleaning.progress import Progress
from data_cleaning.simulate.history import HistorySettings, Revision, SourceHabit, default_habits
from data_cleaning.taxonomy import Target, Taxonomy
from data_cleaning.titles import IntArray, StrArray

BoolArray = npt.NDArray[np.bool_]

TABLE_RIGHT = "table right"
"""The table in force wrote the class that the title should have."""
PRIORITY = "priority"
"""A keyword of the table meant the class that the title should have, but another keyword outranked it."""
OLDER_REVISION = "older revision"
"""The table in force had no keyword for what the newest one gets right."""
NO_KEYWORD = "no keyword"
"""The table in force is wrong and had no keyword for the right class; the newest one is wrong as well."""
SOURCE_HABIT = "source habit"
"""A source of records wrote its own label over the table's."""
OVERRIDE_RIGHT = "override right"
OVERRIDE_WRONG = "override wrong"
OVERRIDE = "override"
"""A person changed the label, and no truth is known to check it against."""
BLANK = "blank"
"""The title or the label is missing."""

CAUSES = (
    TABLE_RIGHT, PRIORITY, OLDER_REVISION, NO_KEYWORD, SOURCE_HABIT, OVERRIDE_RIGHT, OVERRIDE_WRONG, OVERRIDE, BLANK,
)  # fmt: skip
"""Why a label is what it is, kept beside the truth."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """What is known of the records before they are labelled; arrays are (n_records,) and in date order."""

    title: IntArray
    """Position of the title among the distinct ones."""
    revision: IntArray
    """Position of the revision in force."""
    country: StrArray
    truth: Mapping[str, IntArray] | None
    """Target to the position of the true class of each distinct title, (n_titles,); None where no truth is known."""

    def __len__(self) -> int:
        return len(self.title)


@dataclass(frozen=True, kw_only=True)
class Tagged:
    """Labels of the records; arrays are (n_records,)."""

    labels: Mapping[str, StrArray]
    """Target to raw labels, None where blank."""
    causes: Mapping[str, StrArray]
    """Target to the cause of each label, one of `CAUSES`."""


def tag(
    records: Records, titles: Sequence[str], taxonomy: Taxonomy, revisions: Sequence[Revision],
    settings: HistorySettings, generator: np.random.Generator, progress: Progress,
) -> Tagged:  # fmt: skip
    """Label every record.

    Raises:
        BadInput: a tagger or habit writes a label that the taxonomy lacks.
    """
    answers = _table_answers(titles, taxonomy, revisions, progress)
    classes = {target.name: _classes_of_raw(target)[answers[target.name]] for target in taxonomy.targets}
    contenders = [revision.contenders(titles) if revision.contenders else None for revision in revisions]
    of_tables = table_causes(classes, contenders, records.truth, taxonomy)
    habits = default_habits(taxonomy) if settings.habits is None else settings.habits
    care = _care(records.country, settings)
    for habit in habits:
        if habit.target not in taxonomy.names:
            raise unknown(f"target of habit {habit.name!r}", habit.target, taxonomy.names)
    # One draw per record for all targets: a target is changed where it is below the target's chance.
    override_draw = generator.random(len(records))
    knows_truth = generator.random(len(records)) < settings.override_right_share
    labels, causes = {}, {}
    names_of_causes = np.array(CAUSES, dtype=object)
    shares = settings.override_shares(taxonomy)
    for target in taxonomy.targets:
        raw = answers[target.name][records.revision, records.title]  # (n_records,)
        cause = of_tables[target.name][records.revision, records.title]  # (n_records,)
        for habit in (habit for habit in habits if habit.target == target.name):
            changed = _apply_habit(raw, habit, target, records.country, care, generator)
            cause[changed] = CAUSES.index(SOURCE_HABIT)
        chosen = override_draw < shares[target.name] * care
        if records.truth is None:
            _override_blindly(raw, chosen, answers[target.name], records, target, generator)
            cause[chosen] = CAUSES.index(OVERRIDE)
        else:
            truth = records.truth[target.name][records.title]
            _override_knowingly(raw, chosen, knows_truth, truth, target, generator)
            cause[chosen & knows_truth] = CAUSES.index(OVERRIDE_RIGHT)
            cause[chosen & ~knows_truth] = CAUSES.index(OVERRIDE_WRONG)
        labels[target.name] = np.array(list(target.raw_to_class), dtype=object)[raw]
        causes[target.name] = names_of_causes[cause]
    return Tagged(labels=labels, causes=causes)


def blank(
    tagged: Tagged, without_title: BoolArray, settings: HistorySettings, generator: np.random.Generator
) -> Tagged:
    """Remove labels: all of them from most records `without_title`, (n_records,), some or all from other records."""
    n_records = len(without_title)
    lost_with_title = without_title & (generator.random(n_records) >= settings.labels_without_title_share)
    rest = settings.any_label_blank_share - lost_with_title.mean()
    chance = rest / max(1 - without_title.mean(), 1e-9)
    incomplete = ~without_title & (generator.random(n_records) < chance)
    lost_all = incomplete & (generator.random(n_records) < settings.every_label_blank_share)
    one_lost = generator.integers(len(tagged.labels), size=n_records)
    labels, causes = {}, {}
    for position, (target, names) in enumerate(tagged.labels.items()):
        lost = lost_with_title | lost_all | (incomplete & (one_lost == position))
        labels[target], causes[target] = names.copy(), tagged.causes[target].copy()
        labels[target][lost] = None
        causes[target][lost | without_title] = BLANK
    return Tagged(labels=labels, causes=causes)


def _table_answers(titles: Sequence[str], taxonomy: Taxonomy, revisions: Sequence[Revision], progress: Progress
              ) -> dict[str, IntArray]:  # fmt: skip
    """Ask every revision about every title: target to positions of raw labels, each (n_revisions, n_titles)."""
    shape = len(revisions), len(titles)
    found: dict[str, IntArray] = {target.name: np.empty(shape, dtype=np.int16) for target in taxonomy.targets}
    for position, revision in enumerate(revisions):
        labels = revision.tagger(titles)
        for target in taxonomy.targets:
            found[target.name][position] = _positions(labels[target.name], target)
        progress("tagging titles", (position + 1) * len(titles), len(revisions) * len(titles))
    return found


def table_causes(
    answers: Mapping[str, IntArray],
    contenders: Sequence[Mapping[str, BoolArray] | None],
    truth: Mapping[str, IntArray] | None,
    taxonomy: Taxonomy,
) -> dict[str, IntArray]:
    """Find the cause of every answer of every table.

    An answer is compared with the truth, each (n_titles,), or, where none is known, with the newest table's answer.

    Args:
        answers: target to class positions, each (n_revisions, n_titles), the newest table last.
        contenders: per revision, as `Contenders` returns them; None where the table cannot say.
        truth: target to class positions.
        taxonomy: of the targets.

    Returns:
        Target to positions in `CAUSES`, each (n_revisions, n_titles).
    """
    found = {}
    for name in taxonomy.names:
        newest = answers[name][-1]
        should_be = newest if truth is None else truth[name]
        cause = np.where(newest == should_be, CAUSES.index(OLDER_REVISION), CAUSES.index(NO_KEYWORD))
        causes = np.broadcast_to(cause, answers[name].shape).copy()
        for revision, meant in enumerate(contenders):
            if meant is not None:
                outranked = np.take_along_axis(meant[name], should_be[:, None].astype(np.int64), axis=1)[:, 0]
                causes[revision, outranked] = CAUSES.index(PRIORITY)
        causes[answers[name] == should_be] = CAUSES.index(TABLE_RIGHT)
        found[name] = causes
    return found


def _positions(labels: StrArray, target: Target) -> IntArray:
    """Return the position of each raw label among those of the target, (n_labels,)."""
    codes, distinct = pd.factorize(np.asarray(labels, dtype=object), use_na_sentinel=False)
    known = {raw: position for position, raw in enumerate(target.raw_to_class)}
    for label in distinct:
        if label not in known:
            raise unknown(f"{target.name} label", str(label), known)
    return np.array([known[label] for label in distinct], dtype=np.int16)[codes]


def _classes_of_raw(target: Target) -> IntArray:
    """Return the class position of every raw label, (n_raw,)."""
    return np.array([target.class_index[name] for name in target.raw_to_class.values()], dtype=np.int64)


def _care(countries: StrArray, settings: HistorySettings) -> npt.NDArray[np.float64]:
    """Return what multiplies each record's chance of a change, (n_records,), 1 on average."""
    factor = np.where(countries == "United States", settings.us_care, 1.0)
    return factor / max(factor.mean(), 1e-9) if len(factor) else factor


def _apply_habit(raw: IntArray, habit: SourceHabit, target: Target, countries: StrArray, care: npt.NDArray[np.float64],
                 generator: np.random.Generator) -> BoolArray:  # fmt: skip
    """Write one source's labels over `raw`; return the records that came from it and were changed, (n_records,)."""
    classes = _classes_of_raw(target)
    comes_from = generator.random(len(raw)) < habit.record_share * care
    if habit.country is not None:
        comes_from &= countries == habit.country
    changed = np.zeros(len(raw), dtype=bool)
    table_class = classes[raw]  # (n_records,)
    for name, labels in habit.labels.items():
        if name not in target.class_index:
            raise unknown(f"{target.name} class of habit {habit.name!r}", name, target.classes)
        written = _positions(np.array([labels] if isinstance(labels, str) else labels, dtype=object), target)
        rows = np.flatnonzero(comes_from & (table_class == target.class_index[name]))
        raw[rows] = written[generator.integers(len(written), size=len(rows))]
        changed[rows] = True
    return changed


def _popularity(raw: IntArray, target: Target) -> npt.NDArray[np.float64]:
    """Return how likely an override picks each raw label, (n_raw,): the root of its records, so that none takes all."""
    return np.sqrt(np.bincount(raw, minlength=len(target.raw_to_class)).astype(np.float64))


def _draw_labels(weights: npt.NDArray[np.float64], n_draws: int, generator: np.random.Generator) -> IntArray:
    return generator.choice(len(weights), size=n_draws, p=weights / weights.sum())


def _override_knowingly(raw: IntArray, chosen: BoolArray, right: BoolArray, truth: IntArray, target: Target,
                        generator: np.random.Generator) -> None:  # fmt: skip
    """Write a label of the true class where the override is right, and of another class where it is wrong."""
    popularity, classes = _popularity(raw, target), _classes_of_raw(target)
    for position, name in enumerate(target.classes):
        of_class = classes == position
        held = np.where(of_class, popularity, 0.0)
        if not held.any():
            # No table writes this class, so the override takes its plain name.
            held[list(target.raw_to_class).index(name)] = 1.0
        rows = np.flatnonzero(chosen & right & (truth == position))
        raw[rows] = _draw_labels(held, len(rows), generator)
        others = np.where(of_class, 0.0, popularity)
        if others.any():
            rows = np.flatnonzero(chosen & ~right & (truth == position))
            raw[rows] = _draw_labels(others, len(rows), generator)


def _override_blindly(raw: IntArray, chosen: BoolArray, answers: IntArray, records: Records, target: Target,
                      generator: np.random.Generator) -> None:  # fmt: skip
    """Write another revision's answer where it differs, else a popular label."""
    rows = np.flatnonzero(chosen)
    other = (records.revision[rows] + generator.integers(1, max(len(answers), 2), size=len(rows))) % len(answers)
    from_other = answers[other, records.title[rows]]
    popular = _draw_labels(_popularity(raw, target), len(rows), generator) if len(rows) else from_other
    take_other = (from_other != raw[rows]) & (generator.random(len(rows)) < 0.5)
    raw[rows] = np.where(take_other, from_other, popular)
