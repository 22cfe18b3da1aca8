"""Fine-tuning: epochs of shuffled batches, of which the one that validates best is kept."""

import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from data_cleaning.errors import BadInput, Notice
from data_cleaning.progress import Progress, silent
from data_cleaning.titles import IntArray
from neural.batches import Examples, plan_batches, plan_random_batches
from neural.checkpoints import Checkpoints, EpochLog, best_of
from neural.devices import ProcessGroup, autocast, uses_bf16
from neural.network import MultiHead, predict_logits
from neural.neural_settings import NeuralSettings
from neural.optimization import (
    RecentAccuracy,
    correct_weights,
    inverse_accuracy,
    make_optimizer,
    set_learning_rate,
    target_losses,
    total_loss,
)
from neural.used_words import UsedWords

_WIDTH_STEP = 8
"""Compiled steps pad titles to multiples of so many tokens: 8 shapes in all at 64 tokens."""

_MAX_REPEATS = 10
"""Passes over small data, unless the settings ask for more; the study's recipe makes as many over all of its data."""
_OTHER_SPELLINGS = 0.5
"""Share of the rows of an epoch whose title is read in another spelling."""


@dataclass
class _Position:
    """Where a training is, as plain values that a checkpoint keeps."""

    sampler: Mapping[str, Any]
    """State of the random generator of batches at the start of the epoch."""
    epoch: int = 1
    batch: int = 0
    """Batches of the epoch that are done."""
    steps: int = 0
    """Steps of the whole training that are done; a batch that was halved takes several."""
    epoch_steps: int = 0
    loss_sum: float = 0.0
    n_done: int = 0
    seconds: float = 0.0
    """Wall time of the epoch, in earlier processes too."""
    halvings: int = 0
    """How often the batches were halved because memory ran out."""
    log: list[EpochLog] = field(default_factory=list)
    stopped: bool = False


@dataclass
class Trainer:
    """One training of one network, which `run` fine-tunes in place."""

    model: MultiHead
    """On the device to train on."""
    train_rows: Examples
    valid_rows: Examples | None
    """What to choose the epoch by; None keeps the last."""
    settings: NeuralSettings
    rng: np.random.Generator
    """Draws the order of the rows. Dropout draws from torch's global generator, which the caller seeds."""
    on_progress: Progress = silent
    """Told of the titles done in each epoch."""
    checkpoints: Checkpoints | None = None
    """Where the training is saved and resumes from; None keeps no checkpoints."""
    processes: ProcessGroup = field(default_factory=ProcessGroup)
    """Those that train together."""
    seed: int = 0
    """Of the dropout, in a group of several processes."""

    def __post_init__(self) -> None:
        settings = self.settings
        self.device = next(self.model.parameters()).device
        self._words = UsedWords.of(self.model.encoder, self.train_rows, self.valid_rows)
        self.train_rows = self._words.renumbered(self.train_rows)
        self.valid_rows = self.valid_rows and self._words.renumbered(self.valid_rows)
        self.targets = list(self.train_rows.labels)
        self.width = settings.max_tokens if settings.pad_to_max else None
        self._lengths = self.train_rows.titles.lengths  # (n_rows,), as batches are planned
        if settings.compiled:
            self._lengths = np.minimum(-(-self._lengths // _WIDTH_STEP) * _WIDTH_STEP, settings.max_tokens)
        self.recent = RecentAccuracy(len(self.targets), settings.accuracy_window, self.device)
        self.right = torch.zeros(len(self.targets), device=self.device)  # (n_targets,), of the epoch so far
        self.weight = torch.zeros((), device=self.device)  # (), of the epoch so far
        self.at = _Position(sampler=self.rng.bit_generator.state)
        # Planned from the first epoch, so that it is the same after a kill; with resampling or several spellings,
        # epochs may have a few batches more or fewer.
        n_batches = len(self._plan())
        repeats = math.ceil(settings.min_steps / n_batches)
        self.n_epochs = max(settings.epochs, min(repeats, _MAX_REPEATS))
        self.n_steps = n_batches * self.n_epochs
        self.best: dict[str, Tensor] = {}
        self.saved_at = time.monotonic()

    def run(self) -> tuple[list[EpochLog], EpochLog]:
        """Fine-tune the network and leave the weights of its best epoch in it.

        Returns:
            The log of every epoch, and that of the epoch that was kept.

        Raises:
            BadInput: the loss is no longer a number, or the checkpoint is of another training.
        """
        with self._words.alone_in(self.model.encoder):
            return self._run()

    def _run(self) -> tuple[list[EpochLog], EpochLog]:
        self.optimizer = make_optimizer(self.model, self.settings)
        self._resume()
        wrapped: Callable[..., Any] = self.processes.wrap(self.model, self.device)
        cannot_compile: tuple[type[Exception], ...] = ()
        if self.settings.compiled:
            from torch._dynamo.exc import TorchDynamoException  # takes a second that other trainings should not pay

            cannot_compile = (TorchDynamoException,)
            # On a GPU, the kernels of each shape are captured as one CUDA graph, which a step starts at once.
            mode = "reduce-overhead" if self.device.type == "cuda" else None
            wrapped = torch.compile(wrapped, dynamic=False, mode=mode)
        while self.at.epoch <= self.n_epochs and not self.at.stopped:
            try:
                self._train_epoch(wrapped)
            except cannot_compile as error:
                raise BadInput(
                    f"This machine cannot compile the steps ({str(error).splitlines()[0]}). Set compiled to false."
                ) from error
        self.model.load_state_dict(self.best)
        self.model.eval()
        return self.at.log, best_of(self.at.log)

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
            if self.processes.is_main:
                self.on_progress(f"neural epoch {at.epoch}/{self.n_epochs}", at.n_done, len(self.train_rows))
            if time.monotonic() - self.saved_at >= 60 * self.settings.checkpoint_minutes:
                self._save()
        self._finish_epoch(earlier, began)
        self._save()

    def _finish_epoch(self, earlier: float, began: float) -> None:
        """Validate, log, keep the network if it is the best so far, and begin the next epoch."""
        at = self.at
        accuracies = self.right / self.weight  # (n_targets,)
        weights = inverse_accuracy(accuracies) if self._by_accuracy else None
        valid_loss, valid_accuracy = None, None
        if self.valid_rows is not None:
            cpu_weights = None if weights is None else weights.cpu()
            valid_loss, valid_accuracy = evaluate(self.model, self.valid_rows, self.settings.precision, cpu_weights)
        entry = EpochLog(
            epoch=at.epoch,
            train_loss=at.loss_sum / at.n_done,
            train_accuracy=self._named(accuracies),
            valid_loss=valid_loss,
            valid_accuracy=valid_accuracy,
            target_weights=self._named(self._target_weights()),
            valid_target_weights=self._named(torch.ones_like(accuracies) if weights is None else weights),
            n_steps=at.epoch_steps,
            seconds=earlier + time.perf_counter() - began,
        )
        at.log.append(entry)
        if best_of(at.log) is entry:
            self.best = {name: values.detach().cpu().clone() for name, values in self.model.state_dict().items()}
            if self.checkpoints and self.processes.is_main:
                self.checkpoints.save_best(self.best, at.epoch)
        stop = self.settings.stop_accuracy
        at.stopped = stop is not None and float(accuracies.min()) >= stop
        at.epoch, at.batch, at.epoch_steps, at.loss_sum, at.n_done, at.seconds = at.epoch + 1, 0, 0, 0.0, 0, 0.0
        at.sampler = self.rng.bit_generator.state
        self.right.zero_()
        self.weight.zero_()

    def _plan(self) -> list[IntArray]:
        """Draw the batches of the epoch; a resumed epoch gets the same ones again."""
        self.rng.bit_generator.state = self.at.sampler
        n_rows, n_spellings = len(self.train_rows), self.train_rows.n_spellings
        rows = np.arange(n_rows)
        if self.train_rows.draws is not None:
            rows = self.rng.choice(n_rows, n_rows, p=self.train_rows.draws)
        if n_spellings > 1:
            is_other = self.rng.random(n_rows) < _OTHER_SPELLINGS  # (n_rows,)
            rows = rows + n_rows * is_other * self.rng.integers(1, n_spellings, size=n_rows)
        if self.settings.batching == "random":
            batches = plan_random_batches(len(rows), self.settings.titles_per_batch, self.rng)
        else:
            batches = plan_batches(self._lengths[rows], self.settings.max_tokens_per_batch, self.rng)
        return [rows[batch] for batch in batches]

    def _learn(self, wrapped: Callable[..., Any], rows: IntArray) -> None:
        """Learn from one batch; when memory runs out, halve it and every batch after it."""
        done = 0
        while done < len(rows):
            left = rows[done:]
            smaller_batches = np.array_split(left, min(2**self.at.halvings, len(left)))
            try:
                for batch in smaller_batches:
                    self._take_step(wrapped, batch)
                    done += len(batch)
            except torch.OutOfMemoryError:
                if len(smaller_batches[0]) == 1 or self.processes.size > 1:
                    raise
                self.optimizer.zero_grad()
                if self.device.type == "cuda":
                    torch.cuda.empty_cache()
                self.at.halvings += 1
                n_tokens = self.settings.max_tokens_per_batch >> self.at.halvings
                warnings.warn(
                    f"The device ran out of memory; continuing with batches of half the size ({n_tokens} tokens).",
                    Notice,
                    stacklevel=2,
                )

    def _take_step(self, wrapped: Callable[..., Any], rows: IntArray) -> None:
        """Learn from some rows, each process from its own share of them; a loss that is not a number is `BadInput`."""
        at = self.at
        own = self.processes.shard(rows)
        # A process without rows of its own takes one of weight 0, because all have to take the step.
        taken, factor = (own, 1.0) if len(own) else (rows[:1], 0.0)
        weight = factor * self.train_rows.weights[taken].sum()
        total = self.processes.sum(torch.tensor(weight, dtype=torch.float32, device=self.device))  # ()
        self.model.train()
        self.processes.seed(self.seed, at.steps)
        self.optimizer.zero_grad()
        loss = torch.zeros((), device=self.device)
        right = torch.zeros_like(self.right)  # (n_targets,)
        for chunk in self._chunks(taken):
            batch = self.train_rows.batch(chunk, self.device, *self._shape(chunk))
            weights = batch.weights * factor  # (n_chunk,)
            with autocast(self.device, uses_bf16(self.settings.precision, self.device)):
                logits = wrapped(batch.ids, batch.mask)  # target -> (n_chunk, n_classes)
            # Gradients are averaged over the processes, so each process's loss is scaled up by their number.
            losses = target_losses(logits, batch.loss_labels, weights * self.processes.size, total)
            chunk_loss = total_loss(losses, self._target_weights() if self._by_accuracy else None)  # ()
            chunk_loss.backward()
            loss += chunk_loss.detach()
            right += correct_weights(logits, batch.labels, weights)
        value = float(self.processes.sum(loss)) / self.processes.size
        if not np.isfinite(value):
            raise self._diverged(value, rows)
        set_learning_rate(self.optimizer, at.steps, self.n_steps, self.settings)
        if self.settings.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip_norm)
        self.optimizer.step()
        right = self.processes.sum(right)  # (n_targets,)
        self.right += right
        self.weight += total
        self.recent.add(right, total)
        at.steps += 1
        at.epoch_steps += 1
        at.loss_sum += value * len(rows)

    def _chunks(self, rows: IntArray) -> list[IntArray]:
        """Split a random batch into chunks of about equal length, whose gradients add up to that of the batch.

        Long titles then only widen their own chunk. On a GPU padding costs less than small chunks would; the processes
        of a group would have different numbers of chunks; and a batch by length is even already.
        """
        if not self._in_chunks:
            return [rows]
        return [rows[chunk] for chunk in plan_batches(self._lengths[rows], self.settings.max_tokens_per_batch)]

    @property
    def _in_chunks(self) -> bool:
        alone_on_cpu = self.device.type == "cpu" and self.processes.size == 1
        return self.settings.batching == "random" and self.width is None and alone_on_cpu

    def _shape(self, rows: IntArray) -> tuple[int | None, int | None]:
        """Return to how many tokens and rows a batch is padded; compiled steps need few and fixed shapes."""
        if not self.settings.compiled:
            return self.width, None
        width = self.width or int(self._lengths[rows].max())
        n_rows = self.settings.max_tokens_per_batch // width
        if self.settings.batching == "random" and not self._in_chunks:
            n_rows = self.settings.titles_per_batch
        n_rows = math.ceil((n_rows >> self.at.halvings) / self.processes.size)
        return width, max(n_rows, len(rows))

    @property
    def _by_accuracy(self) -> bool:
        return self.settings.target_weights == "inverse-accuracy"

    def _target_weights(self) -> Tensor:
        """Return the weight of each target in the loss now, (n_targets,), mean 1."""
        return self.recent.target_weights() if self._by_accuracy else torch.ones_like(self.right)

    def _named(self, values: Tensor) -> dict[str, float]:
        return dict(zip(self.targets, values.tolist(), strict=True))

    def _diverged(self, loss: float, rows: IntArray) -> BadInput:
        """Save the batch, if there is a folder for it, and build the error."""
        saved = ""
        if self.checkpoints is not None:
            starts = self.train_rows.titles.offsets
            facts = {
                "epoch": self.at.epoch,
                "batch": self.at.batch,
                "loss": str(loss),
                "rows": rows.tolist(),
                "token_ids": [
                    self._words.ids[self.train_rows.titles.ids[starts[row] : starts[row + 1]]].tolist() for row in rows
                ],
                "labels": {target: codes[rows].tolist() for target, codes in self.train_rows.labels.items()},
                "weights": self.train_rows.weights[rows].tolist(),
            }
            saved = f" The batch is in {self.checkpoints.save_batch(facts)}."
        return BadInput(
            f"Training diverged in epoch {self.at.epoch} after {self.at.n_done:,} titles: the loss is {loss}.{saved} "
            f"Lower learning_rate (now {self.settings.learning_rate:g}) or set precision to 'fp32'."
        )

    def _save(self) -> None:
        """Write a checkpoint, if there is a folder for it."""
        self.saved_at = time.monotonic()
        if self.checkpoints is None or not self.processes.is_main:
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
        self.checkpoints.save({name: values.clone().contiguous() for name, values in tensors.items()}, facts)

    def _resume(self) -> None:
        """Continue from the checkpoint, if there is one."""
        found = self.checkpoints.load() if self.checkpoints else None
        if found is None or self.checkpoints is None:
            return
        tensors, facts = found
        position = facts["position"]
        self.at = _Position(**{**position, "log": [EpochLog(**entry) for entry in position["log"]]})
        self.recent.n_seen = facts["batches_seen"]
        self.model.load_state_dict(_under("model.", tensors))
        state: dict[int, dict[str, Tensor]] = {}
        for name, values in _under("optimizer.", tensors).items():
            number, _, key = name.partition(".")
            state.setdefault(int(number), {})[key] = values
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
            self.best = self.checkpoints.load_best(best_of(self.at.log).epoch)


def evaluate(
    model: MultiHead, examples: Examples, precision: str, target_weights: Tensor | None = None
) -> tuple[float, dict[str, float]]:
    """Return the loss, in nats, and the weighted accuracy of each target, in [0, 1], without dropout."""
    logits = predict_logits(model, examples.titles, precision)  # target -> (n_rows, n_classes)
    weights = torch.from_numpy(examples.weights)  # (n_rows,)
    labels = examples.on(torch.device("cpu")).labels
    loss = total_loss(target_losses(logits, labels, weights), target_weights)  # ()
    known = torch.stack([((codes >= 0) * weights).sum() for codes in labels.values()])  # (n_targets,)
    right = correct_weights(logits, labels, weights) / known.clamp(min=torch.finfo(known.dtype).tiny)  # (n_targets,)
    return float(loss), dict(zip(examples.labels, right.tolist(), strict=True))


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose name begins with a prefix, under the rest of their name."""
    return {name.removeprefix(prefix): values for name, values in tensors.items() if name.startswith(prefix)}
