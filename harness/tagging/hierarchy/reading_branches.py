"""The parts of a hierarchy's file that speak of whole branches of its tree: groups, and whom to follow up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from harness.tagging.hierarchy.lined_yaml import (
    Entry,
    Faults,
    known_keys,
    known_texts,
    line_of,
    mapping,
    number,
    sequence,
    text,
)
from harness.tagging.hierarchy.reading_tree import Tree
from harness.tagging.hierarchy.tree import FollowUp, Rank, at_or_below


@dataclass(frozen=True)
class BranchesReader:
    """What reading a list of nodes needs to know."""

    tree: Tree
    bands: Sequence[str]
    faults: Faults

    def groups(self, node: yaml.Node) -> dict[str, frozenset[int]]:
        """Read the named groups of nodes."""
        return {
            name: self._nodes(entry.node, f"group {name!r}")
            for name, entry in mapping(node, "'groups'", self.faults).items()
        }

    def follow_up(self, node: yaml.Node) -> FollowUp | None:
        """Read whom to follow up; None where something is wrong with it."""
        entries = known_keys(node, "'follow_up'", self.faults, required=("most", "ranks"))
        if len(entries) < 2:
            return None
        most = number(entries["most"].node, "'most' of 'follow_up'", self.faults)
        if most is not None and (most < 1 or most != int(most)):
            self.faults.add(entries["most"].line, f"'most' of 'follow_up' is {most:g}; expected 1, 2, 3, …")
        ranks: list[Rank] = []
        for item in sequence(entries["ranks"].node, "'ranks' of 'follow_up'", self.faults):
            rank = self._rank(item, f"rank {len(ranks) + 1}")
            if rank.name and rank.name in [other.name for other in ranks]:
                self.faults.add(line_of(item), f"a rank {rank.name!r} stands before already; rank names must be unique")
            ranks.append(rank)
        return FollowUp(int(most or 0), tuple(ranks))

    def _rank(self, item: yaml.Node, what: str) -> Rank:
        entries = known_keys(item, what, self.faults, required=("name", "nodes"), optional=("bands",))
        name = self._text(entries, "name", what)
        nodes = self._nodes(entries["nodes"].node, f"'nodes' of {what}") if "nodes" in entries else frozenset[int]()
        positions = frozenset(range(-1, len(self.bands)))
        if "bands" in entries:
            bands = known_texts(entries["bands"].node, f"'bands' of {what}", "band", self.bands, self.faults)
            positions = frozenset(self.bands.index(band) for band in bands)
        rank = Rank(name, nodes, positions)
        inside = [self.tree.nodes[position].band for position in nodes if self.tree.nodes[position].leaf]
        if nodes and rank.bands and rank.bands.isdisjoint(inside):
            self.faults.add(line_of(item), f"{what} is empty: no leaf in its nodes has one of its bands")
        return rank

    def _text(self, entries: Mapping[str, Entry], key: str, what: str) -> str:
        return (text(entries[key].node, f"{key!r} of {what}", self.faults) or "") if key in entries else ""

    def _nodes(self, node: yaml.Node, what: str) -> frozenset[int]:
        """Return the nodes that a list names, and all below them."""
        if not self.tree.position:  # a tree that could not be read is a fault of its own
            return frozenset()
        names = known_texts(node, what, "node", self.tree.position, self.faults)
        return at_or_below(self.tree.nodes, [self.tree.position[name] for name in names])
