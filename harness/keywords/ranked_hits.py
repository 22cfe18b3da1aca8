"""Which rows of a keyword table match each title and set a target, ranked from the row that decides it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from baselines.keyword_table import KeywordTable
from data_cleaning.titles import IntArray

Counts = npt.NDArray[np.int64]


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

    def hits_per_title(self) -> Counts:
        """Return how many rows hit each title, (n_titles,)."""
        return np.bincount(self.titles, minlength=len(self.winners))


def rank_hits(table: KeywordTable, hits: sparse.csr_matrix) -> dict[str, RankedHits]:
    """Rank the hits of a table, per target.

    Args:
        table: the table.
        hits: as `KeywordTable.hits` returns them, (n_titles, n_rows).
    """
    by_rank = hits[:, table.order].tocsr()
    ranked = {}
    for target, sets in table.sets.items():
        rows = table.order[sets[table.order]]  # (n_setting,), from the one that outranks the others
        chosen = by_rank[:, sets[table.order]]
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
        order: rows of the table, the one that outranks all others first, (n_rows,).

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
    """Return the row with one rank of each title, -1 where it has fewer hits."""
    chosen = np.full(len(starts), -1, dtype=np.int64)
    enough = n_hits > place
    chosen[enough] = found[starts[enough] + place]
    return chosen
