"""Fine-tuning: epochs of shuffled batches, and the epoch that validates best is kept."""

import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from data_cleaning.errors import BadInput
from data_cleaning.progress import Progress, silent
from data_cleaning.titles import IntArray
from neural.batches import halves, plan_batches, plan_random_batches
from neural.checkpoints import Checkpoints, Snapshot
from neural.devices import autocast, uses_bf16
from neural.distributed import Team
from neural.examples import Examples
from neural.inference import predict_logits
from neural.multihead import MultiHead
from neural.neural_settings import NeuralSettings
from neural.objective import RecentAccuracy, inverse_accuracy, right_answers, target_losses, total_loss
from neural.optimization import make_optimizer, set_learning_rate
from neural.training_log import EpochLog, best_of

_WIDTH_STEP = 8
"""Compiled steps pad titles to multiples of so many tokens: 8 shapes in all at 64 tokens."""

_MOST_REPEATS = 10
"""Passes over small data, unless the settings ask for more; the study's recipe makes as many over all of its."""


@dataclass
class _Position:
    """Where a training is; plain values that a checkpoint keeps."""

    sampler: Mapping[str, Any]
    """State of the draw of batches at the start of the epoch."""
    epoch: int = 1
    batch: int = 0
    """Batches of the epoch that are done."""
    steps: int = 0
    """Steps of the whole training that are done, smaller batches counted one by one."""
    epoch_steps: int = 0
    loss_sum: float = 0.0
    n_done: int = 0
    seconds: float = 0.0
    """Wall time of the epoch in earlier processes."""
    halvings: int = 0
    """How often the batches were halved for want of memory."""
    log: list[dict[str, Any]] = field(default_factory=list)
    stopped: bool = False


def train(
    model: MultiHead,
    train_rows: Examples,
    valid_rows: Examples | None,
    settings: NeuralSettings,
    rng: np.random.Generator,
    *,
    on_progress: Progress = silent,
    checkpoints: Checkpoints | None = None,
    team: Team | None = None,
    seed: int = 0,
) -> tuple[list[EpochLog], EpochLog]:
    """Fine-tune a network in place and leave the weights of its best epoch in it.

    Args:
        model: on the device to train on.
        train_rows: what to learn from.
        valid_rows: what to choose the epoch by; None keeps the last.
        settings: how to train.
        rng: draws the order of the rows. Dropout draws from torch's global generator, which the caller seeds.
        on_progress: told of the titles done in each epoch.
        checkpoints: where the training is kept and goes on from; None keeps none.
        team: the processes that train together; None is this one alone.
        seed: of the dropout, in a team of several.

    Returns:
        The log of every epoch, and that of the epoch that was kept.

    Raises:
        BadInput: the loss stopped being a number, or the checkpoint is of another training.
    """
    trainer = _Trainer(model, train_rows, valid_rows, settings, rng, on_progress, checkpoints, team or Team(), seed)
    return trainer.run()


class _Trainer:
    """One training: the network, where it is, and what it remembers."""

    def __init__(
        self,
        model: MultiHead,
        train_rows: Examples,
        valid_rows: Examples | None,
        settings: NeuralSettings,
        rng: np.random.Generator,
        on_progress: Progress,
        checkpoints: Checkpoints | None,
        team: Team,
        seed: int,
    ) -> None:
        self.model, self.train_rows, self.valid_rows = model, train_rows, valid_rows
        self.settings, self.rng, self.on_progress = settings, rng, on_progress
        self.checkpoints, self.team, self.seed = checkpoints, team, seed
        self.device = next(model.parameters()).device
        self.targets = list(train_rows.labels)
        self.width = settings.max_tokens if settings.pad_to_max else None
        self._lengths = train_rows.titles.lengths  # (n_rows,), as batches are planned
        if settings.compiled:
            self._lengths = np.minimum(-(-self._lengths // _WIDTH_STEP) * _WIDTH_STEP, settings.max_tokens)
        self.optimizer = make_optimizer(model, settings)
        self.recent = RecentAccuracy(len(self.targets), settings.accuracy_window, self.device)
        self.right = torch.zeros(len(self.targets), device=self.device)  # (n_targets,), of the epoch so far
        self.weight = torch.zeros((), device=self.device)  # (), of the epoch so far
        self.at = _Position(sampler=rng.bit_generator.state)
        # Planned from the first epoch, the same after a kill; rows that are drawn make a few batches more or fewer.
        n_batches = len(self._plan())
        repeats = math.ceil(settings.least_steps / n_batches)
        self.n_epochs = max(settings.epochs, min(repeats, _MOST_REPEATS))
        self.n_steps = n_batches * self.n_epochs
        self.best: dict[str, Tensor] = {}
        self.saved_at = time.monotonic()

    def run(self) -> tuple[list[EpochLog], EpochLog]:
        self._resume()
        wrapped: Callable[..., Any] = self.team.wrap(self.model, self.device)
        cannot_compile: tuple[type[Exception], ...] = ()
        if self.settings.compiled:
            from torch._dynamo.exc import TorchDynamoException  # takes a second that other trainings need not wait

            cannot_compile = (TorchDynamoException,)
            # On a GPU, each shape's kernels are captured as one CUDA graph, which a step starts at once.
            mode = "reduce-overhead" if self.device.type == "cuda" else None
            wrapped = torch.compile(wrapped, dynamic=False, mode=mode)
        while self.at.epoch <= self.n_epochs and not self.at.stopped:
            try:
                self._train_epoch(wrapped)
            except cannot_compile as error:
                raise BadInput(
                    f"This machine cannot compile the steps ({str(error).splitlines()[0]}). Set compiled to false."
                ) from error
        log = [EpochLog(**entry) for entry in self.at.log]
        kept = best_of(log)
        self.model.load_state_dict(self.best)
        self.model.eval()
        return log, kept

    def _train_epoch(self, wrapped: Callable[..., Any]) -> None:
        """Learn from every batch of one epoch that is not done yet, validate, and log."""
        at, began = self.at, time.perf_counter()
        earlier = at.seconds
        batches = self._plan()
        for rows in batches[at.batch :]:
            self._learn(wrapped, rows)
            at.batch += 1
            at.n_done += len(rows)
            at.seconds = earlier + time.perf_counter() - began
            if self.team.leads:
                self.on_progress(f"neural epoch {at.epoch}/{self.n_epochs}", at.n_done, len(self.train_rows.titles))
            if time.monotonic() - self.saved_at >= 60 * self.settings.checkpoint_minutes:
                self._save()
        self._finish_epoch(earlier, began)
        self._save()

    def _finish_epoch(self, earlier: float, began: float) -> None:
        """Validate, log, keep the network where it is the best so far, and begin the next epoch."""
        at = self.at
        accuracies = self.right / self.weight  # (n_targets,)
        valid_weights = inverse_accuracy(accuracies) if self._by_accuracy else torch.ones_like(accuracies)
        valid_loss, valid_accuracy = None, None
        if self.valid_rows is not None:
            valid_loss, valid_accuracy = evaluate(
                self.model, self.valid_rows, self.settings.precision, valid_weights.cpu() if self._by_accuracy else None
            )
        entry = EpochLog(
            epoch=at.epoch,
            train_loss=at.loss_sum / at.n_done,
            train_accuracy=self._named(accuracies),
            valid_loss=valid_loss,
            valid_accuracy=valid_accuracy,
            target_weights=self._named(self._target_weights()),
            valid_target_weights=self._named(valid_weights),
            n_steps=at.epoch_steps,
            seconds=earlier + time.perf_counter() - began,
        )
        at.log.append(asdict(entry))
        if best_of([EpochLog(**logged) for logged in at.log]) == entry:
            self.best = {name: values.detach().cpu().clone() for name, values in self.model.state_dict().items()}
            if self.checkpoints and self.team.leads:
                self.checkpoints.save_best(self.best, at.epoch)
        stop = self.settings.stop_accuracy
        at.stopped = stop is not None and float(accuracies.min()) >= stop
        at.epoch, at.batch, at.epoch_steps, at.loss_sum, at.n_done, at.seconds = at.epoch + 1, 0, 0, 0.0, 0, 0.0
        at.sampler = self.rng.bit_generator.state
        self.right.zero_()
        self.weight.zero_()

    def _plan(self) -> list[IntArray]:
        """Draw the batches of the epoch; the same ones again where an epoch is gone on with."""
        self.rng.bit_generator.state = self.at.sampler
        lengths = self._lengths  # (n_rows,)
        rows = np.arange(len(lengths))
        if self.train_rows.draws is not None:
            rows = self.rng.choice(len(lengths), len(lengths), p=self.train_rows.draws)
        if self.settings.batching == "random":
            batches = plan_random_batches(len(rows), self.settings.titles_per_batch, self.rng)
        else:
            batches = plan_batches(lengths[rows], self.settings.max_tokens_per_batch, self.rng)
        return [rows[batch] for batch in batches]

    def _learn(self, wrapped: Callable[..., Any], rows: IntArray) -> None:
        """Learn from one batch; where memory runs out, from halves of it and of every batch after it."""
        done = 0
        while done < len(rows):
            parts = halves(rows[done:], self.at.halvings)
            try:
                for part in parts:
                    self._take_step(wrapped, part)
                    done += len(part)
            except torch.OutOfMemoryError:
                if len(parts[0]) == 1 or self.team.size > 1:
                    raise
                self.optimizer.zero_grad()
                if self.device.type == "cuda":
                    torch.cuda.empty_cache()
                self.at.halvings += 1
                smaller = self.settings.max_tokens_per_batch >> self.at.halvings
                warnings.warn(
                    f"The device ran out of memory; going on with batches of half the size ({smaller} tokens).",
                    RuntimeWarning,
                    stacklevel=2,
                )

    def _take_step(self, wrapped: Callable[..., Any], rows: IntArray) -> None:
        """Learn from some rows, each process from its own part of them.

        Raises:
            BadInput: the loss is no number; nothing was learned from it.
        """
        at = self.at
        own = self.team.part_of(rows)
        # A process without rows of its own takes one that weighs nothing, since all have to take the step.
        taken, share = (own, 1.0) if len(own) else (rows[:1], 0.0)
        mass = torch.tensor(share * self.train_rows.weights[taken].sum(), dtype=torch.float32, device=self.device)  # ()
        total = self.team.summed(mass)  # ()
        self.model.train()
        self.team.seed(self.seed, at.steps)
        self.optimizer.zero_grad()
        loss = torch.zeros((), device=self.device)
        right = torch.zeros_like(self.right)  # (n_targets,)
        for part in self._parts(taken):
            batch = self.train_rows.batch(part, self.device, *self._shape(part))
            weights = batch.weights * share  # (n_part,)
            with autocast(self.device, uses_bf16(self.settings.precision, self.device)):
                logits = wrapped(batch.ids, batch.mask)  # target -> (n_part, n_classes)
            # Gradients are averaged over the team, so each part of the mean is worth the team's size.
            losses = target_losses(logits, batch.against, weights * self.team.size, total)
            part_loss = total_loss(losses, self._target_weights() if self._by_accuracy else None)  # ()
            part_loss.backward()
            loss += part_loss.detach()
            right += right_answers(logits, batch.labels, weights)
        value = float(self.team.summed(loss)) / self.team.size
        if not np.isfinite(value):
            raise self._came_apart(value, rows)
        set_learning_rate(self.optimizer, at.steps, self.n_steps, self.settings)
        if self.settings.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip_norm)
        self.optimizer.step()
        right = self.team.summed(right)  # (n_targets,)
        self.right += right
        self.weight += total
        self.recent.add(right, total)
        at.steps += 1
        at.epoch_steps += 1
        at.loss_sum += value * len(rows)

    def _parts(self, rows: IntArray) -> list[IntArray]:
        """Split a random batch into parts of about equal length, whose gradients add up to that of the batch.

        Long titles then widen none but their own part. A GPU has room for the padding and would wait for small parts;
        the processes of a team would have different numbers of parts, and a batch by length is even already.
        """
        if not self._in_parts:
            return [rows]
        return [rows[part] for part in plan_batches(self._lengths[rows], self.settings.max_tokens_per_batch)]

    @property
    def _in_parts(self) -> bool:
        alone_on_cpu = self.device.type == "cpu" and self.team.size == 1
        return self.settings.batching == "random" and self.width is None and alone_on_cpu

    def _shape(self, rows: IntArray) -> tuple[int | None, int | None]:
        """Return to how many tokens and rows a batch is padded; compiled steps are for few and fixed shapes."""
        if not self.settings.compiled:
            return self.width, None
        width = self.width or int(self._lengths[rows].max())
        n_rows = self.settings.max_tokens_per_batch // width
        if self.settings.batching == "random" and not self._in_parts:
            n_rows = self.settings.titles_per_batch
        n_rows = math.ceil((n_rows >> self.at.halvings) / self.team.size)
        return width, max(n_rows, len(rows))

    @property
    def _by_accuracy(self) -> bool:
        return self.settings.target_weights == "inverse-accuracy"

    def _target_weights(self) -> Tensor:
        """Return what each target counts in the loss now, (n_targets,), mean 1."""
        return self.recent.target_weights() if self._by_accuracy else torch.ones_like(self.right)

    def _named(self, values: Tensor) -> dict[str, float]:
        return dict(zip(self.targets, values.tolist(), strict=True))

    def _came_apart(self, loss: float, rows: IntArray) -> BadInput:
        """Save the batch, where there is a place for it, and word the way out."""
        saved = ""
        if self.checkpoints is not None:
            starts = self.train_rows.titles.offsets
            facts = {
                "epoch": self.at.epoch,
                "batch": self.at.batch,
                "loss": str(loss),
                "rows": rows.tolist(),
                "token_ids": [self.train_rows.titles.ids[starts[row] : starts[row + 1]].tolist() for row in rows],
                "labels": {target: codes[rows].tolist() for target, codes in self.train_rows.labels.items()},
                "weights": self.train_rows.weights[rows].tolist(),
            }
            saved = f" The batch is in {self.checkpoints.save_batch(facts)}."
        return BadInput(
            f"Training came apart in epoch {self.at.epoch} after {self.at.n_done:,} titles: the loss is {loss}.{saved} "
            f"Lower learning_rate (now {self.settings.learning_rate:g}) or set precision to 'fp32'."
        )

    def _save(self) -> None:
        """Write a checkpoint, where there is a place for it."""
        self.saved_at = time.monotonic()
        if self.checkpoints is None or not self.team.leads:
            return
        tensors = {f"model.{name}": values.detach().cpu() for name, values in self.model.state_dict().items()}
        state = self.optimizer.state_dict()
        for position, values in state["state"].items():
            tensors |= {f"optimizer.{position}.{name}": tensor.cpu() for name, tensor in values.items()}
        tensors |= {
            "random.cpu": torch.get_rng_state(),
            "objective.right": self.recent.right.cpu(),
            "objective.weight": self.recent.weight.cpu(),
            "epoch.right": self.right.cpu(),
            "epoch.weight": self.weight.cpu(),
        }
        if self.device.type == "cuda":
            tensors["random.cuda"] = torch.cuda.get_rng_state(self.device)
        facts = {"position": asdict(self.at), "batches_seen": self.recent.n_seen}
        # Tensors may share memory, such as tied weights, which safetensors refuses.
        self.checkpoints.save(Snapshot({name: values.clone().contiguous() for name, values in tensors.items()}, facts))

    def _resume(self) -> None:
        """Go on where the checkpoint is, if there is one."""
        found = self.checkpoints.load() if self.checkpoints else None
        if found is None or self.checkpoints is None:
            return
        self.at = _Position(**found.facts["position"])
        self.recent.n_seen = found.facts["batches_seen"]
        tensors = found.tensors
        self.model.load_state_dict(_under("model.", tensors))
        state: dict[int, dict[str, Tensor]] = {}
        for name, values in _under("optimizer.", tensors).items():
            position, _, key = name.partition(".")
            state.setdefault(int(position), {})[key] = values
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
        self.recent.right = tensors["objective.right"].to(self.device)
        self.recent.weight = tensors["objective.weight"].to(self.device)
        self.right = tensors["epoch.right"].to(self.device)
        self.weight = tensors["epoch.weight"].to(self.device)
        torch.set_rng_state(tensors["random.cpu"])
        if "random.cuda" in tensors and self.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["random.cuda"], self.device)
        if self.at.log:
            self.best = self.checkpoints.load_best(best_of([EpochLog(**entry) for entry in self.at.log]).epoch)


def evaluate(
    model: MultiHead, examples: Examples, precision: str, target_weights: Tensor | None = None
) -> tuple[float, dict[str, float]]:
    """Return the loss, in nats, and the weighted accuracy of each target, in [0, 1], without dropout."""
    logits = predict_logits(model, examples.titles, precision)  # target -> (n_rows, n_classes)
    weights = torch.from_numpy(examples.weights)  # (n_rows,)
    labels = examples.on(torch.device("cpu")).labels
    loss = total_loss(target_losses(logits, labels, weights), target_weights)  # ()
    right = right_answers(logits, labels, weights) / weights.sum()  # (n_targets,)
    return float(loss), dict(zip(examples.labels, right.tolist(), strict=True))


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose name begins with a prefix, under the rest of their name."""
    return {name.removeprefix(prefix): values for name, values in tensors.items() if name.startswith(prefix)}
