"""How many tokens the encoder's tokenizer makes of titles, for the profile."""

from collections.abc import Callable, Sequence

import numpy as np

from data_cleaning.titles import IntArray


def token_counter(encoder: str) -> Callable[[Sequence[str]], IntArray]:
    """Return a function from titles to the tokens of each, the special ones included.

    Args:
        encoder: a name as `neural.encoder.load_encoder` takes it.

    Raises:
        BadInput: there is no such encoder.
    """
    from neural.encoder import load_encoder  # torch costs seconds that only a profile with tokens should pay

    _, tokenizer = load_encoder(encoder)

    def count(titles: Sequence[str]) -> IntArray:
        encoded = tokenizer(list(titles), add_special_tokens=True, return_attention_mask=False)
        return np.fromiter((len(ids) for ids in encoded["input_ids"]), dtype=np.int64, count=len(titles))

    return count
