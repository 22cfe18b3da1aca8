"""Reads a hierarchy's file into a checked `Hierarchy`; all faults are named at once, each with its line."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Required

import polars as pl
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict

from baselines.matching import normal_form
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.yaml_files import Faults, Where, read_yaml
from harness.tagging.hierarchy.agreement import Agreement, agreement_faults
from harness.tagging.hierarchy.hierarchy import Hierarchy
from harness.tagging.hierarchy.hierarchy_checks import contradiction_faults, coverage_faults
from harness.tagging.hierarchy.nodes_and_rules import (
    ROOT,
    Contradiction,
    FollowUp,
    Node,
    Rank,
    Rule,
    at_or_below,
    share_labels,
)

_OWN_KEYS = ("band", "node", "keywords", "confidence", "leaf", "why")
"""Keys that are in one mapping with the names of targets, so that no target may be called so."""

_OTHER_COLUMNS = ("records", "share", "contradiction")
"""Columns of the crosswalk that are beside levels, targets and the band."""

_MAX_ITEMS = 127
"""Positions of bands and contradictions are kept as int8."""

_ANY_CONFIDENCE = {"any": 0.0}
"""The one confidence band of a file that names none."""


def _text(value: Any) -> Any:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a text")
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(f"{repeated[0]!r} is listed twice")
    return names


_Text = Annotated[str, BeforeValidator(_text)]
_Texts = Annotated[tuple[_Text, ...], Field(min_length=1), BeforeValidator(_listed), AfterValidator(_distinct)]
"""A list of different texts; one text is a list of one."""

_Probability = Annotated[float, Field(allow_inf_nan=False, gt=0, le=1)]
_LowerBound = Annotated[float, Field(allow_inf_nan=False, ge=0, lt=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Band(_Section):
    name: _Text
    values: Annotated[_Texts, Field(max_length=_MAX_ITEMS)]


class _Rank(_Section):
    name: _Text
    nodes: _Texts
    bands: _Texts | None = None


class _FollowUp(_Section):
    most: int = Field(ge=1)
    ranks: tuple[_Rank, ...]


class _File(_Section):
    """The keys of a file; their values are checked one by one, so that a fault in one hides none in another."""

    version: Any
    levels: Any
    band: Any
    sure: Any
    tree: Any
    confidence_bands: Any = None
    rules: Any = None
    default: Any = None
    contradictions: Any = None
    agreement: Any = None
    groups: Any = None
    follow_up: Any = None


def read_hierarchy(path: Path, taxonomy: Taxonomy) -> Hierarchy:
    """Read and check a file.

    Raises:
        BadInput: the file is missing or no YAML, or has faults: all of them are named, each with its line.
    """
    file = read_yaml(path, "hierarchy", "The project's own is configs/hierarchy.yaml.", as_written=True)
    return _Reader(taxonomy, Faults(file)).read()


@dataclass
class _Tree:
    """The nodes read so far, the root first and parents before their children."""

    nodes: list[Node] = field(default_factory=lambda: [Node("", (), -1, False, -1, {})])
    position: dict[str, int] = field(default_factory=dict)
    """Node name to its position in `nodes`."""
    lines: list[int] = field(default_factory=lambda: [1])
    """Line of each node's name, as long as `nodes`."""

    def add(self, node: Node, line: int) -> int:
        self.position[node.name] = len(self.nodes)
        self.nodes.append(node)
        self.lines.append(line)
        return self.position[node.name]


class _Reader:
    def __init__(self, taxonomy: Taxonomy, faults: Faults) -> None:
        self._taxonomy = taxonomy
        self._faults = faults
        classes, labels = dict.fromkeys(taxonomy.names, _Texts), dict.fromkeys(taxonomy.names, _Text)
        self._leaf = _keys_of({"band": _Text}, labels)
        self._rule = _keys_of({"leaf": _Text}, {"keywords": _Texts, **classes, "confidence": _Texts})
        self._contradiction = _keys_of({"why": _Text}, classes)
        self._agreement = _keys_of({}, {"node": _Texts, "band": _Texts, **classes})
        self._levels: tuple[str, ...] = ()
        self._bands: tuple[str, ...] = ()
        self._confidence_bands = _ANY_CONFIDENCE
        self._tree = _Tree()

    def read(self) -> Hierarchy:
        """Read every part, and check what the rules reach where nothing else is at fault."""
        checked = self._faults.checked
        checked((), _File, None)
        version = checked(("version",), _Text, "")
        self._levels = checked(("levels",), _Texts, ())
        band = checked(("band",), _Band, None)
        self._bands = band.values if band else ()
        self._check_names(band.name if band else "")
        sure = checked(("sure",), _Probability, 0.0)
        self._read_confidence_bands()
        self._read_tree()
        rules, default = self._read_rules(), self._read_default()
        contradictions, agreements = self._read_contradictions(), self._read_agreements()
        groups = {
            name: self._nodes(("groups", name), names)
            for name, names in checked(("groups",), dict[str, _Texts], {}).items()
        }
        follow_up = self._read_follow_up()
        self._check_coverage((*rules, *default))
        if not self._faults.found:
            self._faults.found += agreement_faults(agreements, rules, self._tree.nodes, self._bands)
        self._faults.raise_any()
        assert band is not None, "a band that cannot be read is a fault"
        return Hierarchy(
            taxonomy=self._taxonomy,
            version=version,
            levels=self._levels,
            band_name=band.name,
            bands=self._bands,
            nodes=share_labels(self._tree.nodes),
            rules=(*rules, *default),
            sure=sure,
            confidence_bands=self._confidence_bands,
            groups=groups,
            follow_up=follow_up,
            contradictions=contradictions,
            agreements=agreements,
        )

    def _check_names(self, band_name: str) -> None:
        """Check that the names that become keys and columns side by side are all different."""
        targets = self._taxonomy.names
        for target in sorted(set(targets) & set(_OWN_KEYS)):
            self._faults.add((), f"the taxonomy has a target {target!r}, a key that this file uses itself")
        taken = Counter([*self._levels, band_name, *targets, *(f"new_{target}" for target in targets), *_OTHER_COLUMNS])
        for name in [*self._levels, band_name]:
            if name and taken[name] > 1:
                key = "band" if name == band_name else "levels"
                said = f"{name!r} in {key!r} is also another column; other names are {', '.join(sorted(taken))}"
                self._faults.add((key,), said)

    def _read_confidence_bands(self) -> None:
        """Read the names and lower bounds of confidence bands, which must fall to 0."""
        bounds = self._faults.checked(("confidence_bands",), dict[str, _LowerBound], {})
        last = 1.0
        for name, bound in bounds.items():
            if bound >= last:
                said = f"confidence band {name!r} begins at {bound:g}; expected 0 or more, below {last:g}"
                self._faults.add(("confidence_bands", name), said)
            last = bound
        if bounds and last > 0:
            self._faults.add(("confidence_bands",), f"the last confidence band begins at {last:g}; it must begin at 0")
        self._confidence_bands = bounds or _ANY_CONFIDENCE

    def _read_tree(self) -> None:
        if self._faults.checked(("tree",), dict[str, Any], None) == {}:
            self._faults.add(("tree",), "the tree is empty; expected at least one leaf")
        self._read_children(("tree",), ROOT)
        leaves = [(node, line) for node, line in zip(self._tree.nodes, self._tree.lines, strict=True) if node.leaf]
        for target in self._taxonomy.names:
            lacking = [(line, node.name) for node, line in leaves if target not in node.new_labels]
            if len(lacking) < len(leaves):
                said = f"has no new {target!r}, though other leaves have"
                self._faults.found += [(line, f"leaf {name!r} {said}") for line, name in lacking]

    def _read_children(self, where: Where, parent: int) -> None:
        body = self._faults.file.value(where)
        for name in body if isinstance(body, dict) else ():
            here, path = (*where, name), (*self._tree.nodes[parent].path, name)
            line = self._faults.file.line(here)
            too_deep = 0 < len(self._levels) < len(path)
            if too_deep:
                said = f"{name!r} is on level {len(path)} of the tree; 'levels' names {len(self._levels)}"
                self._faults.add(here, said)
            if name in self._tree.position:
                first = self._tree.lines[self._tree.position[name]]
                self._faults.add(here, f"a node {name!r} is on line {first} already; node names must be unique")
            elif self._is_leaf(body[name]):
                self._tree.add(self._read_leaf(here, path, parent), line)
            else:
                position = self._tree.add(Node(name, path, parent, False, -1, {}), line)
                if not too_deep:
                    self._read_children(here, position)

    def _is_leaf(self, body: Any) -> bool:
        """Tell a leaf by the keys that only leaves have, or by having none, which is a fault in a leaf."""
        return not isinstance(body, dict) or not body or not {"band", *self._taxonomy.names}.isdisjoint(body)

    def _read_leaf(self, where: Where, path: tuple[str, ...], parent: int) -> Node:
        labels = dict(self._faults.checked(where, self._leaf, {}))
        band = labels.pop("band", None)
        if band is not None and self._bands and band not in self._bands:
            self._faults.unknown((*where, "band"), "band", band, self._bands)
        position = self._bands.index(band) if band in self._bands else -1
        return Node(path[-1], path, parent, True, position, labels)

    def _read_rules(self) -> tuple[Rule, ...]:
        rules = []
        for where, rule in self._items("rules", self._rule):
            if rule.keys() == {"leaf"}:
                self._faults.add(where, "this rule has no condition; the leaf of all other titles is the 'default'")
            confidences = rule.get("confidence", ())
            confidence = self._known((*where, "confidence"), "confidence band", confidences, self._confidence_bands)
            read = Rule(
                leaf=self._leaf_position((*where, "leaf"), rule["leaf"]),
                line=self._faults.file.line(where),
                keywords=self._keywords((*where, "keywords"), rule.get("keywords", ())),
                classes=self._classes(where, rule),
                confidence=confidence,
            )
            rules.append(read)
        return tuple(rules)

    def _read_default(self) -> tuple[Rule, ...]:
        """Read the leaf of whatever no rule takes, as a rule without conditions; () where it is missing or faulty."""
        where = ("default",)
        name = self._faults.checked(where, _Text, None)
        if name is None:
            return ()
        return (Rule(leaf=self._leaf_position(where, name), line=self._faults.file.line(where)),)

    def _read_contradictions(self) -> tuple[Contradiction, ...]:
        found = []
        for where, item in self._items("contradictions", self._contradiction):
            labels = self._classes(where, item)
            if len(labels) < 2:
                self._faults.add(where, "a contradiction needs labels of two targets or more; one contradicts nothing")
            found.append(Contradiction(labels, item["why"], self._faults.file.line(where)))
        if len(found) > _MAX_ITEMS:
            self._faults.add(("contradictions",), f"{len(found)} contradictions; at most {_MAX_ITEMS} are possible")
        self._faults.found += contradiction_faults(found, self._taxonomy)
        return tuple(found)

    def _read_agreements(self) -> tuple[Agreement, ...]:
        found = []
        for where, item in self._items("agreement", self._agreement):
            labels = self._classes(where, item)
            if not labels or ("node" in item) == ("band" in item):
                self._faults.add(where, "expected either 'node' or 'band', and the labels that titles there have")
            nodes = self._known((*where, "node"), "node", item.get("node", ()), self._tree.position)
            bands = self._known((*where, "band"), "band", item.get("band", ()), self._bands)
            positions = tuple(sorted(self._tree.position[name] for name in nodes))
            line = self._faults.file.line(where)
            found.append(Agreement(positions, frozenset(self._bands.index(name) for name in bands), labels, line))
        return tuple(found)

    def _read_follow_up(self) -> FollowUp | None:
        """Read whom to follow up; None where something is wrong with it."""
        read = self._faults.checked(("follow_up",), _FollowUp, None)
        if read is None:
            return None
        ranks: list[Rank] = []
        for number, rank in enumerate(read.ranks):
            where = ("follow_up", "ranks", number)
            if rank.name in [other.name for other in ranks]:
                self._faults.add(where, f"a rank {rank.name!r} comes before already; rank names must be unique")
            nodes = self._nodes((*where, "nodes"), rank.nodes)
            positions = frozenset(range(-1, len(self._bands)))
            if rank.bands is not None:
                bands = self._known((*where, "bands"), "band", rank.bands, self._bands)
                positions = frozenset(self._bands.index(band) for band in bands)
            inside = [self._tree.nodes[position].band for position in nodes if self._tree.nodes[position].leaf]
            if nodes and positions and positions.isdisjoint(inside):
                self._faults.add(where, f"rank {rank.name!r} is empty: no leaf in its nodes has one of its bands")
            ranks.append(Rank(rank.name, nodes, positions))
        return FollowUp(read.most, tuple(ranks))

    def _check_coverage(self, rules: Sequence[Rule]) -> None:
        """Check what the rules reach unless anything else is at fault, and that there is a default."""
        unreached = ""
        if not self._faults.found:
            tree = self._tree
            found, unreached = coverage_faults(
                rules, tree.nodes, tree.lines, self._taxonomy, tuple(self._confidence_bands)
            )
            self._faults.found += found
        if "default" not in self._faults.file.content:
            said = f"'default' is missing; it names the leaf of all that no rule takes{unreached}"
            self._faults.found.append((1, said))

    def _items(self, key: str, kind: TypeAdapter) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
        """Yield the path and the content of each item of a list that has no faults of its own."""
        for number in range(len(self._faults.checked((key,), list[Any], []))):
            item = self._faults.checked((key, number), kind, None)
            if item is not None:
                yield (key, number), item

    def _known(self, where: Where, kind: str, names: Sequence[str], known: Collection[str]) -> frozenset[str]:
        """Return the names that are known; the others are faults, unless nothing is known since it has faults."""
        for number, name in enumerate(names if known else ()):
            if name not in known:
                self._faults.unknown((*where, number), kind, name, known)
        return frozenset(names).intersection(known)

    def _classes(self, where: Where, labels: Mapping[str, Any]) -> dict[str, frozenset[str]]:
        return {
            target.name: self._known((*where, target.name), target.name, labels[target.name], target.classes)
            for target in self._taxonomy.targets
            if target.name in labels
        }

    def _nodes(self, where: Where, names: Sequence[str]) -> frozenset[int]:
        """Return the nodes that a list names, and all below them."""
        known = self._known(where, "node", names, self._tree.position)
        return at_or_below(self._tree.nodes, [self._tree.position[name] for name in known])

    def _keywords(self, where: Where, written: Sequence[str]) -> tuple[str, ...]:
        """Return the normal forms of the keywords of one rule."""
        seen: dict[str, str] = {}
        spelled = normal_form(pl.Series(list(written), dtype=pl.String))
        for number, (word, normal) in enumerate(zip(written, spelled, strict=True)):
            if not normal.strip():
                self._faults.add((*where, number), f"keyword {word!r} has no letter or digit, and would match nothing")
            elif normal in seen:
                self._faults.add((*where, number), f"keyword {word!r} is the same as {seen[normal]!r} of this rule")
            seen.setdefault(normal, word)
        return tuple(seen)

    def _leaf_position(self, where: Where, name: str) -> int:
        """Return the position of the leaf that is named, that of the root for a fault."""
        leaves = [node.name for node in self._tree.nodes if node.leaf]
        position = self._tree.position.get(name, ROOT)
        if position == ROOT and leaves:  # a tree that could not be read is a fault of its own
            self._faults.unknown(where, "leaf", name, leaves)
        elif leaves and not self._tree.nodes[position].leaf:
            below = [leaf.name for leaf in self._tree.nodes if leaf.leaf and name in leaf.path]
            self._faults.add(where, f"{name!r} is not a leaf; below it are {', '.join(below)}")
        return position


def _keys_of(required: Mapping[str, Any], optional: Mapping[str, Any]) -> TypeAdapter:
    """Return what checks mappings that must have some keys, may have others, and have no more.

    They are typed dictionaries, since a target may be called what no field of a model can be.
    """
    make: Any = TypedDict
    keys = {**{key: Required[kind] for key, kind in required.items()}, **optional}
    return TypeAdapter(with_config(ConfigDict(extra="forbid"))(make("Keys", keys, total=False)))
