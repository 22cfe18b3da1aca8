"""Stage `predict`: one fitted system answers for the titles of the scored part; labels stay outside."""

import json
import time
from pathlib import Path

import polars as pl

from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.predicting import predict_titles
from harness.experiment.stages.stage_files import MODEL, PREDICT_FACTS, PREDICTIONS, REFERENCE_ROWS
from harness.experiment.systems import load_system


def predict(
    system: str, taxonomy: Taxonomy, fit_folder: Path, references_folder: Path, folder: Path, on_progress: Progress
) -> None:
    """Write probabilities for every distinct title that any reference asks about."""
    asked = pl.read_parquet(references_folder / REFERENCE_ROWS, columns=["title"])["title"].unique().sort()
    classifier = load_system(system, fit_folder / MODEL)
    began = time.perf_counter()
    predictions = predict_titles(classifier, asked.to_list(), taxonomy, f"predict {system}", on_progress)
    seconds = time.perf_counter() - began
    predictions.write(folder / PREDICTIONS)
    facts = {"titles": len(asked), "predict_seconds": seconds, "titles_per_second": len(asked) / seconds}
    (folder / PREDICT_FACTS).write_text(json.dumps(facts))
