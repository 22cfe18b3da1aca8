"""How far a score may be from what more titles would show."""

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

_CONFIDENCE = 0.95
_RESAMPLES = 1_000
_MIN_TITLES = 20
"""Fewer titles than this are not resampled: if all are alike, the interval would look certain."""
_CELLS_AT_ONCE = 4_000_000


def wilson_interval(n_right: int, n_titles: int) -> tuple[float, float]:
    """Return the 95% Wilson score interval of a share of titles.

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953, as scipy computes it.
    """
    interval = binomtest(n_right, n_titles).proportion_ci(confidence_level=_CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def clustered_intervals(
    points: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], seed: int
) -> npt.NDArray[np.float64]:
    """Return 95% percentile-bootstrap intervals of weighted means, resampling titles with all their records.

    Records of one title share its fate, so drawing them one by one would give too narrow an interval. Each title is
    drawn a Poisson(1) number of times, which for many titles is the multinomial draw without its cost.

    Args:
        points: what each title scores per unit of weight, such as 1 for right and 0 for wrong, shape
            (n_titles, n_scores).
        weights: of the titles, shape (n_titles,).
        seed: of the resampling; one seed gives all scores the same resamples.

    Returns:
        Lower and upper bounds, shape (n_scores, 2); missing below `_MIN_TITLES`, too few to resample.

    Source: Efron and Tibshirani 1993, ch. 13 (percentile intervals); Chamandy et al. 2012 (Poisson bootstrap).
    """
    rng = np.random.default_rng(seed)
    n_titles = len(points)
    if n_titles < _MIN_TITLES:
        return np.full((points.shape[1], 2), np.nan)
    weighted = points * weights[:, None]  # (n_titles, n_scores)
    per_draw = max(1, _CELLS_AT_ONCE // n_titles)
    means = []
    for first in range(0, _RESAMPLES, per_draw):
        draws = rng.poisson(1.0, size=(min(per_draw, _RESAMPLES - first), n_titles)).astype(np.float32)
        total = draws @ weights.astype(np.float32)  # (n_draws,)
        kept = total > 0  # a tiny part may draw no title at all
        means.append((draws[kept] @ weighted.astype(np.float32)) / total[kept, None])
    tail = (1 - _CONFIDENCE) / 2
    return np.quantile(np.concatenate(means), [tail, 1 - tail], axis=0).T
