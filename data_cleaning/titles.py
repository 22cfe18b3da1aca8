"""What the packages exchange: labelled titles go into a system, predictions come out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_cleaning.errors import BadInput, unknown
from data_cleaning.taxonomy import Target, Taxonomy

IntArray = npt.NDArray[np.integer]
FloatArray = npt.NDArray[np.floating]
BoolArray = npt.NDArray[np.bool_]
StrArray = npt.NDArray[np.object_]

Labels = Literal["legacy", "consensus", "consensus-english"]
"""Labels of leads to learn from: as they were recorded; the majority of each title of train; or that, without titles of
train that are in other languages. In the order in which a run's models are preferred."""

LABELS: tuple[Labels, ...] = get_args(Labels)

_REVIEWED = "+reviewed"


@dataclass(frozen=True)
class LabelSet:
    """What a system learns from: one kind of labels of leads, alone or with titles that a person labelled.

    Tables, folders and file names spell it as `str` does, such as "consensus+reviewed".
    """

    labels: Labels
    reviewed: bool = False

    def __str__(self) -> str:
        return f"{self.labels}{_REVIEWED if self.reviewed else ''}"

    @classmethod
    def parse(cls, written: str) -> "LabelSet":
        """Read what `str` returned.

        Raises:
            BadInput: there is no such label set.
        """
        for labels in LABELS:
            if written.removesuffix(_REVIEWED) == labels:
                return cls(labels, written.endswith(_REVIEWED))
        raise unknown("label set", written, [str(cls(labels, more)) for labels in LABELS for more in (False, True)])

    @property
    def without_reviewed(self) -> "LabelSet":
        """The same labels of leads, alone."""
        return LabelSet(self.labels)


UNKNOWN = -1
"""In place of a class position: nothing is known about this target of the title."""


@dataclass(frozen=True, kw_only=True)
class LabelledTitles:
    """Titles with one class per target, or `UNKNOWN`; a row is `counts` equal records.

    All arrays have length n_rows. A title has several rows where its records disagree about the labels.
    """

    taxonomy: Taxonomy
    titles: StrArray
    labels: Mapping[str, IntArray]
    """Target to class positions, each (n_rows,); whoever learns a target passes over the rows where it is `UNKNOWN`."""
    counts: IntArray
    """Records of each row, at least 1."""
    weights: FloatArray
    """What one record of the row weighs in a fit, above 0; 1 unless a source is trusted more."""
    sources: StrArray
    """Where the labels of each row come from: "legacy" (the tables in force), "consensus" (the majority of its title),
    "reviewed" (a person) or "truth" (known)."""

    def __post_init__(self) -> None:
        n_rows = len(self.titles)
        columns = {**self.labels, "counts": self.counts, "weights": self.weights, "sources": self.sources}
        uneven = {name: len(values) for name, values in columns.items() if len(values) != n_rows}
        if uneven:
            raise ValueError(f"All columns need the {n_rows} rows of the titles; these differ: {uneven}.")
        if tuple(self.labels) != self.taxonomy.names:
            raise ValueError(f"Labels are for {tuple(self.labels)}; the taxonomy has {self.taxonomy.names}.")

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.titles)

    @property
    def n_records(self) -> int:
        """Number of records of all rows."""
        return int(self.counts.sum())

    @property
    def fit_weights(self) -> npt.NDArray[np.float64]:
        """What each row weighs in a fit: its records times the weight of one, shape (n_rows,)."""
        return self.counts.astype(np.float64) * self.weights

    def summary(self) -> dict[str, Any]:
        """Return rows and records, in all and per source, as plain values, for the summary of a fit."""
        sources = {}
        for source in sorted(set(self.sources)):
            chosen = self.sources == source
            sources[str(source)] = {"rows": int(chosen.sum()), "records": int(self.counts[chosen].sum())}
        return {"rows": len(self), "records": self.n_records, "sources": sources}

    def select(self, rows: npt.NDArray[np.bool_] | IntArray) -> "LabelledTitles":
        """Return the rows that a mask or positions name, in that order."""
        columns = {name: getattr(self, name)[rows] for name in ("titles", "counts", "weights", "sources")}
        labels = {target: codes[rows] for target, codes in self.labels.items()}
        return LabelledTitles(taxonomy=self.taxonomy, labels=labels, **columns)

    def join(self, others: "LabelledTitles") -> "LabelledTitles":
        """Return these rows and then the others, which have the same taxonomy."""
        columns = {
            name: np.concatenate([getattr(self, name), getattr(others, name)])
            for name in ("titles", "counts", "weights", "sources")
        }
        labels = {target: np.concatenate([codes, others.labels[target]]) for target, codes in self.labels.items()}
        return LabelledTitles(taxonomy=self.taxonomy, labels=labels, **columns)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, taxonomy: Taxonomy, source: str | None = None) -> "LabelledTitles":
        """Build from a frame with `title`, a label per target and, where they differ from 1, `count` and `weight`.

        Labels may be raw labels or class names; those that are missing are unknown. Without the source of every row,
        the frame has a column `source`.

        Raises:
            BadInput: a label is in no class of the taxonomy.
        """
        n_rows = len(frame)
        sources = np.full(n_rows, source, dtype=object) if source else frame["source"].to_numpy(dtype=object)
        return cls(
            taxonomy=taxonomy,
            titles=frame["title"].to_numpy(dtype=object),
            labels={target.name: _positions(frame[target.name], target) for target in taxonomy.targets},
            counts=frame["count"].to_numpy(dtype=np.int64) if "count" in frame else np.ones(n_rows, dtype=np.int64),
            weights=frame["weight"].to_numpy(dtype=np.float64) if "weight" in frame else np.ones(n_rows),
            sources=sources,
        )


def _positions(labels: "pd.Series[Any]", target: Target) -> IntArray:
    """Return class positions, `UNKNOWN` where there is no label, (n_labels,)."""
    known = labels.notna().to_numpy()
    positions = np.full(len(labels), UNKNOWN, dtype=np.int16)
    positions[known] = target.encode(labels[known])
    return positions


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What one system predicts for distinct titles: the file between predicting and scoring."""

    taxonomy: Taxonomy
    titles: StrArray
    """Distinct titles, shape (n_titles,)."""
    probabilities: Mapping[str, FloatArray]
    """Target to rows that sum to 1, each (n_titles, n_classes)."""

    def predicted(self, target: str) -> IntArray:
        """Return the most probable class of each title as a position, shape (n_titles,)."""
        return self.probabilities[target].argmax(axis=1)

    def confidences(self, target: str) -> FloatArray:
        """Return the probability of the most probable class, shape (n_titles,)."""
        return self.probabilities[target].max(axis=1)

    def rows_of(self, titles: Sequence[str] | StrArray) -> IntArray:
        """Return the row of each given title, shape (n_given,).

        Raises:
            BadInput: a title has no prediction.
        """
        rows = pd.Index(self.titles).get_indexer(pd.Index(titles))
        if (rows < 0).any():
            absent = str(np.asarray(titles, dtype=object)[rows < 0][0])
            raise BadInput(
                f"{int((rows < 0).sum())} titles have no prediction, {absent!r} among them; predict them first."
            )
        return rows

    def write(self, path: Path) -> None:
        """Write a Parquet file: `title`, then a column `target=class` per probability."""
        columns: dict[str, npt.NDArray[np.generic]] = {"title": self.titles}
        for target in self.taxonomy.targets:
            for position, name in enumerate(target.classes):
                columns[f"{target.name}={name}"] = self.probabilities[target.name][:, position].astype(np.float32)
        pd.DataFrame(columns).to_parquet(path, index=False)

    @classmethod
    def read(cls, path: Path, taxonomy: Taxonomy) -> "Predictions":
        """Read a file that `write` made.

        Raises:
            BadInput: the file was written for other targets or classes.
        """
        frame = pd.read_parquet(path)
        expected = [f"{target.name}={name}" for target in taxonomy.targets for name in target.classes]
        if list(frame.columns) != ["title", *expected]:
            raise BadInput(f"{path} was written for other targets or classes than the taxonomy has; predict again.")
        probabilities = {
            target.name: frame[[f"{target.name}={name}" for name in target.classes]].to_numpy(dtype=np.float32)
            for target in taxonomy.targets
        }
        return cls(taxonomy=taxonomy, titles=frame["title"].to_numpy(dtype=object), probabilities=probabilities)


def distinct_keys(keys: npt.NDArray[Any]) -> tuple[IntArray, IntArray]:
    """Return a row of each distinct key, (n_distinct,), and the position of each row's key among them, (n_rows,)."""
    position, distinct = pd.factorize(keys)
    last_seen = np.empty(len(distinct), dtype=np.int64)
    last_seen[position] = np.arange(len(keys))
    return last_seen, position
