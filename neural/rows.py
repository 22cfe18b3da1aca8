"""From labelled titles to the distinct rows and weights that a network trains on."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_cleaning.titles import IntArray, LabelledTitles


def distinct_rows(labelled: LabelledTitles, count_power: float) -> tuple[IntArray, npt.NDArray[np.float64]]:
    """Merge the rows that say the same of the same title.

    A row that stands for 15,000 records would drown every other row of its batch, so c records of weight w weigh
    w * c ** count_power. Records of equal weight are counted together first, so that it does not matter whether they
    came as one row or as many.

    Counts are evened out within a source of labels; between sources the shares stay those of the fit weights, so that a
    source that was given half of the weight keeps half, however often its titles recur.

    Args:
        labelled: n_rows rows.
        count_power: 1 counts records, 0 counts every row once.

    Returns:
        The first position of each distinct row, in order, and its weight, each (n_distinct,).
    """
    # Numbers for titles, as a title may hold characters that pandas' string columns refuse.
    number = {title: position for position, title in enumerate(dict.fromkeys(labelled.titles))}
    frame = pd.DataFrame(
        {f"label {target}": codes for target, codes in labelled.labels.items()}
        | {
            "title": np.fromiter((number[title] for title in labelled.titles), np.int64, len(labelled)),
            "count": labelled.counts,
            "weight": labelled.weights,
            "source": labelled.sources,
            "position": np.arange(len(labelled)),
        }
    )
    says = ["title", *(f"label {target}" for target in labelled.labels)]
    equal = frame.groupby([*says, "weight", "source"], sort=False, as_index=False).agg(
        count=("count", "sum"), position=("position", "min")
    )
    equal["total"] = equal["weight"] * equal["count"].astype(np.float64) ** count_power
    equal["mass"] = equal["weight"] * equal["count"]
    due = equal.groupby("source")[["mass", "total"]].transform("sum") / equal[["mass", "total"]].sum()
    equal["total"] *= due["mass"] / due["total"]
    merged = equal.groupby(says, sort=False).agg(total=("total", "sum"), position=("position", "min"))
    merged = merged.sort_values("position")
    return merged["position"].to_numpy(np.int64), merged["total"].to_numpy(np.float64)


def sample_rows(
    weights: npt.NDArray[np.float64], most: int, rng: np.random.Generator
) -> tuple[IntArray, npt.NDArray[np.float64]]:
    """Draw rows by weight, and say what each then weighs so that weighted sums stay right on average.

    Args:
        weights: above 0, shape (n_rows,).
        most: rows to draw; no fewer than these come back as they are.
        rng: draws the rows.

    Returns:
        Positions in `weights`, in order, and the weights of these rows, each (n_drawn,).

    Source: Duffield, Lund and Thorup 2007, "Priority sampling for estimation of arbitrary subset sums", J. ACM 54(6).
    """
    if most >= len(weights):
        return np.arange(len(weights)), weights
    priorities = weights / (1.0 - rng.random(len(weights)))  # (n_rows,); the draw is in (0, 1]
    order = np.argsort(-priorities)  # (n_rows,)
    threshold = priorities[order[most]]
    drawn = np.sort(order[:most])  # (n_drawn,)
    return drawn, np.maximum(weights[drawn], threshold)
