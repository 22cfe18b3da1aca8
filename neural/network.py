"""One encoder with a linear head per target: how it is built, and its logits for many titles."""

import copy
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from data_cleaning.errors import BadInput
from data_cleaning.progress import Progress, silent
from data_cleaning.titles import IntArray
from neural.batches import TokenizedTitles
from neural.devices import uses_bf16

TOKENS_PER_BATCH = {"cpu": 1_024, "cuda": 16_384}
"""What fills a device; a larger batch on a CPU no longer fits its caches."""


class MultiHead(nn.Module):
    """Encode a title once and predict every target.

    Sizes in the comments: batch, titles; seq, tokens of the longest title; dim, width of the encoder.
    """

    def __init__(self, encoder: PreTrainedModel, n_classes: Mapping[str, int], pooling: str, dropout: float) -> None:
        """Put fresh heads on an encoder, for targets with `n_classes`; `pooling` and `dropout` as in the settings."""
        super().__init__()
        self.encoder = encoder
        self.pooling = pooling
        self.n_classes = dict(n_classes)
        self.dropout = nn.Dropout(dropout)
        # A list: ModuleDict refuses a target called "type" or "a.b".
        self.heads = nn.ModuleList(nn.Linear(encoder.config.hidden_size, n) for n in n_classes.values())

    def forward(self, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return the logits of each target, float32, each (batch, n_classes), from ids and mask, (batch, seq)."""
        tokens = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state  # (batch, seq, dim)
        # bf16 keeps 8 bits, too few for a mean or a probability, and the heads cost next to nothing.
        with torch.autocast(ids.device.type, enabled=False):
            pooled = self.dropout(pool(tokens.float(), mask, self.pooling))  # (batch, dim)
            return {target: head(pooled) for target, head in zip(self.n_classes, self.heads, strict=True)}


def pool(tokens: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """Make one vector per title, (batch, dim), from token vectors, (batch, seq, dim), and their mask, (batch, seq).

    `pooling` is "mean" or "max" over the tokens, or "cls" for the first of them.
    """
    if pooling == "cls":
        return tokens[:, 0]  # (batch, dim)
    if pooling == "max":
        return tokens.masked_fill(mask.unsqueeze(-1) == 0, float("-inf")).amax(1)  # (batch, dim)
    keep = mask.unsqueeze(-1).to(tokens.dtype)  # (batch, seq, 1); 1 = real token
    n_kept = keep.sum(1)  # (batch, 1); never 0, as every title has its special tokens
    return (tokens * keep).sum(1) / n_kept  # (batch, dim)


def keep_layers(encoder: PreTrainedModel, n_kept: int) -> None:
    """Drop layers of an encoder in place, keeping `n_kept` of them, evenly spaced and the first among them.

    Source: Sanh et al. 2019, "DistilBERT", arXiv:1910.01108, section 3: a student starts from every other layer.

    Raises:
        BadInput: the encoder has fewer layers, or no list of layers with weights of their own.
    """
    n_layers = encoder.config.num_hidden_layers
    found = [
        (holder, name)
        for holder in encoder.modules()
        for name, child in holder.named_children()
        if isinstance(child, nn.ModuleList) and len(child) == n_layers
    ]
    if len(found) != 1:
        raise BadInput(
            f"kept_layers needs an encoder with one list of {n_layers} layers, each with weights of its own; "
            f"{type(encoder).__name__} has none. Leave kept_layers out, or use another encoder."
        )
    if n_kept > n_layers:
        raise BadInput(f"kept_layers is {n_kept}, but the encoder has {n_layers} layers. Lower kept_layers.")
    ((holder, name),) = found
    layers = list(getattr(holder, name))
    positions = [position * n_layers // n_kept for position in range(n_kept)]
    setattr(holder, name, nn.ModuleList(layers[position] for position in positions))
    # Some configs list the attention type of each layer, and check that there are as many as layers.
    kinds = getattr(encoder.config, "layer_types", None)
    encoder.config.num_hidden_layers = n_kept
    if kinds is not None:
        encoder.config.layer_types = [kinds[position] for position in positions]


def predict_logits(
    model: MultiHead,
    titles: TokenizedTitles,
    precision: str,
    step: str = "",
    on_progress: Progress = silent,
    *,
    batch_invariant: bool = False,
) -> dict[str, Tensor]:
    """Run a network over titles in evaluation mode on its device, and leave it in the mode it was in.

    `precision` is "auto", "fp32" or "bf16", in which the encoder then computes everything. `on_progress` is told of the
    titles done under the name `step`. With `batch_invariant` the last bit of a title's logits does not depend on the
    other titles: titles of one length make batches of one size, filled up where titles are too few, as products of
    matrices round by their sizes.

    Returns:
        Target to logits in the order of the titles, float32 on the CPU, each (n_titles, n_classes).
    """
    device = next(model.parameters()).device
    max_tokens = TOKENS_PER_BATCH[device.type]
    runs = _in_bf16(model) if uses_bf16(precision, device) else model
    was_training = model.training
    runs.eval()

    def answers(rows: IntArray) -> dict[str, Tensor]:
        filled = max(max_tokens // titles.longest(rows), 1) if batch_invariant else None
        with torch.inference_mode():
            found = runs(*titles.padded(rows, device, filled))
        return {target: values[: len(rows)].cpu() for target, values in found.items()}  # (n_rows, n_classes)

    logits = {target: torch.empty(len(titles), n) for target, n in model.n_classes.items()}  # (n_titles, n_classes)
    batches = list(titles.batches(max_tokens, one_length=batch_invariant))
    n_done = 0
    with _one_batch_per_thread(device) as pool:
        for rows, found in zip(batches, pool.map(answers, batches), strict=True):
            for target, values in found.items():
                logits[target][torch.from_numpy(rows)] = values
            n_done += len(rows)
            on_progress(step, n_done, len(titles))
    model.train(was_training)
    return logits


@contextmanager
def _one_batch_per_thread(device: torch.device) -> Iterator[ThreadPoolExecutor]:
    """Return threads that compute batches, each alone on a CPU: the operations of a batch are too small to share."""
    n_threads, on_cpu = torch.get_num_threads(), device.type == "cpu"

    def work_alone() -> None:
        if on_cpu:
            torch.set_num_threads(1)

    try:
        with ThreadPoolExecutor(n_threads if on_cpu else 1, initializer=work_alone) as pool:
            yield pool
    finally:
        torch.set_num_threads(n_threads)  # threads that start later take the last number that was set anywhere


def _in_bf16(model: MultiHead) -> MultiHead:
    """Return a copy whose encoder is in bf16; autocast would convert vectors in each layer, a fifth of the time."""
    # Given to the copy as already copied, so that no vectors in fp32 are: those of words take longer than 100 titles.
    copied: dict[int, Any] = {
        id(weights): nn.Parameter(weights.detach().bfloat16(), requires_grad=False)
        for weights in model.encoder.parameters()
    }
    found = copy.deepcopy(model, copied)
    found.encoder.bfloat16()  # its buffers
    return found


def probabilities(logits: Tensor) -> npt.NDArray[np.float64]:
    """Turn logits into float64 rows that sum to 1, shape (n_titles, n_classes)."""
    return torch.softmax(logits.double(), dim=1).numpy()  # (n_titles, n_classes)
