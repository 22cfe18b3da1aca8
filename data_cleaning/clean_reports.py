"""What cleaned leads say about themselves: inconsistent titles, near duplicates, and how high any score can get."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from data_cleaning.clean import CleanedLeads, equal_rows
from data_cleaning.consensus import (
    WHOLE_FILE,
    inconsistent_combinations,
    inconsistent_titles,
    learn_majority,
    noise_ceilings,
    single_record_share,
)
from data_cleaning.near_duplicates import near_duplicate_report

_REASON_COLUMNS = ("reason", "records", "titles")


@dataclass(frozen=True, kw_only=True)
class CleanReports:
    """Tables that are None where the leads have no target."""

    quarantine: pl.DataFrame
    """`reason`, and the `records` and distinct original `titles` that were set aside for it."""
    near_duplicates: pl.DataFrame
    """As `near_duplicates.near_duplicate_report` returns them."""
    combinations: pl.DataFrame | None
    """As `consensus.inconsistent_combinations` returns them."""
    titles: pl.DataFrame | None
    """As `consensus.inconsistent_titles` returns them."""
    ceilings: pl.DataFrame | None
    """`labels` (raw, grouped, consensus), `weighting`, a ceiling per target and for `all`, `single_record_share`."""


def make_reports(cleaned: CleanedLeads, min_support: int = 2) -> CleanReports:
    """Make every report of cleaned leads.

    The labels as they were grouped are reported on, whether or not consensus changed them afterwards.

    Args:
        cleaned: by `clean.clean_leads`.
        min_support: records that a majority needs, for the ceiling on consensus labels.
    """
    kept, targets = cleaned.kept, cleaned.targets
    counted = kept.group_by("title").agg(pl.col("count").sum())
    reasons = cleaned.quarantined.group_by("reason").agg(
        pl.col("count").sum().alias("records"), pl.col("title").drop_nulls().n_unique().alias("titles")
    )
    combinations = titles = ceilings = None
    if targets:
        grouped = equal_rows(kept, targets, "original_" if f"original_{targets[0]}" in kept.columns else "")
        combinations = inconsistent_combinations(grouped, targets)
        titles = inconsistent_titles(grouped, targets)
        majority = learn_majority(grouped, targets, min_support=min_support, learned_from=WHOLE_FILE)
        ceilings = _ceilings(
            {
                "raw": equal_rows(kept, targets, "raw_"),
                "grouped": grouped,
                "consensus": equal_rows(majority.relabel(grouped), targets),
            },
            targets,
        )
    return CleanReports(
        quarantine=reasons.sort("records", "reason", descending=[True, False]).select(_REASON_COLUMNS),
        near_duplicates=near_duplicate_report(counted),
        combinations=combinations,
        titles=titles,
        ceilings=ceilings,
    )


def _ceilings(labelled: dict[str, pl.DataFrame], targets: Sequence[str]) -> pl.DataFrame:
    lines = []
    for labels, rows in labelled.items():
        found = noise_ceilings(rows, targets)
        for weighting in dict.fromkeys(weighting for weighting, _ in found):
            values = {name: found[weighting, name] for name in (*targets, "all")}
            single = single_record_share(rows)
            lines.append({"labels": labels, "weighting": weighting, **values, "single_record_share": single})
    return pl.DataFrame(lines)
