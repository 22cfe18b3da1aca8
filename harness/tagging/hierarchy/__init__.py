"""The company's go-forward classification: a configured tree, and rules from the taxonomy's labels to its leaves."""

from harness.tagging.hierarchy.crosswalk import contradictions, crosswalk
from harness.tagging.hierarchy.hierarchy import Hierarchy
from harness.tagging.hierarchy.hierarchy_difference import Difference, diff
from harness.tagging.hierarchy.placing import Placements
from harness.tagging.hierarchy.rules import Contradiction, Rule
from harness.tagging.hierarchy.tree import FollowUp, Node, Rank

__all__ = [
    "Contradiction",
    "Difference",
    "FollowUp",
    "Hierarchy",
    "Node",
    "Placements",
    "Rank",
    "Rule",
    "contradictions",
    "crosswalk",
    "diff",
]
