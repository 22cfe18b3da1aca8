"""What the miner asks a fitted network: its answers for titles, and which words made it give them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data_cleaning.progress import Progress
from data_cleaning.titles import FloatArray, IntArray
from harness.mining.beliefs import Beliefs
from harness.mining.candidates import WordShares

if TYPE_CHECKING:
    from neural.classifier import NeuralClassifier


def choose_to_explain(beliefs: Beliefs, table_classes: Mapping[str, IntArray], most: int) -> npt.NDArray[np.bool_]:
    """Choose titles to explain, (n_titles,): those whose table verdict would change first, then by records."""
    differs = np.zeros(len(beliefs), dtype=bool)
    for target, classes in table_classes.items():
        differs |= beliefs.verdicts(target) != classes
    order = np.lexsort((np.arange(len(beliefs)), -beliefs.records, ~(differs | beliefs.reviewed)))
    chosen = np.zeros(len(beliefs), dtype=bool)
    chosen[order[:most]] = True
    return chosen


def explain_words(
    system: "NeuralClassifier",
    beliefs: Beliefs,
    words: Sequence[Sequence[str]],
    chosen: npt.NDArray[np.bool_],
    method: str,
    on_progress: Progress,
) -> WordShares:
    """Ask a network which words of some titles speak for the classes that are believed in.

    Of a title's importances only what speaks for the class counts, and is scaled to a sum of 1.

    Args:
        system: fitted.
        beliefs: about the titles.
        words: of each title, from `phrases.split_titles`.
        chosen: titles to explain, (n_titles,).
        method: one of `neural.attribution.METHODS`.
        on_progress: told of the titles done.
    """
    from neural.attribution import explain

    rows = np.flatnonzero(chosen)
    classes = {target: beliefs.verdicts(target)[rows] for target in beliefs.taxonomy.names}
    found = explain(system, list(beliefs.titles[rows]), method, classes=classes, on_progress=on_progress)
    n_words = np.array([len(held) for held in words], dtype=np.int64)  # (n_titles,)
    offsets = np.concatenate([[0], np.cumsum(n_words)])  # (n_titles + 1,)
    n_found = np.bincount(found.title_of_word, minlength=len(rows))  # (n_chosen,)
    # Composing a character may join or part words; such a title is left out, as its words cannot be told apart.
    agrees = n_found == n_words[rows]
    explained = np.zeros(len(words), dtype=bool)
    explained[rows[agrees]] = True
    kept = agrees[found.title_of_word]  # (n_found_words,)
    within = np.arange(len(found.title_of_word)) - (np.cumsum(n_found) - n_found)[found.title_of_word]
    places = (offsets[rows[found.title_of_word]] + within)[kept]
    shares: dict[str, FloatArray] = {}
    for target, scores in found.scores.items():
        speaking = np.maximum(scores, 0.0)
        total = np.bincount(found.title_of_word, speaking, minlength=len(rows))
        shares[target] = np.zeros(offsets[-1])
        shares[target][places] = (speaking / np.maximum(total, np.finfo(np.float64).tiny)[found.title_of_word])[kept]
    return WordShares(explained=explained, offsets=offsets, shares=shares)
