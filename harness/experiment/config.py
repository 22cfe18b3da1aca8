"""One YAML file to one frozen, checked object; every fault is named at once, with its line.

Paths in a file are relative to that file's folder; paths given by `--set` are relative to the current folder. This goes
for the folders of `neural.encoder` and `neural.teacher` too; an encoder that is no folder stays the name that it is.
All paths are absolute once the config is loaded.

On the command line a config that somebody else wrote leads nowhere that its user has not named: see `load_config`.
"""

import datetime
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, get_args

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from baselines.tfidf_settings import TfidfSettings
from data_cleaning.clean import CleanSettings
from data_cleaning.errors import BadInput, did_you_mean, first_few, read_text, unknown
from data_cleaning.leads import LeadColumns
from data_cleaning.simulate.history import HistorySettings
from harness.experiment.search_space import SearchRange, space_faults
from neural.neural_settings import NeuralSettings

PROJECT_CONFIGS = Path(__file__).resolve().parents[2] / "configs"
"""Where the project's own configs lie, wherever a verb is called."""

REVIEWED = "+reviewed"
"""What the name of a block ends in, where reviewed titles are learned from too."""

Labels = Literal["legacy", "consensus", "consensus-english"]
"""Labels of leads to learn from: as they were recorded; the majority of each title of train; or that, without titles of
train that are in other languages. In the order in which a run's models are preferred."""

LABELS: tuple[Labels, ...] = get_args(Labels)

_FOLDERS_OF_NETWORK = ("encoder", "teacher")
"""Settings of the network that may name a folder."""

_SET = "--set"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RevisionSection(_Section):
    """One keyword table and the day from which it labelled new records."""

    table: Path
    in_force_from: datetime.date


class SimulateSection(_Section):
    """Leads that the project makes itself."""

    records: int = Field(default=60_000, ge=1)
    """Number of leads from the title grammar; a list of titles brings its own counts."""
    titles: Path | None = None
    """CSV with `title` and `count`: tag these real titles instead of writing titles."""
    revisions: tuple[RevisionSection, ...] = Field(min_length=1)
    """The tagging history, earliest first."""
    history: HistorySettings = HistorySettings()
    """How people and sources departed from the tables."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        dates = [revision.in_force_from for revision in self.revisions]
        if dates != sorted(set(dates)):
            raise ValueError("revisions must be listed from the earliest to the latest, each on a day of its own")
        return self


class LeadsSection(_Section):
    """Where labelled leads come from: a file, or the simulation."""

    path: Path | None = None
    """CSV, gzipped CSV or Parquet."""
    simulate: SimulateSection | None = None
    test_path: Path | None = None
    """A file of the same columns that is the test part; `path` then gives train and validation only."""
    columns: LeadColumns = LeadColumns()
    encoding: str = "utf-8"

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.path is None) == (self.simulate is None):
            raise ValueError("give either 'path' (your own leads) or 'simulate' (leads made here), not both or neither")
        if self.test_path is not None and self.path is None:
            raise ValueError("'test_path' goes with 'path'; simulated leads are split by the harness")
        return self


class SplitSection(_Section):
    """How titles are parted into train, validation and test."""

    by: tuple[Literal["record", "title"], ...] = Field(default=("record", "title"), min_length=1)
    """Each way is a split of its own, and every system is fitted on each."""
    valid_share: float = Field(default=0.1, gt=0, lt=1)
    test_share: float = Field(default=0.1, gt=0, lt=1)

    @model_validator(mode="after")
    def _leaves_train(self) -> Self:
        if self.valid_share + self.test_share >= 1:
            raise ValueError("valid_share and test_share together must leave a share for training")
        return self


class KeywordSection(_Section):
    """The legacy keyword table."""

    table: Path


class SimulatedReviewSection(_Section):
    """How many titles of simulated leads carry their truth, as if a person had labelled them."""

    train: int = Field(default=500, ge=1)
    valid: int = Field(default=200, ge=1)


class ReviewedSection(_Section):
    """Titles that a person labelled, used beside the legacy labels."""

    path: Path | None = None
    simulate: SimulatedReviewSection | None = None
    """Titles of the leads that cover their words; for leads made here, whose truth is known."""
    share: float = Field(default=0.5, gt=0, lt=1)
    """Share of the total training weight that reviewed rows carry together, where they are learned with the others."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.path is None) == (self.simulate is None):
            raise ValueError("give either 'path' (titles that a person labelled) or 'simulate', not both or neither")
        return self


class LabelIssuesSection(_Section):
    """The search for labels that speak against their titles; it reports and changes no label."""

    system: str = "tfidf"
    """Learns from other folds of the same records and so gives each label its probability."""
    folds: int = Field(default=3, ge=2)
    by: Literal["record", "title"] = "record"
    """Whether other records of the same title may be learned from; by title, near duplicates are held out as well."""


class MiningSection(_Section):
    """What is mined from the network for the keyword table; runs with the system keyword+mined do it."""

    attribution: Literal["gradient-x-input", "integrated-gradients", "grad-cam"] = "integrated-gradients"
    """How the network says which words it heard; the default is the most faithful one (see docs/EXPERIMENTS.md)."""
    explained_titles: int = Field(default=1_500, ge=1)
    """Titles of train that are explained, those that the table would answer otherwise first."""
    least_titles: int = Field(default=3, ge=1)
    """A phrase in fewer titles of train is no candidate."""
    candidates: int = Field(default=100, ge=1)
    """Candidates for each target."""
    suggestions: int = Field(default=200, ge=1)
    """Changes to propose at most."""
    rejected: Path | None = None
    """What was rejected before, as 'suggest apply' remembers it; None takes the file that it keeps beside the table."""
    folds: int = Field(default=0, ge=0)
    """Parts of the reviewed titles, each of which is held out once while all is mined anew; 0 leaves this out."""
    faithful_titles: int = Field(default=0, ge=0)
    """Titles of validation on which all ways to explain the network are compared; 0 leaves this out."""


class SearchSection(_Section):
    """The search for better settings of the network; no run reads it."""

    trials: int = Field(default=20, ge=1)
    """Fits in all, that of the config's own settings included."""
    minutes: float | None = Field(default=None, gt=0)
    """Begin no further trial after so long; None goes on to the last."""
    space: dict[str, SearchRange] | None = Field(default=None, min_length=1)
    """Setting of the network to its values; None takes `search_space.DEFAULT_SPACE`."""


class RunConfig(_Section):
    """Everything a run reads; the resolved object is saved with its results."""

    name: str = Field(default="", pattern=r"^[\w][\w.-]*$")
    """Set from the file's name."""
    seed: int = Field(default=17, ge=0)
    taxonomy: Path
    leads: LeadsSection
    clean: CleanSettings = CleanSettings()
    """Which optional steps cleaning takes."""
    split: SplitSection = SplitSection()
    most_wrong: tuple[str, ...] = ("neural",)
    """Systems whose answers on train and test are ranked by loss, where the run has them."""
    learn_from: tuple[Labels, ...] = Field(default=("legacy",), min_length=1)
    """Labels to learn from, each a block of fits. What is learned about labels and languages comes from train alone;
    validation and test keep the recorded labels, and titles of every language that cleaning leaves."""
    systems: tuple[str, ...] = Field(min_length=1)
    keyword: KeywordSection | None = None
    tfidf: TfidfSettings = TfidfSettings()
    neural: NeuralSettings = NeuralSettings()
    truth: Path | None = None
    """A labelled file that judges every system and trains none; its titles leave train and validation."""
    reviewed: ReviewedSection | None = None
    label_issues: LabelIssuesSection | None = None
    mining: MiningSection = MiningSection()
    search: SearchSection = SearchSection()

    @field_validator("search")
    @classmethod
    def _searches_what_the_network_may_have(cls, section: SearchSection, info: ValidationInfo) -> SearchSection:
        settings = info.data.get("neural")  # absent where it has a fault of its own
        if section.space and settings is not None:
            faults = space_faults(section.space, settings)
            if faults:
                raise ValidationError.from_exception_data(
                    "search",
                    [
                        InitErrorDetails(
                            type=PydanticCustomError("space", "{fault}", {"fault": fault}),
                            loc=("space", name),
                            input=section.space[name],
                        )
                        for name, fault in faults.items()
                    ],
                )
        return section

    @model_validator(mode="after")
    def _knows_what_reviewers_would_say(self) -> Self:
        simulated = self.leads.simulate
        if self.reviewed and self.reviewed.simulate and (simulated is None or simulated.titles is not None):
            raise ValueError(
                "'reviewed.simulate' needs leads whose truth is known, which 'leads.simulate' without 'titles' makes; "
                "give 'reviewed.path' for these"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _reviewed_may_be_a_path(cls, content: Any) -> Any:
        if isinstance(content, dict) and isinstance(content.get("reviewed"), str):
            return {**content, "reviewed": {"path": content["reviewed"]}}
        return content

    @property
    def blocks(self) -> tuple[str, ...]:
        """What systems learn from: the labels of `learn_from` alone and, where there are any, reviewed titles too."""
        beside = ("", REVIEWED) if self.reviewed else ("",)
        return tuple(f"{labels}{reviewed}" for labels in self.learn_from for reviewed in beside)


def network_folders(settings: Mapping[str, Any]) -> dict[str, Path]:
    """Return the folders that some settings of the network name, by setting; the config is a loaded one."""
    named = {setting: Path(settings.get(setting) or "") for setting in _FOLDERS_OF_NETWORK}
    return {setting: folder for setting, folder in named.items() if folder.is_absolute()}


def sections(config: RunConfig) -> dict[str, Any]:
    """Return a loaded config by section, with every path in it as a path: folders of the network are so there too."""
    return {**dict(config), "neural": {**vars(config.neural), **network_folders(vars(config.neural))}}


def load_config(
    path: Path,
    overrides: Sequence[str] = (),
    known_systems: Sequence[str] = (),
    options: Mapping[str, tuple[str, Any]] | None = None,
    allowed: Sequence[Path] | None = None,
) -> RunConfig:
    """Read a config file, and apply `key=value` overrides and options of the command line.

    Args:
        path: the YAML file.
        overrides: dotted keys and YAML values, such as `neural.epochs=1`.
        known_systems: names that `systems` may hold.
        options: an option, such as `--minutes`, to the setting that it stands for and the value, which has the last
            word; None leaves the setting as it is.
        allowed: folders to which paths in the file may lead, besides its own and the current one, links followed; paths
            of the command line are a person's own and lead anywhere. None, for callers whose configs are their own,
            lets those in the file lead anywhere too.

    Raises:
        BadInput: the file is missing or no YAML mapping, has unknown keys or wrong values, or has paths that lead
            elsewhere, all of them named; or an allowed folder is none.
    """
    text = read_text(
        path.absolute(), "config", f"The project's own are {PROJECT_CONFIGS}/default.yaml, smoke.yaml and real.yaml."
    )
    try:
        content = yaml.safe_load(text)
        tree = yaml.compose(text)
    except (yaml.YAMLError, ValueError) as error:  # an impossible date is a ValueError
        raise BadInput(f"{path} is not readable YAML: {error}") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path} holds {type(content).__name__}, expected a mapping of settings such as 'seed: 17'.")
    assert tree is not None, "a mapping has a tree"
    _refuse_repeated_keys(tree, path)
    source = _Source(path, tree, RunConfig.model_json_schema(), roots=_roots(path, allowed))
    for override in overrides:
        where, value = _parse_override(override)
        _put(content, where, value)
        source.given[where] = _SET
    for option, (key, value) in (options or {}).items():
        if value is not None:
            where = tuple(key.split("."))
            _put(content, where, value)
            source.given[where] = option
    content.setdefault("name", path.stem)
    content = source.with_absolute_paths(content)
    source.refuse_outside()
    try:
        config = RunConfig.model_validate(content)
    except ValidationError as error:
        raise BadInput("\n".join(_fault(fault, source) for fault in error.errors())) from None
    _check_systems(config, path, known_systems)
    return config


def _roots(path: Path, allowed: Sequence[Path] | None) -> tuple[Path, ...] | None:
    """Return the folders in which paths of a config must lie, links followed; None where they may lie anywhere.

    Raises:
        BadInput: an allowed folder is none.
    """
    if allowed is None:
        return None
    for folder in allowed:
        if not folder.is_dir():
            raise BadInput(f"--allow {folder} is no folder. Name the one that paths in {path} may lead to.")
    return (path.resolve().parent, Path.cwd(), *(folder.resolve() for folder in allowed))


def _refuse_repeated_keys(node: yaml.Node, path: Path) -> None:
    """Refuse a key that stands twice in one mapping, of which YAML would quietly keep the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise BadInput(f"{path}, line {key.start_mark.line + 1}: {key.value!r} stands here twice. Keep one.")
            seen.add(key.value)
            _refuse_repeated_keys(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_repeated_keys(value, path)


def _check_systems(config: RunConfig, path: Path, known_systems: Sequence[str]) -> None:
    lists = ((config.systems, "systems"), (config.split.by, "split.by"), (config.learn_from, "learn_from"))
    for listed, where in lists:
        twice = sorted({name for name in listed if listed.count(name) > 1})
        if twice:
            raise BadInput(f"{path}: {where} lists {first_few(map(repr, twice))} more than once. Keep one of each.")
    asked = (*config.systems, *([config.label_issues.system] if config.label_issues else []))
    for name in asked:
        if name not in known_systems:
            raise BadInput(f"{path}: {unknown('system', name, known_systems)}")
    from harness.experiment.systems import MINED  # on use, since systems are built from configs

    if MINED in config.systems and "neural" not in config.systems:
        raise BadInput(f"{path}: the system {MINED} is mined from the network. List neural too, or drop {MINED}.")
    if config.keyword is None and any(name.startswith("keyword") for name in asked):
        raise BadInput(f"{path}: the keyword systems need 'keyword: {{table: …}}'; name a table or drop the systems.")


def _parse_override(given: str) -> tuple[tuple[str, ...], Any]:
    """Return the key of one `key=value` as a path, and the value.

    Raises:
        BadInput: it is no such pair, or its value is no YAML.
    """
    key, equals, value = given.partition("=")
    if not equals or not key:
        raise BadInput(f"{_SET} got {given!r}; expected key=value, such as {_SET} neural.epochs=1.")
    try:
        return tuple(key.split(".")), yaml.safe_load(value)
    except (yaml.YAMLError, ValueError) as error:
        raise BadInput(f"{_SET} {given!r}: the value is not readable YAML: {error}") from None


def _put(content: dict[str, Any], where: tuple[str, ...], value: Any) -> None:
    """Put one setting into `content`."""
    node = content
    for step in where[:-1]:
        child = node.get(step)
        if not isinstance(child, dict):
            child = {"path": child} if step == "reviewed" and isinstance(child, str) else {}
            node[step] = child
        node = child
    node[where[-1]] = value


def _setting_of_network(where: tuple[str | int, ...]) -> str | int | None:
    """Return the setting of the network that a value at a path of the config is for, to have or to be searched."""
    match where:
        case ("neural", name) | ("search", "space", name, "choices", _):
            return name
    return None


def _variants(schema: Mapping[str, Any], where: Sequence[str | int]) -> list[Mapping[str, Any]]:
    """Return the sub-schemas that may stand at a path of the config."""
    found: list[Mapping[str, Any]] = []
    queue: list[tuple[Mapping[str, Any], int]] = [(schema, 0)]
    while queue:
        node, depth = queue.pop()
        if "$ref" in node:
            queue.append((schema["$defs"][node["$ref"].rsplit("/", 1)[1]], depth))
        queue += [(variant, depth) for variant in node.get("anyOf", ())]
        if depth == len(where):
            found.append(node)
            continue
        step = where[depth]
        if isinstance(step, int) and isinstance(node.get("items"), Mapping):
            queue.append((node["items"], depth + 1))
        elif step in node.get("properties", {}):
            queue.append((node["properties"][step], depth + 1))
        elif isinstance(node.get("additionalProperties"), Mapping):
            queue.append((node["additionalProperties"], depth + 1))
    return found


def _is_path(schema: Mapping[str, Any], where: Sequence[str | int]) -> bool:
    return any(node.get("format") == "path" for node in _variants(schema, where))


@dataclass(frozen=True)
class _Source:
    """Where the settings of one config were written: in its file, or on the command line."""

    path: Path
    tree: yaml.Node
    """What stands in the file."""
    schema: Mapping[str, Any]
    given: dict[tuple[str, ...], str] = field(default_factory=dict)
    """What the command line sets, in order, and by which option."""
    roots: tuple[Path, ...] | None = None
    """Folders that paths of the file must lie in; None lets them lie anywhere."""
    outside: dict[str, Path] = field(default_factory=dict)
    """Where the file has a path that lies in none of them, and the path."""

    def with_absolute_paths(self, value: Any, where: tuple[str | int, ...] = ()) -> Any:
        """Return what stands at a path of the config, with every path to a file or folder in it absolute.

        Raises:
            BadInput: there can be no such path, or an encoder is a folder that such a path does not lead to.
        """
        if isinstance(value, dict):
            return {key: self.with_absolute_paths(inner, (*where, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.with_absolute_paths(inner, (*where, number)) for number, inner in enumerate(value)]
        if not isinstance(value, str):
            return value
        setting = _setting_of_network(where)
        if setting in _FOLDERS_OF_NETWORK and value.strip():
            return self._absolute(value, where, may_be_name=setting == "encoder")
        if where == ("reviewed",) or _is_path(self.schema, where):
            return self._absolute(value, where)
        return value

    def _absolute(self, written: str, where: tuple[str | int, ...], *, may_be_name: bool = False) -> str:
        folder = self.path.resolve().parent if self._option(where) is None else Path()
        said = f"{self.place(where)}: {'.'.join(map(str, where))} = {written!r}"
        try:
            path = (folder / Path(written).expanduser()).resolve()
            if path.is_dir() or not may_be_name:
                self._note_outside(path, said, where)
                return str(path)
            is_here = Path(written).is_dir()
        except (OSError, RuntimeError, ValueError) as error:  # a name that is too long, an unknown user, a NUL
            raise BadInput(f"{said} is no path: {error}") from None
        if is_here:
            # The network would take it from here, and something else wherever else the config is used.
            raise BadInput(
                f"{said} is a folder here and none beside the config, where paths in it begin. Write the path from "
                "there, or an absolute one."
            )
        return written

    def _note_outside(self, path: Path, said: str, where: tuple[str | int, ...]) -> None:
        """Keep a path of the file that lies in none of the folders that it must lie in."""
        if self.roots is not None and self._option(where) is None and not any(map(path.is_relative_to, self.roots)):
            self.outside[said] = path

    def refuse_outside(self) -> None:
        """Refuse what `with_absolute_paths` found to lead elsewhere, all of it at once.

        Raises:
            BadInput: there is such a path.
        """
        if not self.outside:
            return
        assert self.roots is not None, "nothing lies outside of anywhere"
        common = os.path.commonpath([path.parent for path in self.outside.values()])
        lines = [f"{said} leads to {path}" for said, path in self.outside.items()]
        raise BadInput(
            "\n".join(lines)
            + f"\nPaths in a config may lead to its own folder ({self.roots[0]}) and to the current one "
            f"({self.roots[1]}) and no further. If you trust it, add --allow {common}, or give the path with {_SET}."
        )

    def place(self, where: Sequence[str | int]) -> str:
        """Say whether a fault stands in the file, on the command line, or may stand in either.

        A section that is checked as a whole is at fault as a whole, though the command line may have set a part of it.
        """
        option = self._option(where)
        if option is not None:
            return option
        parts = [
            f"{option} {'.'.join(key)}" if option == _SET else option
            for key, option in sorted(self.given.items())
            if where and key[: len(where)] == tuple(where)
        ]
        in_file = f"{self.path}, line {_line(self.tree, where)}"
        if not parts:
            return in_file
        said = " and ".join(parts)
        return f"{said}, or {in_file}" if where[0] in _keys(self.tree) else said

    def _option(self, where: Sequence[str | int]) -> str | None:
        """Return the option of the command line that sets the whole of a setting; the last one has the last word."""
        options = [option for key, option in self.given.items() if tuple(where[: len(key)]) == key]
        return options[-1] if options else None


def _fault(fault: Mapping[str, Any], source: _Source) -> str:
    """Word one pydantic error: where, what came, what was expected."""
    where: tuple[str | int, ...] = fault["loc"]
    dotted = ".".join(map(str, where)) or "the whole file"
    place = source.place(where)
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        known = sorted({name for node in _variants(source.schema, where[:-1]) for name in node.get("properties", ())})
        hint = did_you_mean(str(where[-1]), known)
        return f"{place}: unknown key {dotted!r}.{hint} Known here: {', '.join(known)}."
    if fault["type"] in ("missing", "missing_argument"):
        return f"{place}: {dotted!r} is missing; it has no default."
    message = str(fault["ctx"]["error"]) if "error" in fault.get("ctx", {}) else fault["msg"]
    if fault["type"] in ("tuple_type", "list_type"):
        message = f"expected a list such as [{fault['input']}]"
    if isinstance(fault["input"], str | int | float | bool | None):
        return f"{place}: {dotted} = {fault['input']!r}: {message}."
    return f"{place}: {dotted}: {message.rstrip('.')}."


def _keys(tree: yaml.Node) -> set[str]:
    return {key.value for key, _ in tree.value} if isinstance(tree, yaml.MappingNode) else set()


def _line(tree: yaml.Node, where: Sequence[str | int]) -> int:
    """Return the line on which the deepest part of a path that the file has begins."""
    node, line = tree, tree.start_mark.line
    for step in where:
        if isinstance(node, yaml.MappingNode):
            pairs = {key.value: (key, value) for key, value in node.value}
            if step not in pairs:
                break
            key, node = pairs[step]
            line = key.start_mark.line
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line
        else:
            break
    return int(line) + 1
