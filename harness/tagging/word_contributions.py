"""How much each word of a title adds to the answer of a system, in numbers that add up to that answer.

A word's contribution is its Shapley value: how much the log-odds of the label rise when the word joins some of the
others, averaged over all orders in which the words may join. This asks a system nothing but for probabilities, so that
it holds for every system, and the contributions and the log-odds without any word add up to those of the title.

Source: Lundberg and Lee 2017, arXiv:1705.07874; sampling by Castro et al. 2009, doi:10.1016/j.cor.2008.04.004.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data_cleaning.titles import FloatArray

if TYPE_CHECKING:
    from harness.experiment.system_contract import TitleClassifier

MAX_PIECES = 16
"""Rows of a word list; in a longer title, words that follow each other share one."""

MAX_EXACT = 6
"""Words up to which every subset is asked for; beyond it, orders are sampled."""

_N_SAMPLED = 16
"""Sampled orders, each of which is also taken backwards."""

_SMALLEST = 1e-6
"""Bound of a probability, so that its log-odds are finite: 13.8 at most."""


@dataclass(frozen=True)
class Contributions:
    """What the words of a title add to the log-odds of one label; `start` and `words` add up to `total`."""

    start: float
    """Log-odds without any word."""
    words: tuple[float, ...]
    """Of each piece of the title, in its order."""
    total: float
    """Log-odds with all words: those of the label's probability."""


def split_title(title: str) -> list[str]:
    """Return the words of a title as they are written, symbols included; at most `MAX_PIECES` pieces."""
    words = title.split()
    bounds = np.linspace(0, len(words), min(len(words), MAX_PIECES) + 1).round().astype(int).tolist()
    return [" ".join(words[start:end]) for start, end in pairwise(bounds)]


def word_contributions(
    system: "TitleClassifier", title: str, classes: Mapping[str, int]
) -> tuple[list[str], dict[str, Contributions]]:
    """Return the pieces of a title, and target to what they add to the log-odds of its class in `classes`."""
    pieces = split_title(title)
    chains = _chains(len(pieces))
    subsets = sorted({subset for chain in chains for subset in chain})
    texts = [" ".join(piece for at, piece in enumerate(pieces) if subset >> at & 1) for subset in subsets]
    probabilities = system.predict_proba(texts)
    row = {subset: number for number, subset in enumerate(subsets)}
    found = {}
    for target, position in classes.items():
        odds = log_odds(probabilities[target][:, position])
        words = np.zeros(len(pieces))
        for chain in chains:
            for before, after in pairwise(chain):
                words[(before ^ after).bit_length() - 1] += odds[row[after]] - odds[row[before]]
        everything = (1 << len(pieces)) - 1
        mean = tuple(float(value) for value in words / len(chains))
        found[target] = Contributions(float(odds[row[0]]), mean, float(odds[row[everything]]))
    return pieces, found


def log_odds(probabilities: FloatArray) -> npt.NDArray[np.float64]:
    """Return log(p / (1 - p)) of probabilities, bounded; 0 is .5, 2.2 is .90 and 4.6 is .99."""
    bounded = np.clip(probabilities.astype(np.float64), _SMALLEST, 1 - _SMALLEST)
    return np.log(bounded) - np.log1p(-bounded)


def _chains(n_pieces: int) -> list[list[int]]:
    """Return orders in which words join, each as the subsets from no word to all, a bit for each word."""
    if n_pieces <= MAX_EXACT:
        orders = [*permutations(range(n_pieces))]
    else:
        random = np.random.default_rng(0)
        drawn = [tuple(random.permutation(n_pieces).tolist()) for _ in range(_N_SAMPLED)]
        orders = [*drawn, *(order[::-1] for order in drawn)]
    chains = []
    for order in orders:
        subsets = [0]
        for piece in order:
            subsets.append(subsets[-1] | 1 << piece)
        chains.append(subsets)
    return chains
