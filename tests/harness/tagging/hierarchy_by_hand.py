"""A tree of three leaves over two targets, small enough to work out by hand."""

from pathlib import Path

from data_cleaning.taxonomy import Taxonomy
from harness.tagging.hierarchy import Hierarchy, read_hierarchy

TAXONOMY = Taxonomy.from_dict(
    {
        "targets": {
            "field": {"classes": {"Care": None, "Trade": None}},
            "grade": {"classes": {"Boss": None, "Staff": None}, "ordinal": True},
        }
    }
)

BY_HAND = """\
version: 1
levels: [part, job]
band: {name: height, values: [Top, Rest]}
sure: 0.6
confidence_bands: {high: 0.5, low: 0}
tree:
  Ward:
    Matron: {band: Top, field: Nursing}
    Nurses: {band: Rest, field: Nursing}
  Shops: {band: Rest, field: Retail}
rules:
  - {keywords: [night nurse, sister], leaf: Nurses}
  - {field: Care, grade: Boss, leaf: Matron}
  - {field: Care, confidence: high, leaf: Nurses}
default: Shops
contradictions:
  - {field: Trade, grade: Boss, why: shops have no boss}
groups: {carers: [Ward]}
follow_up:
  most: 2
  ranks:
    - {name: first, nodes: [Ward], bands: [Top]}
    - {name: second, nodes: [Ward]}
"""
"""Nodes: 0 the root, 1 Ward, 2 Matron, 3 Nurses, 4 Shops."""

ROOT, WARD, MATRON, NURSES, SHOPS = range(5)


def read(folder: Path, *changes: tuple[str, str], text: str = BY_HAND, taxonomy: Taxonomy = TAXONOMY) -> Hierarchy:
    """Read the text after each of its parts is replaced, once, by another."""
    for part, other in changes:
        assert part in text, part
        text = text.replace(part, other, 1)
    path = folder / "hierarchy.yaml"
    path.write_text(text, encoding="utf-8")
    return read_hierarchy(path, taxonomy)
