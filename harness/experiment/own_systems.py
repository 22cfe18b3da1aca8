"""Systems of your own: a class in a Python file beside your config, without a change of this project.

A config lists it as `my_knn.py:KnnClassifier`, and everything else calls it by the name of its file, `my_knn`. What
`own_systems: {my_knn: {neighbours: 5}}` gives is what the class is called with, and a parameter `seed` or `on_progress`
gets the run's own. The file runs as part of the program, and so does the copy that a run keeps beside what was learned:
use only what you trust. It counts for the fits of its system by its content; what it imports from elsewhere does not.
"""

import importlib.util
import inspect
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from data_cleaning.errors import BadInput, first_few, read_json, unknown
from data_cleaning.files.whole_files import whole_file
from data_cleaning.progress import Progress
from harness.experiment.system_contract import SystemClass

_SOURCE, _FACTS = "own_system.py", "own_system.json"
"""What a saved system has beside its own files: its source, and which class it is."""


class OwnSystem(BaseModel):
    """A class in a Python file that somebody wrote for themselves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    """The Python file; its name is what the system is called."""
    class_name: str = Field(pattern=r"^[A-Za-z_]\w*$")
    """Name of the class in it."""

    @property
    def name(self) -> str:
        """What tables, folders and verbs call the system."""
        return self.path.stem

    def find_class(self) -> SystemClass:
        """Run the file and return the class.

        Raises:
            BadInput: there is no such file or class, the file raises an error, or the class lacks a method.
        """
        spec = importlib.util.spec_from_file_location(f"own_system_{self.name}", self.path)
        if not self.path.is_file() or spec is None or spec.loader is None:
            raise BadInput(f"{self.path} is no Python file. Give the file of the system {self.name} as file.py:Class.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look their module up
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise BadInput(f"{self.path} cannot be run: {type(error).__name__}: {error}. Fix the file.") from error
        classes = [name for name, found in vars(module).items() if getattr(found, "__module__", "") == spec.name]
        if self.class_name not in classes:
            raise unknown("class", f"{self.path.name}:{self.class_name}", classes)
        found: SystemClass = getattr(module, self.class_name)
        lacking = [name for name in ("fit", "predict_proba", "fit_summary", "save", "load") if name not in dir(found)]
        if lacking:
            raise BadInput(
                f"{self.path}:{self.class_name} has no {', '.join(lacking)}. 'title-harness new-system NAME' writes a "
                "system that has all that is needed."
            )
        return found

    def arguments(self, settings: Mapping[str, Any] | None, seed: int, on_progress: Progress) -> dict[str, Any]:
        """Return what the class is called with.

        Raises:
            BadInput: the class takes no such setting, or needs one that the config does not give.
        """
        signature = inspect.signature(self.find_class())  # which runs the file
        parameters = signature.parameters
        offered = {"seed": seed, "on_progress": on_progress}
        given = {name: value for name, value in offered.items() if name in parameters} | dict(settings or {})
        try:
            signature.bind(**given)
        except TypeError as error:
            known = first_few(name for name in parameters if name not in offered) or "none"
            raise BadInput(
                f"own_systems.{self.name} does not fit {self.path}:{self.class_name}: {error}. Its settings: {known}."
            ) from None
        return given

    def save_source(self, folder: Path) -> None:
        """Copy the file beside what its system has saved, so that it can be loaded from there."""
        shutil.copyfile(self.path, folder / _SOURCE)
        (folder / _FACTS).write_text(json.dumps({"class_name": self.class_name}), encoding="utf-8")

    @classmethod
    def saved_in(cls, folder: Path) -> "OwnSystem":
        """Return what `save_source` copied.

        Raises:
            BadInput: the folder has been damaged.
        """
        facts = read_json(folder / _FACTS, "description of a system of your own", "Make the run again.")
        try:
            return cls(path=folder / _SOURCE, class_name=facts["class_name"])
        except (ValueError, KeyError):
            raise BadInput(f"{folder / _FACTS} is damaged. Make the run again.") from None

    @classmethod
    def parse(cls, written: str) -> "OwnSystem":
        """Read `file.py:Class`.

        Raises:
            BadInput: it is not of that form.
        """
        path, _, class_name = written.rpartition(":")
        if not path.endswith(".py") or not class_name.isidentifier():
            raise BadInput(f"Got {written!r}; expected a file and a class, such as my_knn.py:KnnClassifier.")
        # Unlike `resolve`, this takes a link that leads to itself.
        return cls(path=Path(os.path.realpath(path)), class_name=class_name)


def is_own(saved: Path) -> bool:
    """Say whether a folder holds a fitted system that is not part of the project."""
    return (saved / _FACTS).is_file()


def write_new(name: str, folder: Path) -> OwnSystem:
    """Write a file with a small system that works, called `name`, and return the system.

    Raises:
        BadInput: that is no name for a file of Python, or there is such a file.
    """
    path = folder / f"{name}.py"
    if not name.isidentifier() or name.startswith("_"):
        raise BadInput(f"{name!r} cannot be the name of a system; expected letters, digits and _, such as my_knn.")
    if path.exists():
        raise BadInput(f"{path} exists already and was left as it is. Choose another name.")
    class_name = "".join(part.capitalize() for part in name.split("_"))
    source = Path(__file__).with_name("example_system.py").read_text(encoding="utf-8")
    with whole_file(path) as filling:
        named = source.replace("ExampleSystem", class_name).replace("example_system", name)
        filling.write_text(named, encoding="utf-8")
    return OwnSystem(path=path, class_name=class_name)
