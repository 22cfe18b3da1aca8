"""Labels that are probably wrong, found with cleanlab, and how well a method fixes labels.

The caller gives the probabilities, from a system that did not learn from the same records.

Source: Northcutt, Jiang and Chuang 2021, "Confident learning", arXiv:1911.00068, as cleanlab 2.9 has it.
"""

import warnings
from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from data_cleaning.consensus import Majority
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, IntArray

Filter = Literal["prune_by_noise_rate", "predicted_neq_given"]
"""How cleanlab chooses issues: as many as it estimates to be wrong, the least likely first; or every label that is not
the most probable one, which finds more wrong labels and breaks more right ones."""

ALL_CAUSES = "all causes"


def label_issue_scores(
    rows: pl.DataFrame,
    probabilities: Mapping[str, FloatArray],
    taxonomy: Taxonomy,
    *,
    filter_by: Filter = "prune_by_noise_rate",
) -> pl.DataFrame:
    """Score the labels of each row, target by target.

    A row stands for `count` equal records, and cleanlab is shown each of them, so that its estimates count records.

    Args:
        rows: `title`, a label per target and `count`.
        probabilities: target to (n_rows, n_classes), each row from a system that did not learn from its records.
        taxonomy: of the targets.
        filter_by: how issues are chosen.

    Returns:
        The rows with, per target, `quality_<target>` (the probability of the label given, in [0, 1], low is bad),
        `issue_<target>` (whether most records of the row are an issue) and `suggested_<target>` (the likeliest class).

    Raises:
        BadInput: a label is in no class of the taxonomy.
        ValueError: the shape of the probabilities does not fit the rows and classes.
    """
    from cleanlab.rank import get_label_quality_scores  # on use: cleanlab takes 2 seconds to import

    counts = rows["count"].to_numpy()
    found: dict[str, pl.Series] = {}
    for target in taxonomy.targets:
        given = probabilities[target.name]
        if given.shape != (len(rows), target.n_classes):
            raise ValueError(
                f"Probabilities of {target.name!r} have shape {given.shape}; expected {(len(rows), target.n_classes)}."
            )
        labels = target.encode(rows[target.name]).astype(np.int64)
        found[f"quality_{target.name}"] = pl.Series(get_label_quality_scores(labels, given), dtype=pl.Float64)
        found[f"issue_{target.name}"] = pl.Series(_issues(labels, given, counts, filter_by))
        found[f"suggested_{target.name}"] = pl.Series(target.classes).gather(given.argmax(axis=1))
    return rows.with_columns(**found)


def suspect_labels(scored: pl.DataFrame, majority: Majority) -> pl.DataFrame:
    """List the issues in rows of `label_issue_scores`, with the majority of the same title and rows beside them.

    Returns:
        `target`, `title`, `label`, `suggested`, `records` (those that are an issue), `quality` (their mean, in [0, 1]),
        `majority` (null without one) and `majority_status`; most records first, then the lowest quality.
    """
    listed = []
    for target in majority.targets:
        issues = scored.filter(pl.col(f"issue_{target}"))
        quality = (pl.col(f"quality_{target}") * pl.col("count")).sum() / pl.col("count").sum()
        suspects = issues.group_by(
            "title", pl.col(target).alias("label"), pl.col(f"suggested_{target}").alias("suggested")
        ).agg(pl.col("count").sum().alias("records"), quality.alias("quality"))
        rule = majority.labels.select(
            "title", pl.col(target).alias("majority"), pl.col("status").alias("majority_status")
        )
        listed.append(suspects.join(rule, on="title", how="left").select(pl.lit(target).alias("target"), pl.all()))
    order = ["records", "quality", "target", "title", "label", "suggested"]
    return pl.concat(listed).sort(order, descending=[True, *(False for _ in order[1:])])


def score_fixes(records: pl.DataFrame) -> pl.DataFrame:
    """Compare one method's labels of one target with the truth, by what caused the recorded labels.

    A row has `recorded`, `truth` and `fixed` classes, their `cause`, and the `count` of its records.

    Returns:
        A row for all causes and one per cause, most records first: `cause`, `records`, `corrupted` (records whose
        recorded label is not the truth), and shares in [0, 1], null where the whole is 0: of the
        corrupted labels those `found` (changed) and `set_right`, of the right ones those `wrongly_changed`, and of
        all those `right_before` and `right_after`.
    """
    recorded, truth, fixed = pl.col("recorded"), pl.col("truth"), pl.col("fixed")
    corrupted, right_after = recorded != truth, fixed == truth

    def share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
        return (_records(part & whole) / _records(whole)).fill_nan(None)

    anywhere = pl.lit(True)
    figures = [
        _records(anywhere).alias("records"),
        _records(corrupted).alias("corrupted"),
        share(fixed != recorded, corrupted).alias("found"),
        share(right_after, corrupted).alias("set_right"),
        share(~right_after, ~corrupted).alias("wrongly_changed"),
        share(~corrupted, anywhere).alias("right_before"),
        share(right_after, anywhere).alias("right_after"),
    ]
    overall = records.group_by(pl.lit(ALL_CAUSES).alias("cause")).agg(figures)
    by_cause = records.group_by("cause").agg(figures).sort("records", "cause", descending=[True, False])
    return pl.concat([overall, by_cause])


def _issues(labels: IntArray, probabilities: FloatArray, counts: IntArray, filter_by: Filter) -> npt.NDArray[np.bool_]:
    from cleanlab.filter import find_label_issues

    if len(np.unique(labels)) < 2:  # cleanlab needs two classes to confuse
        return np.zeros(len(labels), dtype=bool)
    row_of_record = np.repeat(np.arange(len(labels)), counts)
    with warnings.catch_warnings():
        # A class of a record or two has too little evidence, so it is right to leave it.
        warnings.filterwarnings("ignore", message="May not flag all label issues")
        found = find_label_issues(labels[row_of_record], probabilities[row_of_record], filter_by=filter_by, n_jobs=1)
    # Some records of a row may be issues and others not; the majority then decides.
    return np.bincount(row_of_record, weights=found, minlength=len(labels)) * 2 > counts


def _records(where: pl.Expr) -> pl.Expr:
    return pl.col("count").filter(where).sum()
