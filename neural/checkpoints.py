"""Checkpoints of a training: safetensors and JSON, whole or not at all, so that a killed training goes on."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from data_cleaning.errors import BadInput

_LATEST = "latest.json"


@dataclass(frozen=True)
class Snapshot:
    """Everything that a training needs to go on."""

    tensors: dict[str, Tensor]
    """Network, optimiser, random state and objective, on the CPU."""
    facts: dict[str, Any]
    """Plain values: where the training is, the sampler's state and the log."""


class Checkpoints:
    """A folder that holds the last snapshot of one training, and the network of its best epoch."""

    def __init__(self, folder: Path, identity: str) -> None:
        """Name the folder, which need not exist yet.

        Args:
            folder: for one training alone.
            identity: digest of the training's settings and data; a snapshot of another training is refused.
        """
        self.folder = folder
        self.identity = identity

    def save(self, snapshot: Snapshot) -> None:
        """Put a snapshot in the place of the last one; whoever is killed meanwhile leaves the last one whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        number = self._number() + 1
        tensors = self.folder / f"snapshot-{number}.safetensors"
        self._replace(tensors, lambda path: save_file(snapshot.tensors, path))
        latest = {"identity": self.identity, "number": number, "facts": snapshot.facts}
        # This file alone says which snapshot counts, and it changes in one step.
        self._replace(self.folder / _LATEST, lambda path: path.write_text(json.dumps(latest), encoding="utf-8"))
        for old in self.folder.glob("snapshot-*.safetensors"):
            if old != tensors:
                old.unlink()

    def load(self) -> Snapshot | None:
        """Return the last snapshot; None where there is none.

        Raises:
            BadInput: it is of another training, or cannot be read.
        """
        latest = self._latest()
        if latest is None:
            return None
        if latest["identity"] != self.identity:
            raise BadInput(
                f"{self.folder} holds the checkpoint of a training with other settings or data. Remove the folder to "
                "begin anew, or name another."
            )
        tensors = self._load(f"snapshot-{latest['number']}.safetensors")
        return Snapshot(tensors=tensors, facts=latest["facts"])

    def save_best(self, weights: Mapping[str, Tensor], epoch: int) -> None:
        """Keep the network of the epoch that is the best so far."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._replace(self._best(epoch), lambda path: save_file(dict(weights), path))
        # The snapshot still names the best epoch before this one until it is replaced itself, so that one stays too.
        for old in sorted(self.folder.glob("best-*.safetensors"), key=lambda path: path.stat().st_mtime)[:-2]:
            old.unlink()

    def load_best(self, epoch: int) -> dict[str, Tensor]:
        """Return the network of an epoch that `save_best` kept.

        Raises:
            BadInput: it cannot be read.
        """
        return self._load(self._best(epoch).name)

    def save_batch(self, facts: Mapping[str, Any]) -> Path:
        """Write the batch on which a training came apart, for somebody to look at; return the file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "bad_batch.json"
        self._replace(path, lambda place: place.write_text(json.dumps(facts, indent=1), encoding="utf-8"))
        return path

    def _best(self, epoch: int) -> Path:
        return self.folder / f"best-{epoch}.safetensors"

    def _number(self) -> int:
        latest = self._latest()
        return -1 if latest is None else int(latest["number"])

    def _latest(self) -> dict[str, Any] | None:
        path = self.folder / _LATEST
        if not path.exists():
            return None
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise self._unreadable(_LATEST, error) from None
        return found

    def _load(self, name: str) -> dict[str, Tensor]:
        try:
            found: dict[str, Tensor] = load_file(self.folder / name)
        except (OSError, SafetensorError) as error:
            raise self._unreadable(name, error) from None
        return found

    def _unreadable(self, name: str, error: Exception) -> BadInput:
        return BadInput(
            f"The checkpoint {self.folder / name} cannot be read ({error}). Remove the folder to begin anew."
        )

    @staticmethod
    def _replace(final: Path, write: Any) -> None:
        filling = final.with_name(f".unfinished-{os.getpid()}-{final.name}")
        write(filling)
        filling.replace(final)
