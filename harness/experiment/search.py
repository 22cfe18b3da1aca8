"""The search for better settings of the network: trials fitted on train, judged on validation, kept on disk.

optuna proposes settings by a tree-structured Parzen estimator. It proposes from the finished trials, and its draws are
seeded by the config's seed and how many there are, so a search that was killed proposes what an unbroken one does.

Source: Watanabe 2023, "Tree-structured Parzen estimator: understanding its algorithm components and their roles for
better empirical performance", arXiv:2304.11127.
"""

import fcntl
import json
import math
import os
import shlex
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import yaml

from data_cleaning.errors import BadInput
from data_cleaning.files.whole_files import check_writable, is_unfinished, remove_unfinished, whole_file
from data_cleaning.progress import Progress
from data_cleaning.report_table import Table
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import IntArray, LabelledTitles
from harness.experiment.cache import StageStore, digest, environment, folder_files, plain, source_digest
from harness.experiment.config import RunConfig, network_folders
from harness.experiment.plan import Arm, Stage, fingerprints, make_stages, plan
from harness.experiment.run import check_config, check_places
from harness.experiment.search_space import DEFAULT_SPACE, SearchRange, distributions
from harness.experiment.stages.fit_system import fit
from harness.experiment.stages.stage_files import FIT_FACTS, LEARN, MODEL
from harness.experiment.systems import Request, TitleClassifier, load_system
from neural.neural_settings import NeuralSettings
from neural.training_rows import distinct_rows

if TYPE_CHECKING:
    import optuna

SEARCH_FACTS = "search.json"
TRIALS = "trials.csv"
BEST = "best.yaml"
_JOURNAL = "journal.jsonl"
_LOCK = "lock"
_MODEL_OF_TRIAL = "trial"
_SYSTEM = "neural"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a trial came to; plain values that the journal keeps."""

    accuracies: dict[str, float]
    """Target to the share of right answers on validation, in [0, 1]."""
    best_epoch: int
    """The epoch that was kept, from 1."""
    seconds: float
    """Wall time of the epochs."""

    @property
    def score(self) -> float:
        """Mean accuracy over the targets, in [0, 1]."""
        return float(np.mean(list(self.accuracies.values())))


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One finished trial."""

    number: int
    """From 1, which has the config's own settings; trials that were killed are not counted."""
    settings: Mapping[str, Any]
    """What is varied; the other settings are the config's own."""
    measured: Measured | None
    """None where nothing could be fitted with these settings."""
    fault: str | None = None
    """Why not."""

    @property
    def score(self) -> float:
        """Mean accuracy over the targets, in [0, 1]; below any other where nothing could be fitted."""
        return -math.inf if self.measured is None else self.measured.score


@dataclass(frozen=True)
class Search:
    """Where a search stands: at its end, or out of time."""

    folder: Path
    table: Table
    trials: Sequence[Trial]
    """The best first, and of equally good ones the earliest."""
    own: Trial
    """The trial with the config's own settings."""

    @property
    def best(self) -> Trial:
        """The trial that validated best."""
        return self.trials[0]

    @property
    def changes(self) -> dict[str, Any]:
        """Settings of the best trial that are not the config's own."""
        return {name: value for name, value in self.best.settings.items() if value != self.own.settings[name]}


@dataclass(frozen=True)
class _Task:
    """What all trials of a search share."""

    config: RunConfig
    taxonomy: Taxonomy
    arm: Arm
    learn: Path
    """Train and validation of the split; trials are given no other rows."""
    folder: Path
    on_progress: Progress


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
    trials, killed in between or not; how many of them fit into a limit of minutes is up to the machine.

    Args:
        config: the checked settings; `search` says how many trials, for how long, and what is varied.
        results: folder of all runs; finished stages are kept in its `.cache`.
        out: folder of this search, which goes on where it stopped; None names it by config and fingerprint.
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
    arm = Arm(config.split.by[0], config.learn_from[0], _SYSTEM)
    fitted = arm.stage("fit")
    stages = plan(_narrowed(config, arm), taxonomy, on_progress)
    prints = fingerprints(stages)
    # The fingerprint of a fit covers the config's own settings, the encoder, the seed, data, sources and libraries.
    sources = source_digest(["harness.experiment.search_space"])
    fingerprint = digest(prints[fitted], space, _files_of(space), Path(__file__), sources, version("optuna"))
    folder = out or results / f"search-{config.name}-{fingerprint[:8]}"
    check_places(results, folder)
    _claim(folder, fingerprint, config, arm, space)
    with _alone_in(folder):
        store = StageStore(results / ".cache")
        done = make_stages(_before(fitted, stages), prints, store, lambda stage: announce(f"making {stage}"))
        task = _Task(config, taxonomy, arm, done[f"split/{arm.by}"] / LEARN, folder, on_progress)
        trials = _go_on(task, bounds, announce)
    ranked = _ranked(trials)
    return Search(folder, _table(ranked, arm.by), ranked, trials[0])


def set_arguments(changes: Mapping[str, Any]) -> list[str]:
    """Return settings of the network as arguments of a command line, quoted for a shell."""
    worded = (yaml.safe_dump({f"neural.{name}": value}, width=math.inf).strip() for name, value in changes.items())
    return [f"--set {shlex.quote(line.replace(': ', '=', 1))}" for line in worded]


def _narrowed(config: RunConfig, arm: Arm) -> RunConfig:
    """Return the config of a run of one system on one split, whose stages are those of any run with them."""
    split = config.split.model_copy(update={"by": (arm.by,)})
    alone = {"split": split, "learn_from": (arm.block,), "systems": (arm.system,), "label_issues": None}
    return config.model_copy(update=alone)


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
    """Make the folder that of this search; refuse one that holds anything else.

    Raises:
        BadInput: it holds another search, or no search at all.
    """
    known = folder / SEARCH_FACTS
    left = list(folder.iterdir()) if folder.exists() else []
    is_new = all(_is_half_claim(place) for place in left)
    if not is_new:
        _check_same_search(known, fingerprint)
    remove_unfinished(folder)
    if not is_new:
        return
    facts = {
        "name": config.name,
        "fingerprint": fingerprint,
        "begun_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "seed": config.seed,
        "split": arm.by,
        "learned_from": arm.block,
        "space": plain(space, str),
        "optuna": version("optuna"),
        **environment(),
    }
    with whole_file(known) as filling:
        filling.write_text(json.dumps(facts, indent=2), encoding="utf-8")


def _check_same_search(known: Path, fingerprint: str) -> None:
    """Refuse a folder that is not of this search.

    Raises:
        BadInput: it holds another search, or no search at all.
    """
    try:
        found = json.loads(known.read_text(encoding="utf-8"))["fingerprint"]
    except (OSError, ValueError, TypeError, KeyError):
        raise BadInput(
            f"{known.parent} exists and is no search folder; nothing in it was touched. Choose another --out."
        ) from None
    if found != fingerprint:
        raise BadInput(
            f"{known.parent} holds a search with other settings, data or sources, which cannot go on with these. "
            "Choose another --out."
        )


def _is_half_claim(place: Path) -> bool:
    """Say whether a file is all that a search leaves which was killed while it made a folder its own."""
    return is_unfinished(place) and place.name.endswith(f"-{SEARCH_FACTS}")


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes out of a folder; a process that is killed keeps nobody out.

    Raises:
        BadInput: another search goes on in it, or it cannot be written.
    """
    place = folder / _LOCK
    check_writable(place)  # a lock that is there can be opened in a folder that takes no new files
    try:
        opened = place.open("w")
    except OSError as error:
        raise BadInput(f"{place} cannot be written: {error.strerror}. Choose another --out.") from None
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(
                f"Another process goes on with the search in {folder}. Wait for it, or choose another --out."
            ) from None
        yield


def _go_on(
    task: _Task, bounds: Mapping[str, "optuna.distributions.BaseDistribution"], announce: Callable[[str], None]
) -> list[Trial]:
    """Make the trials that are left, as long as there is time, and at least one; return all that are finished."""
    valid = _validation(task)
    study = _open_study(task.folder)
    asked, minutes = task.config.search.trials, task.config.search.minutes
    began = time.monotonic()
    own = {name: getattr(task.config.neural, name) for name in bounds}
    trials = _finished(study, own)
    n_before = len(trials)
    if trials:
        announce(f"trials done before: {n_before} of {asked}")
        _write_results(task, trials)
    while len(trials) < asked:
        out_of_time = minutes is not None and time.monotonic() - began >= 60 * minutes
        if out_of_time and len(trials) > n_before:
            announce(f"out of time after trial {len(trials)} of {asked}; the same command goes on")
            break
        _make_trial(task, study, bounds, len(trials) + 1, valid, announce)
        trials = _finished(study, own)
        best = _ranked(trials)[0]
        announce(f"trial {len(trials)}: {_said(trials[-1])}; best is trial {best.number}: {_said(best)}")
        _write_results(task, trials)
    return trials


def _open_study(folder: Path) -> "optuna.Study":
    """Open the journal of the trials, or begin one; trials that were killed are set aside.

    Args:
        folder: of the search, which no other process is in.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal = folder / _JOURNAL
    for left in folder.glob(f"{_JOURNAL}.lock*"):  # optuna's own lock, for which it would wait
        left.unlink()
    if journal.exists():
        # A line that a full disk or a power failure cut short would spoil the next one.
        os.truncate(journal, journal.read_bytes().rfind(b"\n") + 1)
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(journal)))
    study = optuna.create_study(storage=storage, study_name="search", direction="maximize", load_if_exists=True)
    for killed in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(killed.number, state=TrialState.FAIL)
    return study


def _finished(study: "optuna.Study", own: Mapping[str, Any]) -> list[Trial]:
    """Return the trials that were not killed, in order."""
    from optuna.trial import TrialState

    trials = []
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    for number, found in enumerate(finished, start=1):
        facts = found.user_attrs
        measured = Measured(**facts["measured"]) if "measured" in facts else None
        # What the config has out of bounds could not be proposed, and is no parameter of the first trial.
        settings = {**own, **found.params}
        trials.append(Trial(number=number, settings=settings, measured=measured, fault=facts.get("fault")))
    return trials


def _make_trial(
    task: _Task,
    study: "optuna.Study",
    bounds: Mapping[str, "optuna.distributions.BaseDistribution"],
    number: int,
    valid: LabelledTitles,
    announce: Callable[[str], None],
) -> None:
    """Fit and score the next settings, and write what they came to into the journal.

    Raises:
        BadInput: the config's own settings cannot be fitted.
    """
    import optuna
    from optuna.trial import TrialState

    own = task.config.neural
    if number == 1:
        announce(f"trial 1 of {task.config.search.trials}: the config's own settings")
        measured = _measure(task, own, number, valid)
        within = {name: each for name, each in bounds.items() if _holds(each, getattr(own, name))}
        study.add_trial(
            optuna.create_trial(
                params={name: getattr(own, name) for name in within},
                distributions=within,
                value=measured.score,
                user_attrs={"measured": asdict(measured)},
            )
        )
        return
    seed = np.random.SeedSequence([task.config.seed, number]).generate_state(1)[0]
    study.sampler = optuna.samplers.TPESampler(seed=int(seed), multivariate=True, constant_liar=False)
    proposed = study.ask(dict(bounds))
    said = ", ".join(f"{name} {_worded(value)}" for name, value in proposed.params.items())
    announce(f"trial {number} of {task.config.search.trials}: {said}")
    try:
        measured = _measure(task, replace(own, **proposed.params), number, valid)
    except BadInput as error:
        # Settings that contradict each other, or with which training diverged: worse than any that were measured.
        proposed.set_user_attr("fault", str(error))
        study.tell(proposed, state=TrialState.PRUNED)
        return
    proposed.set_user_attr("measured", asdict(measured))
    study.tell(proposed, measured.score)


def _holds(bounds: "optuna.distributions.BaseDistribution", value: Any) -> bool:
    """Say whether a value is one that may be proposed."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(bounds, CategoricalDistribution):
        return value in bounds.choices
    assert isinstance(bounds, IntDistribution | FloatDistribution), "a space has no other kind"
    return value is not None and bounds.low <= value <= bounds.high


def _validation(task: _Task) -> LabelledTitles:
    """Return what every trial is scored on.

    Raises:
        BadInput: validation has no leads.
    """
    chosen = (pl.col("part") == "valid") & (pl.col("source") == "legacy")
    rows = pl.read_parquet(task.learn).filter(chosen)
    if not len(rows):
        raise BadInput(
            f"Split by {task.arm.by}, no lead is in validation, which decides between settings. Give more leads, or a "
            "larger split.valid_share."
        )
    return LabelledTitles.from_frame(rows.to_pandas(), task.taxonomy)


def _measure(task: _Task, settings: NeuralSettings, number: int, valid: LabelledTitles) -> Measured:
    """Fit the network as a run would, and score what it keeps on validation.

    Raises:
        BadInput: nothing can be fitted with these settings.
    """

    def named(step: str, done: int, total: int, unit: str = "titles") -> None:
        task.on_progress(f"{step} (trial {number})", done, total, unit)

    # What answers faster after the fit changes nothing about the fit, and takes time to find out.
    fitted_by = task.config.model_copy(update={"neural": replace(settings, runtime="torch")})
    place = task.folder / _MODEL_OF_TRIAL
    shutil.rmtree(place, ignore_errors=True)
    try:
        fit(Request(fitted_by, task.taxonomy, named), _SYSTEM, task.arm.block, task.learn, place)
        learned_from = json.loads((place / FIT_FACTS).read_text(encoding="utf-8"))["learned_from"]
        accuracies = _accuracies(load_system(_SYSTEM, place / MODEL), valid, task.config.neural)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return Measured(accuracies=accuracies, best_epoch=learned_from["best_epoch"], seconds=learned_from["seconds"])


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


def _ranked(trials: Sequence[Trial]) -> list[Trial]:
    return sorted(trials, key=lambda trial: -trial.score)  # stable: the earliest of equally good ones stays in front


def _write_results(task: _Task, trials: Sequence[Trial]) -> None:
    """Write every trial so far, and the settings of the best one."""
    ranked = _ranked(trials)
    best = ranked[0]
    with whole_file(task.folder / TRIALS) as filling:
        _frame(ranked).to_csv(filling, index=False)
    standard = {field.name: field.default for field in fields(NeuralSettings)}
    others = {name: value for name, value in vars(task.config.neural).items() if value != standard[name]}
    head = (
        f"# Trial {best.number} of {len(trials)}: {best.score:.4f} on validation; the config's own settings: "
        f"{trials[0].score:.4f}.\n"
    )
    with whole_file(task.folder / BEST) as filling:
        filling.write_text(
            head + yaml.safe_dump({**others, **best.settings}, sort_keys=False, allow_unicode=True), encoding="utf-8"
        )


def _frame(trials: Sequence[Trial]) -> pd.DataFrame:
    """Return one row per trial: score, accuracies in [0, 1], kept epoch, seconds, what was varied, and any fault."""
    rows = []
    for trial in trials:
        row: dict[str, Any] = {"trial": trial.number}
        if trial.measured is not None:
            row |= {"score": trial.score}
            row |= {f"{target} accuracy": value for target, value in trial.measured.accuracies.items()}
            row |= {"best_epoch": trial.measured.best_epoch, "seconds": round(trial.measured.seconds, 1)}
        row |= trial.settings
        if any(each.fault for each in trials):
            row["why"] = trial.fault
        rows.append(row)
    return pd.DataFrame(rows).astype({"best_epoch": "Int64"})


def _table(trials: Sequence[Trial], by: str) -> Table:
    """Return the trials worded for reading, the words of a heading below each other, so that a line holds them all."""
    frame = _frame(trials)
    names = [str(name) for name in frame]
    shares = [name for name in names if name == "score" or name.endswith(" accuracy")]
    worded = frame.apply(lambda column: column.map(_worded))
    worded[shares] = frame[shares].map(lambda share: "–" if pd.isna(share) else f"{share:.4f}")
    worded.columns = [name.replace("_", "\n").replace(" ", "\n") for name in names]
    note = (
        f"Trials from the best on; trial 1 has the config's own settings. The score is the mean accuracy over the "
        f"targets on validation, split by {by}. The best of many is flattered by chance: compare it on "
        "test with 'run'."
    )
    return Table("trials", "Which settings validate best?", note, worded)


def _worded(value: Any) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _said(trial: Trial) -> str:
    return f"{trial.score:.4f}" if trial.fault is None else f"not fitted ({trial.fault})"
