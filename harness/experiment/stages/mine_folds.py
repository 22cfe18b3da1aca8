"""Stage `mine_folds`: mining cross-validated on reviewed titles, everything redone inside each fold."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.titles import Predictions
from harness.experiment.config import REVIEWED
from harness.experiment.predicting import predict_titles
from harness.experiment.stages.fit_system import rows_to_learn_from, weighed_parts
from harness.experiment.stages.mine_table import base_table, mining_settings, rejected_file, reviewed_share
from harness.experiment.stages.stage_files import LEARN, LIFTS, TEST
from harness.experiment.systems import SYSTEMS, Request
from harness.keywords.rejected_suggestions import read_rejected
from harness.keywords.suggestions import amend
from harness.mining.miner import mine
from harness.mining.proof import differences, table_predictions

_VALID_SHARE = 5
"""One in so many of the reviewed titles that are left chooses the epoch and the changes; the others teach."""


def mine_folds(request: Request, block: str, split_folder: Path, start: Path, folder: Path) -> None:
    """Hold out each fold of the reviewed titles once; fit, mine, place and re-price on the others, and score on it.

    Near duplicates share a fold, and legacy rows of a title that is held out are not mined either. The network goes on
    from the one that was fitted without reviewed titles.

    Args:
        request: names the config and the targets.
        block: of labels, reviewed titles among them.
        split_folder: of one split.
        start: folder of the network without reviewed titles.
        folder: to write to.
    """
    learned = rows_to_learn_from(request, block, split_folder / LEARN)
    tested = pl.read_parquet(split_folder / TEST).filter(pl.col("source") == "reviewed")
    reviewed = pl.concat([learned.filter(pl.col("source") == "reviewed"), tested.select(learned.columns)])
    others = learned.filter(pl.col("source") != "reviewed")
    others = others.with_columns(near_duplicate_keys(others["title"]))
    reviewed = reviewed.with_columns(near_duplicate_keys(reviewed["title"]))
    n_folds = request.config.mining.folds
    fold_of_key = _draw(reviewed["key"], n_folds, request.config.seed)
    reviewed = reviewed.join(fold_of_key, on="key", maintain_order="left")
    table = base_table(request)
    answers: dict[str, list[Predictions]] = {}
    for fold in range(n_folds):
        held_out = reviewed.filter(pl.col("fold") == fold)
        taught = reviewed.filter(pl.col("fold") != fold).with_columns(
            part=pl.when(pl.col("place") % _VALID_SHARE == 0).then(pl.lit("valid")).otherwise(pl.lit("train"))
        )
        left = others.filter(~pl.col("key").is_in(held_out["key"].implode()))
        parted = pl.concat([left.select(learned.columns), taught.select(learned.columns)])
        for name, found in _answers_of_fold(request, block, parted, start, held_out["title"].to_numpy()).items():
            answers.setdefault(name, []).append(found)
    rows = reviewed.select(
        pl.lit("reviewed").alias("reference"),
        "title",
        *request.taxonomy.names,
        pl.lit(1, dtype=pl.Int64).alias("records"),
        pl.lit("new").alias("history"),
    )
    given = table_predictions(table, rows["title"].unique().sort().to_numpy())
    joined = {name: _joined(parts) for name, parts in answers.items()}
    differences(rows, joined, given, request.config.seed).to_parquet(folder / LIFTS, index=False)


def _draw(keys: pl.Series, n_folds: int, seed: int) -> pl.DataFrame:
    """Deal distinct keys to folds: `key`, `fold` and the `place` of the key in the deal."""
    distinct = keys.unique().sort()
    place = np.random.default_rng([seed, n_folds]).permutation(len(distinct))
    return pl.DataFrame({"key": distinct, "fold": place % n_folds, "place": place // n_folds})


def _answers_of_fold(
    request: Request, block: str, parted: pl.DataFrame, start: Path, titles: np.ndarray
) -> dict[str, Predictions]:
    """Fit and mine without the titles held out; return what the network and each amended table say of those."""
    share = reviewed_share(request.config, block)
    assert share is not None, f"folds are of reviewed titles, and {REVIEWED} blocks have them"
    train, valid = weighed_parts(parted, share, request.taxonomy)
    system = SYSTEMS["neural"].build(replace(request, start=start, scratch=None)).fit(train, valid)
    table = base_table(request)
    mined = mine(
        system,  # type: ignore[arg-type]
        table,
        parted,
        mining_settings(request.config),
        reviewed_share=share,
        seed=request.config.seed,
        refused=read_rejected(rejected_file(request.config)),
        on_progress=request.on_progress,
    )
    answers = {
        source: table_predictions(amend(table, changes), titles) for source, changes in mined.suggestions.items()
    }
    answers["the network itself"] = predict_titles(
        system, titles.tolist(), request.taxonomy, "predict fold", request.on_progress
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
