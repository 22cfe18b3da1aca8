"""Where to compute, and in which number format."""

import os

import torch

from data_cleaning.errors import BadInput


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
    # `torchrun` gives each process of a machine a card of its own.
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def uses_bf16(precision: str, device: torch.device) -> bool:
    """Say whether matrix products run in bf16; "auto" means only where the hardware multiplies in it."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        # Older cards emulate bf16, which is slower than fp32.
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # Older torch cannot say what the processor has, and fp32 is right everywhere.
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def autocast(device: torch.device, bf16: bool) -> torch.autocast:
    """Return a context in which matrix products run in bf16, or one that changes nothing."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16)
