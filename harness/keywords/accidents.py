"""Substring rows that match a title only inside a longer word: "cto" in "director"."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy import sparse

from baselines.keyword_table import KeywordTable
from baselines.matching import lower_case, normal_form

_OF_A_WORD = r"[\p{L}\p{M}\p{N}]"
START, END, INSIDE = "at its start", "at its end", "inside"
"""Where a keyword stands in its host word; at the start it is often a stem that somebody meant, as in "recruiter"."""

_COMMONEST = 5


def find_accidents(table: KeywordTable, titles: pl.Series, hits: sparse.csr_matrix) -> pl.DataFrame:
    """Find the titles in which the keyword of a substring row stands only inside longer words.

    Args:
        table: the table.
        titles: text, (n_titles,).
        hits: as `KeywordTable.hits` returns them for the titles.

    Returns:
        `title` and `row`, positions that go together; `host`, the lower-cased word that the keyword first stands in
        (words, where the keyword has several); and whether it stands `at` its start, its end, or inside.
    """
    rows = _substring_words(table)
    as_words = KeywordTable(taxonomy=table.taxonomy, rows=table.rows.iloc[rows].assign(match="word"))
    left = hits[:, rows].astype(np.int8) - as_words.hits(titles.to_numpy()).astype(np.int8)
    pairs = (left > 0).tocoo()
    spelled = pl.DataFrame(
        {
            "title": pairs.row.astype(np.int64),
            "row": rows[pairs.col],
            "_text": lower_case(titles).gather(pairs.row),
            "_keyword": lower_case(_keywords(table)).gather(rows[pairs.col]),
        }
    )
    # A keyword that begins or ends with a sign or a space has no longer word on that side.
    flanked = (
        spelled.with_columns(pl.col("_text").str.splitn(pl.col("_keyword"), 2).alias("_sides"))
        .with_columns(
            _edge(pl.col("_sides").struct.field("field_0"), f"({_OF_A_WORD}+)$", f"^{_OF_A_WORD}").alias("_before"),
            _edge(pl.col("_sides").struct.field("field_1"), f"^({_OF_A_WORD}+)", f"{_OF_A_WORD}$").alias("_after"),
        )
        .filter((pl.col("_before") != "") | (pl.col("_after") != ""))
    )
    place = (
        pl.when(pl.col("_before") == "")
        .then(pl.lit(START))
        .when(pl.col("_after") == "")
        .then(pl.lit(END))
        .otherwise(pl.lit(INSIDE))
    )
    host = pl.concat_str("_before", "_keyword", "_after").str.strip_chars()
    return flanked.select("title", "row", host.alias("host"), place.alias("at"))


def count_accidents(
    accidents: pl.DataFrame, titles_decided: pl.DataFrame, counts: pl.Series, judged: Sequence[tuple[str, pl.DataFrame]]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Price accidents in records, row by row and host by host.

    Args:
        accidents: as `find_accidents` returns them.
        titles_decided: `title` and `row`, positions of what each row decides for any target.
        counts: records of each title, (n_titles,).
        judged: name of each reference and what `judging.judge_decisions` says.

    Returns:
        Per `row`, and per `row`, `host` and `at`: `titles` and `records` in which the keyword stands only inside longer
        words, `decided_titles` and `decided_records`, those of them that the row decides, and of those, per reference,
        `judged_titles_`, `judged_records_` and `wrong_records_`. Rows also have their commonest `hosts` in words.
        Those that decide most records come first.
    """
    priced = accidents.with_columns(counts.gather(accidents["title"]).alias("_count")).join(
        titles_decided.with_columns(pl.lit(True).alias("_decided")), on=["title", "row"], how="left"
    )
    priced = priced.with_columns(pl.col("_decided").fill_null(False))
    sums = [
        pl.len().cast(pl.Int64).alias("titles"),
        pl.col("_count").sum().alias("records"),
        pl.col("_decided").sum().cast(pl.Int64).alias("decided_titles"),
        pl.col("_count").filter("_decided").sum().alias("decided_records"),
    ]
    for name, verdicts in judged:
        here = {kind: f"{kind}_{name}" for kind in ("judged_records", "wrong_records")}
        priced = priced.join(verdicts.rename(here), on=["title", "row"], how="left")
        sums.append(pl.col(here["judged_records"]).count().cast(pl.Int64).alias(f"judged_titles_{name}"))
        sums += [pl.col(column).sum() for column in here.values()]
    first = ["decided_records", "records", "row"]
    hosts = priced.group_by("row", "host", "at").agg(sums).sort(*first, "host", descending=[True, True, False, False])
    rows = priced.group_by("row").agg(sums).sort(first, descending=[True, True, False])
    commonest = hosts.group_by("row", "host").agg(pl.col("records").sum())
    commonest = commonest.sort("records", "host", descending=[True, False])
    named = commonest.group_by("row", maintain_order=True).agg(
        pl.format("{} ({})", "host", "records").head(_COMMONEST).str.join(", ").alias("hosts")
    )
    return rows.join(named, on="row", how="left", maintain_order="left"), hosts


def _substring_words(table: KeywordTable) -> np.ndarray:
    """Return the positions of substring rows that a word could be made of, ascending."""
    has_word = (normal_form(_keywords(table)) != " ").to_numpy()
    return np.flatnonzero((table.rows["match"] == "substring").to_numpy() & has_word)


def _keywords(table: KeywordTable) -> pl.Series:
    return pl.Series(table.rows["keyword"].tolist(), dtype=pl.String)


def _edge(side: pl.Expr, adjacent: str, keyword_edge: str) -> pl.Expr:
    """Return the letters next to the keyword on one side, "" where the keyword itself has none at that edge."""
    return (
        pl.when(pl.col("_keyword").str.contains(keyword_edge))
        .then(side.str.extract(adjacent).fill_null(""))
        .otherwise(pl.lit(""))
    )
