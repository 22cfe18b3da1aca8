"""The figures of a run, gathered from the folders of its stages into the frames that tables are made of."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from data_cleaning.files.frames import read_frame
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.experiment.arms import arms, curve_arms, unseen_split
from harness.experiment.comparison_figures import comparison_figures
from harness.experiment.config import RunConfig
from harness.experiment.mined_outputs import mining_figures
from harness.experiment.run_verdict import verdict_of
from harness.experiment.stages import (
    CEILINGS,
    DIFFERENCES,
    FIT_FACTS,
    GOLDEN,
    LABEL_FIXES,
    LEDGER,
    MODEL,
    NOTES,
    PREDICT_FACTS,
    PREDICTIONS,
    REFERENCE_FACTS,
    REFERENCE_ROWS,
    SCORES,
    SPLIT_FACTS,
    Folders,
)
from harness.mining.mining_tables import mining_tables
from harness.reporting.comparison_tables import comparison_tables
from harness.reporting.tables import RunFigures, headline_reference
from harness.scoring.reliability import FILE as RELIABILITY
from harness.scoring.reliability import Reliability, shares_answered


def facts_of(folder: Path, name: str) -> Any:
    """Return what a JSON file in the folder of a stage says."""
    return json.loads((folder / name).read_text(encoding="utf-8"))


def gather(config: RunConfig, taxonomy: Taxonomy, done: Folders) -> RunFigures:
    """Collect what the stages measured into the frames that tables are made of."""
    scores, costs, parts, references, learned = [], [], [], [], []
    ceilings: dict[tuple[str, str, str], float] = {}
    for by in config.split.by:
        held = pd.DataFrame(facts_of(done[f"split/{by}"], SPLIT_FACTS)["parts"])
        parts.append(held.assign(split=by)[["split", "source", "part", "titles", "rows", "records"]])
        facts = facts_of(done[f"references/{by}"], REFERENCE_FACTS)
        references += [{"split": by, "reference": name, **counted} for name, counted in facts.items()]
        for weighting, target, value in facts_of(done[f"references/{by}"], CEILINGS):
            ceilings[by, weighting, target] = value
    for arm in arms(config):
        named = arm.columns
        found = pd.read_parquet(done[arm.stage("score")] / SCORES)
        scores.append(found.assign(**named)[[*named, *found.columns]])
        fitted = facts_of(done[arm.stage("fit")], FIT_FACTS)
        predicted = facts_of(done[arm.stage("predict")], PREDICT_FACTS)
        costs.append(
            {
                **named,
                "fit seconds": fitted["fit_seconds"],
                "fit MB": fitted["fit_memory_bytes"] / 1e6,
                "titles per second": round(predicted["titles_per_second"]),
                "answer MB": predicted["predict_memory_bytes"] / 1e6,
                "model MB": fitted["model_bytes"] / 1e6,
            }
        )
        if arm.system == next(iter(config.all_systems)):  # every system is given the same rows
            sources = fitted["learned_from"]["sources"].items()
            learned += [
                {"split": arm.by, "learned_from": str(arm.label_set), "labels": source, **counted}
                for source, counted in sources
            ]
    golden = [
        pd.read_parquet(done[arm.stage("golden")] / GOLDEN).assign(**arm.columns)
        for arm in arms(config)
        if config.golden
    ]
    fixes = done["label_issues"] / LABEL_FIXES if "label_issues" in done else None
    whole_numbers = pd.DataFrame(references)
    counted = whole_numbers.columns.drop(["split", "reference"])
    whole_numbers[counted] = whole_numbers[counted].astype("Int64")
    all_scores = pd.concat(scores, ignore_index=True)
    mined = mining_figures(config, done)
    from_table = config.leads.labels == "table"
    all_costs = pd.DataFrame(costs)
    verdict = verdict_of(config, taxonomy, done, all_costs)
    reference = headline_reference(all_scores, verdict, labels_from_table=from_table)
    return RunFigures(
        taxonomy=taxonomy,
        verdict=verdict,
        reference=reference,
        scores=all_scores,
        answered=_answered(config, done, taxonomy, reference),
        ceilings=ceilings,
        comparison=comparison_tables(comparison_figures(config, taxonomy, done, all_scores, all_costs, reference)),
        label_differences=_label_differences(done),
        learned=pd.DataFrame(learned) if len(config.label_sets) > 1 else None,
        costs=all_costs,
        ledger=pd.read_parquet(done["clean"] / LEDGER),
        parts=pd.concat(parts, ignore_index=True),
        references=whole_numbers,
        curve=_curve(config, done),
        golden=pd.concat(golden, ignore_index=True) if golden else None,
        labels_from_table=from_table,
        notes=facts_of(done["leads"], NOTES) if config.leads.path else (),
        label_fixes=pd.read_parquet(fixes) if fixes is not None and fixes.exists() else None,
        mining=[] if mined is None else mining_tables(mined, reference),
    )


def _label_differences(done: Folders) -> pd.DataFrame | None:
    """Join what other labels gain each system; None without any."""
    found = []
    for name, place in done.items():
        step, *of_system = name.split("/")
        if step == "compare_labels":
            named = dict(zip(("split", "system"), of_system, strict=True))
            found.append(
                pd.read_parquet(place / DIFFERENCES).rename(columns={"compared": "learned_from"}).assign(**named)
            )
    return pd.concat(found, ignore_index=True) if found else None


def _answered(config: RunConfig, done: Folders, taxonomy: Taxonomy, reference: str) -> pd.DataFrame:
    """Say of every system but the floor how much it answers where it is asked for an accuracy."""
    found = []
    scored: dict[str, pl.DataFrame] = {
        by: read_frame(done[f"references/{by}"] / REFERENCE_ROWS).filter(pl.col("reference") == reference)
        for by in config.split.by
    }
    for arm in arms(config):
        saved = done[arm.stage("fit")] / MODEL
        if config.all_systems[arm.system].is_floor or not (saved / RELIABILITY).exists():
            continue
        predictions = Predictions.read(done[arm.stage("predict")] / PREDICTIONS, taxonomy)
        found.append(shares_answered(scored[arm.by], predictions, Reliability.read(saved)).assign(**arm.columns))
    columns = ["split", "learned_from", "system", "asked", "threshold", "for_review", "right"]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def _curve(config: RunConfig, done: Folders) -> pd.DataFrame | None:
    """Join the scores of the learning curves, with the fits on none and on all of the titles; None without any."""
    parts = pd.DataFrame(facts_of(done[f"split/{unseen_split(config)}"], SPLIT_FACTS)["parts"])
    is_reviewed = parts["source"] == "reviewed"
    n_titles = {
        "reviewed": int(parts.loc[is_reviewed & (parts["part"] != "test"), "titles"].sum()),
        "leads": int(parts.loc[~is_reviewed & (parts["part"] == "train"), "titles"].sum()),
    }
    found = []
    for arm in curve_arms(config):
        counted = "reviewed" if arm.max_reviewed else "leads"
        whole = replace(arm, max_titles=None, max_reviewed=None)
        found += [(arm, counted, arm.max_titles or arm.max_reviewed), (whole, counted, n_titles[counted])]
        if arm.max_reviewed:
            found.append((arm.without_reviewed, counted, 0))
    scores = [
        pd.read_parquet(done[arm.stage("score")] / SCORES).assign(
            counted=counted, titles=size, system=arm.system, split=arm.by
        )
        for arm, counted, size in dict.fromkeys(found)
    ]
    return pd.concat(scores, ignore_index=True) if scores else None
