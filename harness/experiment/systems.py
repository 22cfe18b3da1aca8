"""Every system behind one interface; a new one is a file of its own and an entry in `SYSTEMS`.

Systems that are not part of the project are in `own_systems`.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from data_cleaning.errors import BadInput, unknown
from data_cleaning.progress import Progress, silent
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.checksums import check_whole, write_checksums
from harness.experiment.own_systems import OwnSystem, is_own
from harness.experiment.system_contract import SystemClass, TitleClassifier
from harness.scoring.reliability import FILE as RELIABILITY
from harness.scoring.reliability import Reliability


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a system may ask for when it is built."""

    settings: Any
    """Its own section of the config."""
    taxonomy: Taxonomy
    seed: int
    on_progress: Progress = silent
    scratch: Path | None = None
    """Folder in which a fit may keep what it resumes from after a kill; None where there is none."""
    warm_start: Path | None = None
    """Folder of the same system fitted without the reviewed titles, for one that starts from there; None for none."""
    asked: Path | None = None
    """Folder of the system that `System.asks` names, fitted on the same rows; None for none."""
    mined_table: Path | None = None
    """Keyword table with what was mined for this split and these labels; None where nothing was."""


_REMEDY = "Make the run again, or take another copy of the folder."


def check_saved(folder: Path) -> bool:
    """Refuse the folder of a saved system if it is damaged; return False if it has no sums to tell by.

    Raises:
        BadInput: it is damaged; the files are named.
    """
    return check_whole(folder, _REMEDY)


def _nothing(request: Request) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True)
class System:
    """How to obtain one system, and what sets it apart from the others."""

    name: str
    description: str
    """For a model card."""
    find_class: Callable[[], SystemClass]
    """Imports on use: torch takes seconds to import, which a keyword look-up should not pay."""
    arguments: Callable[[Request], Mapping[str, Any]] = _nothing
    """What the class is called with."""
    load_batch_invariant: Callable[[Path], TitleClassifier] | None = None
    """Loads it so that the answer for a title does not depend on the others in its batch; None where it never does."""
    section: str | None = None
    """The section of the config with its settings."""
    example: str | None = None
    """Of that section, where a config must have one; None where there are defaults."""
    explains: Literal["keywords"] | None = None
    """What it can give as reasons: the row of its table that decided."""
    warm_start: bool = False
    """Whether it learns reviewed titles last, and so may start from its fit without them."""
    asks: str | None = None
    """The system whose fit on the same rows it asks, where a run has that system and there are reviewed titles."""
    mined_from: str | None = None
    """The system from which its table is mined, for each split and label set; None for systems that are not mined."""
    run_with: tuple[str, ...] = ()
    """Systems that a run of this one alone has too."""
    depends_on_seed: bool = False
    """Whether two fits with other seeds may answer otherwise; one that asks or is mined from such a system may, too."""
    in_force: bool = False
    """Whether the business runs on it, so that the others should beat it."""
    is_floor: bool = False
    """Whether it ignores the title, and so only shows the score that others must exceed."""
    is_checked_early: bool = False
    """Whether it is built once before a run starts, since what the config names for it may not exist."""
    own: OwnSystem | None = None
    """Where its class is, for a system that is not part of the project."""

    def build(self, request: Request) -> TitleClassifier:
        """Return the system, not yet fitted."""
        return self.find_class()(**self.arguments(request))

    def load(self, folder: Path, *, batch_invariant: bool = False) -> TitleClassifier:
        """Read it from the folder that it was saved in.

        Raises:
            BadInput: the folder is damaged, or holds no such system.
        """
        is_whole = check_saved(folder)
        try:
            if batch_invariant and self.load_batch_invariant is not None:
                return self.load_batch_invariant(folder)
            return self.find_class().load(folder)
        except BadInput:
            raise
        except Exception as error:
            if is_whole:  # as it was written, so that the fault is in the code
                raise
            fault = f"{type(error).__name__}: {error}"
            raise BadInput(f"{folder} holds no whole system {self.name} ({fault}). {_REMEDY}") from error

    def save(self, fitted: TitleClassifier, folder: Path, reliability: Reliability | None = None) -> None:
        """Write a fitted system, its source if that is not part of the project, and the sums of these files.

        Args:
            fitted: the system.
            folder: to write to.
            reliability: of its answers, where titles are left that it did not learn from.
        """
        fitted.save(folder)
        if reliability is not None:
            (folder / RELIABILITY).write_text(json.dumps(reliability.to_dict()))
        if self.own is not None:
            self.own.save_source(folder)
        write_checksums(folder)

    def sources(self) -> list[str]:
        """Return the source of this entry, which counts for its fits; that of its class counts with its module."""
        functions = (self.find_class, self.arguments, self.load_batch_invariant)
        return [] if self.own else [inspect.getsource(function) for function in functions if function is not None]


def _majority() -> SystemClass:
    from baselines.majority import MajorityClassifier

    return MajorityClassifier


def _keyword() -> SystemClass:
    from baselines.keyword import KeywordClassifier

    return KeywordClassifier


def _tfidf() -> SystemClass:
    from baselines.tfidf import TfidfClassifier

    return TfidfClassifier


def _neural() -> SystemClass:
    from neural.classifier import NeuralClassifier

    return NeuralClassifier


def _hybrid() -> SystemClass:
    from harness.experiment.hybrid import HybridClassifier

    return HybridClassifier


def _sklearn() -> SystemClass:
    from baselines.sklearn_estimator import SklearnClassifier

    return SklearnClassifier


def _with_table(request: Request) -> Mapping[str, Any]:
    from baselines.keyword_table import KeywordTable

    # Where nothing was mined, a mined table is the unchanged table.
    return {"table": KeywordTable.read(request.mined_table or request.settings.table, request.taxonomy)}


def _with_corrected_table(request: Request) -> Mapping[str, Any]:
    return {**_with_table(request), "normalised": True}


def _with_network(request: Request) -> Mapping[str, Any]:
    table = _with_table(request)["table"]
    return {"table": table, "network": request.asked, "seed": request.seed, "on_progress": request.on_progress}


_ASK_BELOW = 0.85
"""On real titles, answers that were surer changed as often for the worse as for the better when the network was asked:
see 2026-11-29 in docs/EXPERIMENTS.md."""


def _with_network_in_doubt(request: Request) -> Mapping[str, Any]:
    return {**_with_network(request), "ask_below": _ASK_BELOW}


def _with_settings(request: Request) -> Mapping[str, Any]:
    return {"settings": request.settings, "seed": request.seed, "on_progress": request.on_progress}


def _with_estimator(request: Request) -> Mapping[str, Any]:
    from baselines.sklearn_estimator import build_estimator

    estimator, settings = request.settings.estimator, request.settings.settings
    build_estimator(estimator, settings, request.seed)  # refuses an unknown estimator before anything is fitted
    return {"estimator": estimator, "settings": settings, "seed": request.seed}


def _with_folders(request: Request) -> Mapping[str, Any]:
    return {
        "settings": request.settings,
        "seed": request.seed,
        "on_progress": request.on_progress,
        "checkpoints": request.scratch,
        "warm_start": request.warm_start,
    }


def _network_batch_invariant(folder: Path) -> Any:
    from neural.classifier import NeuralClassifier

    return NeuralClassifier.load(folder, batch_invariant=True)


def _hybrid_batch_invariant(folder: Path) -> TitleClassifier:
    from harness.experiment.hybrid import HybridClassifier

    return HybridClassifier.load(folder, load_network=_network_batch_invariant)


NETWORK, MINED, HYBRID, CASCADE = "neural", "keyword+mined", "hybrid", "cascade"
"""The system whose settings are searched and from which keywords are mined; the table with what was mined; the table
that reviewed titles correct; and the same, which asks the network less often."""

_SHIPPED = (
    System(
        name="majority",
        description="the most frequent label of each target, whatever the title",
        find_class=_majority,
        is_floor=True,
    ),
    System(
        name="keyword",
        description="the priority-keyword table as it was in force",
        find_class=_keyword,
        arguments=_with_table,
        section="keyword",
        example="{table: …}",
        explains="keywords",
        in_force=True,
    ),
    System(
        name="keyword-corrected",
        description="the same rows read as whole words",
        find_class=_keyword,
        arguments=_with_corrected_table,
        section="keyword",
        example="{table: …}",
        explains="keywords",
    ),
    System(
        name="tfidf",
        description="TF-IDF features with one logistic regression per target",
        find_class=_tfidf,
        arguments=_with_settings,
        section="tfidf",
    ),
    System(
        name="sklearn",
        description="TF-IDF features with one classifier of scikit-learn per target",
        find_class=_sklearn,
        arguments=_with_estimator,
        section="sklearn",
        example="{estimator: sklearn.naive_bayes.ComplementNB}",
        depends_on_seed=True,
        is_checked_early=True,
    ),
    System(
        name=NETWORK,
        description="a fine-tuned encoder with one head per target",
        find_class=_neural,
        arguments=_with_folders,
        load_batch_invariant=_network_batch_invariant,
        section="neural",
        depends_on_seed=True,
        warm_start=True,
    ),
    System(
        name=MINED,
        description="the keyword table with what was mined from the network",
        find_class=_keyword,
        arguments=_with_table,
        section="keyword",
        example="{table: …}",
        explains="keywords",
        mined_from=NETWORK,
        run_with=("keyword", NETWORK, HYBRID),
    ),
    System(
        name=HYBRID,
        description="the keyword table, corrected by what reviewed titles teach",
        find_class=_hybrid,
        arguments=_with_network,
        load_batch_invariant=_hybrid_batch_invariant,
        section="keyword",
        example="{table: …}",
        asks=NETWORK,
        run_with=("keyword", NETWORK),
    ),
)

_CASCADE = replace(
    _SHIPPED[-1],
    name=CASCADE,
    description="hybrid, which asks its network only where it is in doubt: as many right answers, much faster",
    arguments=_with_network_in_doubt,
)

SYSTEMS: dict[str, System] = {system.name: system for system in (*_SHIPPED, _CASCADE)}

PREFERRED = (HYBRID, NETWORK, MINED, "keyword", "tfidf")
"""Which system answers for a run without a verdict, in this order; other systems only if it has none of these."""


def find_system(listed: str | OwnSystem) -> System:
    """Return a system that a config lists.

    Raises:
        BadInput: there is no system of that name.
    """
    if isinstance(listed, OwnSystem):
        return System(
            name=listed.name,
            description=f"a system of your own, the class {listed.class_name}",
            find_class=listed.find_class,
            arguments=lambda request: listed.arguments(request.settings, request.seed, request.on_progress),
            depends_on_seed=True,
            is_checked_early=True,
            own=listed,
        )
    if listed not in SYSTEMS:
        raise unknown("system", listed, SYSTEMS)
    return SYSTEMS[listed]


def saved_system(name: str, folder: Path) -> System:
    """Return the system of a name that was saved in a folder; one that is not part of the project is found there.

    Raises:
        BadInput: there is no system of that name, here or in the project.
    """
    return find_system(name if name in SYSTEMS or not is_own(folder) else OwnSystem.saved_in(folder))


def is_table(name: str) -> bool:
    """Say whether a system is a keyword table, which can name the row that decided."""
    return name in SYSTEMS and SYSTEMS[name].explains == "keywords"


def load_system(name: str, folder: Path, *, batch_invariant: bool = False) -> TitleClassifier:
    """Read a fitted system from the folder it was saved in.

    Args:
        name: of the system.
        folder: that it was saved in.
        batch_invariant: whether a title must get the same answer whatever other titles it is asked with.

    Raises:
        BadInput: there is no system of that name, here or in the project.
    """
    return saved_system(name, folder).load(folder, batch_invariant=batch_invariant)
