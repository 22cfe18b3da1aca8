"""The rows that match each title, ranked from the one that decides it, and the labels that they are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse
from scipy.stats import norm

from baselines.keyword_table import KeywordTable
from data_cleaning.taxonomy import Target, Taxonomy
from data_cleaning.titles import IntArray
from harness.scoring.references import REFERENCES

Counts = npt.NDArray[np.int64]

_DEVIATIONS = float(norm.ppf(0.975))
"""Standard deviations on either side that contain 95%."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RankedHits:
    """The hits of all rows that set one target, title after title, and within a title by rank."""

    target: str
    titles: IntArray
    """Position of each hit's title, ascending, (n_hits,)."""
    rows: IntArray
    """Position of each hit's row in the table, (n_hits,)."""
    places: IntArray
    """Rank of each hit among those of its title, 0 for the row that decides it, (n_hits,)."""
    winners: IntArray
    """The row that decides each title, -1 for none, (n_titles,)."""
    runners_up: IntArray
    """The row that would decide each title without its winner, -1 for none, (n_titles,)."""


def rank_hits(table: KeywordTable, hits: Mapping[str, sparse.csr_matrix]) -> dict[str, RankedHits]:
    """Rank the hits of a table, as `KeywordTable.hits_by_target` returns them, per target."""
    ranked = {}
    for target, sets in table.sets.items():
        rows = table.order[sets[table.order]]  # (n_setting,), from the one that outranks the others
        chosen = hits[target][:, rows].tocsr()
        chosen.sort_indices()
        starts, n_hits = chosen.indptr[:-1], np.diff(chosen.indptr)
        found = rows[chosen.indices]  # (n_hits,)
        ranked[target] = RankedHits(
            target=target,
            titles=np.repeat(np.arange(len(n_hits)), n_hits),
            rows=found,
            places=np.arange(len(found)) - np.repeat(starts, n_hits),
            winners=_nth(found, starts, n_hits, 0),
            runners_up=_nth(found, starts, n_hits, 1),
        )
    return ranked


def pairs_of_rows(hits: RankedHits, counts: Counts, order: IntArray) -> pl.DataFrame:
    """Count the titles that two rows hit together.

    Args:
        hits: of the rows that set one target.
        counts: records of each title, at least 1, (n_titles,).
        order: of the rows, `KeywordTable.order`.

    Returns:
        `winner` and `loser`, positions of rows of which the first outranks the second, with `titles` and `records`.
    """
    rank = np.argsort(order)
    shape = (len(hits.winners), len(order))
    matrix = sparse.csr_matrix((np.ones(len(hits.rows), dtype=np.int64), (hits.titles, rank[hits.rows])), shape=shape)
    weighted = sparse.csr_matrix((counts[hits.titles], (hits.titles, rank[hits.rows])), shape=shape)
    titles, records = (sparse.triu(matrix.T @ factor, k=1, format="csr") for factor in (matrix, weighted))
    for product in (titles, records):
        product.sort_indices()  # both have an entry for each pair of rows that hit the same title
    pairs = titles.tocoo()
    return pl.DataFrame(
        {
            "winner": order[pairs.row],
            "loser": order[pairs.col],
            "titles": pairs.data.astype(np.int64),
            "records": records.data.astype(np.int64),
        }
    )


def _nth(found: IntArray, starts: IntArray, n_hits: IntArray, place: int) -> IntArray:
    """Return the row at one place of each title's ranking, -1 where it has fewer hits."""
    chosen = np.full(len(starts), -1, dtype=np.int64)
    enough = n_hits > place
    chosen[enough] = found[starts[enough] + place]
    return chosen


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """Labelled records of the audited titles."""

    name: str
    titles: IntArray
    """Position of each row's title, (n_rows,)."""
    codes: Mapping[str, IntArray]
    """Target to the class of each row, -1 where it has no label, (n_rows,)."""
    counts: Counts
    """Records of each row, (n_rows,)."""
    n_titles: int
    taxonomy: Taxonomy

    @cached_property
    def labels(self) -> dict[str, sparse.csr_matrix]:
        """Target to the records of each title that have each class, (n_titles, n_classes)."""
        tables = {}
        for target in self.taxonomy.targets:
            codes = self.codes[target.name]
            known = codes >= 0
            tables[target.name] = sparse.csr_matrix(
                (self.counts[known], (self.titles[known], codes[known])), shape=(self.n_titles, target.n_classes)
            )
        return tables

    @cached_property
    def judged(self) -> dict[str, Counts]:
        """Target to the records of each title that have a label, (n_titles,)."""
        return {name: np.asarray(table.sum(axis=1)).ravel().astype(np.int64) for name, table in self.labels.items()}

    def right(self, target: str, titles: IntArray, classes: IntArray) -> Counts:
        """Return the records of each title that have each class, all (n_pairs,)."""
        if not len(titles):
            return np.zeros(0, dtype=np.int64)
        return np.asarray(self.labels[target][titles, classes]).ravel().astype(np.int64)


def read_references(
    references: Mapping[str, pl.DataFrame], titles: pl.Series, taxonomy: Taxonomy
) -> tuple[Reference, ...]:
    """Align references with the audited titles, the most trustworthy first; other titles are left out.

    Args:
        references: name to rows of `title`, a class or raw label per target, null or absent where unknown, and `count`.
        titles: distinct, audited.
        taxonomy: names the targets and groups their labels.

    Raises:
        BadInput: a label is in no class of the taxonomy.
    """
    positions = pl.DataFrame({"title": titles, "_position": np.arange(len(titles))})
    trust = {name: place for place, name in enumerate(REFERENCES)}
    known = []
    for name in sorted(references, key=lambda name: (trust.get(name, len(trust)), name)):
        rows = references[name].join(positions, on="title", how="inner")
        known.append(
            Reference(
                name=name,
                titles=rows["_position"].to_numpy(),
                codes={target.name: _codes(rows, target) for target in taxonomy.targets},
                counts=rows["count"].cast(pl.Int64).to_numpy(),
                n_titles=len(titles),
                taxonomy=taxonomy,
            )
        )
    return tuple(known)


def wilson_bounds(shares: npt.ArrayLike, n_titles: npt.ArrayLike) -> tuple[npt.NDArray, npt.NDArray]:
    """Return the 95% Wilson intervals of shares of records, in [0, 1]; missing where there are no titles.

    All records of a title are right or wrong together, so the interval is that of the same share of as many titles.

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953, in closed form, so that a share need not be a whole number
    of titles.
    """
    share, n = np.asarray(shares, dtype=float), np.asarray(n_titles, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        shrink = 1 + _DEVIATIONS**2 / n
        centre = (share + _DEVIATIONS**2 / (2 * n)) / shrink
        half = _DEVIATIONS / shrink * np.sqrt(share * (1 - share) / n + _DEVIATIONS**2 / (4 * n**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def judge_decisions(
    reference: Reference, hits: Mapping[str, RankedHits], classes: Mapping[str, IntArray]
) -> pl.DataFrame:
    """Compare every title that a row decides with a reference, for all targets that the row decides together.

    Args:
        reference: the labelled records.
        hits: per target.
        classes: `KeywordTable.class_positions`.

    Returns:
        `title` and `row`, positions, with `judged_records`, those with a label of a target that the row decides, and
        `wrong_records`, those with a different label of such a target.
    """
    winners = {target: ranked.winners[reference.titles] for target, ranked in hits.items()}  # (n_rows,) each
    judged = {target: (rows >= 0) & (reference.codes[target] >= 0) for target, rows in winners.items()}
    wrong = {
        target: judged[target] & (classes[target][rows] != reference.codes[target]) for target, rows in winners.items()
    }
    pieces = []
    for number, (target, rows) in enumerate(winners.items()):
        first, any_wrong = judged[target].copy(), wrong[target].copy()
        for earlier, (other, others) in enumerate(winners.items()):
            if other != target:
                same = others == rows
                any_wrong |= same & wrong[other]
                if earlier < number:  # a record of which the row decides both targets counts once
                    first &= ~(same & judged[other])
        counts = reference.counts[first]
        decided = {"title": reference.titles[first], "row": rows[first], "judged_records": counts}
        pieces.append(pl.DataFrame({**decided, "wrong_records": np.where(any_wrong[first], counts, 0)}))
    return pl.concat(pieces).group_by("title", "row").agg(pl.col("judged_records", "wrong_records").sum())


def _codes(rows: pl.DataFrame, target: Target) -> IntArray:
    """Return the class of each row's label, -1 where it has none."""
    if target.name not in rows.columns:
        return np.full(len(rows), -1, dtype=np.int64)
    distinct = rows[target.name].drop_nulls().unique().to_list()
    position = dict(zip(distinct, target.encode(distinct).tolist(), strict=True))
    return rows[target.name].replace_strict(position, default=-1, return_dtype=pl.Int64).to_numpy()
