"""From the old labels to the new places, with the records that go each way."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from data_cleaning.titles import IntArray
from harness.tagging.hierarchy.hierarchy import Hierarchy
from harness.tagging.hierarchy.rules import combination_of, first_contradiction, shape_of

CONTRADICTION = "contradiction"


def crosswalk(hierarchy: Hierarchy, labels: Mapping[str, IntArray], leaf: IntArray, records: IntArray) -> pd.DataFrame:
    """Count the records that go from each combination of old labels to each place in the tree.

    Args:
        hierarchy: the new classification.
        labels: target to class positions, each (n_rows,).
        leaf: positions of nodes, (n_rows,), as `Placements.leaf` or `Placements.node`; what is below a node is empty.
        records: that each row stands for, (n_rows,).

    Returns:
        A row per combination and place, most records first: the old label of each target, the name on each level of
        the tree, `new_` and a target's name for each target that has new labels, the band, `records`, `share` of all
        records, and `contradiction`, which says why the old labels cannot all be right, or is empty.
    """
    taxonomy = hierarchy.taxonomy
    pairs = pd.DataFrame({"old": combination_of(labels, taxonomy), "place": np.asarray(leaf), "records": records})
    counted = pairs.groupby(["old", "place"])["records"].sum().reset_index()
    counted = counted.sort_values(["records", "old", "place"], ascending=[False, True, True], ignore_index=True)
    columns: dict[str, object] = {}
    positions = np.unravel_index(counted["old"].to_numpy(dtype=np.int64), shape_of(taxonomy))
    for target, position in zip(taxonomy.targets, positions, strict=True):
        columns[target.name] = np.array(target.classes, dtype=object)[position]
    nodes = [hierarchy.nodes[place] for place in counted["place"]]
    for depth, level in enumerate(hierarchy.levels):
        columns[level] = [node.path[depth] if depth < len(node.path) else "" for node in nodes]
    for target in taxonomy.targets:
        if any(target.name in node.new_labels for node in hierarchy.nodes):
            columns[f"new_{target.name}"] = [node.new_labels.get(target.name, "") for node in nodes]
    columns[hierarchy.band_name] = [hierarchy.bands[node.band] if node.band >= 0 else "" for node in nodes]
    columns["records"] = counted["records"]
    columns["share"] = counted["records"] / max(int(counted["records"].sum()), 1)
    why = np.array([*(each.why for each in hierarchy.contradictions), ""], dtype=object)  # -1 is the empty last one
    columns[CONTRADICTION] = why[first_contradiction(hierarchy.contradictions, taxonomy)[counted["old"]]]
    return pd.DataFrame(columns)


def contradictions(
    hierarchy: Hierarchy, labels: Mapping[str, IntArray], leaf: IntArray, records: IntArray
) -> pd.DataFrame:
    """Return the rows of the crosswalk whose old labels contradict themselves; `share` stays that of all records."""
    table = crosswalk(hierarchy, labels, leaf, records)
    return table[table[CONTRADICTION] != ""].reset_index(drop=True)
