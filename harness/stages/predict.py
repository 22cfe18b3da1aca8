"""Stage `predict`: one fitted system answers for the titles of the scored part; labels stay outside."""

import json
import time
from pathlib import Path

import polars as pl

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.stages.fit import MODEL
from harness.stages.references import REFERENCE_ROWS
from harness.systems import load_system

PREDICTIONS = "predictions.parquet"
PREDICT_FACTS = "predict.json"


def predict(system: str, taxonomy: Taxonomy, fit_folder: Path, references_folder: Path, folder: Path) -> None:
    """Write probabilities for every distinct title that any reference asks about."""
    asked = pl.read_parquet(references_folder / REFERENCE_ROWS, columns=["title"])["title"].unique().sort()
    titles = asked.to_numpy()
    classifier = load_system(system, fit_folder / MODEL)
    began = time.perf_counter()
    probabilities = classifier.predict_proba(asked.to_list())
    seconds = time.perf_counter() - began
    Predictions(taxonomy=taxonomy, titles=titles, probabilities=probabilities).write(folder / PREDICTIONS)
    facts = {"titles": len(titles), "predict_seconds": seconds, "titles_per_second": len(titles) / seconds}
    (folder / PREDICT_FACTS).write_text(json.dumps(facts))
