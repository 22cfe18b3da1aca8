"""Stage `most_wrong`: what a fitted system gets most wrong, in train and in test."""

import json
from pathlib import Path

import polars as pl

from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.predicting import predict_titles
from harness.experiment.stages.stage_files import FIT_FACTS, LEARN, MODEL, MOST_WRONG, TEST
from harness.experiment.systems import load_system
from harness.scoring.losses import rank_by_loss


def most_wrong(
    system: str, taxonomy: Taxonomy, split_folder: Path, fit_folder: Path, folder: Path, on_progress: Progress
) -> None:
    """Rank the recorded labels of train and test by the loss of the system's answers.

    Targets count as they did in the validation loss of the epoch that was kept; all the same where a system has none.
    """
    legacy = pl.col("source") == "legacy"
    learned = pl.read_parquet(split_folder / LEARN).filter(legacy & (pl.col("part") == "train"))
    rows = pl.concat([learned, pl.read_parquet(split_folder / TEST).filter(legacy)], how="vertical_relaxed")
    asked = rows["title"].unique().sort().to_list()
    classifier = load_system(system, fit_folder / MODEL)
    predictions = predict_titles(classifier, asked, taxonomy, f"rank {system}", on_progress)
    learned_from = json.loads((fit_folder / FIT_FACTS).read_text())["learned_from"]
    weights = learned_from.get("target_weights", dict.fromkeys(taxonomy.names, 1.0))
    rank_by_loss(rows, predictions, weights).write_parquet(folder / MOST_WRONG)
