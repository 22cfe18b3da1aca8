"""The parts of a hierarchy's file that speak of labels: rules, the default and contradictions."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
import yaml

from baselines.matching import normal_form
from data_cleaning.taxonomy import Taxonomy
from harness.tagging.hierarchy.lined_yaml import Entry, Faults, known_keys, known_texts, line_of, sequence, text, texts
from harness.tagging.hierarchy.reading_tree import Tree
from harness.tagging.hierarchy.rules import Contradiction, Rule

LEAF, KEYWORDS, CONFIDENCE, WHY = "leaf", "keywords", "confidence", "why"


@dataclass(frozen=True)
class RulesReader:
    """What reading any rule needs to know."""

    taxonomy: Taxonomy
    confidences: tuple[str, ...]
    """Names of the confidence bands."""
    tree: Tree
    faults: Faults

    def rules(self, node: yaml.Node) -> tuple[Rule, ...]:
        """Read the rules in their order, faulty ones left out."""
        items = sequence(node, "'rules'", self.faults)
        rules = [self._rule(item, f"rule {number}") for number, item in enumerate(items, start=1)]
        return tuple(rule for rule in rules if rule is not None)

    def default(self, entry: Entry) -> Rule | None:
        """Read the leaf of whatever no rule takes."""
        leaf = self._leaf(entry.node, "'default'")
        return None if leaf is None else Rule(leaf=leaf, line=entry.line)

    def contradictions(self, node: yaml.Node) -> tuple[Contradiction, ...]:
        """Read the combinations of labels that contradict themselves."""
        found = []
        for number, item in enumerate(sequence(node, "'contradictions'", self.faults), start=1):
            what = f"contradiction {number}"
            entries = known_keys(item, what, self.faults, required=(WHY,), optional=self.taxonomy.names)
            labels = self._classes(entries, what)
            if len(labels) < 2 and isinstance(item, yaml.MappingNode):
                self.faults.add(
                    line_of(item), f"{what} needs labels of two targets or more; one alone contradicts nothing"
                )
            why = text(entries[WHY].node, f"{WHY!r} of {what}", self.faults) if WHY in entries else None
            found.append(Contradiction(labels, why or "", line_of(item)))
        return tuple(found)

    def _rule(self, item: yaml.Node, what: str) -> Rule | None:
        conditions = (KEYWORDS, *self.taxonomy.names, CONFIDENCE)
        entries = known_keys(item, what, self.faults, required=(LEAF,), optional=conditions)
        if entries.keys() == {LEAF}:
            self.faults.add(line_of(item), f"{what} has no condition; the leaf of all other titles is the 'default'")
        keywords = self._keywords(entries[KEYWORDS].node, what) if KEYWORDS in entries else ()
        classes = self._classes(entries, what)
        confidence: frozenset[str] = frozenset()
        if CONFIDENCE in entries:
            node, bands = entries[CONFIDENCE].node, f"{CONFIDENCE!r} of {what}"
            confidence = known_texts(node, bands, "confidence band", self.confidences, self.faults)
        leaf = self._leaf(entries[LEAF].node, f"{LEAF!r} of {what}") if LEAF in entries else None
        if leaf is None:
            return None
        return Rule(leaf=leaf, line=line_of(item), keywords=keywords, classes=classes, confidence=confidence)

    def _classes(self, entries: Mapping[str, Entry], what: str) -> dict[str, frozenset[str]]:
        """Return the classes of each target that some conditions name."""
        return {
            target.name: known_texts(
                entries[target.name].node, f"{target.name!r} of {what}", target.name, target.classes, self.faults
            )
            for target in self.taxonomy.targets
            if target.name in entries
        }

    def _keywords(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        """Return the normal forms of the keywords of one rule."""
        written = texts(node, f"{KEYWORDS!r} of {what}", self.faults)
        seen: dict[str, str] = {}
        for (word, line), spelled in zip(
            written.items(), normal_form(pl.Series(list(written), dtype=pl.String)), strict=True
        ):
            if not spelled.strip():
                self.faults.add(line, f"keyword {word!r} has no letter or digit, and would match nothing")
            elif spelled in seen:
                self.faults.add(line, f"keyword {word!r} is the same as {seen[spelled]!r} of this rule")
            else:
                seen[spelled] = word
        return tuple(seen)

    def _leaf(self, node: yaml.Node, what: str) -> int | None:
        """Return the position of the leaf that a node of the file names."""
        name = text(node, what, self.faults)
        if name is None or not self.tree.leaves:  # a tree that could not be read is a fault of its own
            return None
        position = self.tree.position.get(name)
        if position is None:
            self.faults.unknown(line_of(node), "leaf", name, self.tree.leaves)
        elif not self.tree.nodes[position].leaf:
            below = [leaf.name for leaf in self.tree.nodes if leaf.leaf and name in leaf.path]
            self.faults.add(line_of(node), f"{what} is {name!r}, which is no leaf; below it are {', '.join(below)}")
            return None
        return position
