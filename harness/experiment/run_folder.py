"""The folder of a finished run: what its files are called, and reading it again.

The module imports neither torch nor scikit-learn, so that tagging a file does not wait for them.
"""

from pathlib import Path
from typing import Any

from data_cleaning.errors import BadInput, read_json, unknown
from data_cleaning.files.whole_files import is_unfinished
from data_cleaning.titles import LABELS, LabelSet
from data_cleaning.yaml_files import read_yaml
from harness.experiment.checksums import check_whole
from harness.experiment.systems import SYSTEMS

RUN_FACTS, CONFIG, TAXONOMY, PAGE = "run.json", "config.yaml", "taxonomy.yaml", "report.html"
TITLES = "titles.parquet"
"""Every title of the leads, its records as `count`, and whether it is `held_out`, so that only scores may use it."""
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

    A run may have learned from several kinds of labels; recorded ones are preferred.

    Raises:
        BadInput: the folder is no run, or the run has no such system.
    """
    run_facts(run_folder)
    for by in _SPLITS:
        for label_set in _LABEL_SETS:
            folder = model_folder(run_folder, by, label_set, system)
            if folder.is_dir():
                return folder
    raise BadInput(f"{run_folder} has no fitted {system!r}; it has {', '.join(fitted_systems(run_folder))}.")


def newest_run(results: Path, system: str | None = None) -> Path:
    """Return the newest run that has a fitted system; None stands for any.

    Raises:
        BadInput: there is no such run, or no such system at all.
    """
    runs = sorted(results.glob(f"*/{RUN_FACTS}"), key=lambda facts: facts.stat().st_mtime, reverse=True)
    for run in (facts.parent for facts in runs):
        fitted = [] if is_unfinished(run) else fitted_systems(run)
        if fitted and system in (None, *fitted):
            return run
    if system is not None and system not in SYSTEMS:
        raise unknown("system", system, SYSTEMS)
    wanted = "system" if system is None else repr(system)
    raise BadInput(
        f"No run under {results.absolute()} has a fitted {wanted}. Make one with 'python -m harness run all'."
    )


def run_facts(folder: Path) -> dict[str, Any]:
    """Return what the `run.json` of a run says.

    Raises:
        BadInput: the folder is no run, or one of the files that say what its systems answer is damaged.
    """
    path = folder / RUN_FACTS
    if not path.exists():
        raise BadInput(f"{folder} is no run folder (it has no {RUN_FACTS}). Give one that 'run' has written.")
    check_whole(folder, _REMEDY, {RUN_FACTS, CONFIG, TAXONOMY}.__contains__)
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
