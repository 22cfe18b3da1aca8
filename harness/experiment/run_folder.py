"""The folder of a finished run: what its files are called, and reading it again.

The module imports neither torch nor scikit-learn, so that tagging a file does not wait for them.
"""

from pathlib import Path
from typing import Any, get_args

from data_cleaning.errors import BadInput, read_json, unknown
from data_cleaning.files.whole_files import is_unfinished
from data_cleaning.titles import LABELS, LabelSet
from data_cleaning.yaml_files import read_yaml
from harness.experiment.checksums import check_whole
from harness.experiment.systems import SYSTEMS
from harness.scoring.scores_file import FILE as SCORES
from harness.scoring.scores_file import Origin, Verdict, read_scores

RUN_FACTS, CONFIG, TAXONOMY, PAGE = "run.json", "config.yaml", "taxonomy.yaml", "report.html"
TITLES = "titles.parquet"
"""Every title of the leads, its records as `count`, and whether it is `held_out`, so that only scores may use it."""
REVIEWED = "reviewed_titles.parquet"
"""Titles that a person labelled and their labels, null where one is not known; absent where there are none."""
TABLES, MODELS, PREDICTIONS, REFERENCES = "tables", "models", "predictions", "references"
"""Folders; that of references has what each split was scored against, as `references.ScoredPart` has it."""

_REMEDY = "Make the run again, or give another."

_LABEL_SETS = tuple(LabelSet(labels, reviewed) for reviewed in (True, False) for labels in LABELS)
"""What a model may have learned from, the best first: reviewed titles are worth most, then labels as recorded."""

_SPLITS = ("record", "title")
"""The split that leaves most titles to learn from comes first."""


def model_folder(run_folder: Path, by: str, label_set: LabelSet, system: str) -> Path:
    """Return where a run keeps one fitted system."""
    return run_folder / MODELS / by / str(label_set) / system


def learned_from(model: Path) -> tuple[str, LabelSet]:
    """Return the split and the label set of a system, given its folder as `model_folder` names it."""
    return model.parent.parent.name, LabelSet.parse(model.parent.name)


def fitted_systems(run_folder: Path) -> list[str]:
    """Return the systems that a run has fitted, sorted by name."""
    return sorted({folder.name for folder in run_folder.glob(f"{MODELS}/*/*/*")})


def fitted_model(run_folder: Path, system: str) -> Path:
    """Return the model that learned from the most titles: split by record, with reviewed titles if there are any.

    A run may have learned from several kinds of labels. The system of its verdict has learned from those that the
    verdict names; for others, recorded labels are preferred.

    Raises:
        BadInput: the folder is no run, or the run has no such system.
    """
    run_facts(run_folder)
    verdict = verdict_of(run_folder)
    named = verdict.learned_from if verdict is not None and verdict.use == system else None
    for by in _SPLITS:
        for label_set in _LABEL_SETS if named is None else (LabelSet.parse(named),):
            folder = model_folder(run_folder, by, label_set, system)
            if folder.is_dir():
                return folder
    raise BadInput(f"{run_folder} has no fitted {system!r}; it has {', '.join(fitted_systems(run_folder))}.")


def verdict_of(run_folder: Path) -> Verdict | None:
    """Return the verdict of a run; None for one that has only a floor, or is of an earlier release.

    Raises:
        BadInput: its scores are damaged.
    """
    scores = read_scores(run_folder)
    return None if scores is None else scores.verdict


def origin_of(run_folder: Path) -> Origin:
    """Say what a run says something about; its config tells where it has no verdict.

    Raises:
        BadInput: its files are damaged.
    """
    verdict = verdict_of(run_folder)
    if verdict is not None:
        return verdict.origin
    config = run_config(run_folder)
    if config.get("smoke") or str(config.get("name")).startswith("smoke"):  # earlier releases had the name alone
        return "smoke"
    by_people = config.get("truth") or (config.get("reviewed") or {}).get("path")
    return "simulated" if config["leads"].get("simulate") and not by_people else "real"


def newest_run(results: Path, system: str | None = None) -> Path:
    """Return the run to use where none is named, of those that have a fitted system; None stands for any.

    It is the newest that was judged on real titles, or else on simulated leads, or else a smoke run.

    Raises:
        BadInput: there is no such run, or no such system at all.
    """
    found = []
    for run in (facts.parent for facts in results.glob(f"*/{RUN_FACTS}")):
        fitted = [] if is_unfinished(run) else fitted_systems(run)
        if fitted and system in (None, *fitted):
            found.append(run)
    if found:
        return min(found, key=lambda run: (_trust(run), -(run / RUN_FACTS).stat().st_mtime_ns))
    if system is not None and system not in SYSTEMS:
        raise unknown("system", system, SYSTEMS)
    wanted = "system" if system is None else repr(system)
    raise BadInput(
        f"No run under {results.absolute()} has a fitted {wanted}. Make one with 'python -m harness run all'."
    )


def _trust(run_folder: Path) -> int:
    """Rank a run by what it was judged on; one that is damaged comes last."""
    try:
        return get_args(Origin).index(origin_of(run_folder))
    except BadInput:
        return len(get_args(Origin))


def run_facts(folder: Path) -> dict[str, Any]:
    """Return what the `run.json` of a run says.

    Raises:
        BadInput: the folder is no run, or one of the files that say what its systems answer is damaged.
    """
    path = folder / RUN_FACTS
    if not path.exists():
        raise BadInput(f"{folder} is no run folder (it has no {RUN_FACTS}). Give one that 'run' has written.")
    check_whole(folder, _REMEDY, {RUN_FACTS, CONFIG, TAXONOMY, SCORES}.__contains__)
    facts = read_json(path, "description of a run", _REMEDY)
    if not isinstance(facts.get("fingerprint", ""), str) or not isinstance(facts.get("versions", {}), dict):
        raise BadInput(f"{path} is not as 'run' wrote it. {_REMEDY}")
    return facts


def run_config(folder: Path) -> dict[str, Any]:
    """Return the settings that a run was made with, as its folder has them, without loading what they name.

    Raises:
        BadInput: the folder has none, or they are damaged.
    """
    path = folder / CONFIG
    file = read_yaml(path, "config of a run", _REMEDY)
    if not isinstance(file.value(("leads", "columns", "title")), str):  # what every reader needs
        raise BadInput(f"{path} is not as 'run' writes it. {_REMEDY}")
    return file.content
