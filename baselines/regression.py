"""A logistic regression over many features, kept as plain arrays."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import softmax
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from data_cleaning.titles import IntArray

_MAX_LBFGS_BYTES = 1 << 29
"""For the steps and gradients that lbfgs keeps."""


@dataclass(frozen=True)
class Regression:
    """What was learned for one target."""

    coefficients: npt.NDArray[np.float32]
    """(n_features, n_classes)."""
    intercepts: npt.NDArray[np.float64]
    """(n_classes,); minus infinity for a class that is not in training."""
    iterations: int = 0
    """Steps that the solver took."""

    @classmethod
    def fit(
        cls,
        features: sparse.csr_matrix,
        labels: IntArray,
        weights: npt.NDArray[np.float64],
        n_classes: int,
        *,
        inverse_regularisation: float,
        max_iterations: int,
        seed: int = 0,
    ) -> "Regression":
        """Learn from features, (n_rows, n_features), class positions and weights, (n_rows,) each.

        With a single class, or no features, it answers with the shares of the classes, uniform where there are no rows.
        """
        present = np.unique(labels)
        coefficients = np.zeros((features.shape[1], n_classes), dtype=np.float32)
        intercepts = np.full(n_classes, -np.inf)
        if len(present) < 2 or features.shape[1] == 0:
            shares = np.bincount(labels, weights, minlength=n_classes)
            seen = shares > 0 if len(labels) else np.full(n_classes, True)
            intercepts[seen] = np.log(shares[seen]) if len(labels) else 0.0
            return cls(coefficients, intercepts)
        from sklearn.exceptions import ConvergenceWarning  # on use: answering does without, and it takes a second
        from sklearn.linear_model import LogisticRegression

        # lbfgs keeps its last ten steps and gradients, which took 3.3 GB for 500 classes; newton-cg, which keeps
        # none, reached the same optimum in .9 GB.
        kept_bytes = 20 * features.shape[1] * len(present) * 8
        model = LogisticRegression(
            solver="lbfgs" if kept_bytes <= _MAX_LBFGS_BYTES else "newton-cg",
            C=inverse_regularisation,
            max_iter=max_iterations,
            random_state=seed,
        )
        # BLAS threads wait for each other on vectors this short: 9.1 s with two of them, 2.0 s with one.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the summary says so
            # In one order, as rounding decides when the solver stops.
            model.fit(features.sorted_indices(), labels, sample_weight=weights)
        if len(present) == 2:  # scikit-learn keeps only the second class's weights, the first's being 0
            coefficients[:, present[1]] = model.coef_[0]
            intercepts[present] = 0.0, model.intercept_[0]
        else:
            coefficients[:, present], intercepts[present] = model.coef_.T, model.intercept_
        return cls(coefficients, intercepts, int(model.n_iter_[0]))

    def probabilities(self, features: sparse.csr_matrix) -> npt.NDArray[np.float64]:
        """Return rows that sum to 1, (n_rows, n_classes), for features (n_rows, n_features)."""
        shares: npt.NDArray[np.float64] = softmax(features @ self.coefficients + self.intercepts, axis=1)
        return shares


def regression_arrays(regressions: Mapping[str, Regression]) -> dict[str, npt.NDArray[np.generic]]:
    """Return the arrays of the regression of each target, by name, from which `regressions_from` builds the same."""
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for target, learned in regressions.items():
        arrays |= {f"coefficients {target}": learned.coefficients, f"intercepts {target}": learned.intercepts}
    return arrays


def regressions_from(arrays: Mapping[str, npt.NDArray[np.generic]], targets: Iterable[str]) -> dict[str, Regression]:
    """Build from what `regression_arrays` returned, all iterations being 0."""
    return {
        target: Regression(
            arrays[f"coefficients {target}"].astype(np.float32), arrays[f"intercepts {target}"].astype(np.float64)
        )
        for target in targets
    }
