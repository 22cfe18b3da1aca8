"""How a fitted network is run: by torch, or by onnxruntime in fp32 or int8 where the predictions agree.

onnx and onnxruntime are imported on use; where they are not installed, torch predicts.
"""

import copy
import logging
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from data_cleaning.errors import BadInput
from data_cleaning.progress import Progress, silent
from data_cleaning.titles import IntArray
from neural.batches import TokenizedTitles
from neural.cpu_operations import choose_attention
from neural.devices import uses_bf16
from neural.network import TOKENS_PER_BATCH, MultiHead, predict_logits

MIN_AGREEMENT, MAX_DIFFERENCE = 0.995, 0.01
"""A runtime passes if at least this share of each target's predictions are torch's, and probabilities differ by at most
this much on average."""

MAX_TITLES, MIN_TITLES = 2_000, 200
"""Titles on which runtimes are compared: more add nothing, and fewer cannot show an agreement of .995."""

CLOSE_CALL = 0.1
"""Where the probabilities of a target's two best classes are this close in int8, before any temperature, torch predicts
the title instead. Nearly all predictions that int8 would change are among these 5 to 7 titles in a hundred."""

_INPUTS = ("ids", "mask")
_WEIGHTS, _INT8 = "weights", "int8"
_ROWS_ALIKE = 4
"""onnxruntime rounds all rows of a batch alike only if their number is a multiple of this."""


@dataclass(frozen=True)
class Chosen:
    """How a network is run from now on."""

    name: str
    network: "OnnxNetwork | None"
    """None where torch runs it."""
    compared: dict[str, Any]
    """Runtime to titles per second, agreement and difference; those that did not have to be compared are missing."""


@dataclass(frozen=True)
class Parity:
    """How close a runtime comes to torch in fp32, at its worst target."""

    agreement: float
    """Share of titles with the same most probable class, in [0, 1]."""
    difference: float
    """Mean absolute difference of the probabilities, in [0, 1]."""

    @property
    def passes(self) -> bool:
        """Whether the runtime may replace torch."""
        return self.agreement >= MIN_AGREEMENT and self.difference <= MAX_DIFFERENCE


class OnnxNetwork:
    """A network that onnxruntime runs on the CPU."""

    def __init__(self, content: bytes, n_classes: Mapping[str, int]) -> None:
        """Open the `content` of an exported network, whose outputs are in the order of `n_classes`.

        Raises:
            BadInput: onnxruntime is not installed, or the content is no such network.
        """
        try:
            import onnxruntime
        except ImportError:
            raise BadInput("onnxruntime is not installed; pip install it, or set runtime to 'torch'.") from None
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors; its warnings are about graphs that no user made
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has its own kinds, none of them public
            raise BadInput(f"onnxruntime cannot open the exported network ({error}). Fit or export again.") from None
        self.content = content
        self.is_int8 = self._session.get_modelmeta().custom_metadata_map.get(_WEIGHTS) == _INT8
        self.n_classes = dict(n_classes)

    @classmethod
    def in_fp32(cls, model: MultiHead) -> "OnnxNetwork":
        """Export a network, its weights included, in fp32, for any batch size and length.

        Raises:
            BadInput: onnx or onnxruntime is not installed.
        """
        if find_spec("onnx") is None:
            raise BadInput("onnx is not installed; pip install onnx and onnxruntime, or set runtime to 'torch'.")
        example = torch.ones(2, 5, dtype=torch.int64)
        free = {0: "title", 1: "token"}
        # onnxruntime rounds the last values of an exponential otherwise than the others, but not of a softmax.
        copied = copy.deepcopy(model).eval()
        choose_attention(copied.encoder, short=False)
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            path = Path(folder) / "network.onnx"
            # The graph exporter, which is to replace this one, takes five times as long and its int8 network is slower.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _Listed(copied),
                (example, example),
                str(path),
                input_names=list(_INPUTS),
                output_names=[f"target {position}" for position in range(len(model.n_classes))],
                dynamic_axes=dict.fromkeys(_INPUTS, free),
                opset_version=17,
                dynamo=False,
            )
            return cls(path.read_bytes(), model.n_classes)

    def in_int8(self) -> "OnnxNetwork":
        """Return this network, which is in fp32, with int8 weights; activations are quantised while it runs."""
        import onnx
        from onnxruntime.quantization import QuantType, quantize_dynamic

        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "network.onnx", Path(folder) / "int8.onnx"
            source.write_bytes(self.content)
            logging.disable(logging.WARNING)  # it logs advice to callers through the root logger
            try:
                quantize_dynamic(str(source), str(target), weight_type=QuantType.QInt8, per_channel=True)
            finally:
                logging.disable(logging.NOTSET)
            model = onnx.load(str(target))
            model.metadata_props.add(key=_WEIGHTS, value=_INT8)
            onnx.save(model, str(target))
            return OnnxNetwork(target.read_bytes(), self.n_classes)

    def logits(
        self, titles: TokenizedTitles, step: str = "", on_progress: Progress = silent, *, batch_invariant: bool = False
    ) -> dict[str, Tensor]:
        """Return target to logits, float32, each (n_titles, n_classes), in the order of the titles.

        With `batch_invariant`, which needs fp32, the last bit of a title's logits does not depend on the others.
        """
        found = {target: torch.empty(len(titles), n) for target, n in self.n_classes.items()}
        for rows in titles.batches(TOKENS_PER_BATCH["cpu"], step, on_progress, one_length=batch_invariant):
            n_rows = -(-len(rows) // _ROWS_ALIKE) * _ROWS_ALIKE if batch_invariant else len(rows)
            ids, mask = titles.padded(rows, n_rows=n_rows)  # (n_rows, seq) each
            outputs = self._session.run(None, dict(zip(_INPUTS, (ids.numpy(), mask.numpy()), strict=True)))
            for target, values in zip(self.n_classes, outputs, strict=True):
                found[target][torch.from_numpy(rows)] = torch.from_numpy(values[: len(rows)])  # (n_rows, n_classes)
        return found


class _Listed(nn.Module):
    """The network with its logits as a tuple, because ONNX has no dictionaries."""

    def __init__(self, model: MultiHead) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, mask: Tensor) -> Any:
        return tuple(self.model(ids, mask).values())


def parity(reference: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> Parity:
    """Compare logits with the `reference`, those of torch in fp32: target to (n_titles, n_classes)."""
    pairs = [(found[target], expected) for target, expected in reference.items()]
    agreements = (float((logits.argmax(1) == expected.argmax(1)).double().mean()) for logits, expected in pairs)
    differences = (float((logits.softmax(1) - expected.softmax(1)).abs().mean()) for logits, expected in pairs)
    return Parity(agreement=min(agreements), difference=max(differences))


def choose_runtime(model: MultiHead, titles: TokenizedTitles, wanted: str, precision: str) -> Chosen:
    """Compare the runtimes on titles that the network did not learn from, and take the first that passes parity.

    torch comes first on a processor built for bf16, and is then compared alone. Elsewhere int8 comes first, then torch
    where it has bf16, then ONNX in fp32.

    Args:
        model: on the device that it predicts on; on a GPU only torch runs it.
        titles: distinct titles, such as those of validation.
        wanted: "torch", "onnx" or "onnx-int8", which then has to pass, or "auto".
        precision: of torch: "auto", "fp32" or "bf16".

    Raises:
        BadInput: the runtime that was asked for is not installed, or disagrees with torch.
    """
    sample = titles.select(np.arange(min(len(titles), MAX_TITLES)))
    on_cpu = next(model.parameters()).device.type == "cpu"
    if wanted == "torch" or (wanted == "auto" and (not on_cpu or len(sample) < MIN_TITLES)):
        return Chosen("torch", None, {})
    try:
        return _compare(model, sample, wanted, precision)
    except (BadInput, ImportError):
        if wanted == "auto":  # a machine with torch and little else
            return Chosen("torch", None, {})
        raise


def _compare(model: MultiHead, sample: TokenizedTitles, wanted: str, precision: str) -> Chosen:
    reference = predict_logits(model, sample, "fp32")
    compared: dict[str, Any] = {}

    def passes(name: str, network: OnnxNetwork | None) -> bool:
        run = predict_with(model, network, precision)
        run(sample.select(np.arange(min(len(sample), 64))))  # the first run loads what later ones reuse
        began = time.perf_counter()
        logits = run(sample)
        seconds = time.perf_counter() - began
        found = parity(reference, logits)
        compared[name] = {"titles_per_second": len(sample) / seconds, **asdict(found), "passes": found.passes}
        return found.passes

    # In the order of the speeds on a quiet machine, not of those just measured: equal fits must predict the same.
    # Where torch multiplies in bf16, it is faster than onnxruntime in int8, and more exact.
    if passes("torch", None) and wanted == "auto" and uses_bf16(precision, torch.device("cpu")):
        return Chosen("torch", None, compared)
    plain = OnnxNetwork.in_fp32(model)
    networks: dict[str, OnnxNetwork | None] = {"torch": None, "onnx": plain}
    if wanted != "onnx":
        networks["onnx-int8"] = plain.in_int8()
    passed = {name for name in networks if name != "torch" and passes(name, networks[name])}
    if wanted != "auto":
        if wanted not in passed:
            raise BadInput(f"runtime {wanted!r} disagrees with torch: {compared[wanted]}. Set runtime to 'torch'.")
        return Chosen(wanted, networks[wanted], compared)
    first = next((name for name in ("onnx-int8", "onnx") if name in passed), "torch")
    return Chosen(first, networks[first], compared)


def predict_with(
    model: MultiHead, network: OnnxNetwork | None, precision: str, *, batch_invariant: bool = False
) -> Callable[..., dict[str, Tensor]]:
    """Return the function that maps titles, and optionally a step and its progress, to logits.

    `network` is the exported `model`; None runs it in torch, in `precision`: "auto", "fp32" or "bf16". With
    `batch_invariant`, which needs a network that is not in int8, no title's logits depend on the others.
    """
    if network is None:
        return lambda titles, *progress: predict_logits(
            model, titles, precision, *progress, batch_invariant=batch_invariant
        )
    if not network.is_int8:
        return partial(network.logits, batch_invariant=batch_invariant)

    def with_close_calls(titles: TokenizedTitles, *progress: Any) -> dict[str, Tensor]:
        logits = network.logits(titles, *progress)  # target -> (n_titles, n_classes)
        again = _close_calls(logits)  # (n_again,)
        for target, values in predict_logits(model, titles.select(again), precision).items():
            logits[target][torch.from_numpy(again)] = values
        return logits

    return with_close_calls


def _close_calls(logits: Mapping[str, Tensor]) -> IntArray:
    """Return the rows in which the two most probable classes of any target differ by less than `CLOSE_CALL`."""
    close = torch.zeros(len(next(iter(logits.values()))), dtype=torch.bool)  # (n_titles,)
    for values in logits.values():
        best = torch.softmax(values, 1).topk(min(2, values.shape[1]), dim=1).values  # (n_titles, 2), 1 of a lone class
        close |= best[:, 0] - best[:, 1:].sum(1) < CLOSE_CALL
    rows: IntArray = torch.nonzero(close).squeeze(1).numpy()
    return rows
