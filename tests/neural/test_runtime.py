from types import SimpleNamespace

import numpy as np
import pytest
import torch

from data_cleaning.errors import BadInput
from neural import runtime
from neural.batches import tokenize
from neural.network import predict_logits
from neural.runtime import OnnxNetwork, Parity, choose_runtime, parity, predict_with

pytest.importorskip("onnxruntime")


@pytest.fixture
def titles(tokenizer, toy):
    """More titles than a choice needs; that some are equal does not matter here."""
    return tokenize([*toy.titles, "chief", "senior night data network nurse"] * 5, tokenizer, 16)


@pytest.fixture
def exported(network):
    return OnnxNetwork.in_fp32(network)


def test_the_exported_network_predicts_titles_of_any_length_as_torch_does(network, exported, titles):
    found = exported.logits(titles)
    expected = predict_logits(network, titles, "fp32")

    assert len(set(titles.lengths)) > 2
    for target, values in expected.items():
        torch.testing.assert_close(found[target], values, atol=1e-5, rtol=1e-4)
    assert parity(expected, found).passes


def test_int8_weights_take_less_space_and_predict_nearly_the_same(network, exported, titles, caplog):
    small = exported.in_int8()

    assert not caplog.records  # no advice of a library on the screen
    assert len(small.content) < len(exported.content)
    assert parity(predict_logits(network, titles, "fp32"), small.logits(titles)).difference < 0.05


def test_torch_predicts_the_close_calls_of_int8(network, exported, titles):
    small = exported.in_int8()
    assert small.is_int8
    assert not exported.is_int8
    sure = {
        target: torch.eye(n)[torch.zeros(len(titles), dtype=torch.long)] * 9 for target, n in network.n_classes.items()
    }
    sure["a.b"][3] = torch.tensor([0.1, 0.0])
    small.logits = lambda *_: {target: values.clone() for target, values in sure.items()}

    found = predict_with(network, small, "fp32")(titles)

    expected = predict_logits(network, titles.select(np.array([3])), "fp32")
    for target, values in found.items():
        torch.testing.assert_close(values[3:4], expected[target])
        others = np.delete(np.arange(len(titles)), 3)
        assert torch.equal(values[others], sure[target][others])


@pytest.mark.parametrize(
    ("agreement", "difference", "passes"), [(0.995, 0.01, True), (0.994, 0.0, False), (1.0, 0.011, False)]
)
def test_parity_needs_both_agreement_and_a_small_difference(agreement, difference, passes):
    assert Parity(agreement, difference).passes is passes


def test_parity_is_that_of_the_worst_target():
    reference = {"a": torch.tensor([[2.0, 0.0], [0.0, 2.0]]), "b": torch.tensor([[1.0, 0.0], [1.0, 0.0]])}
    answers = {"a": reference["a"], "b": torch.tensor([[1.0, 0.0], [0.0, 1.0]])}
    found = parity(reference, answers)

    assert found.agreement == 0.5
    assert found.difference == pytest.approx((torch.sigmoid(torch.tensor(1.0)) - 0.5).item())


def test_a_processor_built_for_bf16_runs_torch_and_compares_nothing_else(network, titles, monkeypatch):
    chosen = choose_runtime(network, titles, "auto", "bf16")

    assert (chosen.name, chosen.network, list(chosen.compared)) == ("torch", None, ["torch"])
    assert choose_runtime(network, titles, "auto", "fp32").name != "torch"


@pytest.mark.parametrize(
    ("precision", "int8_agrees", "expected"),
    [("fp32", False, "onnx"), ("fp32", True, "onnx-int8"), ("bf16", False, "torch"), ("bf16", True, "torch")],
)
def test_the_first_runtime_that_passes_is_chosen_whatever_its_measured_speed(
    network, titles, monkeypatch, precision, int8_agrees, expected
):
    plain = SimpleNamespace(in_int8=lambda: "small")
    monkeypatch.setattr(OnnxNetwork, "in_fp32", lambda _: plain)
    monkeypatch.setattr(runtime, "predict_with", lambda _model, network, _precision: lambda _titles: network)
    int8 = Parity(0.999 if int8_agrees else 0.9, 0.002)
    monkeypatch.setattr(runtime, "parity", lambda _, network: int8 if network == "small" else Parity(1, 0))

    chosen = choose_runtime(network, titles, "auto", precision)

    assert chosen.name == expected
    assert chosen.network == {"onnx": plain, "torch": None, "onnx-int8": "small"}[expected]
    assert precision == "bf16" or chosen.compared["onnx-int8"]["passes"] is int8_agrees


def test_a_runtime_that_was_asked_for_has_to_pass(network, titles, monkeypatch):
    monkeypatch.setattr(runtime, "parity", lambda *_: Parity(0.9, 0.02))

    with pytest.raises(BadInput, match="disagrees with torch"):
        choose_runtime(network, titles, "onnx", "fp32")


def test_torch_predicts_where_there_are_too_few_titles_to_compare(network, titles):
    few = titles.select(np.arange(20))

    assert choose_runtime(network, few, "auto", "fp32").name == "torch"


def test_torch_predicts_without_onnx_unless_onnx_was_asked_for(network, titles, monkeypatch):
    monkeypatch.setattr(runtime, "find_spec", lambda _name: None)

    assert choose_runtime(network, titles, "auto", "fp32").name == "torch"
    with pytest.raises(BadInput, match="not installed"):
        choose_runtime(network, titles, "onnx-int8", "fp32")


def test_content_that_is_not_a_network_is_refused():
    with pytest.raises(BadInput, match="cannot open"):
        OnnxNetwork(b"no network", {"type": 3})
