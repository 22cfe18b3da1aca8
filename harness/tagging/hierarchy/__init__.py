"""The company's go-forward classification: a configured tree, and rules from the taxonomy's labels to its leaves."""

from harness.tagging.hierarchy.hierarchy import Hierarchy, Placements
from harness.tagging.hierarchy.hierarchy_difference import Difference, diff
from harness.tagging.hierarchy.hierarchy_reading import read_hierarchy
from harness.tagging.hierarchy.nodes_and_rules import Contradiction, FollowUp, Node, Rank, Rule

__all__ = [
    "Contradiction",
    "Difference",
    "FollowUp",
    "Hierarchy",
    "Node",
    "Placements",
    "Rank",
    "Rule",
    "diff",
    "read_hierarchy",
]
