import math

import pytest
import torch

from neural.objective import target_losses, total_loss

# Probabilities 1/4 and 3/4 in the first row, 1/2 and 1/2 in the second; right are the first and the second class.
LOGITS = {"role": torch.tensor([[0.0, math.log(3)], [0.0, 0.0]])}
LABELS = {"role": torch.tensor([0, 1])}


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([1.0, 1.0], (math.log(4) + math.log(2)) / 2),
        ([3.0, 1.0], (3 * math.log(4) + math.log(2)) / 4),
        ([30.0, 10.0], (3 * math.log(4) + math.log(2)) / 4),
    ],
)
def test_rows_count_by_their_weight(weights, expected):
    losses = target_losses(LOGITS, LABELS, torch.tensor(weights))

    assert losses["role"].item() == pytest.approx(expected)


@pytest.mark.parametrize(("weights", "expected"), [(None, 3.0), ({"role": 1, "level": 3}, 3.5)])
def test_targets_count_by_their_weight(weights, expected):
    losses = {"role": torch.tensor(2.0), "level": torch.tensor(4.0)}

    assert total_loss(losses, weights).item() == pytest.approx(expected)
