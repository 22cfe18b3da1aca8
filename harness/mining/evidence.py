"""What a change of a table fixes and breaks among judged titles, and how sure it is that it gains."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from data_cleaning.titles import BoolArray, IntArray
from harness.mining.title_labels import TitleLabels
from harness.mining.trial_table import ClassChanges

_MAX_EXAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a change does to titles; one is fixed if more of its targets are right after it, broken if fewer are."""

    points: float
    """Gain in titles: soft labels of the classes after the change less those before, targets weighted by importance."""
    reviewed: tuple[int, int]
    """Titles that a person labelled, fixed and broken."""
    believed: tuple[int, int]
    """Titles whose label is predicted, or recorded where nothing was reviewed."""
    variants: tuple[int, int]
    """Titles that were derived from labelled ones."""

    @property
    def p_value(self) -> float:
        """How probable at least so many of the changed titles would be fixed if either were as likely: a sign test."""
        fixed, broken = (a + b + c for a, b, c in zip(self.reviewed, self.believed, self.variants, strict=True))
        return float(binom.sf(fixed - 1, fixed + broken, 0.5)) if fixed else 1.0

    @property
    def convinces(self) -> bool:
        """Whether more of the titles whose label is known are fixed than broken, where any of them changes."""
        fixed, broken = (a + b for a, b in zip(self.reviewed, self.variants, strict=True))
        return self.points > 0 and (fixed > broken or fixed == broken == 0)


def fixed_and_broken(changes: Mapping[str, ClassChanges], labels: TitleLabels) -> tuple[BoolArray, BoolArray]:
    """Say which titles a change fixes and which it breaks, (n_titles,) each."""
    titles, _, right = _touched(changes, labels)
    fixed, broken = np.zeros(len(labels), dtype=bool), np.zeros(len(labels), dtype=bool)
    fixed[titles], broken[titles] = right > 0, right < 0
    return fixed, broken


def title_points(changes: Mapping[str, ClassChanges], labels: TitleLabels) -> npt.NDArray[np.float64]:
    """Return the gain of each title: soft label of its class after the changes less that before, (n_titles,).

    Targets are weighted by their importance, scaled to a sum of 1.
    """
    titles, points, _ = _touched(changes, labels)
    whole = np.zeros(len(labels))
    whole[titles] = points
    return whole


def outcome_of(changes: Mapping[str, ClassChanges], labels: TitleLabels) -> Outcome:
    """Count what some changes do."""
    titles, points, right = _touched(changes, labels)
    reviewed, variant = labels.reviewed[titles], labels.variant[titles]

    def counted(some: BoolArray) -> tuple[int, int]:
        return int(np.count_nonzero(some & (right > 0))), int(np.count_nonzero(some & (right < 0)))

    return Outcome(
        points=float(points.sum()),
        reviewed=counted(reviewed),
        believed=counted(~reviewed & ~variant),
        variants=counted(variant),
    )


def _touched(
    changes: Mapping[str, ClassChanges], labels: TitleLabels
) -> tuple[IntArray, npt.NDArray[np.float64], IntArray]:
    """Return the titles that change, the points of each, and by how many more targets it is right, (n_changed,) each.

    Few titles change, so that nothing as long as all of them is made.
    """
    importance = sum(target.importance for target in labels.taxonomy.targets)
    every = [changed.titles for changed in changes.values()]
    titles = np.unique(np.concatenate(every)) if every else np.empty(0, dtype=np.int64)
    points, right = np.zeros(len(titles)), np.zeros(len(titles), dtype=np.int64)
    for name, changed in changes.items():
        at = np.searchsorted(titles, changed.titles)
        shares, top = labels.shares[name], labels.top_classes(name)[changed.titles]
        difference = shares[changed.titles, changed.after] - shares[changed.titles, changed.before]
        points[at] += difference * (labels.taxonomy[name].importance / importance)
        right[at] += (changed.after == top).astype(np.int64) - (changed.before == top)
    return titles, points, right


def class_changes(before: Mapping[str, IntArray], after: Mapping[str, IntArray]) -> dict[str, ClassChanges]:
    """Return the titles whose class differs between two tables, from the classes of all titles, (n_titles,) each."""
    found = {}
    for name, old in before.items():
        titles = np.flatnonzero(old != after[name])
        found[name] = ClassChanges(titles=titles, before=old[titles], after=after[name][titles])
    return found


def example_titles(labels: TitleLabels, chosen: BoolArray) -> tuple[str, ...]:
    """Return at most three of the chosen titles, reviewed ones and then the most frequent first."""
    rows = np.flatnonzero(chosen)
    order = np.lexsort((labels.titles[rows].astype(str), -labels.records[rows], ~labels.reviewed[rows]))
    return tuple(str(title) for title in labels.titles[rows[order[:_MAX_EXAMPLES]]])
