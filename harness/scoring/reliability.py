"""How often a system is right at which confidence, measured on titles that it did not learn from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import polars as pl

from data_cleaning.errors import BadInput, read_json
from data_cleaning.titles import BoolArray, FloatArray, IntArray, Predictions

FILE = "reliability.json"
"""In the folder of a saved system."""

MIN_TITLES = 20
"""Answers that a threshold must leave unflagged for their share of right ones to mean something."""

ASKED_ACCURACIES = (0.9, 0.95, 0.97)

_REMEDY = "Fit the system again, or give the threshold itself: --review-below."


@dataclass(frozen=True)
class Reliability:
    """The lowest confidence of each answer over the targets, and whether all targets were right; both (n_titles,)."""

    confidence: FloatArray
    right: BoolArray

    @classmethod
    def of(cls, probabilities: Mapping[str, FloatArray], labels: Mapping[str, IntArray]) -> Self:
        """Compare answers, (n_titles, n_classes) per target, with class positions, (n_titles,) per target.

        Titles with a position of -1, which is not known, are left out.
        """
        lowest = np.min([rows.max(axis=1) for rows in probabilities.values()], axis=0)
        right = np.all([rows.argmax(axis=1) == labels[target] for target, rows in probabilities.items()], axis=0)
        known = np.all([codes >= 0 for codes in labels.values()], axis=0)
        return cls(lowest[known], right[known])

    def threshold(self, accuracy: float) -> float | None:
        """Return the lowest confidence from which on answers are right as often as asked; None if none is."""
        order = np.argsort(-self.confidence, kind="stable")
        sure, right = self.confidence[order], self.right[order]
        share = np.cumsum(right) / np.arange(1, len(right) + 1)
        last_of_equals = np.append(sure[:-1] > sure[1:], True)[: len(sure)]
        enough = np.arange(1, len(sure) + 1) >= MIN_TITLES
        fit = np.flatnonzero((share >= accuracy) & last_of_equals & enough)
        return float(sure[fit[-1]]) if len(fit) else None

    def best(self) -> float:
        """Return the highest share of right answers that some threshold reaches."""
        shares = [accuracy for accuracy in np.arange(100, 0, -1) / 100 if self.threshold(accuracy) is not None]
        return float(shares[0]) if shares else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values from which `read` builds the same, up to the sixth decimal."""
        return {"confidence": self.confidence.round(6).tolist(), "right": self.right.tolist()}

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read that of a saved system.

        Raises:
            BadInput: the system was saved without, which those of earlier releases were.
        """
        path = folder / FILE
        if not path.is_file():
            raise BadInput(f"{folder} does not say how often its answers are right. {_REMEDY}")
        state = read_json(path, "reliability of a system", _REMEDY)
        return cls(np.array(state["confidence"]), np.array(state["right"], dtype=bool))


def shares_answered(rows: pl.DataFrame, predictions: Predictions, known: Reliability) -> pd.DataFrame:
    """Say how much a system answers, and how rightly, where it is asked for an accuracy.

    Args:
        rows: of one reference, as `references.make_references` gathers them.
        predictions: for at least their titles.
        known: of the same system, from titles that are not among them.

    Returns:
        A row per asked accuracy: `asked`, the `threshold` of confidence (missing where no threshold reaches it), and,
        per record, the share `for_review` and the share `right` of the others.
    """
    at = predictions.rows_of(rows["title"].to_numpy())
    probabilities = {target: found[at] for target, found in predictions.probabilities.items()}
    labels = {target.name: target.encode(rows[target.name]) for target in predictions.taxonomy.targets}
    measured, records = Reliability.of(probabilities, labels), rows["records"].to_numpy()
    found = []
    for asked in ASKED_ACCURACIES:
        threshold = known.threshold(asked)
        kept = records * (measured.confidence >= (np.inf if threshold is None else threshold))
        right = (kept * measured.right).sum() / kept.sum() if kept.any() else np.nan
        found.append((asked, threshold, 1 - kept.sum() / records.sum(), right))
    return pd.DataFrame(found, columns=["asked", "threshold", "for_review", "right"]).astype(float)


def threshold_for(folder: Path, accuracy: float) -> float:
    """Return the confidence under which a saved system's answers are to be reviewed, so that others are right enough.

    Raises:
        BadInput: no threshold reaches that, or nothing is known about the system.
    """
    known = Reliability.read(folder)
    found = known.threshold(accuracy)
    if found is None:
        raise BadInput(
            f"{folder.name} is nowhere sure enough: of {len(known.right)} answers that were checked, no {MIN_TITLES} "
            f"or more with the highest confidence were right in {accuracy:.1%}; the best is {known.best():.0%}. Ask "
            "for less, or review more titles and run again."
        )
    return found
