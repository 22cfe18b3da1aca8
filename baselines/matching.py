"""Aho-Corasick over whole columns: which patterns stand in each text, and the lowest rank among them."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from data_cleaning.errors import BadInput
from data_cleaning.titles import StrArray

CHUNK_TITLES = 100_000
"""Titles in hand at a time and thread; bounds the memory that matches take (about 100 bytes a title)."""

_NOT_A_WORD = r"[^\p{L}\p{M}\p{N}]+"

Ranks = npt.NDArray[np.uint32]


def lower_case(texts: pl.Series) -> pl.Series:
    """Lower-case each text by the Unicode rules of polars, which keywords and titles both go through."""
    return texts.str.to_lowercase()


def normal_form(texts: pl.Series) -> pl.Series:
    """Spell each text as words between single spaces, with one space before the first and one after the last.

    NFKC, lower case, and every run of anything but letters, marks and digits made one space. A text without a letter
    or digit becomes one space.
    """
    padded = " " + texts + " "  # the padding is swallowed by the runs at both ends, or stands alone
    return padded.str.normalize("NFKC").str.to_lowercase().str.replace_all(_NOT_A_WORD, " ")


def as_series(titles: Sequence[str] | StrArray) -> pl.Series:
    """Put titles into a column.

    Raises:
        BadInput: a title is missing, is no text, or holds half a surrogate pair.
    """
    try:
        series = pl.Series(titles, dtype=pl.String)
    except (TypeError, UnicodeEncodeError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"Titles must be text that UTF-8 can hold; clean the leads first ({reason}).") from None
    if series.null_count():
        raise BadInput(f"{series.null_count():,} titles are missing; drop them, or give an empty text.")
    return series


@dataclass(frozen=True, kw_only=True)
class MatchingPass:
    """One search of all texts, in one spelling, for patterns that carry a rank per target."""

    spell: Callable[[pl.Series], pl.Series]
    """Brings titles into the spelling of the patterns."""
    patterns: tuple[str, ...]
    """Distinct texts, none of them empty."""
    ranks: Mapping[str, Ranks]
    """Target to the rank of each pattern, (n_patterns,); `no_match` where a pattern sets nothing."""
    no_match: int
    """The rank of a text without a match, above all others."""

    def lowest_ranks(self, titles: pl.Series) -> dict[str, Ranks]:
        """Return the lowest rank among the patterns within each title, per target, shape (n_titles,)."""
        # Given as one list for all rows: a bare list as long as the column would be read as one pattern per row.
        patterns = pl.Series([self.patterns], dtype=pl.List(pl.String))
        found = self.spell(titles).str.extract_many(patterns, overlapping=True)
        n_found = found.list.len().to_numpy().astype(np.int64)  # (n_titles,)
        matched = n_found > 0
        starts = (np.cumsum(n_found) - n_found)[matched]  # (n_matched,), where each title's matches begin
        # Casting to an Enum turns a match into its position by one hash look-up, faster than replace_strict or a join.
        flat = found.explode(empty_as_null=False).cast(pl.Enum(self.patterns))
        positions = flat.to_physical().to_numpy()  # (n_matches,)
        lowest = {}
        for target, ranks in self.ranks.items():
            lowest[target] = np.full(len(titles), self.no_match, dtype=np.uint32)
            if len(starts):
                lowest[target][matched] = np.minimum.reduceat(ranks[positions], starts)
        return lowest


def lowest_ranks(passes: Sequence[MatchingPass], titles: Sequence[str] | StrArray) -> dict[str, Ranks]:
    """Return the lowest rank that any of at least one pass finds for each title, per target, shape (n_titles,).

    Chunks of titles go to as many threads as polars has, which releases Python's lock. Within a chunk each distinct
    title is searched once.

    Raises:
        BadInput: a title is missing or is no text.
    """
    series = as_series(titles)

    def search(start: int) -> dict[str, Ranks]:
        chunk = series.slice(start, CHUNK_TITLES).to_arrow().dictionary_encode()
        distinct = pl.Series(chunk.dictionary.cast(pa.large_string()), dtype=pl.String)
        back = chunk.indices.to_numpy()  # (n_chunk,), the distinct title of each title
        found = [one.lowest_ranks(distinct) for one in passes]
        return {target: np.minimum.reduce([ranks[target] for ranks in found])[back] for target in found[0]}

    with ThreadPoolExecutor(pl.thread_pool_size()) as threads:
        parts = list(threads.map(search, range(0, max(len(series), 1), CHUNK_TITLES)))
    return {target: np.concatenate([part[target] for part in parts]) for target in parts[0]}
