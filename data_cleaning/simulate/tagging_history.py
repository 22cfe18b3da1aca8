"""Label records as their history did: the revision in force, source habits, hands that change labels, and blanks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_cleaning.errors import unknown
from data_cleaning.progress import Progress
from data_cleaning.simulate.causes import (
    BLANK,
    CAUSES,
    OVERRIDE,
    OVERRIDE_RIGHT,
    OVERRIDE_WRONG,
    SOURCE_HABIT,
    BoolArray,
    table_causes,
)
from data_cleaning.simulate.history import HistorySettings, Revision, SourceHabit, default_habits
from data_cleaning.taxonomy import Target, Taxonomy
from data_cleaning.titles import IntArray, StrArray


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
    """Target to what settled its labels, of `causes.CAUSES`."""


@dataclass(frozen=True, kw_only=True)
class _Hand:
    """A person's changes: which records might be changed, and whether the person knows the truth."""

    draw: npt.NDArray[np.float64]
    """One number per record in [0, 1): a target is changed where it is below the target's chance."""
    right: BoolArray


def tag(records: Records, titles: Sequence[str], taxonomy: Taxonomy, revisions: Sequence[Revision],
        settings: HistorySettings, generator: np.random.Generator, progress: Progress) -> Tagged:  # fmt: skip
    """Label every record.

    Raises:
        BadInput: a tagger or habit writes a label that the taxonomy lacks.
    """
    verdicts = _verdicts(titles, taxonomy, revisions, progress)
    of_tables = _table_causes(verdicts, titles, taxonomy, revisions, records.truth)
    habits = default_habits(taxonomy) if settings.habits is None else settings.habits
    care = _care(records.country, settings)
    for habit in habits:
        if habit.target not in taxonomy.names:
            raise unknown(f"target of habit {habit.name!r}", habit.target, taxonomy.names)
    hand = _Hand(
        draw=generator.random(len(records)), right=generator.random(len(records)) < settings.override_right_share
    )
    codes, causes = {}, {}
    shares = settings.override_shares(taxonomy)
    for target in taxonomy.targets:
        raw = verdicts[target.name][records.revision, records.title]  # (n_records,)
        cause = of_tables[target.name][records.revision, records.title]  # (n_records,)
        for habit in (habit for habit in habits if habit.target == target.name):
            changed = _apply_habit(raw, habit, target, records.country, care, generator)
            cause[changed] = CAUSES.index(SOURCE_HABIT)
        chosen = hand.draw < shares[target.name] * care
        if records.truth is None:
            _override_blindly(raw, chosen, verdicts[target.name], records, target, generator)
            cause[chosen] = CAUSES.index(OVERRIDE)
        else:
            truth = records.truth[target.name][records.title]
            _override_knowingly(raw, chosen, hand.right, truth, target, generator)
            cause[chosen] = np.where(hand.right, CAUSES.index(OVERRIDE_RIGHT), CAUSES.index(OVERRIDE_WRONG))[chosen]
        codes[target.name], causes[target.name] = raw, cause
    return _named(codes, causes, taxonomy)


def blank(
    tagged: Tagged, without_title: BoolArray, settings: HistorySettings, generator: np.random.Generator
) -> Tagged:
    """Take labels away: all of most records without a title, and some or all of others.

    Args:
        tagged: the labels in full.
        without_title: the records whose title is blank, (n_records,).
        settings: the shares.
        generator: draws the rest.
    """
    n_records = len(without_title)
    lost_with_title = without_title & (generator.random(n_records) >= settings.labels_without_title_share)
    rest = settings.any_label_blank_share - lost_with_title.mean()
    chance = rest / max(1 - without_title.mean(), 1e-9)
    incomplete = ~without_title & (generator.random(n_records) < chance)
    lost_all = incomplete & (generator.random(n_records) < settings.every_label_blank_share)
    one_lost = generator.integers(len(tagged.labels), size=n_records)
    labels: dict[str, StrArray] = {}
    causes: dict[str, StrArray] = {}
    for position, (target, names) in enumerate(tagged.labels.items()):
        lost = lost_with_title | lost_all | (incomplete & (one_lost == position))
        labels[target], causes[target] = names.copy(), tagged.causes[target].copy()
        labels[target][lost] = None
        causes[target][lost | without_title] = BLANK
    return Tagged(labels=labels, causes=causes)


def _verdicts(titles: Sequence[str], taxonomy: Taxonomy, revisions: Sequence[Revision], progress: Progress
              ) -> dict[str, IntArray]:  # fmt: skip
    """Ask every revision about every title: target to positions of raw labels, each (n_revisions, n_titles)."""
    found: dict[str, IntArray] = {
        target.name: np.empty((len(revisions), len(titles)), dtype=np.int16) for target in taxonomy.targets
    }
    for position, revision in enumerate(revisions):
        answers = revision.tagger(titles)
        for target in taxonomy.targets:
            found[target.name][position] = _positions(answers[target.name], target)
        progress("tagging titles", (position + 1) * len(titles), len(revisions) * len(titles))
    return found


def _table_causes(
    verdicts: Mapping[str, IntArray], titles: Sequence[str], taxonomy: Taxonomy, revisions: Sequence[Revision],
    truth: Mapping[str, IntArray] | None,
) -> dict[str, IntArray]:  # fmt: skip
    """Say why every table's verdict is what it is: target to positions of causes, each (n_revisions, n_titles)."""
    classes = {target.name: _classes_of_raw(target)[verdicts[target.name]] for target in taxonomy.targets}
    contenders = [revision.contenders(titles) if revision.contenders else None for revision in revisions]
    return table_causes(classes, contenders, truth, taxonomy)


def _positions(labels: StrArray, target: Target) -> IntArray:
    """Return the position of each raw label among those of the target, (n_labels,).

    Raises:
        BadInput: a label is none of the target's.
    """
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
    """Return how much each raw label draws a hand, (n_raw,): the root of its records, so that no label has all."""
    return np.sqrt(np.bincount(raw, minlength=len(target.raw_to_class)).astype(np.float64))


def _draw_labels(weights: npt.NDArray[np.float64], n_draws: int, generator: np.random.Generator) -> IntArray:
    """Draw raw labels by weight, (n_draws,)."""
    return generator.choice(len(weights), size=n_draws, p=weights / weights.sum())


def _override_knowingly(raw: IntArray, chosen: BoolArray, right: BoolArray, truth: IntArray, target: Target,
                        generator: np.random.Generator) -> None:  # fmt: skip
    """Write a label of the true class where the hand is right, and of another class where it is wrong."""
    popularity, classes = _popularity(raw, target), _classes_of_raw(target)
    for position, name in enumerate(target.classes):
        of_class = classes == position
        held = np.where(of_class, popularity, 0.0)
        if not held.any():
            # No table writes this class, so the hand takes its plain name.
            held[list(target.raw_to_class).index(name)] = 1.0
        rows = np.flatnonzero(chosen & right & (truth == position))
        raw[rows] = _draw_labels(held, len(rows), generator)
        others = np.where(of_class, 0.0, popularity)
        if others.any():
            rows = np.flatnonzero(chosen & ~right & (truth == position))
            raw[rows] = _draw_labels(others, len(rows), generator)


def _override_blindly(raw: IntArray, chosen: BoolArray, verdicts: IntArray, records: Records, target: Target,
                      generator: np.random.Generator) -> None:  # fmt: skip
    """Write another revision's verdict where it differs, else a popular label."""
    rows = np.flatnonzero(chosen)
    other = (records.revision[rows] + generator.integers(1, max(len(verdicts), 2), size=len(rows))) % len(verdicts)
    from_other = verdicts[other, records.title[rows]]
    popular = _draw_labels(_popularity(raw, target), len(rows), generator) if len(rows) else from_other
    take_other = (from_other != raw[rows]) & (generator.random(len(rows)) < 0.5)
    raw[rows] = np.where(take_other, from_other, popular)


def _named(codes: Mapping[str, IntArray], causes: Mapping[str, IntArray], taxonomy: Taxonomy) -> Tagged:
    """Turn positions of raw labels and of causes into their names."""
    labels = {
        target.name: np.array(list(target.raw_to_class), dtype=object)[codes[target.name]]
        for target in taxonomy.targets
    }
    names = np.array(CAUSES, dtype=object)
    return Tagged(labels=labels, causes={target: names[cause] for target, cause in causes.items()})
