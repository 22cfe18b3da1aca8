"""The tables of an audit for people: rows by line and keyword, classes by name, instead of positions."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import polars as pl

from baselines.keyword_table import KeywordTable
from baselines.table_file import Duplicate
from data_cleaning.titles import StrArray

NEVER_FIRED, SHADOWED, UNREACHABLE = "never fired", "shadowed by", "unreachable because of"
"""Why a row decides nothing: it hits none of the titles; others outrank it on all of them; or on any title at all."""

OWN, OPPONENT = "this row", "the opponent"
"""Which of two rows outranks the other."""

_DUPLICATE = {
    "line": pl.Int64,
    "first_line": pl.Int64,
    **dict.fromkeys(("keyword", "match", "target", "label", "first_label"), pl.String),
}


def name_conflicts(table: KeywordTable, conflicts: pl.DataFrame) -> pl.DataFrame:
    """Return conflicts as `conflicts.find_conflicts` finds them, each as seen from either row.

    Returns:
        `target`; `line`, `keyword` and `class` of a row; `opponent_line`, `opponent` and `opponent_class`; which of the
        two `wins`; `titles` and `records` that both hit; `decided_titles` and `decided_records`, those that the one
        that wins decides, no third row outranking it; and of the latter, per reference, `judged_titles_`,
        `judged_records_`, `own_right_` and `opponent_right_` records.
    """
    sides = []
    for own, other, wins in (("winner", "loser", OWN), ("loser", "winner", OPPONENT)):
        right = {
            name: name.replace(f"{side}_right_", f"{ours}_right_")
            for side, ours in ((own, "own"), (other, "opponent"))
            for name in conflicts.columns
            if name.startswith(f"{side}_right_")
        }
        named = conflicts.with_columns(
            **_row(table, conflicts, own),
            **_row(table, conflicts, other, "opponent"),
            wins=pl.lit(wins),
        )
        sides.append(named.rename(right))
    first = ("target", "line", "keyword", "class", "opponent_line", "opponent", "opponent_class", "wins")
    figures = [name for name in sides[0].columns if name not in (*first, "winner", "loser")]
    both = pl.concat([side.select(*first, *figures) for side in sides])
    return both.sort("decided_records", "records", descending=True, maintain_order=True)


def name_clashes(table: KeywordTable, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs of rows that have one priority, for which the length of a keyword or the order decides.

    Args:
        table: the table.
        pairs: `target`, `winner` and `loser`, and any figures.

    Returns:
        `target` and `priority`; `line`, `keyword` and `class` of the row that wins; `opponent_line`, `opponent` and
        `opponent_class`; whether it `wins_by` its longer keyword or as the earlier row; and the figures, those of the
        two rows being `own_right_` and `opponent_right_`.
    """
    priority = table.rows["priority"].to_numpy()
    lengths = table.rows["keyword"].map(len).to_numpy()
    winners, losers = pairs["winner"].to_numpy(), pairs["loser"].to_numpy()
    named = pairs.select(
        "target",
        pl.Series("priority", priority[winners]),
        **_row(table, pairs, "winner"),
        **_row(table, pairs, "loser", "opponent"),
        wins_by=pl.Series(
            np.where(lengths[winners] > lengths[losers], "longer keyword", "earlier row"), dtype=pl.String
        ),
    )
    figures = pairs.drop("target", "winner", "loser").rename(
        lambda name: name.replace("winner_right_", "own_right_").replace("loser_right_", "opponent_right_")
    )
    return pl.concat([named, figures], how="horizontal").filter(pl.Series(priority[winners] == priority[losers]))


def name_chains(table: KeywordTable, chains: pl.DataFrame) -> pl.DataFrame:
    """Return chains as `conflicts.find_chains` finds them.

    Returns:
        `target`; for `first`, which beats `second` until `third` is there, its line, keyword and class each; and the
        figures.
    """
    ends = ("first", "second", "third")
    named: dict[str, pl.Series] = {}
    for end in ends:
        named |= {f"{end}_{kind}": cells for kind, cells in _row(table, chains, end).items()}
    return chains.select("target", **named).hstack(chains.drop("target", *ends))


def name_accidents(table: KeywordTable, accidents: pl.DataFrame) -> pl.DataFrame:
    """Return accidents as `accidents.count_accidents` prices them, with `line` and `keyword` in front."""
    named = _line_and_keyword(table, accidents["row"])
    return accidents.select(**named).hstack(accidents.drop("row"))


def name_duplicates(duplicates: Sequence[Duplicate]) -> pl.DataFrame:
    """Return what a lenient load left out, a line each, and whether the two rows `agree`."""
    frame = pl.DataFrame([asdict(one) for one in duplicates], schema=_DUPLICATE)
    return frame.with_columns((pl.col("label") == pl.col("first_label")).alias("agree"))


def name_rows(table: KeywordTable) -> pl.DataFrame:
    """Return `line`, `keyword`, `priority`, `match` and, per target, `sets_<target>` of each row, null for none."""
    columns = table.rows[["line", "keyword", "priority", "match", *table.taxonomy.names]]
    frame = pl.DataFrame({str(name): cells.tolist() for name, cells in columns.items()})
    targets = {name: f"sets_{name}" for name in table.taxonomy.names}
    return frame.with_columns(pl.col(name).replace("", None) for name in targets).rename(targets)


def name_row(table: KeywordTable, row: int) -> str:
    """Name one row in a sentence."""
    return f"line {table.rows['line'].iloc[row]} ({table.rows['keyword'].iloc[row]!r})"


def _row(table: KeywordTable, frame: pl.DataFrame, side: str, prefix: str = "") -> dict[str, pl.Series]:
    """Return line, keyword and class of the rows in one column, for the target beside them."""
    rows, targets = frame[side].to_numpy(), frame["target"].to_numpy()
    classes: StrArray = np.full(len(frame), None, dtype=object)
    for target in table.taxonomy.targets:
        chosen = targets == target.name
        names = np.array(target.classes, dtype=object)
        classes[chosen] = names[table.class_positions[target.name][rows[chosen]]]
    cells = {**_line_and_keyword(table, frame[side]), "class": pl.Series(classes, dtype=pl.String)}
    if not prefix:
        return cells
    return {prefix if kind == "keyword" else f"{prefix}_{kind}": column for kind, column in cells.items()}


def _line_and_keyword(table: KeywordTable, rows: pl.Series) -> dict[str, pl.Series]:
    chosen = table.rows.iloc[rows.to_numpy()]
    return {
        "line": pl.Series(chosen["line"].to_numpy(), dtype=pl.Int64),
        "keyword": pl.Series(chosen["keyword"].tolist(), dtype=pl.String),
    }
