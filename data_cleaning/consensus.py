"""Titles whose records disagree about their labels: a report, the majority rule, and what disagreement costs a score.

Rows are merged records: `title`, one label column per target, and `count`, the equal records that a row stands for.
No title or label is null. Any number of targets will do, so the same functions serve raw, grouped and majority labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

import polars as pl

from data_cleaning.errors import BadInput

MAJORITY, TIE, TOO_FEW, UNSEEN = "majority", "tie", "too few", "unseen"
"""Whether a title has a majority: one combination leads, several lead, too few records have it, or it was not seen."""


def inconsistent_combinations(
    rows: pl.DataFrame, targets: Sequence[str], *, min_records: int = 1, min_combinations: int = 2
) -> pl.DataFrame:
    """List every combination of a title and its labels, the titles with most records first.

    Titles with fewer records or combinations than the minimum are left out; consistent titles have one combination.

    Returns:
        `title`, the targets, `records`, `combinations` of the title, and `rank` by records within the title: 1 is the
        largest, and combinations of equal size share a rank.

    Raises:
        BadInput: a minimum is below 1.
    """
    _check_minima(min_records=min_records, min_combinations=min_combinations)
    combined = _combine(rows, targets).with_columns(
        pl.len().over("title").alias("combinations"),
        pl.col("records").rank("min", descending=True).over("title").alias("rank"),
        pl.col("records").sum().over("title").alias("_all"),
    )
    kept = combined.filter((pl.col("_all") >= min_records) & (pl.col("combinations") >= min_combinations))
    descending = [True, False, False, *(False for _ in targets)]
    return kept.sort("_all", "title", "rank", *targets, descending=descending).drop("_all")


def inconsistent_titles(
    rows: pl.DataFrame, targets: Sequence[str], *, min_records: int = 1, min_combinations: int = 2
) -> pl.DataFrame:
    """Measure how far the records of each title disagree, the titles most worth fixing first.

    The title with the most `minority_records`, those outside its largest combination, comes first: it lowers the noise
    ceiling of all targets most, and fixing it changes the most labels. Equal ones are sorted by entropy, largest first,
    then by title. Titles below a minimum are left out, as in `inconsistent_combinations`.

    Returns:
        `title`, `records`, `combinations`, `minority_records`, `variance` of the combinations' records (squared
        records, over the combinations as the whole population), `majority_share` in (0, 1], and `entropy` of the
        combinations in bits.

    Raises:
        BadInput: a minimum is below 1.
    """
    _check_minima(min_records=min_records, min_combinations=min_combinations)
    records = pl.col("records")
    # In a fixed order, so that sums of fractions are the same to the last digit in every run. A single combination
    # gives -0.0 for 1 * log(1); the absolute value prints as 0.
    titles = _combine(rows, targets).sort("records").group_by("title").agg(
        records.sum(),
        pl.len().alias("combinations"),
        (records.sum() - records.max()).alias("minority_records"),
        records.var(ddof=0).alias("variance"),
        (records.max() / records.sum()).alias("majority_share"),
        records.entropy(base=2).abs().alias("entropy"),
    )  # fmt: skip
    kept = titles.filter((records >= min_records) & (pl.col("combinations") >= min_combinations))
    return kept.sort("minority_records", "entropy", "title", descending=[True, True, False])


@dataclass(frozen=True, kw_only=True)
class Majority:
    """The combination of labels that most records of each title have."""

    targets: tuple[str, ...]
    labels: pl.DataFrame
    """Per title, in order of the titles: `title`, the targets (null without a majority), `records` of the title,
    `support` of its largest combination in records, `share` of it in (0, 1], and `status`: majority, tie, too few."""

    def relabel(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Give rows the majority labels of their title; without a majority they keep their own.

        Relabelling again changes nothing. Other columns, and the order and number of rows, stay as they are.

        Returns:
            The rows with majority labels, their own labels as `original_<target>`, `majority_status` of
            the title ("unseen" where the majority was learned without it), and whether a label `changed`.
        """
        new = {target: f"_majority_{target}" for target in self.targets}
        found = self.labels.select("title", "status", *self.targets).rename({**new, "status": "_status"})
        before = rows.drop("majority_status", "changed", strict=False)
        joined = before.join(found, on="title", how="left", maintain_order="left")
        originals = {target: f"original_{target}" for target in self.targets}
        kept = [pl.col(target).alias(name) for target, name in originals.items() if name not in rows.columns]
        relabelled = joined.with_columns(kept).with_columns(
            *(pl.coalesce(name, target).alias(target) for target, name in new.items()),
            pl.col("_status").fill_null(UNSEEN).alias("majority_status"),
        )
        changed = pl.any_horizontal(pl.col(target) != pl.col(name) for target, name in originals.items())
        return relabelled.with_columns(changed.alias("changed")).drop("_status", *new.values())


def learn_majority(rows: pl.DataFrame, targets: Sequence[str], *, min_support: int = 2) -> Majority:
    """Find the combination of labels that most records of each title have, at least `min_support` of them.

    A majority that feeds a score is learned from the training part only.

    Raises:
        BadInput: `min_support` is below 1.
    """
    _check_minima(min_support=min_support)
    ranked = _combine(rows, targets).with_columns(
        pl.col("records").sum().over("title").alias("_all"), pl.col("records").max().over("title").alias("support")
    )
    largest = ranked.filter(pl.col("records") == pl.col("support"))
    status = (
        pl.when(pl.len().over("title") > 1)
        .then(pl.lit(TIE))
        .when(pl.col("support") < min_support)
        .then(pl.lit(TOO_FEW))
        .otherwise(pl.lit(MAJORITY))
    )
    titles = largest.with_columns(status.alias("status")).unique("title").sort("title")
    labels = titles.select(
        "title",
        *(pl.when(pl.col("status") == MAJORITY).then(pl.col(target)).alias(target) for target in targets),
        pl.col("_all").alias("records"),
        "support",
        (pl.col("support") / pl.col("_all")).alias("share"),
        "status",
    )
    return Majority(targets=tuple(targets), labels=labels)


def relabelling_facts(relabelled: pl.DataFrame) -> dict[str, int]:
    """Count what `Majority.relabel` did to rows with a `count`.

    Returns:
        `records`, `changed_records`, `changed_titles`; `tie_`, `too_few_` and `unseen_` `titles` and `records`.
    """
    changed = relabelled.filter("changed")
    facts = {
        "records": int(relabelled["count"].sum()),
        "changed_records": int(changed["count"].sum()),
        "changed_titles": changed["title"].n_unique(),
    }
    for status in (TIE, TOO_FEW, UNSEEN):
        left = relabelled.filter(pl.col("majority_status") == status)
        name = status.replace(" ", "_")
        facts |= {f"{name}_titles": left["title"].n_unique(), f"{name}_records": int(left["count"].sum())}
    return facts


def consensus(rows: pl.DataFrame, targets: Sequence[str]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Make a reference for scores: the majority of each title within the rows of the scored part.

    Titles with one record, and titles whose largest combinations tie, have no majority; they are left out.

    Returns:
        One row per title with `title`, labels and all its records as `count`; and how many were left out.
    """
    labels = learn_majority(rows, targets).labels
    tied = labels.filter(pl.col("status") == TIE)
    left_out = {
        "single_titles": len(labels.filter(pl.col("status") == TOO_FEW)),
        "tied_titles": len(tied),
        "tied_records": int(tied["records"].sum()),
    }
    agreed = labels.filter(pl.col("status") == MAJORITY)
    return agreed.select("title", *targets, pl.col("records").alias("count")), left_out


def noise_ceilings(rows: pl.DataFrame, targets: Sequence[str]) -> dict[tuple[str, str], float]:
    """Return the best accuracy that any system seeing only titles can reach on these rows.

    Such a system gives all records of a title one answer, at best the title's most frequent label. A title
    that occurs once cannot contradict itself, so read a ceiling beside `single_record_share`.

    Returns:
        ("per record" or "per title", target or "all") to a share in (0, 1]; there must be at least one row.
    """
    ceilings = {}
    # Titles are compared five times; numbers instead of them halve the time at a million rows.
    numbered = rows.with_columns(pl.col("title").cast(pl.Categorical).to_physical())
    for name, columns in [*((target, [target]) for target in targets), ("all", list(targets))]:
        combined = _combine(numbered, columns).group_by("title")
        best_of = combined.agg(pl.col("records").max().alias("best"), pl.col("records").sum())
        ceilings["per record", name] = float(best_of["best"].sum()) / float(best_of["records"].sum())
        # The order of the groups varies; fsum rounds once, so that the mean is the same to the last digit.
        ceilings["per title", name] = fsum(best_of["best"] / best_of["records"]) / len(best_of)
    return ceilings


def single_record_share(rows: pl.DataFrame) -> float:
    """Return the share of records whose title occurs once, in [0, 1]; rows are merged records, at least one."""
    titles = rows.group_by("title").agg(pl.col("count").sum())
    return float((titles["count"] == 1).sum()) / float(titles["count"].sum())


def _combine(rows: pl.DataFrame, targets: Sequence[str]) -> pl.DataFrame:
    return rows.group_by("title", *targets).agg(pl.col("count").sum().alias("records"))


def _check_minima(**minima: int) -> None:
    for name, value in minima.items():
        if value < 1:
            raise BadInput(f"{name} is {value}; expected a whole number of at least 1.")
