"""Calibrated probabilities: one temperature per target, fitted on validation."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

_BOUNDS = (0.05, 20.0)
_STEPS = 60
_N_BINS = 15


def fit_temperature(logits: Tensor, labels: Tensor, weights: Tensor) -> float:
    """Return the number, from 0.05 to 20, that, dividing the logits, minimises their loss; 1 where there are no rows.

    The loss has a single minimum over the inverse temperature, so a ternary search over its logarithm finds it.
    `logits` are (n_rows, n_classes); `labels`, class positions, and `weights` are (n_rows,).

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv:1706.04599, section 4.2.
    """
    if not len(labels):
        return 1.0
    logits, share = logits.double(), weights.double() / weights.sum()  # (n_rows, n_classes), (n_rows,)

    def loss(log_temperature: Tensor) -> float:
        return float((cross_entropy(logits / log_temperature.exp(), labels, reduction="none") * share).sum())

    low, high = (torch.tensor(bound, dtype=torch.float64).log() for bound in _BOUNDS)
    for _ in range(_STEPS):
        third = (high - low) / 3
        if loss(low + third) <= loss(high - third):
            high = high - third
        else:
            low = low + third
    return float(((low + high) / 2).exp())


def calibration_error(probabilities: Tensor, labels: Tensor, weights: Tensor) -> float:
    """Return the expected calibration error of the most probable class, in [0, 1].

    `probabilities` are (n_rows, n_classes); `labels`, class positions, and `weights` are (n_rows,).

    Source: Guo et al. 2017, equation 5, with 15 bins of equal width.
    """
    confidence, predicted = probabilities.max(dim=1)  # (n_rows,) each
    share = weights / weights.sum()  # (n_rows,)
    # The gap between accuracy and confidence, summed within bins of confidence.
    gap = ((predicted == labels).double() - confidence.double()) * share  # (n_rows,)
    bins = (confidence * _N_BINS).long().clamp(max=_N_BINS - 1)  # (n_rows,)
    return float(torch.zeros(_N_BINS, dtype=torch.float64).index_add_(0, bins, gap).abs().sum())


def calibrate(
    logits: Mapping[str, Tensor], labels: Mapping[str, Tensor], weights: Tensor
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Fit the temperature of every target, on `logits` and `labels` of each as `fit_temperature` takes them.

    Rows whose class is unknown are left out.

    Returns:
        Target to its temperature, fitted on all rows, and target to the calibration error `before` and `after`, without
        errors where there are no rows. "After" is measured on rows that the temperature was not fitted on: the even
        rows are divided by the temperature of the odd ones, and the other way round.
    """
    temperatures, errors = {}, {}
    for target in logits:
        known = labels[target] >= 0
        rows, gold, share = logits[target][known], labels[target][known], weights[known]
        temperatures[target] = fit_temperature(rows, gold, share)
        if not len(gold):
            continue
        by = torch.ones(len(rows), 1)  # (n_rows, 1)
        for first, other in ((0, slice(1, None, 2)), (1, slice(0, None, 2))):
            by[first::2] = fit_temperature(rows[other], gold[other], share[other])
        found = [calibration_error(torch.softmax(each, 1), gold, share) for each in (rows, rows / by)]
        errors[target] = dict(zip(("before", "after"), found, strict=True))
    return temperatures, errors
