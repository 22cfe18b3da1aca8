"""How far a score may be from what more titles would show."""

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, poisson

_CONFIDENCE = 0.95
_RESAMPLES = 1_000
MIN_TITLES = 20
"""Fewer titles than this are not resampled: if all are alike, the interval would look certain."""
_CELLS_AT_ONCE = 4_000_000
_MIN_SPREAD = 1e-6
"""Below it, a difference comes from rounding."""
_POISSON = poisson.ppf((np.arange(1 << 16) + 0.5) / (1 << 16), 1.0).astype(np.float32)
"""A Poisson(1) number for each number of 16 bits, which is drawn twenty times as fast."""


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
        Lower and upper bounds, shape (n_scores, 2); missing below `MIN_TITLES`, too few to resample.

    Source: Efron and Tibshirani 1993, ch. 13 (percentile intervals); Chamandy et al. 2012 (Poisson bootstrap).
    """
    if len(points) < MIN_TITLES:
        return np.full((points.shape[1], 2), np.nan)
    return percentile_interval(resampled_means(points, weights, seed))


def percentile_interval(means: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return the 95% bounds of resampled scores, (n_resamples, n_scores), as shape (n_scores, 2)."""
    tail = (1 - _CONFIDENCE) / 2
    return np.asarray(np.quantile(means, [tail, 1 - tail], axis=0).T)


def resampled_means(
    points: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], seed: int
) -> npt.NDArray[np.floating]:
    """Return the weighted means of each resample of `clustered_intervals`, shape (n_resamples, n_scores)."""
    rng = np.random.default_rng(seed)
    n_titles = len(points)
    columns = np.column_stack([points * weights[:, None], weights]).astype(np.float32)  # (n_titles, n_scores + 1)
    per_draw = max(1, _CELLS_AT_ONCE // n_titles)
    totals = []
    for first in range(0, _RESAMPLES, per_draw):
        size = (min(per_draw, _RESAMPLES - first), n_titles)
        totals.append(_POISSON[rng.integers(len(_POISSON), size=size, dtype=np.uint16)] @ columns)
    total = np.concatenate(totals)  # (n_resamples, n_scores + 1)
    kept = total[:, -1] > 0  # a tiny part may draw no title at all
    return np.asarray(total[kept, :-1] / total[kept, -1:])


def may_be_best(points: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.bool_]:
    """Say of each system whether it may be the best: none other is ahead of it by more than noise.

    All differences from one system are judged together, so that the highest of many equal systems is not taken for a
    better one: the largest of them, each over its standard error, is held against its own bootstrap distribution. Of
    the titles that tell two systems apart, more must also speak for the better one than chance would explain.

    Args:
        points: what each title scores with each system, in [0, 1], shape (n_titles, n_systems).
        weights: of the titles, shape (n_titles,).
        seed: of the resampling.

    Returns:
        Shape (n_systems,); all true below `MIN_TITLES` titles, which are too few to tell.

    Source: Hsu 1981, doi:10.1214/aos/1176345582 (multiple comparisons with the best), with a bootstrap in place of
    normal errors.
    """
    n_systems = points.shape[1]
    kept = np.ones(n_systems, dtype=bool)
    if len(points) < MIN_TITLES:
        return kept
    means = resampled_means(points, weights, seed)
    observed = weights @ points / weights.sum()  # (n_systems,)
    for system in range(n_systems):
        ahead = observed - observed[system]
        noise = means - means[:, [system]] - ahead  # (n_resamples, n_systems)
        spread = np.maximum(noise.std(axis=0), _MIN_SPREAD)
        limit = np.quantile((noise / spread).max(axis=1), (1 + _CONFIDENCE) / 2)
        for other in np.flatnonzero((ahead / spread > limit) & (ahead > _MIN_SPREAD)):
            better, worse = ((points[:, one] > points[:, two]).sum() for one, two in ((other, system), (system, other)))
            # Resampling is too sure of a difference that lies in a handful of titles.
            if mcnemar_p_value(int(better), int(worse)) < 1 - _CONFIDENCE:
                kept[system] = False
    return kept


def mcnemar_p_value(n_better: int, n_worse: int) -> float:
    """Return how likely so uneven a count is if each title that tells two systems apart favours either alike.

    Source: McNemar 1947, doi:10.1007/BF02295996, in its exact two-sided form.
    """
    return float(binomtest(n_better, n_better + n_worse).pvalue) if n_better + n_worse else 1.0


def holm(p_values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return p-values, (n_tests,), adjusted so that the chance of even one false finding stays below the level asked.

    Source: Holm 1979, Scandinavian Journal of Statistics 6(2), pp. 65-70.
    """
    order = np.argsort(p_values)
    adjusted = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    found = np.empty(len(p_values))
    found[order] = np.minimum(adjusted, 1.0)
    return found
