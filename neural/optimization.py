"""What is minimised and how: cross-entropy over rows and targets, AdamW, and its learning rate over the steps."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from data_cleaning.titles import UNKNOWN
from neural.network import MultiHead
from neural.neural_settings import NeuralSettings

MIN_ACCURACY = 0.05
"""Lower accuracies count as this one, so that a target without correct predictions cannot take over the whole loss."""


def target_losses(
    logits: Mapping[str, Tensor], labels: Mapping[str, Tensor], row_weights: Tensor, total_weight: Tensor | None = None
) -> dict[str, Tensor]:
    """Average the cross-entropy of each target over the rows, in nats; scalars.

    Args:
        logits: target to (batch, n_classes).
        labels: target to class positions, (batch,), or to the weight of each class, (batch, n_classes). A row whose
            class is unknown has no loss, and still counts in the average.
        row_weights: weight of each row in the average, (batch,); only the ratios matter.
        total_weight: weight of the rows of the whole batch where these are a chunk of it; None where they are all.
    """
    share = row_weights / (row_weights.sum() if total_weight is None else total_weight)  # (batch,)
    return {
        target: (cross_entropy(rows, labels[target], reduction="none", ignore_index=UNKNOWN) * share).sum()  # ()
        for target, rows in logits.items()
    }


def total_loss(losses: Mapping[str, Tensor], target_weights: Tensor | None = None) -> Tensor:
    """Average the losses of the targets, scalars, to one scalar.

    `target_weights`, (n_targets,), are in the order of the losses; only the ratios matter. None weighs all the same.
    """
    stacked = torch.stack(list(losses.values()))  # (n_targets,)
    if target_weights is None:
        return stacked.mean()  # ()
    return (stacked * target_weights).sum() / target_weights.sum()  # ()


def correct_weights(logits: Mapping[str, Tensor], labels: Mapping[str, Tensor], row_weights: Tensor) -> Tensor:
    """Return the total weight of the rows predicted correctly, per target, (n_targets,); an unknown class is never."""
    with torch.no_grad():
        correct = [((rows.argmax(1) == labels[target]) * row_weights).sum() for target, rows in logits.items()]
    return torch.stack(correct)


def inverse_accuracy(accuracies: Tensor) -> Tensor:
    """Return 1/accuracy of each target, (n_targets,), clamped and with mean 1."""
    weights = 1 / accuracies.clamp(MIN_ACCURACY, 1.0)  # (n_targets,)
    return weights / weights.mean()


class RecentAccuracy:
    """The training accuracy of each target over the last `window` batches, kept on the device.

    Source: the study's recipe, weights 1/accuracy over the last 1,000 batches.
    """

    def __init__(self, n_targets: int, window: int, device: torch.device) -> None:
        """Start with no batch seen."""
        self.right = torch.zeros(window, n_targets, device=device)
        self.weight = torch.zeros(window, device=device)
        self.n_seen = 0

    def add(self, right: Tensor, weight: Tensor) -> None:
        """Remember one batch: the weight of its correct rows per target, (n_targets,), and of all its rows, ()."""
        position = self.n_seen % len(self.weight)
        self.right[position], self.weight[position] = right, weight
        self.n_seen += 1

    def target_weights(self) -> Tensor:
        """Return the weight of each target in the next loss, (n_targets,), mean 1; all 1 before the first batch."""
        if self.n_seen == 0:
            return torch.ones_like(self.right[0])
        return inverse_accuracy(self.right.sum(0) / self.weight.sum())


def make_optimizer(model: MultiHead, settings: NeuralSettings) -> torch.optim.AdamW:
    """Build AdamW with a higher learning rate for the heads and no decay of biases and norms.

    Each group keeps its highest rate as `highest_lr`.
    """
    groups = []
    for factor, module in ((1.0, model.encoder), (settings.head_learning_rate_factor, model.heads)):
        rate = settings.learning_rate * factor
        for is_matrix, decay in ((True, settings.weight_decay), (False, 0.0)):
            # Biases and the scales of norms are the parameters with one dimension.
            chosen = [weights for weights in module.parameters() if (weights.ndim > 1) == is_matrix]
            groups.append({"params": chosen, "lr": rate, "highest_lr": rate, "weight_decay": decay})
    # Fused: one pass over memory per step. Most of an encoder is its word table, which other steps read many times.
    return torch.optim.AdamW(groups, fused=True)


def set_learning_rate(optimizer: torch.optim.Optimizer, step: int, n_steps: int, settings: NeuralSettings) -> None:
    """Set the rate of one step, counted from 0, of `n_steps` planned ones.

    The linear schedule rises over the warm-up, then falls to just above 0. The constant one stays at the highest rate
    after the warm-up. Steps beyond the plan, which smaller batches cause, keep its last rate.
    """
    step = min(step, n_steps - 1)
    n_warmup = int(n_steps * settings.warmup_share)
    if step < n_warmup:
        factor = (step + 1) / (n_warmup + 1)
    else:
        factor = 1.0 if settings.schedule == "constant" else (n_steps - step) / (n_steps - n_warmup)
    for group in optimizer.param_groups:
        group["lr"] = group["highest_lr"] * factor
