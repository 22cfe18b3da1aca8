"""Rows of a keyword table that want different classes for one title: pairs, ties of priority, and chains of three."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from baselines.keyword_table import KeywordTable
from data_cleaning.titles import IntArray
from harness.keywords.judging import Reference
from harness.keywords.ranked_hits import Counts, RankedHits, pairs_of_rows

MOST_CHAINS = 1_000
"""Chains that are kept, the most frequent."""


def find_conflicts(
    table: KeywordTable, hits: Mapping[str, RankedHits], counts: Counts, references: Sequence[Reference]
) -> pl.DataFrame:
    """Find every pair of rows that hit one title and set different classes of a target.

    Args:
        table: the table.
        hits: per target, as `rank_hits` returns them.
        counts: records of each title, (n_titles,).
        references: what the titles are labelled.

    Returns:
        `target`, `winner` and `loser` (positions of rows, of which the first outranks the second), `titles` and
        `records` that both hit; `decided_titles` and `decided_records`, those of them that the winner decides, no third
        row outranking it; and, of the latter, per reference `judged_titles_`, `judged_records_`, `winner_right_` and
        `loser_right_`, records. Pairs with most decided records come first.
    """
    found = []
    for target, ranked in hits.items():
        classes = table.class_positions[target]
        pairs = pairs_of_rows(ranked, counts, table.order)
        differ = classes[pairs["winner"].to_numpy()] != classes[pairs["loser"].to_numpy()]
        decided = _decided(ranked, classes, counts, references)
        joined = pairs.filter(pl.Series(differ)).join(decided, on=["winner", "loser"], how="left")
        found.append(
            joined.select(pl.lit(target).alias("target"), pl.all()).with_columns(pl.col(pl.Int64).fill_null(0))
        )
    order = ["decided_records", "records", "target", "winner", "loser"]
    return pl.concat(found).sort(order, descending=[True, True, False, False, False])


def find_chains(
    table: KeywordTable, hits: Mapping[str, RankedHits], counts: Counts, references: Sequence[Reference]
) -> pl.DataFrame:
    """Find keywords A, B and C of which A beats B, until C, which hits as well, wins with another class than A's.

    A is the row that would decide the title without C, and B any row of another class that it outranks there.

    Returns:
        `target`, `first` (A), `second` (B) and `third` (C), positions of rows, with `titles` and `records`, and per
        reference `judged_titles_`, `judged_records_`, `right_` (records that C has right) and `right_without_` (that A
        would have right). The `MOST_CHAINS` with most records, these first.
    """
    found = []
    for target, ranked in hits.items():
        classes = table.class_positions[target]
        third, first = ranked.winners[ranked.titles], ranked.runners_up[ranked.titles]  # (n_hits,)
        flips = (ranked.places > 1) & (classes[third] != classes[first]) & (classes[first] != classes[ranked.rows])
        titles = ranked.titles[flips]
        keys = {"first": first[flips], "second": ranked.rows[flips], "third": third[flips]}
        verdicts = {"right": classes[third[flips]], "right_without": classes[first[flips]]}
        summed = _sum_up(target, titles, keys, verdicts, counts, references)
        found.append(summed.select(pl.lit(target).alias("target"), pl.all()))
    order = ["records", "target", "third", "first", "second"]
    return pl.concat(found).sort(order, descending=[True, False, False, False, False]).head(MOST_CHAINS)


def _decided(ranked: RankedHits, classes: IntArray, counts: Counts, references: Sequence[Reference]) -> pl.DataFrame:
    """Count the titles that each row decides against each other one that wants another class there."""
    winners = ranked.winners[ranked.titles]  # (n_hits,)
    beaten = classes[winners] != classes[ranked.rows]
    keys = {"winner": winners[beaten], "loser": ranked.rows[beaten]}
    verdicts = {"winner_right": classes[winners[beaten]], "loser_right": classes[ranked.rows[beaten]]}
    summed = _sum_up(ranked.target, ranked.titles[beaten], keys, verdicts, counts, references)
    return summed.rename({"titles": "decided_titles", "records": "decided_records"})


def _sum_up(
    target: str,
    titles: IntArray,
    keys: Mapping[str, IntArray],
    verdicts: Mapping[str, IntArray],
    counts: Counts,
    references: Sequence[Reference],
) -> pl.DataFrame:
    """Sum titles, records and what references say of some classes, by keys.

    Args:
        target: that the classes are of.
        titles: positions, (n_pairs,).
        keys: name to what is grouped by, each (n_pairs,).
        verdicts: name of a figure to the classes that are held against the references, each (n_pairs,).
        counts: records of each title, (n_titles,).
        references: what the titles are labelled.
    """
    columns = {**keys, "records": counts[titles]}
    sums = [pl.len().cast(pl.Int64).alias("titles"), pl.col("records").sum()]
    for reference in references:
        judged = f"judged_records_{reference.name}"
        columns[judged] = reference.judged[target][titles]
        sums.append((pl.col(judged) > 0).sum().cast(pl.Int64).alias(f"judged_titles_{reference.name}"))
        sums.append(pl.col(judged).sum())
        for name, of_title in verdicts.items():
            columns[f"{name}_{reference.name}"] = reference.right(target, titles, of_title)
            sums.append(pl.col(f"{name}_{reference.name}").sum())
    frame = pl.DataFrame({name: np.asarray(values, dtype=np.int64) for name, values in columns.items()})
    return frame.group_by(list(keys)).agg(sums)
