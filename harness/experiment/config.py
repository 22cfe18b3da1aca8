"""Every setting of a run, as one frozen, checked object; `config_file` reads it from YAML."""

import datetime
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from baselines.tfidf_features import TfidfSettings
from data_cleaning.clean import CleanSettings
from data_cleaning.errors import BadInput
from data_cleaning.files import Layout
from data_cleaning.lead_columns import LeadColumns
from data_cleaning.simulate.history import HistorySettings
from data_cleaning.titles import Labels, LabelSet
from harness.experiment.own_systems import OwnSystem
from harness.experiment.recipes import network_folders
from harness.experiment.search_space import SearchRange, typed_values
from harness.experiment.systems import System, find_system
from neural.neural_settings import NeuralSettings

_HARNESS = Path(__file__).resolve().parents[1]

PROJECT_CONFIGS = _HARNESS / "configs" if (_HARNESS / "configs").is_dir() else _HARNESS.parent / "configs"
"""The project's own configs: inside the package in an installed copy, beside it in a checkout."""


MAX_SEED = 2**32 - 1
"""The largest seed that NumPy's older generator takes, and with it scikit-learn."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RevisionSection(_Section):
    """One keyword table and the day from which it labelled new records."""

    table: Path
    """Keyword table: CSV, gzipped CSV, Parquet or XLSX."""
    in_force_from: datetime.date
    """First day on which it labelled new records."""


class SimulateSection(_Section):
    """Leads that the project makes itself."""

    records: int = Field(default=60_000, ge=1)
    """Number of leads from the title grammar; a list of titles brings its own counts."""
    titles: Path | None = None
    """CSV, gzipped CSV, Parquet or XLSX with `title` and `count`: tag these real titles instead of writing titles."""
    revisions: tuple[RevisionSection, ...] = Field(min_length=1)
    """The tagging history, earliest first."""
    history: HistorySettings = HistorySettings()
    """How labels are changed by people and by sources of records, and how records are spread over time."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        dates = [revision.in_force_from for revision in self.revisions]
        if dates != sorted(set(dates)):
            raise ValueError("revisions must be listed from the earliest to the latest, each on a day of its own")
        return self


class LeadsSection(_Section):
    """Where labelled leads come from: a file, or the simulation."""

    path: Path | None = None
    """Your labelled leads: CSV, gzipped CSV, Parquet or XLSX."""
    simulate: SimulateSection | None = None
    """Settings of simulated leads, in place of `path`."""
    labels: Literal["recorded", "table"] = "recorded"
    """`recorded` reads labels from the columns of the file; `table` has the table of `keyword` label every title."""
    test_path: Path | None = None
    """The test split as a file with the same columns and formats; `path` then gives train and validation only."""
    columns: LeadColumns = LeadColumns()
    """What the columns of the file are called."""
    encoding: str = "utf-8"
    """Text encoding of a CSV file."""
    sheet: str | None = None
    """Sheet of `path`, where it is a workbook; 'all' joins those with equal headers, and by default one is chosen."""
    header_row: int | None = Field(default=None, ge=1)
    """Line or row of `path` that names the columns, from 1; by default it is found."""

    @property
    def layout(self) -> Layout:
        """Where the table is within `path`."""
        return Layout(self.sheet, self.header_row)

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.path is None) == (self.simulate is None):
            raise ValueError("give either 'path' (your own leads) or 'simulate' (leads made here), not both or neither")
        if self.test_path is not None and self.path is None:
            raise ValueError("'test_path' goes with 'path'; simulated leads are split by the harness")
        if self.labels == "table" and self.path is None:
            raise ValueError("'labels: table' goes with 'path'; simulated leads have labels")
        return self


class SplitSection(_Section):
    """How titles are divided into train, validation and test."""

    by: tuple[Literal["record", "title"], ...] = Field(default=("record", "title"), min_length=1)
    """Ways to split; every system is fitted on each of them."""
    valid_share: float = Field(default=0.1, gt=0, lt=1)
    """Share of the records or titles that are in validation."""
    test_share: float = Field(default=0.1, gt=0, lt=1)
    """Share of the records or titles that are in test."""
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)
    """Seed of the split; None takes that of the run."""

    @model_validator(mode="after")
    def _leaves_train(self) -> Self:
        if self.valid_share + self.test_share >= 1:
            raise ValueError("valid_share and test_share together must leave a share for training")
        return self


class KeywordSection(_Section):
    """The legacy keyword table."""

    table: Path
    """CSV, gzipped CSV, Parquet or XLSX with one row per keyword."""


class SimulatedReviewSection(_Section):
    """How many titles of simulated leads carry their truth, as if a person had labelled them."""

    train: int = Field(default=500, ge=1)
    """Number of reviewed titles in train."""
    valid: int = Field(default=200, ge=1)
    """Number of reviewed titles in validation."""


class ReviewedSection(_Section):
    """Titles that a person labelled, used beside the legacy labels."""

    path: Path | None = None
    """Labelled titles with the columns of the leads: CSV, gzipped CSV, Parquet or XLSX."""
    simulate: SimulatedReviewSection | None = None
    """Choose titles of simulated leads, whose true labels are known, so that they cover the words of the leads."""
    share: float = Field(default=0.5, gt=0, lt=1)
    """Share of the total training weight that reviewed rows carry together, where they are learned with the others."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.path is None) == (self.simulate is None):
            raise ValueError("give either 'path' (titles that a person labelled) or 'simulate', not both or neither")
        return self


class SklearnSection(_Section):
    """The system sklearn: a classifier of scikit-learn over pieces of titles, one fit for each target."""

    estimator: str = Field(pattern=r"^sklearn(\.\w+)+$")
    """Class of the estimator, such as `sklearn.naive_bayes.ComplementNB`; it must have `predict_proba`."""
    settings: dict[str, Any] = {}
    """Arguments of the estimator, such as `{alpha: 0.5}`."""


class LabelIssuesSection(_Section):
    """The search for labels that contradict their titles; it reports and changes no label."""

    system: str = "tfidf"
    """The system that gives each label its probability, after learning from the other folds of the same records."""
    folds: int = Field(default=3, ge=2)
    """Number of folds that records are divided into."""
    by: Literal["record", "title"] = "record"
    """Whether other records of the same title may be learned from; by title, near duplicates are held out as well."""


class MiningSection(_Section):
    """What is mined from the network for the keyword table; runs with the system keyword+mined do it."""

    attribution: Literal["gradient-x-input", "integrated-gradients", "grad-cam"] = "integrated-gradients"
    """How the network's answer is attributed to words; the default is the most faithful way (docs/EXPERIMENTS.md)."""
    explained_titles: int = Field(default=1_500, ge=1)
    """Number of titles of train that are explained; titles on which table and network differ come first."""
    min_titles: int = Field(default=3, ge=1)
    """Number of titles of train that a phrase must occur in to be a candidate."""
    candidates: int = Field(default=100, ge=1)
    """Number of candidates for each target."""
    suggestions: int = Field(default=200, ge=1)
    """Largest number of changes to propose."""
    rejected: Path | None = None
    """What was rejected before, as 'suggest apply' remembers it; None uses the file that it keeps beside the table."""
    folds: int = Field(default=0, ge=0)
    """Folds of the reviewed titles; each is held out once while mining is repeated without it. 0 skips this."""
    faithful_titles: int = Field(default=0, ge=0)
    """Titles of validation on which all ways to explain the network are compared; 0 skips this."""


class SearchSection(_Section):
    """The search for better settings of the network; no run reads it."""

    trials: int = Field(default=20, ge=1)
    """Total number of fits, including the one with the config's own settings."""
    minutes: float | None = Field(default=None, gt=0)
    """Start no further trial after this many minutes; None makes all trials."""
    space: dict[str, SearchRange] | None = Field(default=None, min_length=1)
    """Each setting of the network that is varied, and its values; None uses `DEFAULT_SPACE` of `search_space.py`."""


class LearningCurveSection(_Section):
    """How many titles systems are fitted on besides all of them, to see what more titles bring."""

    reviewed: tuple[PositiveInt, ...] = ()
    """Numbers of reviewed titles, drawn at random from train and validation; leads are learned from as well."""
    titles: tuple[PositiveInt, ...] = ()
    """Numbers of titles of leads in train, drawn at random, without any reviewed title."""


class RunConfig(_Section):
    """Everything a run reads; the resolved object is saved with its results."""

    name: str = Field(default="", pattern=r"^[\w][\w.-]*$")
    """Set from the file's name."""
    smoke: bool = False
    """Whether the run only shows that everything works; its verdict says so, and no verb prefers it."""
    seed: int = Field(default=17, ge=0, le=MAX_SEED)
    """Seed of every random draw of the run."""
    seeds: int = Field(default=1, ge=1, le=100)
    """Number of seeds with which systems that depend on one are fitted on the same split, to see how far that goes."""
    taxonomy: Path
    """YAML file with the targets and their classes."""
    leads: LeadsSection
    """Where the labelled leads come from."""
    clean: CleanSettings = CleanSettings()
    """Which optional steps cleaning takes."""
    split: SplitSection = SplitSection()
    """How titles are divided into train, validation and test."""
    learn_from: tuple[Labels, ...] = Field(default=("legacy",), min_length=1)
    """Labels to learn from; every system is fitted on each of them. What is learned about labels comes from train
    alone; validation and test keep the recorded labels, and titles of every language that cleaning leaves."""
    systems: tuple[str | OwnSystem, ...] = Field(min_length=1)
    """Names of systems, and systems of your own as `file.py:Class`, which are called by the name of their file."""
    keyword: KeywordSection | None = None
    """The table of the systems keyword, keyword-corrected, keyword+mined and hybrid."""
    tfidf: TfidfSettings = TfidfSettings()
    """Settings of the system tfidf."""
    sklearn: SklearnSection | None = None
    """The estimator of the system sklearn."""
    own_systems: dict[str, dict[str, Any]] = {}
    """The settings of each system of your own, by its name; its class is called with them."""
    neural: NeuralSettings = NeuralSettings()
    """Settings of the system neural, the network."""
    truth: Path | None = None
    """A labelled file that every system is scored on and none learns from; its titles are removed from train and
    validation."""
    reviewed: ReviewedSection | None = None
    """Titles that a person labelled, as an addition to the legacy labels; a path alone is enough."""
    golden: Path | None = None
    """Labelled titles with a column `kind` that says what is difficult about each. They judge every system, and are
    neither learned from nor removed from what is."""
    label_issues: LabelIssuesSection | None = None
    """The search for labels that contradict their titles; without this section there is none."""
    mining: MiningSection = MiningSection()
    """What is mined from the network for the keyword table."""
    learning_curve: LearningCurveSection = LearningCurveSection()
    """How scores grow with the titles that are learned from; every number costs another fit of every system."""
    search: SearchSection = SearchSection()
    """The search for better settings of the network, for the verb `search`."""

    @field_validator("search")
    @classmethod
    def _searches_what_the_network_may_have(cls, section: SearchSection, info: ValidationInfo) -> SearchSection:
        settings = info.data.get("neural")  # absent where it has a fault of its own
        if section.space is None or settings is None:
            return section
        faults: list[InitErrorDetails] = []
        for name, given in section.space.items():
            try:
                typed_values(name, given, settings)
            except BadInput as error:
                fault = PydanticCustomError("space", "{fault}", {"fault": str(error)})
                faults.append(InitErrorDetails(type=fault, loc=("space", name), input=given))
        if faults:
            raise ValidationError.from_exception_data("search", faults)
        return section

    @model_validator(mode="after")
    def _has_the_table_that_labels(self) -> Self:
        if self.leads.labels == "table" and self.keyword is None:
            raise ValueError("'leads.labels: table' needs the table: give 'keyword: {table: keywords.csv}'")
        return self

    @model_validator(mode="after")
    def _knows_what_reviewers_would_say(self) -> Self:
        simulated = self.leads.simulate
        if self.reviewed and self.reviewed.simulate and (simulated is None or simulated.titles is not None):
            raise ValueError(
                "'reviewed.simulate' needs leads whose truth is known, which 'leads.simulate' without 'titles' makes; "
                "give 'reviewed.path' for these"
            )
        return self

    @model_validator(mode="after")
    def _has_the_reviewed_titles_of_its_curve(self) -> Self:
        if self.learning_curve.reviewed and self.reviewed is None:
            raise ValueError("'learning_curve.reviewed' needs reviewed titles: give 'reviewed: titles.csv'")
        return self

    @model_validator(mode="before")
    @classmethod
    def _reviewed_may_be_a_path(cls, content: Any) -> Any:
        if isinstance(content, dict) and isinstance(content.get("reviewed"), str):
            return {**content, "reviewed": {"path": content["reviewed"]}}
        return content

    @property
    def label_sets(self) -> tuple[LabelSet, ...]:
        """What systems learn from: the labels of `learn_from` alone and, where there are any, reviewed titles too."""
        with_reviewed = (False, True) if self.reviewed else (False,)
        return tuple(LabelSet(labels, reviewed) for labels in self.learn_from for reviewed in with_reviewed)

    @property
    def all_systems(self) -> dict[str, System]:
        """The systems of this config by name, in its order."""
        found = map(find_system, self.systems)
        return {system.name: system for system in found}

    def settings_of(self, system: System) -> Any:
        """Return the settings that a system is built from; None where it has none."""
        if system.own is not None:
            return self.own_systems.get(system.name, {})
        return getattr(self, system.section) if system.section else None


def sections(config: RunConfig) -> dict[str, Any]:
    """Return a loaded config by section, with every path in it as a path: folders of the network are so there too."""
    return {**dict(config), "neural": {**vars(config.neural), **network_folders(vars(config.neural))}}
