"""How much scores and answers depend on the seed of a fit."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import polars as pl

from data_cleaning.titles import Predictions
from harness.scoring.hits import ALL, Hits
from harness.scoring.references import WEIGHTINGS

_BETWEEN = "; "


def compare_seeds(
    rows: pl.DataFrame, fits: Mapping[str, Sequence[Predictions]], max_titles: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare the fits of each system that differ in nothing but the seed.

    Args:
        rows: of one reference, as `references.make_references` gathers them.
        fits: system to the predictions of two or more fits, for at least the titles of the rows.
        max_titles: titles of each system that are listed, at most.

    Returns:
        A row per system: `system`, `seeds`, `mean`, `deviation` (standard deviation between seeds), `lowest` and
        `highest` accuracy per record with all targets right, and the share of records whose answers `differ` between
        seeds. And the titles with such answers, those of most records first: `system`, `title`, `records`, and the
        `answers`, the most frequent first, with the number of seeds of each.
    """
    spreads, titles = [], []
    for system, predictions in fits.items():
        hits = [Hits(rows, one) for one in predictions]
        first = hits[0]
        scores, weights = [], np.empty(0)
        for one in hits:
            points, weights = one.points(WEIGHTINGS[0])
            scores.append(float(weights @ points[:, one.names.index(ALL)] / weights.sum()))
        answers = np.stack([_answers(one, first.titles) for one in predictions])  # (n_seeds, n_titles)
        differ = np.flatnonzero((answers != answers[0]).any(axis=0))
        spreads.append(
            {
                "system": system,
                "seeds": len(predictions),
                "mean": np.mean(scores),
                "deviation": np.std(scores, ddof=1),
                "lowest": min(scores),
                "highest": max(scores),
                "differ": weights[differ].sum() / weights.sum(),
            }
        )
        chosen = differ[np.argsort(-weights[differ], kind="stable")][:max_titles]
        titles += [
            {
                "system": system,
                "title": first.titles[at],
                "records": int(weights[at]),
                "answers": _counted(answers[:, at]),
            }
            for at in chosen
        ]
    return pd.DataFrame(spreads), pd.DataFrame(titles, columns=["system", "title", "records", "answers"])


def _answers(predictions: Predictions, titles: np.ndarray) -> np.ndarray:
    """Return the classes of all targets of each title as one text, (n_titles,)."""
    places = predictions.rows_of(titles)
    classes = [
        np.array(target.classes, dtype=object)[predictions.predicted(target.name)[places]]
        for target in predictions.taxonomy.targets
    ]
    return sum((_BETWEEN + named for named in classes[1:]), classes[0])


def _counted(answers: np.ndarray) -> str:
    texts, counts = np.unique(answers.astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return ", or ".join(f"{texts[at]} ({counts[at]})" for at in order)
