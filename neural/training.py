"""Fine-tuning: epochs of shuffled batches, and the epoch that validates best is kept."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from data_cleaning.errors import BadInput
from data_cleaning.progress import Progress, silent
from data_cleaning.titles import IntArray
from neural.batches import TokenizedTitles, plan_batches
from neural.devices import autocast, uses_bf16
from neural.inference import predict_logits
from neural.multihead import MultiHead
from neural.objective import target_losses, total_loss
from neural.settings import NeuralSettings


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Tokenised titles with their labels and weights, all of length n_rows."""

    titles: TokenizedTitles
    labels: Mapping[str, IntArray]
    """Target to class positions, each (n_rows,)."""
    weights: npt.NDArray[np.float64]
    """What each row counts in loss and accuracy, (n_rows,)."""

    def batch(self, rows: IntArray, device: torch.device) -> tuple[Tensor, Tensor, dict[str, Tensor], Tensor]:
        """Return ids, mask, labels per target and weights of some rows, ready for the network."""
        ids, mask = self.titles.padded(rows, device)  # (n_rows, seq) each
        labels = {
            target: torch.from_numpy(codes[rows].astype(np.int64)).to(device)  # (n_rows,)
            for target, codes in self.labels.items()
        }
        weights = torch.from_numpy(self.weights[rows]).float().to(device)  # (n_rows,)
        return ids, mask, labels, weights


@dataclass(frozen=True, kw_only=True)
class EpochLog:
    """What one epoch did."""

    epoch: int
    """Counted from 1."""
    train_loss: float
    """Mean over the batches, with dropout, each weighing as many rows as it has."""
    valid_loss: float | None
    """None where there is nothing to validate on; so for the accuracies."""
    valid_accuracy: dict[str, float] | None
    """Weighted share of right answers per target."""
    n_steps: int
    seconds: float
    """Wall time, validation included."""

    @property
    def rank(self) -> tuple[float, float]:
        """The better epoch has the larger rank: mean accuracy first, then the lower loss."""
        if self.valid_accuracy is None or self.valid_loss is None:
            return (float(self.epoch), 0.0)  # nothing to choose by: the last epoch
        return (float(np.mean(list(self.valid_accuracy.values()))), -self.valid_loss)


def train(
    model: MultiHead,
    train_rows: Examples,
    valid_rows: Examples | None,
    settings: NeuralSettings,
    rng: np.random.Generator,
    target_weights: Mapping[str, float] | None = None,
    on_progress: Progress = silent,
) -> tuple[list[EpochLog], EpochLog]:
    """Fine-tune a network in place and leave the weights of its best epoch in it.

    Args:
        model: on the device to train on.
        train_rows: what to learn from.
        valid_rows: what to choose the epoch by; None keeps the last.
        settings: how to train.
        rng: draws the order of the rows. Dropout draws from torch's global generator, which the caller seeds.
        target_weights: what each target counts in the loss; None counts all the same.
        on_progress: told of the titles done in each epoch.

    Returns:
        The log of every epoch, and that of the epoch that was kept.

    Raises:
        BadInput: the loss stopped being a number.
    """
    lengths = train_rows.titles.lengths  # (n_rows,)
    optimizer = _make_optimizer(model, settings)
    n_steps = len(plan_batches(lengths, settings.max_tokens_per_batch))
    schedule = _make_schedule(optimizer, n_steps * settings.epochs, settings.warmup_share)
    log: list[EpochLog] = []
    best_state: dict[str, Tensor] = {}
    for epoch in range(1, settings.epochs + 1):
        began = time.perf_counter()
        loss_sum, n_done = 0.0, 0
        for rows in plan_batches(lengths, settings.max_tokens_per_batch, rng):
            loss = _take_step(model, train_rows, rows, optimizer, settings, target_weights)
            if not np.isfinite(loss):
                raise BadInput(
                    f"Training came apart in epoch {epoch} after {n_done:,} titles: the loss is {loss}. "
                    f"Lower learning_rate (now {settings.learning_rate:g}) or set precision to 'fp32'."
                )
            schedule.step()
            loss_sum += loss * len(rows)
            n_done += len(rows)
            on_progress(f"neural epoch {epoch}/{settings.epochs}", n_done, len(lengths))
        valid_loss, valid_accuracy = None, None
        if valid_rows is not None:
            valid_loss, valid_accuracy = evaluate(model, valid_rows, settings.precision, target_weights)
        log.append(
            EpochLog(
                epoch=epoch,
                train_loss=loss_sum / n_done,
                valid_loss=valid_loss,
                valid_accuracy=valid_accuracy,
                n_steps=n_steps,
                seconds=time.perf_counter() - began,
            )
        )
        best = max(log, key=lambda entry: entry.rank)
        if best is log[-1]:
            best_state = {name: values.detach().cpu().clone() for name, values in model.state_dict().items()}
    model.load_state_dict(best_state)
    model.eval()
    return log, best


def evaluate(
    model: MultiHead, examples: Examples, precision: str, target_weights: Mapping[str, float] | None = None
) -> tuple[float, dict[str, float]]:
    """Return the loss, in nats, and the weighted accuracy of each target, in [0, 1], without dropout."""
    logits = predict_logits(model, examples.titles, precision)  # target -> (n_rows, n_classes)
    weights = torch.from_numpy(examples.weights)  # (n_rows,)
    labels = {target: torch.from_numpy(codes.astype(np.int64)) for target, codes in examples.labels.items()}
    loss = total_loss(target_losses(logits, labels, weights), target_weights)  # ()
    share = weights / weights.sum()  # (n_rows,)
    accuracy = {
        target: float(((rows.argmax(1) == labels[target]) * share).sum())  # of (n_rows,)
        for target, rows in logits.items()
    }
    return float(loss), accuracy


def _take_step(
    model: MultiHead,
    examples: Examples,
    rows: IntArray,
    optimizer: torch.optim.Optimizer,
    settings: NeuralSettings,
    target_weights: Mapping[str, float] | None,
) -> float:
    """Learn from one batch and return its loss; a loss that is no number is returned and not learned from."""
    device = next(model.parameters()).device
    ids, mask, labels, weights = examples.batch(rows, device)
    model.train()
    with autocast(device, uses_bf16(settings.precision, device)):
        logits = model(ids, mask)  # target -> (n_rows, n_classes)
    loss = total_loss(target_losses(logits, labels, weights), target_weights)  # ()
    value = loss.item()
    if np.isfinite(value):
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
        optimizer.step()
    return value


def _make_optimizer(model: MultiHead, settings: NeuralSettings) -> torch.optim.AdamW:
    """Build AdamW with a faster rate for the heads and no decay of biases and norms."""
    groups = []
    for part, factor in ((model.encoder, 1.0), (model.heads, settings.head_learning_rate_factor)):
        for is_matrix, decay in ((True, settings.weight_decay), (False, 0.0)):
            # Biases and the scales of norms are the parameters with one dimension.
            chosen = [weights for weights in part.parameters() if (weights.ndim > 1) == is_matrix]
            groups.append({"params": chosen, "lr": settings.learning_rate * factor, "weight_decay": decay})
    # One pass over memory per step; most of an encoder is its word table, which an unfused step reads many times.
    return torch.optim.AdamW(groups, fused=True)


def _make_schedule(
    optimizer: torch.optim.Optimizer, n_steps: int, warmup_share: float
) -> torch.optim.lr_scheduler.LambdaLR:
    """Raise the learning rate in a line over the warm-up, then lower it in a line to just above 0."""
    n_warmup = int(n_steps * warmup_share)

    def factor(step: int) -> float:
        if step < n_warmup:
            return (step + 1) / (n_warmup + 1)
        return (n_steps - step) / (n_steps - n_warmup)

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
