"""Seconds to score seven systems on 160,000 test records, the tenth of the study's: intervals, slices, pairs, errors.

python -m pytest tests/bench/test_scoring_speed.py -o addopts= -s
"""

import itertools
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from data_cleaning.progress import silent
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.experiment.stages import PREDICTIONS, REFERENCE_ROWS, SLICES
from harness.experiment.stages.score_predictions import (
    CompareSettings,
    ErrorSettings,
    ScoreSettings,
    compare,
    find_errors,
    score,
)
from harness.scoring.pairs import every_pair
from harness.scoring.references import make_references
from harness.scoring.slices import title_slices
from tests.bench.commands import ROOT

N_RECORDS, N_TITLES = 160_000, 66_000
"""As many distinct titles as a tenth of the study's records has."""
MAX_SECONDS = 60
SYSTEMS = tuple(f"system {number}" for number in range(7))


@pytest.fixture(scope="module")
def scored(tmp_path_factory) -> tuple[Taxonomy, Path]:
    """Write the references of one test part, and for each system predictions of which about four in five are right."""
    folder = tmp_path_factory.mktemp("scoring")
    taxonomy = Taxonomy.read(ROOT / "configs" / "taxonomy.yaml")
    rng = np.random.default_rng(17)
    titles = np.array(
        ["".join(letters) for letters in itertools.islice(itertools.product("abcdefghijk", repeat=5), N_TITLES)]
    )
    of_record = np.concatenate([np.arange(N_TITLES), (N_TITLES * rng.random(N_RECORDS - N_TITLES) ** 4).astype(int)])
    truth = {target.name: rng.integers(target.n_classes, size=N_TITLES) for target in taxonomy.targets}
    recorded = {"title": titles[of_record]}
    for target in taxonomy.targets:
        wrong = rng.random(N_RECORDS) < 0.1
        codes = np.where(wrong, rng.integers(target.n_classes, size=N_RECORDS), truth[target.name][of_record])
        recorded[target.name] = np.array(target.classes)[codes]
    columns = ["title", *taxonomy.names]
    rows = pl.DataFrame(recorded).group_by(columns).agg(pl.len().cast(pl.Int64).alias("count")).sort(columns)
    names = {target.name: np.array(target.classes)[truth[target.name]] for target in taxonomy.targets}
    counts = rows.group_by("title").agg(pl.col("count").sum())
    known = pl.DataFrame({"title": titles, **names}).join(counts, on="title")
    test = rows.with_columns(pl.lit("legacy").alias("source"))
    make_references(test, rows, known, taxonomy.names).rows.write_parquet(folder / REFERENCE_ROWS)
    distinct = pl.Series(titles)
    slices = title_slices(distinct, distinct.head(N_TITLES // 2)).with_columns(
        *(pl.lit(None, dtype=pl.String).alias(name) for name in taxonomy.names),
        target=pl.lit("all"),
        records=pl.lit(1, dtype=pl.Int64),
    )
    slices.write_parquet(folder / SLICES)
    for system in SYSTEMS:
        probabilities = {}
        for target in taxonomy.targets:
            logits = rng.normal(size=(N_TITLES, target.n_classes))
            logits[np.arange(N_TITLES), truth[target.name]] += 3
            odds = np.exp(logits)
            probabilities[target.name] = odds / odds.sum(axis=1, keepdims=True)
        (folder / system).mkdir()
        predictions = Predictions(taxonomy=taxonomy, titles=titles.astype(object), probabilities=probabilities)
        predictions.write(folder / system / PREDICTIONS)
    return taxonomy, folder


def test_seven_systems_are_scored_and_compared_within_a_minute(benchmark, scored, tmp_path):
    taxonomy, folder = scored

    def score_all() -> None:
        for system in SYSTEMS:
            (tmp_path / system).mkdir()
            inputs = {"references": folder, "predictions": folder / system, "slices": folder}
            score(ScoreSettings(taxonomy=taxonomy, seed=17), inputs, tmp_path / system, silent)
        pairs = every_pair(SYSTEMS, SYSTEMS[0])
        inputs = {"references": folder, **{system: folder / system for system in SYSTEMS}}
        compare(CompareSettings(taxonomy=taxonomy, seed=17, pairs=pairs), inputs, tmp_path, silent)
        find_errors(ErrorSettings(taxonomy=taxonomy, systems=SYSTEMS, voters=SYSTEMS), inputs, tmp_path, silent)

    benchmark.pedantic(score_all, rounds=1)
    seconds = benchmark.stats.stats.max
    sys.stdout.write(f"\n{N_RECORDS:,} records, {len(SYSTEMS)} systems: {seconds:.1f} s\n")
    assert seconds < MAX_SECONDS
