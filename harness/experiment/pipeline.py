"""How stages are fingerprinted and made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_cleaning.progress import Progress
from harness.experiment.cache import StageStore, digest, imports_of, library_versions, source_digest
from harness.experiment.stages import Folders
from harness.experiment.systems import System

NOT_FOLLOWED = frozenset(
    {
        *("harness.experiment.config", "harness.experiment.systems", "harness.experiment.own_systems"),
        *("harness.experiment.system_contract", "data_cleaning.files.whole_files"),
    }
)
"""Modules that are no part of a stage's sources: settings count by their values, a system by its own entry, and how a
file is written changes nothing about what is in it."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One cached step of a run."""

    name: str
    function: Callable[[Any, Folders, Path, Progress], None]
    """Called with the settings, the folders of its inputs, the folder to fill, and a callback for progress."""
    settings: Any
    """Everything that it reads of the config; a path stands for the content of its file."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """What it calls each finished stage that it reads, to the name of that stage."""
    systems: tuple[System, ...] = ()
    """Systems that it fits or loads, whose sources count with its own."""
    about: str = ""
    """Split and labels, for progress; empty where all arms share the stage."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Stages whose output it reads."""
        return tuple(self.inputs.values())

    def make(self, done: Folders, out: Path, on_progress: Progress) -> None:
        """Fill a folder, given the folders of finished stages by name."""
        inputs = {role: done[name] for role, name in self.inputs.items()}
        self.function(self.settings, inputs, out, named_progress(on_progress, self.about))


def named_progress(on_progress: Progress, about: str) -> Progress:
    """Return progress whose steps also say what they are about, if there is anything to say."""

    def named(step: str, done: int, total: int, unit: str = "titles") -> None:
        on_progress(f"{step} ({about})", done, total, unit)

    return named if about else on_progress


def fingerprints(stages: list[Stage]) -> dict[str, str]:
    """Return the fingerprint of every stage: its settings, the sources it runs, and the stages it needs."""
    # How stages are run counts as source of each of them, and so do the libraries that they call.
    shared = digest(Path(__file__), library_versions())
    found: dict[str, str] = {}
    for stage in stages:
        upstream = {role: found[name] for role, name in stage.inputs.items()}
        modules = [stage.function.__module__]
        entries = []
        for system in stage.systems:
            modules += imports_of(system.find_class) if system.own is None else []
            entries += system.sources()
        sources = source_digest(modules, NOT_FOLLOWED)
        found[stage.name] = digest(stage.name, stage.settings, sources, entries, shared, upstream)
    return found


def stages_before(last: Stage, stages: Sequence[Stage]) -> list[Stage]:
    """Return the stages that one stage needs, directly or through each other, in order."""
    needed = {last.name}
    for stage in reversed(stages):
        if stage.name in needed:
            needed.update(stage.needs)
    return [stage for stage in stages if stage.name in needed - {last.name}]


def make_stages(
    stages: list[Stage],
    prints: Mapping[str, str],
    store: StageStore,
    announce: Callable[[str], None],
    on_progress: Progress,
) -> Folders:
    """Make every stage that is not finished yet; return where all of them are."""
    done: dict[str, Path] = {}
    for stage in stages:
        if not store.is_finished(stage.name, prints[stage.name]):
            announce(stage.name)
        make, finished = stage.make, dict(done)
        done[stage.name] = store.obtain(
            stage.name,
            prints[stage.name],
            lambda out: make(finished, out, on_progress),  # noqa: B023
        )
    return done
