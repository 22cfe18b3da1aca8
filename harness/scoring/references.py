"""The references that predictions are held against, never mixed up: legacy, consensus, truth and reviewed labels."""

from dataclasses import dataclass

import polars as pl

from data_cleaning.consensus import consensus
from data_cleaning.consensus import noise_ceilings as ceilings_of_merged

REFERENCES = ("truth", "reviewed", "consensus", "legacy")
"""The most trustworthy first."""

WEIGHTINGS = ("per record", "per title")
"""Every record weighs the same, or every distinct title does."""


@dataclass(frozen=True)
class ScoredPart:
    """What the test part of one split is scored against."""

    rows: pl.DataFrame
    """`reference`, `title`, a label per target, `records`, and `history`: how the title was labelled in all leads."""
    facts: dict[str, dict[str, int]]
    """Reference to what was counted while making it, titles and records left out among it."""


def make_references(
    test: pl.DataFrame, all_rows: pl.DataFrame, truth: pl.DataFrame | None, targets: tuple[str, ...]
) -> ScoredPart:
    """Gather every reference for one test part.

    Args:
        test: test rows of a split: `title`, `source`, a label per target, `count`.
        all_rows: every clean row with `title`, labels and `count`: only tells which titles were labelled consistently.
        truth: `title`, a label per target and, for a title that is scored by its records, `count`; None where unknown.
        targets: names of the label columns.
    """
    legacy = test.filter(pl.col("source") == "legacy")
    reviewed = test.filter(pl.col("source") == "reviewed")
    agreed, left_out = consensus(legacy, targets)
    pieces = {"legacy": legacy, "consensus": agreed}
    facts = {"consensus": left_out}
    if len(reviewed):
        pieces["reviewed"] = reviewed
    if truth is not None:
        pieces["truth"] = truth
    pieces = {name: piece.rename({"count": "records"}) for name, piece in pieces.items()}
    columns = ["title", *targets, "records"]
    rows = pl.concat(
        piece.select(pl.lit(name).alias("reference"), *columns) for name, piece in pieces.items() if len(piece)
    )
    rows = rows.join(_histories(all_rows, targets), on="title", how="left").with_columns(
        pl.col("history").fill_null("new")
    )
    for name, piece in pieces.items():
        counted = {"titles": piece["title"].n_unique(), "records": int(piece["records"].sum())}
        facts[name] = {**counted, **facts.get(name, {})}
    single = rows.filter(pl.col("reference") == "legacy").filter(pl.col("records").sum().over("title") == 1)
    facts["legacy"]["single_records"] = len(single)
    return ScoredPart(rows.sort("reference", "title", *targets), facts)


def noise_ceilings(rows: pl.DataFrame, targets: tuple[str, ...]) -> dict[tuple[str, str], float]:
    """Return the best accuracy that any system seeing only titles can reach on these rows.

    Args:
        rows: rows of one reference, as `ScoredPart` holds them.
        targets: names of the label columns.

    Returns:
        (weighting, target or "all") to a share in (0, 1].
    """
    return ceilings_of_merged(rows.rename({"records": "count"}), targets)


def _histories(all_rows: pl.DataFrame, targets: tuple[str, ...]) -> pl.DataFrame:
    """Say of each title whether its records were labelled alike; one record alone cannot tell."""
    grouped = all_rows.group_by("title").agg(
        pl.struct(targets).n_unique().alias("combinations"), pl.col("count").sum().alias("total")
    )
    history = (
        pl.when(pl.col("total") == 1)
        .then(pl.lit("single record"))
        .when(pl.col("combinations") == 1)
        .then(pl.lit("consistent"))
        .otherwise(pl.lit("inconsistent"))
    )
    return grouped.select("title", history.alias("history"))
