"""Stage `score`: predictions against references; reads two files and no model."""

from pathlib import Path

import polars as pl

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.experiment.stages.stage_files import PREDICTIONS, REFERENCE_ROWS, SCORES
from harness.scoring.metrics import score_rows


def score(taxonomy: Taxonomy, seed: int, references_folder: Path, predictions_folder: Path, folder: Path) -> None:
    """Write every score of one system on one scored part."""
    rows = pl.read_parquet(references_folder / REFERENCE_ROWS)
    predictions = Predictions.read(predictions_folder / PREDICTIONS, taxonomy)
    score_rows(rows, predictions, seed).to_parquet(folder / SCORES, index=False)
