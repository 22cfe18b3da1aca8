"""Stage `compare`: how far each system is ahead of one baseline, on the same titles of the same scored part."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import polars as pl

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.scoring.metrics import compare_rows
from harness.stages.files import DIFFERENCES, PREDICTIONS, REFERENCE_ROWS


def compare(
    taxonomy: Taxonomy, seed: int, baseline: str, references_folder: Path, predicted: Mapping[str, Path], folder: Path
) -> None:
    """Write `system`, `baseline` and the columns of `metrics.compare_rows` for every system but the baseline."""
    rows = pl.read_parquet(references_folder / REFERENCE_ROWS)
    answers = {system: Predictions.read(place / PREDICTIONS, taxonomy) for system, place in predicted.items()}
    found = []
    for system, predictions in answers.items():
        if system != baseline:
            differences = compare_rows(rows, predictions, answers[baseline], seed)
            found.append(differences.assign(system=system, baseline=baseline))
    pd.concat(found, ignore_index=True).to_parquet(folder / DIFFERENCES, index=False)
