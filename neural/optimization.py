"""The optimiser and its learning rate over the steps of a training."""

from collections import defaultdict

import torch
from torch import nn

from neural.layers import by_depth
from neural.multihead import MultiHead
from neural.neural_settings import NeuralSettings


def make_optimizer(model: MultiHead, settings: NeuralSettings) -> torch.optim.AdamW:
    """Build AdamW with a faster rate for the heads, slower ones for lower layers, and no decay of biases and norms.

    Each group keeps its highest rate as `highest_lr`. Frozen parameters are in no group.

    Source: for rates that fall with depth, Howard and Ruder 2018, "ULMFiT", arXiv:1801.06146, section 3.2.
    """
    parts: list[tuple[float, list[nn.Parameter]]] = []
    if settings.layer_decay == 1:
        parts.append((1.0, list(model.encoder.parameters())))
    else:
        depths: dict[int, list[nn.Parameter]] = defaultdict(list)
        for depth, weights in by_depth(model.encoder):
            depths[depth].append(weights)
        parts += [(settings.layer_decay ** (max(depths) - depth), part) for depth, part in depths.items()]
    parts.append((settings.head_learning_rate_factor, list(model.heads.parameters())))
    groups = []
    for factor, part in parts:
        for is_matrix, decay in ((True, settings.weight_decay), (False, 0.0)):
            # Biases and the scales of norms are the parameters with one dimension.
            chosen = [weights for weights in part if weights.requires_grad and (weights.ndim > 1) == is_matrix]
            rate = settings.learning_rate * factor
            if chosen:
                groups.append({"params": chosen, "lr": rate, "highest_lr": rate, "weight_decay": decay})
    # One pass over memory per step; most of an encoder is its word table, which an unfused step reads many times.
    return torch.optim.AdamW(groups, fused=True)


def set_learning_rate(optimizer: torch.optim.Optimizer, step: int, n_steps: int, settings: NeuralSettings) -> None:
    """Set the rate of one step, counted from 0, of `n_steps` planned ones.

    The linear schedule rises over the warm-up, then falls to just above 0; steps beyond the plan, which smaller batches
    make, keep its last rate. The constant one stays at the highest after the warm-up.
    """
    factor = rate_factor(min(step, n_steps - 1), n_steps, settings)
    for group in optimizer.param_groups:
        group["lr"] = group["highest_lr"] * factor


def rate_factor(step: int, n_steps: int, settings: NeuralSettings) -> float:
    """Return the rate of a step over the highest, in (0, 1]."""
    n_warmup = int(n_steps * settings.warmup_share)
    if step < n_warmup:
        return (step + 1) / (n_warmup + 1)
    return 1.0 if settings.schedule == "constant" else (n_steps - step) / (n_steps - n_warmup)
