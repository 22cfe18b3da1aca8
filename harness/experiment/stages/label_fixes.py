"""Stage `label_issues`: labels that contradict their titles, and which rule fixes labels better."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import polars as pl

from data_cleaning.consensus import learn_majority
from data_cleaning.errors import BadInput
from data_cleaning.files.frames import frame_columns, read_frame
from data_cleaning.files.written_tables import write_table
from data_cleaning.label_issues import Filter, label_issue_scores, score_fixes, suspect_labels
from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.progress import Progress, silent
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, LabelledTitles
from harness.experiment.recipes import Recipe
from harness.experiment.stages import CLEAN, LABEL_FIXES, SUSPECTS, TRUTH, Folders
from harness.experiment.system_contract import TitleClassifier

FIXES: dict[str, Filter] = {
    "cleanlab, estimated share": "prune_by_noise_rate",
    "cleanlab, likelier class": "predicted_neq_given",
}
"""Name of each method in the table, and how cleanlab finds an issue in it."""


@dataclass(frozen=True, kw_only=True)
class LabelIssueSettings:
    """Which system gives each label its probability, and how records are divided into folds for it."""

    recipe: Recipe
    folds: int
    by: Literal["record", "title"]


def find_label_issues(settings: LabelIssueSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Write the suspect labels of the clean records and, for simulated leads, how well each rule fixes them, by cause.

    The probabilities come from one system fitted on other folds of the same records. No other stage uses what is
    learned here.
    """
    recipe = settings.recipe
    taxonomy = recipe.taxonomy
    records = read_frame(inputs["clean"] / CLEAN).drop_nulls(taxonomy.names)
    folded = fold_rows(records, n_folds=settings.folds, by=settings.by, seed=recipe.seed)
    probabilities = out_of_sample_probabilities(folded, taxonomy, lambda: recipe.build(on_progress), on_progress)
    majority = learn_majority(folded, taxonomy.names)
    suspects = suspect_labels(label_issue_scores(folded, probabilities, taxonomy), majority)
    write_table(suspects, out / SUSPECTS)
    truth = inputs["leads"] / TRUTH
    if truth.exists() and set(taxonomy.names) <= set(frame_columns(truth)):
        fixes = compare_label_fixes(folded, read_frame(truth), taxonomy, probabilities)
        fixes.to_parquet(out / LABEL_FIXES, index=False)


def fold_rows(
    rows: pl.DataFrame, *, n_folds: int = 3, by: Literal["record", "title"] = "record", seed: int = 0
) -> pl.DataFrame:
    """Put every record into one fold.

    Args:
        rows: `title` and `count`; single records or merged ones.
        n_folds: number of folds, at least 2. Five find what three find and take twice as long.
        by: "record" may put equal titles into several folds, whose labels then count; "title" holds a title out with
            all its near duplicates. By record, TF-IDF ranked corrupted labels better for every target of simulated
            leads.
        seed: equal rows and seed give equal folds.

    Returns:
        The rows with `fold`, from 0; by record, a row whose records are in several folds occurs once for each,
        with its share of the `count`.

    Raises:
        BadInput: there are fewer than 2 folds, or everything falls into one.
    """
    if n_folds < 2:
        raise BadInput(f"n_folds is {n_folds}; expected at least 2, so that one can be held out.")
    generator = np.random.default_rng(seed)
    if by == "title":
        keys, key_of_row = np.unique(near_duplicate_keys(rows["title"]).to_numpy(), return_inverse=True)
        folded = rows.with_columns(pl.Series("fold", generator.integers(n_folds, size=len(keys))[key_of_row]))
    else:
        shares = np.full(n_folds, 1 / n_folds)
        parts = generator.multinomial(rows["count"].to_numpy(), shares)  # (n_rows, n_folds)
        positions, folds = parts.nonzero()
        folded = rows[positions].with_columns(
            pl.Series("count", parts[positions, folds]), pl.Series("fold", folds, dtype=pl.Int64)
        )
    if folded["fold"].n_unique() < 2:
        raise BadInput(f"All {len(rows):,} rows fall into one of {n_folds} folds by {by}; give more {by}s.")
    return folded


def out_of_sample_probabilities(
    folded: pl.DataFrame,
    taxonomy: Taxonomy,
    build_system: Callable[[], TitleClassifier],
    on_progress: Progress = silent,
) -> dict[str, FloatArray]:
    """Let a system answer for each fold after learning from the others.

    Args:
        folded: as `fold_rows` returns them, with a label per target.
        taxonomy: names the targets and their classes.
        build_system: returns a system that has learned nothing.
        on_progress: told of each fold that is done.

    Returns:
        Target to probabilities of the rows, each (n_rows, n_classes).
    """
    found: dict[str, FloatArray] = {
        target.name: np.zeros((len(folded), target.n_classes), dtype=np.float32) for target in taxonomy.targets
    }
    fold_of_row = folded["fold"].to_numpy()
    keys = ["title", *taxonomy.names]
    folds = np.unique(fold_of_row)
    for done, fold in enumerate(folds, start=1):
        learn = folded.filter(pl.col("fold") != fold).group_by(keys).agg(pl.col("count").sum()).sort(keys)
        train = LabelledTitles.from_frame(learn.to_pandas(), taxonomy, source="legacy")
        held_out = np.flatnonzero(fold_of_row == fold)
        # Validation is the training rows themselves, because the fold that is held out must stay unseen.
        system = build_system().fit(train, train)
        answers = system.predict_proba(folded["title"].gather(held_out).to_list())
        for target, probabilities in answers.items():
            found[target][held_out] = probabilities
        on_progress("out-of-sample probabilities", done, len(folds), "folds")
    return found


def compare_label_fixes(
    records: pl.DataFrame,
    truth: pl.DataFrame,
    taxonomy: Taxonomy,
    probabilities: Mapping[str, FloatArray],
    *,
    min_support: int = 2,
) -> pd.DataFrame:
    """Compare the majority rule and cleanlab with the truth of simulated leads, by the cause of each label.

    The majority is learned from the same records, as in the study; no score uses it. cleanlab's label is the most
    probable class wherever it finds an issue.

    Args:
        records: records as `fold_rows` returns them: `record`, `title`, `count`, and per target the class
            as it was recorded, before any majority replaced it.
        truth: what the simulation kept: `Record`, the true class and `cause_<target>` per target.
        taxonomy: names the targets and their classes.
        probabilities: as `out_of_sample_probabilities` returns them for these records.
        min_support: records that a majority needs.

    Returns:
        A row per `target`, `method` and `cause`, with the columns of `data_cleaning.label_issues.score_fixes`.

    Raises:
        BadInput: the truth lacks a column or a record.
    """
    known = _truth_of(records, truth, taxonomy)
    rule = learn_majority(records, taxonomy.names, min_support=min_support)
    fixed = {"majority": rule.relabel(records)}
    for method, filter_by in FIXES.items():
        scored = label_issue_scores(records, probabilities, taxonomy, filter_by=filter_by)
        fixed[method] = scored.with_columns(
            pl.when(f"issue_{name}").then(f"suggested_{name}").otherwise(name).alias(name) for name in taxonomy.names
        )
    compared = []
    for name in taxonomy.names:
        for method, relabelled in fixed.items():
            figures = score_fixes(
                known.select(
                    records[name].alias("recorded"),
                    pl.col(name).alias("truth"),
                    relabelled[name].alias("fixed"),
                    pl.col(f"cause_{name}").alias("cause"),
                    records["count"],
                )
            )
            compared.append(figures.select(pl.lit(name).alias("target"), pl.lit(method).alias("method"), pl.all()))
    return pl.concat(compared).to_pandas()


def _truth_of(records: pl.DataFrame, truth: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    """Return the true classes and causes of the records, row by row."""
    wanted = [*taxonomy.names, *(f"cause_{name}" for name in taxonomy.names)]
    absent = [name for name in ("Record", *wanted) if name not in truth.columns]
    if absent:
        raise BadInput(
            f"The truth has no column {', '.join(absent)}. Labels can only be scored where it is known, as it is for "
            "leads simulated from the title grammar."
        )
    numbered = truth.select(pl.col("Record").cast(pl.String).alias("record"), *wanted)
    asked = records.select(pl.col("record").cast(pl.String))
    known = asked.join(numbered, on="record", how="left", maintain_order="left")
    unknown = known.filter(pl.col(taxonomy.names[0]).is_null())
    if len(unknown):
        raise BadInput(
            f"{len(unknown):,} records have no truth, {unknown['record'][0]!r} among them; "
            "give the truth that was simulated with these leads."
        )
    return known
