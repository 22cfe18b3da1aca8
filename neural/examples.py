"""What a network is trained and validated on, and batches of it on the device that computes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from data_cleaning.titles import IntArray
from neural.batches import TokenizedTitles, cut_out
from neural.soft_labels import SoftLabels


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some rows, ready for the network; seq is the length that they are padded to."""

    ids: Tensor
    """Token ids, (n_rows, seq)."""
    mask: Tensor
    """1 for a token and 0 for padding, (n_rows, seq)."""
    labels: dict[str, Tensor]
    """Target to class positions, each (n_rows,)."""
    against: dict[str, Tensor]
    """What the training loss is taken against: the labels, or soft ones, each (n_rows, n_classes)."""
    weights: Tensor
    """What each row counts, (n_rows,); 0 for a row that only fills a shape."""


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Tokenised titles with their labels and weights, all of length n_rows."""

    titles: TokenizedTitles
    labels: Mapping[str, IntArray]
    """Target to class positions, each (n_rows,)."""
    weights: npt.NDArray[np.float64]
    """What each row counts in loss and accuracy, (n_rows,)."""
    soft_labels: SoftLabels | None = None
    """What the training loss is taken against where it is not the labels themselves."""
    draws: npt.NDArray[np.float64] | None = None
    """How likely each draw of an epoch takes each row, (n_rows,); None takes every row once."""
    _held: "dict[torch.device, Tensors]" = field(default_factory=dict, init=False, repr=False, compare=False)

    def batch(self, rows: IntArray, device: torch.device, width: int | None = None, n_rows: int | None = None) -> Batch:
        """Cut a batch out of the examples; they are taken to a device once, and rows alone travel after that.

        Args:
            rows: positions in the examples, at least one.
            device: to compute on.
            width: tokens to pad to; None pads to the longest title.
            n_rows: rows to fill up to, with some that weigh nothing; None fills up nothing.
        """
        held = self.on(device)
        filled = len(rows) if n_rows is None else n_rows
        chosen = torch.from_numpy(np.resize(rows, filled)).to(device)  # (n_rows,); what fills up repeats the others
        seq = self.titles.longest(rows) if width is None else width
        ids, mask = cut_out(held.ids, held.offsets, chosen, seq, self.titles.pad_id)  # (n_rows, seq) each
        weights = held.weights[chosen]  # (n_rows,)
        weights[len(rows) :] = 0
        labels = {target: codes[chosen] for target, codes in held.labels.items()}
        return Batch(
            ids=ids,
            mask=mask,
            labels=labels,
            against={target: soft[chosen] for target, soft in held.soft_labels.items()} or labels,
            weights=weights,
        )

    def on(self, device: torch.device) -> "Tensors":
        """Return the examples on a device; they are taken there once."""
        if device not in self._held:
            soft = self.soft_labels or {}
            self._held[device] = Tensors(
                ids=torch.from_numpy(self.titles.ids).to(device),
                offsets=torch.from_numpy(self.titles.offsets).to(device),
                labels={
                    target: torch.from_numpy(codes.astype(np.int64)).to(device) for target, codes in self.labels.items()
                },
                soft_labels={target: torch.from_numpy(rows).to(device) for target, rows in soft.items()},
                weights=torch.tensor(self.weights, dtype=torch.float32, device=device),
            )
        return self._held[device]


@dataclass(frozen=True, kw_only=True)
class Tensors:
    """Examples as tensors of one device."""

    ids: Tensor
    """All token ids, end to end, (n_tokens,)."""
    offsets: Tensor
    """Where each title starts, and the end of the last, (n_rows + 1,)."""
    labels: dict[str, Tensor]
    """Target to class positions, int64, each (n_rows,)."""
    soft_labels: dict[str, Tensor]
    """Target to what each class counts, each (n_rows, n_classes); empty where there are none."""
    weights: Tensor
    """What each row counts, (n_rows,)."""
