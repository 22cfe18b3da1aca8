import numpy as np
import pytest

from neural.rows import distinct_rows, sample_rows
from tests.neural.toy import labelled

NURSE = ("nurse", "health", "rest")


@pytest.mark.parametrize(("power", "weight"), [(1.0, 10.0), (0.5, 10**0.5), (0.0, 1.0)])
def test_records_count_the_same_in_one_row_or_in_many(power, weight):
    together = labelled([NURSE], count=[10])
    apart = labelled([NURSE] * 4, count=[3, 5, 1, 1])

    for rows in (together, apart):
        positions, weights = distinct_rows(rows, power)
        assert positions.tolist() == [0]
        assert weights.tolist() == pytest.approx([weight])


def test_rows_that_differ_in_a_label_stay_apart_and_weights_add():
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


def test_a_sample_larger_than_the_rows_is_the_rows():
    drawn, weights = sample_rows(np.array([2.0, 1.0]), 2, np.random.default_rng(0))

    assert drawn.tolist() == [0, 1]
    assert weights.tolist() == [2.0, 1.0]


def test_sources_keep_their_share_of_the_weight_however_often_their_titles_recur():
    rows = labelled(
        [NURSE, ("cook", "other", "rest"), ("Nurse", "health", "rest")],
        count=[100, 25, 1],
        weight=[1.0, 1.0, 125.0],
        source=["legacy", "legacy", "reviewed"],
    )
    _, weights = distinct_rows(rows, 0.5)
    assert weights[0] / weights[1] == pytest.approx(2)
    assert weights[2] / weights.sum() == pytest.approx(0.5)
