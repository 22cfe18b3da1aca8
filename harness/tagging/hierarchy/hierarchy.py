"""A hierarchy, and the places of titles in it: probabilities of labels rolled up the tree.

The place of a title is the deepest node that is sure; beside it goes the leaf of its most probable labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from baselines.matching import MatchingPass, find_matches, normal_form
from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, IntArray, StrArray, distinct_keys
from harness.tagging.hierarchy.agreement import Agreement, disagreements
from harness.tagging.hierarchy.nodes_and_rules import (
    ROOT,
    BoolArray,
    Contradiction,
    FollowUp,
    Node,
    Rule,
    at_or_above,
    children,
    combination_of,
    first_contradiction,
    matching,
    shape_of,
)

CHUNK_CELLS = 400_000
"""Joint probabilities worked on at a time, titles times combinations: 3 MB, which stays in a processor's cache."""

ROUNDING = 1e-6
"""How far a sum or product of probabilities may fall short of a threshold by rounding alone."""

_MAX_REMEMBERED = 20_000
"""Distinct cases whose places are remembered; a case is which rules' keywords match and all probabilities."""

_BITS = 32
"""Keyword rules that share one integer when titles are grouped."""


@dataclass(frozen=True)
class Placements:
    """Where titles are in a hierarchy; all arrays are (n_titles,)."""

    node: npt.NDArray[np.int16]
    """The deepest sure node; 0, the root, where not even a node of the first level is sure."""
    confidence: npt.NDArray[np.float32]
    """The probability of that node."""
    leaf: npt.NDArray[np.int16]
    """The leaf that the rules give the most probable label of each target, sure or not."""
    rule: npt.NDArray[np.int16]
    """Position of the rule that decided on that leaf."""
    band: npt.NDArray[np.int8]
    """The most probable band where it is sure, else -1."""
    contradiction: npt.NDArray[np.int8]
    """The first contradiction that the most probable labels fall under, else -1."""

    def __len__(self) -> int:
        return len(self.node)

    def take(self, rows: IntArray | BoolArray) -> "Placements":
        """Return the titles that a mask or positions name, in that order."""
        return Placements(**{name: values[rows] for name, values in vars(self).items()})


@dataclass(frozen=True, kw_only=True)
class Hierarchy:
    """A classification that the labels of a taxonomy lead to; `configs/hierarchy.yaml` describes its file."""

    taxonomy: Taxonomy
    version: str
    levels: tuple[str, ...]
    """Names of the tree's levels, the first below the root; a leaf may be on any of them."""
    band_name: str
    bands: tuple[str, ...]
    """Bands of seniority, the highest first; each leaf has one."""
    nodes: tuple[Node, ...]
    """The root first, then in the file's order, parents before their children."""
    rules: tuple[Rule, ...]
    """The first that matches decides; the default comes last."""
    sure: float
    """Lowest probability of a node that is given as an answer."""
    confidence_bands: Mapping[str, float]
    """Name to lower bound, the highest first; the last is 0."""
    groups: Mapping[str, frozenset[int]]
    """Name to the nodes in it and everything below them."""
    follow_up: FollowUp | None
    contradictions: tuple[Contradiction, ...]
    agreements: tuple[Agreement, ...] = ()

    def place(self, titles: Sequence[str] | StrArray, probabilities: Mapping[str, FloatArray]) -> Placements:
        """Find the place of each title.

        Args:
            titles: distinct titles as `normalise_titles` spells them, length n_titles.
            probabilities: target to rows that sum to 1, each (n_titles, n_classes).

        Raises:
            BadInput: a title is missing or is no text, or the probabilities are for other targets, classes or titles.
        """
        return self._placer.place(titles, probabilities)

    def disagreements(
        self, labels: IntArray, node: IntArray, band: IntArray
    ) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
        """Say where labels do not go with their place, as `agreement.disagreements` does."""
        return disagreements(self.agreements, self.nodes, self.bands, self.taxonomy, labels, node, band)

    @cached_property
    def _placer(self) -> "_Placer":
        return _Placer(self)


@dataclass(frozen=True)
class _Placer:
    """Places titles in a hierarchy, and remembers what it has worked out from it.

    Titles for which the same rules' keywords fire, and whose confidence is in the same band, form a group: within it
    the labels alone decide, and each combination of them goes to one leaf.
    """

    hierarchy: Hierarchy

    def place(self, titles: Sequence[str] | StrArray, probabilities: Mapping[str, FloatArray]) -> Placements:
        self._check(len(titles), probabilities)
        fired = self._fired(titles)
        first, position = _alike(fired, probabilities)
        # A learned system gives nearly every title probabilities of its own, which are not worth remembering.
        place = self._place if 2 * len(first) > len(fired) else self._place_cases
        cases = place(fired[first], {name: rows[first] for name, rows in probabilities.items()})
        return cases.take(position)

    def _place_cases(self, fired: BoolArray, probabilities: Mapping[str, FloatArray]) -> Placements:
        """Find the place of each distinct case; few are remembered, since a keyword table has no more than that.

        It gives thousands of titles the same answer, and the next titles mostly answers that were seen before.
        """
        if len(fired) > _MAX_REMEMBERED:
            return self._place(fired, probabilities)
        columns = [fired, *(probabilities[name] for name in self.hierarchy.taxonomy.names)]
        keys = [case.tobytes() for case in np.hstack(columns).astype(np.float64)]
        if len(self._remembered) + len(keys) > _MAX_REMEMBERED:
            self._remembered.clear()
        new = [row for row, key in enumerate(keys) if key not in self._remembered]
        placed = self._place(fired[new], {name: rows[new] for name, rows in probabilities.items()})
        answers = zip(*vars(placed).values(), strict=True)
        self._remembered.update(zip((keys[row] for row in new), answers, strict=True))
        found = zip(*(self._remembered[key] for key in keys), strict=True) if keys else [()] * len(vars(placed))
        types = [values.dtype for values in vars(placed).values()]
        return Placements(*(np.array(values, dtype=kind) for values, kind in zip(found, types, strict=True)))

    def _place(self, fired: BoolArray, probabilities: Mapping[str, FloatArray]) -> Placements:
        n_titles, n_nodes = len(fired), len(self.hierarchy.nodes)
        node = np.zeros(n_titles, dtype=np.int16)
        confidence = np.zeros(n_titles, dtype=np.float32)
        rule = np.zeros(n_titles, dtype=np.int16)
        band = np.zeros(n_titles, dtype=np.int8)
        contradiction = np.zeros(n_titles, dtype=np.int8)
        contradicts = first_contradiction(self.hierarchy.contradictions, self.hierarchy.taxonomy)  # (n_combinations,)
        confidence_band = self._confidence_band(probabilities)
        group = _groups(fired, confidence_band)
        order = np.argsort(group, kind="stable")
        step = max(1, CHUNK_CELLS // len(contradicts))
        for rows in (order[start : start + step] for start in range(0, n_titles, step)):
            predicted, joint = self._predicted(rows, probabilities), self._joint(rows, probabilities)
            rolled = np.empty((self._spread.shape[1], len(rows)))  # of each node, then of each band
            starts = [0, *(np.flatnonzero(np.diff(group[rows])) + 1).tolist(), len(rows)]
            for alike in (slice(*ends) for ends in pairwise(starts)):
                first = rows[alike.start]
                fire = tuple(np.flatnonzero(fired[first]).tolist())
                decider, spread = self._decider(fire, int(confidence_band[first]))
                rule[rows[alike]] = decider[predicted[alike]]
                # A sparse product adds up each title by itself, in one order; a dense one rounds by how many there are.
                rolled[:, alike] = spread @ joint[:, alike]
            node[rows], confidence[rows] = self._deepest_sure(rolled[:n_nodes])
            band[rows] = self._sure_band(rolled[n_nodes:])
            contradiction[rows] = contradicts[predicted]
        return Placements(node, confidence, self._leaf_of_rule[rule].astype(np.int16), rule, band, contradiction)

    def _check(self, n_titles: int, probabilities: Mapping[str, FloatArray]) -> None:
        expected = {target.name: (n_titles, target.n_classes) for target in self.hierarchy.taxonomy.targets}
        given = {name: rows.shape for name, rows in probabilities.items()}
        if given != expected:
            raise BadInput(
                f"The hierarchy places titles by probabilities of the shapes {expected}, but got {given}. Use the "
                "taxonomy that the system was fitted with."
            )

    def _fired(self, titles: Sequence[str] | StrArray) -> BoolArray:
        """Say of which rules each title has a keyword, (n_titles, n_rules)."""
        fired = np.zeros((len(titles), len(self.hierarchy.rules)), dtype=bool)
        words = sorted({word for rule in self.hierarchy.rules for word in rule.keywords})
        if not words:
            return fired
        search = MatchingPass(spell=normal_form, patterns=tuple(words), ranks={}, no_match=0)
        ((rows, found),) = find_matches([search], titles)
        of_word = np.array([[word in rule.keywords for rule in self.hierarchy.rules] for word in words], dtype=bool)
        hits, rule = np.nonzero(of_word[found]) if len(found) else (found, found)
        fired[rows[hits], rule] = True
        return fired

    def _confidence_band(self, probabilities: Mapping[str, FloatArray]) -> npt.NDArray[np.int64]:
        """Return the position of the confidence band of each title, (n_titles,)."""
        highest = [rows.max(axis=1).astype(np.float64) for rows in probabilities.values()]
        confidence = np.multiply.reduce(highest) + ROUNDING
        above = np.array(list(self.hierarchy.confidence_bands.values())[:-1])  # all but the last, which is the rest
        return (confidence[:, None] < above).sum(axis=1)

    def _decider(self, fired: tuple[int, ...], band: int) -> tuple[IntArray, csr_array]:
        """Say where combinations go, given the keywords that fire and the confidence.

        Returns:
            The first rule that matches each combination, (n_combinations,), and which nodes and bands get its
            probability, (n_nodes + n_bands, n_combinations).
        """
        key = (fired, band)
        if key not in self._deciders:
            name = list(self.hierarchy.confidence_bands)[band]
            deciding = np.full(int(np.prod(shape_of(self.hierarchy.taxonomy))), -1)
            for position in reversed(range(len(self.hierarchy.rules))):
                rule = self.hierarchy.rules[position]
                if (not rule.keywords or position in fired) and (not rule.confidence or name in rule.confidence):
                    deciding[matching(rule.classes, self.hierarchy.taxonomy)] = position
            assert (deciding >= 0).all(), "the default takes all that is left"
            self._deciders[key] = deciding, csr_array(self._spread[self._leaf_of_rule[deciding]].T)
        return self._deciders[key]

    def _predicted(self, rows: IntArray, probabilities: Mapping[str, FloatArray]) -> IntArray:
        """Return the combination of the most probable labels, (n_rows,)."""
        positions = {name: probabilities[name][rows].argmax(axis=1) for name in self.hierarchy.taxonomy.names}
        return combination_of(positions, self.hierarchy.taxonomy)

    def _joint(self, rows: IntArray, probabilities: Mapping[str, FloatArray]) -> npt.NDArray[np.float64]:
        """Multiply the targets' probabilities into one for each combination, (n_combinations, n_rows)."""
        joint = np.ones((1, len(rows)))
        for name in self.hierarchy.taxonomy.names:
            one = probabilities[name][rows].astype(np.float64).T  # (n_classes, n_rows)
            joint = (joint[:, None, :] * one[None, :, :]).reshape(-1, len(rows))
        return joint

    def _deepest_sure(self, rolled: npt.NDArray[np.float64]) -> tuple[IntArray, FloatArray]:
        """Go down from the root to the most probable child as long as that is sure; (n_rows,) each."""
        at = np.full(rolled.shape[1], ROOT)
        for parent, below in self._children.items():  # parents come before their children
            here = np.flatnonzero(at == parent)
            child = below[rolled[below[:, None], here].argmax(axis=0)]
            sure = rolled[child, here] >= self.hierarchy.sure - ROUNDING
            at[here[sure]] = child[sure]
        return at, rolled[at, np.arange(len(at))]

    def _sure_band(self, rolled: npt.NDArray[np.float64]) -> IntArray:
        """Return the most probable band where it is sure, else -1, (n_rows,)."""
        return np.where(rolled.max(axis=0) >= self.hierarchy.sure - ROUNDING, rolled.argmax(axis=0), -1)

    @cached_property
    def _remembered(self) -> dict[bytes, tuple[Any, ...]]:
        return {}

    @cached_property
    def _deciders(self) -> dict[tuple[tuple[int, ...], int], tuple[IntArray, csr_array]]:
        return {}

    @cached_property
    def _leaf_of_rule(self) -> IntArray:
        return np.array([rule.leaf for rule in self.hierarchy.rules])

    @cached_property
    def _children(self) -> dict[int, IntArray]:
        return {parent: np.array(below) for parent, below in children(self.hierarchy.nodes).items()}

    @cached_property
    def _spread(self) -> npt.NDArray[np.float64]:
        """Say for each node which nodes and bands get its probability, (n_nodes, n_nodes + n_bands)."""
        nodes, n_bands = self.hierarchy.nodes, len(self.hierarchy.bands)
        of_band = np.array([[node.band == band for band in range(n_bands)] for node in nodes])
        return np.hstack([at_or_above(nodes), of_band]).astype(np.float64)


def _alike(fired: BoolArray, probabilities: Mapping[str, FloatArray]) -> tuple[IntArray, IntArray]:
    """Find titles that differ in nothing that a place depends on.

    Returns:
        A row for each distinct case, (n_distinct,), and the case of each title, (n_titles,).
    """
    columns: list[npt.NDArray[Any]] = [np.packbits(fired, axis=1), *probabilities.values()]
    key = np.zeros(len(fired))
    for number, values in enumerate(columns, start=1):
        # Weights without a simple relation between them, so that different cases hardly share a key.
        key = key + values @ np.sqrt(np.arange(values.shape[1]) + number * 1000.5)
    row, position = distinct_keys(key)
    if all((values[row][position] == values).all() for values in columns):
        return row, position
    return np.arange(len(key)), np.arange(len(key))  # two cases share a key


def _groups(fired: BoolArray, confidence_band: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number the groups of titles that have the same rules fired and the same confidence band, (n_titles,)."""
    group = confidence_band
    for start in range(0, fired.shape[1], _BITS):
        part = fired[:, start : start + _BITS]
        bits = part @ (1 << np.arange(part.shape[1], dtype=np.int64))
        group = pd.factorize((group << _BITS) | bits)[0]  # few groups again, so that there is room for the next part
    return group
