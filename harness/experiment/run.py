"""One run: make its stages, gather their figures, and write the run folder whole."""

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from baselines.keyword_table import KeywordTable
from data_cleaning.errors import BadInput, first_few
from data_cleaning.files.frames import read_frame
from data_cleaning.files.whole_files import remove_unfinished, whole_folder
from data_cleaning.progress import Progress
from data_cleaning.report_table import Table, write_tables
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.arms import arms
from harness.experiment.cache import (
    NOT_FOLLOWED,
    StageStore,
    copy_model,
    digest,
    environment,
    fingerprint_of,
    fingerprints,
    make_stages,
    plain,
    source_digest,
)
from harness.experiment.checksums import CHECKSUMS, damage, file_digest, write_checksums
from harness.experiment.config import RunConfig, SearchSection, sections
from harness.experiment.mined_outputs import FOLDER, mining_facts, write_mined_outputs
from harness.experiment.parallel_stages import make_in_parallel, usual_jobs
from harness.experiment.plan import plan
from harness.experiment.run_checks import check_config, check_places, check_systems
from harness.experiment.run_figures import facts_of, gather
from harness.experiment.run_folder import (
    CONFIG,
    MODELS,
    PAGE,
    REFERENCES,
    REVIEWED,
    RUN_FACTS,
    TABLES,
    TAXONOMY,
    TITLES,
    model_folder,
)
from harness.experiment.run_folder import PREDICTIONS as PREDICTIONS_FOLDER
from harness.experiment.run_verdict import scores_of
from harness.experiment.splits import reviewed_of_parts, titles_of_parts
from harness.experiment.stages import (
    FIT_FACTS,
    MODEL,
    NOTES,
    PREDICTIONS,
    REFERENCE_ROWS,
    SCORES,
    SPLIT_FACTS,
    SUSPECTS,
    Folders,
)
from harness.experiment.stages.measuring import peak_memory
from harness.experiment.title_lookup import lookup
from harness.reporting.run_page import write_run_page
from harness.reporting.tables import RunFigures, build_tables
from harness.reporting.verdict_table import verdict_table
from harness.scoring.hits import ALL
from harness.scoring.references import REFERENCES as BY_TRUST
from harness.scoring.scores_file import FILE as SCORES_FILE
from harness.scoring.scores_file import Verdict, write_scores

_CONTENT = (
    CONFIG,
    TAXONOMY,
    RUN_FACTS,
    SCORES_FILE,
    PAGE,
    TITLES,
    TABLES,
    MODELS,
    PREDICTIONS_FOLDER,
    REFERENCES,
    CHECKSUMS,
)
_LISTS = ("quarantine_*.csv", SUSPECTS)
"""Lists of records and labels that a person should look at; a run may lack some of them."""
_MINED = (FOLDER, "suggestions.*")
"""Additional files of a run that mines."""
_REVIEWED = (REVIEWED,)
"""Additional file of a run that learns from reviewed titles."""
_MARKED = (*_LISTS, "suggestions.*")


@dataclass(frozen=True)
class Run:
    """A finished run."""

    folder: Path
    verdict: Verdict | None
    """Which system to use; None where the run has only a floor."""
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
    jobs: int | None = 1,
) -> Run:
    """Make or reuse every stage of a run and write its folder.

    Args:
        config: the checked settings.
        results: folder of all runs; finished stages are kept in its `.cache`.
        out: folder of this run; None names it by config and fingerprint.
        fresh: make every stage again and replace the run folder.
        on_progress: told how far long steps are.
        announce: told of each stage that is made now, and of each score.
        jobs: processes that make stages; None takes as many as `usual_jobs` says.

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
        *(
            "harness.experiment.run_verdict",
            "harness.reporting.tables",
            "harness.reporting.run_page",
            "harness.mining.mining_tables",
        ),
        "harness.keywords.suggestion_sheets",
    )
    whole = digest(prints, sections(config), source_digest(written_by, NOT_FOLLOWED))
    folder = check_places(results, out or results / f"{config.name}-{whole[:8]}")
    remove_unfinished(folder.parent)
    _same_run(folder, whole, fresh=fresh)

    store = StageStore(results / ".cache", fresh=fresh)
    jobs = usual_jobs(stages, prints, store) if jobs is None else jobs
    on_made = partial(_tell_score, announce)
    if jobs == 1:
        done = make_stages(stages, prints, store, announce, on_progress, on_made)
    else:
        done = make_in_parallel(stages, prints, store, announce, on_progress, on_made, jobs)
    with store.used(done):
        figures = gather(config, taxonomy, done)
        tables = build_tables(figures)
        if figures.verdict is not None:
            tables.insert(0, verdict_table(figures, figures.verdict))
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
            "split_hash": {by: facts_of(done[f"split/{by}"], SPLIT_FACTS)["hash"] for by in config.split.by},
            "stages": {name: facts_of(place, "stage.json") for name, place in done.items()},
            "fingerprints": prints,
            "device": _device(done),
            "mined": mining_facts(config, done),
            "warnings": warnings,
            # Of all processes together, had all their peaks come at once.
            "peak_rss_mb": (peak_memory() + (jobs * store.peak_bytes if jobs > 1 else 0)) / (1 << 20),
            **environment(),
        }
        with store.used(done), whole_folder(folder) as filling:
            _fill(filling, config, taxonomy, done, facts, figures, tables)
            write_scores(scores_of(config, figures, facts), filling)
            write_checksums(filling)
            if not fresh:
                _keep_marks(folder, filling)
    return Run(folder, figures.verdict, tables, warnings, store.reused, store.made, already_there, figures.notes)


def _tell_score(announce: Callable[[str], None], stage: str, place: Path) -> None:
    """Say how many records a system that was just scored has right, long before the tables of the run are there."""
    kind, _, arm = stage.partition("/")
    if kind != "score":
        return
    scores = read_frame(place / SCORES).filter(metric="accuracy", target=ALL, weighting="per record", history="any")
    of_reference = dict(scores.select("reference", "value").iter_rows())
    best = next((name for name in BY_TRUST if name in of_reference), None)
    if best is not None:
        by, labels, system = arm.split("/", 2)
        announce(f"  {system}, split by {by}, learned from {labels}: {of_reference[best]:.3f} all right ({best})")


def _warnings(config: RunConfig, taxonomy: Taxonomy, done: Folders) -> list[str]:
    """Return notes on how the keyword table was read, and the warnings of stages."""
    table = config.keyword.table if config.keyword else None
    of_table = [f"{table.name}: {note}" for note in KeywordTable.read(table, taxonomy).notes] if table else []
    stages = ["clean", *(f"split/{by}" for by in config.split.by)]
    return [*of_table, *(warning for stage in stages for warning in facts_of(done[stage], NOTES))]


def _same_run(folder: Path, fingerprint: str, *, fresh: bool) -> bool:
    """Say whether a run folder already holds this run, complete.

    Raises:
        BadInput: it holds another run and `fresh` was not given, or anything that a run does not write.
    """
    found = fingerprint_of(folder, RUN_FACTS, "run folder")
    if found is None:
        return False
    for place in folder.iterdir():
        if place.name not in _CONTENT and not any(map(place.match, (*_LISTS, *_MINED, *_REVIEWED))):
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


def _data_hash(done: Folders) -> str:
    return digest({file.name: file_digest(file) for file in sorted(done["leads"].glob("*.parquet"))})


def _device(done: Folders) -> str:
    """Return the device that trained, where a system says so."""
    for name, place in done.items():
        if name.startswith("fit/"):
            device = facts_of(place, FIT_FACTS)["learned_from"].get("device")
            if device:
                return str(device)
    return "cpu"


def _fill(
    folder: Path,
    config: RunConfig,
    taxonomy: Taxonomy,
    done: Folders,
    facts: Mapping[str, Any],
    figures: RunFigures,
    tables: list[Table],
) -> None:
    # Relative to the run folder, beside which this one is being filled: so the file is a config that runs again.
    settings = plain(sections(config), lambda path: os.path.relpath(path, folder.resolve()))
    (folder / CONFIG).write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")
    shutil.copyfile(config.taxonomy, folder / TAXONOMY)
    titles_of_parts([done[f"split/{by}"] for by in config.split.by]).write_parquet(folder / TITLES)
    reviewed = reviewed_of_parts(done[f"split/{config.split.by[0]}"])
    if len(reviewed):
        reviewed.write_parquet(folder / REVIEWED)
    (folder / RUN_FACTS).write_text(json.dumps(facts, indent=2), encoding="utf-8")
    write_tables(tables, folder / TABLES)
    for arm in arms(config):
        copy_model(done[arm.stage("fit")] / MODEL, model_folder(folder, arm.by, arm.label_set, arm.system))
        target = folder / PREDICTIONS_FOLDER / arm.by / str(arm.label_set) / f"{arm.system}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(done[arm.stage("predict")] / PREDICTIONS, target)
    (folder / REFERENCES).mkdir()
    for by in config.split.by:
        shutil.copyfile(done[f"references/{by}"] / REFERENCE_ROWS, folder / REFERENCES / f"{by}.parquet")
    for place in (done[stage] for stage in ("clean", "label_issues") if stage in done):
        for listed in (file for pattern in _LISTS for file in place.glob(pattern)):
            shutil.copyfile(listed, folder / listed.name)
    write_mined_outputs(folder, config, taxonomy, done)
    found = lookup(config, taxonomy, done, figures.verdict, figures.reference)
    write_run_page(folder / PAGE, tables, facts, figures.verdict, found)
