"""One encoder, one linear head per target."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel


class MultiHead(nn.Module):
    """Encode a title once and answer for every target.

    Sizes in the comments: batch, titles; seq, tokens of the longest title; dim, width of the encoder.
    """

    def __init__(self, encoder: PreTrainedModel, n_classes: Mapping[str, int], pooling: str, dropout: float) -> None:
        """Put fresh heads on an encoder.

        Args:
            encoder: maps token ids to token vectors.
            n_classes: target to its number of classes.
            pooling: "mean", "cls" or "max".
            dropout: share of the pooled vector dropped in training.
        """
        super().__init__()
        self.encoder = encoder
        self.pooling = pooling
        self.n_classes = dict(n_classes)
        self.dropout = nn.Dropout(dropout)
        # A list: ModuleDict refuses a target called "type" or "a.b".
        self.heads = nn.ModuleList(nn.Linear(encoder.config.hidden_size, n) for n in n_classes.values())

    def forward(self, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return the logits of each target, float32, each (batch, n_classes).

        Args:
            ids: token ids, (batch, seq).
            mask: 1 for a token and 0 for padding, (batch, seq).
        """
        tokens = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state  # (batch, seq, dim)
        # bf16 keeps 8 bits, too few for a mean or a probability, and the heads cost next to nothing.
        with torch.autocast(ids.device.type, enabled=False):
            pooled = self.dropout(pool(tokens.float(), mask, self.pooling))  # (batch, dim)
            return {target: head(pooled) for target, head in zip(self.n_classes, self.heads, strict=True)}


def pool(tokens: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """Make one vector per title, (batch, dim), from its token vectors.

    Args:
        tokens: (batch, seq, dim).
        mask: 1 for a token and 0 for padding, (batch, seq).
        pooling: "mean" or "max" over the tokens, or "cls" for the first of them.
    """
    if pooling == "cls":
        return tokens[:, 0]  # (batch, dim)
    if pooling == "max":
        return tokens.masked_fill(mask.unsqueeze(-1) == 0, float("-inf")).amax(1)  # (batch, dim)
    keep = mask.unsqueeze(-1).to(tokens.dtype)  # (batch, seq, 1); 1 = real token
    n_kept = keep.sum(1)  # (batch, 1); never 0, as every title has its special tokens
    return (tokens * keep).sum(1) / n_kept  # (batch, dim)
