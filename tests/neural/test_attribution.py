from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from captum.attr import LayerGradientXActivation
from numpy.testing import assert_allclose, assert_array_equal

import neural.attribution
from data_cleaning.errors import BadInput
from neural.attribution import METHODS, explain
from neural.batches import tokenize
from neural.classifier import NeuralClassifier
from neural.network import MultiHead, predict_logits
from tests.neural.planted import planted, system_of

VALUES = {"chief": [4.0, 0.0], "security": [0.0, 3.0], "[CLS]": [1.0, 0.0]}
PLAIN = ["chief data security", "night nurse", "teacher", "senior sales director network manager", "chief chief"]
"""Titles whose words are one token each."""


@pytest.fixture
def tiny(network, tokenizer, settings):
    return system_of(network, tokenizer, settings)


def words_of(title, found):
    return [title[start:end] for start, end in zip(found.starts, found.ends, strict=True)]


def word_parts(tokens_of_titles):
    """Drop the special tokens at both ends of each title, and put the others end to end."""
    return np.concatenate([tokens[1:-1] for tokens in tokens_of_titles])


@pytest.mark.parametrize("method", METHODS)
def test_each_word_of_a_linear_network_gets_its_share_of_the_logit(tokenizer, settings, method):
    """[CLS] chief data security [SEP]: the mean is (4 + 1, 3) / 5."""
    found = explain(planted(tokenizer, settings, VALUES), ["chief data security"], method)

    assert {target: classes.tolist() for target, classes in found.classes.items()} == {"type": [0], "a.b": [0]}
    assert_allclose(found.scores["type"], [0.8, 0.0, 0.0], atol=1e-6)
    assert_allclose(found.scores["a.b"], [0.8, 0.0, -0.6], atol=1e-6)
    assert_allclose(found.special_shares["type"], 0.2 / 1.0, atol=1e-6)
    assert_allclose(found.special_shares["a.b"], 0.2 / 1.6, atol=1e-6)
    if method == "integrated-gradients":
        assert_allclose(found.convergence_deltas["a.b"], [0.0], atol=1e-6)
    else:
        assert found.convergence_deltas is None


@pytest.mark.parametrize("method", METHODS)
def test_the_given_class_is_explained(tokenizer, settings, method):
    titles = ["chief data security", "security chief"]

    found = explain(
        planted(tokenizer, settings, VALUES), titles, method, classes={"type": np.array([1, 2])}, targets=["type"]
    )

    assert list(found.scores) == list(found.classes) == ["type"]
    assert found.title_of_word.tolist() == [0, 0, 0, 1, 1]
    assert_allclose(found.scores["type"], [0.0, 0.0, 0.6, 0.0, -1.0], atol=1e-6)


def test_gradient_x_input_is_that_of_captum(tiny):
    ids, mask = tokenize(PLAIN, tiny.tokenizer_, 16).padded(np.arange(len(PLAIN)))

    found = explain(tiny, PLAIN, "gradient-x-input")

    for target, logits in tiny.model_(ids, mask).items():
        peer = LayerGradientXActivation(
            lambda *given, target=target: tiny.model_(*given)[target], tiny.model_.encoder.get_input_embeddings()
        )
        tokens = peer.attribute(ids, target=logits.argmax(1), additional_forward_args=(mask,)).sum(-1).detach()
        of_titles = [row[: int(n)].numpy() for row, n in zip(tokens, mask.sum(1), strict=True)]
        assert_allclose(found.scores[target], word_parts(of_titles), atol=1e-6)
        special = [abs(row[[0, -1]]).sum() / abs(row).sum() for row in of_titles]
        assert_allclose(found.special_shares[target], special, atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "max", "cls"])
def test_grad_cam_splits_the_logit_among_the_vectors_of_the_last_layer(tiny, pooling):
    tiny.model_ = MultiHead(tiny.model_.encoder, tiny.model_.n_classes, pooling, 0.1).eval()

    found = explain(tiny, PLAIN, "grad-cam")

    for target, head in zip(tiny.model_.n_classes, tiny.model_.heads, strict=True):
        expected = []
        for position, title in enumerate(PLAIN):
            ids, mask = tokenize([title], tiny.tokenizer_, 16).padded(np.array([0]))
            vectors = tiny.model_.encoder(input_ids=ids, attention_mask=mask).last_hidden_state[0]  # (seq, dim)
            share = torch.full_like(vectors, 1 / len(vectors))
            if pooling == "cls":
                share = torch.zeros_like(vectors).index_fill_(0, torch.tensor([0]), 1.0)
            if pooling == "max":
                share = (vectors == vectors.amax(0)).float()
            expected.append((vectors * share * head.weight[found.classes[target][position]]).sum(1).detach().numpy())
        assert_allclose(found.scores[target], word_parts(expected), atol=1e-6)
    if pooling == "cls":
        assert_array_equal(found.special_shares[target], 1.0)


def integrated(system, title, target, asked, n_steps):
    """Integrate by hand: importances of tokens, (seq,), and the difference of the logit from the baseline's."""
    ids, mask = tokenize([title], system.tokenizer_, 16).padded(np.array([0]))
    embeddings = system.model_.encoder.get_input_embeddings()
    top = embeddings(ids).detach()
    bottom = embeddings(torch.full_like(ids, system.tokenizer_.pad_token_id)).detach()

    def logit(given):
        hook = embeddings.register_forward_hook(lambda *_: given)
        value = system.model_(ids, mask)[target][0, asked]
        hook.remove()
        return value

    total = torch.zeros_like(top)
    for step in range(n_steps):
        given = (bottom + (step + 0.5) / n_steps * (top - bottom)).requires_grad_()
        total += torch.autograd.grad(logit(given), given)[0] / n_steps
    return (total * (top - bottom)).sum(-1)[0].numpy(), (logit(top) - logit(bottom)).item()


@pytest.mark.parametrize("n_steps", [2, 30])
def test_integrated_gradients_sum_to_the_difference_from_padding_up_to_the_delta(tiny, n_steps):
    found = explain(tiny, PLAIN, "integrated-gradients", n_steps=n_steps)

    for target, classes in found.classes.items():
        by_hand = [integrated(tiny, title, target, asked, n_steps) for title, asked in zip(PLAIN, classes, strict=True)]
        assert_allclose(found.scores[target], word_parts([tokens for tokens, _ in by_hand]), atol=1e-5)
        deltas = [tokens.sum() - difference for tokens, difference in by_hand]
        assert_allclose(found.convergence_deltas[target], deltas, atol=1e-5)
    assert (np.abs(found.convergence_deltas["type"]) < 1e-4).all() == (n_steps == 30)


@pytest.mark.parametrize("method", METHODS)
def test_importances_are_summed_over_the_tokens_of_each_word(tokenizer, settings, method):
    """Every token is worth 1, so a word is worth its tokens; signs that are read are tokens of no word."""
    title = "  Cafe\u0301&MANAGER, +Qzx+  Ñurse"
    system = planted(tokenizer, settings, {}, others=(1.0, 0.0))

    found = explain(system, [title], method)

    assert words_of(title, found) == ["Cafe\u0301", "MANAGER", "Qzx", "Ñurse"]
    n_tokens = 2 + 4 + 1 + 1 + 1 + 3 + 1 + 1
    assert_allclose(found.scores["type"] * n_tokens, [4, 1, 3, 1], atol=1e-5)
    assert_array_equal(found.special_shares["type"], 0.0)


def test_words_beyond_the_kept_tokens_score_zero(tokenizer, settings):
    system = planted(tokenizer, replace(settings, max_tokens=6), {}, others=(1.0, 0.0))
    titles = ["chief qzxk nurse", "data " * 300]

    found = explain(system, titles, "grad-cam")

    assert len(found.scores["type"]) == 3 + 300
    assert_allclose(found.scores["type"][:3] * 6, [1, 3, 0], atol=1e-6)
    assert_allclose(found.scores["type"][3:] * 6, [1] * 4 + [0] * 296, atol=1e-6)


def test_a_token_of_several_words_is_divided_equally_among_them(tokenizer, settings):
    """The tokenizer knows no such word, and makes one unknown token of it."""
    title = "nurse™chief™data night"

    found = explain(planted(tokenizer, settings, {"[UNK]": [3.0, 0.0], "night": [2.0, 0.0]}), [title], "grad-cam")

    assert words_of(title, found) == ["nurse", "chief", "data", "night"]
    assert_allclose(found.scores["type"] * 4, [1, 1, 1, 2], atol=1e-6)


def test_words_are_those_of_the_keyword_table(tiny):
    titles = ["R&D/C++ dev_ops", "x²½ Ⅷ ٣", "हिन्दी 上海市 İstanbul", "e\u0301\u20dd…", "a\u200db", "3.5%", "ªº ①"]

    found = explain(tiny, titles, "grad-cam")

    expected = pl.Series(titles).str.extract_all(r"[\p{L}\p{M}\p{N}]+").to_list()
    for position, title in enumerate(titles):
        chosen = found.title_of_word == position
        spans = zip(found.starts[chosen], found.ends[chosen], strict=True)
        assert [title[start:end] for start, end in spans] == expected[position]


@pytest.mark.parametrize("method", METHODS)
def test_any_string_can_be_explained(tiny, method):
    titles = ["", "&&", "\x00", "\ud800 nurse", "\N{GRINNING FACE}" * 500, "a" * 10**5]

    found = explain(tiny, titles, method)

    assert found.title_of_word.tolist() == [3, 5]
    for target, shares in found.special_shares.items():
        assert shares.shape == found.classes[target].shape == (6,)
        assert ((shares >= 0) & (shares <= 1)).all()
        assert shares[0] == 1.0
        assert np.isfinite(found.scores[target]).all()


@pytest.mark.parametrize("method", METHODS)
def test_no_titles_have_no_words(tiny, method):
    found = explain(tiny, [], method)

    assert {target: len(scores) for target, scores in found.scores.items()} == {"type": 0, "a.b": 0}
    assert {len(found.title_of_word), len(found.starts), len(found.ends), len(found.classes["type"])} == {0}


@pytest.mark.parametrize("method", METHODS)
def test_special_tokens_have_no_share_where_nothing_has_importance(tokenizer, settings, method):
    found = explain(planted(tokenizer, settings, {}), ["chief nurse", ""], method)

    assert_array_equal(found.scores["type"], [0.0, 0.0])
    assert_array_equal(found.special_shares["type"], [0.0, 0.0])


@pytest.mark.parametrize("method", METHODS)
def test_the_predicted_class_is_explained_where_none_is_given(tiny, method):
    found = explain(tiny, PLAIN, method)

    for target, logits in predict_logits(tiny.model_, tokenize(PLAIN, tiny.tokenizer_, 16), "fp32").items():
        assert found.classes[target].tolist() == logits.argmax(1).tolist()


@pytest.mark.parametrize("method", METHODS)
def test_a_title_gets_the_same_explanation_at_any_position_and_in_any_call(tiny, method):
    many = [*PLAIN, *(f"{word} night" for word in "abcdefghijklmnopqrstuvwxyz"), "chief data security"] * 8
    alone = explain(tiny, PLAIN[:1], method)
    tiny.model_.train()

    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        among, again = (explain(tiny, many, method) for _ in range(2))

    for target in alone.scores:
        assert_allclose(among.scores[target][:3], alone.scores[target], atol=1e-5)
        assert_allclose(among.scores[target][-3:], alone.scores[target], atol=1e-5)
        assert_array_equal(among.scores[target], again.scores[target])


@pytest.mark.parametrize("method", METHODS)
def test_the_network_is_left_as_it_was(tiny, method):
    network = tiny.model_.train()
    network.encoder.eval()
    embeddings = network.encoder.get_input_embeddings()
    embeddings.weight.requires_grad_(False)
    network.heads[0].weight.grad = torch.ones_like(network.heads[0].weight)
    before = [(module.training, len(module._forward_hooks)) for module in network.modules()]

    explain(tiny, PLAIN, method)

    assert [(module.training, len(module._forward_hooks)) for module in network.modules()] == before
    assert [each for each in network.parameters() if not each.requires_grad] == [embeddings.weight]
    with_gradient = [name for name, each in network.named_parameters() if each.grad is not None]
    assert with_gradient == ["heads.0.weight"]
    assert (network.heads[0].weight.grad == 1).all()


def test_another_companys_targets_are_explained(company, tiny):
    torch.manual_seed(0)
    n_classes = {target.name: target.n_classes for target in company.taxonomy.targets}
    network = MultiHead(tiny.model_.encoder, n_classes, "mean", 0.1).eval()
    system = system_of(network, tiny.tokenizer_, tiny.settings, company.taxonomy)
    titles = ["head nurse", "ward cook north"]
    classes = {"department": np.array([10, 4]), "seniority": np.array([5, 0])}

    found = explain(system, titles, "gradient-x-input", classes=classes)

    assert {target: len(scores) for target, scores in found.scores.items()} == {"department": 5, "seniority": 5}
    alone = explain(system, titles, "gradient-x-input", classes=classes, targets=["seniority"])
    assert_allclose(alone.scores["seniority"], found.scores["seniority"], atol=1e-6)
    assert not np.allclose(found.scores["seniority"], found.scores["department"])


def test_progress_ends_with_all_titles(tiny):
    told = []

    explain(tiny, PLAIN * 100, "grad-cam", on_progress=lambda *step: told.append(step))

    assert len(told) > 1
    assert told[-1] == ("neural explain", 500, 500)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "grad-cams"}, "Unknown method 'grad-cams'. Did you mean 'grad-cam'"),
        ({"targets": ["typ"]}, "Unknown target 'typ'. Did you mean 'type'"),
        ({"n_steps": 1}, "n_steps is 1; integrated gradients need at least 2"),
        ({"classes": {"type": [0, 1]}}, r"no classes to explain for target 'a.b'"),
        ({"classes": {"type": [0], "a.b": [0, 1]}}, r"'type' have shape \(1,\); expected one each of 2 titles"),
        ({"classes": {"type": [0, 3], "a.b": [0, 1]}}, "'type' go from 0 to 3; expected positions from 0 to 2"),
        ({"classes": {"type": [0, -1], "a.b": [0, 1]}}, "'type' go from -1 to 0"),
    ],
)
def test_what_cannot_be_explained_is_bad_input(tiny, given, message):
    if "classes" in given:
        given = {"classes": {target: np.array(codes) for target, codes in given["classes"].items()}}

    with pytest.raises(BadInput, match=message):
        explain(tiny, ["chief", "nurse"], **{"method": "integrated-gradients"} | given)


def test_a_system_that_is_not_fitted_is_refused(settings):
    with pytest.raises(BadInput, match="has learned nothing yet"):
        explain(NeuralClassifier(settings), ["nurse"], "grad-cam")


def test_only_integrated_gradients_need_captum(tiny, monkeypatch):
    monkeypatch.setattr(neural.attribution, "find_spec", lambda _name: None)

    with pytest.raises(BadInput, match="needs the package 'captum'"):
        explain(tiny, ["nurse"], "integrated-gradients")
    assert len(explain(tiny, ["nurse"], "gradient-x-input").scores["type"]) == 1
