import copy

import numpy as np
import pytest
import torch

from neural.batches import Examples, tokenize
from neural.training import Trainer
from neural.used_words import UsedWords


@pytest.fixture
def examples(tokenizer, toy):
    return Examples(titles=tokenize(list(toy.titles), tokenizer, 16), labels=toy.labels, weights=np.ones(len(toy)))


def vectors(network):
    return network.encoder.get_input_embeddings().weight.detach().clone()


def trained(network, examples, settings):
    torch.manual_seed(0)
    Trainer(network, examples, None, settings, np.random.default_rng(0)).run()
    return network


def test_training_on_used_words_learns_what_training_on_all_words_learns(network, examples, settings, monkeypatch):
    without_decay = type(settings)(**{**vars(settings), "weight_decay": 0})
    before = vectors(network)
    few = trained(copy.deepcopy(network), examples, without_decay)
    every_word = np.arange(len(before), dtype=np.int32)
    monkeypatch.setattr(UsedWords, "of", classmethod(lambda cls, *_: cls(every_word)))
    whole = trained(copy.deepcopy(network), examples, without_decay)

    for name, values in whole.state_dict().items():
        torch.testing.assert_close(few.state_dict()[name], values)
    assert not torch.equal(vectors(few), before)


def test_words_of_no_title_keep_their_vectors(network, examples, settings):
    before = vectors(network)
    unused = np.setdiff1d(np.arange(len(before)), examples.titles.ids)
    assert len(unused)

    after = vectors(trained(network, examples, settings))

    assert after.shape == before.shape
    assert torch.equal(after[unused], before[unused])


def test_the_numbers_up_to_that_of_the_padding_stay(network, examples):
    words = UsedWords.of(network.encoder, examples)
    pad = examples.titles.pad_id
    renumbered = words.renumbered(examples).titles

    assert words.ids[: pad + 1].tolist() == list(range(pad + 1))
    assert (words.ids[renumbered.ids] == examples.titles.ids).all()


def test_a_training_that_fails_leaves_all_words_in_the_encoder(network, examples):
    words = UsedWords.of(network.encoder, examples)
    whole = network.encoder.get_input_embeddings()

    def fail_within():
        with words.alone_in(network.encoder):
            assert network.encoder.get_input_embeddings().num_embeddings == len(words.ids)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_within()
    assert network.encoder.get_input_embeddings() is whole


def test_an_encoder_with_a_word_table_of_its_own_kind_keeps_all_words(network, examples):
    class Own(torch.nn.Embedding):
        pass

    table = network.encoder.get_input_embeddings()
    network.encoder.set_input_embeddings(Own(table.num_embeddings, table.embedding_dim))
    words = UsedWords.of(network.encoder, examples)

    assert (words.renumbered(examples).titles.ids == examples.titles.ids).all()
