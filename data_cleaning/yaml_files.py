"""YAML files that a person writes: read within limits, with the line of everything in them.

A fault is a `BadInput` that names the file and the line. Faults are collected, so that one attempt names all of them.
Pydantic is imported on use, since a machine that only trains the network reads its taxonomy without it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from data_cleaning.errors import BadInput, did_you_mean, first_few, read_text, shortened

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

    Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES = 4 * 2**20
"""A larger file is refused; PyYAML reads about a megabyte in ten seconds."""

MAX_DEPTH = 50
"""Mappings and lists may be nested so deep, which is deeper than a person writes."""

MAX_VALUES = 500_000
"""A file may hold so many values, those that an alias repeats counted each time."""

BOOLEANS: Mapping[str, bool] = yaml.constructor.SafeConstructor.bool_values
"""What YAML takes for true or false, in lower case."""

_MAX_NAMED_FAULTS = 20

_ABSENT = object()

_STR, _NULL, _MERGE, _MAP, _SEQ = (f"tag:yaml.org,2002:{name}" for name in ("str", "null", "merge", "map", "seq"))

Where = Sequence[str | int]
"""A path within a file: keys of mappings, positions in lists."""


@dataclass(frozen=True)
class YamlFile:
    """A file whose top level is a mapping."""

    path: Path
    content: dict[str, Any]
    """Its content. Keys are always texts as they are written, so that `no` is not False."""
    tree: yaml.Node | None = field(default=None, repr=False, compare=False)
    """Knows the lines; None for content that was not read from YAML."""

    def value(self, where: Where, default: Any = None) -> Any:
        """Return the value at a path; `default` where the file has none."""
        value: Any = self.content
        for step in where:
            if not isinstance(value, dict | list):
                return default
            try:
                value = value[step]  # type: ignore[index]  # a wrong kind of step is caught
            except (LookupError, TypeError):
                return default
        return value

    def line(self, where: Where) -> int:
        """Return the line, from 1, on which the deepest part of `where` that the file has begins; 0 without lines."""
        if self.tree is None:
            return 0
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
        return self.place_of_line(self.line(where))

    def place_of_line(self, line: int) -> str:
        """Name the file and a line, for a message."""
        return f"{self.path}, line {line}" if line else str(self.path)

    def validated(self, model: "type[Model]") -> "Model":
        """Check the content against a pydantic model.

        Raises:
            BadInput: naming every fault and its line.
        """
        faults = Faults(self)
        found = faults.checked((), model, None)
        faults.raise_any()
        assert found is not None, "a value without faults is returned"
        return found


@dataclass
class Faults:
    """What is wrong with one file, found so far."""

    file: YamlFile
    found: list[tuple[int, str]] = field(default_factory=list)
    """Line and wording, without a full stop."""

    def add(self, where: Where, wording: str) -> None:
        """Note one fault."""
        self.found.append((self.file.line(where), wording))

    def checked(self, where: Where, kind: Any, default: Any) -> Any:
        """Return the value at a path as pydantic reads it; the default where there is none or it has faults, noted.

        The kind is a model, an annotated type or a `TypeAdapter` of one.
        """
        from pydantic import TypeAdapter, ValidationError

        value = self.file.value(where, _ABSENT)
        if value is _ABSENT:
            return default
        adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            for inner, wording in worded_errors(error, adapter.json_schema(), where):
                self.add(inner, wording)
            return default

    def unknown(self, where: Where, kind: str, name: str, known: Iterable[str]) -> None:
        """Note a name that is none of the known ones."""
        names = list(known)
        self.add(where, f"unknown {kind} {name!r}.{did_you_mean(name, names)} Known: {first_few(names, max_items=20)}")

    def unknown_keys(self, where: Where, known: Sequence[str]) -> None:
        """Note every key of the mapping at a path that is none of the known ones."""
        for key in self.file.value(where):
            if key not in known:
                self.add((*where, key), unknown_key((*where, key), known))

    def raise_any(self) -> None:
        """Raise one `BadInput` that names all faults in the order of their lines, if there are any."""
        in_order = sorted(self.found, key=itemgetter(0))
        named = [f"{self.file.place_of_line(line)}: {wording}." for line, wording in in_order]
        if len(named) > _MAX_NAMED_FAULTS:
            named[_MAX_NAMED_FAULTS:] = [f"and {len(named) - _MAX_NAMED_FAULTS:,} more faults."]
        if named:
            raise BadInput("\n".join(named))


def read_yaml(path: Path, what: str, remedy: str, *, as_written: bool = False) -> YamlFile:
    """Read a file whose top level is a mapping.

    Messages say `what` it is, such as "config", and the `remedy` where it is missing or holds something else. With
    `as_written` every value is the text that is written, so that No and 2026.10 stay what they are; an empty value is
    None either way.

    Raises:
        BadInput: the file is missing, is not YAML, is not a mapping, repeats a key, contains itself or exceeds a limit
            of this module.
    """
    text = read_text(path, what, remedy, MAX_BYTES)
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise BadInput(f"{path} is not readable YAML: {error}") from None
    except RecursionError:
        raise BadInput(f"{path} nests its values too deep; at most {MAX_DEPTH} levels are read.") from None
    if not isinstance(tree, yaml.MappingNode):
        came = "nothing" if tree is None else _kind_of(tree)
        raise BadInput(f"{path} holds {came}; expected a mapping, as a {what} is. {remedy}")
    reader = _Reader(Faults(YamlFile(path, {}, tree)), as_written)
    content = reader.value(tree)
    reader.faults.raise_any()
    return YamlFile(path, content, tree)


def worded_errors(
    error: "ValidationError", schema: Mapping[str, Any], within: Where = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield where in the file each fault is that pydantic found, and its wording without a full stop.

    The JSON schema is that of the model or type adapter; `within` is the path of the value that was checked.
    """
    for fault in error.errors():
        where = (*within, *fault["loc"])
        dotted = ".".join(map(str, where)) or "the whole file"
        if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            parts = schemas_at(schema, fault["loc"][:-1])
            yield where, unknown_key(where, sorted({name for part in parts for name in part.get("properties", ())}))
            continue
        if fault["type"] in ("missing", "missing_argument"):
            yield where, f"{dotted!r} is missing; it has no default"
            continue
        given = fault["input"]
        is_plain = isinstance(given, str | int | float | bool | None)
        message = str(fault["ctx"]["error"]) if "error" in fault.get("ctx", {}) else fault["msg"]
        if fault["type"] in ("tuple_type", "list_type"):
            message = "expected a list" if given is None or not is_plain else f"expected a list such as [{given}]"
        if fault["type"] in ("dict_type", "model_type", "model_attributes_type"):
            message = "expected a mapping of names to values"
        if fault["type"] == "too_short":
            message = f"expected at least {fault['ctx']['min_length']} item, got {fault['ctx']['actual_length']}"
        yield where, f"{dotted}{f' = {given!r}' if is_plain else ''}: {message.rstrip('.')}"


def unknown_key(where: Where, known: Sequence[str]) -> str:
    """Word the fault of the key at the end of a path that is none of the known ones."""
    hint = did_you_mean(str(where[-1]), known)
    return f"unknown key {'.'.join(map(str, where))!r}.{hint} Known here: {', '.join(known)}"


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


def _kind_of(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "nothing" if node.tag == _NULL or not node.value.strip() else repr(node.value)


class _Reader:
    """Turns nodes into values, and notes what no file may contain."""

    def __init__(self, faults: Faults, as_written: bool) -> None:
        self.faults = faults
        self._as_written = as_written
        self._constructor = yaml.constructor.SafeConstructor()
        self._n_values = 0
        self._outer: list[yaml.Node] = []
        """The collections that the value being read is in."""

    def value(self, node: yaml.Node) -> Any:
        """Return the value of a node, None for a faulty one; stop where a limit is exceeded or it contains itself."""
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
                self._add(key, f"a key is {_kind_of(key)}; expected a name")
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
            self._add(node, f"{shortened(node.value, 40)!r} is not readable YAML: {shortened(str(error), 200)}")
            return None

    def _add(self, node: yaml.Node, wording: str) -> None:
        self.faults.found.append((node.start_mark.line + 1, wording))

    def _stop(self, node: yaml.Node, what: str) -> None:
        self._add(node, f"the file has {what}, which is refused")
        self.faults.raise_any()
