"""Titles that a person labelled, dealt to folds, and other titles beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from baselines.keyword_table import KeywordTable
from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.titles import BoolArray, FloatArray, IntArray, LabelledTitles, StrArray
from harness.experiment.joint_answers import ClassPairs

N_FOLDS = 5


@dataclass(frozen=True)
class ReviewedTitles:
    """Titles that a person labelled."""

    titles: StrArray
    """(n_titles,), as all that follow."""
    labels: Mapping[str, IntArray]
    """Target to class positions, `titles.UNKNOWN` where nobody said anything about it."""
    n_classes: Mapping[str, int]
    in_valid: BoolArray
    """Whether the title is of validation, and so nothing that chooses on it has learned from it."""
    fold: IntArray
    """Near duplicates share a fold."""

    @classmethod
    def of(cls, train: LabelledTitles, valid: LabelledTitles, seed: int) -> Self:
        """Gather them from train and validation, and deal them to folds."""
        parts = [part.select(part.sources == "reviewed") for part in (train, valid)]
        titles = np.concatenate([part.titles for part in parts])
        number, keys = pd.factorize(near_duplicate_keys(titles.tolist()).to_numpy(), sort=True)
        return cls(
            titles,
            {target: np.concatenate([part.labels[target] for part in parts]) for target in train.taxonomy.names},
            {target.name: target.n_classes for target in train.taxonomy.targets},
            np.repeat([False, True], [len(part) for part in parts]),
            (np.random.default_rng([seed, N_FOLDS]).permutation(len(keys)) % N_FOLDS)[number],
        )

    def select(self, rows: BoolArray | IntArray) -> Self:
        """Return those that a mask or positions name."""
        labels = {target: codes[rows] for target, codes in self.labels.items()}
        return type(self)(self.titles[rows], labels, self.n_classes, self.in_valid[rows], self.fold[rows])

    def pairs(self) -> ClassPairs:
        """Learn which of their classes go together."""
        return ClassPairs.learn(self.labels, self.n_classes)

    def rows_in_doubt(self, table: KeywordTable) -> dict[str, BoolArray]:
        """Say which rows of a table give a wrong answer for a title, the fallback last, (n_rows + 1,) per target."""
        doubted = {}
        for target, rows in table.winners(self.titles).items():
            classes = table.class_positions[target]
            wrong = rows[(classes[rows] != self.labels[target]) & (self.labels[target] >= 0)]
            doubted[target] = np.bincount(wrong % len(classes), minlength=len(classes)) > 0
        return doubted

    def in_doubt_out_of_fold(self, table: KeywordTable) -> dict[str, BoolArray]:
        """Say for which titles the row that wins gives a title of another fold a wrong answer, (n_titles,) each."""
        winners = table.winners(self.titles)
        doubted = {target: np.zeros(len(rows), dtype=bool) for target, rows in winners.items()}
        for number in range(N_FOLDS):
            held = self.fold == number
            by_others = self.select(~held).rows_in_doubt(table)
            for target, rows in winners.items():
                doubted[target][held] = by_others[target][rows[held]]
        return doubted

    def right_by(self, table: KeywordTable) -> BoolArray:
        """Say for which titles a table gives every label that is known, (n_titles,)."""
        right: BoolArray = np.logical_and.reduce(
            [
                (codes == self.labels[target]) | (self.labels[target] < 0)
                for target, codes in table.classes(self.titles).items()
            ]
        )
        return right

    def decided(self, answers: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Return the answers for these titles in view of each other, each by the pairs of titles of other folds."""
        found: dict[str, FloatArray] = {target: np.zeros_like(rows) for target, rows in answers.items()}
        for number in np.unique(self.fold):
            held = self.fold == number
            of_fold = self.select(~held).pairs().decide({target: rows[held] for target, rows in answers.items()})
            for target, rows in of_fold.items():
                found[target][held] = rows
        return found


def draw_unreviewed(train: LabelledTitles, reviewed: StrArray, n_titles: int, seed: int) -> StrArray:
    """Draw distinct titles of train that are no near duplicates of reviewed ones, at most `n_titles`."""
    others = pd.unique(train.titles[train.sources != "reviewed"])
    drawn = np.random.default_rng(seed).permutation(np.sort(others))
    keys, known = near_duplicate_keys(drawn.tolist()), near_duplicate_keys(reviewed.tolist())
    return drawn[~keys.is_in(known.implode()).to_numpy()][:n_titles]
