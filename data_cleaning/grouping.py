"""Raw labels to classes, by the taxonomy's versioned map; a label that is not in it stops cleaning."""

from collections.abc import Sequence
from difflib import get_close_matches

import polars as pl

from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Target, Taxonomy

_LABEL_MAP = {
    "taxonomy_version": pl.String,
    "target": pl.String,
    "raw_label": pl.String,
    "class": pl.String,
    "records": pl.Int64,
}
_MAX_NAMED = 20


def group_labels(kept: pl.DataFrame, taxonomy: Taxonomy, targets: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Replace each raw label by its class, and add the raw label as a column.

    The leads have `record`, `title`, `count` and a column of raw labels per target, none of them missing.

    Returns:
        The records with classes and `raw_<target>`, the raw label; and the map with the records of each raw label, 0
        for labels that no record has. White space around a label is not part of it in the map.

    Raises:
        BadInput: labels are in no class; all of them are named, each with its nearest neighbours.
    """
    raw = {name: kept[name].str.strip_chars() for name in targets}
    # Distinct labels are few: look those up, and let the join carry the classes to the records.
    counted = {
        name: pl.DataFrame([labels.alias("raw_label"), kept["count"].alias("records")]).group_by("raw_label").sum()
        for name, labels in raw.items()
    }
    found = {name: _unmapped(kept, raw[name], counted[name], taxonomy[name]) for name in targets}
    faults = [fault for of_target in found.values() for fault in of_target]
    if faults:
        strange = [name for name in targets if found[name]]
        more = [f"And {len(faults) - _MAX_NAMED:,} more labels."] if len(faults) > _MAX_NAMED else []
        raise BadInput("\n".join([*faults[:_MAX_NAMED], *more, _remedy(taxonomy, targets, strange)]))
    maps = [pl.DataFrame(schema=_LABEL_MAP)]
    grouped = []
    for name in targets:
        classes = pl.DataFrame(list(taxonomy[name].raw_to_class.items()), schema=["raw_label", "class"], orient="row")
        labelled = classes.join(counted[name], on="raw_label", how="left", maintain_order="left").with_columns(
            pl.col("records").fill_null(0), taxonomy_version=pl.lit(taxonomy.version), target=pl.lit(name)
        )
        maps.append(labelled.select(list(_LABEL_MAP)).sort("records", descending=True, maintain_order=True))
        classes_of = raw[name].replace_strict(dict(taxonomy[name].raw_to_class), return_dtype=pl.String)
        grouped += [classes_of, kept[name].alias(f"raw_{name}")]
    return kept.with_columns(grouped), pl.concat(maps)


def _remedy(taxonomy: Taxonomy, targets: Sequence[str], strange: Sequence[str]) -> str:
    """Say what to do about unknown labels; in an unknown file, the column may hold something else."""
    others = ", ".join(f"{name}: <its column>" for name in targets if name not in strange)
    return (
        f"Add each to a class of the taxonomy (version {taxonomy.version}), or correct it in the leads. If the column "
        f"of {' and '.join(strange)} holds something else, leave it out by mapping the other targets alone: "
        f'--set "leads.columns.targets={{{others}}}"'
    )


def _unmapped(kept: pl.DataFrame, raw: pl.Series, counted: pl.DataFrame, target: Target) -> list[str]:
    """Word every label that is in no class, the most frequent first."""
    strange = counted.filter(~pl.col("raw_label").is_in(list(target.raw_to_class)))
    faults = []
    for label, n_records in strange.sort("records", "raw_label", descending=[True, False]).iter_rows():
        first = kept.row(int((raw == label).arg_max() or 0), named=True)
        faults.append(
            f"Unknown {target.name} label {label!r}.{_neighbours(label, target)} Records that have it: {n_records:,}, "
            f"the first is {first['record']} ({first['title']!r})."
        )
    return faults


def _neighbours(label: str, target: Target) -> str:
    """Name the labels that are spelled nearest, however their case differs."""
    spelled: dict[str, list[str]] = {}
    for known in target.raw_to_class:
        spelled.setdefault(known.lower(), []).append(known)
    close = [name for near in get_close_matches(label.lower(), spelled, n=3) for name in spelled[near]]
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else " No known label is near."
