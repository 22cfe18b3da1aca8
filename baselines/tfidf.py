"""TF-IDF features and one logistic regression per target, sharing one matrix."""

import dataclasses
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from safetensors.numpy import load_file, save_file
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from baselines.majority import read_state, write_state
from baselines.tfidf_features import TfidfSettings, TitleFeatures
from data_cleaning.errors import require_fitted
from data_cleaning.novelty import TitleNovelty, fall_back
from data_cleaning.progress import Progress, silent
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import BoolArray, FloatArray, IntArray, LabelledTitles, StrArray

_STATE, _ARRAYS = "tfidf.json", "tfidf.safetensors"
_PREDICT_TITLES = 20_000  # distinct titles whose features are in memory at a time, about 20 MB

_MAX_LBFGS_BYTES = 1 << 29
"""For the steps and gradients that lbfgs keeps."""


class TfidfClassifier:
    """Linear over runs of words and characters.

    Saved as safetensors and JSON: with 47,517 features, skops wrote 36 MB in 14.6 s and read them in 4.4 s, arrays and
    a list of runs took 4 MB, 0.04 s and 0.01 s.
    """

    taxonomy_: Taxonomy
    features_: TitleFeatures
    coefficients_: dict[str, npt.NDArray[np.float32]]
    """Target to weights, (n_features, n_classes)."""
    intercepts_: dict[str, npt.NDArray[np.float64]]
    """Target to (n_classes,); minus infinity for a class that is not in training."""
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
        self.coefficients_, self.intercepts_ = {}, {}
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
                chunks.append(_softmax(features @ self.coefficients_[target] + self.intercepts_[target]))
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
        arrays |= {f"coefficients {target}": values for target, values in self.coefficients_.items()}
        arrays |= {f"intercepts {target}": values for target, values in self.intercepts_.items()}
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
        system.coefficients_ = {target: arrays[f"coefficients {target}"] for target in taxonomy.names}
        system.intercepts_ = {target: arrays[f"intercepts {target}"] for target in taxonomy.names}
        return system

    def _fit_target(
        self, target: str, features: sparse.csr_matrix, labels: IntArray, weights: npt.NDArray[np.float64]
    ) -> dict[str, object]:
        """Learn one target's coefficients and intercepts; return how the regression ended."""
        n_classes = self.taxonomy_.n_classes(target)
        started = time.perf_counter()
        present = np.unique(labels)
        coefficients = np.zeros((features.shape[1], n_classes), dtype=np.float32)
        intercepts = np.full(n_classes, -np.inf)
        iterations = 0
        if len(present) < 2 or features.shape[1] == 0:
            # One class, or no features: the shares of the classes, uniform where there are no rows.
            shares = np.bincount(labels, weights, minlength=n_classes)
            seen = shares > 0 if len(labels) else np.full(n_classes, True)
            intercepts[seen] = np.log(shares[seen]) if len(labels) else 0.0
        else:
            # lbfgs keeps its last ten steps and gradients, which took 3.3 GB for 500 classes; newton-cg, which keeps
            # none, reached the same optimum in .9 GB.
            kept_bytes = 20 * features.shape[1] * len(present) * 8
            model = LogisticRegression(
                solver="lbfgs" if kept_bytes <= _MAX_LBFGS_BYTES else "newton-cg",
                C=self.settings.inverse_regularisation,
                max_iter=self.settings.max_iterations,
                random_state=self.seed,
            )
            # BLAS threads wait for each other on vectors this short: 9.1 s with two of them, 2.0 s with one.
            with threadpool_limits(1), warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # the summary says so
                model.fit(features, labels, sample_weight=weights)
            if len(present) == 2:  # scikit-learn keeps only the second class's weights, the first's being 0
                coefficients[:, present[1]] = model.coef_[0]
                intercepts[present] = 0.0, model.intercept_[0]
            else:
                coefficients[:, present], intercepts[present] = model.coef_.T, model.intercept_
            iterations = int(model.n_iter_[0])
        self.coefficients_[target], self.intercepts_[target] = coefficients, intercepts
        return {
            "rows": len(labels),
            "classes": len(present),
            "iterations": iterations,
            "stopped_at_max_iterations": iterations >= self.settings.max_iterations,
            "wall_seconds": round(time.perf_counter() - started, 3),
        }


def _merge(
    title_of_row: IntArray, train: LabelledTitles, target: str, count_power: float
) -> tuple[IntArray, IntArray, npt.NDArray[np.float64]]:
    """Merge rows that agree in title and class of one target, so that the regression sees each once.

    Returns:
        Position of the title, class and weight of each merged row, each (n_merged,); weights have a mean of 1.
    """
    n_classes = train.taxonomy.n_classes(target)
    keys = title_of_row.astype(np.int64) * n_classes + train.labels[target]
    merged, row_of = np.unique(keys, return_inverse=True)
    records = np.bincount(row_of, train.counts, minlength=len(merged))
    mean_weight = np.bincount(row_of, train.fit_weights, minlength=len(merged)) / records
    weights = mean_weight * records**count_power
    return merged // n_classes, merged % n_classes, weights / (weights.mean() if len(weights) else 1)


def _softmax(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Turn scores into probabilities, row by row, shape (n_titles, n_classes)."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
