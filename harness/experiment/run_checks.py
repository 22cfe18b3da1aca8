"""What a run or a search refuses before any work: contradicting settings, and places that cannot be written."""

import os
from pathlib import Path

from baselines.keyword_table import KeywordTable
from data_cleaning.errors import BadInput
from data_cleaning.files.whole_files import check_name
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.arms import recipe_of
from harness.experiment.config import RunConfig


def check_config(config: RunConfig, taxonomy: Taxonomy) -> None:
    """Refuse a config that contradicts itself or its taxonomy, before any work is done.

    Raises:
        BadInput: columns and targets do not match; the whole file, and so its test labels, would decide the consensus;
            or `consensus-english` is asked for where cleaning already drops other languages from every label set.
    """
    _check_targets(config, taxonomy)
    if config.clean.consensus != "none":
        raise BadInput(
            f"clean.consensus is {config.clean.consensus!r}, which counts test records too and is for the clean verb. "
            "In a run, learn_from=[legacy,consensus] learns the majority of each title on train alone."
        )
    if config.clean.english_only and "consensus-english" in config.learn_from:
        raise BadInput(
            "learn_from has consensus-english, but clean.english_only=true has already set titles in other languages "
            "aside, so that it would repeat consensus. Give clean.english_only=false, or drop it from learn_from."
        )


def check_systems(config: RunConfig, taxonomy: Taxonomy) -> None:
    """Refuse a faulty table, estimator or system of your own before time is spent on other systems.

    Raises:
        BadInput: there is one.
    """
    if config.keyword is not None:
        KeywordTable.read(config.keyword.table, taxonomy)
    for system in config.all_systems.values():
        if system.is_checked_early:
            recipe_of(config, taxonomy, system).build()


def check_places(results: Path, folder: Path) -> Path:
    """Refuse places that cannot be written, before any work is done; return the folder, or the target of a link."""
    check_name(folder)
    if folder.is_symlink():
        folder = Path(os.path.realpath(folder))
    for place in (results, results / ".cache", folder.parent):
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"{place} cannot be a folder for results: {error.strerror}. Choose another place.") from None
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file; runs and searches need a folder. Choose another --out.")
    if folder.is_symlink():
        raise BadInput(f"{folder} is a link that leads nowhere. Choose another --out.")
    return folder


def _check_targets(config: RunConfig, taxonomy: Taxonomy) -> None:
    if config.leads.labels == "table":
        return
    mapped = config.leads.columns.targets
    unmapped = [name for name in taxonomy.names if name not in mapped]
    surplus = [name for name in mapped if name not in taxonomy.names]
    if unmapped or surplus:
        raise BadInput(
            f"leads.columns.targets maps {', '.join(mapped) or 'nothing'}, the taxonomy {config.taxonomy.name} has "
            f"{', '.join(taxonomy.names)}. Give each target of the taxonomy its column, and no other."
        )
