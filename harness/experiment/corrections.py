"""What reviewed titles teach about a keyword table, and how sure its answers are."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from baselines.keyword import MIN_PRECISION
from baselines.regression import Regression, regression_arrays, regressions_from
from baselines.tfidf_features import TfidfSettings, TitleFeatures
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import BoolArray, FloatArray, IntArray
from harness.experiment.joint_answers import ClassPairs

_MIN_TEMPERATURE = 0.5
"""Few titles, all of them right, would make every answer certain."""


@dataclass(frozen=True)
class Trust:
    """How probable it is that a row's own answer is right, given the probability that the corrections give it."""

    slope: float
    intercept: float

    @classmethod
    def fit(cls, probabilities: FloatArray, right: BoolArray) -> Self:
        """Fit to what corrections that did not learn from a title say of its row's answer, and to whether it is right.

        Both are (n_titles,). Source: Platt 1999, "Probabilistic outputs for support vector machines".
        """
        from sklearn.linear_model import LogisticRegression  # on use: answering does without

        n_right = int(right.sum())
        if 0 < n_right < len(right):
            model = LogisticRegression(C=1.0).fit(_log_odds(probabilities)[:, None], right)
            if model.coef_[0, 0] > 0:
                return cls(float(model.coef_[0, 0]), float(model.intercept_[0]))
        return cls(0.0, float(np.log((n_right + 1) / (len(right) - n_right + 1))))

    def __call__(self, probabilities: FloatArray) -> FloatArray:
        """Return probabilities of the rows' own answers, (n_titles,), never so low that another would be likelier."""
        return np.maximum(expit(self.slope * _log_odds(probabilities) + self.intercept), MIN_PRECISION)


def _log_odds(probabilities: FloatArray) -> FloatArray:
    return logit(np.clip(probabilities, 1e-4, 1 - 1e-4))


@dataclass(frozen=True)
class Corrections:
    """What reviewed titles taught."""

    pieces: TitleFeatures
    regressions: Mapping[str, Regression]
    pairs: ClassPairs
    network_share: float
    """Weight of the network's answers in the mixture with those of the regressions."""
    temperatures: Mapping[str, float]
    """Target to what the logarithms of its probabilities are divided by."""
    doubted: Mapping[str, BoolArray]
    """Target to the rows of the table that are corrected, the fallback last, (n_rows + 1,)."""
    trust: Mapping[str, Trust]
    """Target to how far the answers of other rows are trusted."""

    @classmethod
    def read(cls, state: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], taxonomy: Taxonomy) -> Self:
        """Build from what a saved system holds of them."""
        rarity = {name: arrays[f"rarity {name}"] for name in state["runs"]}
        settings = TfidfSettings(**state["settings"])
        return cls(
            pieces=TitleFeatures.from_state(settings, state["runs"], rarity, folded=True),
            regressions=regressions_from(arrays, taxonomy.names),
            pairs=ClassPairs({(first, second): np.array(rows) for first, second, rows in state["pairs"]}),
            network_share=state["network_share"],
            temperatures=state["temperatures"],
            trust={target: Trust(*fitted) for target, fitted in state["trust"].items()},
            doubted={target: arrays[f"doubted {target}"] for target in taxonomy.names},
        )

    def to_saved(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[np.generic]]]:
        """Return plain values and arrays from which `read` builds the same."""
        runs, rarity = self.pieces.state()
        state = {
            "settings": dataclasses.asdict(self.pieces.settings),
            "runs": runs,
            "pairs": [[*names, rows.tolist()] for names, rows in self.pairs.information.items()],
            "network_share": self.network_share,
            "temperatures": dict(self.temperatures),
            "trust": {target: [trust.slope, trust.intercept] for target, trust in self.trust.items()},
        }
        arrays: dict[str, npt.NDArray[np.generic]] = {f"rarity {name}": values for name, values in rarity.items()}
        arrays |= {f"doubted {target}": rows for target, rows in self.doubted.items()}
        return state, arrays | regression_arrays(self.regressions)


def with_answer(rows: FloatArray, classes: IntArray, trust: Trust) -> FloatArray:
    """Give the class of each row, (n_rows,), the probability that it is trusted with; others share the rest."""
    at = np.arange(len(rows)), classes
    others = rows.copy()
    others[at] = 0
    totals = others.sum(axis=1, keepdims=True)
    probability = trust(rows[at])
    answered = np.divide(others * (1 - probability)[:, None], totals, out=np.zeros_like(others), where=totals > 0)
    answered[at] = np.where(totals[:, 0] > 0, probability, 1.0)
    return answered


def keep_own_answers(
    answers: dict[str, FloatArray],
    own: Mapping[str, IntArray],
    kept: Mapping[str, BoolArray],
    labels: Mapping[str, IntArray],
) -> dict[str, Trust]:
    """Put the answers of rows that are not doubted in the place of corrections; return how far each target trusts them.

    Args:
        answers: target to what corrections answer that did not learn from the titles; changed in place.
        own: target to the class that the row of each title answers.
        kept: target to the titles whose row is not doubted.
        labels: target to the right classes, -1 where one is not known.
    """
    trust = {}
    for target, rows in answers.items():
        at = np.flatnonzero(kept[target])
        classes, right = own[target][at], own[target][at] == labels[target][at]
        known = labels[target][at] >= 0
        trust[target] = Trust.fit(rows[at, classes][known], right[known])
        rows[at] = with_answer(rows[at], classes, trust[target])
    return trust


def fit_temperatures(
    answers: Mapping[str, FloatArray], labels: Mapping[str, IntArray], counted: Mapping[str, BoolArray]
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Fit the temperature of each target on those answers that count, none of which learned from its title.

    Returns:
        Target to its temperature, and to the calibration error before and after, as `calibration.calibrate` does.
    """
    import torch

    from neural.calibration import calibrate

    temperatures: dict[str, float] = {}
    errors: dict[str, dict[str, float]] = {}
    for target, rows in answers.items():
        some = counted[target]
        logits, gold = torch.from_numpy(np.log(rows[some])), torch.from_numpy(labels[target][some].astype(np.int64))
        found = calibrate({target: logits}, {target: gold}, torch.ones(len(gold), dtype=torch.float64))
        temperatures[target] = max(found[0][target], _MIN_TEMPERATURE)
        errors |= found[1]
    return temperatures, errors
