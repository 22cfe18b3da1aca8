"""The loss: cross-entropy per target, weighted by row, then averaged over the targets by how hard each one is."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

LEAST_ACCURACY = 0.05
"""Accuracies are clamped here, so that a target that nothing is known of cannot take the whole loss."""


def target_losses(
    logits: Mapping[str, Tensor], labels: Mapping[str, Tensor], row_weights: Tensor, total_weight: Tensor | None = None
) -> dict[str, Tensor]:
    """Average the cross-entropy of each target over the rows, in nats; scalars.

    Args:
        logits: target to (batch, n_classes).
        labels: target to class positions, (batch,), or to what each class counts, (batch, n_classes).
        row_weights: what each row counts in the average, (batch,); only the ratios matter.
        total_weight: what the rows of the whole batch weigh where these are a part of it; None where they are all.
    """
    share = row_weights / (row_weights.sum() if total_weight is None else total_weight)  # (batch,)
    return {
        target: (cross_entropy(rows, labels[target], reduction="none") * share).sum()  # ()
        for target, rows in logits.items()
    }


def total_loss(losses: Mapping[str, Tensor], target_weights: Tensor | None = None) -> Tensor:
    """Average the losses of the targets; a scalar.

    Args:
        losses: target to a scalar.
        target_weights: what each target counts in the average, (n_targets,), in the order of the losses; only the
            ratios matter. None counts all the same.
    """
    stacked = torch.stack(list(losses.values()))  # (n_targets,)
    if target_weights is None:
        return stacked.mean()  # ()
    return (stacked * target_weights).sum() / target_weights.sum()  # ()


def right_answers(logits: Mapping[str, Tensor], labels: Mapping[str, Tensor], row_weights: Tensor) -> Tensor:
    """Return what the rows answered rightly weigh together, per target, (n_targets,)."""
    with torch.no_grad():
        right = [((rows.argmax(1) == labels[target]) * row_weights).sum() for target, rows in logits.items()]
    return torch.stack(right)


def inverse_accuracy(accuracies: Tensor) -> Tensor:
    """Return 1/accuracy of each target, (n_targets,), clamped and with mean 1."""
    weights = 1 / accuracies.clamp(LEAST_ACCURACY, 1.0)  # (n_targets,)
    return weights / weights.mean()


class RecentAccuracy:
    """The training accuracy of each target over the last batches, kept on the device.

    Source: the study's recipe, weights 1/accuracy over the last 1,000 batches.
    """

    def __init__(self, n_targets: int, window: int, device: torch.device) -> None:
        """Start with no batch seen.

        Args:
            n_targets: number of targets.
            window: batches to remember.
            device: to keep them on.
        """
        self.right = torch.zeros(window, n_targets, device=device)
        self.weight = torch.zeros(window, device=device)
        self.n_seen = 0

    def add(self, right: Tensor, weight: Tensor) -> None:
        """Remember one batch: what its right answers weigh per target, (n_targets,), and what its rows weigh, ()."""
        place = self.n_seen % len(self.weight)
        self.right[place], self.weight[place] = right, weight
        self.n_seen += 1

    def target_weights(self) -> Tensor:
        """Return what each target counts in the next loss, (n_targets,), mean 1; all 1 before the first batch."""
        if self.n_seen == 0:
            return torch.ones_like(self.right[0])
        return inverse_accuracy(self.right.sum(0) / self.weight.sum())
