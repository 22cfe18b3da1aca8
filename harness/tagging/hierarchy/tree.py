"""The tree: nodes from segments down to leaves, and what is said about whole branches of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
    """Who is called at the same turn."""

    name: str
    nodes: frozenset[int]
    """The nodes that the file names, and everything below them."""
    bands: frozenset[int]
    """Positions in `Hierarchy.bands`, and -1 where a band that is not sure will do."""


@dataclass(frozen=True)
class FollowUp:
    """Whom to follow up, the most wanted rank first."""

    most: int
    """Follow up at most so many."""
    ranks: tuple[Rank, ...]


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
    for position, node in enumerate(nodes):  # parents stand before their children
        if node.parent >= 0:
            held[position] |= held[node.parent]
    return held


def at_or_below(nodes: Sequence[Node], tops: Iterable[int]) -> frozenset[int]:
    """Return the positions of some nodes and of everything below them."""
    chosen = list(tops)
    return frozenset(np.flatnonzero(at_or_above(nodes)[:, chosen].any(axis=1)).tolist())


def share_labels(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Give each inner node the new labels that all leaves below it share."""
    held = at_or_above(nodes)
    return tuple(
        node
        if node.leaf
        else _with_shared(node, [nodes[below] for below in np.flatnonzero(held[:, position]).tolist()])
        for position, node in enumerate(nodes)
    )


def _with_shared(node: Node, below: Sequence[Node]) -> Node:
    leaves = [other.new_labels for other in below if other.leaf]
    shared = {
        target: label
        for target, label in (leaves[0] if leaves else {}).items()
        if all(labels.get(target) == label for labels in leaves)
    }
    return Node(node.name, node.path, node.parent, node.leaf, node.band, shared)
