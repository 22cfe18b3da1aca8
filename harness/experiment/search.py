"""The search for better settings of the network: trials fitted on train, compared on validation, kept on disk.

optuna proposes settings by a tree-structured Parzen estimator from the finished trials. The seed depends only on the
config's seed and on how many there are, so that a search that was killed proposes what an unbroken one does.

Source: Watanabe 2023, "Tree-structured Parzen estimator: understanding its algorithm components and their roles for
better empirical performance", arXiv:2304.11127.
"""

import json
import math
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from data_cleaning.errors import BadInput
from data_cleaning.files.frames import read_frame
from data_cleaning.files.process_locks import locked
from data_cleaning.files.whole_files import check_writable, full_disk_as_bad_input, remove_unfinished, whole_file
from data_cleaning.progress import Progress
from data_cleaning.report_table import Table
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import IntArray, LabelledTitles, LabelSet
from harness.experiment.arms import Arm
from harness.experiment.cache import (
    StageStore,
    digest,
    environment,
    fingerprint_of,
    fingerprints,
    make_stages,
    named_progress,
    plain,
    source_digest,
    stages_before,
)
from harness.experiment.config import RunConfig
from harness.experiment.plan import plan
from harness.experiment.recipes import folder_files, network_folders
from harness.experiment.run_checks import check_config, check_places
from harness.experiment.search_results import Trial, check_results, ranked, trials_table, worded, write_results
from harness.experiment.search_space import DEFAULT_SPACE, SearchRange, contains, distributions
from harness.experiment.stages import FIT_FACTS, LEARN, MODEL
from harness.experiment.stages.fit_system import FitSettings, fit_and_save
from harness.experiment.system_contract import TitleClassifier
from harness.experiment.systems import NETWORK, load_system
from neural.neural_settings import NeuralSettings
from neural.training_rows import distinct_rows

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

SEARCH_FACTS = "search.json"
_STORAGE, _MODEL_OF_TRIAL = "trials.db", "trial"


@dataclass(frozen=True)
class Search:
    """A search that is finished, or out of time."""

    folder: Path
    table: Table
    trials: Sequence[Trial]
    """The best first, and of equally good ones the earliest."""
    best: Trial
    own: Trial
    """The trial with the config's own settings."""
    changes: Mapping[str, Any]
    """Settings of the best trial that are not the config's own."""


@dataclass(frozen=True, kw_only=True)
class _Task:
    """What all trials of a search share."""

    config: RunConfig
    fit: FitSettings
    bounds: dict[str, "BaseDistribution"]
    learn: Path
    """Train and validation of the split; trials are given no other rows."""
    valid: LabelledTitles
    """What every trial is scored on."""
    own: Mapping[str, Any]
    """The config's own settings, of those that are varied."""
    folder: Path
    on_progress: Progress


def search(
    config: RunConfig, *, results: Path, out: Path | None, on_progress: Progress, announce: Callable[[str], None]
) -> Search:
    """Fit the network with one proposal of settings after the other, and rank them by validation.

    Trials learn from the first labels of `learn_from` on the first split of `split.by`, as the network of a run does.
    All are scored on the recorded labels of leads in validation, weighed by the config's own `count_power`: accuracies
    that weigh titles differently could not be compared. The first trial has the config's own settings. On a CPU, the
    same settings, data and number of threads give the same trials, killed in between or not.

    Args:
        config: the checked settings; `search` says how many trials, for how long, and what is varied.
        results: folder of all runs; finished stages are kept in its `.cache`.
        out: folder of this search, which resumes where it stopped; None names it by config and fingerprint.
        on_progress: told how far long steps are.
        announce: told of each stage that is made now, and of each trial.

    Raises:
        BadInput: `out` holds something else, an input file is at fault, validation has no leads, or the config's own
            settings cannot be fitted.
    """
    taxonomy = Taxonomy.read(config.taxonomy)
    check_config(config, taxonomy)
    space = config.search.space or DEFAULT_SPACE
    bounds = distributions(space, config.neural)
    arm = Arm(config.split.by[0], LabelSet(config.learn_from[0]), NETWORK)
    # The stages are those of any run that has the network with this split and these labels.
    narrowed = {
        "split": config.split.model_copy(update={"by": (arm.by,)}),
        "learn_from": (arm.label_set.labels,),
        "systems": (arm.system,),
        "label_issues": None,
    }
    stages = plan(config.model_copy(update=narrowed), taxonomy)
    prints = fingerprints(stages)
    fit_stage = next(stage for stage in stages if stage.name == arm.stage("fit"))
    chosen = [{name: choice} for name, given in space.items() for choice in given.choices or ()]
    files = [folder_files(folder) for each in chosen for folder in network_folders(each).values()]
    # The fingerprint of a fit covers the config's own settings, the encoder, the seed, data, sources and libraries.
    sources = source_digest(["harness.experiment.search_space"])
    fingerprint = digest(prints[fit_stage.name], space, files, Path(__file__), sources, version("optuna"))
    folder = out or results / f"search-{config.name}-{fingerprint[:8]}"
    folder = check_places(results, folder)
    _claim(folder, fingerprint, config, arm, space)
    with _search_lock(folder), full_disk_as_bad_input(folder):
        remove_unfinished(folder, is_ours=True)
        store, needed = StageStore(results / ".cache"), stages_before(fit_stage, stages)
        done = make_stages(needed, prints, store, announce, on_progress)
        learn = done[f"split/{arm.by}"] / LEARN
        task = _Task(
            config=config,
            fit=fit_stage.settings,
            bounds=bounds,
            learn=learn,
            valid=_validation(learn, taxonomy, arm.by),
            own={name: getattr(config.neural, name) for name in bounds},
            folder=folder,
            on_progress=on_progress,
        )
        with store.used(done):
            trials = _make_trials(task, announce)
    in_order, own = ranked(trials), trials[0]
    best = in_order[0]
    changes = {name: value for name, value in best.settings.items() if value != own.settings[name]}
    return Search(folder, trials_table(in_order, arm.by), in_order, best, own, changes)


@contextmanager
def _search_lock(folder: Path) -> Iterator[None]:
    """Keep other processes out of the folder of a search.

    Raises:
        BadInput: another process is in it, or it cannot be written.
    """
    place = folder / "lock"
    check_writable(place)  # an existing lock can be opened in a folder that takes no new files

    def refuse() -> None:
        raise BadInput(f"Another process is searching in {folder}. Wait for it to end, or choose another --out.")

    with locked(place, refuse):
        yield


def _claim(folder: Path, fingerprint: str, config: RunConfig, arm: Arm, space: Mapping[str, SearchRange]) -> None:
    """Make a folder that of this search; refuse one that holds anything else."""
    found = fingerprint_of(folder, SEARCH_FACTS, "search folder")
    if found not in (None, fingerprint):
        raise BadInput(
            f"{folder} holds a search with other settings, data or sources, which cannot be resumed with these. "
            "Choose another --out."
        )
    if found is not None:
        return
    facts = {
        "name": config.name,
        "fingerprint": fingerprint,
        "begun_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "seed": config.seed,
        "split": arm.by,
        "learned_from": str(arm.label_set),
        "space": plain(space, str),
        "optuna": version("optuna"),
        **environment(),
    }
    with whole_file(folder / SEARCH_FACTS) as filling:
        filling.write_text(json.dumps(facts, indent=2), encoding="utf-8")


def _make_trials(task: _Task, announce: Callable[[str], None]) -> list[Trial]:
    """Make the trials that are left, as long as there is time, and at least one; return all that are finished."""
    began = time.monotonic()
    section = task.config.search
    seconds = math.inf if section.minutes is None else 60 * section.minutes
    study = _open_study(task)
    trials = _finished(study, task.own)
    check_results(task.folder, trials)
    n_before = len(trials)
    if trials:
        announce(f"trials done before: {n_before} of {section.trials}")
        write_results(task.folder, task.config.neural, trials)
    while len(trials) < section.trials:
        if len(trials) > n_before and time.monotonic() - began >= seconds:
            announce(f"out of time after trial {len(trials)} of {section.trials}; the same command resumes it")
            break
        _make_trial(task, study, len(trials) + 1, announce)
        trials = _finished(study, task.own)
        best = ranked(trials)[0]
        announce(f"trial {len(trials)}: {trials[-1].outcome}; best is trial {best.number}: {best.outcome}")
        write_results(task.folder, task.config.neural, trials)
    return trials


def _open_study(task: _Task) -> "optuna.Study":
    """Open the trials of a search, of which the first gets the config's own settings; set killed ones aside."""
    import optuna
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = (task.folder / _STORAGE).resolve()
    try:
        with full_disk_as_bad_input(path):
            study = optuna.create_study(
                storage=f"sqlite:///{path}", study_name="search", direction="maximize", load_if_exists=True
            )
        study.get_trials(deepcopy=False)
    except BadInput:
        raise
    except Exception as error:  # of optuna, of its library for databases, or of what that reads
        raise BadInput(
            f"{path} cannot be read as the trials of a search ({type(error).__name__}). Restore the file, or choose "
            "another --out to begin again."
        ) from error
    for killed in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(killed.number, state=TrialState.FAIL)
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED, TrialState.WAITING)):
        study.enqueue_trial({name: value for name, value in task.own.items() if contains(task.bounds[name], value)})
    return study


def _finished(study: "optuna.Study", own: Mapping[str, Any]) -> list[Trial]:
    from optuna.trial import TrialState

    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return [
        Trial(number=number, settings={**own, **found.params}, **{"accuracies": {}, **found.user_attrs})
        for number, found in enumerate(finished, start=1)
    ]


def _make_trial(task: _Task, study: "optuna.Study", number: int, announce: Callable[[str], None]) -> None:
    import optuna

    # A sampler of its own for each trial, so that its draws do not depend on where a search was killed.
    seed = int(np.random.SeedSequence([task.config.seed, number]).generate_state(1)[0])
    study.sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=False)
    bounds, told = task.bounds, "the config's own settings"
    if number == 1:  # own settings outside of the bounds could not be proposed, so they are no parameters
        bounds = {name: held for name, held in bounds.items() if contains(held, task.own[name])}
    trial = study.ask(bounds)
    if number > 1:
        told = ", ".join(f"{name} {worded(value)}" for name, value in trial.params.items())
    announce(f"trial {number} of {task.config.search.trials}: {told}")
    try:
        found = _fit_and_score(task, replace(task.config.neural, **trial.params), number)
    except BadInput as error:
        if number == 1:
            raise
        # Settings that contradict each other, or with which training diverged: worse than any that were measured.
        trial.set_user_attr("fault", str(error))
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        return
    for name, value in found.items():
        trial.set_user_attr(name, value)
    study.tell(trial, float(np.mean(list(found["accuracies"].values()))))


def _validation(learn: Path, taxonomy: Taxonomy, by: str) -> LabelledTitles:
    rows = read_frame(learn).filter((pl.col("part") == "valid") & (pl.col("source") == "legacy"))
    if not len(rows):
        raise BadInput(
            f"Split by {by}, no lead is in validation, which decides between settings. Give more leads, or a "
            "larger split.valid_share."
        )
    return LabelledTitles.from_frame(rows.to_pandas(), taxonomy)


def _fit_and_score(task: _Task, settings: NeuralSettings, number: int) -> dict[str, Any]:
    """Fit the network as a run would, and score what it keeps on validation: return those fields of a `Trial`."""
    # Choosing what answers fastest after the fit changes nothing about the fit, and takes time.
    fit = replace(task.fit, recipe=replace(task.fit.recipe, settings=replace(settings, runtime="torch")))
    on_progress = named_progress(task.on_progress, f"trial {number}")
    place = task.folder / _MODEL_OF_TRIAL
    shutil.rmtree(place, ignore_errors=True)
    try:
        fit_and_save(fit, task.learn, place, on_progress)
        learned_from = json.loads((place / FIT_FACTS).read_text(encoding="utf-8"))["learned_from"]
        accuracies = _accuracies(load_system(NETWORK, place / MODEL), task.valid, task.config.neural)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return {"accuracies": accuracies, "best_epoch": learned_from["best_epoch"], "seconds": learned_from["seconds"]}


def _accuracies(system: TitleClassifier, valid: LabelledTitles, weighed_by: NeuralSettings) -> dict[str, float]:
    """Return each target's share of right answers; rows weigh as in a fit with these settings."""
    rows: IntArray = np.arange(len(valid))
    weights: npt.NDArray[np.float64] = valid.fit_weights
    if weighed_by.merge_equal_rows:
        rows, weights = distinct_rows(valid, weighed_by.count_power)  # (n_distinct,) each
    answers = system.predict_proba(valid.titles[rows].tolist())  # target -> (n_distinct, n_classes)
    return {
        target: float(np.average(answers[target].argmax(axis=1) == codes[rows], weights=weights))
        for target, codes in valid.labels.items()
    }
