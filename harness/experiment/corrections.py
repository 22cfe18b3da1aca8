"""What reviewed titles teach about a keyword table, and how sure its answers are."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from baselines.keyword import MIN_PRECISION
from baselines.regression import Regression, regression_arrays, regressions_from
from baselines.tfidf_features import TfidfSettings, TitleFeatures
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import BoolArray, FloatArray, IntArray
from harness.experiment.joint_answers import ClassPairs

_MIN_TEMPERATURE = 0.5
"""Few titles, all of them right, would make every answer certain."""


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
    trust: Mapping[str, float]
    """Target to the share of right answers among those of other rows."""

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
            trust=state["trust"],
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
            "trust": dict(self.trust),
        }
        arrays: dict[str, npt.NDArray[np.generic]] = {f"rarity {name}": values for name, values in rarity.items()}
        arrays |= {f"doubted {target}": rows for target, rows in self.doubted.items()}
        return state, arrays | regression_arrays(self.regressions)


def share_right(answers: FloatArray, labels: IntArray) -> float:
    """Return the share of right answers, (n_titles, n_classes), as if one more of each kind had been seen."""
    right = int((answers.argmax(axis=1) == labels).sum())
    return max((right + 1) / (int((labels >= 0).sum()) + 2), MIN_PRECISION)


def with_answer(rows: FloatArray, classes: IntArray, probability: float) -> FloatArray:
    """Give the class of each row, (n_rows,), a probability; the others share the rest as they did."""
    at = np.arange(len(rows)), classes
    others = rows.copy()
    others[at] = 0
    totals = others.sum(axis=1, keepdims=True)
    answered = np.divide(others * (1 - probability), totals, out=np.zeros_like(others), where=totals > 0)
    answered[at] = np.where(totals[:, 0] > 0, probability, 1.0)
    return answered


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
