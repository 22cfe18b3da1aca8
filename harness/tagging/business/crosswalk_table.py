"""The table from the labels that the records have to where these lead in the hierarchy."""

import polars as pl

from harness.tagging.business.columns import Columns
from harness.tagging.hierarchy import Hierarchy

CONTRADICTION = "contradiction"


def crosswalk_table(hierarchy: Hierarchy, whole: pl.DataFrame) -> pl.DataFrame:
    """Return each combination of old labels and the leaf that it leads to, the most frequent first.

    Records without a title have no labels, and are left out. Keywords and confidence may lead one combination to
    several leaves; each is a row.

    Args:
        hierarchy: that the labels lead to.
        whole: counts of the whole file.
    """
    is_sure = pl.when(pl.col("node") == pl.col("leaf")).then(pl.col("records")).otherwise(0)
    titled = whole.filter(pl.col("node") >= 0).group_by("labels", "leaf", "contradiction")
    found = titled.agg(pl.col("records").sum(), is_sure.sum().alias("sure"))
    found = found.sort("records", "labels", "leaf", descending=[True, False, False])
    leaves = [hierarchy.nodes[position] for position in found["leaf"]]

    table = Columns()
    for target in hierarchy.taxonomy.targets:
        codes = found["labels"].struct.field(target.name)
        table.texts(f"old {target.name}", [target.classes[code] for code in codes], "old")
    for depth, level in enumerate(hierarchy.levels):
        table.texts(level, [leaf.path[depth] if depth < len(leaf.path) else None for leaf in leaves], "level")
    table.texts(hierarchy.band_name, [hierarchy.bands[leaf.band] for leaf in leaves], "new")
    renewed = {name for node in hierarchy.nodes if node.leaf for name in node.new_labels}
    for name in (name for name in hierarchy.taxonomy.names if name in renewed):
        table.texts(f"new {name}", [leaf.new_labels.get(name) for leaf in leaves], "new")
    records = found["records"].to_numpy()
    table.records("records", records)
    table.shares("share of records with a title", records, int(records.sum()))
    table.records("records sure of the leaf", found["sure"].to_numpy())
    why = [hierarchy.contradictions[position].why if position >= 0 else None for position in found["contradiction"]]
    table.texts(CONTRADICTION, why, "labels")
    return table.frame()
