"""Every system behind one interface; a new one is a file of its own and an entry in `SYSTEMS`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import pandas as pd

from data_cleaning.errors import unknown
from data_cleaning.progress import Progress, silent
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import FloatArray, LabelledTitles

if TYPE_CHECKING:
    from harness.experiment.config import RunConfig


class TitleClassifier(Protocol):
    """What every system can do, the keyword table included."""

    def fit(self, train: LabelledTitles, valid: LabelledTitles) -> Self:
        """Learn from `train`, choose on `valid`; neither holds a row of the test part."""

    def predict_proba(self, titles: Sequence[str]) -> dict[str, FloatArray]:
        """Return target to probabilities, each (n_titles, n_classes) with rows that sum to 1."""

    def fit_summary(self) -> dict[str, Any]:
        """Say what the fit learned from, as plain values."""

    def save(self, folder: Path) -> None:
        """Write everything `load` needs into `folder`."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the result predicts the same."""


@runtime_checkable
class Explainer(Protocol):
    """A system that can also say why."""

    def explain(self, titles: Sequence[str]) -> pd.DataFrame:
        """Return one row per title and target: the row of the table that won, or none."""


@dataclass(frozen=True)
class Request:
    """What a system may ask for when it is built."""

    config: "RunConfig"
    taxonomy: Taxonomy
    on_progress: Progress = silent
    scratch: Path | None = None
    """Folder in which a fit may keep what it goes on from after a kill; None where there is none."""
    start: Path | None = None
    """Folder of the same system fitted without the reviewed titles, for one that goes on from there; None for none."""
    mined_table: Path | None = None
    """Keyword table with what was mined for this split and these labels; None where nothing was."""


@dataclass(frozen=True)
class System:
    """How to come by one system."""

    find_class: Callable[[], type]
    """Imports on use: torch costs seconds that a keyword look-up should not pay."""
    arguments: Callable[[Request], Mapping[str, Any]] = lambda _: {}
    section: str | None = None
    """The section of the config that the arguments are read from."""
    goes_on: bool = False
    """Whether it learns reviewed titles last, and so may go on from its fit without them."""
    mined: bool = False
    """Whether it is a table that mining makes for each split and each block of labels."""

    rounds_by_batch: bool = False
    """Whether an answer may depend on the titles beside it, unless it is loaded with `batch_invariant`."""

    @property
    def is_table(self) -> bool:
        """Whether it is a `KeywordClassifier`, which can name the row that decided."""
        return self.section == "keyword"

    def build(self, request: Request) -> TitleClassifier:
        """Return the system, not yet fitted."""
        built: TitleClassifier = self.find_class()(**self.arguments(request))
        return built


def load_system(name: str, folder: Path, *, steady: bool = False) -> TitleClassifier:
    """Read a fitted system from the folder it was saved in.

    Args:
        name: of the system.
        folder: that it was saved in.
        steady: whether a title must be answered alike whatever other titles it is asked with.

    Raises:
        BadInput: there is no system of that name.
    """
    if name not in SYSTEMS:
        raise unknown("system", name, SYSTEMS)
    given = {"batch_invariant": True} if steady and SYSTEMS[name].rounds_by_batch else {}
    loaded: TitleClassifier = SYSTEMS[name].find_class().load(folder, **given)  # type: ignore[attr-defined]
    return loaded


def _majority() -> type:
    from baselines.majority import MajorityClassifier

    return MajorityClassifier


def _keyword() -> type:
    from baselines.keyword import KeywordClassifier

    return KeywordClassifier


def _tfidf() -> type:
    from baselines.tfidf import TfidfClassifier

    return TfidfClassifier


def _neural() -> type:
    from neural.classifier import NeuralClassifier

    return NeuralClassifier


def _table(request: Request) -> Mapping[str, Any]:
    from baselines.keyword_table import KeywordTable

    assert request.config.keyword is not None, "the config is checked to name a table for keyword systems"
    return {"table": KeywordTable.read(request.config.keyword.table, request.taxonomy)}


def _mined_table(request: Request) -> Mapping[str, Any]:
    from baselines.keyword_table import KeywordTable

    if request.mined_table is None:  # nothing was mined, which leaves the table as it is
        return _table(request)
    return {"table": KeywordTable.read(request.mined_table, request.taxonomy)}


def _learned(section: str) -> Callable[[Request], Mapping[str, Any]]:
    return lambda request: {
        "settings": getattr(request.config, section),
        "seed": request.config.seed,
        "on_progress": request.on_progress,
    }


MINED = "keyword+mined"
"""The keyword table with what was mined from a network, as one more system."""

SYSTEMS_SOURCE = Path(__file__)
"""This file: how a system is built is part of what a fit depends on."""

SYSTEMS: dict[str, System] = {
    "majority": System(_majority),
    "keyword": System(_keyword, _table, section="keyword"),
    "keyword-corrected": System(_keyword, lambda request: {**_table(request), "normalised": True}, section="keyword"),
    "tfidf": System(_tfidf, _learned("tfidf"), section="tfidf"),
    "neural": System(
        _neural,
        lambda request: {**_learned("neural")(request), "checkpoints": request.scratch, "warm_start": request.start},
        section="neural",
        goes_on=True,
        rounds_by_batch=True,
    ),
    MINED: System(_keyword, _mined_table, section="keyword", mined=True),
}
