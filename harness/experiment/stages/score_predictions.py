"""Stages `references`, `score`, `errors`, `compare` and `compare_labels`: predictions and labels, no model."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from data_cleaning.files.frames import read_frame
from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.experiment.stages import (
    BY_CLASS,
    CEILINGS,
    CONFIDENCE_BINS,
    CONFUSION,
    DIFFERENCES,
    ERRORS,
    PREDICTIONS,
    REFERENCE_FACTS,
    REFERENCE_ROWS,
    RISK_COVERAGE,
    ROWS,
    SCORES,
    SLICE_SCORES,
    SLICES,
    TEST,
    TEST_ROWS,
    THREE_WAY,
    Folders,
)
from harness.experiment.stages.obtain_leads import LabelledFile, read_truth
from harness.scoring.class_scores import class_scores
from harness.scoring.confidence import confidence_scores
from harness.scoring.disagreements import rank_errors, three_way
from harness.scoring.metrics import score_rows
from harness.scoring.pairs import compare_rows
from harness.scoring.references import make_references, noise_ceilings
from harness.scoring.slices import score_slices

_MAX_ERRORS = 1_000
"""Of each system that are listed."""


@dataclass(frozen=True, kw_only=True)
class ReferenceSettings:
    """What is known about the labels of the test part."""

    taxonomy: Taxonomy = field(repr=False)
    truth: LabelledFile | None


@dataclass(frozen=True, kw_only=True)
class ScoreSettings:
    """How predictions are scored."""

    taxonomy: Taxonomy = field(repr=False)
    seed: int
    """Of the bootstrap."""


@dataclass(frozen=True, kw_only=True)
class CompareSettings:
    """What is compared with what."""

    taxonomy: Taxonomy = field(repr=False)
    seed: int
    """Of the bootstrap."""
    pairs: Sequence[tuple[str, str]]
    """Names of what is compared and of what it should beat; at least one pair."""


@dataclass(frozen=True, kw_only=True)
class ErrorSettings:
    """Whose errors are listed."""

    taxonomy: Taxonomy = field(repr=False)
    systems: tuple[str, ...]
    voters: tuple[str, ...]
    """The systems that are asked whether the label or another system is wrong."""


def gather_references(settings: ReferenceSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Write every reference that the run has for one test part, and the noise ceilings of its legacy labels."""
    names = settings.taxonomy.names
    test = read_frame(inputs["split"] / TEST)
    test_file = inputs["clean"] / TEST_ROWS
    # Titles of a separate test file have their whole history in that file.
    all_rows = read_frame(test_file if test_file.exists() else inputs["clean"] / ROWS).drop_nulls(names)
    part = make_references(test, all_rows, _truth(settings, inputs["leads"], test), names)
    part.rows.write_parquet(out / REFERENCE_ROWS)
    (out / REFERENCE_FACTS).write_text(json.dumps(part.facts))
    ceilings = noise_ceilings(part.rows.filter(pl.col("reference") == "legacy"), names)
    (out / CEILINGS).write_text(json.dumps([[*key, value] for key, value in ceilings.items()]))


def _truth(settings: ReferenceSettings, leads_folder: Path, test: pl.DataFrame) -> pl.DataFrame | None:
    if settings.truth:
        return settings.truth.read(settings.taxonomy).with_columns(pl.lit(1, dtype=pl.Int64).alias("count"))
    known = read_truth(leads_folder, settings.taxonomy)
    if known is None:
        return None
    scored = test.filter(pl.col("source") == "legacy").group_by("title").agg(pl.col("count").sum())
    return scored.join(known, on="title", how="inner")


def score(settings: ScoreSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Write every score of one system on one test part: those of classes, confidence and slices, too."""
    rows = read_frame(inputs["references"] / REFERENCE_ROWS)
    predictions = Predictions.read(inputs["predictions"] / PREDICTIONS, settings.taxonomy)
    score_rows(rows, predictions, settings.seed).to_parquet(out / SCORES, index=False)
    by_class, confusion = class_scores(rows, predictions)
    by_class.to_parquet(out / BY_CLASS, index=False)
    confusion.to_parquet(out / CONFUSION, index=False)
    bins, risk_coverage = confidence_scores(rows, predictions)
    bins.to_parquet(out / CONFIDENCE_BINS, index=False)
    risk_coverage.to_parquet(out / RISK_COVERAGE, index=False)
    slices = read_frame(inputs["slices"] / SLICES)
    score_slices(rows, predictions, slices, settings.seed).to_parquet(out / SLICE_SCORES, index=False)


def compare(settings: CompareSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Write what `pairs.compare_rows` returns.

    Besides the references, the inputs are the predictions of everything that is compared, by its name.
    """
    rows = read_frame(inputs["references"] / REFERENCE_ROWS)
    named = {name for pair in settings.pairs for name in pair}
    answers = {name: Predictions.read(inputs[name] / PREDICTIONS, settings.taxonomy) for name in named}
    compare_rows(rows, answers, settings.pairs, settings.seed).to_parquet(out / DIFFERENCES, index=False)


def find_errors(settings: ErrorSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Write the errors of every system, and where it, the recorded labels and what is known of a title disagree.

    Besides the references, the inputs are the predictions of every system, by its name.
    """
    rows = read_frame(inputs["references"] / REFERENCE_ROWS)
    answers = {name: Predictions.read(inputs[name] / PREDICTIONS, settings.taxonomy) for name in settings.systems}
    rank_errors(rows, answers, settings.voters, _MAX_ERRORS).to_parquet(out / ERRORS, index=False)
    counted = three_way(rows, answers)
    if counted is not None:
        counted.to_parquet(out / THREE_WAY, index=False)
