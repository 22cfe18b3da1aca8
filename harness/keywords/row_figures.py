"""What each row of a keyword table is worth: what it hits, decides, shares with others, and has right."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from baselines.keyword_table import KeywordTable
from data_cleaning.taxonomy import Target
from data_cleaning.titles import IntArray
from harness.keywords.judging import Reference, wilson_bounds
from harness.keywords.ranked_hits import Counts, RankedHits

Columns = dict[str, pl.Series]

A_ROW, FALLBACK = "a row", "the fallback"
"""What decides a title."""


def target_figures(table: KeywordTable, ranked: RankedHits, counts: Counts, references: Sequence[Reference]) -> Columns:
    """Count what the rows that set one target are to it.

    Returns:
        Columns of one cell per row, null where the row does not set the target. Their names end in `_<target>`, or in
        `_<target>_<reference>`: `decided_`, `unique_`, `overlap_` and `conflict_` `titles` and `records`;
        of what the row decides and the reference knows `judged_titles`, `judged_records` and `wrong_records`, the
        `precision`, its 95% Wilson interval from `low` to `high`, and `instead`, the class of most wrong records.
    """
    target, n_rows = table.taxonomy[ranked.target], len(table)
    classes = table.class_positions[target.name]
    sets = table.sets[target.name]
    n_hits = ranked.hits_per_title()
    won = np.flatnonzero(ranked.winners >= 0)  # (n_decided,)
    rivals = np.zeros(len(counts), dtype=bool)  # (n_titles,)
    rivals[ranked.titles[classes[ranked.rows] != classes[ranked.winners[ranked.titles]]]] = True
    alone, shared, contested = n_hits[won] == 1, n_hits[ranked.titles] > 1, rivals[ranked.titles]
    kinds = {
        "decided": (ranked.winners[won], won),
        "unique": (ranked.winners[won][alone], won[alone]),
        "overlap": (ranked.rows[shared], ranked.titles[shared]),
        "conflict": (ranked.rows[contested], ranked.titles[contested]),
    }
    columns = {}
    for kind, (rows, titles) in kinds.items():
        columns[f"{kind}_titles_{target.name}"] = _where(sets, sum_by(rows, None, n_rows))
        columns[f"{kind}_records_{target.name}"] = _where(sets, sum_by(rows, counts[titles], n_rows))
    for reference in references:
        figures = _precision(reference, target, ranked.winners[won], won, classes)
        columns |= {f"{name}_{target.name}_{reference.name}": _where(sets, cells) for name, cells in figures.items()}
    return columns


def coverage(
    table: KeywordTable, hits: Mapping[str, RankedHits], counts: Counts, references: Sequence[Reference]
) -> pl.DataFrame:
    """Count what the table decides of each target, and what is left to the fallback.

    Returns:
        Two lines per target, of the titles that some row decides and of those left to the fallback, as `decided_by`
        says: `titles`, `records`, and per reference `judged_titles_`, `judged_records_` and `wrong_records_`.
    """
    lines = []
    for target, ranked in hits.items():
        classes = table.class_positions[target]
        for name, chosen in ((A_ROW, ranked.winners >= 0), (FALLBACK, ranked.winners < 0)):
            titles = np.flatnonzero(chosen)
            line = {"target": target, "decided_by": name, "titles": len(titles), "records": int(counts[titles].sum())}
            for reference in references:
                judged = reference.judged[target][titles]
                right = reference.right(target, titles, classes[ranked.winners[titles]])
                line[f"judged_titles_{reference.name}"] = int((judged > 0).sum())
                line[f"judged_records_{reference.name}"] = int(judged.sum())
                line[f"wrong_records_{reference.name}"] = int((judged - right).sum())
            lines.append(line)
    return pl.DataFrame(lines)


def titles_decided(hits: Mapping[str, RankedHits]) -> pl.DataFrame:
    """Return `title` and `row`, positions, of everything that a row decides for any target, no pair twice."""
    pieces = []
    for ranked in hits.values():
        won = np.flatnonzero(ranked.winners >= 0)
        pieces.append(pl.DataFrame({"title": won, "row": ranked.winners[won]}))
    return pl.concat(pieces).unique()


def sum_by(rows: IntArray, weights: Counts | None, n_rows: int) -> Counts:
    """Sum weights by row, 1 each where there are none, (n_rows,)."""
    return np.bincount(rows, weights, minlength=n_rows).astype(np.int64)


def _precision(
    reference: Reference, target: Target, winners: IntArray, won: IntArray, classes: IntArray
) -> dict[str, npt.NDArray]:
    """Hold what each row decides against a reference; winners and won are (n_decided,), results (n_rows,)."""
    n_rows = len(classes) - 1
    judged = reference.judged[target.name][won]
    titles = sum_by(winners[judged > 0], None, n_rows)
    deciding = sparse.csr_matrix((np.ones(len(won), dtype=np.int64), (winners, won)), (n_rows, reference.n_titles))
    labels = (deciding @ reference.labels[target.name]).toarray()  # (n_rows, n_classes)
    own = np.arange(n_rows), classes[:-1]
    right, records = labels[own], labels.sum(axis=1)
    labels[own] = 0
    with np.errstate(invalid="ignore"):
        share = right / records
    low, high = wilson_bounds(share, titles)
    named = np.array(target.classes, dtype=object)[labels.argmax(axis=1)]
    return {
        "judged_titles": titles,
        "judged_records": records,
        "wrong_records": records - right,
        "precision": share,
        "low": low,
        "high": high,
        "instead": np.where(labels.any(axis=1), named, None),
    }


def _where(sets: npt.NDArray[np.bool_], cells: npt.NDArray) -> pl.Series:
    """Return cells as a column, null where a row does not set the target or there is no number."""
    column = pl.Series(cells.tolist(), dtype=pl.String) if cells.dtype == object else pl.Series(cells)
    column = column.fill_nan(None) if column.dtype.is_float() else column
    return column.set(pl.Series(~sets), None)
