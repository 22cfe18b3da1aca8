"""Which labels go with which place of a hierarchy, and which titles have others.

A rule may send a title elsewhere than its labels would: "Security Guard" is business, though a system may take it for
IT. Such a row has labels and a place that cannot both be right, so a person should look at it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data_cleaning.taxonomy import Target, Taxonomy
from data_cleaning.titles import IntArray
from harness.tagging.hierarchy.nodes_and_rules import ROOT, BoolArray, Node, Rule, at_or_below

NOBODY = -1


@dataclass(frozen=True)
class Agreement:
    """Labels that titles of some places have."""

    nodes: tuple[int, ...]
    """Positions in `Hierarchy.nodes`; whatever is below them is meant too. () for an agreement about bands."""
    bands: frozenset[int]
    """Positions in `Hierarchy.bands`; none for an agreement about nodes."""
    labels: Mapping[str, frozenset[str]]
    """Target to the classes that agree."""
    line: int
    """Line of the file on which it begins."""


def disagreements(
    agreements: Sequence[Agreement],
    nodes: Sequence[Node],
    bands: Sequence[str],
    taxonomy: Taxonomy,
    labels: IntArray,
    node: IntArray,
    band: IntArray,
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Say where labels do not go with their place.

    What a node asks of a target goes before what the nodes above it ask, and that before what the band asks.

    Args:
        agreements: of the hierarchy.
        nodes: of the hierarchy.
        bands: of the hierarchy.
        taxonomy: whose targets `labels` has.
        labels: positions of classes in the taxonomy's order, -1 for none, (n_titles, n_targets).
        node: positions, -1 for none, (n_titles,).
        band: positions, -1 for none, (n_titles,).

    Returns:
        For each title a position in the second value, -1 where nothing disagrees, (n_titles,); and the distinct
        disagreements in words, such as "role Information Security in Business".
    """
    codes, said = np.full(len(node), -1, dtype=np.int64), dict[str, int]()
    if not agreements or not len(node):
        return codes, ()
    asked = [_asked(agreements, nodes, len(bands), target) for target in taxonomy.targets]
    wrong = np.zeros(labels.shape, dtype=bool)  # (n_titles, n_targets)
    asking = np.full(labels.shape, NOBODY)  # the node that asks, where one does
    for position, (of_node, of_band, by_node) in enumerate(asked):
        code = labels[:, position]
        asking[:, position] = by_node[node]
        fits = np.where(by_node[node] != NOBODY, of_node[node, code], of_band[band, code])
        wrong[:, position] = ~fits & (code >= 0) & (node > ROOT)
    rows = np.flatnonzero(wrong.any(axis=1))
    cases = np.column_stack([labels[rows], node[rows], band[rows]])  # what the words depend on
    distinct, first, case = np.unique(cases, axis=0, return_index=True, return_inverse=True)
    of_case = np.empty(len(distinct), dtype=np.int64)
    for number, row in enumerate(rows[first]):
        parts = [
            f"{target.name} {target.classes[labels[row, position]]} in "
            f"{bands[band[row]] if asking[row, position] == NOBODY else nodes[asking[row, position]].name}"
            for position, target in enumerate(taxonomy.targets)
            if wrong[row, position]
        ]
        of_case[number] = said.setdefault(", ".join(parts), len(said))
    codes[rows] = of_case[case.ravel()]
    return codes, tuple(said)


def _asked(
    agreements: Sequence[Agreement], nodes: Sequence[Node], n_bands: int, target: Target
) -> tuple[BoolArray, BoolArray, IntArray]:
    """Return which classes agree with each node and with each band, the last of them for none; and which node asks.

    The shapes are (n_nodes, n_classes), (n_bands + 1, n_classes) and (n_nodes,). The node that asks is the node itself,
    one above it, or `NOBODY`.
    """
    of_node = np.ones((len(nodes), target.n_classes), dtype=bool)
    of_band = np.ones((n_bands + 1, target.n_classes), dtype=bool)
    by_node = np.full(len(nodes), NOBODY)
    about = [one for one in agreements if target.name in one.labels]
    fits = {one.line: np.array([name in one.labels[target.name] for name in target.classes]) for one in about}
    deeper_last = sorted(
        ((len(nodes[top].path), top, one.line) for one in about for top in one.nodes), key=lambda each: each[0]
    )
    for _, top, line in deeper_last:
        below = sorted(at_or_below(nodes, [top]))
        of_node[below], by_node[below] = fits[line], top
    for one in about:
        of_band[sorted(one.bands)] = fits[one.line]
    return of_node, of_band, by_node


def agreement_faults(
    agreements: Sequence[Agreement], rules: Sequence[Rule], nodes: Sequence[Node], bands: Sequence[str]
) -> list[tuple[int, str]]:
    """Find what no title of a place could fulfil, because no rule leads titles with such labels there."""
    faults = []
    for one in agreements:
        places = {nodes[top].name: at_or_below(nodes, [top]) for top in one.nodes}
        places |= {bands[at]: frozenset(i for i, node in enumerate(nodes) if node.band == at) for at in one.bands}
        for name, inside in places.items():
            for target, classes in one.labels.items():
                leading = [rule.classes.get(target) for rule in rules if rule.leaf in inside]
                if classes and not any(known is None or known & classes for known in leading):
                    said = f"no rule leads titles with {target} {' or '.join(sorted(classes))} to {name!r}"
                    faults.append((one.line, f"{said}, so all titles there would disagree"))
    return faults
