"""Logits of many titles from one network, in the order the titles came in."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from data_cleaning.progress import Progress, silent
from neural.batches import TokenizedTitles, plan_batches
from neural.devices import autocast, uses_bf16
from neural.multihead import MultiHead

TOKENS_PER_BATCH = {"cpu": 1_024, "cuda": 16_384}
"""What fills a device; a larger batch on a CPU leaves its caches."""


def predict_logits(
    model: MultiHead, titles: TokenizedTitles, precision: str, step: str = "", on_progress: Progress = silent
) -> dict[str, Tensor]:
    """Run a network in evaluation mode over titles; it is left in the mode it came in.

    Args:
        model: on the device to compute on.
        titles: tokenised titles.
        precision: "auto", "fp32" or "bf16".
        step: what to call the work in `on_progress`.
        on_progress: told of the titles done.

    Returns:
        Target to logits, float32 on the CPU, each (n_titles, n_classes).
    """
    device = next(model.parameters()).device
    logits = {
        target: torch.empty(len(titles), n_classes)  # (n_titles, n_classes)
        for target, n_classes in model.n_classes.items()
    }
    budget = max(TOKENS_PER_BATCH[device.type], int(titles.lengths.max(initial=0)))
    was_training = model.training
    model.eval()
    n_done = 0
    # One autocast around all batches, as it keeps its bf16 copy of the weights until it ends.
    with torch.inference_mode(), autocast(device, uses_bf16(precision, device)):
        for rows in plan_batches(titles.lengths, budget):
            for target, batch in model(*titles.padded(rows, device)).items():
                logits[target][torch.from_numpy(rows)] = batch.cpu()  # (n_rows, n_classes)
            n_done += len(rows)
            on_progress(step, n_done, len(titles))
    model.train(was_training)
    return logits


def probabilities(logits: Tensor) -> npt.NDArray[np.float64]:
    """Turn logits into float64 rows that sum to 1, shape (n_titles, n_classes)."""
    return torch.softmax(logits.double(), dim=1).numpy()  # (n_titles, n_classes)
