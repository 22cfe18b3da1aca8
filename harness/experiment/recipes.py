"""A system with its settings, and the folders that settings of the network may name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_cleaning.progress import Progress, silent
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.own_systems import OwnSystem
from harness.experiment.system_contract import TitleClassifier
from harness.experiment.systems import Request, find_system


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A system with its settings: all that decides what a fit of given titles learns."""

    listed: str | OwnSystem
    """As `RunConfig.systems` lists it."""
    settings: Any
    seed: int
    taxonomy: Taxonomy = field(repr=False)

    def build(self, on_progress: Progress = silent, **folders: Path | None) -> TitleClassifier:
        """Return the system, not yet fitted; `folders` are those of a `Request`."""
        request = Request(
            settings=self.settings, taxonomy=self.taxonomy, seed=self.seed, on_progress=on_progress, **folders
        )
        return find_system(self.listed).build(request)

    def fingerprint(self) -> Any:
        """Return what counts of it; a folder of the network counts by its files and not by where it is."""
        if self.settings is None:
            return self.listed, self.seed, self.taxonomy
        settings = self.settings if isinstance(self.settings, Mapping) else vars(self.settings)
        files = {name: folder_files(folder) for name, folder in network_folders(settings).items()}
        return self.listed, {**settings, **files}, self.seed, self.taxonomy


PATHS_OF_NETWORK = ("encoder", "teacher")
"""Settings of the network that may name a folder."""


def network_folders(settings: Mapping[str, Any]) -> dict[str, Path]:
    """Return the folders that some settings of the network name, by setting; the config is a loaded one."""
    named = {setting: Path(settings.get(setting) or "") for setting in PATHS_OF_NETWORK}
    return {setting: folder for setting, folder in named.items() if folder.is_absolute()}


def folder_files(folder: Path) -> dict[str, Path]:
    """Return every file of a folder by its path in it, so that a digest counts them all; none without a folder."""
    return {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}
