"""How the texts of a column begin and end, by their bytes: this rules most cells out before a pattern looks closer."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_Bytes = npt.NDArray[np.uint8]
_CASE = 0x20
"""Bit in which ASCII letters differ by case."""
_IS_ODD = np.array([byte <= 0x20 or byte >= 0x80 for byte in range(256)])
"""Blanks, control characters, and whatever is beyond ASCII."""


def may_begin(column: pa.ChunkedArray, first: Sequence[int]) -> bool:
    """Say whether a text, of a column of strings or views, may begin with one of some bytes; never wrongly no."""
    begins = np.isin(np.arange(256), list(first))
    if pa.types.is_string_view(column.type):
        return any(begins[_first_of_views(chunk)].any() for chunk in column.chunks if len(chunk))
    return any(begins[content.take(starts, mode="clip")].any() for _, starts, _, content in _chunks(column))


def may_end_in(column: pa.ChunkedArray, words: Sequence[bytes]) -> npt.NDArray[np.int64]:
    """Return the rows, of a column of strings, that may end in one of some words in lower-case ASCII.

    Case and blanks behind the word do not count, and a row that ends beyond ASCII may hold anything; no row is missing.
    """
    found = [np.empty(0, dtype=np.int64)]
    for n_before, _, ends, content in _chunks(column):
        last = content.take(ends - 1, mode="clip")
        found.append(np.flatnonzero(_IS_ODD[last]) + n_before)
        for word in words:
            rows = np.flatnonzero((last | _CASE) == word[-1])
            for back, letter in enumerate(reversed(word[:-1]), start=2):
                rows = rows[(content.take(ends[rows] - back, mode="clip") | _CASE) == letter]
            found.append(rows + n_before)
    return np.unique(np.concatenate(found))


def _first_of_views(views: pa.Array) -> _Bytes:
    """Return the first byte of each view; it has 16 bytes, of which four are its length and the next begin its text."""
    content = np.frombuffer(views.buffers()[1], dtype=np.uint8).reshape(-1, 16)
    return content[views.offset : views.offset + len(views), 4]


def _chunks(column: pa.ChunkedArray) -> Iterator[tuple[int, npt.NDArray[np.int32], npt.NDArray[np.int32], _Bytes]]:
    """Yield the rows before each chunk that has text, where each of its texts begins and ends, and its bytes."""
    n_before = 0
    for chunk in column.chunks:
        _, offsets, content = chunk.buffers()
        if content is not None and content.size:
            at = np.frombuffer(offsets, dtype=np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
            yield n_before, at[:-1], at[1:], np.frombuffer(content, dtype=np.uint8)
        n_before += len(chunk)
