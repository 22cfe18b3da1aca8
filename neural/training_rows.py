"""From labelled titles to the distinct rows, weights and soft labels that a network trains on."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, IntArray, LabelledTitles
from neural.neural_settings import NeuralSettings

SoftLabels = dict[str, npt.NDArray[np.float32]]
"""Target to the weight of each class in the cross-entropy of each row, (n_rows, n_classes)."""


def distinct_rows(labelled: LabelledTitles, count_power: float) -> tuple[IntArray, npt.NDArray[np.float64]]:
    """Merge rows of the same title and labels.

    A row of 15,000 records would drown every other row of its batch, so c records of weight w weigh
    w * c ** count_power. Records of equal weight are counted together first, so that it does not matter whether they
    came as one row or as many.

    Counts are only evened out within a source of labels. Sources keep their shares of the fit weights, so that a source
    that was given half of the weight keeps half, however often its titles recur.

    Returns:
        The first position of each distinct row, in order, and its weight, each (n_distinct,).
    """
    # Numbers instead of titles, because a title may hold characters that pandas' string columns refuse.
    number = {title: position for position, title in enumerate(dict.fromkeys(labelled.titles))}
    labels = {f"label {target}": codes for target, codes in labelled.labels.items()}
    frame = pd.DataFrame({
        **labels,
        "title": np.fromiter((number[title] for title in labelled.titles), np.int64, len(labelled)),
        "count": labelled.counts,
        "weight": labelled.weights,
        "source": labelled.sources,
        "position": np.arange(len(labelled)),
    })  # fmt: skip
    keys = ["title", *labels]
    equal = frame.groupby([*keys, "weight", "source"], sort=False, as_index=False).agg(
        count=("count", "sum"), position=("position", "min")
    )
    equal["total"] = equal["weight"] * equal["count"].astype(np.float64) ** count_power
    equal["mass"] = equal["weight"] * equal["count"]
    shares = equal.groupby("source")[["mass", "total"]].transform("sum") / equal[["mass", "total"]].sum()
    equal["total"] *= shares["mass"] / shares["total"]
    merged = equal.groupby(keys, sort=False).agg(total=("total", "sum"), position=("position", "min"))
    merged = merged.sort_values("position")
    return merged["position"].to_numpy(np.int64), merged["total"].to_numpy(np.float64)


def sample_rows(
    weights: npt.NDArray[np.float64], max_rows: int, rng: np.random.Generator
) -> tuple[IntArray, npt.NDArray[np.float64]]:
    """Draw rows by weight, and adjust their weights so that weighted sums stay right on average.

    `weights` are above 0, (n_rows,); where there are no more than `max_rows`, all are returned unchanged.

    Returns:
        Positions in `weights`, in order, and the weights of these rows, each (n_drawn,).

    Source: Duffield, Lund and Thorup 2007, "Priority sampling for estimation of arbitrary subset sums", J. ACM 54(6).
    """
    if max_rows >= len(weights):
        return np.arange(len(weights)), weights
    priorities = weights / (1.0 - rng.random(len(weights)))  # (n_rows,); the draw is in (0, 1]
    order = np.argsort(-priorities)  # (n_rows,)
    threshold = priorities[order[max_rows]]
    drawn = np.sort(order[:max_rows])  # (n_drawn,)
    return drawn, np.maximum(weights[drawn], threshold)


def soften(
    labels: Mapping[str, IntArray],
    row_weights: npt.NDArray[np.float64],
    taxonomy: Taxonomy,
    settings: NeuralSettings,
    teacher: Mapping[str, FloatArray] | None = None,
) -> SoftLabels | None:
    """Return the soft labels that the settings ask for, or None where the labels stay as they are.

    `labels`, class positions per target, and `row_weights` are (n_rows,) each; `teacher` has the probabilities of a
    fitted network per target, (n_rows, n_classes) each. Where a label is unknown, all its weights are those of the
    teacher, or 0.
    """
    if teacher is None and not settings.class_weight_power:
        return None
    soft = {}
    for target in taxonomy.targets:
        codes = labels[target.name]
        rows = np.eye(target.n_classes)[codes] * (codes >= 0)[:, None]  # (n_rows, n_classes)
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

    `codes`, class positions, and `row_weights` are (n_rows,). Power 0 weighs classes by their rows, 1 all the same.
    Rows whose class is unknown do not count.
    """
    known = codes >= 0
    mass = np.bincount(codes[known], weights=row_weights[known], minlength=n_classes)  # (n_classes,)
    if not mass.any():
        return np.ones(n_classes)
    share = mass / mass.sum()
    factors = np.zeros(n_classes)
    factors[share > 0] = share[share > 0] ** -power
    return factors / (factors * share).sum()


def resampling_probabilities(
    labels: Mapping[str, IntArray], row_weights: npt.NDArray[np.float64], taxonomy: Taxonomy, power: float
) -> npt.NDArray[np.float64]:
    """Return the probability that a draw of an epoch takes each row, (n_rows,), summing to 1.

    A row that is rare in one target may be common in another, so the factors of its classes are averaged; that of an
    unknown class is 1.
    """
    factors = [
        np.where(codes >= 0, class_factors(codes, row_weights, target.n_classes, power)[codes], 1.0)  # (n_rows,)
        for target in taxonomy.targets
        for codes in (labels[target.name],)
    ]
    mean = np.mean(factors, axis=0)  # (n_rows,)
    return mean / mean.sum()
