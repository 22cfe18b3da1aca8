"""Where to compute, in which number format, and in how many processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, distributed, nn

from data_cleaning.errors import BadInput
from data_cleaning.titles import IntArray


def resolve_device(name: str) -> torch.device:
    """Turn "auto", "cpu" or "cuda" into a device that this machine has.

    Raises:
        BadInput: a GPU was asked for and there is none.
    """
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise BadInput("device is 'cuda', but torch sees no GPU. Set device to 'auto' or 'cpu'.")
    if not has_gpu or name == "cpu":
        return torch.device("cpu")
    # `torchrun` gives each process of a machine its own GPU.
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def uses_bf16(precision: str, device: torch.device) -> bool:
    """Say whether matrix products run in bf16; "auto" uses it only where the hardware multiplies in it."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        # Older GPUs emulate bf16, which is slower than fp32.
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # Older versions of torch cannot list the processor's capabilities; fp32 works everywhere.
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def autocast(device: torch.device, bf16: bool) -> torch.autocast:
    """Return a context in which matrix products run in bf16, or one that changes nothing."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16)


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train one network together; all hold the same weights and plan the same batches."""

    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and reports progress."""
        return self.rank == 0

    def shard(self, rows: IntArray) -> IntArray:
        """Return this process's rows of a batch, (n_own,); none where the batch has fewer rows than processes."""
        return rows[self.rank :: self.size]

    def sum(self, values: Tensor) -> Tensor:
        """Add up a tensor over the processes."""
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
        """Give each of several processes its own dropout; a single process keeps the caller's generator."""
        if self.size > 1:
            torch.manual_seed(int(np.random.SeedSequence([seed, self.rank, step]).generate_state(1)[0]))


@contextmanager
def torchrun_group(device: torch.device) -> Iterator[ProcessGroup]:
    """Join the processes that `torchrun` started; without `torchrun` the group is this process alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ProcessGroup()
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield ProcessGroup(distributed.get_rank(), size)
    finally:
        distributed.destroy_process_group()
