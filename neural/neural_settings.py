"""Every setting of the neural system, checked when it is made."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from data_cleaning.errors import BadInput

POOLINGS = ("mean", "cls", "max")
BATCHINGS = ("length", "random")
TARGET_WEIGHTS = ("equal", "inverse-accuracy")
RUNTIME_CHOICES = ("auto", "torch", "onnx", "onnx-int8")
SCHEDULES = ("linear", "constant")
DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "fp32", "bf16")


@dataclass(frozen=True, kw_only=True)
class NeuralSettings:
    """What to fine-tune, on what, and how fast.

    Raises:
        BadInput: at least one setting is out of range; all such settings are named.
    """

    encoder: str = "packaged:minilm"
    """`packaged:minilm`, a local folder, or a hub name such as `distilbert-base-uncased`."""
    pooling: str = "mean"
    """How token vectors become one: their mean, the first ("cls"), or the largest value of each dimension ("max")."""
    max_tokens: int = 64
    """Tokens kept per title, the two special ones included."""
    batching: str = "length"
    """What a training batch is: "length" puts equally long titles together under a budget of tokens, "random" takes
    `titles_per_batch` titles of any length."""
    max_tokens_per_batch: int = 512
    """Tokens computed at once in a batch by length, padding included, and on a CPU in a part of a random batch."""
    titles_per_batch: int = 128
    """Titles in one random batch."""
    compiled: bool = False
    """Whether steps run as compiled code, one shape for every 8 tokens of length, and on a GPU as CUDA graphs; for long
    trainings, as compiling a shape takes seconds to minutes."""
    pad_to_max: bool = False
    """Whether every batch is padded to `max_tokens`, which changes no answer and costs time; else to its longest."""
    merge_equal_rows: bool = True
    """Whether records of the same title and labels are one row that weighs more; else every record is a row."""
    epochs: int = 2
    """Passes over the training rows; the one that validates best is kept."""
    least_steps: int = 250
    """Small data is passed more often than `epochs`, but no more than ten times, to learn from so many batches."""
    reviewed_epochs: int = 20
    """Passes over reviewed titles alone, after all others; 0 mixes them with the other rows and their weights."""
    stop_accuracy: float | None = None
    """Stop after an epoch in which the training accuracy of every target reaches this; None never stops early."""
    target_weights: str = "equal"
    """What each target counts in the loss: "inverse-accuracy" gives more to the target that is answered worst."""
    accuracy_window: int = 1000
    """Batches over which inverse accuracies are taken."""
    learning_rate: float = 4e-4
    """Highest learning rate of the encoder."""
    head_learning_rate_factor: float = 10.0
    """The heads start from random weights, so they learn this many times faster than the encoder."""
    warmup_share: float = 0.1
    """Share of all steps in which the learning rate rises."""
    schedule: str = "linear"
    """Over the other steps the rate falls to 0 ("linear") or stays ("constant")."""
    weight_decay: float = 0.01
    """AdamW's decay of weight matrices; biases and norms have none."""
    dropout: float = 0.1
    """Share of the pooled vector dropped before the heads; the encoder keeps the dropout of its own config."""
    clip_norm: float | None = 1.0
    """Longest gradient; a longer one is scaled down to this norm. None leaves gradients as they are."""
    count_power: float = 0.5
    """A row of c records, each of weight w, weighs w * c ** count_power: 1 counts records, 0 distinct rows."""
    max_train_rows: int | None = None
    """Train on a seeded sample of at most this many distinct rows, for trial runs; None takes all."""
    checkpoint_minutes: float = 10.0
    """Minutes between checkpoints within an epoch, where the caller keeps any; one more follows each epoch."""
    label_smoothing: float = 0.0
    """Share of every label that is spread over all classes."""
    ordinal_softness: float = 0.0
    """How far a label of an ordinal target spreads: a class n places away counts exp(-n / softness); 0 not at all."""
    class_weight_power: float = 0.0
    """A class with share s of the rows weighs s ** -power in the loss: 0 as it comes, 1 as much as any other class."""
    resampling_power: float = 0.0
    """The same by drawing rows: an epoch draws as many as there are, with replacement; 0 takes each once."""
    kept_layers: int | None = None
    """Layers of the encoder that are kept, evenly spaced, for a smaller network; None keeps all."""
    frozen_layers: int = 0
    """Lowest layers that stay as pretrained, the word vectors with them; 0 trains everything."""
    layer_decay: float = 1.0
    """Each layer learns this many times as fast as the one above it."""
    teacher: str | None = None
    """Folder of a fitted network whose probabilities are learned from beside the labels; None has none. What it learned
    from must not be in the test part of this fit."""
    teacher_share: float = 0.5
    """What the teacher's probabilities count in the loss; the labels count the rest."""
    device: str = "auto"
    """Where to compute; "auto" takes a GPU where there is one."""
    precision: str = "auto"
    """Number format of matrix products; "auto" takes bf16 where the device is built for it."""

    runtime: str = "auto"
    """What answers on a CPU: "auto" takes the first of int8, bf16 and fp32 that answers as torch does on validation."""

    def __post_init__(self) -> None:
        faults = [
            f"{name} is {getattr(self, name)!r}; expected {expected}"
            for name, (is_good, expected) in _EXPECTED.items()
            if not is_good(getattr(self, name))
        ]
        # Two good settings can still contradict each other; a bad one is complained about once.
        if not faults and self.max_tokens_per_batch < self.max_tokens:
            faults.append(
                f"max_tokens_per_batch is {self.max_tokens_per_batch}; expected at least max_tokens, {self.max_tokens}"
            )
        if faults:
            raise BadInput(f"Bad neural settings: {'; '.join(faults)}.")


def _whole(low: int) -> tuple[Callable[[Any], bool], str]:
    """Accept whole numbers from `low` up."""
    return lambda value: type(value) is int and value >= low, f"a whole number of at least {low}"


def _number(
    low: float, high: float, expected: str, low_is_good: bool = True, high_is_good: bool = False
) -> tuple[Callable[[Any], bool], str]:
    """Accept finite numbers between two bounds, with a bound itself where it is good."""

    def is_good(value: Any) -> bool:
        if type(value) not in (int, float) or not math.isfinite(value):
            return False
        return (low < value or (low_is_good and value == low)) and (value < high or (high_is_good and value == high))

    return is_good, expected


def _one_of(known: tuple[str, ...]) -> tuple[Callable[[Any], bool], str]:
    """Accept the names in `known`."""
    return lambda value: value in known, f"one of {', '.join(known)}"


def _true_or_false() -> tuple[Callable[[Any], bool], str]:
    """Accept nothing but the two truth values."""
    return lambda value: type(value) is bool, "true or false"


def _or_none(check: tuple[Callable[[Any], bool], str]) -> tuple[Callable[[Any], bool], str]:
    """Accept None as well."""
    is_good, expected = check
    return lambda value: value is None or is_good(value), f"{expected}, or none"


_EXPECTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "encoder": (lambda value: isinstance(value, str) and bool(value.strip()), "the name of an encoder"),
    "pooling": _one_of(POOLINGS),
    # Two special tokens and at least one of the title.
    "max_tokens": _whole(3),
    "batching": _one_of(BATCHINGS),
    "max_tokens_per_batch": _whole(3),
    "titles_per_batch": _whole(1),
    "compiled": _true_or_false(),
    "pad_to_max": _true_or_false(),
    "merge_equal_rows": _true_or_false(),
    "stop_accuracy": _or_none(_number(0, 1, "a share above 0", low_is_good=False, high_is_good=True)),
    "target_weights": _one_of(TARGET_WEIGHTS),
    "accuracy_window": _whole(1),
    "schedule": _one_of(SCHEDULES),
    "epochs": _whole(1),
    "least_steps": _whole(0),
    "reviewed_epochs": _whole(0),
    "learning_rate": _number(0, 1, "a number above 0 and below 1", low_is_good=False),
    "head_learning_rate_factor": _number(0, math.inf, "a number above 0", low_is_good=False),
    "warmup_share": _number(0, 1, "a number from 0 to below 1"),
    "weight_decay": _number(0, math.inf, "a number of at least 0"),
    "dropout": _number(0, 1, "a number from 0 to below 1"),
    "clip_norm": _or_none(_number(0, math.inf, "a number above 0", low_is_good=False)),
    "checkpoint_minutes": _number(0, math.inf, "a number of at least 0"),
    "count_power": _number(0, math.inf, "a number of at least 0"),
    "max_train_rows": _or_none(_whole(1)),
    "label_smoothing": _number(0, 1, "a number from 0 to below 1"),
    "ordinal_softness": _number(0, math.inf, "a number of at least 0"),
    "class_weight_power": _number(0, 1, "a number from 0 to 1", high_is_good=True),
    "resampling_power": _number(0, 1, "a number from 0 to 1", high_is_good=True),
    "kept_layers": _or_none(_whole(1)),
    "frozen_layers": _whole(0),
    "layer_decay": _number(0, 1, "a number above 0 and at most 1", low_is_good=False, high_is_good=True),
    "teacher": _or_none((lambda value: isinstance(value, str) and bool(value.strip()), "a folder")),
    "teacher_share": _number(0, 1, "a number above 0 and at most 1", low_is_good=False, high_is_good=True),
    "device": _one_of(DEVICES),
    "precision": _one_of(PRECISIONS),
    "runtime": _one_of(RUNTIME_CHOICES),
}
