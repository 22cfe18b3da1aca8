"""What a hierarchy is made of: the nodes of its tree, and the rules that lead from labels to its leaves.

A combination is one class of each target. Combinations are numbered as the cells of an array with one axis per target,
in the taxonomy's order, the last target running fastest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from baselines.matching import normal_form
from data_cleaning.taxonomy import Taxonomy

BoolArray = npt.NDArray[np.bool_]

ROOT = 0
"""Position of the root, which holds every title."""


@dataclass(frozen=True)
class Node:
    """One place in the tree; its position is that in `Hierarchy.nodes`."""

    name: str
    """Unique in the tree; empty for the root."""
    path: tuple[str, ...]
    """Names from the first level down, its own last; () for the root."""
    parent: int
    """Position of the node above; -1 for the root."""
    leaf: bool
    band: int
    """Position in `Hierarchy.bands`; -1 where it is no leaf."""
    new_labels: Mapping[str, str]
    """Target to the new label; of an inner node those that all leaves below share."""


@dataclass(frozen=True)
class Rank:
    """Leads that are followed up with the same priority."""

    name: str
    nodes: frozenset[int]
    """The nodes that the file names, and everything below them."""
    bands: frozenset[int]
    """Positions in `Hierarchy.bands`; -1 among them includes titles whose band has low confidence."""


@dataclass(frozen=True)
class FollowUp:
    """Whom to follow up, the most wanted rank first."""

    most: int
    """Follow up at most so many."""
    ranks: tuple[Rank, ...]


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

    def matched(self, title: str, labels: Mapping[str, str]) -> str:
        """Word what the rule found in a title that it decides: keywords, and the labels that it asks for."""
        (spelled,) = normal_form(pl.Series([title], dtype=pl.String))
        words = [word.strip() for word in self.keywords if word in spelled]
        parts = [f"keyword {' and '.join(words)}"] if words else []
        parts += [f"{target} {labels[target]}" for target in self.classes]
        if self.confidence:
            parts.append(f"confidence {_either(sorted(self.confidence))}")
        return ", ".join(parts) or "whatever no rule takes"

    def __str__(self) -> str:
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


def children(nodes: Sequence[Node]) -> dict[int, list[int]]:
    """Return the children of each inner node, both in the order of `nodes`."""
    found: dict[int, list[int]] = {}
    for position, node in enumerate(nodes):
        if not node.leaf:
            found[position] = []
        if node.parent >= 0:
            found[node.parent].append(position)
    return found


def at_or_above(nodes: Sequence[Node]) -> npt.NDArray[np.bool_]:
    """Say for each node (row) which nodes (column) are itself or above it, (n_nodes, n_nodes)."""
    held = np.eye(len(nodes), dtype=bool)
    for position, node in enumerate(nodes):  # parents come before their children
        if node.parent >= 0:
            held[position] |= held[node.parent]
    return held


def at_or_below(nodes: Sequence[Node], tops: Iterable[int]) -> frozenset[int]:
    """Return the positions of some nodes and of everything below them."""
    return frozenset(np.flatnonzero(at_or_above(nodes)[:, list(tops)].any(axis=1)).tolist())


def share_labels(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Give each inner node the new labels that all leaves below it share."""
    held = at_or_above(nodes)
    shared = []
    for position, node in enumerate(nodes):
        below = [nodes[other] for other in np.flatnonzero(held[:, position]).tolist()]
        first, *others = [other.new_labels for other in below if other.leaf] or [{}]
        common = {target: label for target, label in first.items() if all(one.get(target) == label for one in others)}
        shared.append(replace(node, new_labels=common))
    return tuple(shared)


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
