import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import (
    AlbertConfig,
    AlbertModel,
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    ModernBertConfig,
    ModernBertModel,
)

from data_cleaning.errors import BadInput
from neural.classifier import NeuralClassifier
from neural.layers import by_depth, freeze_layers, keep_layers
from neural.multihead import MultiHead
from neural.optimization import make_optimizer
from tests.neural.toy import TAXONOMY

TAXONOMY_SIZES = {target.name: target.n_classes for target in TAXONOMY.targets}


def bert():
    return BertModel(BertConfig(vocab_size=80, hidden_size=32, num_hidden_layers=4, num_attention_heads=2,
                                intermediate_size=64, max_position_embeddings=64))  # fmt: skip


def distilbert():
    return DistilBertModel(DistilBertConfig(vocab_size=80, dim=32, n_layers=4, n_heads=2, hidden_dim=64,
                                            max_position_embeddings=64))  # fmt: skip


def albert():
    return AlbertModel(AlbertConfig(vocab_size=80, embedding_size=16, hidden_size=32, num_hidden_layers=4,
                                    num_attention_heads=2, intermediate_size=64,
                                    max_position_embeddings=64))  # fmt: skip


def modernbert():
    return ModernBertModel(ModernBertConfig(vocab_size=80, hidden_size=32, num_hidden_layers=4, num_attention_heads=2,
                                            intermediate_size=64, max_position_embeddings=64, pad_token_id=0,
                                            cls_token_id=2, sep_token_id=3, bos_token_id=2,
                                            eos_token_id=3))  # fmt: skip


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


@pytest.mark.parametrize("make", [bert, distilbert])
def test_evenly_spaced_layers_are_kept(make):
    encoder = make()
    expected = [values for depth, values in by_depth(encoder) if depth in (1, 3)]

    keep_layers(encoder, 2)

    kept = [values for depth, values in by_depth(encoder) if depth in (1, 2)]
    assert [id(values) for values in kept[: len(expected)]] == [id(values) for values in expected]
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


@pytest.mark.parametrize("make", [bert, distilbert])
def test_frozen_layers_stay_as_pretrained(make, folder_of, settings, toy, nothing):
    folder = folder_of(make)
    chosen = replace(settings, encoder=folder, epochs=1, frozen_layers=2)
    before = type(make()).from_pretrained(folder)

    after = NeuralClassifier(chosen).fit(toy, nothing).model_.encoder

    for (depth, old), (_, new) in zip(by_depth(before), by_depth(after), strict=False):
        assert torch.equal(old, new) == (depth <= 2)


def test_lower_layers_learn_more_slowly(settings):
    encoder = bert()
    model = MultiHead(encoder, TAXONOMY_SIZES, "mean", 0.0)

    optimizer = make_optimizer(model, replace(settings, layer_decay=0.5, learning_rate=1e-3))

    rates = {id(values): group["lr"] for group in optimizer.param_groups for values in group["params"]}
    for depth, values in by_depth(encoder):
        assert rates[id(values)] == pytest.approx(1e-3 * 0.5 ** (4 - depth))
    assert rates[id(model.heads[0].weight)] == pytest.approx(1e-3 * settings.head_learning_rate_factor)
    assert len(rates) == len(list(model.parameters()))


def test_too_many_layers_are_refused():
    with pytest.raises(BadInput, match="kept_layers is 5, but the encoder has 4 layers"):
        keep_layers(bert(), 5)
    with pytest.raises(BadInput, match="frozen_layers is 5, but the encoder has 4 layers"):
        freeze_layers(bert(), 5)


def test_layers_that_share_their_weights_are_refused():
    encoder = albert()
    before = copy.deepcopy(encoder.state_dict())
    with pytest.raises(BadInput, match="AlbertModel does not keep its 4 layers in one list"):
        freeze_layers(encoder, 1)
    assert before.keys() == encoder.state_dict().keys()
