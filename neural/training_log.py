"""What each epoch of a training did, as the study tabulates it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class EpochLog:
    """What one epoch did."""

    epoch: int
    """Counted from 1."""
    train_loss: float
    """Mean over the batches, with dropout, each weighing as many rows as it has."""
    train_accuracy: dict[str, float]
    """Weighted share of right answers per target, with dropout, while the network learned."""
    valid_loss: float | None
    """None where there is nothing to validate on; so for the accuracies."""
    valid_accuracy: dict[str, float] | None
    """Weighted share of right answers per target."""
    target_weights: dict[str, float]
    """What each target counted in the loss at the end of the epoch, mean 1."""
    valid_target_weights: dict[str, float]
    """What each target counted in the validation loss, mean 1."""
    n_steps: int
    seconds: float
    """Wall time, validation included."""
    reviewed: bool = False
    """Whether the epoch passed over reviewed titles alone, and was validated on such where there were any."""

    @property
    def rank(self) -> tuple[float, float]:
        """The better epoch has the larger rank: mean accuracy first, then the lower loss."""
        if self.valid_accuracy is None or self.valid_loss is None:
            return (float(self.epoch), 0.0)  # nothing to choose by: the last epoch
        return (float(np.mean(list(self.valid_accuracy.values()))), -self.valid_loss)


def best_of(log: Sequence[EpochLog]) -> EpochLog:
    """Return the best epoch of a log that is not empty; the earliest of equally good ones."""
    return max(log, key=lambda entry: entry.rank)


def log_table(log: Sequence[EpochLog], best_epoch: int) -> str:
    """Return the log as Markdown: one row per epoch, training and validation side by side, the kept epoch marked.

    Args:
        log: of at least one epoch.
        best_epoch: the one whose weights were kept.
    """
    targets = list(log[0].train_accuracy)
    names = [f"{target} {part}" for target in targets for part in ("train", "valid", "weight")]
    header = ["epoch", *names, "loss train", "loss valid", "steps", "seconds"]
    lines = [f"| {' | '.join(header)} |", f"|{'---:|' * len(header)}"]
    for entry in log:
        marks = (" reviewed" if entry.reviewed else "", " (kept)" if entry.epoch == best_epoch else "")
        cells = [f"{entry.epoch}{''.join(marks)}"]
        for target in targets:
            valid = None if entry.valid_accuracy is None else entry.valid_accuracy[target]
            cells += [_share(entry.train_accuracy[target]), _share(valid), f"{entry.target_weights[target]:.3f}"]
        cells += [f"{entry.train_loss:.4f}", _share(entry.valid_loss), f"{entry.n_steps:,}", f"{entry.seconds:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
