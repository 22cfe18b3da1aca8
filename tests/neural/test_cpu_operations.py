import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from neural.batches import tokenize
from neural.cpu_operations import Dropout, choose_attention
from neural.network import MultiHead
from tests.neural.test_network import albert, bert, distilbert, electra, roberta


@pytest.mark.parametrize("make", [bert, distilbert, albert, roberta, electra])
def test_attention_for_short_titles_gives_the_logits_and_gradients_of_that_of_torch(make, tokenizer):
    torch.manual_seed(0)
    usual = MultiHead(make(), {"type": 3}, "mean", 0.1).eval()
    short = copy.deepcopy(usual)
    choose_attention(short.encoder, short=True)
    titles = tokenize(["nurse", "chief night nurse", "director of data security engineers", "x" * 40], tokenizer, 32)
    batch = titles.padded(np.arange(4))

    assert short.encoder.config._attn_implementation != usual.encoder.config._attn_implementation
    logits = [network(*batch)["type"] for network in (usual, short)]
    assert_close(logits[1], logits[0], atol=1e-5, rtol=0)
    for rows in logits:
        rows.square().sum().backward()
    for (name, expected), found in zip(usual.named_parameters(), short.parameters(), strict=True):
        if expected.grad is not None:
            assert_close(found.grad, expected.grad, atol=1e-4, rtol=1e-3, msg=name)


def test_attention_for_short_titles_drops_weights_in_training(tokenizer):
    torch.manual_seed(0)
    network = MultiHead(bert(), {"type": 3}, "mean", 0.0).train()
    network.encoder.embeddings.dropout.p = 0.0
    for layer in network.encoder.encoder.layer:
        layer.output.dropout.p = layer.attention.output.dropout.p = 0.0
    choose_attention(network.encoder, short=True)
    batch = tokenize(["chief night nurse"], tokenizer, 32).padded(np.arange(1))

    assert not torch.equal(network(*batch)["type"], network(*batch)["type"])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_dropout_zeroes_a_share_of_the_values_and_scales_up_the_others(dtype, share):
    torch.manual_seed(0)
    values = torch.ones(999, 301, dtype=dtype, requires_grad=True)

    found = Dropout(share)(values)
    found.sum().backward()

    assert found.dtype == dtype
    assert found.unique().tolist() == pytest.approx([0.0, torch.tensor(1 / (1 - share)).to(dtype).item()], rel=1e-4)
    dropped = found == 0
    assert dropped.double().mean().item() == pytest.approx(share, abs=0.005)
    for dim in (0, 1):  # everywhere alike
        assert dropped.double().mean(dim).sub(share).abs().max() < 0.15
    # Four values share a draw; they must not share their fate.
    both = (dropped.flatten()[:-1] & dropped.flatten()[1:]).double().mean().item()
    assert both == pytest.approx(share**2, abs=0.005)
    assert torch.equal(values.grad, found.detach())


def test_dropout_draws_what_the_seed_says_and_drops_nothing_outside_training():
    values, dropout = torch.ones(7, 3), Dropout(0.5)

    torch.manual_seed(1)
    first, second = dropout(values), dropout(values)
    torch.manual_seed(1)

    assert torch.equal(dropout(values), first)
    assert not torch.equal(first, second)
    assert torch.equal(dropout.eval()(values), values)
    assert torch.equal(Dropout(0.0)(values), values)


def test_all_dropout_of_an_encoder_is_replaced_with_its_share():
    encoder = bert()
    encoder.embeddings.dropout.p = 0.3

    Dropout.everywhere_in(encoder)

    kinds = {type(part) for part in encoder.modules() if isinstance(part, nn.Dropout)}
    assert kinds == {Dropout}
    assert encoder.embeddings.dropout.p == 0.3
