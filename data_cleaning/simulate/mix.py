"""The one place that says who attends: the share of each family of titles, and of each level within it.

Shares are of the records by truth. Retune here when the labels of the history drift from their targets.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Family:
    """Titles that share a place in the mix."""

    share: float
    """Weight among all families."""
    levels: Mapping[str, float] | None = None
    """Level to its weight within the family; None where the fixed titles bring their own."""


def _levels(c_level: float, executive: float, director: float, manager: float, contributor: float) -> dict[str, float]:
    return {"C-Level": c_level, "Executive": executive, "Director": director, "Manager": manager,
            "Contributor": contributor}  # fmt: skip


FAMILIES: Mapping[str, Family] = {
    "security": Family(share=29.2, levels=_levels(0.1, 0.09, 0.18, 0.29, 0.34)),
    "networking": Family(share=6.1, levels=_levels(0, 0.03, 0.1, 0.32, 0.55)),
    "systems": Family(share=8.4, levels=_levels(0, 0.05, 0.15, 0.29, 0.51)),
    "it": Family(share=20.4, levels=_levels(0.12, 0.08, 0.27, 0.35, 0.18)),
    "governance": Family(share=4.8, levels=_levels(0.05, 0.07, 0.17, 0.28, 0.43)),
    "legal": Family(share=0.9, levels=_levels(0.03, 0.25, 0.10, 0.07, 0.55)),
    "engineering": Family(share=7.6, levels=_levels(0.01, 0.09, 0.12, 0.18, 0.60)),
    "procurement": Family(share=3.0, levels=_levels(0.02, 0.07, 0.17, 0.34, 0.40)),
    "business": Family(share=10.7, levels=_levels(0.19, 0.15, 0.15, 0.24, 0.27)),
    "planted security": Family(share=3.5, levels=_levels(0, 0.05, 0.09, 0.23, 0.63)),
    "planted systems": Family(share=1.8, levels=_levels(0, 0.03, 0.06, 0.19, 0.72)),
    "planted it": Family(share=0.5, levels=_levels(0, 0.03, 0.10, 0.25, 0.62)),
    "planted engineering": Family(share=0.8, levels=_levels(0, 0.03, 0.06, 0.16, 0.75)),
    "trap": Family(share=1.6),
    "junk": Family(share=0.7),
    "foreign": Family(share=2.2),
}
"""Family name to its place in the mix."""

STEEPNESS = 1.3
"""Power that the weights within a level are raised to: more makes the common titles commoner and the tail thinner."""

FIXED_SHARE: Mapping[tuple[str, str], float] = {
    ("security", "Contributor"): 0.14, ("security", "Manager"): 0.05, ("it", "Contributor"): 0.30, ("it",
    "Manager"): 0.12,
    ("it", "Executive"): 0.25, ("networking", "Contributor"): 0.03, ("systems", "Contributor"): 0.35,
    ("governance", "Contributor"): 0.35, ("governance", "Manager"): 0.3, ("legal", "Contributor"): 0.7,
    ("legal", "Executive"): 0.6, ("procurement", "Contributor"): 0.4, ("engineering", "Contributor"): 0.5,
    ("engineering", "Manager"): 0.4, ("engineering", "Executive"): 0.4, ("engineering", "Director"): 0.3,
    ("business", "Executive"): 0.5, ("business", "Director"): 0.35, ("business", "Manager"): 0.45,
    ("business", "Contributor"): 0.6, ("planted systems", "Contributor"): 0.12,
}  # fmt: skip
"""Share of a family's level that its fixed titles hold; the patterns of its fields hold the rest."""
