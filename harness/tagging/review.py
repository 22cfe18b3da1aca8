"""Why a person should review an answer: reasons as bits of a number, and their words."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import IntArray

NO_TITLE, CUT, OTHER_SCRIPT, ACCENTED, LOW_PLACE_CONFIDENCE, UNLIKE = (1 << bit for bit in range(6))
_FIRST_TARGET_BIT = 6

MAX_TARGETS = 32 - _FIRST_TARGET_BIT
"""Targets that a number of 32 bits has room for."""

_WORDS = {
    NO_TITLE: "no title",
    CUT: "longer than a title",
    OTHER_SCRIPT: "not in Latin letters",
    ACCENTED: "letters that English does not have",
    UNLIKE: "unlike the titles learned from",
    LOW_PLACE_CONFIDENCE: "low confidence in the hierarchy",
}

Reasons = npt.NDArray[np.uint32]


def low_confidence(position: int) -> int:
    """Return the bit for a confidence that is too low in a target, by its position in the taxonomy."""
    return 1 << (_FIRST_TARGET_BIT + position)


def worded(
    codes: npt.NDArray[np.int64], taxonomy: Taxonomy, why: Sequence[str], disagreements: Sequence[str]
) -> pl.Series:
    """Put reasons into words, "function unsure; role unsure", null where there is none.

    The codes are as `combined` returns them; `why` words the contradictions and `disagreements` the disagreements.
    """
    position, distinct = pd.factorize(codes)  # by hash, where sorting takes three times as long
    said = pl.Series([_words(int(code), taxonomy, why, disagreements) for code in distinct], dtype=pl.String)
    return said.gather(position.astype(np.uint32))


def combined(reasons: Reasons, contradiction: IntArray, disagreement: IntArray) -> npt.NDArray[np.int64]:
    """Return one number per row that is 0 only where there is nothing to review, (n_rows,).

    `contradiction` and `disagreement` are positions in lists of words, -1 for none; all arrays are (n_rows,). Labels
    that contradict each other cannot all agree with a place, so that no disagreement is said beside a contradiction.
    """
    beside = np.where(contradiction >= 0, -1, disagreement).astype(np.int64)
    return reasons.astype(np.int64) | ((contradiction.astype(np.int64) + 1) << 32) | ((beside + 1) << 40)


def _words(code: int, taxonomy: Taxonomy, why: Sequence[str], disagreements: Sequence[str]) -> str | None:
    said = [words for bit, words in _WORDS.items() if code & bit]
    said += [f"{name} unsure" for position, name in enumerate(taxonomy.names) if code & low_confidence(position)]
    if contradiction := code >> 32 & 0xFF:
        said.append(f"labels contradict: {why[contradiction - 1]}")
    if disagreement := code >> 40:
        said.append(f"labels disagree with the place: {disagreements[disagreement - 1]}")
    return "; ".join(said) or None
