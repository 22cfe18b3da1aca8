"""What is kept of a training: the log of its epochs, and checkpoints from which a killed training resumes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from data_cleaning.errors import BadInput, read_json
from data_cleaning.files.whole_files import whole_file

_LATEST, _SUM = "latest.json", "sha256"
_REMEDY = "Remove the folder to start again."


@dataclass(frozen=True, kw_only=True)
class EpochLog:
    """What one epoch did."""

    epoch: int
    """Counted from 1."""
    train_loss: float
    """Mean over the rows of all batches, with dropout."""
    train_accuracy: dict[str, float]
    """Weighted share of correct predictions per target, with dropout, while the network learned."""
    valid_loss: float | None
    """None where there is nothing to validate on, as for the accuracies."""
    valid_accuracy: dict[str, float] | None
    """Weighted share of correct predictions per target."""
    target_weights: dict[str, float]
    """Weight of each target in the loss at the end of the epoch, mean 1."""
    valid_target_weights: dict[str, float]
    """Weight of each target in the validation loss, mean 1."""
    n_steps: int
    seconds: float
    """Wall time, validation included."""
    reviewed: bool = False
    """Whether the epoch trained on reviewed titles alone, and was validated on such titles where there were any."""

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
    """Return the log of at least one epoch as Markdown: training beside validation, the kept `best_epoch` marked."""
    targets = list(log[0].train_accuracy)
    names = [f"{target} {column}" for target in targets for column in ("train", "valid", "weight")]
    header = ["epoch", *names, "loss train", "loss valid", "steps", "seconds"]
    lines = [f"| {' | '.join(header)} |", f"|{'---:|' * len(header)}"]
    for entry in log:
        is_kept = entry.epoch == best_epoch
        cells = [f"{entry.epoch}{' reviewed' if entry.reviewed else ''}{' (kept)' if is_kept else ''}"]
        for target in targets:
            valid = None if entry.valid_accuracy is None else entry.valid_accuracy[target]
            cells += [_number(entry.train_accuracy[target]), _number(valid), f"{entry.target_weights[target]:.3f}"]
        cells += [f"{entry.train_loss:.4f}", _number(entry.valid_loss), f"{entry.n_steps:,}", f"{entry.seconds:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


class Checkpoints:
    """A folder with the last snapshot of one training, and the network of its best epoch.

    A snapshot is everything that a training needs to resume: tensors on the CPU (network, optimiser, random state and
    recent accuracies) and plain facts (the position of the training, the sampler's state and the log).
    """

    def __init__(self, folder: Path, identity: str) -> None:
        """Name the folder, which need not exist yet.

        Args:
            folder: for one training alone.
            identity: digest of the training's settings and data; a snapshot of another training is refused.
        """
        self.folder = folder
        self.identity = identity

    def save(self, tensors: dict[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Replace the last snapshot; a process that is killed meanwhile leaves the last one whole."""
        latest = self._latest()
        number = 0 if latest is None else latest["number"] + 1
        kept = self.folder / f"snapshot-{number}.safetensors"
        _save(tensors, kept)
        content = {"identity": self.identity, "number": number, "facts": facts}
        text = json.dumps({**content, _SUM: _sum_of_facts(content)})
        # This file alone says which snapshot counts, and it changes in one step.
        with whole_file(self.folder / _LATEST) as filling:
            filling.write_text(text, encoding="utf-8")
        for old in self.folder.glob("snapshot-*.safetensors"):
            if old != kept:
                old.unlink()

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the tensors and facts of the last snapshot; None where there is none.

        Raises:
            BadInput: it is of another training, or cannot be read.
        """
        latest = self._latest()
        if latest is None:
            return None
        if latest["identity"] != self.identity:
            raise BadInput(
                f"{self.folder} holds the checkpoint of a training with other settings or data, or of another release. "
                "Remove the folder to start again, or name another."
            )
        return self._load(self.folder / f"snapshot-{latest['number']}.safetensors"), latest["facts"]

    def save_best(self, weights: Mapping[str, Tensor], epoch: int) -> None:
        """Keep the network of the epoch that is the best so far."""
        _save(dict(weights), self._best(epoch))
        # Until the snapshot is replaced it names the best epoch before this one, so that one is kept too.
        for old in sorted(self.folder.glob("best-*.safetensors"), key=lambda path: path.stat().st_mtime)[:-2]:
            old.unlink()

    def load_best(self, epoch: int) -> dict[str, Tensor]:
        """Return the network of an epoch that `save_best` kept.

        Raises:
            BadInput: it cannot be read.
        """
        return self._load(self._best(epoch))

    def save_batch(self, facts: Mapping[str, Any]) -> Path:
        """Write the batch on which a training diverged, for a person to look at; return the file."""
        path = self.folder / "bad_batch.json"
        with whole_file(path) as filling:
            filling.write_text(json.dumps(facts, indent=1), encoding="utf-8")
        return path

    def _best(self, epoch: int) -> Path:
        return self.folder / f"best-{epoch}.safetensors"

    def _latest(self) -> dict[str, Any] | None:
        path = self.folder / _LATEST
        if not path.exists():
            return None
        found = read_json(path, "checkpoint", _REMEDY)
        if _SUM not in found:
            raise BadInput(f"{path} was written by an earlier release, or is damaged. {_REMEDY}")
        if found.pop(_SUM) != _sum_of_facts(found):
            raise BadInput(f"{path} has changed since it was written. {_REMEDY}")
        return found

    @staticmethod
    def _load(path: Path) -> dict[str, Tensor]:
        try:
            with safe_open(path, framework="pt") as opened:
                found = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping
                written = (opened.metadata() or {}).get(_SUM)
        except (OSError, SafetensorError) as error:
            raise _unreadable(path, error) from None
        if written != _sum_of(found):
            raise BadInput(f"The checkpoint {path} has changed since it was written. {_REMEDY}")
        return found


def _save(tensors: dict[str, Tensor], path: Path) -> None:
    with whole_file(path) as filling:
        save_file(tensors, filling, {_SUM: _sum_of(tensors)})


def _sum_of(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of tensors and their names, as hexadecimal digits."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        found.update(name.encode())
        found.update(tensors[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _sum_of_facts(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _unreadable(path: Path, error: Exception) -> BadInput:
    return BadInput(f"The checkpoint {path} cannot be read ({error}). {_REMEDY}")
