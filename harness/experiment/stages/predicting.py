"""Stages `predict`, `golden` and `robustness`: what a fitted system answers; any number of titles, with progress."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from data_cleaning.files.frames import read_frame
from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, Predictions
from harness.experiment.stages import (
    GOLDEN,
    MODEL,
    PREDICT_FACTS,
    PREDICTIONS,
    REFERENCE_ROWS,
    ROBUSTNESS,
    Folders,
)
from harness.experiment.stages.measuring import measured
from harness.experiment.stages.obtain_leads import LabelledFile
from harness.experiment.system_contract import TitleClassifier
from harness.experiment.systems import load_system
from harness.scoring.disagreements import trusted_rows
from harness.scoring.robustness import robustness, title_variants

_FIRST_CHUNK = 2_000
_SHORT_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class AnswerSettings:
    """Which system answers."""

    system: str
    taxonomy: Taxonomy = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class GoldenSettings:
    """Which system answers for which golden titles."""

    answer: AnswerSettings
    file: LabelledFile


@dataclass(frozen=True, kw_only=True)
class RobustnessSettings:
    """Which system answers other spellings of how many titles."""

    answer: AnswerSettings
    n_titles: int
    seed: int
    """Of the draw of titles."""


def predict(settings: AnswerSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Write probabilities for every distinct title that any reference asks about; labels are not read."""
    asked = read_frame(inputs["references"] / REFERENCE_ROWS, columns=["title"])["title"].unique().sort()
    step = f"predict {settings.system}"
    with measured() as whole:
        classifier = load_system(settings.system, inputs["fit"] / MODEL)
        with measured() as answering:
            predictions = predict_titles(classifier, asked.to_list(), settings.taxonomy, step, on_progress)
    predictions.write(out / PREDICTIONS)
    facts = {
        "titles": len(asked),
        "predict_seconds": answering.seconds,
        "titles_per_second": len(asked) / answering.seconds,
        "predict_memory_bytes": whole.memory_bytes,
    }
    (out / PREDICT_FACTS).write_text(json.dumps(facts))


def judge_golden(settings: GoldenSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Write each golden title with its kind, its labels, what a system answers, and whether all of that is `right`."""
    answer = settings.answer
    titles = settings.file.read_golden(answer.taxonomy)
    classifier = load_system(answer.system, inputs["fit"] / MODEL)
    step = f"golden titles {answer.system}"
    predictions = predict_titles(classifier, titles["title"].to_list(), answer.taxonomy, step, on_progress)
    said = {
        f"predicted_{target.name}": pl.Series([target.classes[at] for at in predictions.predicted(target.name)])
        for target in answer.taxonomy.targets
    }
    judged = titles.with_columns(**said)
    right = pl.all_horizontal(pl.col(name) == pl.col(f"predicted_{name}") for name in answer.taxonomy.names)
    judged.with_columns(right=right).write_parquet(out / GOLDEN)


def judge_robustness(settings: RobustnessSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Write what `robustness.robustness` returns for titles of the test part."""
    answer = settings.answer
    rows = read_frame(inputs["references"] / REFERENCE_ROWS)
    # Titles whose labels are known come first, since the others cannot tell a wrong answer from a right one.
    titles = rows["title"].unique().sort().sample(fraction=1.0, shuffle=True, seed=settings.seed)
    known = titles.is_in(trusted_rows(rows)["title"].implode())
    drawn = [*titles.filter(known), *titles.filter(~known)][: settings.n_titles]
    variants = title_variants(drawn)
    texts = sorted({text for of_kind in variants.values() for text in of_kind})
    classifier = load_system(answer.system, inputs["fit"] / MODEL)
    answered = predict_titles(classifier, texts, answer.taxonomy, f"other spellings {answer.system}", on_progress)
    predictions = Predictions.read(inputs["predictions"] / PREDICTIONS, answer.taxonomy)
    robustness(rows, predictions, drawn, variants, answered).to_parquet(out / ROBUSTNESS, index=False)


def predict_titles(
    classifier: TitleClassifier, titles: Sequence[str], taxonomy: Taxonomy, step: str, on_progress: Progress
) -> Predictions:
    """Answer for distinct titles, reporting progress after each chunk.

    Chunks double while they take less than a second: a table answers a million titles at once, a network reports every
    few seconds.
    """
    pieces: dict[str, list[FloatArray]] = {name: [np.zeros((0, taxonomy.n_classes(name)))] for name in taxonomy.names}
    done, chunk = 0, _FIRST_CHUNK
    while done < len(titles):
        began = time.perf_counter()
        for name, rows in classifier.predict_proba(titles[done : done + chunk]).items():
            pieces[name].append(rows)
        done = min(done + chunk, len(titles))
        if time.perf_counter() - began < _SHORT_SECONDS:
            chunk *= 2
        on_progress(step, done, len(titles))
    probabilities = {name: np.concatenate(rows) for name, rows in pieces.items()}
    return Predictions(taxonomy=taxonomy, titles=np.array(titles, dtype=object), probabilities=probabilities)
