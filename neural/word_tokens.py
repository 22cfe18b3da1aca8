"""Which tokens belong to which words of a title as it was given."""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from data_cleaning.titles import FloatArray
from neural.batches import TokenizedTitles, encode


class WordTokens:
    """The tokens of many titles, as `batches.tokenize` makes them, and the words that they belong to.

    Words and the division of tokens among them are those of `attribution.explain`.
    """

    def __init__(
        self, titles: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_tokens: int, *, folded: bool
    ) -> None:
        """Tokenise titles, special tokens included, keeping the first `max_tokens` tokens of each."""
        self.titles, token_starts, token_ends, self._is_special = _locate(titles, tokenizer, max_tokens, folded)
        words = [list(_find_words(title)) for title in titles]
        self.title_of_word = np.repeat(np.arange(len(titles)), [len(found) for found in words])  # (n_words,)
        spans = np.array([span for found in words for span in found], dtype=np.int64).reshape(-1, 2)
        # First character of each word in its title, and one past its last, (n_words,) each.
        self.starts, self.ends = spans[:, 0], spans[:, 1]
        self._title_of_token = np.repeat(np.arange(len(titles)), self.titles.lengths)  # (n_tokens,)
        # As if all titles were in one line, a character apart, so that one search finds the words of every token.
        begins = np.cumsum([0, *(len(title) + 1 for title in titles)])[:-1].astype(np.int64)  # (n_titles,)
        of_token, of_word = begins[self._title_of_token], begins[self.title_of_word]  # (n_tokens,), (n_words,)
        first = np.searchsorted(of_word + self.ends, of_token + token_starts, side="right")  # (n_tokens,)
        past_last = np.searchsorted(of_word + self.starts, of_token + token_ends, side="left")  # (n_tokens,)
        n_spanned = np.where(self._is_special, 0, np.maximum(past_last - first, 0))  # (n_tokens,)
        self._n_spanned = n_spanned
        # One pair per token and word that it spans.
        self._token = np.repeat(np.arange(len(n_spanned)), n_spanned)  # (n_pairs,)
        self._word = np.arange(len(self._token)) + np.repeat(first - np.cumsum(n_spanned) + n_spanned, n_spanned)

    def sum_by_word(self, values: FloatArray) -> npt.NDArray[np.float64]:
        """Return the sum of each word's share of the values of its tokens, (n_words,); `values` are (n_tokens,)."""
        shares = values[self._token] / self._n_spanned[self._token]  # (n_pairs,)
        # Without words, numpy returns whole numbers.
        return np.bincount(self._word, shares, minlength=len(self.starts)).astype(np.float64)

    def special_shares(self, values: FloatArray) -> npt.NDArray[np.float64]:
        """Return each title's share of absolute values on special tokens, (n_titles,); 0 where all values are 0.

        Of the `values` of all tokens, (n_tokens,), those that are neither special nor in a word do not count.
        """
        n_titles = len(self.titles)
        on_special, on_words = (
            np.bincount(self._title_of_token, np.abs(values) * counts, minlength=n_titles)  # (n_titles,)
            for counts in (self._is_special, self._n_spanned > 0)
        )
        total = on_special + on_words
        return np.divide(on_special, total, out=np.zeros(n_titles), where=total > 0)


def _locate(
    titles: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_tokens: int, folded: bool
) -> tuple[TokenizedTitles, npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Tokenise titles.

    Returns:
        Their tokens, the first character of each token in its title, one past its last, and whether it is a special
        token that the tokenizer added, the latter three (n_tokens,).
    """
    pieces = []
    lengths: list[int] = []
    for encodings in encode(titles, tokenizer, max_tokens, folded=folded, with_offsets=True):
        lengths += map(len, encodings)
        pieces.append(np.array([
            (token, first, past_last, is_added)
            for found in encodings
            for token, (first, past_last), is_added in zip(
                found.ids, found.offsets, found.special_tokens_mask, strict=True
            )
        ], dtype=np.int64))  # fmt: skip
    table = np.concatenate(pieces) if pieces else np.empty((0, 4), dtype=np.int64)  # (n_tokens, 4)
    tokenized = TokenizedTitles.join([table[:, 0].astype(np.int32)], lengths, tokenizer.pad_token_id)
    return tokenized, table[:, 1], table[:, 2], table[:, 3] == 1


def _find_words(title: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each run of letters, marks and digits."""
    end = 0
    for is_word, run in groupby(unicodedata.category(character)[0] in "LMN" for character in title):
        start, end = end, end + len(list(run))
        if is_word:
            yield start, end
