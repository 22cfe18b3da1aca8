"""The majority system, and what it shares with the other baselines: class shares and the state file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data_cleaning.errors import BadInput, read_json, require_fitted
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, LabelledTitles

_STATE = "majority.json"


def class_weights(train: LabelledTitles, target: str) -> npt.NDArray[np.float64]:
    """Return the fit weight of the rows of each class, shape (n_classes,)."""
    n_classes, known = train.taxonomy.n_classes(target), train.labels[target] >= 0
    return np.bincount(train.labels[target][known], train.fit_weights[known], n_classes).astype(np.float64)


def smoothed_prior(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Turn class weights into shares that sum to 1, one record added to each class; uniform if all are 0."""
    return (weights + 1) / (weights.sum() + len(weights))


def write_state(folder: Path, name: str, taxonomy: Taxonomy, state: Mapping[str, Any]) -> None:
    """Write a system's taxonomy and what else it learned to `folder/name`, creating the folder if it is absent."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"taxonomy": taxonomy.to_dict(), **state}
    (folder / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_state(folder: Path, name: str) -> tuple[Taxonomy, dict[str, Any]]:
    """Read what `write_state` wrote.

    Raises:
        BadInput: the folder holds no such file, or the file is not as it was written.
    """
    path = folder / name
    state = read_json(path, "saved system", "Fit the system and save it there.")
    if "taxonomy" not in state:
        raise BadInput(f"{path} is no saved system: it has no taxonomy. Fit the system and save it there.")
    return Taxonomy.from_dict(state.pop("taxonomy"), str(path)), state


class MajorityClassifier:
    """Answers every title with the shares of the classes in training: the floor that every system must beat."""

    taxonomy_: Taxonomy
    prior_: dict[str, npt.NDArray[np.float64]]

    def fit(self, train: LabelledTitles, valid: LabelledTitles) -> "MajorityClassifier":
        """Learn each class's share of the training weight; uniform if there is none. `valid` is not read."""
        self.taxonomy_ = train.taxonomy
        self.summary_ = train.summary()
        self.prior_ = {}
        for target in train.taxonomy.names:
            weights = class_weights(train, target)
            total = weights.sum()
            self.prior_[target] = weights / total if total else np.full(len(weights), 1 / len(weights))
        return self

    def predict_proba(self, titles: Sequence[str]) -> dict[str, FloatArray]:
        """Return the training prior for each title, per target, shape (n_titles, n_classes)."""
        require_fitted(self, "prior_")
        return {target: np.tile(prior, (len(titles), 1)) for target, prior in self.prior_.items()}

    def fit_summary(self) -> dict[str, object]:
        """Return what the system learned from, and the most common class of each target."""
        require_fitted(self, "prior_")
        most_common = {
            target.name: target.classes[int(self.prior_[target.name].argmax())] for target in self.taxonomy_.targets
        }
        return {**self.summary_, "most_common": most_common}

    def save(self, folder: Path) -> None:
        """Write one JSON file."""
        require_fitted(self, "prior_")
        prior = {target: values.tolist() for target, values in self.prior_.items()}
        write_state(folder, _STATE, self.taxonomy_, {"summary": self.summary_, "prior": prior})

    @classmethod
    def load(cls, folder: Path) -> "MajorityClassifier":
        """Read what `save` wrote, or raise as `read_state` does."""
        system = cls()
        system.taxonomy_, state = read_state(folder, _STATE)
        system.summary_ = state["summary"]
        system.prior_ = {target: np.array(values) for target, values in state["prior"].items()}
        return system
