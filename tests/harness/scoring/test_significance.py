import numpy as np
import pytest
from scipy.stats import poisson
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from harness.scoring.significance import (
    clustered_intervals,
    holm,
    mcnemar_p_value,
    resampled_means,
    wilson_interval,
)


def test_wilson_interval_of_the_issue_of_a_few_titles():
    # Wilson 1927 by hand for 71 of 106 at 95%.
    low, high = wilson_interval(71, 106)
    assert (low, high) == (pytest.approx(0.5758, abs=1e-3), pytest.approx(0.7520, abs=1e-3))


def test_clustered_intervals_are_wider_where_one_title_holds_most_records():
    points = np.array([[1.0]] * 50 + [[0.0]] * 50)
    even = np.ones(100)
    lopsided = even.copy()
    lopsided[0] = 100
    low, high = clustered_intervals(points, even, seed=1)[0]
    assert low < 0.5 < high
    assert high - low == pytest.approx(0.2, abs=0.03)  # 2 * 1.96 * sqrt(.25 / 100)
    wide_low, wide_high = clustered_intervals(points, lopsided, seed=1)[0]
    assert wide_high - wide_low > high - low


def test_titles_are_drawn_as_often_as_poisson_says():
    # The mean of one title among many that score nothing is its number of draws over theirs.
    points = np.zeros((1_000, 1))
    points[0] = 1_000
    weights = np.full(1_000, 1e-9)
    drawn = np.concatenate([resampled_means(points, weights, seed)[:, 0] for seed in range(20)])
    drawn = np.round(drawn)  # a thousand titles are drawn a thousand times, up to a few percent
    shares = [np.mean(drawn == times) for times in range(4)]
    np.testing.assert_allclose(shares, poisson.pmf(range(4), 1), atol=0.015)


def test_mcnemars_p_value_is_that_of_statsmodels():
    for better, worse in ((5, 1), (12, 30), (7, 7), (0, 9), (400, 350)):
        table = [[10, better], [worse, 10]]
        assert mcnemar_p_value(better, worse) == pytest.approx(mcnemar(table, exact=True).pvalue)
    assert mcnemar_p_value(0, 0) == 1.0


def test_holms_correction_is_that_of_statsmodels():
    rng = np.random.default_rng(5)
    for n_tests in (1, 2, 21):
        p_values = rng.random(n_tests) ** 4
        np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1])


def test_holms_correction_of_a_hand_worked_example():
    np.testing.assert_allclose(holm(np.array([0.04, 0.01, 0.03])), [0.06, 0.03, 0.06])
