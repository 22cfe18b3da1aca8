"""Stages `compare` and `compare_labels`: how far fits are ahead of others, on the same titles of one scored part."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import polars as pl

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.experiment.stages.stage_files import DIFFERENCES, PREDICTIONS, REFERENCE_ROWS
from harness.scoring.metrics import compare_rows


def compare(
    taxonomy: Taxonomy,
    seed: int,
    baselines: Mapping[str, str],
    references_folder: Path,
    predicted: Mapping[str, Path],
    folder: Path,
) -> None:
    """Write `compared`, `baseline` and the columns of `metrics.compare_rows` for every pair.

    Args:
        taxonomy: of the predictions.
        seed: of the bootstrap.
        baselines: what is compared, by name, to the name of what it should beat; at least one pair.
        references_folder: of the scored part.
        predicted: every name to the folder of its predictions.
        folder: to write to.
    """
    rows = pl.read_parquet(references_folder / REFERENCE_ROWS)
    answers = {name: Predictions.read(place / PREDICTIONS, taxonomy) for name, place in predicted.items()}
    found = []
    for name, baseline in baselines.items():
        differences = compare_rows(rows, answers[name], answers[baseline], seed)
        found.append(differences.assign(compared=name, baseline=baseline))
    pd.concat(found, ignore_index=True).to_parquet(folder / DIFFERENCES, index=False)
