"""Which of the ways to run a fitted network is fast and does not answer otherwise."""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from data_cleaning.errors import BadInput
from data_cleaning.titles import IntArray
from neural.batches import TokenizedTitles
from neural.devices import uses_bf16
from neural.inference import predict_logits
from neural.multihead import MultiHead
from neural.onnx import OnnxNetwork, export, parity, quantize

MOST_TITLES, LEAST_TITLES = 2_000, 200
"""Titles that runtimes are compared on: more tell no more, and fewer cannot show an agreement of .995."""

RUNTIMES = ("torch", "onnx", "onnx-int8")

CLOSE_CALL = 0.1
"""Where the two likeliest classes of a target are this close in int8, torch answers the title: nearly all verdicts that
int8 would turn are among these 5 to 7 titles in a hundred. In probability, before any temperature."""


@dataclass(frozen=True)
class Chosen:
    """How a network is run from now on."""

    name: str
    network: OnnxNetwork | None
    """None where torch runs it."""
    compared: dict[str, Any]
    """Runtime to titles per second, agreement and difference; empty where there was nothing to compare."""


def choose_runtime(model: MultiHead, titles: TokenizedTitles, asked: str, precision: str) -> Chosen:
    """Compare the runtimes on titles that the network did not learn from, and take the first that passes parity.

    int8 comes first, then torch where it has bf16, then ONNX in fp32.

    Args:
        model: on the device that it answers on; a GPU keeps it to torch.
        titles: distinct titles, such as those of validation.
        asked: one of `RUNTIMES`, which then has to pass, or "auto".
        precision: of torch: "auto", "fp32" or "bf16".

    Raises:
        BadInput: the runtime that was asked for is not installed, or answers otherwise than torch.
    """
    sample = titles.select(np.arange(min(len(titles), MOST_TITLES)))
    on_cpu = next(model.parameters()).device.type == "cpu"
    if asked == "torch" or (asked == "auto" and (not on_cpu or len(sample) < LEAST_TITLES)):
        return Chosen("torch", None, {})
    try:
        return _compare(model, sample, asked, precision)
    except (BadInput, ImportError):
        if asked == "auto":  # a machine with torch and little else
            return Chosen("torch", None, {})
        raise


def _compare(model: MultiHead, sample: TokenizedTitles, asked: str, precision: str) -> Chosen:
    reference = predict_logits(model, sample, "fp32")
    networks: dict[str, OnnxNetwork | None] = {"torch": None}
    with tempfile.TemporaryDirectory() as folder:
        plain, small = Path(folder) / "network.onnx", Path(folder) / "int8.onnx"
        export(model, plain)
        networks["onnx"] = OnnxNetwork(plain.read_bytes(), model.n_classes)
        if asked != "onnx":
            quantize(plain, small)
            networks["onnx-int8"] = OnnxNetwork(small.read_bytes(), model.n_classes)
    compared = {}
    for name, network in networks.items():
        runs = predict_with(model, network, precision)
        seconds, answers = _timed(runs, sample)
        found = parity(reference, answers)
        compared[name] = {"titles_per_second": len(sample) / seconds, **asdict(found), "passes": found.passes}
    if asked != "auto":
        if not compared[asked]["passes"]:
            raise BadInput(
                f"runtime {asked!r} answers otherwise than torch: {compared[asked]}. Set runtime to 'torch'."
            )
        return Chosen(asked, networks[asked], compared)
    # In the order of a quiet machine's speeds, not of those just measured: equal fits have to give equal answers.
    order = (
        ("onnx-int8", "torch", "onnx") if uses_bf16(precision, torch.device("cpu")) else ("onnx-int8", "onnx", "torch")
    )
    first = next(name for name in order if name == "torch" or compared[name]["passes"])
    return Chosen(first, networks[first], compared)


def predict_with(model: MultiHead, network: OnnxNetwork | None, precision: str) -> Callable[..., dict[str, Tensor]]:
    """Return what runs titles through a network: titles, and optionally a step and its progress, to logits."""
    if network is None:
        return lambda titles, *told: predict_logits(model, titles, precision, *told)
    if not network.is_int8:
        return network.logits

    def with_close_calls(titles: TokenizedTitles, *told: Any) -> dict[str, Tensor]:
        logits = network.logits(titles, *told)  # target -> (n_titles, n_classes)
        again = _close_calls(logits)  # (n_again,)
        for target, values in predict_logits(model, titles.select(again), precision).items():
            logits[target][torch.from_numpy(again)] = values
        return logits

    return with_close_calls


def _close_calls(logits: Mapping[str, Tensor]) -> IntArray:
    """Return the rows in which the two likeliest classes of any target differ by less than `CLOSE_CALL`."""
    close = torch.zeros(len(next(iter(logits.values()))), dtype=torch.bool)  # (n_titles,)
    for values in logits.values():
        best = torch.softmax(values, 1).topk(min(2, values.shape[1]), dim=1).values  # (n_titles, 2), 1 of a lone class
        close |= best[:, 0] - best[:, 1:].sum(1) < CLOSE_CALL
    rows: IntArray = torch.nonzero(close).squeeze(1).numpy()
    return rows


def _timed(
    runs: Callable[[TokenizedTitles], dict[str, Tensor]], sample: TokenizedTitles
) -> tuple[float, dict[str, Tensor]]:
    """Return the wall seconds and the logits of a run, after one over a few titles that sets everything up."""
    few: IntArray = np.arange(min(len(sample), 64))
    runs(sample.select(few))
    began = time.perf_counter()
    answers = runs(sample)
    return time.perf_counter() - began, answers
