"""YAML files that a person writes: read within limits, with the line of everything in them.

A fault is a `BadInput` that names the file and the line. Faults are collected, so that one attempt names all of them.
Pydantic is imported on use, since a machine that only trains the network reads its taxonomy without it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from data_cleaning.errors import BadInput, did_you_mean, read_text

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

    Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES = 4 * 2**20
"""A larger file is refused; PyYAML reads about a megabyte in ten seconds."""

MAX_DEPTH = 50
"""Mappings and lists may be nested so deep, which is deeper than a person writes."""

MAX_VALUES = 500_000
"""A file may hold so many values, those that an alias repeats counted each time."""

_MAX_NAMED_FAULTS = 20

_STR, _NULL, _MERGE, _MAP, _SEQ = (f"tag:yaml.org,2002:{name}" for name in ("str", "null", "merge", "map", "seq"))

Where = Sequence[str | int]
"""A path within a file: keys of mappings, positions in lists."""


@dataclass(frozen=True)
class YamlFile:
    """A file whose top level is a mapping."""

    path: Path
    content: dict[str, Any]
    """Its content. Keys are always texts as they are written, so that `no` is not False."""
    tree: yaml.Node = field(repr=False, compare=False)

    def line(self, where: Where) -> int:
        """Return the line, from 1, on which the deepest part of `where` that the file has begins."""
        node, line = self.tree, self.tree.start_mark.line
        for step in where:
            if isinstance(node, yaml.MappingNode):
                pairs = {key.value: (key, value) for key, value in node.value}
                if step not in pairs:
                    break
                key, node = pairs[step]
                line = key.start_mark.line
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line
            else:
                break
        return int(line) + 1

    def place(self, where: Where) -> str:
        """Name the file and the line of `where`, for a message."""
        return f"{self.path}, line {self.line(where)}"

    def validated(self, model: "type[Model]", context: Any = None) -> "Model":
        """Check the content against a pydantic model.

        Raises:
            BadInput: naming every fault and its line.
        """
        from pydantic import ValidationError

        try:
            return model.model_validate(self.content, context=context)
        except ValidationError as error:
            faults = Faults(self)
            faults.add_errors(error, model)
            raise faults.as_error() from None


@dataclass
class Faults:
    """What is wrong with one file, found so far."""

    file: YamlFile
    found: list[tuple[int, str]] = field(default_factory=list)
    """Line and wording, without a full stop."""

    def add(self, where: Where, wording: str) -> None:
        """Note one fault."""
        self.found.append((self.file.line(where), wording))

    def add_errors(self, error: "ValidationError", model: "type[BaseModel]") -> None:
        """Note all that pydantic found."""
        for where, wording in worded_errors(error, model.model_json_schema()):
            self.add(where, wording)

    def as_error(self) -> BadInput:
        """Return one error that names all faults in the order of their lines."""
        named = [
            f"{self.file.path}, line {line}: {wording}."
            for line, wording in sorted(self.found, key=lambda fault: fault[0])
        ]
        left = len(named) - _MAX_NAMED_FAULTS
        return BadInput("\n".join([*named[:_MAX_NAMED_FAULTS], *([f"and {left:,} more faults."] if left > 0 else [])]))

    def raise_any(self) -> None:
        """Raise all faults, if there are any.

        Raises:
            BadInput: there are.
        """
        if self.found:
            raise self.as_error()


def read_yaml(path: Path, what: str, remedy: str, *, as_written: bool = False) -> YamlFile:
    """Read a file whose top level is a mapping.

    Args:
        path: of the file.
        what: what the file is, such as "config", for messages.
        remedy: a sentence that says what to do where there is no such file, or something else is in it.
        as_written: keep every value as the text that is written, so that No and 2026.10 stay what they are; an empty
            value is None either way.

    Raises:
        BadInput: the file is missing, is not YAML, is not a mapping, repeats a key, contains itself or exceeds a limit
            of this module.
    """
    text = read_text(path, what, remedy)
    if len(text.encode()) > MAX_BYTES:
        raise BadInput(f"{path} is larger than {MAX_BYTES / 2**20:g} MiB, too large for a {what}. {remedy}")
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise BadInput(f"{path} is not readable YAML: {error}") from None
    except RecursionError:
        raise BadInput(f"{path} nests its values too deep; at most {MAX_DEPTH} levels are read.") from None
    if not isinstance(tree, yaml.MappingNode):
        came = "nothing" if tree is None else kind_of(tree)
        raise BadInput(f"{path} holds {came}; expected a mapping, as a {what} is. {remedy}")
    reader = _Reader(Faults(YamlFile(path, {}, tree)), as_written)
    content = reader.value(tree)
    reader.faults.raise_any()
    return YamlFile(path, content, tree)


def worded_errors(error: "ValidationError", schema: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Word what pydantic found: what came and what was expected.

    Args:
        error: raised by a model.
        schema: of that model, as `model_json_schema` gives it.

    Yields:
        Where each fault is, and its wording without a full stop.
    """
    for fault in error.errors():
        where = fault["loc"]
        dotted = ".".join(map(str, where)) or "the whole file"
        if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            known = sorted({name for node in schemas_at(schema, where[:-1]) for name in node.get("properties", ())})
            yield where, f"unknown key {dotted!r}.{did_you_mean(str(where[-1]), known)} Known here: {', '.join(known)}"
            continue
        if fault["type"] in ("missing", "missing_argument"):
            yield where, f"{dotted!r} is missing; it has no default"
            continue
        message = str(fault["ctx"]["error"]) if "error" in fault.get("ctx", {}) else fault["msg"]
        if fault["type"] in ("tuple_type", "list_type"):
            message = f"expected a list such as [{fault['input']}]"
        given = fault["input"]
        came = f" = {given!r}" if isinstance(given, str | int | float | bool | None) else ""
        yield where, f"{dotted}{came}: {message.rstrip('.')}"


def schemas_at(schema: Mapping[str, Any], where: Where) -> list[Mapping[str, Any]]:
    """Return the parts of a JSON schema that describe what may be at a path of the content."""
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


def kind_of(node: yaml.Node) -> str:
    """Say what a node holds, for a message."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "nothing" if node.tag == _NULL or not node.value.strip() else repr(node.value)


class _Reader:
    """Turns nodes into values, and notes what no file may have."""

    def __init__(self, faults: Faults, as_written: bool) -> None:
        self.faults = faults
        self._as_written = as_written
        self._constructor = yaml.constructor.SafeConstructor()
        self._n_values = 0
        self._outer: list[yaml.Node] = []
        """The collections that the value being read is in."""

    def value(self, node: yaml.Node) -> Any:
        """Return the value of a node; a faulty one is None.

        Raises:
            BadInput: a limit is exceeded, or the node contains itself, so that reading cannot go on.
        """
        self._n_values += 1
        if self._n_values > MAX_VALUES:
            self._stop(node, f"more than {MAX_VALUES:,} values, those repeated by aliases included")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if len(self._outer) >= MAX_DEPTH:
            self._stop(node, f"values nested more than {MAX_DEPTH} levels deep")
        if any(node is outer for outer in self._outer):
            self._stop(node, "a value that contains itself")
        if node.tag not in (_MAP, _SEQ):
            self._add(node, f"tag {node.tag!r} is not supported; leave it out")
            return None
        self._outer.append(node)
        if isinstance(node, yaml.MappingNode):
            value: Any = self._mapping(node)
        else:
            value = [self.value(item) for item in node.value]
        self._outer.pop()
        return value

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key, node_of_value in node.value:
            value = self.value(node_of_value)
            if not isinstance(key, yaml.ScalarNode) or key.tag == _NULL:
                self._add(key, f"a key is {kind_of(key)}; expected a name")
                continue
            first = lines.setdefault(key.value, key.start_mark.line + 1)
            if key.value in own:
                self._add(key, f"key {key.value!r} is repeated; the first is on line {first}. Keep one")
            elif key.tag == _MERGE:
                merged = self._merged(key, value)
            else:
                own[key.value] = value
        return {**merged, **own}

    def _merged(self, key: yaml.Node, value: Any) -> dict[str, Any]:
        """Return the keys that `<<` merges into a mapping: of one other, or of several, the first of which wins."""
        others = value if isinstance(value, list) else [value]
        if not all(isinstance(other, dict) for other in others):
            self._add(key, "'<<' merges mappings; expected an alias of one, or a list of them")
            return {}
        return {name: inner for other in reversed(others) for name, inner in other.items()}

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        if self._as_written and node.tag != _NULL:
            return str(node.value)
        try:
            return self._constructor.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:  # an impossible date is a ValueError
            self._add(node, f"{node.value!r} is not readable YAML: {error}")
            return None

    def _add(self, node: yaml.Node, wording: str) -> None:
        self.faults.found.append((node.start_mark.line + 1, wording))

    def _stop(self, node: yaml.Node, what: str) -> None:
        self._add(node, f"the file has {what}, which is refused")
        self.faults.raise_any()
