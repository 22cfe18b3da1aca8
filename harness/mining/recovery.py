"""How good a list of candidates is: planted words that it finds, and how many candidates mend more than they spoil."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import polars as pl

from baselines.keyword_table import KeywordTable
from harness.mining.phrases import titles_matching

FIRST_FOR_RECALL, FIRST_FOR_PRECISION = 100, 50
_LONGEST_ENDING = 4


def names_the_same(keyword: str, planted: str) -> bool:
    """Say whether a keyword is a planted word but for the last ending, as "threat hunter" is "threat hunt"."""
    ours, theirs = keyword.split(), planted.split()
    if len(ours) != len(theirs) or ours[:-1] != theirs[:-1]:
        return False
    shorter, longer = sorted((ours[-1], theirs[-1]), key=len)
    return longer.startswith(shorter) and len(longer) - len(shorter) <= _LONGEST_ENDING


def recovered(candidates: pd.DataFrame, planted: Mapping[str, str]) -> list[str]:
    """Return the planted words that the first candidates of a target name, with the right class.

    Args:
        candidates: of one target, the best first: `keyword`, `class`.
        planted: word to its class for that target.
    """
    first = candidates.head(FIRST_FOR_RECALL)
    listed = list(zip(first["keyword"], first["class"], strict=True))
    return [
        word
        for word, right in planted.items()
        if any(label == right and names_the_same(keyword, word) for keyword, label in listed)
    ]


def judge_candidates(candidates: pd.DataFrame, target: str, truth: pl.DataFrame, table: KeywordTable) -> pd.DataFrame:
    """Hold each candidate of a target against true labels.

    Args:
        candidates: `keyword`, `match` (word or prefix), `class`.
        target: of the candidates.
        truth: distinct `title` and its true class as the target's column.
        table: what the candidates are to be added to.

    Returns:
        The candidates with `true_share` (of the titles that hold it, the share of its class; missing where there are
        none), `fixed` (titles that the table gets wrong and the class would be right for) and `broken` (titles that the
        table gets right and the class would be wrong for).
    """
    titles = truth["title"].to_numpy()
    gold = table.taxonomy[target].encode(truth[target].to_list())
    given = table.class_positions[target][table.winners(titles)[target]]
    figures = []
    found = titles_matching(candidates["keyword"], candidates["match"], titles)
    for label, held in zip(candidates["class"], found, strict=True):
        code = table.taxonomy[target].class_index[label]
        right = gold[held] == code
        figures.append(
            (
                right.mean() if len(held) else np.nan,
                int((right & (given[held] != code)).sum()),
                int((~right & (given[held] == gold[held])).sum()),
            )
        )
    return candidates.assign(**pd.DataFrame(figures, columns=["true_share", "fixed", "broken"], index=candidates.index))
