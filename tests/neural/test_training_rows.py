from dataclasses import replace

import numpy as np
import pytest

from data_cleaning.taxonomy import Taxonomy
from neural.training_rows import class_factors, distinct_rows, resampling_probabilities, sample_rows, soften
from tests.neural.toy import labelled

NURSE = ("nurse", "health", "rest")


@pytest.mark.parametrize(("power", "weight"), [(1.0, 10.0), (0.5, 10**0.5), (0.0, 1.0)])
def test_records_weigh_the_same_in_one_row_or_in_many(power, weight):
    together = labelled([NURSE], count=[10])
    separate = labelled([NURSE] * 4, count=[3, 5, 1, 1])

    for rows in (together, separate):
        positions, weights = distinct_rows(rows, power)
        assert positions.tolist() == [0]
        assert weights.tolist() == pytest.approx([weight])


def test_rows_of_different_labels_are_not_merged_and_weights_add_up():
    rows = labelled(
        [NURSE, ("nurse", "other", "rest"), NURSE, ("Nurse", "health", "rest")],
        count=[4, 1, 1, 9],
        weight=[1.0, 1.0, 20.0, 2.0],
    )

    positions, weights = distinct_rows(rows, 0.5)

    assert positions.tolist() == [0, 1, 3]
    assert weights.tolist() == pytest.approx([2 + 20, 1, 6])


def test_no_rows_merge_to_no_rows(nothing):
    positions, weights = distinct_rows(nothing, 0.5)

    assert len(positions) == len(weights) == 0


def test_a_sample_keeps_the_heavy_row_and_the_total_weight_on_average():
    weights = np.array([50.0, *[1.0] * 100])
    totals = []
    for seed in range(300):
        drawn, estimated = sample_rows(weights, 20, np.random.default_rng(seed))
        assert 0 in drawn
        assert len(set(drawn)) == 20
        totals.append(estimated.sum())

    assert np.mean(totals) == pytest.approx(weights.sum(), rel=0.05)


def test_a_sample_as_large_as_the_rows_is_all_of_them():
    drawn, weights = sample_rows(np.array([2.0, 1.0]), 2, np.random.default_rng(0))

    assert drawn.tolist() == [0, 1]
    assert weights.tolist() == [2.0, 1.0]


def test_a_source_keeps_its_share_of_the_weight_however_often_its_titles_recur():
    rows = labelled(
        [NURSE, ("cook", "other", "rest"), ("Nurse", "health", "rest")],
        count=[100, 25, 1],
        weight=[1.0, 1.0, 125.0],
        source=["legacy", "legacy", "reviewed"],
    )
    _, weights = distinct_rows(rows, 0.5)
    assert weights[0] / weights[1] == pytest.approx(2)
    assert weights[2] / weights.sum() == pytest.approx(0.5)


RANKED = Taxonomy.from_dict(
    {
        "targets": {
            "field": {"classes": {"it": [], "other": []}},
            "grade": {"ordinal": True, "classes": {"chief": [], "manager": [], "staff": []}},
        }
    }
)
LABELS = {"field": np.array([0, 1, 1, 1]), "grade": np.array([0, 1, 2, 2])}
WEIGHTS = np.ones(4)


def test_without_class_weights_or_a_teacher_there_are_no_soft_labels(settings):
    assert soften(LABELS, WEIGHTS, RANKED, settings) is None


def test_class_weights_raise_rare_classes(settings):
    soft = soften(LABELS, WEIGHTS, RANKED, replace(settings, class_weight_power=1.0))

    totals = soft["field"].sum(0)
    assert totals[0] == pytest.approx(totals[1])
    assert soft["field"].sum() == pytest.approx(len(WEIGHTS))


def test_class_factors_count_row_weights_and_skip_empty_classes():
    factors = class_factors(np.array([0, 1]), np.array([3.0, 1.0]), 3, 0.5)

    np.testing.assert_allclose(factors, np.array([0.75**-0.5, 0.25**-0.5, 0]) / (0.75**0.5 + 0.25**0.5))


def test_resampling_draws_rows_of_rare_classes_more_often():
    draws = resampling_probabilities(LABELS, WEIGHTS, RANKED, 1.0)

    assert draws.sum() == pytest.approx(1)
    assert draws[0] == draws.max() > 1 / 4
    np.testing.assert_allclose(resampling_probabilities(LABELS, WEIGHTS, RANKED, 0.0), 1 / 4)
