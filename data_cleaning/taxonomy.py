"""Targets, their classes, and the raw labels that each class gathers, read from one YAML file.

Nothing else in the project names a target or a class.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data_cleaning.errors import BadInput, first_few, unknown
from data_cleaning.title_forms import TitleForm
from data_cleaning.yaml_files import BOOLEANS, Faults, YamlFile, read_yaml

_TARGET_KEYS = ("importance", "ordinal", "fallback", "no_title", "classes")

_RESERVED = frozenset({
    # Leads, labelled titles and splits
    *("title", "titles", "original_title", "record", "records", "count", "counts", "country", "date", "key", "part"),
    *("source", "sources", "weight", "weights", "reason", "language", "line", "row", "changed", "label", "labels"),
    # Consensus and profile
    *("class", "combinations", "rank", "share", "cumulative_share", "support", "status", "majority_status"),
    *("single_record_share", "Record", "persona", "planted", "revision"),
    # Scores
    *("all", "weighted", "low", "high", "legacy all", "split", "learned_from", "system", "reference", "weighting"),
    *("history", "target", "metric", "value", "loss", "baseline", "compared", "difference"),
    *("verdict", "from", "to", "s per million", "slice"),
    # Keyword tables, audits and suggestions
    *("keyword", "priority", "match", "rationale", "accept", "action", "id", "order", "old_priority", "old_match"),
    *("lift", "p_value", "sets", "fixed", "broken", "judge", "group", "reviewed_fixed", "reviewed_broken"),
    *("believed_fixed", "believed_broken", "variants_fixed", "variants_broken"),
    *("precision", "precision_low", "precision_high"),
    *("support_titles", "support_records", "importance", "fixed_titles", "fixed_records", "broken_titles"),
    *("broken_records", "review", "review_reason", "confidence"),
    # Reviewed titles
    *("reviewer", "side", "note", "done", "answer", "why"),
})  # fmt: skip
"""Names of columns that are beside those of targets in some table; a test looks at every table."""

_RESERVED_FORMS = ("raw_", "original_", "predicted_", "cause_", "example_", "counter_example_", "hierarchy_", "vs ")
"""How other such columns begin."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One thing to predict about a title."""

    name: str
    classes: tuple[str, ...]
    """Class names in file order; for an ordinal target from the highest to the lowest."""
    raw_to_class: Mapping[str, str] = field(repr=False)
    """Every raw label, the class names among them, to its class."""
    importance: float
    """Weight in the importance-weighted score; only the ratios between targets matter."""
    ordinal: bool
    """Whether the order of `classes` means something."""
    fallback: str
    """The class of a title that no rule covers."""
    no_title: str
    """The class of a text that is no job title."""

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @cached_property
    def class_index(self) -> dict[str, int]:
        """Class name to its position in `classes`."""
        return {name: index for index, name in enumerate(self.classes)}

    @property
    def raw_of_class(self) -> dict[str, tuple[str, ...]]:
        """Class name to its raw labels, its own name among them."""
        return {name: tuple(raw for raw, of in self.raw_to_class.items() if of == name) for name in self.classes}

    def group(self, raw: str) -> str:
        """Return the class of one raw label.

        Raises:
            BadInput: the label is in no class of this target.
        """
        try:
            return self.raw_to_class[raw]
        except KeyError:
            raise unknown(f"{self.name} label", raw, self.raw_to_class) from None

    def encode(self, labels: Iterable[str]) -> npt.NDArray[np.int16]:
        """Turn raw labels or class names into class positions, shape (n_labels,).

        Raises:
            BadInput: at least one label is in no class of this target; all such labels are named.
        """
        values = list(labels)
        distinct = set(values)
        strange = sorted(str(label) for label in distinct if label not in self.raw_to_class)
        if len(strange) == 1:
            raise unknown(f"{self.name} label", strange[0], self.raw_to_class)
        if strange:
            raise BadInput(
                f"{len(strange)} {self.name} labels are in no class of the taxonomy: {first_few(strange)}. "
                "Add each to a class of the taxonomy file, or correct it in the data."
            )
        position = {label: self.class_index[self.raw_to_class[label]] for label in distinct}
        return np.fromiter((position[label] for label in values), dtype=np.int16, count=len(values))


@dataclass(frozen=True, kw_only=True)
class Taxonomy:
    """All targets, the most important first."""

    targets: tuple[Target, ...]
    version: str = "1"
    forms: tuple[TitleForm, ...] = ()
    """Words around a title that change what it says, such as "former"."""

    def __post_init__(self) -> None:
        if not self.targets:
            raise BadInput("A taxonomy needs at least one target; the file lists none under 'targets'.")

    @property
    def names(self) -> tuple[str, ...]:
        """Target names, the most important first."""
        return tuple(target.name for target in self.targets)

    @property
    def raw_labels(self) -> tuple[str, ...]:
        """Raw labels of every target, classes among them; their words are those of the business."""
        return tuple(label for target in self.targets for label in target.raw_to_class)

    def __getitem__(self, name: str) -> Target:
        """Return the target called `name`.

        Raises:
            BadInput: there is no such target.
        """
        for target in self.targets:
            if target.name == name:
                return target
        raise unknown("target", name, self.names)

    def n_classes(self, name: str) -> int:
        """Return the number of classes of one target."""
        return self[name].n_classes

    def to_dict(self) -> dict[str, Any]:
        """Return the content of the YAML file that `from_dict` reads back to an equal taxonomy."""
        targets = {}
        for target in self.targets:
            gathered: dict[str, list[str]] = {name: [] for name in target.classes}
            for raw, name in target.raw_to_class.items():
                if raw != name:
                    gathered[name].append(raw)
            plain = {name: getattr(target, name) for name in ("importance", "ordinal", "fallback", "no_title")}
            targets[target.name] = {**plain, "classes": gathered}
        forms = [
            {name: _plain(value) for name, value in dataclasses.asdict(form).items() if value} for form in self.forms
        ]
        return {"version": self.version, "targets": targets, **({"forms": forms} if forms else {})}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], where: str = "taxonomy") -> "Taxonomy":
        """Build a taxonomy from the content of its file, called `where` in messages, naming every fault at once.

        Raises:
            BadInput: keys, types, labels or fallbacks are not as `configs/taxonomy.yaml` describes them.
        """
        return _read(YamlFile(Path(where), dict(content)))

    @classmethod
    def read(cls, path: Path) -> "Taxonomy":
        """Read a taxonomy file.

        Raises:
            BadInput: the file is missing, is not YAML, or says something a taxonomy cannot.
        """
        return _read(read_yaml(path, "taxonomy file", "Set 'taxonomy' in the config to one.", as_written=True))


def _read(file: YamlFile) -> Taxonomy:
    faults = Faults(file)
    listed: Any = file.content.get("targets")
    if not isinstance(listed, Mapping) or not listed:
        faults.add(("targets",), "expected a mapping 'targets' with at least one target, as configs/taxonomy.yaml has")
        faults.raise_any()
    targets = [_read_target(name, body, faults) for name, body in listed.items()]
    faults.raise_any()
    known = tuple(target for target in targets if target is not None)
    taxonomy = Taxonomy(targets=known, version=str(file.content.get("version", "1")))
    if "forms" not in file.content:
        return taxonomy
    written: list[TitleForm] = faults.checked(("forms",), list[TitleForm], [])
    forms = tuple(_read_form(number, form, taxonomy, faults) for number, form in enumerate(written))
    faults.raise_any()
    return dataclasses.replace(taxonomy, forms=forms)


def _read_form(number: int, form: TitleForm, taxonomy: Taxonomy, faults: Faults) -> TitleForm:
    """Return a form with classes in place of raw labels, noting what is wrong with it."""
    where = ("forms", number)
    if not form.words or not all(any(map(str.isalnum, phrase)) for phrase in form.words):
        faults.add(where, "a form needs words in 'before', 'within' or 'after', such as before: [former]")
    labels: dict[str, str] = {}
    of: dict[str, tuple[str, ...]] = {}
    for key, target, raws in [
        *(("labels", target, (raw,)) for target, raw in form.labels.items()),
        *(("of", target, raws) for target, raws in form.of.items()),
    ]:
        if target not in taxonomy.names:
            faults.unknown((*where, key, target), "target", target, taxonomy.names)
            continue
        known = taxonomy[target].raw_to_class
        for raw in raws:
            if raw not in known:
                faults.unknown((*where, key, target), f"{target} label", raw, known)
        classes = tuple(known.get(raw, raw) for raw in raws)
        if key == "labels":
            labels[target] = classes[0]
        else:
            of[target] = classes
    return dataclasses.replace(form, labels=labels, of=of)


def _plain(value: Any) -> Any:
    """Return tuples as lists, which YAML and JSON have."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _read_target(name: str, body: Any, faults: Faults) -> Target | None:
    where = ("targets", name)
    if name in _RESERVED or name.startswith(_RESERVED_FORMS) or "=" in name:
        said = "a name that the tables use themselves; choose another, such as"
        faults.add(where, f"a target cannot be called {name!r}, {said} {'job_' + name.strip('=_')!r}")
        return None
    if not isinstance(body, Mapping) or not isinstance(body.get("classes"), Mapping) or not body["classes"]:
        faults.add(where, f"target {name!r} needs a mapping 'classes' with at least one class")
        return None
    faults.unknown_keys(where, _TARGET_KEYS)
    classes = tuple(map(str, body["classes"]))
    fallback = str(body.get("fallback", classes[-1]))
    no_title = str(body.get("no_title", fallback))
    for key, label in {"fallback": fallback, "no_title": no_title}.items():
        if label not in classes and (key == "fallback" or label != fallback):
            said = f"target {name!r} has {key} {label!r}, which is none of its classes ({', '.join(classes)})"
            faults.add((*where, key), said)
    importance, ordinal = body.get("importance", 1), body.get("ordinal", False)
    weight = _number(importance)
    if not 0 < weight < math.inf:
        faults.add((*where, "importance"), f"target {name!r} has importance {importance!r}; expected a number above 0")
    is_ordinal = BOOLEANS.get(str(ordinal).lower())
    if is_ordinal is None:
        faults.add((*where, "ordinal"), f"target {name!r} has ordinal {ordinal!r}; expected true or false")
    raw_to_class = _read_classes(name, body["classes"], faults)
    return Target(
        name=name, classes=classes, raw_to_class=raw_to_class, importance=weight, ordinal=bool(is_ordinal),
        fallback=fallback, no_title=no_title,
    )  # fmt: skip


def _number(value: Any) -> float:
    """Return a number, which a file holds as it is written; NaN where it is none."""
    try:
        return math.nan if value is None else float(str(value))
    except ValueError:
        return math.nan


def _read_classes(name: str, classes: Mapping[Any, Any], faults: Faults) -> dict[str, str]:
    raw_to_class = {str(label): str(label) for label in classes}
    for label, raws in classes.items():
        where = ("targets", name, "classes", label)
        if raws is not None and not isinstance(raws, list):
            faults.add(where, f"class {str(label)!r} lists its raw labels as {raws!r}; expected [a, b, …]")
            continue
        for number, raw in enumerate(raws or ()):
            owner = raw_to_class.setdefault(str(raw), str(label))
            if owner != str(label):
                said = f"target {name!r} puts raw label {str(raw)!r} in both {owner!r} and {str(label)!r}"
                faults.add((*where, number), said)
    return raw_to_class
