"""Several processes training one network, as `torchrun` starts them; a single process is a team of one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, distributed, nn

from data_cleaning.titles import IntArray


@dataclass(frozen=True)
class Team:
    """The processes that train together; all of them hold the same weights and plan the same batches."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and tells progress."""
        return self.rank == 0

    def part_of(self, rows: IntArray) -> IntArray:
        """Return this process's rows of a batch, (n_own,); none where the batch has fewer rows than processes."""
        return rows[self.rank :: self.size]

    def summed(self, values: Tensor) -> Tensor:
        """Add a tensor up over the processes."""
        if self.size > 1:
            values = values.clone()
            distributed.all_reduce(values)
        return values

    def wrap(self, model: nn.Module, device: torch.device) -> nn.Module:
        """Return the network whose gradients are averaged over the processes."""
        if self.size == 1:
            return model
        ids = [device.index or 0] if device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(model, device_ids=ids)

    def seed(self, seed: int, step: int) -> None:
        """Give each process its own dropout; a team of one goes on with the caller's draws."""
        if self.size > 1:
            torch.manual_seed(int(np.random.SeedSequence([seed, self.rank, step]).generate_state(1)[0]))


@contextmanager
def team_of_torchrun(device: torch.device) -> Iterator[Team]:
    """Join the processes that `torchrun` started, or be a team of one where there are none."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Team()
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Team(distributed.get_rank(), size)
    finally:
        distributed.destroy_process_group()
