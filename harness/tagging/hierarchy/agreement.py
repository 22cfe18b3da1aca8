"""Which labels go with which place of a hierarchy, and which titles have others.

A rule may send a title elsewhere than its labels would: "Security Guard" is business, though a system may take it for
IT. Such a row has labels and a place that cannot both be right, so a person should look at it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

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
    said: dict[str, int] = {}
    if not agreements or not len(node):
        return np.full(len(node), -1, dtype=np.int64), ()
    # What is said depends on labels, node and band alone, of which few combinations occur. None is below -1.
    cases = np.zeros(len(node), dtype=np.int64)  # (n_titles,), one number for each combination
    for codes, n in (*zip(labels.T, (target.n_classes for target in taxonomy.targets), strict=True),
                     (node, len(nodes)), (band, len(bands))):  # fmt: skip
        cases = cases * (n + 1) + codes + 1
    case, distinct = pd.factorize(cases)
    first = np.zeros(len(distinct), dtype=np.int64)
    first[case[::-1]] = np.arange(len(case))[::-1]  # the first title of each case
    of_case = np.full(len(distinct), -1, dtype=np.int64)
    asked = [_asked(agreements, nodes, len(bands), target) for target in taxonomy.targets]
    for number, row in enumerate(first):
        parts = []
        for target, code, (of_node, of_band, by_node) in zip(taxonomy.targets, labels[row], asked, strict=True):
            asking = by_node[node[row]]
            fits = of_band[band[row], code] if asking == NOBODY else of_node[node[row], code]
            if not fits and code >= 0 and node[row] > ROOT:
                place = bands[band[row]] if asking == NOBODY else nodes[asking].name
                parts.append(f"{target.name} {target.classes[code]} in {place}")
        if parts:
            of_case[number] = said.setdefault(", ".join(parts), len(said))
    return of_case[case], tuple(said)


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
