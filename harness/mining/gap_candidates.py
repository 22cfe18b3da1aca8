"""Pairs of words with others between them that may become gap rows, ranked by what they would fix."""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import pandas as pd

from baselines.gap_and_mask import GAP, STAR
from data_cleaning.titles import IntArray
from harness.mining.phrases import JOINING, split_titles
from harness.mining.title_labels import TitleLabels

_MAX_PAIRS = 500
_MIN_LETTERS = 2


def gap_candidates(
    labels: TitleLabels, table_classes: Mapping[str, IntArray], min_titles: int, max_candidates: int
) -> dict[str, pd.DataFrame]:
    """Rank two words with others between them as new rows of each target.

    The pairs are those of at least `min_titles` titles that the table gets wrong, in some target. A pair is a candidate
    for the class that its titles have most often; its score is that share of them times the titles that it would fix.

    Args:
        labels: of judged titles.
        table_classes: target to the table's class of each, (n_titles,).
        min_titles: wrong ones that a pair must occur in.
        max_candidates: to keep for each target.

    Returns:
        Target to `keyword`, `match` and `class`, the best first.
    """
    words = split_titles(labels.titles)
    wrong = np.any([labels.top_classes(name) != codes for name, codes in table_classes.items()], axis=0)
    found: dict[tuple[str, str], int] = defaultdict(int)
    for at in np.flatnonzero(wrong).tolist():
        for pair in _pairs(words[at]):
            found[pair] += 1
    frequent = sorted((-n, pair) for pair, n in found.items() if n >= min_titles)[:_MAX_PAIRS]
    kept = {pair for _, pair in frequent}
    titles: dict[tuple[str, str], list[int]] = defaultdict(list)
    firsts, lasts = {first for first, _ in kept}, {last for _, last in kept}
    for at, of_title in enumerate(words):
        if not firsts.isdisjoint(of_title) and not lasts.isdisjoint(of_title):
            for pair in _pairs(of_title) & kept:
                titles[pair].append(at)
    ranked = {}
    for name, codes in table_classes.items():
        shares, names = labels.shares[name], labels.taxonomy[name].classes
        rows = []
        for (first, last), held in sorted(titles.items()):
            of_class = shares[held].sum(axis=0)
            best = int(of_class.argmax())
            gain = float(of_class[best] - shares[held, codes[held]].sum())
            if gain > 0:
                score = gain * float(of_class[best]) / len(held)
                rows.append((f"{first} {STAR} {last}", GAP, names[best], score))
        frame = pd.DataFrame(rows, columns=["keyword", "match", "class", "score"])
        best_first = frame.sort_values(["score", "keyword"], ascending=[False, True], kind="stable")
        ranked[name] = best_first.head(max_candidates).reset_index(drop=True)
    return ranked


def _pairs(words: list[str]) -> set[tuple[str, str]]:
    """Return every two words of a title with at least one between them, none of which only joins others."""
    telling = [len(word) >= _MIN_LETTERS and word not in JOINING for word in words]
    return {
        (words[first], words[last])
        for first in range(len(words))
        for last in range(first + 2, len(words))
        if telling[first] and telling[last]
    }
