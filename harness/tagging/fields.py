"""The fields that tagging adds to a file: their names, their types, and their values from the tagger's records."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from data_cleaning.errors import BadInput, first_few, unknown
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import BoolArray, IntArray
from harness.tagging import review
from harness.tagging.answers import Answers, Records
from harness.tagging.hierarchy import Hierarchy
from harness.tagging.hierarchy.nodes_and_rules import ROOT

CONFIDENCE, REVIEW, REASON = "confidence", "review", "review_reason"
_PLACE_CONFIDENCE, _RULE, _VERSION = "hierarchy_confidence", "hierarchy_rule", "hierarchy_version"
_DECIMALS = 4

DEFAULT, ALL = "default", "all"
"""Given in place of names of fields: those that a person wants to see, and every one."""


@dataclass(frozen=True)
class Fields:
    """The fields that tagging adds to the rows of a file."""

    taxonomy: Taxonomy
    hierarchy: Hierarchy | None
    keywords: Sequence[str] = ()
    """Of the rows of the keyword table; empty where the system has none."""

    def types(self) -> dict[str, pa.DataType]:
        """Return every field in the order in which it is added, and its type.

        Per target `<target>`, `<target>_confidence` and `<target>_keyword`, the keyword whose row decided; the lowest
        `confidence` of the labels, `review` and `review_reason`; and of the hierarchy its levels, its band,
        `new_<target>` where leaves have new labels, the probability of the place, the line of the rule that decided,
        and the version.

        Raises:
            BadInput: two fields have one name, as a level of the hierarchy may have that of a target.
        """
        named: list[tuple[str, pa.DataType]] = []
        for name in self.taxonomy.names:
            named += [(name, pa.string()), (f"{name}_confidence", pa.float64()), (f"{name}_keyword", pa.string())]
        named += [(CONFIDENCE, pa.float64()), (REVIEW, pa.bool_()), (REASON, pa.string())]
        if self.hierarchy is not None:
            texts = [*self.hierarchy.levels, self.hierarchy.band_name, *(f"new_{name}" for name in self._relabelled())]
            named += [(name, pa.string()) for name in texts]
            named += [(_PLACE_CONFIDENCE, pa.float64()), (_RULE, pa.string()), (_VERSION, pa.string())]
        types = dict(named)
        if len(types) < len(named):
            twice = sorted({name for name, _ in named if [other for other, _ in named].count(name) > 1})
            raise BadInput(
                f"Two added columns would share a name: {first_few(twice)}. Rename the level of the hierarchy or the "
                "target of the taxonomy."
            )
        return types

    def chosen(self, asked: str) -> list[str]:
        """Return the fields that are asked for: `DEFAULT`, `ALL`, or names with commas between them.

        By default there is what people decide by: the labels, the lowest confidence, whether and why to review, and the
        place. What only some systems have, what follows from the place, and what is the same in every row is left out.

        Raises:
            BadInput: there is no such field.
        """
        known = [*self.types()]
        if asked == ALL:
            return known
        if asked == DEFAULT:
            tree = self.hierarchy
            depth = 0 if tree is None else max(len(node.path) for node in tree.nodes)
            place = [] if tree is None else [*tree.levels[:depth], tree.band_name]
            return [*self.taxonomy.names, CONFIDENCE, REVIEW, REASON, *place]
        names = [*dict.fromkeys(name.strip() for name in asked.split(","))]
        for name in names:
            if name not in known:
                raise unknown("field", name, [DEFAULT, ALL, *known])
        return names

    def values(self, answers: Answers, wanted: Collection[str]) -> pl.DataFrame:
        """Return a column of values for each wanted field, n_rows rows; what nobody wants costs nothing."""
        records = answers.records
        reasons, disagreements = np.zeros(0, dtype=np.int64), tuple[str, ...]()
        if REVIEW in wanted or REASON in wanted:
            disagreement = np.full(len(records), -1)
            if self.hierarchy is not None:
                place = (records["labels"], records["node"], records["band"])
                disagreement, disagreements = self.hierarchy.disagreements(*place)
            reasons = review.combined(records["reasons"], records["contradiction"], disagreement)
        why = () if self.hierarchy is None else tuple(one.why for one in self.hierarchy.contradictions)
        untitled = records["labels"][:, 0] < 0
        columns: dict[str, Callable[[], pl.Series]] = {
            CONFIDENCE: lambda: _rounded(reduce(np.minimum, records["confidences"].T), untitled),
            REVIEW: lambda: pl.Series(reasons != 0),
            REASON: lambda: review.worded(reasons, self.taxonomy, why, disagreements),
        }
        for position, target in enumerate(self.taxonomy.targets):
            codes, sure = records["labels"][:, position], records["confidences"][:, position]
            keywords = records["keywords"][:, position]
            columns[target.name] = partial(_named, target.classes, codes)
            columns[f"{target.name}_confidence"] = partial(_rounded, sure, codes < 0)
            columns[f"{target.name}_keyword"] = partial(_named, self.keywords, keywords)
        if self.hierarchy is not None:
            columns |= self._place(self.hierarchy, records)
        of_answers = pl.DataFrame([value().alias(name) for name, value in columns.items() if name in wanted])
        return of_answers[answers.of_row]

    def _relabelled(self) -> list[str]:
        """Return the targets for which some leaf has a new label."""
        assert self.hierarchy is not None, "asked for with a hierarchy alone"
        leaves = [node for node in self.hierarchy.nodes if node.leaf]
        return [name for name in self.taxonomy.names if any(name in leaf.new_labels for leaf in leaves)]

    def _place(self, hierarchy: Hierarchy, records: Records) -> dict[str, Callable[[], pl.Series]]:
        nodes = records["node"]
        columns: dict[str, Callable[[], pl.Series]] = {}
        for depth, level in enumerate(hierarchy.levels):
            names = [node.path[depth] if depth < len(node.path) else None for node in hierarchy.nodes]
            columns[level] = partial(_named, names, nodes)
        columns[hierarchy.band_name] = partial(_named, hierarchy.bands, records["band"])
        for target in self._relabelled():
            labels = [node.new_labels.get(target) for node in hierarchy.nodes]
            columns[f"new_{target}"] = partial(_named, labels, nodes)
        # The root holds every title, so that its 1 says nothing.
        columns[_PLACE_CONFIDENCE] = partial(_rounded, records["place_confidence"], nodes <= ROOT)
        columns[_RULE] = partial(_named, [f"line {rule.line}" for rule in hierarchy.rules], records["rule"])
        columns[_VERSION] = partial(_named, [hierarchy.version], np.where(nodes >= ROOT, 0, -1))
        return columns


def _rounded(confidences: npt.NDArray[np.float32], missing: BoolArray) -> pl.Series:
    """Round confidences in double precision, so that .9 does not become .8999999762; null where one is missing."""
    rounded = pl.Series(confidences.astype(np.float64).round(_DECIMALS))
    return rounded.set(pl.Series(missing), None)


def _named(names: Sequence[str | None], codes: IntArray) -> pl.Series:
    """Return the name of each code, (n_answers,), null for -1."""
    texts = pl.Series([None, *names], dtype=pl.String)  # -1 comes first
    return texts.gather(pl.Series((codes + 1).astype(np.uint32)))
