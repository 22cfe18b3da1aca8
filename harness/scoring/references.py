"""The references that predictions are held against, never mixed up: legacy, consensus, truth and reviewed labels."""

from dataclasses import dataclass

import polars as pl

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
    legacy = test.filter(pl.col("source") == "legacy").rename({"count": "records"})
    reviewed = test.filter(pl.col("source") == "reviewed").rename({"count": "records"})
    agreed, left_out = consensus(legacy, targets)
    pieces = {"legacy": legacy, "consensus": agreed}
    facts = {"consensus": left_out}
    if len(reviewed):
        pieces["reviewed"] = reviewed
    if truth is not None:
        pieces["truth"] = truth.rename({"count": "records"})
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


def consensus(rows: pl.DataFrame, targets: tuple[str, ...]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Give each title the combination of labels that most of its records have.

    Titles with one record, and titles whose two largest combinations tie, have no majority; they are left out.

    Returns:
        One row per title with `title`, labels and all its `records`; and how many titles and records were left out.
    """
    combined = rows.group_by("title", *targets).agg(pl.col("records").sum())
    ranked = combined.with_columns(
        pl.col("records").sum().over("title").alias("all_records"),
        pl.col("records").max().over("title").alias("most"),
    ).with_columns((pl.col("records") == pl.col("most")).sum().over("title").alias("n_most"))
    single = ranked.filter(pl.col("all_records") == 1)
    tied = ranked.filter((pl.col("all_records") > 1) & (pl.col("n_most") > 1))
    agreed = ranked.filter(
        (pl.col("all_records") > 1) & (pl.col("n_most") == 1) & (pl.col("records") == pl.col("most"))
    )
    left_out = {
        "single_titles": len(single),
        "tied_titles": tied["title"].n_unique(),
        "tied_records": int(tied.unique("title")["all_records"].sum()),
    }
    return agreed.select("title", *targets, pl.col("all_records").alias("records")), left_out


def noise_ceilings(rows: pl.DataFrame, targets: tuple[str, ...]) -> dict[tuple[str, str], float]:
    """Return the best accuracy that any system seeing only titles can reach on these rows.

    Such a system answers alike for all records of a title, so at best with the title's most frequent label.

    Args:
        rows: `title`, a label per target, `records`; of one reference.
        targets: names of the label columns.

    Returns:
        (weighting, target or "all") to a share in (0, 1].
    """
    ceilings = {}
    for name, columns in [*((target, (target,)) for target in targets), ("all", targets)]:
        best = rows.group_by("title", *columns).agg(pl.col("records").sum()).group_by("title")
        # In a settled order, so that the mean of shares is the same to the last digit in every run.
        best_of = best.agg(pl.col("records").max().alias("best"), pl.col("records").sum()).sort("title")
        ceilings["per record", name] = float(best_of["best"].sum()) / float(best_of["records"].sum())
        ceilings["per title", name] = float((best_of["best"] / best_of["records"]).mean())  # type: ignore[arg-type]
    return ceilings


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
