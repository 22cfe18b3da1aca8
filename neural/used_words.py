"""The word vectors that a training needs: of the titles it reads, which use few of an encoder's words.

The others have no gradient. Updating them, and adding up their gradients for clipping, takes a sixth of a training step
on a CPU: MiniLM has vectors for 30,522 words, and 60,000 leads use 2,400 of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from transformers import PreTrainedModel

from neural.batches import Examples


@dataclass(frozen=True)
class UsedWords:
    """Words under new, consecutive numbers."""

    ids: npt.NDArray[np.int32]
    """The tokenizer's number of each word, in order, shape (n_used,). Numbers up to the padding's are all there and
    stay as they are, since some encoders tell padding by its number."""

    @classmethod
    def of(cls, encoder: PreTrainedModel, *rows: Examples | None) -> "UsedWords":
        """Return the words of some titles; all words where an encoder keeps its vectors in a way of its own."""
        found = [examples.titles for examples in rows if examples is not None]
        table = encoder.get_input_embeddings()
        if type(table) is not nn.Embedding or table.max_norm is not None:
            return cls(np.arange(1 + max(int(titles.ids.max(initial=0)) for titles in found), dtype=np.int32))
        kept = np.arange(1 + max([table.padding_idx or 0, *(titles.pad_id for titles in found)]), dtype=np.int32)
        return cls(np.unique(np.concatenate([kept, *(titles.ids for titles in found)])))

    def renumbered(self, rows: Examples) -> Examples:
        """Return the rows with the new numbers of their words."""
        ids = np.searchsorted(self.ids, rows.titles.ids).astype(np.int32)  # (n_tokens,)
        return replace(rows, titles=replace(rows.titles, ids=ids))

    @contextmanager
    def alone_in(self, encoder: PreTrainedModel) -> Iterator[None]:
        """Leave only these words in an encoder; afterwards all are in it again, these as they were learned."""
        whole = encoder.get_input_embeddings()
        if type(whole) is not nn.Embedding or whole.max_norm is not None:
            yield
            return
        rows = torch.from_numpy(self.ids).long().to(whole.weight.device)  # (n_used,)
        few = nn.Embedding.from_pretrained(whole.weight.detach()[rows], freeze=False, padding_idx=whole.padding_idx)
        encoder.set_input_embeddings(few)
        try:
            yield
        finally:
            encoder.set_input_embeddings(whole)
            with torch.no_grad():
                whole.weight[rows] = few.weight
