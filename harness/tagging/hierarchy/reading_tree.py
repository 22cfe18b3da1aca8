"""The part of a hierarchy's file that draws the tree."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml

from harness.tagging.hierarchy.lined_yaml import Entry, Faults, known_keys, line_of, mapping, text
from harness.tagging.hierarchy.tree import ROOT, Node, share_labels

BAND = "band"
"""Key of a leaf's band."""


@dataclass
class Tree:
    """The nodes read so far, the root first and parents before their children, and their lines."""

    nodes: list[Node] = field(default_factory=lambda: [Node("", (), -1, False, -1, {})])
    position: dict[str, int] = field(default_factory=dict)
    """Node name to its position in `nodes`."""
    lines: list[int] = field(default_factory=lambda: [1])
    """Line of each node's name, as long as `nodes`."""

    def add(self, node: Node, line: int) -> int:
        """Append one node and return its position."""
        self.position[node.name] = len(self.nodes)
        self.nodes.append(node)
        self.lines.append(line)
        return self.position[node.name]

    @property
    def leaves(self) -> list[str]:
        """Names of the leaves."""
        return [node.name for node in self.nodes if node.leaf]


@dataclass(frozen=True)
class TreeReader:
    """What reading any node needs to know."""

    levels: Sequence[str]
    """Names of the levels; none where they could not be read, and then any depth will do."""
    bands: Sequence[str]
    targets: Sequence[str]
    faults: Faults

    def read(self, node: yaml.Node) -> Tree:
        """Read the whole tree; what is wrong in it is noted, and the node left out."""
        tree = Tree()
        self._branch(node, "the tree", tree, ROOT)
        if isinstance(node, yaml.MappingNode) and not node.value:
            self.faults.add(line_of(node), "the tree is empty; expected at least one leaf")
        for target in self.targets:
            self._all_or_none(target, tree)
        tree.nodes = list(share_labels(tree.nodes))
        return tree

    def _branch(self, body: yaml.Node, what: str, tree: Tree, parent: int) -> None:
        """Read the children of one node."""
        for name, entry in mapping(body, what, self.faults).items():
            path = (*tree.nodes[parent].path, name)
            too_deep = len(self.levels) > 0 and len(path) > len(self.levels)
            if too_deep:
                said = f"{name!r} stands on level {len(path)} of the tree; 'levels' names {len(self.levels)}"
                self.faults.add(entry.line, said)
            if name in tree.position:
                first = tree.lines[tree.position[name]]
                self.faults.add(entry.line, f"a node {name!r} is on line {first} already; node names must be unique")
            elif self._is_leaf(entry.node):
                tree.add(self._leaf(name, path, parent, entry), entry.line)
            else:
                position = tree.add(Node(name, path, parent, False, -1, {}), entry.line)
                if not too_deep:
                    self._branch(entry.node, f"{name!r}", tree, position)

    def _is_leaf(self, body: yaml.Node) -> bool:
        """Tell a leaf by what only leaves have, and by holding nothing, which is a fault in a leaf."""
        own = (BAND, *self.targets)
        return (
            not isinstance(body, yaml.MappingNode) or not body.value or any(key.value in own for key, _ in body.value)
        )

    def _leaf(self, name: str, path: tuple[str, ...], parent: int, entry: Entry) -> Node:
        what = f"leaf {name!r}"
        entries = known_keys(entry.node, what, self.faults, required=(BAND,), optional=self.targets, line=entry.line)
        said = {key: text(held.node, f"{key!r} of {what}", self.faults) for key, held in entries.items()}
        band = said.pop(BAND, None)
        if band is not None and band not in self.bands:
            self.faults.unknown(line_of(entries[BAND].node), "band", band, self.bands)
        known = self.bands.index(band) if band in self.bands else -1
        labels = {target: said[target] or "" for target in self.targets if target in said}
        return Node(name, path, parent, True, known, labels)

    def _all_or_none(self, target: str, tree: Tree) -> None:
        """Require that all leaves name a new label for one target, if any does."""
        leaves = [(node, line) for node, line in zip(tree.nodes, tree.lines, strict=True) if node.leaf]
        if any(target in node.new_labels for node, _ in leaves):
            for node, line in leaves:
                if target not in node.new_labels:
                    self.faults.add(line, f"leaf {node.name!r} has no new {target!r}, though other leaves have")
