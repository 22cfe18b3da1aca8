"""The network outside torch answers as it does inside."""

import numpy as np
import pytest
import torch

from data_cleaning.errors import BadInput
from neural import runtime
from neural.batches import tokenize
from neural.inference import predict_logits
from neural.onnx import OnnxNetwork, Parity, export, parity, quantize
from neural.runtime import choose_runtime, predict_with

pytest.importorskip("onnxruntime")


@pytest.fixture
def titles(tokenizer, toy):
    """More titles than a choice needs; that some are equal does no harm here."""
    return tokenize([*toy.titles, "chief", "senior night data network nurse"] * 5, tokenizer, 16)


@pytest.fixture
def exported(network, tmp_path):
    export(network, tmp_path / "network.onnx")
    return tmp_path / "network.onnx"


def test_the_exported_network_answers_titles_of_any_length_as_torch_does(network, exported, titles):
    found = OnnxNetwork(exported.read_bytes(), network.n_classes).logits(titles)
    expected = predict_logits(network, titles, "fp32")

    assert len(set(titles.lengths)) > 2
    for target, values in expected.items():
        torch.testing.assert_close(found[target], values, atol=1e-5, rtol=1e-4)
    assert parity(expected, found).passes


def test_int8_weights_take_less_room_and_answer_nearly_the_same(network, exported, titles, tmp_path):
    quantize(exported, tmp_path / "int8.onnx")
    small = (tmp_path / "int8.onnx").read_bytes()

    assert len(small) < exported.stat().st_size
    found = OnnxNetwork(small, network.n_classes).logits(titles)
    assert parity(predict_logits(network, titles, "fp32"), found).difference < 0.05


def test_int8_says_so_and_leaves_close_calls_to_torch(network, exported, titles, tmp_path):
    quantize(exported, tmp_path / "int8.onnx")
    small = OnnxNetwork((tmp_path / "int8.onnx").read_bytes(), network.n_classes)
    assert small.is_int8
    assert not OnnxNetwork(exported.read_bytes(), network.n_classes).is_int8
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
def test_parity_has_two_sides(agreement, difference, passes):
    assert Parity(agreement, difference).passes is passes


def test_parity_is_that_of_the_worst_target():
    reference = {"a": torch.tensor([[2.0, 0.0], [0.0, 2.0]]), "b": torch.tensor([[1.0, 0.0], [1.0, 0.0]])}
    answers = {"a": reference["a"], "b": torch.tensor([[1.0, 0.0], [0.0, 1.0]])}
    found = parity(reference, answers)

    assert found.agreement == 0.5
    assert found.difference == pytest.approx((torch.sigmoid(torch.tensor(1.0)) - 0.5).item())


@pytest.mark.parametrize(
    ("precision", "int8_agrees", "expected"),
    [("fp32", False, "onnx"), ("bf16", False, "torch"), ("fp32", True, "onnx-int8"), ("bf16", True, "onnx-int8")],
)
def test_the_first_runtime_that_passes_is_taken_however_fast(
    network, titles, monkeypatch, precision, int8_agrees, expected
):
    names = iter(["plain", "small"])
    monkeypatch.setattr(runtime, "OnnxNetwork", lambda *_: next(names))
    monkeypatch.setattr(runtime, "predict_with", lambda _model, network, _precision: network)
    monkeypatch.setattr(runtime, "_timed", lambda network, _: (1.0, network))
    verdicts = {None: Parity(1, 0), "plain": Parity(1, 0), "small": Parity(0.999 if int8_agrees else 0.9, 0.002)}
    monkeypatch.setattr(runtime, "parity", lambda _, network: verdicts[network])

    chosen = choose_runtime(network, titles, "auto", precision)

    assert chosen.name == expected
    assert chosen.network == {"onnx": "plain", "torch": None, "onnx-int8": "small"}[expected]
    assert chosen.compared["onnx-int8"]["passes"] is int8_agrees


def test_a_runtime_that_was_asked_for_has_to_pass(network, titles, monkeypatch):
    monkeypatch.setattr(runtime, "parity", lambda *_: Parity(0.9, 0.02))

    with pytest.raises(BadInput, match="answers otherwise than torch"):
        choose_runtime(network, titles, "onnx", "fp32")


def test_too_few_titles_to_compare_leave_it_to_torch(network, titles):
    few = titles.select(np.arange(20))

    assert choose_runtime(network, few, "auto", "fp32").name == "torch"


def test_without_onnx_torch_answers_unless_it_was_asked_for(network, titles, monkeypatch):
    def absent(*_):
        raise BadInput("onnx is not installed")

    monkeypatch.setattr(runtime, "export", absent)

    assert choose_runtime(network, titles, "auto", "fp32").name == "torch"
    with pytest.raises(BadInput, match="not installed"):
        choose_runtime(network, titles, "onnx-int8", "fp32")


def test_a_file_that_is_no_network_is_refused():
    with pytest.raises(BadInput, match="cannot open"):
        OnnxNetwork(b"no network", {"type": 3})
