"""One run: make its stages, gather their figures, and write the run folder whole."""

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import yaml

from baselines.keyword_table import KeywordTable
from data_cleaning.errors import BadInput, first_few
from data_cleaning.files.frames import read_frame
from data_cleaning.files.whole_files import remove_unfinished, whole_folder
from data_cleaning.progress import Progress
from data_cleaning.report_table import Table, write_tables
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.experiment.cache import (
    NOT_FOLLOWED,
    StageStore,
    copy_model,
    digest,
    environment,
    fingerprint_of,
    fingerprints,
    make_stages,
    peak_memory,
    plain,
    source_digest,
)
from harness.experiment.checksums import CHECKSUMS, damage, file_digest, write_checksums
from harness.experiment.config import RunConfig, SearchSection, sections
from harness.experiment.mined_outputs import FOLDER, mining_facts, mining_figures, write_mined_outputs
from harness.experiment.plan import Arm, arms, plan
from harness.experiment.run_checks import check_config, check_places, check_systems
from harness.experiment.run_folder import CONFIG, MODELS, PAGE, RUN_FACTS, TABLES, TAXONOMY, TITLES, model_folder
from harness.experiment.run_folder import PREDICTIONS as PREDICTIONS_FOLDER
from harness.experiment.splits import titles_of_parts
from harness.experiment.stages import (
    CEILINGS,
    DIFFERENCES,
    FIT_FACTS,
    GOLDEN,
    LABEL_FIXES,
    LEDGER,
    MODEL,
    MOST_WRONG,
    NOTES,
    PREDICT_FACTS,
    PREDICTIONS,
    REFERENCE_FACTS,
    REFERENCE_ROWS,
    SCORES,
    SPLIT_FACTS,
    SUSPECTS,
    Folders,
)
from harness.mining.mining_tables import mining_tables
from harness.reporting.pages import write_run_page
from harness.reporting.tables import RunFigures, build_tables, headline_reference
from harness.scoring.reliability import FILE as RELIABILITY
from harness.scoring.reliability import Reliability, shares_answered

_CONTENT = (CONFIG, TAXONOMY, RUN_FACTS, PAGE, TITLES, TABLES, MODELS, PREDICTIONS_FOLDER, CHECKSUMS)
_LISTS = ("quarantine_*.csv", SUSPECTS)
"""Lists of records and labels that a person should look at; a run may lack some of them."""
_MINED = (FOLDER, "suggestions.*")
"""Additional files of a run that mines."""
_MARKED = (*_LISTS, "suggestions.*")


@dataclass(frozen=True)
class Run:
    """A finished run."""

    folder: Path
    tables: list[Table]
    warnings: list[str]
    """What a reader of the results must know about the leads."""
    reused: list[str]
    """Stages taken from an earlier run."""
    made: dict[str, float]
    """Stages made now, with their wall seconds."""
    already_there: bool
    """Whether the folder already held this run."""
    notes: Sequence[str] = ()
    """Which columns were read and where labels come from, in sentences."""


def run(
    config: RunConfig,
    *,
    results: Path,
    out: Path | None,
    fresh: bool,
    on_progress: Progress,
    announce: Callable[[str], None],
) -> Run:
    """Make or reuse every stage of a run and write its folder.

    Args:
        config: the checked settings.
        results: folder of all runs; finished stages are kept in its `.cache`.
        out: folder of this run; None names it by config and fingerprint.
        fresh: make every stage again and replace the run folder.
        on_progress: told how far long steps are.
        announce: told the name of each stage that is made now.

    Raises:
        BadInput: `out` holds something else and `fresh` was not given, or an input file is at fault.
    """
    # The search section changes nothing about a run, so it is not saved with one.
    config = config.model_copy(update={"search": SearchSection()})
    taxonomy = Taxonomy.read(config.taxonomy)
    check_config(config, taxonomy)
    check_systems(config, taxonomy)
    stages = plan(config, taxonomy)
    prints = fingerprints(stages)
    written_by = (
        *("harness.reporting.tables", "harness.reporting.pages", "harness.mining.mining_tables"),
        "harness.keywords.suggestion_sheets",
    )
    whole = digest(prints, sections(config), source_digest(written_by, NOT_FOLLOWED))
    folder = check_places(results, out or results / f"{config.name}-{whole[:8]}")
    remove_unfinished(folder.parent)
    _same_run(folder, whole, fresh=fresh)

    store = StageStore(results / ".cache", fresh=fresh)
    done = make_stages(stages, prints, store, announce, on_progress)
    with store.used(done):
        figures = gather(config, taxonomy, done)
        tables = build_tables(figures)
        warnings = _warnings(config, taxonomy, done)
    # Looked at again, since another process may have written there meanwhile.
    already_there = _same_run(folder, whole, fresh=fresh)
    found = damage(folder, _is_ours, may_hold_more=True) if already_there else []
    if found:
        announce(f"{folder} is written again, because it is damaged: {first_few(found, max_items=3)}")
        already_there = False
    if not already_there:
        facts = {
            "name": config.name,
            "fingerprint": whole,
            "made_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "seed": config.seed,
            "data_hash": _data_hash(done),
            "split_hash": {by: _facts(done[f"split/{by}"], SPLIT_FACTS)["hash"] for by in config.split.by},
            "stages": {name: _facts(place, "stage.json") for name, place in done.items()},
            "fingerprints": prints,
            "device": _device(done),
            "mined": mining_facts(config, done),
            "warnings": warnings,
            "peak_rss_mb": peak_memory() / (1 << 20),
            **environment(),
        }
        with store.used(done), whole_folder(folder) as filling:
            _fill(filling, config, taxonomy, done, facts, tables)
            write_checksums(filling)
            if not fresh:
                _keep_marks(folder, filling)
    return Run(folder, tables, warnings, store.reused, store.made, already_there, figures.notes)


def _warnings(config: RunConfig, taxonomy: Taxonomy, done: Folders) -> list[str]:
    """Return notes on how the keyword table was read, and the warnings of stages."""
    table = config.keyword.table if config.keyword else None
    of_table = [f"{table.name}: {note}" for note in KeywordTable.read(table, taxonomy).notes] if table else []
    stages = ["clean", *(f"split/{by}" for by in config.split.by)]
    return [*of_table, *(warning for stage in stages for warning in _facts(done[stage], NOTES))]


def _same_run(folder: Path, fingerprint: str, *, fresh: bool) -> bool:
    """Say whether a run folder already holds this run, complete.

    Raises:
        BadInput: it holds another run and `fresh` was not given, or anything that a run does not write.
    """
    found = fingerprint_of(folder, RUN_FACTS, "run folder")
    if found is None:
        return False
    for place in folder.iterdir():
        if place.name not in _CONTENT and not any(map(place.match, (*_LISTS, *_MINED))):
            raise BadInput(
                f"{folder} exists and is no run folder, since it holds {place.name}; nothing in it was touched. Choose "
                "another --out."
            )
    if fresh:
        return False
    if found != fingerprint:
        raise BadInput(f"{folder} holds another run. Choose another --out, or replace that run with --fresh.")
    # A file that somebody deleted is written again.
    return all((folder / name).exists() for name in _CONTENT)


def _is_ours(name: str) -> bool:
    """Say whether only `run` may change a file; lists and suggestions are for a person to mark."""
    return not any(Path(name).match(pattern) for pattern in _MARKED)


def _keep_marks(folder: Path, filling: Path) -> None:
    """Keep the files that a person may have marked, where the same run is written again."""
    for written in filling.rglob("*"):
        name = written.relative_to(filling)
        if not _is_ours(name.as_posix()) and (folder / name).is_file():
            shutil.copyfile(folder / name, written)


def _facts(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def _data_hash(done: Folders) -> str:
    return digest({file.name: file_digest(file) for file in sorted(done["leads"].glob("*.parquet"))})


def _device(done: Folders) -> str:
    """Return the device that trained, where a system says so."""
    for name, place in done.items():
        if name.startswith("fit/"):
            device = _facts(place, FIT_FACTS)["learned_from"].get("device")
            if device:
                return str(device)
    return "cpu"


def gather(config: RunConfig, taxonomy: Taxonomy, done: Folders) -> RunFigures:
    """Collect what the stages measured into the frames that tables are made of."""
    scores, costs, parts, references, learned = [], [], [], [], []
    ceilings: dict[tuple[str, str, str], float] = {}
    for by in config.split.by:
        held = pd.DataFrame(_facts(done[f"split/{by}"], SPLIT_FACTS)["parts"])
        parts.append(held.assign(split=by)[["split", "source", "part", "titles", "rows", "records"]])
        facts = _facts(done[f"references/{by}"], REFERENCE_FACTS)
        references += [{"split": by, "reference": name, **counted} for name, counted in facts.items()]
        for weighting, target, value in _facts(done[f"references/{by}"], CEILINGS):
            ceilings[by, weighting, target] = value
    for arm in arms(config):
        named = arm.columns
        found = pd.read_parquet(done[arm.stage("score")] / SCORES)
        scores.append(found.assign(**named)[[*named, *found.columns]])
        fitted = _facts(done[arm.stage("fit")], FIT_FACTS)
        predicted = _facts(done[arm.stage("predict")], PREDICT_FACTS)
        costs.append(
            {
                **named,
                "fit seconds": fitted["fit_seconds"],
                "titles per second": round(predicted["titles_per_second"]),
                "model MB": fitted["model_bytes"] / 1e6,
            }
        )
        if arm.system == next(iter(config.all_systems)):  # every system is given the same rows
            sources = fitted["learned_from"]["sources"].items()
            learned += [
                {"split": arm.by, "learned_from": str(arm.label_set), "labels": source, **counted}
                for source, counted in sources
            ]
    ranked = [_ranked(done[arm.stage("most_wrong")], arm) for arm in arms(config) if arm.stage("most_wrong") in done]
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
    reference = headline_reference(all_scores, labels_from_table=from_table)
    return RunFigures(
        taxonomy=taxonomy,
        scores=all_scores,
        answered=_answered(config, done, taxonomy, reference),
        ceilings=ceilings,
        differences=_differences(done, "compare", "system", ("split", "learned_from")),
        label_differences=_differences(done, "compare_labels", "learned_from", ("split", "system")),
        learned=pd.DataFrame(learned) if len(config.label_sets) > 1 else None,
        costs=pd.DataFrame(costs),
        ledger=pd.read_parquet(done["clean"] / LEDGER),
        parts=pd.concat(parts, ignore_index=True),
        references=whole_numbers,
        golden=pd.concat(golden, ignore_index=True) if golden else None,
        most_wrong=pd.concat(ranked, ignore_index=True) if ranked else None,
        labels_from_table=from_table,
        notes=_facts(done["leads"], NOTES) if config.leads.path else (),
        label_fixes=pd.read_parquet(fixes) if fixes is not None and fixes.exists() else None,
        mining=[] if mined is None else mining_tables(mined, reference),
    )


def _differences(done: Folders, step: str, compared: str, held: tuple[str, str]) -> pd.DataFrame | None:
    """Join the results of one kind of comparison; None without any. Its stages are named by what both sides share."""
    found = []
    for name, place in done.items():
        kind, *equal = name.split("/")
        if kind == step:
            named = dict(zip(held, equal, strict=True))
            found.append(pd.read_parquet(place / DIFFERENCES).rename(columns={"compared": compared}).assign(**named))
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


def _ranked(place: Path, arm: Arm) -> pd.DataFrame:
    found = pd.read_parquet(place / MOST_WRONG)
    named = arm.columns
    return found.assign(**named)[[*named, *found.columns]]


def _fill(
    folder: Path,
    config: RunConfig,
    taxonomy: Taxonomy,
    done: Folders,
    facts: Mapping[str, Any],
    tables: list[Table],
) -> None:
    # Relative to the run folder, beside which this one is being filled: so the file is a config that runs again.
    settings = plain(sections(config), lambda path: os.path.relpath(path, folder.resolve()))
    (folder / CONFIG).write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")
    shutil.copyfile(config.taxonomy, folder / TAXONOMY)
    titles_of_parts([done[f"split/{by}"] for by in config.split.by]).write_parquet(folder / TITLES)
    (folder / RUN_FACTS).write_text(json.dumps(facts, indent=2), encoding="utf-8")
    write_tables(tables, folder / TABLES)
    for arm in arms(config):
        copy_model(done[arm.stage("fit")] / MODEL, model_folder(folder, arm.by, arm.label_set, arm.system))
        target = folder / PREDICTIONS_FOLDER / arm.by / str(arm.label_set) / f"{arm.system}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(done[arm.stage("predict")] / PREDICTIONS, target)
    for place in (done[stage] for stage in ("clean", "label_issues") if stage in done):
        for listed in (file for pattern in _LISTS for file in place.glob(pattern)):
            shutil.copyfile(listed, folder / listed.name)
    write_mined_outputs(folder, config, taxonomy, done)
    write_run_page(folder / PAGE, tables, facts)
