"""Titles tokenised once, and batches of equally long ones under a token budget."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from data_cleaning.titles import IntArray

MAX_CHARACTERS = 1_000
"""Characters of a title that are tokenised at all."""

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

    def __len__(self) -> int:
        """Return the number of titles."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each title, shape (n_titles,)."""
        return np.diff(self.offsets)

    def longest(self, rows: IntArray) -> int:
        """Return the tokens of the longest of some titles, at least one, without a look at the others."""
        return int((self.offsets[rows + 1] - self.offsets[rows]).max())

    def select(self, rows: IntArray) -> "TokenizedTitles":
        """Return the titles at `rows`, in that order."""
        starts, lengths = self.offsets[rows], self.lengths[rows]  # (n_rows,) each
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)  # (n_rows + 1,)
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)  # (n_tokens,)
        return TokenizedTitles(ids=self.ids[np.repeat(starts, lengths) + within], offsets=offsets, pad_id=self.pad_id)

    def padded(
        self, rows: IntArray, device: torch.device | None = None, width: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return ids and mask of the titles at `rows`, padded to the longest of them or to `width`, each (n_rows, seq).

        The mask is 1 for a token and 0 for padding.
        """
        chosen = torch.from_numpy(rows)  # (n_rows,)
        seq = self.longest(rows) if width is None else width
        ids, mask = cut_out(torch.from_numpy(self.ids), torch.from_numpy(self.offsets), chosen, seq, self.pad_id)
        return ids.to(device), mask.to(device)  # (n_rows, seq) each


def cut_out(ids: Tensor, offsets: Tensor, rows: Tensor, width: int, pad_id: int) -> tuple[Tensor, Tensor]:
    """Return ids and mask of some titles, padded, int64, each (n_rows, width), on the device of what comes in.

    Args:
        ids: of all titles, end to end, (n_tokens,).
        offsets: where each title starts, and the end of the last, (n_titles + 1,).
        rows: positions of the titles, (n_rows,).
        width: tokens to pad to; none of the titles is longer.
        pad_id: the id that fills shorter rows.
    """
    starts, ends = offsets[rows, None], offsets[rows + 1, None]  # (n_rows, 1) each
    source = starts + torch.arange(width, device=ids.device)  # (n_rows, width)
    is_token = source < ends  # (n_rows, width)
    # Places beyond a title point at its start, so that they are in range; the mask drops them.
    found = ids[torch.where(is_token, source, starts)]  # (n_rows, width)
    return torch.where(is_token, found, pad_id).long(), is_token.long()


def tokenize(titles: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> TokenizedTitles:
    """Tokenise titles, special tokens included, keeping the first `max_tokens` tokens of each."""
    pieces: list[npt.NDArray[np.int32]] = []
    lengths: list[int] = []
    for start in range(0, len(titles), _TITLES_PER_CALL):
        encoded = tokenizer(
            [safe_text(title) for title in titles[start : start + _TITLES_PER_CALL]],
            truncation=True,
            max_length=max_tokens,
            padding=False,  # said outright, as a saved tokenizer may carry a padding of its own
            return_attention_mask=False,
            return_token_type_ids=False,
        )["input_ids"]
        lengths += [len(ids) for ids in encoded]
        pieces.append(np.fromiter((token for ids in encoded for token in ids), dtype=np.int32))
    return TokenizedTitles(
        ids=np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64),
        pad_id=tokenizer.pad_token_id or 0,
    )


def plan_batches(
    lengths: npt.NDArray[np.int64], max_tokens_per_batch: int, rng: np.random.Generator | None = None
) -> list[IntArray]:
    """Put every title into one batch of about equally long titles.

    Args:
        lengths: tokens of each title, shape (n_titles,); none above the budget.
        max_tokens_per_batch: most tokens in a batch once its titles are padded to its longest.
        rng: shuffles equally long titles among themselves and then the batches; None keeps the shortest first.

    Returns:
        Positions in `lengths`, one array per batch. How many batches there are does not depend on `rng`.
    """
    assert not len(lengths) or lengths.max() <= max_tokens_per_batch
    order = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))  # (n_titles,)
    order = order[np.argsort(lengths[order], kind="stable")]  # (n_titles,); a stable sort keeps the shuffle
    batches: list[IntArray] = []
    start = 0
    for position, length in enumerate(lengths[order].tolist()):
        # Shortest first, so this title is the longest of its batch so far.
        if (position + 1 - start) * length > max_tokens_per_batch:
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


def halves(rows: IntArray, n_halvings: int) -> list[IntArray]:
    """Split a batch into equal parts, 2 ** n_halvings of them or as many as it has titles."""
    return [part for part in np.array_split(rows, min(2**n_halvings, len(rows))) if len(part)]


def safe_text(title: str) -> str:
    """Cut a title that is no title, and replace half characters.

    The tokenizer would read a pasted document of a megabyte to its end to keep its first tokens. A lone surrogate, left
    by broken decoding, cannot be written as UTF-8, which the tokenizer does.
    """
    return title[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
