"""Rules from labels, keywords and confidence to a leaf, and the combinations of labels that contradict themselves.

A combination is one class of each target. Combinations are numbered as the cells of an array with one axis per target,
in the taxonomy's order, the last target running fastest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from data_cleaning.taxonomy import Taxonomy

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Conditions, all of which must hold, and the leaf that they lead to; the default has no conditions."""

    leaf: int
    """Position in `Hierarchy.nodes`."""
    line: int
    """Line of the file on which it begins."""
    keywords: tuple[str, ...] = ()
    """Normal forms with a space at both ends, so that they match whole words; a title needs one of them, if any."""
    classes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Target to the classes that it may have; a target that is left out may have any."""
    confidence: frozenset[str] = frozenset()
    """Names of confidence bands; none stands for all."""

    def __str__(self) -> str:
        """Word the conditions for a person."""
        parts = [f"keyword {_either(word.strip() for word in self.keywords)}"] if self.keywords else []
        parts += [f"{target} {_either(sorted(classes))}" for target, classes in self.classes.items()]
        if self.confidence:
            parts.append(f"confidence {_either(sorted(self.confidence))}")
        return ", ".join(parts) or "whatever no rule takes"


@dataclass(frozen=True)
class Contradiction:
    """Labels that cannot all be right about one title."""

    labels: Mapping[str, frozenset[str]]
    """Target to the classes that, together, contradict themselves; at least two targets."""
    why: str
    line: int
    """Line of the file on which it begins."""


def shape_of(taxonomy: Taxonomy) -> tuple[int, ...]:
    """Return the number of classes of each target; their product is the number of combinations."""
    return tuple(target.n_classes for target in taxonomy.targets)


def matching(labels: Mapping[str, frozenset[str]], taxonomy: Taxonomy) -> BoolArray:
    """Say which combinations have one of the named classes of each named target, (n_combinations,)."""
    matched = np.ones(1, dtype=bool)
    for target in taxonomy.targets:
        allowed = [target.name not in labels or label in labels[target.name] for label in target.classes]
        matched = (matched[:, None] & np.array(allowed)).ravel()
    return matched


def combination_of(positions: Mapping[str, npt.NDArray[np.integer]], taxonomy: Taxonomy) -> npt.NDArray[np.int64]:
    """Return the number of each combination of class positions, (n_rows,) as each target's array."""
    columns = tuple(np.asarray(positions[name], dtype=np.int64) for name in taxonomy.names)
    return np.ravel_multi_index(columns, shape_of(taxonomy)).astype(np.int64)


def name_combination(number: int, taxonomy: Taxonomy) -> str:
    """Word one combination, such as `function IT, role Networking`."""
    positions = np.unravel_index(number, shape_of(taxonomy))
    return ", ".join(
        f"{target.name} {target.classes[int(position)]}"
        for target, position in zip(taxonomy.targets, positions, strict=True)
    )


def first_contradiction(contradictions: tuple[Contradiction, ...], taxonomy: Taxonomy) -> npt.NDArray[np.int8]:
    """Return the first contradiction that each combination falls under, -1 where there is none, (n_combinations,)."""
    first = np.full(int(np.prod(shape_of(taxonomy))), -1, dtype=np.int8)
    for position in reversed(range(len(contradictions))):
        first[matching(contradictions[position].labels, taxonomy)] = position
    return first


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)
