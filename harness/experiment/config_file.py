"""From a YAML file to a checked `RunConfig`; every fault is named at once, with its line.

Paths in a file are relative to that file's folder; paths given by `--set` are relative to the current folder. This goes
for the folders of `neural.encoder` and `neural.teacher` too; an encoder that is no folder stays the name that it is.
All paths are absolute once the config is loaded.

On the command line a config that somebody else wrote leads nowhere that its user has not named: see `load_config`.
"""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from data_cleaning.errors import BadInput, did_you_mean, first_few, read_text, unknown
from harness.experiment.config import PATHS_OF_NETWORK, PROJECT_CONFIGS, RunConfig
from harness.experiment.systems import SYSTEMS
from neural import neural_settings

RENAMED = {f"neural.{old}": f"neural.{new}" for old, new in neural_settings.RENAMED.items()}
"""Old names of settings to the new ones; an old name works for one release."""

DROPPED: dict[str, Any] = {f"neural.{name}": value for name, value in neural_settings.REMOVED.items()}
"""Settings that are gone, to the one value that changes nothing, which saved configs hold; any other is refused."""

_SET = "--set"

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
    text = read_text(
        path.absolute(), "config", f"The project's own are {PROJECT_CONFIGS}/default.yaml, smoke.yaml and real.yaml."
    )
    try:
        content = yaml.safe_load(text)
        tree = yaml.compose(text)
    except (yaml.YAMLError, ValueError) as error:  # an impossible date is a ValueError
        raise BadInput(f"{path} is not readable YAML: {error}") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path} holds {type(content).__name__}, expected a mapping of settings such as 'seed: 17'.")
    assert tree is not None, "a mapping has a tree"
    _refuse_repeated_keys(tree, path)
    source = _Source(path, tree, RunConfig.model_json_schema(), roots=_roots(path, allowed))
    content = source.with_current_names(content)
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
        raise BadInput("\n".join(_fault(fault, source) for fault in error.errors())) from None
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
    return (path.resolve().parent, Path.cwd(), *(folder.resolve() for folder in allowed))


def _refuse_repeated_keys(node: yaml.Node, path: Path) -> None:
    """Refuse a key that a mapping holds twice, of which YAML would quietly keep the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise BadInput(f"{path}, line {key.start_mark.line + 1}: {key.value!r} is given twice here. Keep one.")
            seen.add(key.value)
            _refuse_repeated_keys(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_repeated_keys(value, path)


def _check_systems(config: RunConfig, path: Path) -> None:
    lists = ((config.systems, "systems"), (config.split.by, "split.by"), (config.learn_from, "learn_from"))
    for listed, where in lists:
        twice = sorted({name for name in listed if listed.count(name) > 1})
        if twice:
            raise BadInput(f"{path}: {where} lists {first_few(map(repr, twice))} more than once. Keep one of each.")
    asked = (*config.systems, *([config.label_issues.system] if config.label_issues else []))
    for name in asked:
        if name not in SYSTEMS:
            raise BadInput(f"{path}: {unknown('system', name, SYSTEMS)}")
    if "keyword+mined" in config.systems and "neural" not in config.systems:
        raise BadInput(
            f"{path}: the system keyword+mined is mined from the network. List neural too, or drop keyword+mined."
        )
    if config.keyword is None and any(name.startswith("keyword") for name in asked):
        raise BadInput(f"{path}: the keyword systems need 'keyword: {{table: …}}'; name a table or drop the systems.")


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


def _variants(schema: Mapping[str, Any], where: Where) -> list[Mapping[str, Any]]:
    """Return the sub-schemas that are possible at a place of the config."""
    found: list[Mapping[str, Any]] = []
    queue: list[tuple[Mapping[str, Any], int]] = [(schema, 0)]
    while queue:
        node, depth = queue.pop()
        if "$ref" in node:
            queue.append((schema["$defs"][node["$ref"].rsplit("/", 1)[1]], depth))
        queue += [(variant, depth) for variant in node.get("anyOf", ())]
        if depth == len(where):
            found.append(node)
            continue
        step = where[depth]
        if isinstance(step, int) and isinstance(node.get("items"), Mapping):
            queue.append((node["items"], depth + 1))
        elif step in node.get("properties", {}):
            queue.append((node["properties"][step], depth + 1))
        elif isinstance(node.get("additionalProperties"), Mapping):
            queue.append((node["additionalProperties"], depth + 1))
    return found


@dataclass(frozen=True)
class _Source:
    """Where the settings of one config were written: in its file, or on the command line."""

    path: Path
    tree: yaml.Node
    """What the file says."""
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
            place = option or f"{self.path}, line {_line(self.tree, old)}"
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
        if isinstance(value, list):
            return [self.with_absolute_paths(inner, (*where, number)) for number, inner in enumerate(value)]
        if not isinstance(value, str):
            return value
        setting = _setting_of_network(where)
        if setting in PATHS_OF_NETWORK and value.strip():
            return self._absolute(value, where, may_be_name=setting == "encoder")
        if where == ("reviewed",) or any(node.get("format") == "path" for node in _variants(self.schema, where)):
            return self._absolute(value, where)
        return value

    def _absolute(self, written: str, where: Where, *, may_be_name: bool = False) -> str:
        folder = self.path.resolve().parent if self._option(where) is None else Path()
        said = f"{self.place(where)}: {_dotted(where)} = {written!r}"
        try:
            path = (folder / Path(written).expanduser()).resolve()
            if path.is_dir() or not may_be_name:
                self._note_outside(path, said, where)
                return str(path)
            is_here = Path(written).is_dir()
        except (OSError, RuntimeError, ValueError) as error:  # a name that is too long, an unknown user, a NUL
            raise BadInput(f"{said} is no path: {error}") from None
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
        in_file = f"{self.path}, line {_line(self.tree, self.old_names.get(where, where))}"
        if not parts:
            return in_file
        said = " and ".join(parts)
        return f"{said}, or {in_file}" if where[0] in _keys(self.tree) else said

    def _option(self, where: Where) -> str | None:
        """Return the option of the command line that sets the whole of a setting; the last one has the last word."""
        options = [option for key, option in self.given.items() if where[: len(key)] == key]
        return options[-1] if options else None


def _fault(fault: Mapping[str, Any], source: _Source) -> str:
    """Word one pydantic error: where, what came, what was expected."""
    where: Where = fault["loc"]
    dotted = _dotted(where) or "the whole file"
    place = source.place(where)
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        known = sorted({name for node in _variants(source.schema, where[:-1]) for name in node.get("properties", ())})
        hint = did_you_mean(str(where[-1]), known)
        return f"{place}: unknown key {dotted!r}.{hint} Known here: {', '.join(known)}."
    if fault["type"] in ("missing", "missing_argument"):
        return f"{place}: {dotted!r} is missing; it has no default."
    message = str(fault["ctx"]["error"]) if "error" in fault.get("ctx", {}) else fault["msg"]
    if fault["type"] in ("tuple_type", "list_type"):
        message = f"expected a list such as [{fault['input']}]"
    if isinstance(fault["input"], str | int | float | bool | None):
        return f"{place}: {dotted} = {fault['input']!r}: {message}."
    return f"{place}: {dotted}: {message.rstrip('.')}."


def _keys(tree: yaml.Node) -> set[str]:
    return {key.value for key, _ in tree.value} if isinstance(tree, yaml.MappingNode) else set()


def _line(tree: yaml.Node, where: Where) -> int:
    """Return the line on which a setting begins, or else the innermost section around it that the file has."""
    node, line = tree, tree.start_mark.line
    for step in where:
        if isinstance(node, yaml.MappingNode):
            pairs = {key.value: (key, value) for key, value in node.value}
            if step not in pairs:
                break
            key, node = pairs[step]
            line = key.start_mark.line
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line
        else:
            break
    return int(line) + 1
