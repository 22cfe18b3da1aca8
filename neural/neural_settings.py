"""Every setting of the neural system."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from data_cleaning.checked_settings import (
    Bounds,
    Count,
    NonNegative,
    Positive,
    Power,
    ShareAboveZero,
    ShareBelowOne,
    check_settings,
)

RENAMED = {"least_steps": "min_steps"}
"""Old to new names of settings; saved networks have the old ones too."""

REMOVED = {"label_smoothing": 0.0, "ordinal_softness": 0.0, "frozen_layers": 0, "layer_decay": 1.0}
"""Settings that brought no gain and were deleted, to the value without effect that saved configs hold."""


@dataclass(frozen=True, kw_only=True)
class NeuralSettings:
    """What to fine-tune, on what, and how fast.

    Raises:
        BadInput: at least one setting is out of range; all such settings are named.
    """

    encoder: str = "packaged:minilm"
    """`packaged:minilm`, a local folder, or a hub name such as `distilbert-base-uncased`."""
    pooling: Literal["mean", "cls", "max"] = "mean"
    """How token vectors become one: their mean, the first ("cls"), or the largest value of each dimension ("max")."""
    max_tokens: Annotated[int, Bounds(ge=3)] = 64
    """Tokens kept per title, the two special ones included."""
    spelling: Literal["any", "exact"] = "any"
    """How titles are read and learned: "any" reads them without the signs between words, and also learns them with
    their parts in reverse order and in singular or plural; "exact" takes them as they are written."""
    batching: Literal["length", "random"] = "length"
    """How titles are put into training batches: "length" groups equally long titles under a budget of tokens, "random"
    takes `titles_per_batch` titles of any length."""
    max_tokens_per_batch: Annotated[int, Bounds(ge=3)] = 512
    """Tokens, padding included, that are computed at once: in a batch by length or, on a CPU, in a chunk of a random
    batch."""
    titles_per_batch: Count = 128
    """Titles in one random batch."""
    compiled: bool = False
    """Whether training steps are compiled, for one shape per 8 tokens of length, and run as CUDA graphs on a GPU. Only
    long trainings gain, because compiling a shape takes seconds to minutes."""
    pad_to_max: bool = False
    """Whether every batch is padded to `max_tokens` instead of its longest title; slower, with the same results."""
    merge_equal_rows: bool = True
    """Whether records of the same title and labels become one row of a larger weight; else every record is a row."""
    epochs: Count = 2
    """Passes over the training rows; the epoch that validates best is kept."""
    min_steps: Annotated[int, Bounds(ge=0)] = 250
    """On small data, epochs are added until there are this many batches, up to ten epochs."""
    reviewed_epochs: Annotated[int, Bounds(ge=0)] = 20
    """Passes over reviewed titles alone, after all others; 0 trains on them together with the other rows."""
    stop_accuracy: ShareAboveZero | None = None
    """Stop after an epoch in which the training accuracy of every target reaches this; None never stops early."""
    target_weights: Literal["equal", "inverse-accuracy"] = "equal"
    """The weight of each target in the loss: "inverse-accuracy" gives more to targets with lower accuracy."""
    accuracy_window: Count = 1000
    """Batches over which inverse accuracies are taken."""
    learning_rate: Annotated[float, Bounds(gt=0, lt=1)] = 4e-4
    """Highest learning rate of the encoder."""
    head_learning_rate_factor: Positive = 10.0
    """The heads start from random weights, so they learn this many times faster than the encoder."""
    warmup_share: ShareBelowOne = 0.1
    """Share of all steps in which the learning rate rises."""
    schedule: Literal["linear", "constant"] = "linear"
    """After the warm-up the learning rate falls to 0 ("linear") or stays ("constant")."""
    weight_decay: NonNegative = 0.01
    """AdamW's decay of weight matrices; biases and norms have none."""
    dropout: ShareBelowOne = 0.1
    """Share of the pooled vector dropped before the heads; the encoder keeps the dropout of its own config."""
    clip_norm: Positive | None = 1.0
    """Gradients with a larger norm are scaled down to this one; None never scales."""
    count_power: NonNegative = 0.5
    """A row of c records, each of weight w, weighs w * c ** count_power: 1 counts records, 0 distinct rows."""
    max_train_rows: Count | None = None
    """Train on a seeded sample of at most this many distinct rows, for trial runs; None takes all."""
    checkpoint_minutes: NonNegative = 10.0
    """Minutes between checkpoints within an epoch, if the caller keeps checkpoints; each epoch ends with one too."""
    class_weight_power: Power = 0.0
    """A class with share s of the rows weighs s ** -power in the loss: 0 keeps frequencies, 1 equals all classes."""
    resampling_power: Power = 0.0
    """The same by drawing rows: an epoch draws as many rows as there are, with replacement; 0 takes each once."""
    kept_layers: Count | None = None
    """Layers of the encoder that are kept, evenly spaced, for a smaller network; None keeps all."""
    teacher: str | None = None
    """Folder of a fitted network whose probabilities are learned beside the labels. It must not have been trained on
    titles of this fit's test split."""
    teacher_share: ShareAboveZero = 0.5
    """Weight of the teacher's probabilities in the loss; the labels have the rest."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; "auto" takes a GPU if there is one."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Number format of matrix products; "auto" takes bf16 where the device is built for it."""
    runtime: Literal["auto", "torch", "onnx", "onnx-int8"] = "auto"
    """What predicts on a CPU: "auto" takes bf16 where the processor has it, otherwise int8 if that agrees with fp32."""

    def __post_init__(self) -> None:
        check_settings(self, "neural", smaller="max_tokens", larger="max_tokens_per_batch")

    @classmethod
    def from_saved(cls, saved: Mapping[str, Any]) -> Self:
        """Return the settings of a saved network, which an earlier release may have written."""
        saved = {"spelling": "exact", **saved}
        return cls(**{RENAMED.get(name, name): value for name, value in saved.items() if name not in REMOVED})
