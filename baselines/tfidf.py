"""TF-IDF features and one logistic regression per target, sharing one matrix."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from safetensors.numpy import load_file, save_file
from scipy import sparse

from baselines.majority import read_state, write_state
from baselines.regression import Regression, regression_arrays, regressions_from
from baselines.tfidf_features import TfidfSettings, TitleFeatures
from data_cleaning.errors import require_fitted
from data_cleaning.novelty import TitleNovelty, fall_back
from data_cleaning.progress import Progress, silent
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import BoolArray, FloatArray, IntArray, LabelledTitles, StrArray

_STATE, _ARRAYS = "tfidf.json", "tfidf.safetensors"
_PREDICT_TITLES = 20_000  # distinct titles whose features are in memory at a time, about 20 MB


class TfidfClassifier:
    """Linear over runs of words and characters.

    Saved as safetensors and JSON: with 47,517 features, skops wrote 36 MB in 14.6 s and read them in 4.4 s, arrays and
    a list of runs took 4 MB, 0.04 s and 0.01 s.
    """

    taxonomy_: Taxonomy
    features_: TitleFeatures
    regressions_: dict[str, Regression]
    novelty_: TitleNovelty
    summary_: dict[str, object]

    def __init__(self, settings: TfidfSettings, seed: int = 0, on_progress: Progress = silent) -> None:
        """Store the settings; `on_progress` is told of each target fitted and each chunk of titles predicted.

        The solvers draw nothing, so results do not depend on the seed.
        """
        self.settings = settings
        self.seed = seed
        self.on_progress = on_progress

    def fit(self, train: LabelledTitles, valid: LabelledTitles) -> "TfidfClassifier":
        """Learn the runs from distinct titles, then a regression per target from distinct (title, class) rows.

        Rows weigh as `TfidfSettings.count_power` says, scaled to a mean of 1 per target. Only what tells texts that are
        unlike the training titles is chosen on `valid`.
        """
        self.taxonomy_ = train.taxonomy
        title_of_row, titles = pd.factorize(train.titles)
        self.features_ = TitleFeatures(self.settings).fit(titles)
        features = self.features_.transform(titles)  # (n_titles, n_features)
        self.novelty_ = TitleNovelty.learn(train.titles, valid.titles)
        self.regressions_ = {}
        regressions = {}
        for done, target in enumerate(train.taxonomy.names, start=1):
            rows, labels, weights = _merge(title_of_row, train, target, self.settings.count_power)
            regressions[target] = self._fit_target(target, features[rows], labels, weights)
            self.on_progress("fit tfidf", done, len(train.taxonomy.targets), "targets")
        self.summary_ = {
            **train.summary(),
            "distinct_titles": len(titles),
            "features": self.features_.n_features,
            "regressions": regressions,
        }
        return self

    def predict_proba(self, titles: Sequence[str]) -> dict[str, FloatArray]:
        """Return class probabilities per target, shape (n_titles, n_classes); 0 for classes that training lacked.

        Texts that are unlike the training titles get what `fall_back` answers.
        """
        require_fitted(self, "summary_")
        back, distinct = pd.factorize(np.array(titles, dtype=object))
        chunks_of: dict[str, list[npt.NDArray[np.float64]]] = {target: [] for target in self.taxonomy_.names}
        for start in range(0, max(len(distinct), 1), _PREDICT_TITLES):
            some = distinct[start : start + _PREDICT_TITLES]
            features = self.features_.transform(some)
            for target, chunks in chunks_of.items():
                chunks.append(self.regressions_[target].probabilities(features))
            self.on_progress("predict tfidf", start + len(some), len(distinct))
        answers: dict[str, FloatArray] = {target: np.concatenate(chunks) for target, chunks in chunks_of.items()}
        answers = fall_back(answers, self.unlike(distinct), self.taxonomy_)
        return {target: rows[back] for target, rows in answers.items()}

    def unlike(self, titles: Sequence[str] | StrArray) -> BoolArray:
        """Say which texts are unlike the training titles, (n_titles,)."""
        require_fitted(self, "summary_")
        return self.novelty_.unlike(titles)

    def fit_summary(self) -> dict[str, object]:
        """Return what the system learned from, the features kept, and how each regression ended."""
        require_fitted(self, "summary_")
        return self.summary_

    def save(self, folder: Path) -> None:
        """Write settings and runs as JSON, arrays as safetensors."""
        require_fitted(self, "summary_")
        runs, rarity = self.features_.state()
        state = {"settings": dataclasses.asdict(self.settings), "seed": self.seed, "summary": self.summary_}
        learned = {"runs": runs, "folded": self.features_.folded, "novelty": self.novelty_.to_dict()}
        write_state(folder, _STATE, self.taxonomy_, {**state, **learned})
        arrays: dict[str, npt.NDArray[np.generic]] = {f"rarity {name}": values for name, values in rarity.items()}
        arrays |= regression_arrays(self.regressions_)
        save_file({name: np.ascontiguousarray(values) for name, values in arrays.items()}, folder / _ARRAYS)

    @classmethod
    def load(cls, folder: Path) -> "TfidfClassifier":
        """Read what `save` wrote, or raise as `read_state` does."""
        taxonomy, state = read_state(folder, _STATE)
        arrays = load_file(folder / _ARRAYS)
        system = cls(TfidfSettings(**state["settings"]), state["seed"])
        rarity = {name: arrays[f"rarity {name}"] for name in state["runs"]}
        folded = state.get("folded", False)
        system.features_ = TitleFeatures.from_state(system.settings, state["runs"], rarity, folded=folded)
        system.taxonomy_, system.summary_ = taxonomy, state["summary"]
        system.novelty_ = TitleNovelty.from_dict(state.get("novelty"))
        system.regressions_ = regressions_from(arrays, taxonomy.names)
        return system

    def _fit_target(
        self, target: str, features: sparse.csr_matrix, labels: IntArray, weights: npt.NDArray[np.float64]
    ) -> dict[str, object]:
        """Learn one target's regression; return how it ended."""
        started = time.perf_counter()
        most = self.settings.max_iterations
        learned = Regression.fit(
            features,
            labels,
            weights,
            self.taxonomy_.n_classes(target),
            inverse_regularisation=self.settings.inverse_regularisation,
            max_iterations=most,
            seed=self.seed,
        )
        self.regressions_[target] = learned
        return {
            "rows": len(labels),
            "classes": len(np.unique(labels)),
            "iterations": learned.iterations,
            "stopped_at_max_iterations": learned.iterations >= most,
            "wall_seconds": round(time.perf_counter() - started, 3),
        }


def _merge(
    title_of_row: IntArray, train: LabelledTitles, target: str, count_power: float
) -> tuple[IntArray, IntArray, npt.NDArray[np.float64]]:
    """Merge rows that agree in title and class of one target, so that the regression sees each once.

    Rows where that class is unknown are left out.

    Returns:
        Position of the title, class and weight of each merged row, each (n_merged,); weights have a mean of 1.
    """
    n_classes, known = train.taxonomy.n_classes(target), train.labels[target] >= 0
    keys = title_of_row[known].astype(np.int64) * n_classes + train.labels[target][known]
    merged, row_of = np.unique(keys, return_inverse=True)
    records = np.bincount(row_of, train.counts[known], minlength=len(merged))
    mean_weight = np.bincount(row_of, train.fit_weights[known], minlength=len(merged)) / records
    weights = mean_weight * records**count_power
    return merged // n_classes, merged % n_classes, weights / (weights.mean() if len(weights) else 1)
