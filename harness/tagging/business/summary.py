"""How far communications penetrate: the figures about a whole file, as tables and in sentences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from harness.tagging.business.business_tables import (
    MAX_SHOWN,
    Columns,
    band_columns,
    crosswalk_table,
    node_table,
    share,
    split_by_band,
    spoken,
    value_table,
)
from harness.tagging.business.counting import MAX_VALUES, Counts
from harness.tagging.business.follow_up import rank_rows
from harness.tagging.hierarchy import Hierarchy
from harness.tagging.hierarchy.nodes_and_rules import ROOT

_TITLED, _UNTITLED = "with a title", "without a title"
_LEAF, _HIGHER, _NOWHERE = "sure of a leaf", "sure of a higher node only", "sure of no node"
_CONTRADICT, _REVIEW = "labels contradict each other", "for a person to review"
_REPAIRED = "with a title that was repaired"
_ALL = "all"
_PLACED = {
    _LEAF: "all the way down",
    _HIGHER: "only to a higher level",
    _NOWHERE: "not at all",
}
"""How far records are placed, for people who do not know the tree."""

_MAX_SPLIT = 2
"""Groups that have a sentence each; more share one."""


@dataclass(frozen=True)
class Group:
    """Records that belong together, and what they are made up of."""

    name: str
    n_records: int
    parts: Mapping[str, int]
    """Name to records; the parts add up to the group."""


@dataclass(frozen=True)
class Overview:
    """How many records of the whole file something holds for."""

    n_records: int
    quality: Mapping[str, int]
    """With a title, sure of a leaf, and so on."""
    groups: tuple[Group, ...]
    """Ideal customers and the like, by band."""
    follow_up: Group | None
    """Whoever has a rank, by rank."""

    def table(self) -> pl.DataFrame:
        """Return a row per figure; of the parts of a group also the share of the group."""
        rows: list[tuple[str, str, int, int | None]] = [("records", _ALL, self.n_records, None)]
        rows += [("records", name, n_records, None) for name, n_records in self.quality.items()]
        groups = [*self.groups, *([self.follow_up] if self.follow_up else [])]
        for group in groups:
            rows.append((group.name, _ALL, group.n_records, group.n_records))
            rows += [(group.name, name, n_records, group.n_records) for name, n_records in group.parts.items()]
        about, figures, records, wholes = zip(*rows, strict=True)
        table = Columns()
        table.texts("about", about, "about")
        table.texts("figure", figures, "figure")
        counted = np.array(records, dtype=np.int64)
        table.records("records", counted)
        table.shares("share of all records", counted, self.n_records)
        of_group = share(counted, np.array([whole or 1 for whole in wholes]))
        known = pl.Series([whole is not None for whole in wholes])
        return table.frame().with_columns(pl.Series("share of the group", of_group).set(~known, None))

    def sentences(self) -> list[str]:
        """Return the figures in a few short sentences, the groups first; nothing is said of what has no records."""
        if not self.n_records:
            return ["The file has no records."]
        return [*self._of_groups(), *self._of_quality()]

    def _of_groups(self) -> Iterator[str]:
        groups = [group for group in self.groups if group.n_records]
        of_all = f"Of {self.n_records:,} records"
        if len(groups) > _MAX_SPLIT:
            yield f"{of_all}, {self._shares({group.name: group.n_records for group in groups})}."
            return
        for group in groups:
            yield f"{of_all}, {self._share(group.n_records)} are {group.name}: {self._shares(group.parts)}."
            of_all = "Of all records"

    def _of_quality(self) -> Iterator[str]:
        shares = [f"{self._share(self.quality[name])} {words}" for name, words in _PLACED.items() if self.quality[name]]
        placed = ", ".join(shares).replace(" ", " are placed ", 1)
        titled = f"{self._share(self.quality[_TITLED])} of all {self.n_records:,} records have a title"
        yield f"{titled}: {placed}." if shares else f"{titled}."
        if self.quality[_CONTRADICT]:
            yield f"{self._share(self.quality[_CONTRADICT])} of all records have labels that contradict each other."
        if self.quality.get(_REVIEW):
            yield f"{self._share(self.quality[_REVIEW])} of all records are {_REVIEW}."
        if self.follow_up is not None:
            parts = [f"{name} {n_records:,}" for name, n_records in self.follow_up.parts.items() if n_records]
            relevant = "records are relevant for a follow-up"
            yield f"{self.follow_up.n_records:,} {relevant}: {', '.join(parts)}." if parts else f"No {relevant}."

    def _shares(self, parts: Mapping[str, int]) -> str:
        return ", ".join(f"{name} {self._share(n_records)}" for name, n_records in parts.items() if n_records)

    def _share(self, n_records: int) -> str:
        """Word a share of all records; one that is not nothing does not read as nothing."""
        percent = 100 * n_records / self.n_records
        return "under 0.1%" if 0 < percent < 0.05 else f"{percent:.1f}%"


def overview(hierarchy: Hierarchy, whole: pl.DataFrame, others: Mapping[str, int]) -> Overview:
    """Count the figures from the counts of the whole file, and add the records of others that it does not tell."""
    node, band, records = (whole[name].to_numpy() for name in ("node", "band", "records"))
    is_leaf = np.array([one.leaf for one in hierarchy.nodes])[node] & (node >= 0)
    quality = {
        _TITLED: node >= 0,
        _UNTITLED: node < 0,
        _LEAF: is_leaf,
        _HIGHER: (node > ROOT) & ~is_leaf,
        _NOWHERE: node == ROOT,
        f"sure of the {spoken(hierarchy.band_name)}": band >= 0,
        _CONTRADICT: whole["contradiction"].to_numpy() >= 0,
    }
    counted = {name: int(records[rows].sum()) for name, rows in quality.items()}
    return Overview(
        n_records=int(records.sum()),
        quality={**counted, **others},
        groups=tuple(_by_band(hierarchy, name, nodes, whole) for name, nodes in hierarchy.groups.items()),
        follow_up=_by_rank(hierarchy, whole),
    )


def _by_band(hierarchy: Hierarchy, name: str, nodes: frozenset[int], whole: pl.DataFrame) -> Group:
    inside = whole.filter(pl.col("node").is_in(sorted(nodes)))
    split = split_by_band(hierarchy, inside["node"].to_numpy(), inside["band"].to_numpy())
    names = band_columns(hierarchy)[:-1]  # every record of a group has a title
    records = np.bincount(split, weights=inside["records"], minlength=len(names)).astype(np.int64)
    return Group(name, int(records.sum()), dict(zip(names, records.tolist(), strict=True)))


def _by_rank(hierarchy: Hierarchy, whole: pl.DataFrame) -> Group | None:
    if hierarchy.follow_up is None:
        return None
    rank = rank_rows(hierarchy.follow_up, whole["node"].to_numpy(), whole["band"].to_numpy())
    records = whole["records"].to_numpy()
    parts = {one.name: int(records[rank == position].sum()) for position, one in enumerate(hierarchy.follow_up.ranks)}
    return Group("follow-up", sum(parts.values()), parts)


@dataclass(frozen=True)
class Summary:
    """Tables of text, of records (whole numbers) and of shares (floats from 0 to 1)."""

    overview: pl.DataFrame
    """A row per figure about the whole file."""
    nodes: pl.DataFrame
    """A row per node, its name under its level, by band."""
    levels: tuple[str, ...]
    """Columns of `nodes` that hold names of nodes, the highest level first."""
    by: Mapping[str, pl.DataFrame]
    """Column to a row per value, by group, band and node of the first level."""
    crosswalk: pl.DataFrame
    """A row per combination of old labels and the leaf that they lead to."""
    sentences: tuple[str, ...]
    """The overview in words."""
    notes: tuple[str, ...]
    """Which values of a column have no row of their own."""


def summarise(
    hierarchy: Hierarchy, counts: Counts, *, n_review: int | None = None, n_repaired: int | None = None
) -> Summary:
    """Turn the counts of a file into tables.

    Args:
        hierarchy: in which the records have their places.
        counts: of the records.
        n_review: records that a person should look at; None leaves them out, as not known.
        n_repaired: records whose title was damaged and answered for as repaired; None leaves them out.
    """
    nodes, levels = node_table(hierarchy, counts.whole)
    others = {name: n for name, n in {_REVIEW: n_review, _REPAIRED: n_repaired}.items() if n is not None}
    told = overview(hierarchy, counts.whole, others)
    by = {
        name: value_table(hierarchy, name, rows, is_given_up=name in counts.given_up)
        for name, rows in counts.by.items()
    }
    return Summary(
        overview=told.table(),
        nodes=nodes,
        levels=levels,
        by=by,
        crosswalk=crosswalk_table(hierarchy, counts.whole),
        sentences=tuple(told.sentences()),
        notes=tuple(_notes(counts)),
    )


def _notes(counts: Counts) -> Iterator[str]:
    for name, rows in counts.by.items():
        n_values = rows["value"].drop_nulls().n_unique()
        if name in counts.given_up:
            yield f"Column {name!r} has more than {MAX_VALUES:,} different values, so they are not told apart."
        elif n_values > MAX_SHOWN:
            yield (
                f"Column {name!r} has {n_values:,} different values; the {MAX_SHOWN:,} most frequent have a row each, "
                "the others one together."
            )
