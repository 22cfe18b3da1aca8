"""A hierarchy's file, read into a checked `Hierarchy`; all faults are named at once, each with its line."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml

from data_cleaning.taxonomy import Taxonomy
from harness.tagging.hierarchy.hierarchy import Hierarchy
from harness.tagging.hierarchy.hierarchy_checks import check_contradictions, check_coverage
from harness.tagging.hierarchy.lined_yaml import (
    Entry,
    Faults,
    compose,
    known_keys,
    line_of,
    mapping,
    number,
    text,
    texts,
)
from harness.tagging.hierarchy.reading_branches import BranchesReader
from harness.tagging.hierarchy.reading_rules import CONFIDENCE, KEYWORDS, LEAF, WHY, RulesReader
from harness.tagging.hierarchy.reading_tree import BAND, Tree, TreeReader
from harness.tagging.hierarchy.rules import Rule

_REQUIRED = ("version", "levels", BAND, "sure", "tree")
_OPTIONAL = ("confidence_bands", "rules", "default", "contradictions", "groups", "follow_up")

_OWN_KEYS = (BAND, KEYWORDS, CONFIDENCE, LEAF, WHY)
"""Keys that stand in one mapping with the names of targets."""

_OWN_COLUMNS = ("records", "share", "contradiction")
"""Columns of the crosswalk that stand beside levels, targets and the band."""

_MOST = 127
"""Positions of bands and contradictions are kept as int8."""

_ANY_CONFIDENCE = "any"
"""The one confidence band of a file that names none."""

_Part = TypeVar("_Part")


def read_hierarchy(path: Path, taxonomy: Taxonomy) -> Hierarchy:
    """Read and check a file, as `Hierarchy.read` says."""
    faults = Faults(path)
    root = compose(path, "hierarchy", "The project's own is configs/hierarchy.yaml.")
    top = known_keys(root, "the file", faults, required=_REQUIRED, optional=_OPTIONAL)
    return _Reader(top, taxonomy, faults).read()


@dataclass(frozen=True)
class _Reader:
    """One file in reading."""

    top: Mapping[str, Entry]
    """Its keys."""
    taxonomy: Taxonomy
    faults: Faults

    def read(self) -> Hierarchy:
        """Read every part, and check the rules where all that they speak of could be read."""
        version = self._part("version", lambda node: text(node, "'version'", self.faults)) or ""
        levels = tuple(self._part("levels", lambda node: texts(node, "'levels'", self.faults)) or ())
        band_name, bands = self._part(BAND, self._band) or ("", ())
        self._check_names(levels, band_name)
        sure = self._part("sure", self._sure) or 0.0
        confidences = self._part("confidence_bands", self._confidence_bands) or {_ANY_CONFIDENCE: 0.0}
        tree = self._part("tree", TreeReader(levels, bands, self.taxonomy.names, self.faults).read) or Tree()
        reader = RulesReader(self.taxonomy, tuple(confidences), tree, self.faults)
        rules = self._rules(reader)
        contradictions = self._part("contradictions", reader.contradictions) or ()
        self._check_number("contradictions", len(contradictions))
        check_contradictions(contradictions, self.taxonomy, self.faults)
        branches = BranchesReader(tree, bands, self.faults)
        groups = self._part("groups", branches.groups) or {}
        follow_up = self._part("follow_up", branches.follow_up)
        self.faults.raise_any()
        return Hierarchy(
            taxonomy=self.taxonomy,
            version=version,
            levels=levels,
            band_name=band_name,
            bands=bands,
            nodes=tuple(tree.nodes),
            rules=rules,
            sure=sure,
            confidence_bands=confidences,
            groups=groups,
            follow_up=follow_up,
            contradictions=contradictions,
        )

    def _part(self, key: str, read: Callable[[yaml.Node], _Part]) -> _Part | None:
        """Read what stands under a key, if it is there; that a required key is missing was noted before."""
        return read(self.top[key].node) if key in self.top else None

    def _rules(self, reader: RulesReader) -> tuple[Rule, ...]:
        """Read the rules and the default, and check what they reach unless anything before is at fault."""
        rules = self._part("rules", reader.rules) or ()
        if "default" in self.top:
            default = reader.default(self.top["default"])
            rules += () if default is None else (default,)
        left = ""
        if not self.faults.found:
            left = check_coverage(rules, reader.tree, self.taxonomy, reader.confidences, self.faults)
        if "default" not in self.top:
            self.faults.add(1, f"'default' is missing; it names the leaf of all that no rule takes{left}")
        return rules

    def _band(self, node: yaml.Node) -> tuple[str, tuple[str, ...]]:
        entries = known_keys(node, f"{BAND!r}", self.faults, required=("name", "values"))
        name = text(entries["name"].node, f"'name' of {BAND!r}", self.faults) if "name" in entries else None
        values = texts(entries["values"].node, f"'values' of {BAND!r}", self.faults) if "values" in entries else ()
        self._check_number(BAND, len(values))
        return name or "", tuple(values)

    def _sure(self, node: yaml.Node) -> float | None:
        sure = number(node, "'sure'", self.faults)
        if sure is not None and not 0 < sure <= 1:
            self.faults.add(line_of(node), f"'sure' is {sure:g}; expected a probability above 0, at most 1")
        return sure

    def _confidence_bands(self, node: yaml.Node) -> dict[str, float]:
        """Read the names and lower bounds of confidence bands, which must fall to 0."""
        bounds: dict[str, float] = {}
        last = 1.0
        for name, entry in mapping(node, "'confidence_bands'", self.faults).items():
            bound = number(entry.node, f"confidence band {name!r}", self.faults)
            if bound is None:
                bound = last
            elif not 0 <= bound < last:
                self.faults.add(
                    entry.line, f"confidence band {name!r} begins at {bound:g}; expected 0 or more, below {last:g}"
                )
            bounds[name] = last = bound
        if bounds and last > 0:
            self.faults.add(line_of(node), f"the last confidence band begins at {last:g}; it must begin at 0")
        return bounds

    def _check_names(self, levels: Sequence[str], band_name: str) -> None:
        """Check that the names that become keys and columns side by side are all different."""
        targets = self.taxonomy.names
        for target in sorted(set(targets) & set(_OWN_KEYS)):
            self.faults.add(1, f"the taxonomy has a target {target!r}, a key that this file uses itself")
        taken = Counter([*levels, band_name, *targets, *(f"new_{target}" for target in targets), *_OWN_COLUMNS])
        for name in [*levels, band_name]:
            if name and taken[name] > 1:
                key = BAND if name == band_name else "levels"
                said = f"{name!r} in {key!r} is also another column; other names are {', '.join(sorted(taken))}"
                self.faults.add(self.top[key].line, said)

    def _check_number(self, key: str, there_are: int) -> None:
        if there_are > _MOST:
            self.faults.add(self.top[key].line, f"{key!r} has {there_are} items; at most {_MOST} are possible")
