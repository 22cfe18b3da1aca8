"""YAML read with its lines: every fault is kept with the line that it stands on, and reading goes on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from data_cleaning.errors import BadInput, did_you_mean, first_few, read_text

_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True)
class Entry:
    """What stands under one key."""

    node: yaml.Node
    line: int
    """Of the key."""


@dataclass
class Faults:
    """What is wrong with one file, found so far."""

    path: Path
    found: list[tuple[int, str]] = field(default_factory=list)
    """Line and wording."""

    def add(self, line: int, wording: str) -> None:
        """Note one fault."""
        self.found.append((line, wording))

    def raise_any(self) -> None:
        """Raise all faults, in the order of their lines, if there are any.

        Raises:
            BadInput: there are.
        """
        if self.found:
            raise BadInput(f"{self.path}: {first_few(f'line {line}: {said}' for line, said in sorted(self.found))}.")

    def unknown(self, line: int, kind: str, name: str, known: Sequence[str]) -> None:
        """Note a name that is none of the known ones, with the nearest of them."""
        self.add(line, f"unknown {kind} {name!r}.{did_you_mean(name, known)} Known: {', '.join(known[:20])}")


def compose(path: Path, what: str, remedy: str) -> yaml.Node:
    """Read a file into a tree of nodes that know their lines.

    Raises:
        BadInput: there is no such file, or it is no YAML, or it is empty.
    """
    text = read_text(path, what, remedy)
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise BadInput(f"{path} is not readable YAML: {error}") from None
    if tree is None:
        raise BadInput(f"{path} is empty; expected a {what}. {remedy}")
    return tree


def line_of(node: yaml.Node) -> int:
    """Return the line on which a node begins, from 1."""
    return int(node.start_mark.line) + 1


def mapping(node: yaml.Node, what: str, faults: Faults) -> dict[str, Entry]:
    """Return the entries of a mapping by key; keys that stand twice and keys that are no text are faults."""
    if not isinstance(node, yaml.MappingNode):
        faults.add(line_of(node), f"{what} is {_kind(node)}; expected a mapping of names to values")
        return {}
    entries: dict[str, Entry] = {}
    for key, value in node.value:
        line = line_of(key)
        if not isinstance(key, yaml.ScalarNode) or key.tag == _NULL:
            faults.add(line, f"a key of {what} is {_kind(key)}; expected a name")
        elif key.value in entries:
            faults.add(line, f"{key.value!r} stands twice in {what}; the first is on line {entries[key.value].line}")
        else:
            entries[key.value] = Entry(value, line)
    return entries


def known_keys(
    node: yaml.Node,
    what: str,
    faults: Faults,
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
    line: int | None = None,
) -> dict[str, Entry]:
    """Return the entries of a mapping whose keys are all known; unknown and missing ones are faults.

    What is missing is missing on `line`, by default the one on which the mapping begins.
    """
    entries = mapping(node, what, faults)
    known = (*required, *optional)
    for key in [key for key in entries if key not in known]:
        faults.unknown(entries.pop(key).line, f"key of {what}", key, known)
    if isinstance(node, yaml.MappingNode):
        for key in required:
            if key not in entries:
                faults.add(line or line_of(node), f"{what} lacks {key!r}")
    return entries


def sequence(node: yaml.Node, what: str, faults: Faults) -> list[yaml.Node]:
    """Return the items of a list."""
    if not isinstance(node, yaml.SequenceNode):
        faults.add(line_of(node), f"{what} is {_kind(node)}; expected a list")
        return []
    return list(node.value)


def text(node: yaml.Node, what: str, faults: Faults) -> str | None:
    """Return a text as it is written, so that No and 2026.10 stay what they are; None for a fault."""
    if not isinstance(node, yaml.ScalarNode) or node.tag == _NULL or not node.value.strip():
        faults.add(line_of(node), f"{what} is {_kind(node)}; expected a text")
        return None
    return str(node.value)


def texts(node: yaml.Node, what: str, faults: Faults) -> dict[str, int]:
    """Return the texts of a list, or the one text that stands for a list of one, with their lines."""
    items = [node] if isinstance(node, yaml.ScalarNode) and node.tag != _NULL else sequence(node, what, faults)
    if isinstance(node, yaml.SequenceNode) and not items:
        faults.add(line_of(node), f"{what} is an empty list; name at least one, or leave it out")
    found: dict[str, int] = {}
    for item in items:
        said = text(item, f"an item of {what}" if item is not node else what, faults)
        if said in found:
            faults.add(line_of(item), f"{said!r} stands twice in {what}")
        elif said is not None:
            found[said] = line_of(item)
    return found


def known_texts(node: yaml.Node, what: str, kind: str, known: Iterable[str], faults: Faults) -> frozenset[str]:
    """Return texts that must all be known, as `texts` reads them; unknown ones are faults."""
    names = list(known)
    found = texts(node, what, faults)
    for name, line in found.items():
        if name not in names:
            faults.unknown(line, kind, name, names)
    return frozenset(found) & frozenset(names)


def number(node: yaml.Node, what: str, faults: Faults) -> float | None:
    """Return a number; None for a fault."""
    if isinstance(node, yaml.ScalarNode) and node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"):
        try:
            return float(node.value)
        except ValueError:  # YAML's own spellings, such as 0x10 or 1:30
            pass
    faults.add(line_of(node), f"{what} is {_kind(node)}; expected a number")
    return None


def _kind(node: yaml.Node) -> str:
    """Say what a node holds, for a message."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "empty" if node.tag == _NULL or not node.value.strip() else repr(node.value)
