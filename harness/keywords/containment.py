"""What can be said of a keyword table without any titles: rows whose every match is also a match of another row."""

import numpy as np
import numpy.typing as npt
import polars as pl

from baselines.keyword_table import KeywordTable
from baselines.matching import normal_form
from data_cleaning.titles import IntArray

_IDEOGRAPHS = range(0x4E00, 0x9FFF)


def covered_by(table: KeywordTable) -> npt.NDArray[np.bool_]:
    """Find rows of which every match is one of another row, whatever the title.

    "chief security officer" is covered by "security". Titles are taken to be in the spelling of `normalise_titles`.
    What is found is so; in tables of substring rows alone, all of it is found.

    Returns:
        True where the first row is covered by the second, no row by itself, (n_rows, n_rows).
    """
    keywords = pl.Series(table.rows["keyword"].tolist(), dtype=pl.String)
    match = table.rows["match"].to_numpy()
    substring = match == "substring"
    words = normal_form(keywords).str.strip_chars()
    # A letter that no keyword has makes a longer word of the last or first one, where a title may go on there.
    glue = next(chr(code) for code in _IDEOGRAPHS if not keywords.str.contains(chr(code), literal=True).any())
    spelled = np.where(substring, keywords.to_numpy(), words.to_numpy())
    in_letters = table.hits(spelled).toarray()
    glued = np.where(substring, glue, "") + spelled + np.where(match == "word", "", glue)
    in_words = table.hits(glued).toarray()
    # Words may stand in a title between any signs, so a substring row is found in one word alone or not at all.
    one_word = keywords.str.contains("^[A-Za-z0-9]+$").to_numpy()
    plain = keywords.str.contains(r"^[\x00-\x7f]+$").to_numpy()
    in_letters &= substring[:, None] | one_word[None, :]
    in_words &= ~substring[:, None] | plain[:, None]
    covered = np.where(substring[None, :], in_letters, in_words)
    np.fill_diagonal(covered, False)
    return covered


def unreachable(table: KeywordTable, covered: npt.NDArray[np.bool_]) -> dict[int, tuple[int, ...]]:
    """Find rows that decide no title at all, because others outrank them wherever they match.

    Args:
        table: the table.
        covered: as `covered_by` returns it.

    Returns:
        The position of each such row to those of the rows that decide in its place, the highest-ranking one for each
        target that it sets.
    """
    rank = np.argsort(table.order)
    above = covered & (rank[None, :] < rank[:, None])
    found = {}
    for row in np.flatnonzero(above.any(axis=1)).tolist():
        reasons: dict[int, None] = {}
        for sets in table.sets.values():
            if not sets[row]:
                continue
            others = np.flatnonzero(above[row] & sets)
            if not len(others):
                break
            reasons[int(others[rank[others].argmin()])] = None
        else:
            found[row] = tuple(reasons)
    return found


def equal_overlaps(table: KeywordTable, covered: npt.NDArray[np.bool_]) -> list[tuple[int, int, str]]:
    """Find pairs of rows of equal priority, one covered by the other, that set another class of a target.

    Returns:
        The row that outranks the other (being longer, or earlier), the other, and the target.
    """
    rank = np.argsort(table.order)
    priority = table.rows["priority"].to_numpy()
    equal = (covered | covered.T) & (priority[:, None] == priority[None, :]) & (rank[:, None] < rank[None, :])
    pairs = []
    for target, sets in table.sets.items():
        classes: IntArray = table.class_positions[target][:-1]
        differ = equal & sets[:, None] & sets[None, :] & (classes[:, None] != classes[None, :])
        pairs += [(int(first), int(second), target) for first, second in zip(*np.nonzero(differ), strict=True)]
    return pairs
