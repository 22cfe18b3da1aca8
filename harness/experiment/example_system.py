"""A system to start from: titles that share words with a title vote for its labels.

List it in a config as `systems: [tfidf, example_system.py:ExampleSystem]`, with its settings, if they should not be
the defaults, as `own_systems: {example_system: {smoothing: 0.5}}`. What a system must do is in
`harness/experiment/system_contract.py`; `title-harness new-system --check example_system.py:ExampleSystem` checks it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data_cleaning.errors import require_fitted
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, LabelledTitles


class ExampleSystem:
    """Each word of a title votes with the labels that it has in training."""

    def __init__(self, smoothing: float = 1.0) -> None:
        """Store the settings.

        Args:
            smoothing: votes that every class has from the start, shared by how frequent it is; above 0.
        """
        self.smoothing = smoothing

    def fit(self, train: LabelledTitles, valid: LabelledTitles) -> "ExampleSystem":
        """Count the labels of each word, weighted as the rows are. `valid` is for choosing settings, if you like."""
        self.taxonomy_ = train.taxonomy
        self.votes_: dict[str, dict[str, list[float]]] = {}  # target -> word -> votes for each class
        for target in train.taxonomy.names:
            n_classes = train.taxonomy.n_classes(target)
            votes: dict[str, list[float]] = {"": [1.0 / n_classes] * n_classes}  # under "" those of every title
            for title, label, weight in zip(train.titles, train.labels[target], train.fit_weights, strict=True):
                if label < 0:  # nothing is known about this target of the title
                    continue
                for word in ("", *title.lower().split()):
                    votes.setdefault(word, [0.0] * n_classes)[label] += float(weight)
            self.votes_[target] = votes
        self.summary_ = train.summary()
        return self

    def predict_proba(self, titles: Sequence[str]) -> dict[str, FloatArray]:
        """Return target to probabilities, each (n_titles, n_classes)."""
        require_fitted(self, "summary_")
        found: dict[str, FloatArray] = {}
        for target, votes in self.votes_.items():
            prior = np.array(votes[""])
            rows = np.tile(self.smoothing * prior / prior.sum(), (len(titles), 1))  # (n_titles, n_classes)
            for row, title in enumerate(titles):
                for word in title.lower().split():
                    rows[row] += votes.get(word, 0.0)
            found[target] = rows / rows.sum(axis=1, keepdims=True)
        return found

    def fit_summary(self) -> dict[str, Any]:
        """Return what the system learned from."""
        require_fitted(self, "summary_")
        return self.summary_

    def save(self, folder: Path) -> None:
        """Write one JSON file."""
        require_fitted(self, "summary_")
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "smoothing": self.smoothing,
            "taxonomy": self.taxonomy_.to_dict(),
            "votes": self.votes_,
            "summary": self.summary_,
        }
        (folder / "system.json").write_text(json.dumps(content), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "ExampleSystem":
        """Read what `save` wrote."""
        content = json.loads((folder / "system.json").read_text(encoding="utf-8"))
        system = cls(content["smoothing"])
        system.taxonomy_ = Taxonomy.from_dict(content["taxonomy"])
        system.votes_, system.summary_ = content["votes"], content["summary"]
        return system
