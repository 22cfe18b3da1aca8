import math

import pytest
import torch

from neural.calibration import calibrate, calibration_error, fit_temperature

# Ten rows that are sure of the first class by odds of e ** 4 to 1, and right in eight of ten.
SURE = torch.tensor([[4.0, 0.0]]).repeat(10, 1)
LABELS = torch.tensor([0] * 8 + [1] * 2)
ONES = torch.ones(10)


def test_the_temperature_makes_confidence_equal_to_accuracy():
    temperature = fit_temperature(SURE, LABELS, ONES)

    # sigmoid(4 / T) = .8 where T = 4 / log(4).
    assert temperature == pytest.approx(4 / math.log(4), rel=1e-4)
    assert torch.softmax(SURE / temperature, 1)[0, 0].item() == pytest.approx(0.8, abs=1e-4)


def test_the_temperature_weighs_rows_by_their_weight():
    weights = torch.tensor([1.0] * 8 + [4.0] * 2)  # half of the weight is right

    assert torch.softmax(SURE / fit_temperature(SURE, LABELS, weights), 1)[0, 0].item() < 0.56


def test_without_rows_probabilities_stay_as_they_are():
    nothing = torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64), torch.zeros(0)

    assert fit_temperature(*nothing) == 1.0
    assert calibrate({"role": nothing[0]}, {"role": nothing[1]}, nothing[2]) == ({"role": 1.0}, {})


def test_the_calibration_error_is_the_gap_within_bins():
    # Two bins: sure .9 and right in 1 of 2; sure .6 and right in 2 of 2.
    probabilities = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    labels = torch.tensor([0, 1, 0, 0])

    assert calibration_error(probabilities, labels, torch.ones(4)) == pytest.approx((0.4 + 0.4) / 2)
    assert calibration_error(probabilities, labels, torch.tensor([1.0, 1.0, 2.0, 2.0])) == pytest.approx(
        (2 * 0.4 + 4 * 0.4) / 6
    )


def test_calibrating_lowers_the_error():
    temperatures, errors = calibrate({"role": SURE}, {"role": LABELS}, ONES)

    assert errors["role"]["before"] == pytest.approx(0.982 - 0.8, abs=1e-3)
    assert errors["role"]["after"] < 1e-3
    assert temperatures["role"] > 1


def test_the_error_after_is_of_rows_that_the_temperature_was_not_fitted_on():
    """Every other row is wrong: each half knows nothing but the opposite of the other."""
    labels = torch.tensor([0, 1] * 5)

    errors = calibrate({"role": SURE}, {"role": labels}, ONES)[1]["role"]

    # The right half makes the wrong one quite sure; the wrong half makes the right one as unsure as it may be.
    assert errors["after"] == pytest.approx((1.0 + 1 - torch.sigmoid(torch.tensor(4 / 20)).item()) / 2, abs=1e-3)
