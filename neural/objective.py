"""The loss: cross-entropy per target, weighted by row, then averaged over the targets."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def target_losses(logits: Mapping[str, Tensor], labels: Mapping[str, Tensor], row_weights: Tensor) -> dict[str, Tensor]:
    """Average the cross-entropy of each target over the rows, in nats; scalars.

    Args:
        logits: target to (batch, n_classes).
        labels: target to class positions, (batch,).
        row_weights: what each row counts in the average, (batch,); only the ratios matter.
    """
    share = row_weights / row_weights.sum()  # (batch,)
    return {
        target: (cross_entropy(rows, labels[target], reduction="none") * share).sum()  # ()
        for target, rows in logits.items()
    }


def total_loss(losses: Mapping[str, Tensor], target_weights: Mapping[str, float] | None = None) -> Tensor:
    """Average the losses of the targets; a scalar.

    Args:
        losses: target to a scalar.
        target_weights: what each target counts in the average, only the ratios matter; None counts all the same.
    """
    weights = {target: 1.0 if target_weights is None else target_weights[target] for target in losses}
    weighted = torch.stack([loss * weights[target] for target, loss in losses.items()])  # (n_targets,)
    return weighted.sum() / sum(weights.values())  # ()
