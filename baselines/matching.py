"""Aho-Corasick over whole columns: which patterns occur in each text, and the lowest rank among them."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from scipy import sparse

from data_cleaning.errors import BadInput
from data_cleaning.titles import IntArray, StrArray, distinct_keys

CHUNK_TITLES = 40_000
"""Distinct titles searched at a time by each thread; bounds the memory that matches take, about 100 bytes a title."""

_WORD = r"\p{L}\p{M}\p{N}"
_NOT_A_WORD = rf"[^{_WORD}]+"
_SYMBOL = rf"[{_WORD}]\s*[&/]\s*[{_WORD}]|[+#]|(?:^|[^{_WORD}])\.[\p{{L}}\p{{N}}]"
_NOT_KEPT = rf"[^{_WORD}+#.]+"
_ASCII_SPELLING = np.array(
    [ord(chr(byte).lower()) if byte < 0x80 and chr(byte).isalnum() else ord(" ") for byte in range(256)], dtype=np.uint8
)
"""Each byte as `normal_form` spells it."""
_PLURALS = ((r"(\pL(?:ss|x|ch|sh))es\b", "$1"), (r"(\pL{3}[\pL--[sui]])s\b", "$1"))

Ranks = npt.NDArray[np.uint32]

Spelling = Callable[[pl.Series], pl.Series]
"""Brings titles into the spelling in which patterns are sought."""

_Found = TypeVar("_Found")


def lower_case(texts: pl.Series) -> pl.Series:
    """Lower-case each text by the Unicode rules of polars, which keywords and titles both go through."""
    return texts.str.to_lowercase()


def normal_form(texts: pl.Series) -> pl.Series:
    """Spell each text as words between single spaces, with one space before the first and one after the last.

    NFKC, lower case, and every run of anything but letters, marks and digits made one space. A text without a letter
    or digit becomes one space.
    """
    padded = " " + texts + " "  # the runs at both ends absorb the padding, or it is all that is left
    is_ascii = (padded.str.len_bytes() == padded.str.len_chars()).fill_null(False)
    if is_ascii.all():
        return _ascii_normal_form(padded)
    others = padded.filter(~is_ascii).str.normalize("NFKC").str.to_lowercase().str.replace_all(_NOT_A_WORD, " ")
    spelled = padded.scatter((~is_ascii).arg_true(), others)
    return spelled.scatter(is_ascii.arg_true(), _ascii_normal_form(padded.filter(is_ascii)))


def _ascii_normal_form(padded: pl.Series) -> pl.Series:
    """Return the `normal_form` of texts in ASCII, none of them empty, by their bytes, in a quarter of the time."""
    if padded.is_empty():
        return padded
    texts = padded.to_arrow(compat_level=pl.CompatLevel.oldest())  # with 64-bit offsets
    _, offsets, content = texts.buffers()
    at = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    spelled = _ASCII_SPELLING[np.frombuffer(content, dtype=np.uint8)[at[0] : at[-1]]]
    starts = at[:-1] - at[0]
    kept = spelled != ord(" ")
    kept[1:] |= kept[:-1]  # of a run of blanks, the first
    kept[starts] = True
    ends = np.cumsum(np.add.reduceat(kept, starts, dtype=np.int64))
    buffers = pa.py_buffer(np.append(0, ends)), pa.py_buffer(spelled[kept])
    return pl.Series(padded.name, pl.from_arrow(pa.LargeStringArray.from_buffers(len(texts), *buffers)))


def has_symbol(texts: pl.Series) -> pl.Series:
    """Say which keywords a symbol tells from other texts of the same words; these are sought in `symbol_form`.

    Such are + and # ("c++", "c#"), a dot before a word (".net"), and & and / between two words ("r&d", "a/v"). All
    other signs only separate words, such as the hyphen of "c-level" and the dots of "i.t." and "node.js".
    """
    return texts.str.normalize("NFKC").str.contains(_SYMBOL)


def symbol_form(texts: pl.Series) -> pl.Series:
    """Spell each text as `normal_form` does, but keep + # and dots, with bars around each word that tell where it ends.

    "C/C++, R & D" becomes " |c| |c|++ |r| |d| ", in which "|c|++" and "|r| |d|" are found, and "|c|#" is not. Blanks
    beside a symbol count: "Sr. Net Admin" does not hold ".|net|", and "R.D." does not hold "|r| |d|".
    """
    padded = " " + texts + " "
    kept = padded.str.normalize("NFKC").str.to_lowercase().str.replace_all(_NOT_KEPT, " ")
    return kept.str.replace_all(f"([{_WORD}]+)", "|$1|")


def singular_form(texts: pl.Series) -> pl.Series:
    """Spell each text as `normal_form` does, with words in the singular as far as an ending in -s tells it.

    Words of four letters and less stay as they are, as "news" is not the plural of "new", and so do endings in -ies, as
    "securities" have nothing to do with "security".
    """
    folded = normal_form(texts)
    for plural, singular in _PLURALS:
        folded = folded.str.replace_all(plural, singular)
    return folded


def in_either_order(spell: Spelling) -> Spelling:
    """Spell a title with a comma also in the order without it: "Engineer, Cloud Security" as "cloud security engineer".

    The two spellings are on lines of their own, so that no pattern is found across both.
    """

    def spell_both(titles: pl.Series) -> pl.Series:
        turned = titles.str.split(",").list.reverse().list.join(" ")
        spelled = pl.DataFrame({"once": spell(titles), "turned": spell(turned)})
        both = pl.when(titles.str.contains(",", literal=True)).then(pl.concat_str("once", "turned", separator="\n"))
        return spelled.select(both.otherwise("once")).to_series()

    return spell_both


def as_series(titles: Sequence[str] | StrArray | pl.Series) -> pl.Series:
    """Turn titles into a column.

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
    """One search of all texts, in one spelling, for patterns that carry ranks, such as one per target."""

    spell: Spelling
    patterns: tuple[str, ...]
    """Distinct texts, none of them empty."""
    ranks: Mapping[str, Ranks]
    """What is ranked to the rank of each pattern, (n_patterns,); `no_match` where a pattern sets nothing."""
    no_match: int
    """The rank of a text without a match, above all others."""

    def lowest_ranks(self, titles: pl.Series) -> dict[str, Ranks]:
        """Return the lowest rank among the patterns within each title, per target, shape (n_titles,)."""
        n_found, positions = self.matches(titles)
        matched = n_found > 0
        starts = (np.cumsum(n_found) - n_found)[matched]  # (n_matched,), where each title's matches begin
        lowest = {}
        for target, ranks in self.ranks.items():
            lowest[target] = np.full(len(titles), self.no_match, dtype=np.uint32)
            if len(starts):
                lowest[target][matched] = np.minimum.reduceat(ranks[positions], starts)
        return lowest

    def matches(self, titles: pl.Series) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
        """Find the patterns within each title.

        Returns:
            How many there are in each title, (n_titles,), and their positions in `patterns`, title after title,
            (n_matches,). A pattern that a title holds twice is there twice.
        """
        # Given as one list for all rows: a bare list as long as the column would be read as one pattern per row.
        patterns = pl.Series([self.patterns], dtype=pl.List(pl.String))
        found = self.spell(titles).str.extract_many(patterns, overlapping=True)
        n_found = found.list.len().to_numpy().astype(np.int64)  # (n_titles,)
        # Casting to an Enum turns a match into its position by one hash look-up, faster than replace_strict or a join.
        flat = found.explode(empty_as_null=False).cast(pl.Enum(self.patterns))
        return n_found, flat.to_physical().to_numpy()


def lowest_ranks(passes: Sequence[MatchingPass], titles: Sequence[str] | StrArray | pl.Series) -> dict[str, Ranks]:
    """Return the lowest rank that any of at least one pass finds for each title, per target, shape (n_titles,).

    Each distinct title is searched once; one that is missing or is no text is `BadInput`.
    """
    distinct, position = distinct_texts(as_series(titles))
    chunks = _in_threads(lambda some: [one.lowest_ranks(some) for one in passes], distinct)
    return {
        target: np.concatenate([np.minimum.reduce([one[target] for one in chunk]) for chunk in chunks])[position]
        for target in passes[0].ranks
    }


def find_matches(
    passes: Sequence[MatchingPass], titles: Sequence[str] | StrArray | pl.Series
) -> list[tuple[IntArray, IntArray]]:
    """Find every pattern within each title; titles as in `lowest_ranks`.

    Returns:
        Per pass, the positions of titles and of patterns that go together, both (n_pairs,), no pair twice.
    """
    distinct, position = distinct_texts(as_series(titles))
    chunks = _in_threads(lambda some: [one.matches(some) for one in passes], distinct)
    pairs = []
    for number, one in enumerate(passes):
        n_found = np.concatenate([chunk[number][0] for chunk in chunks])  # (n_distinct,)
        patterns = np.concatenate([chunk[number][1] for chunk in chunks])  # (n_matches,)
        matched = sparse.csr_matrix(
            (np.ones(len(patterns), dtype=bool), patterns, np.concatenate([[0], np.cumsum(n_found)])),
            shape=(len(distinct), len(one.patterns)),
        )
        matched.sum_duplicates()
        spread = matched[position].tocoo()
        pairs.append((spread.row, spread.col))
    return pairs


def _in_threads(search: Callable[[pl.Series], _Found], distinct: pl.Series) -> list[_Found]:
    """Search chunks of distinct titles, at least one, in as many threads as polars has; it releases Python's lock."""
    with ThreadPoolExecutor(pl.thread_pool_size()) as threads:
        starts = range(0, max(len(distinct), 1), CHUNK_TITLES)
        return list(threads.map(lambda start: search(distinct.slice(start, CHUNK_TITLES)), starts))


def distinct_texts(titles: pl.Series) -> tuple[pl.Series, IntArray]:
    """Return the distinct titles and the position of each title among them, shape (n_titles,).

    Factorizing 64-bit hashes and then comparing texts takes under half the time of Arrow's dictionary_encode, polars'
    group_by or pandas' factorize of the texts.
    """
    last_seen, position = distinct_keys(titles.hash().to_numpy())
    distinct = titles.gather(last_seen)
    if not (distinct.gather(position) == titles).all():
        return titles, np.arange(len(titles))  # two texts share a hash; searching a text twice does no harm
    return distinct, position
