from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close
from transformers import (
    AlbertConfig,
    AlbertModel,
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    ElectraConfig,
    ElectraModel,
    ModernBertConfig,
    ModernBertModel,
    RobertaConfig,
    RobertaModel,
)

from data_cleaning.errors import BadInput
from neural.classifier import NeuralClassifier
from neural.network import MultiHead, keep_layers, pool
from neural.optimization import target_losses, total_loss

TOKENS = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [100.0, 100.0]], [[5.0, 0.0], [1.0, 1.0], [3.0, 2.0]]])
MASK = torch.tensor([[1, 1, 0], [1, 1, 1]])


@pytest.mark.parametrize(("pooling", "pooled"), [("mean", [[2.0, 4.0], [3.0, 1.0]]), ("cls", [[1.0, 2.0], [5.0, 0.0]])])
def test_pooling_ignores_padding(pooling, pooled):
    assert_close(pool(TOKENS, MASK, pooling), torch.tensor(pooled))


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_more_padding_changes_no_loss(network, pooling):
    network = MultiHead(network.encoder, {"type": 3, "a.b": 2}, pooling, 0.1).eval()
    ids = torch.tensor([[2, 5, 6, 3], [2, 7, 3, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    labels = {"type": torch.tensor([0, 2]), "a.b": torch.tensor([1, 0])}

    losses = []
    for n_more in (0, 13):
        wide = [torch.nn.functional.pad(values, (0, n_more)) for values in (ids, mask)]
        losses.append(total_loss(target_losses(network(*wide), labels, torch.tensor([1.0, 3.0]))))

    assert_close(losses[0], losses[1], atol=1e-5, rtol=0)


def test_each_target_has_logits_of_its_own(network):
    logits = network(torch.tensor([[2, 3]]), torch.tensor([[1, 1]]))

    assert {target: tuple(rows.shape) for target, rows in logits.items()} == {"type": (1, 3), "a.b": (1, 2)}


def test_heads_compute_in_float32_under_autocast(network):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(torch.tensor([[2, 5, 3]]), torch.tensor([[1, 1, 1]]))

    assert {rows.dtype for rows in logits.values()} == {torch.float32}


def bert():
    return BertModel(BertConfig(vocab_size=100, hidden_size=32, num_hidden_layers=4, num_attention_heads=2,
                                intermediate_size=64, max_position_embeddings=64))  # fmt: skip


def distilbert():
    return DistilBertModel(DistilBertConfig(vocab_size=100, dim=32, n_layers=4, n_heads=2, hidden_dim=64,
                                            max_position_embeddings=64))  # fmt: skip


def albert():
    return AlbertModel(AlbertConfig(vocab_size=100, embedding_size=16, hidden_size=32, num_hidden_layers=4,
                                    num_attention_heads=2, intermediate_size=64,
                                    max_position_embeddings=64))  # fmt: skip


def modernbert():
    return ModernBertModel(ModernBertConfig(vocab_size=100, hidden_size=32, num_hidden_layers=4, num_attention_heads=2,
                                            intermediate_size=64, max_position_embeddings=64, pad_token_id=0,
                                            cls_token_id=2, sep_token_id=3, bos_token_id=2,
                                            eos_token_id=3))  # fmt: skip


def roberta():
    return RobertaModel(RobertaConfig(vocab_size=100, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                                      intermediate_size=64, max_position_embeddings=64, pad_token_id=0))  # fmt: skip


def electra():
    return ElectraModel(ElectraConfig(vocab_size=100, embedding_size=16, hidden_size=32, num_hidden_layers=2,
                                      num_attention_heads=2, intermediate_size=64,
                                      max_position_embeddings=64))  # fmt: skip


@pytest.fixture
def folder_of(tmp_path, tokenizer):
    def save(make):
        torch.manual_seed(0)
        make().save_pretrained(tmp_path)
        tokenizer.save_pretrained(tmp_path)
        return str(tmp_path)

    return save


@pytest.mark.parametrize("make", [bert, distilbert, albert])
def test_every_kind_of_encoder_is_fitted_saved_and_loaded(make, folder_of, settings, toy, nothing, tmp_path):
    chosen = replace(settings, encoder=folder_of(make), epochs=1)
    system = NeuralClassifier(chosen).fit(toy, nothing)
    system.save(tmp_path / "saved")

    again = NeuralClassifier.load(tmp_path / "saved")

    assert type(again.model_.encoder) is type(make())
    for target, rows in system.predict_proba(toy.titles).items():
        np.testing.assert_allclose(again.predict_proba(toy.titles)[target], rows, atol=1e-6)


@pytest.mark.parametrize(("make", "name"), [(bert, "encoder.layer"), (distilbert, "transformer.layer")])
def test_evenly_spaced_layers_are_kept(make, name):
    encoder = make()
    before = list(encoder.get_submodule(name))

    keep_layers(encoder, 2)

    assert list(encoder.get_submodule(name)) == [before[0], before[2]]
    assert encoder.config.num_hidden_layers == 2


@pytest.mark.parametrize("make", [bert, modernbert])
def test_a_network_of_fewer_layers_is_saved_and_loaded(make, folder_of, settings, toy, nothing, tmp_path):
    chosen = replace(settings, encoder=folder_of(make), epochs=1, kept_layers=2)
    system = NeuralClassifier(chosen).fit(toy, nothing)
    system.save(tmp_path / "saved")

    again = NeuralClassifier.load(tmp_path / "saved")

    assert again.model_.encoder.config.num_hidden_layers == 2
    for target, rows in system.predict_proba(toy.titles).items():
        np.testing.assert_allclose(again.predict_proba(toy.titles)[target], rows, atol=1e-6)


def test_more_layers_than_the_encoder_has_are_refused():
    with pytest.raises(BadInput, match="kept_layers is 5, but the encoder has 4 layers"):
        keep_layers(bert(), 5)


def test_an_encoder_whose_layers_share_their_weights_is_refused():
    with pytest.raises(BadInput, match=r"AlbertModel has none\. Leave kept_layers out"):
        keep_layers(albert(), 1)
