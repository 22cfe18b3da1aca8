"""Finds what no single line of a file shows: rules that can never decide, leaves that no title reaches.

Every combination of labels is tried in every confidence band. A rule without keywords takes the cells that it matches
from all later rules. A rule with keywords takes a cell from a later keyword only where one of its own is within that
keyword, as whole words: then every title with the later one has the earlier one as well. A title that is the later
keyword and nothing else has no other, so nothing more can be in the way, and the check is exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data_cleaning.errors import first_few
from data_cleaning.taxonomy import Taxonomy
from harness.tagging.hierarchy.nodes_and_rules import BoolArray, Contradiction, Node, Rule, matching, name_combination

Fault = tuple[int, str]
"""Line of the file, and wording."""

_FREE = -1


def coverage_faults(
    rules: Sequence[Rule], nodes: Sequence[Node], lines: Sequence[int], taxonomy: Taxonomy, confidences: Sequence[str]
) -> tuple[list[Fault], str]:
    """Find every rule and keyword that can never decide, and every leaf that no title reaches.

    The default rule comes last, if there is one; it may be out of reach. Each of the nodes has its line of the file;
    `confidences` are the names of the confidence bands.

    Returns:
        The faults, and a clause about the cells that reach no leaf, which is empty where all do.
    """
    faults: list[Fault] = []
    cells = _Cells(rules, [_cells(rule, taxonomy, confidences) for rule in rules])
    reached = set()
    for position, rule in enumerate(rules):
        is_default = not (rule.keywords or rule.classes or rule.confidence)
        if cells.take(position, faults, may_be_idle=is_default):
            reached.add(rule.leaf)
    for position, (node, line) in enumerate(zip(nodes, lines, strict=True)):
        if node.leaf and position not in reached:
            faults.append((line, f"no title can reach leaf {node.name!r}; give it a rule that can decide, or drop it"))
    left = np.flatnonzero(cells.taken_by == _FREE)
    if not len(left):
        return faults, ""
    combination, band = divmod(int(left[0]), len(confidences))
    first = f"{name_combination(combination, taxonomy)}, confidence {confidences[band]}"
    return faults, f" ({len(left):,} of {len(cells.taken_by):,} combinations reach no leaf, the first of them {first})"


def contradiction_faults(contradictions: Sequence[Contradiction], taxonomy: Taxonomy) -> list[Fault]:
    """Find every contradiction whose combinations all fall under earlier ones."""
    faults: list[Fault] = []
    seen = np.zeros(1, dtype=bool)
    for number, contradiction in enumerate(contradictions, start=1):
        matched = matching(contradiction.labels, taxonomy)
        if matched.any() and not (matched & ~seen).any():  # one that matches nothing has a fault of its own
            said = f"contradiction {number} adds nothing: earlier ones hold all of its labels"
            faults.append((contradiction.line, said))
        seen = seen | matched
    return faults


def _cells(rule: Rule, taxonomy: Taxonomy, confidences: Sequence[str]) -> BoolArray:
    """Say which cells the labels and the confidence of a rule match, (n_combinations * n_bands,)."""
    bands = np.array([not rule.confidence or name in rule.confidence for name in confidences])
    return (matching(rule.classes, taxonomy)[:, None] & bands).ravel()


@dataclass
class _Cells:
    """Combinations of labels in confidence bands, and who takes them."""

    rules: Sequence[Rule]
    masks: Sequence[BoolArray]
    """The cells that each rule matches, keywords aside, each (n_cells,)."""

    def __post_init__(self) -> None:
        n_cells = len(self.masks[0]) if self.masks else 0
        self.taken_by: npt.NDArray[np.int64] = np.full(n_cells, _FREE)
        """The first rule without keywords that matches each cell."""

    def take(self, position: int, faults: list[Fault], *, may_be_idle: bool) -> bool:
        """Let a rule take what earlier ones left to it, and return whether there was any."""
        rule, mask = self.rules[position], self.masks[position]
        if rule.keywords:
            return self._take_by_keywords(position, faults)
        free = mask & (self.taken_by == _FREE)
        self.taken_by[free] = position
        if not free.any() and not may_be_idle:
            faults.append((rule.line, f"this rule can never decide: {self._takers(mask, [])} all that it matches"))
        return bool(free.any())

    def _take_by_keywords(self, position: int, faults: list[Fault]) -> bool:
        """Note the keywords of a rule that can never decide, and return whether another can."""
        rule, mask = self.rules[position], self.masks[position]
        idle = {}
        for keyword in rule.keywords:
            within = [word for word in rule.keywords if word != keyword and word in keyword]
            earlier = [other for other in range(position) if _holds(keyword, self.rules[other].keywords)]
            free = mask & (self.taken_by == _FREE)
            for other in earlier:
                free = free & ~self.masks[other]
            if not free.any():
                idle[keyword] = f"{self._takers(mask, earlier)} all that it matches"
            elif within:
                idle[keyword] = f"titles with it have {within[0].strip()!r} of the same rule anyway"
        decides = len(idle) < len(rule.keywords)
        if not decides:
            faults.append((rule.line, f"this rule can never decide: {first_few(_said(idle))}"))
        else:
            faults += [(rule.line, said) for said in _said(idle)]
        return decides

    def _takers(self, mask: BoolArray, by_keyword: Sequence[int]) -> str:
        """Word which rules take cells of a mask, by their lines."""
        takers = set(self.taken_by[mask].tolist()) - {_FREE}
        takers |= {other for other in by_keyword if (self.masks[other] & mask).any()}
        lines = [str(self.rules[taker].line) for taker in sorted(takers)]
        return (
            f"the rule on line {lines[0]} takes" if len(lines) == 1 else f"the rules on lines {', '.join(lines)} take"
        )


def _holds(text: str, keywords: Sequence[str]) -> bool:
    return any(keyword in text for keyword in keywords)


def _said(idle: dict[str, str]) -> list[str]:
    return [f"keyword {keyword.strip()!r} can never decide: {why}" for keyword, why in idle.items()]
