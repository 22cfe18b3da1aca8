"""The fitted network outside torch: ONNX in fp32 or with int8 weights, and whether its answers are the same.

onnx and onnxruntime load on use; where they are not installed, torch answers.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from data_cleaning.errors import BadInput
from data_cleaning.progress import Progress, silent
from neural.batches import TokenizedTitles, plan_batches
from neural.inference import TOKENS_PER_BATCH
from neural.multihead import MultiHead

LEAST_AGREEMENT, MOST_DIFFERENCE = 0.995, 0.01
"""A runtime passes where so many verdicts of every target are torch's and probabilities differ so little on average."""

_INPUTS = ("ids", "mask")
_WEIGHTS, _INT8 = "weights", "int8"


@dataclass(frozen=True)
class Parity:
    """How close a runtime comes to torch in fp32, at its worst target."""

    agreement: float
    """Share of titles with the same most probable class, in [0, 1]."""
    difference: float
    """Mean absolute difference of the probabilities, in [0, 1]."""

    @property
    def passes(self) -> bool:
        """Whether the runtime may answer in torch's place."""
        return self.agreement >= LEAST_AGREEMENT and self.difference <= MOST_DIFFERENCE


class OnnxNetwork:
    """A network that onnxruntime runs on the CPU."""

    def __init__(self, content: bytes, n_classes: Mapping[str, int]) -> None:
        """Open an exported network.

        Args:
            content: of a file that `export` or `quantize` wrote.
            n_classes: target to its number of classes, in the order of the network's outputs.

        Raises:
            BadInput: onnxruntime is not installed, or the content is no such network.
        """
        try:
            import onnxruntime
        except ImportError:
            raise BadInput("onnxruntime is not installed; pip install it, or set runtime to 'torch'.") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has its own kinds, none of them public
            raise BadInput(f"onnxruntime cannot open the exported network ({error}). Fit or export again.") from None
        self.content = content
        self.is_int8 = self._session.get_modelmeta().custom_metadata_map.get(_WEIGHTS) == _INT8
        self.n_classes = dict(n_classes)

    def logits(self, titles: TokenizedTitles, step: str = "", on_progress: Progress = silent) -> dict[str, Tensor]:
        """Return target to logits, float32, each (n_titles, n_classes), in the order of the titles."""
        found = {target: torch.empty(len(titles), n) for target, n in self.n_classes.items()}
        budget = max(TOKENS_PER_BATCH["cpu"], int(titles.lengths.max(initial=0)))
        n_done = 0
        for rows in plan_batches(titles.lengths, budget):
            ids, mask = titles.padded(rows)  # (n_rows, seq) each
            answers = self._session.run(None, dict(zip(_INPUTS, (ids.numpy(), mask.numpy()), strict=True)))
            for target, values in zip(self.n_classes, answers, strict=True):
                found[target][torch.from_numpy(rows)] = torch.from_numpy(values)  # (n_rows, n_classes)
            n_done += len(rows)
            on_progress(step, n_done, len(titles))
        return found


def export(model: MultiHead, path: Path) -> None:
    """Write a network, its weights included, in fp32; batch and length stay free.

    Raises:
        BadInput: onnx is not installed.
    """
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise BadInput("onnx is not installed; pip install onnx and onnxruntime, or set runtime to 'torch'.") from None
    example = torch.ones(2, 5, dtype=torch.int64)
    free = {0: "title", 1: "token"}
    with warnings.catch_warnings():
        # The graph exporter, which is to replace this one, takes five times as long and its int8 network runs slower.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Listed(model).eval(),
            (example, example),
            str(path),
            input_names=list(_INPUTS),
            output_names=[f"target {position}" for position in range(len(model.n_classes))],
            dynamic_axes=dict.fromkeys(_INPUTS, free),
            opset_version=17,
            dynamo=False,
        )


def quantize(source: Path, target: Path) -> None:
    """Write an exported network with int8 weights; activations are quantised as they come."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(str(source), str(target), weight_type=QuantType.QInt8, per_channel=True)
    model = onnx.load(str(target))
    model.metadata_props.add(key=_WEIGHTS, value=_INT8)
    onnx.save(model, str(target))


def parity(reference: Mapping[str, Tensor], answers: Mapping[str, Tensor]) -> Parity:
    """Compare logits with those of torch in fp32.

    Args:
        reference: target to (n_titles, n_classes), at least one title.
        answers: the same of another runtime.
    """
    agreements, differences = [], []
    for target, expected in reference.items():
        found = answers[target]
        agreements.append(float((found.argmax(1) == expected.argmax(1)).double().mean()))
        differences.append(float((torch.softmax(found, 1) - torch.softmax(expected, 1)).abs().mean()))
    return Parity(agreement=min(agreements), difference=max(differences))


class _Listed(nn.Module):
    """The network with its answers as a tuple, for ONNX knows no dictionary."""

    def __init__(self, model: MultiHead) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, mask: Tensor) -> Any:
        return tuple(self.model(ids, mask).values())
