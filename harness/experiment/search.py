"""The search for better settings of the network: trials fitted on train, compared on validation, kept on disk.

optuna proposes settings by a tree-structured Parzen estimator from the finished trials, with a seed that depends on the
config's seed and on how many there are, so that a search that was killed proposes what an unbroken one does.

Source: Watanabe 2023, "Tree-structured Parzen estimator: understanding its algorithm components and their roles for
better empirical performance", arXiv:2304.11127.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import numpy as np
import numpy.typing as npt
import polars as pl

from data_cleaning.errors import BadInput
from data_cleaning.files.whole_files import check_writable, is_unfinished, remove_unfinished, whole_file
from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import IntArray, LabelledTitles, LabelSet
from harness.experiment.cache import StageStore, digest, environment, fingerprint_of, folder_files, plain, source_digest
from harness.experiment.config import RunConfig
from harness.experiment.pipeline import Stage, fingerprints, make_stages
from harness.experiment.plan import Arm, plan
from harness.experiment.run import check_config, check_places
from harness.experiment.search_results import Search, Trial, ranked, said, trials_table, worded, write_results
from harness.experiment.search_space import DEFAULT_SPACE, SearchRange, distributions
from harness.experiment.stages import FIT_FACTS, LEARN, MODEL
from harness.experiment.stages.fit_system import FitSettings, fit_and_save
from harness.experiment.system_contract import TitleClassifier
from harness.experiment.systems import NETWORK, load_system, network_folders
from neural.neural_settings import NeuralSettings
from neural.training_rows import distinct_rows

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

SEARCH_FACTS = "search.json"
_STORAGE, _LOCK, _MODEL_OF_TRIAL = "trials.db", "lock", "trial"


@dataclass(frozen=True, kw_only=True)
class _Task:
    """What all trials of a search share."""

    config: RunConfig
    fit: FitSettings
    bounds: Mapping[str, "BaseDistribution"]
    learn: Path
    """Train and validation of the split; trials are given no other rows."""
    valid: LabelledTitles
    """What every trial is scored on."""
    folder: Path
    on_progress: Progress

    @property
    def own(self) -> dict[str, Any]:
        """The config's own settings, of those that are varied."""
        return {name: getattr(self.config.neural, name) for name in self.bounds}


def search(
    config: RunConfig,
    *,
    results: Path,
    out: Path | None,
    on_progress: Progress,
    announce: Callable[[str], None],
) -> Search:
    """Fit the network with one proposal of settings after the other, and rank them by validation.

    Trials learn from the first labels of `learn_from` on the first split of `split.by`, as the network of a run does.
    All are scored on the recorded labels of leads in validation, weighed by the config's own `count_power`: accuracies
    that weigh titles differently could not be compared. Within a trial, the epoch is chosen as in a run.

    The first trial has the config's own settings. On a CPU, the same settings, data and number of threads give the same
    trials, killed in between or not; how many of them fit into a limit of minutes depends on the machine.

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
    stages = plan(_narrowed(config, arm), taxonomy)
    prints = fingerprints(stages)
    fit_stage = next(stage for stage in stages if stage.name == arm.stage("fit"))
    # The fingerprint of a fit covers the config's own settings, the encoder, the seed, data, sources and libraries.
    sources = source_digest(["harness.experiment.search_space"])
    fingerprint = digest(prints[fit_stage.name], space, _files_of(space), Path(__file__), sources, version("optuna"))
    folder = out or results / f"search-{config.name}-{fingerprint[:8]}"
    check_places(results, folder)
    _claim(folder, fingerprint, config, arm, space)
    with _locked(folder):
        store = StageStore(results / ".cache")
        needed = _before(fit_stage.name, stages)
        done = make_stages(needed, prints, store, lambda stage: announce(f"making {stage}"), on_progress)
        learn = done[f"split/{arm.by}"] / LEARN
        task = _Task(
            config=config,
            fit=fit_stage.settings,
            bounds=bounds,
            learn=learn,
            valid=_validation(learn, taxonomy, arm.by),
            folder=folder,
            on_progress=on_progress,
        )
        trials = _make_trials(task, announce)
    in_order = ranked(trials)
    return Search(folder, trials_table(in_order, arm.by), in_order, trials[0])


def _narrowed(config: RunConfig, arm: Arm) -> RunConfig:
    """Return the config of a run of one system on one split, whose stages are those of any run with them."""
    split = config.split.model_copy(update={"by": (arm.by,)})
    labels = (arm.label_set.labels,)
    return config.model_copy(
        update={"split": split, "learn_from": labels, "systems": (arm.system,), "label_issues": None}
    )


def _files_of(space: Mapping[str, SearchRange]) -> list[dict[str, Path]]:
    """Return the files of every folder that is a choice of a setting of the network."""
    chosen = [{name: choice} for name, given in space.items() for choice in given.choices or ()]
    return [folder_files(folder) for each in chosen for folder in network_folders(each).values()]


def _before(name: str, stages: Sequence[Stage]) -> list[Stage]:
    """Return the stages that one stage needs, directly or through each other, in order."""
    needed = {name}
    for stage in reversed(stages):
        if stage.name in needed:
            needed.update(stage.needs)
    return [stage for stage in stages if stage.name in needed - {name}]


def _claim(folder: Path, fingerprint: str, config: RunConfig, arm: Arm, space: Mapping[str, SearchRange]) -> None:
    """Make a folder that of this search; refuse one that holds anything else.

    Raises:
        BadInput: it holds another search, or no search at all.
    """
    found = fingerprint_of(
        folder,
        SEARCH_FACTS,
        "search folder",
        # All that a search leaves that was killed while it claimed the folder.
        may_be_left=lambda place: is_unfinished(place) and place.name.endswith(f"-{SEARCH_FACTS}"),
    )
    if found not in (None, fingerprint):
        raise BadInput(
            f"{folder} holds a search with other settings, data or sources, which cannot be resumed with these. "
            "Choose another --out."
        )
    remove_unfinished(folder)
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


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of a folder; a process that is killed keeps nobody out.

    Raises:
        BadInput: another process searches in it, or it cannot be written.
    """
    place = folder / _LOCK
    check_writable(place)  # a lock that is there can be opened in a folder that takes no new files
    lock = filelock.FileLock(place, blocking=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise BadInput(
            f"Another process is searching in {folder}. Wait for it to end, or choose another --out."
        ) from None
    except OSError as error:
        raise BadInput(f"{place} cannot be written: {error.strerror}. Choose another --out.") from None
    with lock:
        yield


def _make_trials(task: _Task, announce: Callable[[str], None]) -> list[Trial]:
    """Make the trials that are left, as long as there is time, and at least one; return all that are finished."""
    began = time.monotonic()
    asked, minutes = task.config.search.trials, task.config.search.minutes
    study = _open_study(task)

    def finished() -> list[Trial]:
        return _finished(study, task.own)

    def objective(trial: "optuna.Trial") -> float:
        return _measure(task, trial, len(finished()) + 1, announce)

    def after_trial(study: "optuna.Study", _: object) -> None:
        trials = finished()
        best = ranked(trials)[0]
        announce(f"trial {len(trials)}: {said(trials[-1])}; best is trial {best.number}: {said(best)}")
        write_results(task.folder, task.config.neural, trials)
        _seed_sampler(task, study)

    if done_before := finished():
        announce(f"trials done before: {len(done_before)} of {asked}")
        write_results(task.folder, task.config.neural, done_before)
    if len(done_before) < asked:
        study.optimize(objective, n_trials=1, callbacks=[after_trial])
    if (left := asked - len(finished())) > 0:
        seconds = None if minutes is None else max(0.0, 60 * minutes - (time.monotonic() - began))
        study.optimize(objective, n_trials=left, timeout=seconds, callbacks=[after_trial])
    if len(finished()) < asked:
        announce(f"out of time after trial {len(finished())} of {asked}; the same command resumes it")
    return finished()


def _open_study(task: _Task) -> "optuna.Study":
    """Open the trials of a search, or begin with the config's own settings; trials that were killed are set aside."""
    import optuna
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=f"sqlite:///{(task.folder / _STORAGE).resolve()}",
        study_name="search",
        direction="maximize",
        load_if_exists=True,
    )
    for killed in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(killed.number, state=TrialState.FAIL)
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED, TrialState.WAITING)):
        # Values that could not be proposed are left out, and are no parameters of the first trial.
        study.enqueue_trial({name: value for name, value in task.own.items() if _holds(task.bounds[name], value)})
    _seed_sampler(task, study)
    return study


def _seed_sampler(task: _Task, study: "optuna.Study") -> None:
    """Give the next trial a sampler of its own, so that its draws do not depend on where a search was killed."""
    import optuna

    seed = np.random.SeedSequence([task.config.seed, len(_finished(study, task.own)) + 1]).generate_state(1)[0]
    study.sampler = optuna.samplers.TPESampler(seed=int(seed), multivariate=True, constant_liar=False)


def _finished(study: "optuna.Study", own: Mapping[str, Any]) -> list[Trial]:
    """Return the trials that were not killed, in order."""
    from optuna.trial import TrialState

    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return [
        Trial(number=number, settings={**own, **found.params}, **{"accuracies": {}, **found.user_attrs})
        for number, found in enumerate(finished, start=1)
    ]


def _measure(task: _Task, trial: "optuna.Trial", number: int, announce: Callable[[str], None]) -> float:
    """Fit and score one trial's settings; return the score.

    Raises:
        BadInput: the config's own settings cannot be fitted.
    """
    import optuna

    proposed = task.own
    if number == 1:
        announce(f"trial 1 of {task.config.search.trials}: the config's own settings")
        for name, bounds in task.bounds.items():
            if _holds(bounds, proposed[name]):
                _propose(trial, name, bounds)
    else:
        proposed = {name: _propose(trial, name, bounds) for name, bounds in task.bounds.items()}
        settings = ", ".join(f"{name} {worded(value)}" for name, value in proposed.items())
        announce(f"trial {number} of {task.config.search.trials}: {settings}")
    try:
        found = _fit_and_score(task, replace(task.config.neural, **proposed), number)
    except BadInput as error:
        if number == 1:
            raise
        # Settings that contradict each other, or with which training diverged: worse than any that were measured.
        trial.set_user_attr("fault", str(error))
        raise optuna.TrialPruned from None
    for name, value in found.items():
        trial.set_user_attr(name, value)
    return float(np.mean(list(found["accuracies"].values())))


def _propose(trial: "optuna.Trial", name: str, bounds: "BaseDistribution") -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(bounds, CategoricalDistribution):
        return trial.suggest_categorical(name, bounds.choices)
    if isinstance(bounds, IntDistribution):
        return trial.suggest_int(name, bounds.low, bounds.high, log=bounds.log)
    assert isinstance(bounds, FloatDistribution), "a space has no other kind"
    return trial.suggest_float(name, bounds.low, bounds.high, log=bounds.log)


def _holds(bounds: "BaseDistribution", value: Any) -> bool:
    """Say whether a value is one that may be proposed."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(bounds, CategoricalDistribution):
        return value in bounds.choices
    assert isinstance(bounds, IntDistribution | FloatDistribution), "a space has no other kind"
    return value is not None and bounds.low <= value <= bounds.high


def _validation(learn: Path, taxonomy: Taxonomy, by: str) -> LabelledTitles:
    """Return what every trial is scored on.

    Raises:
        BadInput: validation has no leads.
    """
    rows = pl.read_parquet(learn).filter((pl.col("part") == "valid") & (pl.col("source") == "legacy"))
    if not len(rows):
        raise BadInput(
            f"Split by {by}, no lead is in validation, which decides between settings. Give more leads, or a "
            "larger split.valid_share."
        )
    return LabelledTitles.from_frame(rows.to_pandas(), taxonomy)


def _fit_and_score(task: _Task, settings: NeuralSettings, number: int) -> dict[str, Any]:
    """Fit the network as a run would, and score what it keeps on validation: return those fields of a `Trial`.

    Raises:
        BadInput: nothing can be fitted with these settings.
    """

    def named(step: str, done: int, total: int, unit: str = "titles") -> None:
        task.on_progress(f"{step} (trial {number})", done, total, unit)

    # Choosing what answers fastest after the fit changes nothing about the fit, and takes time.
    recipe = replace(task.fit.recipe, settings=replace(settings, runtime="torch"))
    place = task.folder / _MODEL_OF_TRIAL
    shutil.rmtree(place, ignore_errors=True)
    try:
        fit_and_save(replace(task.fit, recipe=recipe), task.learn, place, named)
        learned_from = json.loads((place / FIT_FACTS).read_text(encoding="utf-8"))["learned_from"]
        accuracies = _accuracies(load_system(NETWORK, place / MODEL), task.valid, task.config.neural)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return {"accuracies": accuracies, "best_epoch": learned_from["best_epoch"], "seconds": learned_from["seconds"]}


def _accuracies(system: TitleClassifier, valid: LabelledTitles, weighed_by: NeuralSettings) -> dict[str, float]:
    """Return each target's share of right answers, rows weighing as a fit with these settings weighs them."""
    rows: IntArray = np.arange(len(valid))
    weights: npt.NDArray[np.float64] = valid.fit_weights
    if weighed_by.merge_equal_rows:
        rows, weights = distinct_rows(valid, weighed_by.count_power)  # (n_distinct,) each
    answers = system.predict_proba(valid.titles[rows].tolist())  # target -> (n_distinct, n_classes)
    return {
        target: float(np.average(answers[target].argmax(axis=1) == codes[rows], weights=weights))
        for target, codes in valid.labels.items()
    }
