"""Reports on cleaned leads: inconsistent titles, near duplicates, and the highest score that is possible."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from data_cleaning.clean import LANGUAGE_STEP, CleanedLeads, equal_rows
from data_cleaning.consensus import (
    MAJORITY,
    TIE,
    TOO_FEW,
    Majority,
    inconsistent_combinations,
    inconsistent_titles,
    learn_majority,
    noise_ceilings,
    single_record_share,
)
from data_cleaning.near_duplicates import near_duplicate_report

MAX_FOREIGN_SHARE = 0.02
"""Share of the records above which dropping them as foreign is said aloud."""
_N_COMMONEST = 10


@dataclass(frozen=True, kw_only=True)
class CleanReports:
    """Tables; those on labels are None where the leads have no target."""

    quarantine: pl.DataFrame
    """`reason`, and the `records` and distinct original `titles` in quarantine for it."""
    near_duplicates: pl.DataFrame
    """As `near_duplicates.near_duplicate_report` returns them."""
    combinations: pl.DataFrame | None = None
    """As `consensus.inconsistent_combinations` returns them, those of consistent titles included; and `majority_status`
    of the title."""
    titles: pl.DataFrame | None = None
    """As `consensus.inconsistent_titles` returns them, and `majority_status`."""
    majority: pl.DataFrame | None = None
    """`majority_status` (majority, tie, too few), its `titles` and `records`, and `records_with_other_labels` than the
    majority's (null without one): what consensus changes, whether or not it is used."""
    ceilings: pl.DataFrame | None = None
    """`labels` (raw, grouped, consensus), `weighting`, a ceiling per target and for `all`, `single_record_share`."""


def make_reports(cleaned: CleanedLeads, min_support: int = 2, min_records: int = 1) -> CleanReports:
    """Make every report of cleaned leads, on the grouped labels, whether or not consensus changed them afterwards.

    Records that lack a label are in no report on labels.

    A majority needs `min_support` records, and a title `min_records` to be listed in `combinations` and `titles`.
    """
    kept, targets = cleaned.kept, cleaned.targets
    reasons = cleaned.quarantined.group_by("reason").agg(
        pl.col("count").sum().alias("records"), pl.col("title").drop_nulls().n_unique().alias("titles")
    )
    reports = CleanReports(
        quarantine=reasons.sort("records", "reason", descending=[True, False]),
        near_duplicates=near_duplicate_report(kept.group_by("title").agg(pl.col("count").sum())),
    )
    if not targets:
        return reports
    labelled_rows = kept.lazy().drop_nulls(targets)  # lazily, as a copy of many records takes much memory
    grouped = equal_rows(labelled_rows, targets, "original_" if f"original_{targets[0]}" in kept.columns else "")
    if grouped.is_empty():
        return reports
    majority = learn_majority(grouped, targets, min_support=min_support)
    status = majority.labels.select("title", majority_status="status")
    combinations = inconsistent_combinations(grouped, targets, min_records=min_records, min_combinations=1)
    titles = inconsistent_titles(grouped, targets, min_records=min_records)
    # White space around a label is kept for the file's owner, but is no disagreement.
    spelled = [pl.col(f"raw_{name}").str.strip_chars() for name in targets]
    labelled = {
        "raw": equal_rows(labelled_rows.with_columns(spelled), targets, "raw_"),
        "grouped": grouped,
        "consensus": equal_rows(majority.relabel(grouped), targets),
    }
    return replace(
        reports,
        combinations=combinations.join(status, on="title", how="left", maintain_order="left"),
        titles=titles.join(status, on="title", how="left", maintain_order="left"),
        majority=_count_majority(majority),
        ceilings=_ceilings(labelled, targets),
    )


def foreign_warning(cleaned: CleanedLeads) -> str | None:
    """Word a warning that names the commonest titles dropped as foreign; None up to `MAX_FOREIGN_SHARE` of records."""
    foreign = cleaned.foreign_titles.drop_nulls("language")
    n_dropped = int(foreign["records"].sum())
    n_given = int(cleaned.ledger.filter(pl.col("step") == LANGUAGE_STEP)["records_in"].sum())
    if n_dropped <= MAX_FOREIGN_SHARE * n_given:
        return None
    commonest = foreign.head(_N_COMMONEST).select("title", "language", "records").iter_rows()
    named = ", ".join(f"{title!r} ({language}, {n_records:,})" for title, language, n_records in commonest)
    others = len(foreign) - _N_COMMONEST
    return (
        f"{n_dropped:,} of {n_given:,} records ({n_dropped / n_given:.1%}) were dropped as foreign. Titles with most "
        f"records, with their language and records: {named}{f', and {others:,} more titles' if others > 0 else ''}. If "
        "they should stay, clean again with --keep-foreign (clean.english_only=false in a config), or leave a language "
        "out, as with --set clean.language.margins.de=null."
    )


def _count_majority(majority: Majority) -> pl.DataFrame:
    counted = majority.labels.group_by("status").agg(
        pl.len().cast(pl.Int64).alias("titles"),
        pl.col("records").sum(),
        (pl.col("records") - pl.col("support")).sum().alias("others"),
    )
    every = pl.DataFrame({"status": [MAJORITY, TIE, TOO_FEW]})
    found = every.join(counted, on="status", how="left", maintain_order="left").fill_null(0)
    return found.select(
        pl.col("status").alias("majority_status"),
        "titles",
        "records",
        pl.when(pl.col("status") == MAJORITY).then("others").alias("records_with_other_labels"),
    )


def _ceilings(labelled: dict[str, pl.DataFrame], targets: Sequence[str]) -> pl.DataFrame:
    lines = []
    for labels, rows in labelled.items():
        found, single = noise_ceilings(rows, targets), single_record_share(rows)
        for weighting in ("per record", "per title"):
            values = {name: found[weighting, name] for name in (*targets, "all")}
            lines.append({"labels": labels, "weighting": weighting, **values, "single_record_share": single})
    return pl.DataFrame(lines)
