"""The floor: whatever the title says, the shares of the classes in training."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from baselines.common import class_weights, read_state, write_state
from data_cleaning.errors import require_fitted
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, LabelledTitles

_STATE = "majority.json"


class MajorityClassifier:
    """Answers every title with the training prior, so the most common class is always the verdict."""

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
        """Return the training prior for each title, per target, shape (n_titles, n_classes).

        Raises:
            BadInput: called before `fit`.
        """
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
        """Read what `save` wrote.

        Raises:
            BadInput: the folder holds none.
        """
        system = cls()
        system.taxonomy_, state = read_state(folder, _STATE)
        system.summary_ = state["summary"]
        system.prior_ = {target: np.array(values) for target, values in state["prior"].items()}
        return system
