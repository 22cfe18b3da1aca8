"""How wrong each prediction is: the loss that training would give it."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from data_cleaning.titles import Predictions

_LEAST_PROBABILITY = 1e-12
"""A class that a system rules out costs 27.6 nats, not endlessly many."""

PREDICTED = "predicted_"


def rank_by_loss(rows: pl.DataFrame, predictions: Predictions, target_weights: Mapping[str, float]) -> pl.DataFrame:
    """Put the rows whose labels the predictions give the least chance first.

    Args:
        rows: `part`, `title`, a class name per target and `count`.
        predictions: of at least the titles of the rows.
        target_weights: what each target counts in the loss; only the ratios matter.

    Returns:
        `part`, `title`, the labels, the predicted classes as `predicted_<target>`, `loss` in nats (the weighted mean of
        the targets' cross-entropies) and `records`; the largest loss first, then most records.
    """
    titles = rows["title"].to_list()
    places = predictions.rows_of(titles)
    loss = np.zeros(len(rows))
    predicted = {}
    for target in predictions.taxonomy.targets:
        labels = target.encode(rows[target.name])
        chances = predictions.probabilities[target.name][places, labels].astype(np.float64)
        loss -= target_weights[target.name] * np.log(np.maximum(chances, _LEAST_PROBABILITY))
        positions = predictions.predicted(target.name)[places]
        predicted[f"{PREDICTED}{target.name}"] = pl.Series(
            [target.classes[code] for code in positions], dtype=pl.String
        )
    total = sum(target_weights[name] for name in predictions.taxonomy.names)
    names = predictions.taxonomy.names
    ranked = rows.select("part", "title", *names, pl.col("count").alias("records")).with_columns(
        **predicted, loss=pl.Series(loss / total)
    )
    order = ranked.sort("loss", "records", "title", *names, descending=[True, True, False, *(False for _ in names)])
    return order.select("part", "title", *names, *predicted, "loss", "records")
