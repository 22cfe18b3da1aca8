"""Fitted systems whose answers can be worked out by hand."""

from types import SimpleNamespace

import torch
from torch import nn
from transformers.modeling_outputs import BaseModelOutput

from data_cleaning.novelty import TitleNovelty
from neural.classifier import NeuralClassifier
from neural.network import MultiHead
from tests.neural.toy import TAXONOMY

HEADS = {"type": [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], "a.b": [[1.0, -1.0], [0.0, 0.0]]}
"""Target to what each class makes of the two dimensions of a pooled vector."""


class WordValues(nn.Module):
    """An encoder that gives every token its own vector of two dimensions, wherever the token stands."""

    def __init__(self, n_tokens):
        super().__init__()
        self.config = SimpleNamespace(hidden_size=2)
        self.values = nn.Embedding(n_tokens, 2)

    def get_input_embeddings(self):
        return self.values

    def forward(self, input_ids, attention_mask):
        return BaseModelOutput(last_hidden_state=self.values(input_ids))


def system_of(network, tokenizer, settings, taxonomy=TAXONOMY):
    """Return a system that answers with a network, as if it had been fitted."""
    system = NeuralClassifier(settings)
    system.taxonomy_, system.tokenizer_, system.model_ = taxonomy, tokenizer, network
    system.temperatures_ = dict.fromkeys(taxonomy.names, 1.0)
    system.runtime_ = None
    system.novelty_ = TitleNovelty.from_dict(None)
    system.summary_ = {}
    return system


def planted(tokenizer, settings, values, others=(0.0, 0.0)):
    """Return a system whose logits are the mean of its tokens' values, padding 0, through `HEADS`.

    `others` is the value of what is neither named nor special.
    """
    network = MultiHead(WordValues(len(tokenizer)), {target: len(rows) for target, rows in HEADS.items()}, "mean", 0.1)
    table = torch.tensor(others).repeat(len(tokenizer), 1)  # (n_tokens, 2)
    table[[tokenizer.pad_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id]] = 0.0
    for token, value in values.items():
        table[tokenizer.convert_tokens_to_ids(token)] = torch.tensor(value)
    with torch.no_grad():
        network.encoder.values.weight.copy_(table)
        for head, rows in zip(network.heads, HEADS.values(), strict=True):
            head.weight.copy_(torch.tensor(rows))
            head.bias.zero_()
    return system_of(network.eval(), tokenizer, settings)
