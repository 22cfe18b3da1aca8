"""From a YAML file to a checked `RunConfig`; every fault is named at once, with its line.

Paths in a file are relative to that file's folder; paths given by `--set` are relative to the current folder. This goes
for the folders of `neural.encoder` and `neural.teacher` too; an encoder that is no folder stays the name that it is.
All paths are absolute once the config is loaded.

On the command line a config that somebody else wrote leads nowhere that its user has not named: see `load_config`.
"""

import os
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from data_cleaning.errors import BadInput, first_few
from data_cleaning.language import language_settings
from data_cleaning.yaml_files import YamlFile, read_yaml, schemas_at, worded_errors
from harness.experiment.config import PROJECT_CONFIGS, RunConfig
from harness.experiment.recipes import PATHS_OF_NETWORK
from harness.experiment.systems import SYSTEMS, find_system
from neural import neural_settings

RENAMED = {
    "mining.least_titles": "mining.min_titles",
    **{f"neural.{old}": f"neural.{new}" for old, new in neural_settings.RENAMED.items()},
}
"""Old names of settings to the new ones; an old name works for one release."""

DROPPED: dict[str, Any] = {
    "most_wrong": ["neural"],
    **{f"neural.{name}": value for name, value in neural_settings.REMOVED.items()},
    **{f"clean.language.{name}": value for name, value in language_settings.REMOVED.items()},
}
"""Settings that are gone, to the one value that changes nothing, which saved configs hold; any other is refused."""

_SET = "--set"
_OWN_SYSTEM = re.compile(r"(?s).+\.py:\w+")

Where = tuple[str | int, ...]
"""The steps to one setting, such as `("neural", "epochs")`."""


class OldSetting(FutureWarning):
    """A config uses a setting under its old name, or one that is gone."""


def load_config(
    path: Path,
    overrides: Sequence[str] = (),
    *,
    options: Mapping[str, tuple[str, Any]] | None = None,
    allowed: Sequence[Path] | None = None,
) -> RunConfig:
    """Read a config file, and apply `key=value` overrides and options of the command line.

    Args:
        path: the YAML file.
        overrides: dotted keys and YAML values, such as `neural.epochs=1`.
        options: an option, such as `--minutes`, to the setting that it stands for and the value, which has the last
            word; None leaves the setting as it is.
        allowed: folders to which paths in the file may lead, besides its own and the current one, links followed; paths
            of the command line are a person's own and lead anywhere. None, for callers whose configs are their own,
            lets those in the file lead anywhere too.

    Raises:
        BadInput: the file is missing or no YAML mapping, has unknown keys or wrong values, or has paths that lead
            elsewhere, all of them named; or an allowed folder does not exist.
    """
    known = f"The project's own are {PROJECT_CONFIGS}/default.yaml, smoke.yaml and real.yaml."
    file = read_yaml(path, "config", known)
    source = _Source(file, RunConfig.model_json_schema(), roots=_roots(path, allowed))
    content = source.with_current_names(file.content)
    given = [(_SET, *_parse_override(override)) for override in overrides]
    given += [(option, tuple(key.split(".")), value) for option, (key, value) in (options or {}).items()]
    for option, where, value in given:
        if value is not None or option == _SET:
            source.put(content, option, where, value)
    content.setdefault("name", path.stem)
    content = source.with_absolute_paths(content)
    source.refuse_outside()
    try:
        config = RunConfig.model_validate(content)
    except ValidationError as error:
        worded = worded_errors(error, source.schema)
        raise BadInput("\n".join(f"{source.place(where)}: {fault}." for where, fault in worded)) from None
    _check_systems(config, path)
    return config


def _roots(path: Path, allowed: Sequence[Path] | None) -> tuple[Path, ...] | None:
    """Return the folders in which paths of a config must be, links followed; None where they may be anywhere.

    Raises:
        BadInput: an allowed folder does not exist.
    """
    if allowed is None:
        return None
    for folder in allowed:
        if not folder.is_dir():
            raise BadInput(f"--allow {folder} is no folder. Name the one that paths in {path} may lead to.")
    return (path.resolve().parent, Path.cwd(), *(Path(os.path.realpath(folder)) for folder in allowed))


def _check_systems(config: RunConfig, path: Path) -> None:
    """Refuse systems that do not exist, or that lack what they need.

    Raises:
        BadInput: naming the first of them.
    """
    systems = [find_system(listed) for listed in config.systems]
    own = {system.name for system in systems if system.own}
    names = [system.name for system in systems]
    lists = ((names, "systems"), (config.split.by, "split.by"), (config.learn_from, "learn_from"))
    for listed, where in lists:
        twice = sorted({name for name in listed if listed.count(name) > 1})
        if twice:
            raise BadInput(f"{path}: {where} lists {first_few(map(repr, twice))} more than once. Keep one of each.")
    if own & set(SYSTEMS):
        raise BadInput(
            f"{path}: {first_few(sorted(own & set(SYSTEMS)))} is a system of the project. Give your file another name."
        )
    idle = sorted(set(config.own_systems) - own)
    if idle:
        raise BadInput(f"{path}: own_systems has settings of {first_few(idle)}, which systems does not list as a file.")
    judges = [config.label_issues.system] if config.label_issues else []
    asked = [*systems, *(find_system(name) for name in judges if name not in own)]
    for system in asked:
        if system.mined_from and system.mined_from not in names:
            raise BadInput(
                f"{path}: the system {system.name} is mined from the network. List {system.mined_from} too, or drop "
                f"{system.name}."
            )
        if system.example and config.settings_of(system) is None:
            raise BadInput(
                f"{path}: the {system.section} systems need '{system.section}: {system.example}'; add that section, or "
                "drop the systems."
            )


def _parse_override(given: str) -> tuple[tuple[str, ...], Any]:
    """Return the key of one `key=value` as its steps, and the value.

    Raises:
        BadInput: it is no such pair, or its value is no YAML.
    """
    key, equals, value = given.partition("=")
    if not equals or not key:
        raise BadInput(f"{_SET} got {given!r}; expected key=value, such as {_SET} neural.epochs=1.")
    try:
        return tuple(key.split(".")), yaml.safe_load(value)
    except (yaml.YAMLError, ValueError) as error:
        raise BadInput(f"{_SET} {given!r}: the value is not readable YAML: {error}") from None


def _setting_of_network(where: Where) -> str | int | None:
    """Return the setting of the network that a value at a place of the config is for, to have or to be searched."""
    match where:
        case ("neural", name) | ("search", "space", name, "choices", _):
            return name
    return None


def _dotted(where: Where) -> str:
    return ".".join(map(str, where))


def _current_name(where: Where) -> Where:
    """Return the steps to a setting by its current name; what is searched is called as in the network's section."""
    searched = where[:2] == ("search", "space")
    old = _dotted(("neural", *where[2:]) if searched else where)
    return (*where[:-1], RENAMED[old].rpartition(".")[2]) if old in RENAMED else where


@dataclass(frozen=True)
class _Source:
    """Where the settings of one config were written: in its file, or on the command line."""

    file: YamlFile
    schema: Mapping[str, Any]
    given: dict[tuple[str, ...], str] = field(default_factory=dict)
    """What the command line sets, in order, and by which option."""
    old_names: dict[Where, Where] = field(default_factory=dict)
    """Settings that the file calls by an old name, to how it calls them."""
    roots: tuple[Path, ...] | None = None
    """Folders that paths of the file must be in; None lets them be anywhere."""
    outside: dict[str, Path] = field(default_factory=dict)
    """Where the file has a path that is in none of them, and the path."""

    def with_current_names(self, content: dict[str, Any], where: Where = (), option: str | None = None) -> Any:
        """Return a section with old names of settings replaced by the current ones, and those that are gone left out.

        Args:
            content: settings by name.
            where: the steps to the section.
            option: of the command line, that gives it; None where the file does.

        Raises:
            BadInput: a setting is given by both names, or one that is gone has another value than it always had.
        """
        found: dict[str, Any] = {}
        for name, value in content.items():
            old = (*where, name)
            new = _current_name(old)
            place = option or self.file.place(old)
            if self._is_gone(old, value, place):
                continue
            if new != old:
                if new[-1] in content:
                    raise BadInput(f"{place}: {_dotted(old)} is now {_dotted(new)}, which is given too. Keep that one.")
                said = f"{place}: {_dotted(old)} is now called {_dotted(new)}; the old name works for one more release."
                warnings.warn(said, OldSetting, stacklevel=2)
                if option is None:
                    self.old_names[new] = old
            found[str(new[-1])] = self.with_current_names(value, new, option) if isinstance(value, dict) else value
        return found

    def _is_gone(self, where: Where, value: Any, place: str) -> bool:
        """Say whether a setting is gone, and may be left out."""
        name = _dotted(where)
        if name not in DROPPED:
            return False
        if value != DROPPED[name]:
            raise BadInput(f"{place}: {name} = {value!r}: there is no such setting any more. Remove it.")
        said = f"{place}: there is no setting {name} any more, and {value!r} changes nothing. Remove it."
        warnings.warn(said, OldSetting, stacklevel=3)
        return True

    def put(self, content: dict[str, Any], option: str, where: tuple[str, ...], value: Any) -> None:
        """Put one setting of the command line into `content`."""
        for step in reversed(where):
            value = {step: value}
        value = self.with_current_names(value, option=option)
        node, known = content, []
        for step in where[:-1]:
            if step not in value:  # a setting that is gone
                return
            known.append(step)
            child = node.get(step)
            if not isinstance(child, dict):
                child = {"path": child} if step == "reviewed" and isinstance(child, str) else {}
                node[step] = child
            node, value = child, value[step]
        node.update(value)
        self.given.update({(*known, name): option for name in value})

    def with_absolute_paths(self, value: Any, where: Where = ()) -> Any:
        """Return what the config has at one place, with every path to a file or folder in it absolute.

        Raises:
            BadInput: there can be no such path, or an encoder is a folder that such a path does not lead to.
        """
        if isinstance(value, dict):
            return {key: self.with_absolute_paths(inner, (*where, key)) for key, inner in value.items()}
        if where[:1] == ("systems",) and isinstance(value, str) and _OWN_SYSTEM.fullmatch(value):
            path, _, class_name = value.rpartition(":")
            return {"path": self._absolute(path, where), "class_name": class_name}
        if isinstance(value, list):
            return [self.with_absolute_paths(inner, (*where, number)) for number, inner in enumerate(value)]
        if not isinstance(value, str):
            return value
        setting = _setting_of_network(where)
        if setting in PATHS_OF_NETWORK and value.strip():
            return self._absolute(value, where, may_be_name=setting == "encoder")
        if where == ("reviewed",) or any(node.get("format") == "path" for node in schemas_at(self.schema, where)):
            return self._absolute(value, where)
        return value

    def _absolute(self, written: str, where: Where, *, may_be_name: bool = False) -> str:
        folder = self.file.path.resolve().parent if self._option(where) is None else Path()
        said = f"{self.place(where)}: {_dotted(where)} = {written!r}"
        try:
            path = (folder / Path(written).expanduser()).resolve()
            is_folder, is_odd = path.is_dir(), path.exists() and not (path.is_file() or path.is_dir())
            is_here = Path(written).is_dir()
        except (OSError, RuntimeError, ValueError) as error:  # a name that is too long, an unknown user, a NUL
            raise BadInput(f"{said} is no path: {error}") from None
        if is_odd:  # it would be waited for, or read without end
            raise BadInput(f"{said} is a pipe or a device; expected a plain file. Give the path of one.")
        if is_folder or not may_be_name:
            self._note_outside(path, said, where)
            return str(path)
        if is_here:
            # The network would take it from here, and something else wherever else the config is used.
            raise BadInput(
                f"{said} is a folder here and none beside the config, where paths in it begin. Write the path from "
                "there, or an absolute one."
            )
        return written

    def _note_outside(self, path: Path, said: str, where: Where) -> None:
        """Keep a path of the file that is in none of the folders that it must be in."""
        if self.roots is not None and self._option(where) is None and not any(map(path.is_relative_to, self.roots)):
            self.outside[said] = path

    def refuse_outside(self) -> None:
        """Refuse what `with_absolute_paths` found to lead elsewhere, all of it at once.

        Raises:
            BadInput: there is such a path.
        """
        if not self.outside:
            return
        assert self.roots is not None, "nothing is outside of anywhere"
        common = os.path.commonpath([path.parent for path in self.outside.values()])
        lines = [f"{said} leads to {path}" for said, path in self.outside.items()]
        raise BadInput(
            "\n".join(lines)
            + f"\nPaths in a config may lead to its own folder ({self.roots[0]}) and to the current one "
            f"({self.roots[1]}) and no further. If you trust it, add --allow {common}, or give the path with {_SET}."
        )

    def place(self, where: Where) -> str:
        """Say whether a fault is in the file, on the command line, or may be in either.

        A section that is checked as a whole is at fault as a whole, though the command line may have set a part of it.
        """
        option = self._option(where)
        if option is not None:
            return option
        parts = [
            f"{option} {'.'.join(key)}" if option == _SET else option
            for key, option in sorted(self.given.items())
            if where and key[: len(where)] == where
        ]
        in_file = self.file.place(self.old_names.get(where, where))
        if not parts:
            return in_file
        said = " and ".join(parts)
        return f"{said}, or {in_file}" if where[0] in self.file.content else said

    def _option(self, where: Where) -> str | None:
        """Return the option of the command line that sets the whole of a setting; the last one has the last word."""
        options = [option for key, option in self.given.items() if where[: len(key)] == key]
        return options[-1] if options else None
