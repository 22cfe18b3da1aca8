import math
from dataclasses import replace

import pytest
import torch

from data_cleaning.titles import UNKNOWN
from neural.optimization import (
    RecentAccuracy,
    correct_weights,
    inverse_accuracy,
    make_optimizer,
    set_learning_rate,
    target_losses,
    total_loss,
)

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
def test_losses_are_averaged_by_row_weight(weights, expected):
    losses = target_losses(LOGITS, LABELS, torch.tensor(weights))

    assert losses["role"].item() == pytest.approx(expected)


@pytest.mark.parametrize(("weights", "expected"), [(None, 3.0), (torch.tensor([1.0, 3.0]), 3.5)])
def test_targets_are_averaged_by_their_weight(weights, expected):
    losses = {"role": torch.tensor(2.0), "level": torch.tensor(4.0)}

    assert total_loss(losses, weights).item() == pytest.approx(expected)


def test_losses_of_chunks_add_up_to_the_loss_of_the_batch():
    whole = target_losses(LOGITS, LABELS, torch.tensor([3.0, 1.0]))["role"]
    chunks = [
        target_losses({"role": LOGITS["role"][row]}, {"role": LABELS["role"][row]}, weights, torch.tensor(4.0))["role"]
        for row, weights in ((slice(0, 1), torch.tensor([3.0])), (slice(1, 2), torch.tensor([1.0])))
    ]
    assert float(sum(chunks)) == pytest.approx(float(whole))


def test_correct_predictions_are_summed_by_row_weight():
    assert correct_weights(LOGITS, LABELS, torch.tensor([3.0, 1.0])).tolist() == [0.0]  # a tie goes to the first class
    assert correct_weights(LOGITS, {"role": torch.tensor([1, 0])}, torch.tensor([3.0, 1.0])).tolist() == [4.0]


def test_inverse_accuracies_are_clamped_and_have_mean_one():
    weights = inverse_accuracy(torch.tensor([0.0, 0.5, 1.0]))
    assert weights.mean().item() == pytest.approx(1)
    assert (weights / weights[2]).tolist() == pytest.approx([20.0, 2.0, 1.0])


def test_accuracies_are_of_the_last_batches_only():
    recent = RecentAccuracy(2, 2, torch.device("cpu"))
    assert recent.target_weights().tolist() == [1.0, 1.0]
    for right in ([0.0, 0.0], [4.0, 1.0], [4.0, 3.0]):
        recent.add(torch.tensor(right), torch.tensor(4.0))
    # The first batch is forgotten: accuracies 1 and 1/2.
    assert recent.target_weights().tolist() == pytest.approx([2 / 3, 4 / 3])


def test_labels_and_their_one_hot_rows_have_the_same_loss():
    logits, classes = {"rank": torch.randn(4, 3)}, torch.tensor([0, 1, 2, 2])
    hard = target_losses(logits, {"rank": classes}, torch.ones(4))
    soft = target_losses(logits, {"rank": torch.eye(3)[classes]}, torch.ones(4))

    assert hard["rank"].item() == pytest.approx(soft["rank"].item(), abs=1e-6)


def test_biases_and_norms_do_not_decay_and_heads_learn_faster(network, settings):
    groups = make_optimizer(network, settings).param_groups

    for group in groups:
        assert all((weights.ndim > 1) == (group["weight_decay"] > 0) for weights in group["params"])
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))
    assert {group["lr"] for group in groups} == {5e-3, 5e-3 * settings.head_learning_rate_factor}


@pytest.mark.parametrize(
    ("schedule", "share", "expected"),
    [
        ("linear", 0.0, [1.0, 0.75, 0.5, 0.25, 0.25]),
        ("linear", 0.25, [0.5, 1.0, 2 / 3, 1 / 3, 1 / 3]),
        ("constant", 0.25, [0.5, 1.0, 1.0, 1.0, 1.0]),
    ],
)
def test_the_learning_rate_rises_then_falls_or_stays(network, settings, schedule, share, expected):
    planned = replace(settings, schedule=schedule, warmup_share=share)
    optimizer = make_optimizer(network, planned)

    rates = []
    for step in range(5):  # one more than was planned
        set_learning_rate(optimizer, step, 4, planned)
        rates.append(optimizer.param_groups[0]["lr"] / settings.learning_rate)

    assert rates == pytest.approx(expected)


def test_an_unknown_class_has_no_loss():
    logits = {"one": torch.tensor([[2.0, 0.0], [0.0, 1.0]], requires_grad=True)}
    partly = target_losses(logits, {"one": torch.tensor([0, UNKNOWN])}, torch.ones(2))["one"]
    whole = target_losses({"one": logits["one"][:1]}, {"one": torch.tensor([0])}, torch.ones(1))["one"]
    partly.backward()
    assert float(partly.detach()) == pytest.approx(float(whole.detach()) / 2)
    assert logits["one"].grad[1].tolist() == [0.0, 0.0]
