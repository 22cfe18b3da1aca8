"""The tables of an audit: figures of each row and of the fallback, with rows and classes by name."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from baselines.keyword_table import KeywordTable
from baselines.table_cells import Question
from baselines.table_file import Duplicate
from data_cleaning.taxonomy import Target
from data_cleaning.titles import IntArray
from harness.keywords.judged_hits import Counts, RankedHits, Reference, wilson_bounds

A_ROW, FALLBACK = "a row", "the fallback"
"""What decides a title."""

NEVER_FIRED, SHADOWED, UNREACHABLE = "never fired", "shadowed by", "unreachable because of"
"""Why a row decides nothing: it hits none of the titles; others outrank it on all of these; or on any title at all."""

OWN, OPPONENT = "this row", "the opponent"
"""Which of two rows outranks the other."""


def target_figures(
    table: KeywordTable, ranked: RankedHits, counts: Counts, references: Sequence[Reference]
) -> dict[str, pl.Series]:
    """Count what each row does for one target.

    Returns:
        Columns with one cell per row, null where the row does not set the target. Their names end in `_<target>` or in
        `_<target>_<reference>`: `decided_`, `unique_`, `overlap_` and `conflict_` `titles` and `records`; and, of what
        the row decides and the reference knows, `judged_titles`, `judged_records` and `wrong_records`, the `precision`,
        its 95% Wilson interval from `low` to `high`, and `instead`, the class of most wrong records.
    """
    target, n_rows = table.taxonomy[ranked.target], len(table)
    classes = table.class_positions[target.name]
    sets = table.sets[target.name]
    n_hits = np.bincount(ranked.titles, minlength=len(counts))
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
    """Count what the table decides of each target, and what it leaves to the fallback.

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
    """Return `title` and `row`, positions, of everything that a row decides for any target, without repetition."""
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
    """Compare the titles that each row decides with a reference; winners, won (n_decided,), results (n_rows,)."""
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


def name_conflicts(table: KeywordTable, conflicts: pl.DataFrame) -> pl.DataFrame:
    """Return the conflicts of `row_conflicts.find_conflicts`, each once from the view of either row.

    Returns:
        `target`; `line`, `keyword` and `class` of a row; `opponent_line`, `opponent` and `opponent_class`; which of the
        two `wins`; `titles` and `records` that both hit; `decided_titles` and `decided_records`, those that the winner
        decides because no third row outranks it; and of the latter, per reference, `judged_titles_`, `judged_records_`,
        `own_right_` and `opponent_right_` records.
    """
    own_side = _name_pairs(table, conflicts, "winner", "loser", wins=pl.lit(OWN))
    # The same figures have other names in this view, and so another order.
    other_side = _name_pairs(table, conflicts, "loser", "winner", wins=pl.lit(OPPONENT)).select(own_side.columns)
    both = pl.concat([own_side, other_side])
    return both.sort("decided_records", "records", descending=True, maintain_order=True)


def name_clashes(table: KeywordTable, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs of rows of equal priority, in which the length of a keyword or the order of rows decides.

    The pairs have `target`, `winner` and `loser`, and any figures.

    Returns:
        `target` and `priority`; `line`, `keyword` and `class` of the winner; `opponent_line`, `opponent` and
        `opponent_class`; whether it `wins_by` its longer keyword or as the earlier row; and the figures, those of the
        two rows renamed to `own_right_` and `opponent_right_`.
    """
    priority = table.rows["priority"].to_numpy()
    lengths = table.rows["keyword"].map(len).to_numpy()
    pairs = pairs.filter(pl.Series(priority[pairs["winner"].to_numpy()] == priority[pairs["loser"].to_numpy()]))
    winners, losers = pairs["winner"].to_numpy(), pairs["loser"].to_numpy()
    reasons = np.where(lengths[winners] > lengths[losers], "longer keyword", "earlier row")
    named = _name_pairs(table, pairs, "winner", "loser", wins_by=pl.Series(reasons, dtype=pl.String))
    return named.insert_column(1, pl.Series("priority", priority[winners]))


def name_chains(table: KeywordTable, chains: pl.DataFrame) -> pl.DataFrame:
    """Return the chains of `row_conflicts.find_chains`.

    Returns:
        `target`; line, keyword and class of the `first`, `second` and `third` row; and the figures.
    """
    ends = ("first", "second", "third")
    named = {f"{end}_{kind}": cells for end in ends for kind, cells in _row(table, chains, end).items()}
    return chains.select("target", **named).hstack(chains.drop("target", *ends))


def name_accidents(table: KeywordTable, accidents: pl.DataFrame) -> pl.DataFrame:
    """Return the accidents of `row_conflicts.count_accidents`, with `line` and `keyword` in front."""
    named = _line_and_keyword(table, accidents["row"])
    return accidents.select(**named).hstack(accidents.drop("row"))


def name_duplicates(duplicates: Sequence[Duplicate]) -> pl.DataFrame:
    """Return the rows that a lenient load left out, and whether each `agree`s with the row that was kept."""
    texts = dict.fromkeys(("keyword", "match", "target", "label", "first_label"), pl.String)
    schema = {"line": pl.Int64, "first_line": pl.Int64, **texts}
    frame = pl.DataFrame([asdict(one) for one in duplicates], schema=schema)
    return frame.with_columns((pl.col("label") == pl.col("first_label")).alias("agree"))


def name_questions(questions: Sequence[Question]) -> pl.DataFrame:
    """Return `line`, `keyword` and `reason` of the rows whose keyword is questioned."""
    schema = {"line": pl.Int64, "keyword": pl.String, "reason": pl.String}
    return pl.DataFrame([asdict(one) for one in questions], schema=schema)


def name_rows(table: KeywordTable) -> pl.DataFrame:
    """Return `line`, `keyword`, `priority`, `match` and, per target, `sets_<target>` of each row, null for none."""
    columns = table.rows[["line", "keyword", "priority", "match", *table.taxonomy.names]]
    frame = pl.DataFrame({str(name): cells.tolist() for name, cells in columns.items()})
    targets = {name: f"sets_{name}" for name in table.taxonomy.names}
    return frame.with_columns(pl.col(name).replace("", None) for name in targets).rename(targets)


def _name_pairs(
    table: KeywordTable, pairs: pl.DataFrame, own: str, other: str, **more: pl.Expr | pl.Series
) -> pl.DataFrame:
    """Name both rows of each pair, and add further columns and the figures, seen from one of the two rows."""
    opponent = {f"opponent_{kind}": cells for kind, cells in _row(table, pairs, other).items()}
    named = pairs.select("target", **_row(table, pairs, own), **opponent, **more)
    figures = pairs.drop("target", "winner", "loser").rename(
        lambda name: name.replace(f"{own}_right_", "own_right_").replace(f"{other}_right_", "opponent_right_")
    )
    return named.rename({"opponent_keyword": "opponent"}).hstack(figures)


def _row(table: KeywordTable, frame: pl.DataFrame, side: str) -> dict[str, pl.Series]:
    """Return line, keyword and class of the rows in one column, for the target of each line."""
    classes = pl.Series([None] * len(frame), dtype=pl.String)
    for target in table.taxonomy.targets:
        of_rows = pl.Series(table.class_positions[target.name][:-1]).replace_strict(
            dict(enumerate(target.classes)), default=None
        )
        classes = of_rows.gather(frame[side]).zip_with(frame["target"] == target.name, classes)
    return {**_line_and_keyword(table, frame[side]), "class": classes}


def _line_and_keyword(table: KeywordTable, rows: pl.Series) -> dict[str, pl.Series]:
    return {
        "line": pl.Series(table.rows["line"].tolist(), dtype=pl.Int64).gather(rows),
        "keyword": pl.Series(table.rows["keyword"].tolist(), dtype=pl.String).gather(rows),
    }
