"""The keyword table as a system: its prediction, with the precision that each row had in training."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from baselines.keyword_table import KeywordTable
from baselines.majority import class_weights, read_state, smoothed_prior, write_state
from data_cleaning.errors import BadInput, require_fitted
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, IntArray, LabelledTitles

MIN_PRECISION = 0.501
"""Lowest precision of a row, so that the class of the winning row is always the most probable one."""

_STATE, _TABLE = "keyword.json", "keywords.csv"


class KeywordClassifier:
    """A keyword table with class probabilities.

    The row that decides a title gives its class the share of training records, weighted, in which the row was right;
    the other classes share the rest by their training prior. The fallback is a row of its own per target.
    """

    summary_: dict[str, object]
    precision_: dict[str, npt.NDArray[np.float64]]
    """Target to the precision of each row, the fallback last, shape (n_rows + 1,)."""
    prior_: dict[str, npt.NDArray[np.float64]]
    """Target to the smoothed share of each class in training, shape (n_classes,)."""

    def __init__(self, table: KeywordTable, normalised: bool = False) -> None:
        """Store the settings; `normalised` reads substring rows as whole words, in place of the legacy's substrings."""
        self.table = table
        self.normalised = normalised

    @property
    def taxonomy(self) -> Taxonomy:
        """The targets and classes of the table."""
        return self.table.taxonomy

    def fit(self, train: LabelledTitles, valid: LabelledTitles) -> "KeywordClassifier":
        """Learn each row's precision, (right + 1) / (decided + n_classes) in weighted records. `valid` is not read.

        Raises:
            BadInput: the titles are labelled by another taxonomy than the table's.
        """
        if train.taxonomy != self.taxonomy:
            raise BadInput("The keyword table and the training titles have different taxonomies; read both with one.")
        winners = self.table.winners(train.titles, self.normalised)
        self.prior_, self.precision_ = {}, {}
        n_deciding: dict[str, int] = {}
        for target in self.taxonomy.targets:
            won = winners[target.name]
            classes = self.table.class_positions[target.name]  # (n_rows + 1,), the fallback last
            slots = won % len(classes)  # (n_titles,), -1 becomes the last
            known, right = train.labels[target.name] >= 0, train.labels[target.name] == classes[slots]
            decided = np.bincount(slots, weights=train.fit_weights * known, minlength=len(classes))
            correct = np.bincount(slots, weights=train.fit_weights * right, minlength=len(classes))
            precision = np.maximum((correct + 1) / (decided + target.n_classes), MIN_PRECISION)
            self.precision_[target.name] = precision if target.n_classes > 1 else np.ones(len(classes))
            self.prior_[target.name] = smoothed_prior(class_weights(train, target.name))
            n_deciding[target.name] = len(np.unique(won[won >= 0]))
        ever = np.unique(np.concatenate([won[won >= 0] for won in winners.values()]))
        self.summary_ = {
            **train.summary(),
            "keyword_rows": len(self.table),
            "keyword_rows_that_won": len(ever),
            "keyword_rows_that_won_by_target": n_deciding,
        }
        return self

    def predict_proba(self, titles: Sequence[str]) -> dict[str, FloatArray]:
        """Return class probabilities per target, shape (n_titles, n_classes); the winning row's class has the highest.

        Raises as `decide` does.
        """
        return self.decide(titles)[0]

    def decide(self, titles: Sequence[str]) -> tuple[dict[str, FloatArray], dict[str, IntArray]]:
        """Return what `predict_proba` does, and the position of the row that decided each title, per target.

        Positions are of `table.rows`, shape (n_titles,); -1 where the fallback answered.

        Raises:
            BadInput: called before `fit`, or a title is missing or is no text.
        """
        require_fitted(self, "summary_")
        winners = self.table.winners(titles, self.normalised)
        return {target: self._answers(target)[rows] for target, rows in winners.items()}, winners

    def fit_summary(self) -> dict[str, object]:
        """Return what the system learned from, and how many rows of the table decided a training title."""
        require_fitted(self, "summary_")
        return self.summary_

    def save(self, folder: Path) -> None:
        """Write the table as CSV and what was learned as JSON."""
        require_fitted(self, "summary_")
        state = {
            "normalised": self.normalised,
            "summary": self.summary_,
            "precision": {target: values.tolist() for target, values in self.precision_.items()},
            "prior": {target: values.tolist() for target, values in self.prior_.items()},
        }
        write_state(folder, _STATE, self.taxonomy, state)
        self.table.to_csv(folder / _TABLE)

    @classmethod
    def load(cls, folder: Path) -> "KeywordClassifier":
        """Read what `save` wrote.

        Raises:
            BadInput: the folder holds none, or the table was made faulty since.
        """
        taxonomy, state = read_state(folder, _STATE)
        system = cls(KeywordTable.read(folder / _TABLE, taxonomy), normalised=state["normalised"])
        system.precision_ = {target: np.array(values) for target, values in state["precision"].items()}
        system.prior_ = {target: np.array(values) for target, values in state["prior"].items()}
        system.summary_ = state["summary"]
        return system

    def _answers(self, target: str) -> npt.NDArray[np.float64]:
        """Return what each row of the table answers, the fallback last, shape (n_rows + 1, n_classes).

        Rows that do not set the target never win it, so their values here are never read.
        """
        precision, prior = self.precision_[target], self.prior_[target]
        answers = np.tile(prior, (len(precision), 1))
        at = np.arange(len(precision)), self.table.class_positions[target]
        answers[at] = 0
        # With a single class there is no other class to share the rest.
        answers *= ((1 - precision) / np.maximum(answers.sum(axis=1), np.finfo(np.float64).tiny))[:, None]
        answers[at] = precision
        return answers
