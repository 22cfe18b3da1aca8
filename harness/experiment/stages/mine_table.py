"""Stages `mine`, `prove`, `faithfulness` and `mine_folds`: from a network to changes of the table and their worth.

`mine_folds` cross-validates mining on reviewed titles; everything is redone inside each fold.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import polars as pl
from pydantic import TypeAdapter

from baselines.keyword_table import KeywordTable
from data_cleaning.files.frames import read_frame
from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.progress import Progress
from data_cleaning.simulate.word_lists import PLANTED
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions, StrArray
from harness.experiment.hybrid import HybridClassifier
from harness.experiment.recipes import Recipe
from harness.experiment.stages import (
    FAITHFULNESS,
    LEARN,
    LIFTS,
    MINE_FACTS,
    MINED_CANDIDATES,
    MINED_NEARLY,
    MINED_SUGGESTIONS,
    MINED_TABLE,
    MINED_TABLES,
    MODEL,
    PROVED_CHANGES,
    RECOVERY,
    REFERENCE_ROWS,
    TEST,
    Folders,
)
from harness.experiment.stages.fit_system import RowSettings, rows_to_learn_from, weighed_parts
from harness.experiment.stages.obtain_leads import read_truth
from harness.experiment.stages.predicting import predict_titles
from harness.keywords.suggestions import Suggestion, amend, read_rejected
from harness.mining.miner import MINED, Judge, Mined, MiningSettings, mine
from harness.mining.proof import (
    differences,
    lifts,
    prove_changes,
    recovery,
    suggestions_frame,
    table_predictions,
)
from harness.scoring.references import REFERENCES
from neural.classifier import NeuralClassifier
from neural.faithfulness import compare_methods

_SUGGESTIONS = TypeAdapter(dict[str, list[Suggestion]])
_VALID_SHARE = 5
"""One in this many of the reviewed titles that are left is validation; the others are train."""


@dataclass(frozen=True, kw_only=True)
class MineSettings:
    """What is mined, from what, and for which table."""

    table: Path
    mining: MiningSettings
    rejected: Path
    """Where rejected suggestions are remembered; there need be no such file yet."""
    rows: RowSettings
    seed: int
    taxonomy: Taxonomy = field(repr=False)

    def read_table(self) -> KeywordTable:
        """Return the table that changes are mined for."""
        return KeywordTable.read(self.table, self.taxonomy)

    def mine(
        self, network: NeuralClassifier, judge: Judge | None, divided: pl.DataFrame, on_progress: Progress
    ) -> Mined:
        """Mine a fitted network, from rows of train and validation."""
        return mine(
            network,
            self.read_table(),
            divided,
            self.mining,
            judge=judge,
            reviewed_share=self.rows.reviewed_share,
            seed=self.seed,
            refused=read_rejected(self.rejected),
            on_progress=on_progress,
        )


@dataclass(frozen=True, kw_only=True)
class ProveSettings:
    """The table for which changes were mined."""

    table: Path
    seed: int
    taxonomy: Taxonomy = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class FaithfulnessSettings:
    """On how many titles ways to explain a network are compared."""

    n_titles: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class FoldSettings:
    """What is mined in each fold, by which network."""

    mine: MineSettings
    network: Recipe
    n_folds: int
    has_hybrid: bool
    """Whether changes are judged by the system hybrid rather than by the network."""


def mine_table(settings: MineSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Mine one network and write what was found, and the tables that come of it."""
    divided = rows_to_learn_from(settings.rows, settings.taxonomy, inputs["split"] / LEARN, on_progress)
    divided = divided.drop_nulls(settings.taxonomy.names)
    judge = HybridClassifier.load(inputs["judge"] / MODEL) if "judge" in inputs else None
    mined = settings.mine(NeuralClassifier.load(inputs["network"] / MODEL), judge, divided, on_progress)
    write_mined(mined, settings.read_table(), out)


def prove(settings: ProveSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Write the lift of every amended table, what each change fixed and, for simulated leads, planted words found.

    Everything is scored once, on the test part; no network is read.
    """
    table = KeywordTable.read(settings.table, settings.taxonomy)
    rows = read_frame(inputs["references"] / REFERENCE_ROWS)
    amended = read_tables(inputs["mine"], settings.taxonomy)
    lifts(amended, table, rows, settings.seed).to_parquet(out / LIFTS, index=False)
    best = next(name for name in REFERENCES if (rows["reference"] == name).any())
    changes = prove_changes(table, read_suggestions(inputs["mine"])[MINED], rows.filter(pl.col("reference") == best))
    changes.assign(reference=best).to_parquet(out / PROVED_CHANGES, index=False)
    truth = read_truth(inputs["leads"], settings.taxonomy)
    if truth is not None:
        found = recovery(read_candidates(inputs["mine"]), truth, table, PLANTED)
        found.to_parquet(out / RECOVERY, index=False)


def compare_explanations(settings: FaithfulnessSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Compare all ways to explain a network, on titles of validation: the most frequent of two words or more."""
    rows = read_frame(inputs["split"] / LEARN).filter(pl.col("part") == "valid")
    valid = rows.group_by("title").agg(pl.col("count").sum())
    frequent = valid.filter(pl.col("title").str.strip_chars().str.contains(" ")).sort(
        "count", "title", descending=[True, False]
    )
    titles = frequent["title"].head(settings.n_titles).to_list()
    network = NeuralClassifier.load(inputs["network"] / MODEL)
    table = compare_methods(network, titles, seed=settings.seed, on_progress=on_progress)
    table.to_parquet(out / FAITHFULNESS, index=False)


def mine_folds(settings: FoldSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Hold out each fold of the reviewed titles once; fit, mine and place on the others, and score on it.

    Near duplicates share a fold, and legacy rows of a title that is held out are not mined either. The network starts
    from the one that was fitted without reviewed titles.
    """
    taxonomy, seed, n_folds = settings.mine.taxonomy, settings.mine.seed, settings.n_folds
    learned = rows_to_learn_from(settings.mine.rows, taxonomy, inputs["split"] / LEARN, on_progress)
    learned = learned.drop_nulls(taxonomy.names)
    tested = read_frame(inputs["split"] / TEST).filter(pl.col("source") == "reviewed")
    tested = tested.drop_nulls(taxonomy.names)
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
        judge = _fit_hybrid(settings, network, divided, on_progress) if settings.has_hybrid else None
        titles = held_out["title"].to_numpy()
        found_in_fold = _answers_of_fold(settings, network, judge, divided, titles, on_progress)
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


def _fit_hybrid(
    settings: FoldSettings, network: NeuralClassifier, divided: pl.DataFrame, on_progress: Progress
) -> HybridClassifier:
    """Fit the system hybrid without the titles held out, on the network that did not see them either."""
    share = settings.mine.rows.reviewed_share
    assert share is not None, "folds are of reviewed titles"
    train, valid = weighed_parts(divided, share, settings.mine.taxonomy)
    with TemporaryDirectory() as folder:
        network.save(Path(folder))
        judge = HybridClassifier(settings.mine.read_table(), Path(folder), settings.mine.seed, on_progress)
        return judge.fit(train, valid)


def _answers_of_fold(
    settings: FoldSettings,
    network: NeuralClassifier,
    judge: HybridClassifier | None,
    divided: pl.DataFrame,
    titles: StrArray,
    on_progress: Progress,
) -> dict[str, Predictions]:
    """Mine without the titles held out; return what each amended table, the network and the judge say of those."""
    table = settings.mine.read_table()
    mined = settings.mine.mine(network, judge, divided, on_progress)
    answers = {
        source: table_predictions(amend(table, changes), titles) for source, changes in mined.suggestions.items()
    }
    systems = {"the network itself": network} | ({} if judge is None else {"hybrid itself": judge})
    for name, system in systems.items():
        answers[name] = predict_titles(system, titles.tolist(), settings.mine.taxonomy, "predict fold", on_progress)
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


def write_mined(mined: Mined, table: KeywordTable, folder: Path) -> None:
    """Write everything that was found, for the stages that prove it and for the run folder."""
    (folder / MINED_SUGGESTIONS).write_bytes(_SUGGESTIONS.dump_json(dict(mined.suggestions), indent=1))
    (folder / MINED_TABLES).mkdir()
    for number, changes in enumerate(mined.suggestions.values()):
        amend(table, changes).to_csv(folder / MINED_TABLES / f"{number}.csv")
    amend(table, mined.suggestions[MINED]).to_csv(folder / MINED_TABLE)
    candidates_frame(mined.candidates).to_parquet(folder / MINED_CANDIDATES, index=False)
    suggestions_frame(mined.nearly).to_parquet(folder / MINED_NEARLY, index=False)
    (folder / MINE_FACTS).write_text(json.dumps(mined.facts))


def candidates_frame(candidates: Mapping[str, Mapping[str, pd.DataFrame]]) -> pd.DataFrame:
    """Return all candidates in one frame: `source`, `target`, `rank` from 1, and their own columns."""
    pieces = []
    for source, of_target in candidates.items():
        for target, frame in of_target.items():
            numbered = frame.assign(source=source, target=target, rank=range(1, len(frame) + 1))
            pieces.append(numbered[["source", "target", "rank", *frame.columns]])
    return pd.concat(pieces, ignore_index=True)


def read_candidates(folder: Path) -> dict[str, dict[str, pd.DataFrame]]:
    """Read the candidates that `write_mined` wrote, source to target to frame."""
    whole = pd.read_parquet(folder / MINED_CANDIDATES)
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for (source, target), frame in whole.groupby(["source", "target"], sort=False):
        found.setdefault(str(source), {})[str(target)] = frame.drop(columns=["source", "target", "rank"])
    return found


def read_suggestions(folder: Path) -> dict[str, list[Suggestion]]:
    """Read the suggestions that `write_mined` wrote, by source."""
    return _SUGGESTIONS.validate_json((folder / MINED_SUGGESTIONS).read_bytes())


def read_tables(folder: Path, taxonomy: Taxonomy) -> dict[str, KeywordTable]:
    """Read the amended tables that `write_mined` wrote, by source."""
    return {
        source: KeywordTable.read(folder / MINED_TABLES / f"{number}.csv", taxonomy)
        for number, source in enumerate(read_suggestions(folder))
    }
