"""Opens what tags titles: the fitted systems of a run, or of a folder that was exported from one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data_cleaning.errors import BadInput, unknown
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.yaml_files import read_yaml
from harness.experiment.cache import digest
from harness.experiment.checksums import CHECKSUMS, file_digest, verify
from harness.experiment.config import PROJECT_CONFIGS
from harness.experiment.own_systems import is_own
from harness.experiment.recipes import folder_files
from harness.experiment.run_folder import (
    TAXONOMY,
    fitted_model,
    fitted_systems,
    learned_from,
    newest_run,
    origin_of,
    run_config,
    run_facts,
    verdict_of,
)
from harness.experiment.systems import PREFERRED, SYSTEMS
from harness.scoring.scores_file import WARNINGS, Origin

if TYPE_CHECKING:
    from harness.tagging.hierarchy import Hierarchy

FACTS, HIERARCHY, LAYOUT, SAVED = "model.json", "hierarchy.yaml", "layout.yaml", "systems"
KEYWORDS = "keywords.csv"
"""Of an exported folder; its taxonomy has the name that a run's has."""

FORMAT: Literal[1] = 1
"""Of exported folders; a higher one is of a later version of the project."""

NO_HIERARCHY = Path("none")
"""Given in place of a hierarchy's file, it means that titles get no place."""


class ExportedFacts(BaseModel):
    """What `model.json` says; it names systems and no paths."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1]
    default_system: str
    systems: dict[str, str] = Field(min_length=1)
    """System to the digest of its files."""
    title_column: str
    run: str
    """Name of the run's folder."""
    split: str
    learned_from: str
    fingerprint: str
    exported: str
    """Day, such as 2026-11-26."""
    versions: dict[str, str]
    """Libraries that were installed at the export."""
    made_with: dict[str, str]
    """Libraries that the systems were fitted with."""
    verdict: str = ""
    """What the run decided, in a sentence; empty where it had no verdict."""
    origin: Origin = "real"
    """What the run was judged on."""


@dataclass(frozen=True)
class Model:
    """Fitted systems that answer with one taxonomy."""

    folder: Path
    """Of the run or of the export."""
    taxonomy: Taxonomy
    systems: Mapping[str, Path]
    """Name to the folder that it was saved in, in the order of `SYSTEMS`."""
    title_column: str
    """What the column of titles was called in the leads that were learned from."""
    hierarchy: Path | None
    layout: Path | None
    """Those of an exported folder; a run has none of its own."""
    identity: str
    """Changes when anything that answers changes."""
    described: str
    """For a person: which folder, and what it learned from or when it was exported."""
    default: str = ""
    """The system of the verdict, or the one that stands in for it; empty for the usual one."""
    verdict: str = ""
    """What the run decided, in a sentence; empty where it has no verdict."""
    origin: Origin = "real"
    """What the run was judged on."""

    def introduced(self, system: str, *, asked_for: bool) -> str:
        """Say first of all what answers, why, and what is to be known of the run that it comes from."""
        answering = f"Answering with {system} of {self.folder}"
        if not self.verdict:
            told = f"{answering}, which has no verdict: run its config again for one, or name a system with --system."
        else:
            told = f"{answering}{', as asked' if asked_for else ''}. Verdict of that run: {self.verdict}"
        return f"{WARNINGS[self.origin]} {told}".strip()

    def system(self, name: str | None) -> str:
        """Return the system that answers: the one that is asked for, or the default.

        Raises:
            BadInput: there is no such system at all, or not here.
        """
        if name is None:
            return self.default if self.default in self.systems else _default(self.systems)
        if name not in SYSTEMS and name not in self.systems:
            raise unknown("system", name, {**SYSTEMS, **self.systems})
        if name not in self.systems:
            raise BadInput(f"{self.folder} has no fitted {name!r}; it has {', '.join(self.systems)}.")
        return name


def choose_model(run: Path | None, exported: Path | None, results: Path, system: str | None = None) -> Model:
    """Open what a verb was given: a run folder, an exported folder, or neither for the newest run in `results`.

    The newest run must have the system, if one is named.

    Raises:
        BadInput: both were given, there is no run, or the folder is neither of them.
    """
    if run is not None and exported is not None:
        raise BadInput(f"--run {run} and --model {exported} were both given; choose one of them.")
    if exported is not None:
        return open_exported(exported)
    return open_run(run or newest_run(results, system))


def open_run(folder: Path) -> Model:
    """Open the fitted systems of a run, each as `fitted_model` chooses it.

    Raises:
        BadInput: the folder is no run, or has no fitted system.
    """
    if (folder / FACTS).is_file():
        raise BadInput(f"{folder} is an exported folder and no run folder. Give it as --model.")
    facts = run_facts(folder)
    held = fitted_systems(folder)
    names = [*(name for name in SYSTEMS if name in held), *(name for name in held if name not in SYSTEMS)]
    fitted = {name: fitted_model(folder, name) for name in names}
    systems = {name: saved for name, saved in fitted.items() if name in SYSTEMS or is_own(saved)}
    if not systems:
        raise BadInput(f"{folder} has no fitted system. Make the run again with 'python -m harness run all'.")
    stamps = {
        name: {at: [file.stat().st_size, file.stat().st_mtime_ns] for at, file in folder_files(saved).items()}
        for name, saved in systems.items()
    }
    verdict = verdict_of(folder)
    said_first = "" if verdict is None else verdict.headline
    default = "" if verdict is None else verdict.without_own_code or verdict.use
    if verdict is not None and verdict.use not in SYSTEMS:
        said_first += f" Its code is yours and runs only where you name it: --system {verdict.use}."
    default = default if default in systems and default in SYSTEMS else ""
    by, label_set = learned_from(systems[default or _default(systems)])
    said = f"split by {by}"
    said += "" if label_set.labels == "legacy" else f", {label_set.labels} labels"
    said += ", reviewed titles learned too" if label_set.reviewed else ""
    return Model(
        folder=folder,
        taxonomy=Taxonomy.read(folder / TAXONOMY),
        systems=systems,
        title_column=run_config(folder)["leads"]["columns"]["title"],
        hierarchy=None,
        layout=None,
        identity=digest(facts.get("fingerprint"), stamps),
        described=f"{folder} ({said})",
        default=default,
        verdict=said_first,
        origin=origin_of(folder),
    )


def open_exported(folder: Path) -> Model:
    """Open a folder that `export` wrote, after checking that every byte of it is as it was written.

    Raises:
        BadInput: the folder was not exported, was changed, or is of another version of the project.
    """
    verify(folder)
    facts = _read_facts(folder)
    for name in (facts.default_system, *facts.systems):
        if name not in SYSTEMS:
            raise BadInput(
                f"{folder / FACTS}: {unknown('system', name, SYSTEMS)} Install the version that exported it."
            )
    systems = {name: folder / SAVED / name for name in SYSTEMS if name in facts.systems}
    absent = [name for name, saved in systems.items() if not saved.is_dir()]
    if absent:
        raise BadInput(f"{folder / FACTS} lists {', '.join(absent)}, which {folder} does not hold. Export it again.")
    hierarchy, layout = folder / HIERARCHY, folder / LAYOUT
    return Model(
        folder=folder,
        taxonomy=Taxonomy.read(folder / TAXONOMY),
        systems=systems,
        title_column=facts.title_column,
        hierarchy=hierarchy if hierarchy.is_file() else None,
        layout=layout if layout.is_file() else None,
        identity=file_digest(folder / CHECKSUMS)[:16],
        described=f"{folder} (exported {facts.exported} from {facts.run})",
        default=facts.default_system,
        verdict=facts.verdict,
        origin=facts.origin,
    )


def _read_facts(folder: Path) -> ExportedFacts:
    path = folder / FACTS
    try:
        return ExportedFacts.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}). Give a folder that 'export' wrote.") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise BadInput(
            f"{path} is not as format {FORMAT} has it ({faults}). Use the version of the project that exported it, or "
            "export the run again."
        ) from None


def find_hierarchy(given: Path | None, model: Model) -> Path | None:
    """Return the file of the hierarchy that titles are placed in; None for none.

    It is the one that is given, or else that of the exported folder. A run has none of its own: it takes
    configs/hierarchy.yaml of the current folder, or else the project's, if that names the targets of the model.

    Raises:
        BadInput: `given` is no file.
    """
    if given is not None:
        if given == NO_HIERARCHY:
            return None
        if not given.is_file():
            raise BadInput(f"--hierarchy {given} is no file. Give a hierarchy's YAML file, or 'none'.")
        return given
    if model.hierarchy is not None or (model.folder / FACTS).is_file():
        return model.hierarchy
    own = Path("configs") / HIERARCHY
    found = own if own.is_file() else PROJECT_CONFIGS / HIERARCHY
    return found if found.is_file() and _is_about(found, model.taxonomy) else None


def load_hierarchy(path: Path | None, model: Model) -> "Hierarchy | None":
    """Read the hierarchy that `find_hierarchy` found; None for none.

    Raises:
        BadInput: it has faults, or is not for the taxonomy of the model.
    """
    if path is None:
        return None
    from harness.tagging.hierarchy import read_hierarchy

    try:
        return read_hierarchy(path, model.taxonomy)
    except BadInput as error:
        raise BadInput(f"{error} Or go without a hierarchy: --hierarchy {NO_HIERARCHY}.") from None


def _default(systems: Mapping[str, Path]) -> str:
    shipped = [name for name in systems if name in SYSTEMS]
    return next(name for name in (*PREFERRED, *reversed(shipped), *systems) if name in systems)


def _is_about(hierarchy: Path, taxonomy: Taxonomy) -> bool:
    """Say whether the rules of a hierarchy name a target of the taxonomy, or it cannot be read, as its reader says."""
    try:
        rules = read_yaml(hierarchy, "hierarchy", "", as_written=True).content.get("rules")
    except BadInput:
        return True
    named = {key for rule in rules if isinstance(rule, dict) for key in rule} if isinstance(rules, list) else set()
    return not named or not named.isdisjoint(taxonomy.names)
