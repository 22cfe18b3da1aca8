"""Stage `mine_folds`: mining cross-validated on reviewed titles, everything redone inside each fold."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.progress import Progress
from data_cleaning.titles import Predictions
from harness.experiment.stages import LEARN, LIFTS, MODEL, TEST, Folders
from harness.experiment.stages.fit_system import rows_to_learn_from, weighed_parts
from harness.experiment.stages.mine_table import MineSettings
from harness.experiment.stages.predicting import predict_titles
from harness.experiment.systems import Recipe
from harness.keywords.suggestions import amend
from harness.mining.proof import differences, table_predictions
from neural.classifier import NeuralClassifier

_VALID_SHARE = 5
"""One in so many of the reviewed titles that are left chooses the epoch and the changes; the others teach."""


@dataclass(frozen=True, kw_only=True)
class FoldSettings:
    """What is mined in each fold, by which network."""

    mine: MineSettings
    network: Recipe
    n_folds: int


def mine_folds(settings: FoldSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Hold out each fold of the reviewed titles once; fit, mine, place and re-price on the others, and score on it.

    Near duplicates share a fold, and legacy rows of a title that is held out are not mined either. The network starts
    from the one that was fitted without reviewed titles.
    """
    taxonomy, seed, n_folds = settings.mine.taxonomy, settings.mine.seed, settings.n_folds
    learned = rows_to_learn_from(settings.mine.rows, taxonomy, inputs["split"] / LEARN, on_progress)
    tested = pl.read_parquet(inputs["split"] / TEST).filter(pl.col("source") == "reviewed")
    reviewed = pl.concat([learned.filter(pl.col("source") == "reviewed"), tested.select(learned.columns)])
    others = learned.filter(pl.col("source") != "reviewed")
    others = others.with_columns(near_duplicate_keys(others["title"]))
    reviewed = reviewed.with_columns(near_duplicate_keys(reviewed["title"]))
    fold_of_key = _draw(reviewed["key"], n_folds, seed)
    reviewed = reviewed.join(fold_of_key, on="key", maintain_order="left")
    answers: dict[str, list[Predictions]] = {}
    for fold in range(n_folds):
        held_out = reviewed.filter(pl.col("fold") == fold)
        taught = reviewed.filter(pl.col("fold") != fold).with_columns(
            part=pl.when(pl.col("place") % _VALID_SHARE == 0).then(pl.lit("valid")).otherwise(pl.lit("train"))
        )
        left = others.filter(~pl.col("key").is_in(held_out["key"].implode()))
        divided = pl.concat([left.select(learned.columns), taught.select(learned.columns)])
        network = _fit_network(settings, divided, inputs["warm_start"] / MODEL, on_progress)
        found_in_fold = _answers_of_fold(settings, network, divided, held_out["title"].to_numpy(), on_progress)
        for name, found in found_in_fold.items():
            answers.setdefault(name, []).append(found)
    rows = reviewed.select(
        pl.lit("reviewed").alias("reference"),
        "title",
        *taxonomy.names,
        pl.lit(1, dtype=pl.Int64).alias("records"),
        pl.lit("new").alias("history"),
    )
    given = table_predictions(settings.mine.read_table(), rows["title"].unique().sort().to_numpy())
    joined = {name: _joined(parts) for name, parts in answers.items()}
    differences(rows, joined, given, seed).to_parquet(out / LIFTS, index=False)


def _draw(keys: pl.Series, n_folds: int, seed: int) -> pl.DataFrame:
    """Deal distinct keys to folds: `key`, `fold` and the `place` of the key in the deal."""
    distinct = keys.unique().sort()
    place = np.random.default_rng([seed, n_folds]).permutation(len(distinct))
    return pl.DataFrame({"key": distinct, "fold": place % n_folds, "place": place // n_folds})


def _fit_network(
    settings: FoldSettings, divided: pl.DataFrame, warm_start: Path, on_progress: Progress
) -> NeuralClassifier:
    """Fit the network without the titles held out."""
    share = settings.mine.rows.reviewed_share
    assert share is not None, "folds are of reviewed titles"
    train, valid = weighed_parts(divided, share, settings.mine.taxonomy)
    recipe = settings.network
    network = NeuralClassifier(recipe.settings, seed=recipe.seed, on_progress=on_progress, warm_start=warm_start)
    return network.fit(train, valid)


def _answers_of_fold(
    settings: FoldSettings, network: NeuralClassifier, divided: pl.DataFrame, titles: np.ndarray, on_progress: Progress
) -> dict[str, Predictions]:
    """Mine without the titles held out; return what the network and each amended table say of those."""
    table = settings.mine.read_table()
    mined = settings.mine.mine(network, divided, on_progress)
    answers = {
        source: table_predictions(amend(table, changes), titles) for source, changes in mined.suggestions.items()
    }
    answers["the network itself"] = predict_titles(
        network, titles.tolist(), settings.mine.taxonomy, "predict fold", on_progress
    )
    return answers


def _joined(parts: list[Predictions]) -> Predictions:
    """Return the answers for the titles of all folds together."""
    return Predictions(
        taxonomy=parts[0].taxonomy,
        titles=np.concatenate([part.titles for part in parts]),
        probabilities={
            name: np.concatenate([part.probabilities[name] for part in parts]) for name in parts[0].probabilities
        },
    )
