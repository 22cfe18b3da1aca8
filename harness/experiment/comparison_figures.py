"""What the stages of a run measured to compare its systems, gathered into frames; the best fit first."""

from dataclasses import replace

import pandas as pd
import polars as pl

from data_cleaning.files.frames import read_frame
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.experiment.arms import Arm, arms, seed_arms, unseen_split
from harness.experiment.config import RunConfig
from harness.experiment.stages import (
    BY_CLASS,
    CONFIDENCE_BINS,
    CONFUSION,
    DIFFERENCES,
    ERRORS,
    PREDICTIONS,
    REFERENCE_ROWS,
    RISK_COVERAGE,
    ROBUSTNESS,
    SLICE_SCORES,
    THREE_WAY,
    Folders,
)
from harness.reporting.comparison_tables import ComparisonFigures
from harness.scoring.hits import ALL
from harness.scoring.metrics import EVERY_HISTORY
from harness.scoring.references import WEIGHTINGS
from harness.scoring.seeds import compare_seeds

_MAX_TITLES = 1_000
"""Of each system, that are listed because its seeds answer them differently."""


def comparison_figures(
    config: RunConfig, taxonomy: Taxonomy, done: Folders, scores: pd.DataFrame, costs: pd.DataFrame, reference: str
) -> ComparisonFigures:
    """Collect what was measured against one reference.

    Args:
        config: of the run.
        taxonomy: of its targets.
        done: folders of its finished stages.
        scores: of every arm, `split`, `learned_from` and `system` before what `metrics.score_rows` returns.
        costs: of every arm, named in the same way.
        reference: the one that the tables are about.
    """
    shown = scores[
        (scores["reference"] == reference)
        & (scores["weighting"] == WEIGHTINGS[0])
        & (scores["history"] == EVERY_HISTORY)
    ]
    ordered = _best_first(config, shown)

    varied = [arm for arm in ordered if arm.stage("robustness") in done]
    no_floor = [arm for arm in ordered if not config.all_systems[arm.system].is_floor]

    def of_arms(step: str, file: str, chosen: list[Arm] = ordered) -> pd.DataFrame:
        """Join a file that the same stage of every chosen arm wrote."""
        found = []
        for arm in chosen:
            frame = pd.read_parquet(done[arm.stage(step)] / file)
            frame = frame[frame["reference"] == reference].drop(columns="reference")
            found.append(frame.assign(**arm.columns)[[*arm.columns, *frame.columns]])
        return pd.concat(found, ignore_index=True)

    def of_fits(file: str) -> pd.DataFrame | None:
        """Join a file with all systems of each split and label set, if there is any; every system as it is ranked."""
        found = []
        for arm in no_floor:
            place = done[f"errors/{arm.by}/{arm.label_set}"] / file
            if place.exists():
                frame = pd.read_parquet(place)
                frame = frame[frame["system"] == arm.system]
                found.append(frame.assign(**arm.columns)[[*arm.columns, *frame.columns.drop("system")]])
        return pd.concat(found, ignore_index=True) if found else None

    return ComparisonFigures(
        reference=reference,
        scores=pd.concat([arm.rows(shown) for arm in ordered], ignore_index=True),
        by_class=of_arms("score", BY_CLASS),
        confusion=of_arms("score", CONFUSION),
        confidence_bins=of_arms("score", CONFIDENCE_BINS, no_floor or ordered),
        risk_coverage=of_arms("score", RISK_COVERAGE, no_floor or ordered),
        slices=of_arms("score", SLICE_SCORES, no_floor or ordered),
        robustness=of_arms("robustness", ROBUSTNESS, varied) if varied else None,
        seeds=_seeds(config, taxonomy, done, reference) if config.seeds > 1 else None,
        errors=of_fits(ERRORS),
        three_way=of_fits(THREE_WAY),
        costs=pd.concat([arm.rows(costs) for arm in ordered], ignore_index=True),
        pairs=_pairs(ordered, done, reference) if len(config.all_systems) > 1 else None,
    )


def _best_first(config: RunConfig, scores: pd.DataFrame) -> list[Arm]:
    """Return the arms: those split by title first, with reviewed titles first, and of these the best system first."""
    accuracy = scores[(scores["metric"] == "accuracy") & (scores["target"] == ALL)]

    def rank(arm: Arm) -> tuple[bool, int, int, float]:
        score = float(arm.rows(accuracy)["value"].iloc[0])
        return (
            arm.by != unseen_split(config),
            config.split.by.index(arm.by),
            -config.label_sets.index(arm.label_set),
            -score,
        )

    return sorted(arms(config), key=rank)


def _seeds(
    config: RunConfig, taxonomy: Taxonomy, done: Folders, reference: str
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Compare the fits of each system that differ only in the seed; None where none depends on it."""
    fits: dict[Arm, list[Arm]] = {}
    for arm in seed_arms(config):
        own = replace(arm, seed=None)
        if own in arms(config):
            fits.setdefault(own, [own]).append(arm)
    spreads: list[pd.DataFrame] = []
    titles: list[pd.DataFrame] = []
    for own, repeated in fits.items():
        rows = read_frame(done[f"references/{own.by}"] / REFERENCE_ROWS).filter(pl.col("reference") == reference)
        answers = [Predictions.read(done[arm.stage("predict")] / PREDICTIONS, taxonomy) for arm in repeated]
        for frame, found in zip(
            compare_seeds(rows, {own.system: answers}, _MAX_TITLES), (spreads, titles), strict=True
        ):
            found.append(frame.assign(**own.columns)[[*own.columns, *frame.columns.drop("system")]])
    if not spreads:
        return None
    ordered = pd.concat(spreads, ignore_index=True)
    ordered = ordered.sort_values("mean", ascending=False, kind="stable")
    return ordered, pd.concat(titles, ignore_index=True)


def _pairs(ordered: list[Arm], done: Folders, reference: str) -> pd.DataFrame:
    """Join what one reference says per record about all targets of each pair of systems."""
    wanted = pd.Series({"reference": reference, "weighting": WEIGHTINGS[0], "target": ALL})
    found = []
    for by, label_set in dict.fromkeys((arm.by, arm.label_set) for arm in ordered):
        frame = pd.read_parquet(done[f"compare/{by}/{label_set}"] / DIFFERENCES)
        frame = frame[(frame[list(wanted.index)] == wanted).all(axis=1)]
        found.append(frame.assign(split=by, learned_from=str(label_set)).rename(columns={"compared": "system"}))
    return pd.concat(found, ignore_index=True)
