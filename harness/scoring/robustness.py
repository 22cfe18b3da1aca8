"""Other ways to type a title, and how often a system answers them otherwise."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import polars as pl

from data_cleaning.simulate.surface import N_TYPOS, write
from data_cleaning.titles import Predictions
from harness.scoring.hits import ALL, Hits
from harness.scoring.references import WEIGHTINGS
from neural.spelling import spellings

_EVERY_WORD = 9
"""The code with which `write` shortens every word that has an abbreviation."""
_AS_TYPED = {"join": 0, "separator": 0, "abbreviation": 0, "typo": 0, "case": 0}


def title_variants(titles: Sequence[str]) -> dict[str, list[str]]:
    """Type each title in other ways that a reader takes for the same.

    Returns:
        What is changed to the texts, in the order of the titles; a title that has nothing to change stays as it is.
    """
    return {
        "upper case": [title.upper() for title in titles],
        "lower case": [title.lower() for title in titles],
        "word order": [spellings(title)[0] for title in titles],
        # Another error in each title, and the same one in every run.
        "typing error": [
            write(title, **_AS_TYPED | {"typo": 1 + number % (N_TYPOS - 1)}) for number, title in enumerate(titles)
        ],
        "abbreviation": [write(title, **_AS_TYPED | {"abbreviation": _EVERY_WORD}) for title in titles],
    }


def robustness(
    rows: pl.DataFrame,
    predictions: Predictions,
    titles: Sequence[str],
    variants: Mapping[str, Sequence[str]],
    of_variants: Predictions,
) -> pd.DataFrame:
    """Compare the answers for variants of titles with those for the titles.

    Args:
        rows: as `references.make_references` gathers them.
        predictions: of one system, for at least the titles.
        titles: distinct ones.
        variants: what `title_variants` makes of them.
        of_variants: of the same system, for at least the variants that differ from their title.

    Returns:
        `reference`, `variant`, the number of `titles` that it changes and that the reference has, the share of these
        for which the answer for any target has `changed`, and the share with all targets right `before` and `after`.
    """
    found = []
    for variant, texts in variants.items():
        pairs = [(title, text) for title, text in zip(titles, texts, strict=True) if title != text]
        if not pairs:
            continue
        old, new = (np.array(side, dtype=object) for side in zip(*pairs, strict=True))
        places = of_variants.rows_of(new)
        again = Predictions(
            taxonomy=predictions.taxonomy,
            titles=old,
            probabilities={name: chances[places] for name, chances in of_variants.probabilities.items()},
        )
        for (reference,), group in rows.filter(pl.col("title").is_in(old)).group_by("reference", maintain_order=True):
            before, after = Hits(group, predictions), Hits(group, again)
            answers = zip(before.predicted.values(), after.predicted.values(), strict=True)
            differs = np.any([one != other for one, other in answers], axis=0)
            n_changed = len(set(before.title_codes[differs]))
            at = before.names.index(ALL)
            right = [hits.points(WEIGHTINGS[1])[0][:, at].mean() for hits in (before, after)]
            found.append((reference, variant, before.n_titles, n_changed / before.n_titles, *right))
    return pd.DataFrame(found, columns=["reference", "variant", "titles", "changed", "before", "after"])
