"""Predicting any number of titles a part at a time, so that a person sees how far it is."""

import time
from collections.abc import Sequence

import numpy as np

from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, Predictions
from harness.experiment.systems import TitleClassifier

_FIRST_PART = 2_000
_SHORT_SECONDS = 1.0


def predict_titles(
    classifier: TitleClassifier, titles: Sequence[str], taxonomy: Taxonomy, step: str, on_progress: Progress
) -> Predictions:
    """Answer for distinct titles, telling after each part how many are done.

    Parts double while they take less than a second: a table answers a million titles at once, a network says something
    every few seconds.
    """
    pieces: dict[str, list[FloatArray]] = {name: [np.zeros((0, taxonomy.n_classes(name)))] for name in taxonomy.names}
    done, part = 0, _FIRST_PART
    while done < len(titles):
        began = time.perf_counter()
        for name, rows in classifier.predict_proba(titles[done : done + part]).items():
            pieces[name].append(rows)
        done = min(done + part, len(titles))
        if time.perf_counter() - began < _SHORT_SECONDS:
            part *= 2
        on_progress(step, done, len(titles))
    probabilities = {name: np.concatenate(rows) for name, rows in pieces.items()}
    return Predictions(taxonomy=taxonomy, titles=np.array(titles, dtype=object), probabilities=probabilities)
