"""Titles tokenised once, with their labels and weights, and batches of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Encoding, Tokenizer
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from data_cleaning.progress import Progress, silent
from data_cleaning.titles import IntArray
from neural.spelling import as_read
from neural.training_rows import SoftLabels

_TITLES_PER_CALL = 10_000


@dataclass(frozen=True, kw_only=True)
class TokenizedTitles:
    """Token ids of many titles of different lengths, end to end in one array."""

    ids: npt.NDArray[np.int32]
    """All ids, shape (n_tokens,)."""
    offsets: npt.NDArray[np.int64]
    """Where each title starts in `ids`, and the end of the last, shape (n_titles + 1,)."""
    pad_id: int
    """The id that fills shorter rows of a batch."""

    @classmethod
    def join(
        cls, pieces: Sequence[npt.NDArray[np.int32]], lengths: Sequence[int], pad_id: int | None
    ) -> "TokenizedTitles":
        """Put token ids end to end, given the number of tokens of each title."""
        return cls(
            ids=np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int32),
            offsets=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64),
            pad_id=pad_id or 0,
        )

    def __len__(self) -> int:
        """Return the number of titles."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each title, shape (n_titles,)."""
        return np.diff(self.offsets)

    def longest(self, rows: IntArray) -> int:
        """Return the tokens of the longest of the titles at `rows`, without computing the other lengths."""
        return int((self.offsets[rows + 1] - self.offsets[rows]).max())

    def select(self, rows: IntArray) -> "TokenizedTitles":
        """Return the titles at `rows`, in that order."""
        starts, lengths = self.offsets[rows], self.lengths[rows]  # (n_rows,) each
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)  # (n_rows + 1,)
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)  # (n_tokens,)
        return TokenizedTitles(ids=self.ids[np.repeat(starts, lengths) + within], offsets=offsets, pad_id=self.pad_id)

    def distinct(self) -> tuple["TokenizedTitles", IntArray]:
        """Return each sequence of tokens once, by its first title, and the position among them of each title's own.

        The positions are (n_titles,).
        """
        found: dict[bytes, int] = {}
        edges = pairwise(self.offsets.tolist())
        own = np.fromiter(
            (found.setdefault(self.ids[start:end].tobytes(), len(found)) for start, end in edges), np.int64, len(self)
        )
        return self.select(np.unique(own, return_index=True)[1]), own

    def batches(
        self, max_tokens: int, step: str = "", on_progress: Progress = silent, *, one_length: bool = False
    ) -> Iterator[IntArray]:
        """Yield batches of at most `max_tokens` tokens, or of as many as the longest title has, and report each.

        With `one_length` the titles of a batch have equally many tokens, so that none is padded.
        """
        n_done = 0
        budget = max(max_tokens, int(self.lengths.max(initial=0)))
        for rows in plan_batches(self.lengths, budget, one_length=one_length):
            yield rows
            n_done += len(rows)
            on_progress(step, n_done, len(self))

    def padded(
        self, rows: IntArray, device: torch.device | None = None, n_rows: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return ids and mask of the titles at `rows`, padded to the longest of them, each (n_rows, seq).

        The mask is 1 for a token and 0 for padding. The titles are repeated where there are fewer than `n_rows`.
        """
        chosen = torch.from_numpy(rows if n_rows is None else np.resize(rows, n_rows))  # (n_rows,)
        ids, offsets = torch.from_numpy(self.ids), torch.from_numpy(self.offsets)
        padded, mask = cut_out(ids, offsets, chosen, self.longest(rows), self.pad_id)
        return padded.to(device), mask.to(device)  # (n_rows, seq) each


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some rows, ready for the network; seq is the length that they are padded to."""

    ids: Tensor
    """Token ids, (n_rows, seq)."""
    mask: Tensor
    """1 for a token and 0 for padding, (n_rows, seq)."""
    labels: dict[str, Tensor]
    """Target to class positions, each (n_rows,)."""
    loss_labels: dict[str, Tensor]
    """Labels of the training loss: class positions as in `labels`, or soft labels, each (n_rows, n_classes)."""
    weights: Tensor
    """Weight of each row, (n_rows,); 0 for a row that only fills a shape."""


@dataclass(frozen=True, kw_only=True)
class Tensors:
    """Examples as tensors on one device."""

    ids: Tensor
    """All token ids, end to end, (n_tokens,)."""
    offsets: Tensor
    """Where each title starts, and the end of the last, (n_rows + 1,)."""
    labels: dict[str, Tensor]
    """Target to class positions, int64, each (n_rows,)."""
    soft_labels: dict[str, Tensor]
    """Target to the weight of each class, each (n_rows, n_classes); empty where there are no soft labels."""
    weights: Tensor
    """Weight of each row, (n_rows,)."""


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Tokenised titles with their labels and weights, all of length n_rows."""

    titles: TokenizedTitles
    labels: Mapping[str, IntArray]
    """Target to class positions, each (n_rows,)."""
    weights: npt.NDArray[np.float64]
    """Weight of each row in loss and accuracy, (n_rows,)."""
    soft_labels: SoftLabels | None = None
    """Labels of the training loss where they are not `labels`."""
    draws: npt.NDArray[np.float64] | None = None
    """Probability that a draw of an epoch takes each row, (n_rows,); None takes every row once."""
    n_spellings: int = 1
    """Spellings of each title. The rows are all titles as they are written, then all in the next spelling, and so on.
    An epoch takes each title in one spelling; `draws` has a probability for each title, not for each spelling."""
    _by_device: dict[torch.device, Tensors] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        """Return the number of rows of an epoch: one spelling of each."""
        return len(self.titles) // self.n_spellings

    def batch(self, rows: IntArray, device: torch.device, width: int | None = None, n_rows: int | None = None) -> Batch:
        """Make a batch of at least one row; the examples are copied to a device once, then only row numbers are sent.

        Titles are padded to `width` tokens, or to the longest of them, and rows of weight 0 fill up to `n_rows`.
        """
        held = self.on(device)
        filled = len(rows) if n_rows is None else n_rows
        chosen = torch.from_numpy(np.resize(rows, filled)).to(device)  # (n_rows,); added rows repeat the others
        seq = self.titles.longest(rows) if width is None else width
        ids, mask = cut_out(held.ids, held.offsets, chosen, seq, self.titles.pad_id)  # (n_rows, seq) each
        weights = held.weights[chosen]  # (n_rows,)
        weights[len(rows) :] = 0
        labels = {target: codes[chosen] for target, codes in held.labels.items()}
        soft = {target: values[chosen] for target, values in held.soft_labels.items()}
        return Batch(ids=ids, mask=mask, labels=labels, loss_labels=soft or labels, weights=weights)

    def on(self, device: torch.device) -> Tensors:
        """Return the examples on a device; they are copied there once."""
        if device not in self._by_device:
            soft = self.soft_labels or {}
            self._by_device[device] = Tensors(
                ids=torch.from_numpy(self.titles.ids).to(device),
                offsets=torch.from_numpy(self.titles.offsets).to(device),
                labels={
                    target: torch.from_numpy(codes.astype(np.int64)).to(device) for target, codes in self.labels.items()
                },
                soft_labels={target: torch.from_numpy(rows).to(device) for target, rows in soft.items()},
                weights=torch.tensor(self.weights, dtype=torch.float32, device=device),
            )
        return self._by_device[device]


def cut_out(ids: Tensor, offsets: Tensor, rows: Tensor, width: int, pad_id: int) -> tuple[Tensor, Tensor]:
    """Return ids and mask of the titles at `rows`, padded, int64, each (n_rows, width), on the device of the arguments.

    `ids` and `offsets` are those of `TokenizedTitles`; none of the titles is longer than `width`.
    """
    starts, ends = offsets[rows, None], offsets[rows + 1, None]  # (n_rows, 1) each
    source = starts + torch.arange(width, device=ids.device)  # (n_rows, width)
    is_token = source < ends  # (n_rows, width)
    # Positions beyond a title point at its start, so that they are in range; the mask drops them.
    found = ids[torch.where(is_token, source, starts)]  # (n_rows, width)
    return torch.where(is_token, found, pad_id).long(), is_token.long()


def tokenize(
    titles: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_tokens: int, *, folded: bool = True
) -> TokenizedTitles:
    """Tokenise titles as `as_read` reads them, special tokens included, keeping the first `max_tokens` of each."""
    pieces: list[npt.NDArray[np.int32]] = []
    lengths: list[int] = []
    for encodings in encode(titles, tokenizer, max_tokens, folded=folded):
        ids = [encoding.ids for encoding in encodings]
        lengths += map(len, ids)
        pieces.append(np.fromiter(chain.from_iterable(ids), dtype=np.int32))
    return TokenizedTitles.join(pieces, lengths, tokenizer.pad_token_id)


def encode(
    titles: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    max_tokens: int,
    *,
    folded: bool,
    with_offsets: bool = False,
) -> Iterator[list[Encoding]]:
    """Yield what a fast tokenizer finds in each chunk of titles; the offsets of tokens are right only if asked for."""
    # Straight to the library beneath: transformers copies each encoding, which takes half as long again.
    library: Tokenizer = tokenizer.backend_tokenizer
    library.enable_truncation(max_tokens, direction=tokenizer.truncation_side)
    library.no_padding()
    run = library.encode_batch if with_offsets else library.encode_batch_fast
    for start in range(0, len(titles), _TITLES_PER_CALL):
        yield run([as_read(title, folded=folded) for title in titles[start : start + _TITLES_PER_CALL]])


def plan_batches(
    lengths: npt.NDArray[np.int64],
    max_tokens_per_batch: int,
    rng: np.random.Generator | None = None,
    *,
    one_length: bool = False,
) -> list[IntArray]:
    """Put every title into one batch of about equally long titles.

    Args:
        lengths: tokens of each title, shape (n_titles,); none above the budget.
        max_tokens_per_batch: of a batch once its titles are padded to its longest.
        rng: shuffles equally long titles among themselves and then the batches; None keeps the shortest first.
        one_length: whether all titles of a batch must be equally long.

    Returns:
        Positions in `lengths`, one array per batch. The number of batches does not depend on `rng`.
    """
    assert not len(lengths) or lengths.max() <= max_tokens_per_batch
    order = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))  # (n_titles,)
    order = order[np.argsort(lengths[order], kind="stable")]  # (n_titles,); a stable sort keeps the shuffle
    batches: list[IntArray] = []
    start = 0
    for position, length in enumerate(lengths[order].tolist()):
        # Shortest first, so this title is the longest of its batch so far.
        is_longer = one_length and position > start and length > lengths[order[start]]
        if is_longer or (position + 1 - start) * length > max_tokens_per_batch:
            batches.append(order[start:position])
            start = position
    if start < len(order):
        batches.append(order[start:])
    if rng is not None:
        batches = [batches[position] for position in rng.permutation(len(batches))]
    return batches


def plan_random_batches(n_titles: int, titles_per_batch: int, rng: np.random.Generator) -> list[IntArray]:
    """Put every title into one batch of `titles_per_batch` titles, the last one smaller; positions per batch."""
    order = rng.permutation(n_titles)
    return [order[start : start + titles_per_batch] for start in range(0, n_titles, titles_per_batch)]
