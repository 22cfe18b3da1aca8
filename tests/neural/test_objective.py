import math

import pytest
import torch

from neural.objective import RecentAccuracy, inverse_accuracy, right_answers, target_losses, total_loss

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


@pytest.mark.parametrize(("weights", "expected"), [(None, 3.0), (torch.tensor([1.0, 3.0]), 3.5)])
def test_targets_count_by_their_weight(weights, expected):
    losses = {"role": torch.tensor(2.0), "level": torch.tensor(4.0)}

    assert total_loss(losses, weights).item() == pytest.approx(expected)


def test_a_part_of_a_batch_counts_by_the_whole_batch():
    whole = target_losses(LOGITS, LABELS, torch.tensor([3.0, 1.0]))["role"]
    parts = [
        target_losses({"role": LOGITS["role"][row]}, {"role": LABELS["role"][row]}, weights, torch.tensor(4.0))["role"]
        for row, weights in ((slice(0, 1), torch.tensor([3.0])), (slice(1, 2), torch.tensor([1.0])))
    ]
    assert float(sum(parts)) == pytest.approx(float(whole))


def test_right_answers_weigh_what_their_rows_weigh():
    assert right_answers(LOGITS, LABELS, torch.tensor([3.0, 1.0])).tolist() == [0.0]  # a tie goes to the first class
    assert right_answers(LOGITS, {"role": torch.tensor([1, 0])}, torch.tensor([3.0, 1.0])).tolist() == [4.0]


def test_inverse_accuracies_are_clamped_and_have_mean_one():
    weights = inverse_accuracy(torch.tensor([0.0, 0.5, 1.0]))
    assert weights.mean().item() == pytest.approx(1)
    assert (weights / weights[2]).tolist() == pytest.approx([20.0, 2.0, 1.0])


def test_only_the_last_batches_are_remembered():
    recent = RecentAccuracy(2, 2, torch.device("cpu"))
    assert recent.target_weights().tolist() == [1.0, 1.0]
    for right in ([0.0, 0.0], [4.0, 1.0], [4.0, 3.0]):
        recent.add(torch.tensor(right), torch.tensor(4.0))
    # The first batch is forgotten: accuracies 1 and 1/2.
    assert recent.target_weights().tolist() == pytest.approx([2 / 3, 4 / 3])
