"""Labels as distributions over the classes: smoothed, spread over neighbours, weighted by class, or taught."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from data_cleaning.taxonomy import Target, Taxonomy
from data_cleaning.titles import FloatArray, IntArray
from neural.neural_settings import NeuralSettings

SoftLabels = dict[str, npt.NDArray[np.float32]]
"""Target to what each class counts in the cross-entropy of each row, (n_rows, n_classes)."""


def soften(
    labels: Mapping[str, IntArray],
    row_weights: npt.NDArray[np.float64],
    taxonomy: Taxonomy,
    settings: NeuralSettings,
    teacher: Mapping[str, FloatArray] | None = None,
) -> SoftLabels | None:
    """Return what the settings make of the labels, or None where they leave them as they are.

    Args:
        labels: target to class positions, each (n_rows,).
        row_weights: what each row counts, (n_rows,).
        taxonomy: names the ordinal targets.
        settings: `label_smoothing`, `ordinal_softness`, `class_weight_power` and `teacher_share`.
        teacher: target to the probabilities of a fitted network, each (n_rows, n_classes).
    """
    if teacher is None and not (settings.label_smoothing or settings.ordinal_softness or settings.class_weight_power):
        return None
    soft = {}
    for target in taxonomy.targets:
        codes = labels[target.name]
        rows = _spread(target, settings)[codes]  # (n_rows, n_classes)
        if teacher is not None:
            rows = (1 - settings.teacher_share) * rows + settings.teacher_share * teacher[target.name]
        if settings.class_weight_power:
            factors = class_factors(codes, row_weights, target.n_classes, settings.class_weight_power)  # (n_classes,)
            rows = rows * factors[codes][:, None]
        soft[target.name] = rows.astype(np.float32)
    return soft


def class_factors(
    codes: IntArray, row_weights: npt.NDArray[np.float64], n_classes: int, power: float
) -> npt.NDArray[np.float64]:
    """Return share ** -power of each class, (n_classes,), scaled to mean 1 over the rows; 0 for a class without rows.

    Args:
        codes: class positions, (n_rows,).
        row_weights: what each row counts, (n_rows,).
        n_classes: of the target.
        power: 0 counts every class by its rows, 1 all classes the same.
    """
    mass = np.bincount(codes, weights=row_weights, minlength=n_classes)  # (n_classes,)
    share = mass / mass.sum()
    factors = np.zeros(n_classes)
    factors[share > 0] = share[share > 0] ** -power
    return factors / (factors * share).sum()


def resampling_probabilities(
    labels: Mapping[str, IntArray], row_weights: npt.NDArray[np.float64], taxonomy: Taxonomy, power: float
) -> npt.NDArray[np.float64]:
    """Return how likely each draw of an epoch takes each row, (n_rows,), summing to 1.

    A row that is rare in one target may be common in another, so the factors of its classes are averaged.
    """
    factors = [
        class_factors(labels[target.name], row_weights, target.n_classes, power)[labels[target.name]]  # (n_rows,)
        for target in taxonomy.targets
    ]
    mean = np.mean(factors, axis=0)  # (n_rows,)
    return mean / mean.sum()


def _spread(target: Target, settings: NeuralSettings) -> npt.NDArray[np.float64]:
    """Return the distribution that each label becomes, (n_classes, n_classes), rows summing to 1.

    Source: for neighbours, Diaz and Marathe 2019, "Soft Labels for Ordinal Regression", CVPR; for smoothing, Szegedy et
    al. 2016, "Rethinking the Inception Architecture for Computer Vision", arXiv:1512.00567, section 7.
    """
    rows = np.eye(target.n_classes)
    if target.ordinal and settings.ordinal_softness:
        places = np.arange(target.n_classes)
        rows = np.exp(-np.abs(places[:, None] - places) / settings.ordinal_softness)  # (n_classes, n_classes)
        rows /= rows.sum(1, keepdims=True)
    return (1 - settings.label_smoothing) * rows + settings.label_smoothing / target.n_classes
