"""Exports a run into one folder that tags without that run and without the project's checkout."""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from data_cleaning.errors import BadInput, read_json
from data_cleaning.files.output_places import check_folder
from data_cleaning.files.whole_files import whole_folder
from harness.experiment.cache import digest, library_versions
from harness.experiment.checksums import CHECKSUMS, read_checksums, write_checksums
from harness.experiment.recipes import folder_files, network_folders
from harness.experiment.run_folder import REVIEWED, TAXONOMY, learned_from, run_facts
from harness.experiment.systems import SYSTEMS, check_saved, is_table
from harness.tagging.model_card import model_card
from harness.tagging.models import (
    FACTS,
    FORMAT,
    HIERARCHY,
    KEYWORDS,
    LAYOUT,
    SAVED,
    ExportedFacts,
    Model,
    find_hierarchy,
    load_hierarchy,
    open_run,
)

CARD = "README.md"
_SETTINGS = "settings.json"
"""Of the network, the one saved system whose settings may name folders."""


@dataclass(frozen=True)
class Exported:
    """What was exported."""

    folder: Path
    systems: tuple[str, ...]
    default_system: str
    hierarchy: Path | None
    """The file that was copied, if any."""
    n_bytes: int
    introduced: str
    """What answers by default, why, and what is to be known of the run."""


def export_model(
    run_folder: Path, out: Path, *, hierarchy: Path | None = None, layout: Path | None = None, force: bool = False
) -> Exported:
    """Write everything that tags into one folder: the systems that learned from most, and what they are used with.

    A folder that was exported before is replaced with `force`. The hierarchy is its file, or `models.NO_HIERARCHY`;
    None takes the one that `find_hierarchy` finds.

    Raises:
        BadInput: the run, the hierarchy or the layout has faults, or `out` holds something else or cannot be written.
    """
    model = open_run(run_folder)
    _check_out(out, model.folder, force=force)
    chosen = find_hierarchy(hierarchy, model)
    load_hierarchy(chosen, model)
    if layout is not None:
        from harness.tagging.layout import Layout

        Layout.read(layout)
    shipped = {name: saved for name, saved in model.systems.items() if name in SYSTEMS}
    if not shipped:
        raise BadInput(
            f"{run_folder} has only systems of your own ({', '.join(model.systems)}), whose code an exported folder "
            "does not carry. Run one of the project's systems too."
        )
    systems = {name: saved for name, saved in shipped.items() if not SYSTEMS[name].is_floor} or shipped
    with whole_folder(out) as filling:
        for name, saved in systems.items():
            _copy_system(saved, filling / SAVED / name)
        # The keyword table in force, or else the one that mining amended.
        table = next((saved / KEYWORDS for name, saved in systems.items() if is_table(name)), None)
        copied = {TAXONOMY: model.folder / TAXONOMY, HIERARCHY: chosen, LAYOUT: layout, KEYWORDS: table}
        reviewed = model.folder / REVIEWED
        copied[REVIEWED] = reviewed if reviewed.is_file() else None
        for name, source in copied.items():
            if source is not None:
                try:
                    shutil.copyfile(source, filling / name)
                except (IsADirectoryError, FileNotFoundError, PermissionError) as error:
                    raise BadInput(f"{source} cannot be copied: {error.strerror}. Make the run again.") from None
        facts = _facts(model, filling, tuple(systems))
        text = json.dumps(facts.model_dump(), indent=2, ensure_ascii=False)
        (filling / FACTS).write_text(text + "\n", encoding="utf-8")
        (filling / CARD).write_text(model_card(filling, model.folder, facts), encoding="utf-8")
        write_checksums(filling)
    n_bytes = sum(file.stat().st_size for file in folder_files(out).values())
    return Exported(
        out,
        tuple(systems),
        facts.default_system,
        chosen,
        n_bytes,
        model.introduced(facts.default_system, asked_for=False),
    )


def _check_out(out: Path, run_folder: Path, *, force: bool) -> None:
    """Refuse a folder that may not be written, before any work is done; only an exported one may be replaced."""
    if run_folder.resolve() in (out.resolve(), *out.resolve().parents):
        raise BadInput(f"{out} is in the run {run_folder}, which should stay as it is. Choose another folder.")
    check_folder(out, run_folder, "export", force=force, written_by=_written_by_export, another="another folder")


def _written_by_export(verb: str, folder: Path) -> set[str] | None:
    """Return the files that were exported into a folder, by their sums; None if it is no exported folder."""
    return {*read_checksums(folder), CHECKSUMS} if (folder / FACTS).is_file() else None


def _copy_system(saved: Path, target: Path) -> None:
    """Copy a saved system without its sums; of the folders that its settings name, only the last name is kept.

    Raises:
        BadInput: it is damaged.
    """
    check_saved(saved)
    # Links are copied as links, which have no sum: what they lead to may be anything.
    without = shutil.ignore_patterns(CHECKSUMS)
    shutil.copytree(saved, target, symlinks=True, copy_function=shutil.copyfile, ignore=without)
    for path in target.rglob(_SETTINGS):  # a system may keep a network in a folder of its own
        content = read_json(path, "settings of a network", "Make the run again.")
        if not isinstance(content.get("settings"), dict):
            raise BadInput(f"{path} is not as it was written. Make the run again.")
        content["settings"] |= {name: folder.name for name, folder in network_folders(content["settings"]).items()}
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _facts(model: Model, filling: Path, systems: tuple[str, ...]) -> ExportedFacts:
    of_run = run_facts(model.folder)
    default = model.system(None)
    split, label_set = learned_from(model.systems[default])
    return ExportedFacts(
        format=FORMAT,
        default_system=default,
        systems={name: digest(folder_files(filling / SAVED / name)) for name in systems},
        title_column=model.title_column,
        run=model.folder.resolve().name,
        split=split,
        learned_from=str(label_set),
        fingerprint=of_run.get("fingerprint", ""),
        exported=time.strftime("%Y-%m-%d"),
        versions=library_versions(),
        made_with=of_run.get("versions", {}),
        verdict=model.verdict,
        origin=model.origin,
    )
