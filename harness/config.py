"""One YAML file to one frozen, checked object; every fault is named at once, with its line.

Paths in a file are relative to that file's folder; paths given by `--set` are relative to the current folder.
"""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from baselines.settings import TfidfSettings
from data_cleaning.clean import CleanSettings
from data_cleaning.errors import BadInput, did_you_mean, first_few, read_text, unknown
from data_cleaning.leads import LeadColumns
from data_cleaning.simulate.history import HistorySettings
from harness.search_space import SearchRange, space_faults
from neural.settings import NeuralSettings


def _beside_config(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder", Path())
    return (folder / path).resolve()


InputPath = Annotated[Path, AfterValidator(_beside_config)]
"""A path that a config names; absolute once the config is loaded."""


PROJECT_CONFIGS = Path(__file__).resolve().parent.parent / "configs"
"""Where the project's own configs lie, wherever a verb is called."""

REVIEWED = "+reviewed"
"""What the name of a block ends in, where reviewed titles are learned from too."""

Labels = Literal["legacy", "consensus", "consensus-english"]
"""Labels of leads to learn from: as they were recorded; the majority of each title of train; or that, without titles of
train that are in other languages. In the order in which a run's models are preferred."""

LABELS: tuple[Labels, ...] = get_args(Labels)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RevisionSection(_Section):
    """One keyword table and the day from which it labelled new records."""

    table: InputPath
    in_force_from: datetime.date


class SimulateSection(_Section):
    """Leads that the project makes itself."""

    records: int = Field(default=60_000, ge=1)
    """Number of leads from the title grammar; a list of titles brings its own counts."""
    titles: InputPath | None = None
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

    path: InputPath | None = None
    """CSV, gzipped CSV or Parquet."""
    simulate: SimulateSection | None = None
    test_path: InputPath | None = None
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

    table: InputPath


class ReviewedSection(_Section):
    """Titles that a person labelled, used beside the legacy labels."""

    path: InputPath
    share: float = Field(default=0.5, gt=0, lt=1)
    """Share of the total training weight that reviewed rows carry together."""


class LabelIssuesSection(_Section):
    """The search for labels that speak against their titles; it reports and changes no label."""

    system: str = "tfidf"
    """Learns from other folds of the same records and so gives each label its probability."""
    folds: int = Field(default=3, ge=2)
    by: Literal["record", "title"] = "record"
    """Whether other records of the same title may be learned from; by title, near duplicates are held out as well."""


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
    taxonomy: InputPath
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
    truth: InputPath | None = None
    """A labelled file that judges every system and trains none; its titles leave train and validation."""
    reviewed: ReviewedSection | None = None
    label_issues: LabelIssuesSection | None = None
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


def load_config(path: Path, overrides: Sequence[str] = (), known_systems: Sequence[str] = ()) -> RunConfig:
    """Read a config file and apply `key=value` overrides.

    Args:
        path: the YAML file.
        overrides: dotted keys and YAML values, such as `neural.epochs=1`.
        known_systems: names that `systems` may hold.

    Raises:
        BadInput: the file is missing or no YAML mapping, or has unknown keys or wrong values, all of them named.
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
    schema = RunConfig.model_json_schema()
    overridden = {_override(content, given, schema) for given in overrides}
    content.setdefault("name", path.stem)
    try:
        config = RunConfig.model_validate(content, context={"folder": path.resolve().parent})
    except ValidationError as error:
        faults = [_fault(fault, path, tree, schema, overridden) for fault in error.errors()]
        raise BadInput("\n".join(faults)) from None
    _check_systems(config, path, known_systems)
    return config


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
    if config.keyword is None and any(name.startswith("keyword") for name in asked):
        raise BadInput(f"{path}: the keyword systems need 'keyword: {{table: …}}'; name a table or drop the systems.")


def _override(content: dict[str, Any], given: str, schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Put one `key=value` into `content`; return the key as a path."""
    key, equals, value = given.partition("=")
    if not equals or not key:
        raise BadInput(f"--set got {given!r}; expected key=value, such as --set neural.epochs=1.")
    try:
        parsed = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError) as error:
        raise BadInput(f"--set {given!r}: the value is not readable YAML: {error}") from None
    where = tuple(key.split("."))
    node = content
    for step in where[:-1]:
        child = node.get(step)
        if not isinstance(child, dict):
            child = {"path": child} if step == "reviewed" and isinstance(child, str) else {}
            node[step] = child
        node = child
    if isinstance(parsed, str) and (where == ("reviewed",) or _is_path(schema, where)):
        parsed = str(Path(parsed).resolve())
    node[where[-1]] = parsed
    return where


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


def _fault(
    fault: Mapping[str, Any], path: Path, tree: yaml.Node, schema: Mapping[str, Any], overridden: set[tuple[str, ...]]
) -> str:
    """Word one pydantic error: where, what came, what was expected."""
    where: tuple[str | int, ...] = fault["loc"]
    dotted = ".".join(map(str, where)) or "the whole file"
    place = _place(where, path, tree, overridden)
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        known = sorted({name for node in _variants(schema, where[:-1]) for name in node.get("properties", ())})
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


def _place(where: Sequence[str | int], path: Path, tree: yaml.Node, overridden: set[tuple[str, ...]]) -> str:
    """Say whether a fault stands in the file, in an override, or may stand in either.

    A section that is checked as a whole is at fault as a whole, though an override may have set a part of it.
    """
    if any(tuple(where[: len(given)]) == given for given in overridden):
        return "--set"
    parts = sorted(".".join(given) for given in overridden if where and given[: len(where)] == tuple(where))
    in_file = f"{path}, line {_line(tree, where)}"
    if not parts:
        return in_file
    said = f"--set {' and '.join(parts)}"
    return f"{said}, or {in_file}" if where[0] in _keys(tree) else said


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
