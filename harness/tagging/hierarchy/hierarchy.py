"""A hierarchy: the configured tree, the rules to its leaves, and what is said about its branches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, StrArray
from harness.tagging.hierarchy.placing import Placements, Placer
from harness.tagging.hierarchy.rules import Contradiction, Rule
from harness.tagging.hierarchy.tree import FollowUp, Node


@dataclass(frozen=True, kw_only=True)
class Hierarchy:
    """A classification that the labels of a taxonomy lead to; `configs/hierarchy.yaml` describes its file."""

    taxonomy: Taxonomy
    version: str
    levels: tuple[str, ...]
    """Names of the tree's levels, the first below the root; a leaf may stand on any of them."""
    band_name: str
    bands: tuple[str, ...]
    """Bands of seniority, the highest first; each leaf has one."""
    nodes: tuple[Node, ...]
    """The root first, then in the file's order, parents before their children."""
    rules: tuple[Rule, ...]
    """The first that matches decides; the default comes last."""
    sure: float
    """The least probability of a node that is given as an answer."""
    confidence_bands: Mapping[str, float]
    """Name to lower bound, the highest first; the last is 0."""
    groups: Mapping[str, frozenset[int]]
    """Name to the nodes in it and everything below them."""
    follow_up: FollowUp | None
    contradictions: tuple[Contradiction, ...]

    @classmethod
    def read(cls, path: Path, taxonomy: Taxonomy) -> "Hierarchy":
        """Read and check a file.

        Raises:
            BadInput: the file is missing or no YAML, or has faults: all of them are named, each with its line.
        """
        from harness.tagging.hierarchy.hierarchy_file import read_hierarchy  # on use: it builds what is defined here

        return read_hierarchy(path, taxonomy)

    def place(self, titles: Sequence[str] | StrArray, probabilities: Mapping[str, FloatArray]) -> Placements:
        """Find the place of each title.

        Args:
            titles: distinct titles as `normalise_titles` spells them, length n_titles.
            probabilities: target to rows that sum to 1, each (n_titles, n_classes).

        Raises:
            BadInput: a title is missing or is no text, or the probabilities are for other targets, classes or titles.
        """
        return self._placer.place(titles, probabilities)

    def node_probabilities(
        self, titles: Sequence[str] | StrArray, probabilities: Mapping[str, FloatArray]
    ) -> npt.NDArray[np.float64]:
        """Return the probability of every node, (n_titles, n_nodes); for a few titles, as it is not small.

        Each row's leaves sum to 1, and each inner node is the sum of its children. Arguments and faults as in `place`.
        """
        return self._placer.node_probabilities(titles, probabilities)

    @cached_property
    def _placer(self) -> Placer:
        return Placer(
            taxonomy=self.taxonomy,
            nodes=self.nodes,
            n_bands=len(self.bands),
            rules=self.rules,
            sure=self.sure,
            confidence_bands=self.confidence_bands,
            contradictions=self.contradictions,
        )
