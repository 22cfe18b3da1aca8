"""What leads and a keyword table say of their own targets: the taxonomy for a config that `init` writes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from data_cleaning.column_names import column_key, same_columns, shown, usual_names
from data_cleaning.errors import BadInput, counted, first_few
from data_cleaning.files import Layout
from data_cleaning.files.sources import FileColumns
from data_cleaning.files.table_reader import NO_TEXT, TableFile, as_text, read_table
from data_cleaning.lead_columns import find_title
from data_cleaning.taxonomy import Target, Taxonomy
from harness.keywords.table_taxonomy import label_of_the_rest, read_labels

_MAX_LABELS = 300
"""Distinct labels of a target; a column with more of them holds something else."""
_MIN_KNOWN = 0.8
"""Share of distinct labels that the project's taxonomy must know to be taken over for a target."""
_MIN_HELD = 0.5
"""Share of a column's labels that must be a target's own before it is taken for that target's column."""
_OTHER = "Other"
_OPTIONAL = ("record", "country", "date")
_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class PlannedTarget:
    """A target: its labels, where they are found, and how they become classes."""

    target: Target
    column: str | None
    """Of the leads; None where the leads have no labels of it."""
    why: Sequence[str]
    """What was decided, in sentences."""


@dataclass(frozen=True, kw_only=True)
class GivenLeads:
    """The leads as far as a config needs to know them."""

    path: Path
    table: TableFile
    title: str
    columns: Mapping[str, str]
    """Our name of each optional column to its own."""

    @classmethod
    def read(
        cls, path: Path, title_column: str | None, encoding: str | None, layout: Layout, announce: Callable[[str], None]
    ) -> "GivenLeads":
        """Read a file, whose options are as `write_new_config` has them, and find the columns that a run may use.

        Raises:
            BadInput: the file cannot be read or has no column of titles.
        """
        found = None

        def choose(file: FileColumns) -> list[str]:
            nonlocal found
            asked_for = title_column is not None
            found = find_title(file.named, title_column or "Title", path, asked_for=asked_for, values=file.values)
            return file.named

        table = read_table(path, encoding, choose=choose, layout=layout, keep_rejects=True)
        assert found is not None, "columns are chosen before rows are read"
        for line in (*table.notes, f"Titles are read from {shown(found.name)}. {found.why}".rstrip()):
            announce(line)
        columns: dict[str, str] = {}
        free = [name for name in table.frame.columns if name != found.name]
        for ours in _OPTIONAL:
            likely = (same_columns(free, "".join(usual)) for usual in usual_names(ours))
            alike = next((names for names in likely if len(names) == 1 and names[0] not in columns.values()), None)
            if alike and _fits(ours, table.frame[alike[0]]):
                columns[ours] = alike[0]
        counts = [name for usual in usual_names("count") for name in same_columns(free, "".join(usual))]
        whole = [name for name in dict.fromkeys(counts) if _are_counts(table.frame[name])]
        if len(whole) == 1:
            columns["count"] = whole[0]
        return cls(path=path, table=table, title=found.name, columns=columns)

    def labels(self, column: str) -> pl.DataFrame:
        """Return `label` and `count` of one column, the most frequent first; blank ones left out."""
        texts = as_text(self.table.frame.select(column), self.path)[column].str.strip_chars().drop_nulls()
        return _by_count(texts.filter(texts != ""))

    def candidates(self) -> dict[str, list[str]]:
        """Return the columns that may hold labels, and their labels, the most frequent first."""
        found = {}
        for name in self.table.frame.select(~NO_TEXT).columns:
            if name == self.title or name in self.columns.values():
                continue
            labels = self.labels(name)["label"].to_list()
            if 2 <= len(labels) <= _MAX_LABELS:
                found[name] = labels
        return found


def _fits(ours: str, values: pl.Series) -> bool:
    """Say whether a column tells records apart, as their names do, or is filled at least."""
    if values.dtype.is_nested():
        return False
    return values.n_unique() == len(values) if ours == "record" else values.null_count() < len(values)


def _are_counts(values: pl.Series) -> bool:
    numbers = values.cast(pl.String, strict=False).str.strip_chars().cast(pl.Int64, strict=False)
    return numbers.null_count() == 0 and bool((numbers > 0).all()) and bool((numbers > 1).any())


def labels_of_table(path: Path) -> dict[str, list[str]]:
    """Return each target of a keyword table and its labels, the most frequent first.

    Raises:
        BadInput: as `read_labels`, or a column has more labels than a target can have.
    """
    targets = {name: list(_by_count(cells)["label"]) for name, cells in read_labels(path).items()}
    for name, labels in targets.items():
        if len(labels) > _MAX_LABELS:
            raise BadInput(
                f"{path}: column {shown(name)} has {len(labels):,} distinct labels; expected up to {_MAX_LABELS}. Each "
                "column but keyword, priority and match is a target; remove those that are none."
            )
    return targets


def _by_count(texts: pl.Series) -> pl.DataFrame:
    """Return `label` and `count` of texts, the most frequent first."""
    return texts.alias("label").value_counts(name="count").sort("count", "label", descending=[True, False])


def plan_targets(
    read: GivenLeads, of_table: Mapping[str, list[str]] | None, shipped: Taxonomy
) -> tuple[list[PlannedTarget], bool]:
    """Decide on the targets, their classes and the columns of the leads that have their labels.

    Returns:
        The targets; and whether the labels are the leads' own and not those of the project's table.
    """
    held = read.candidates()
    if of_table is not None:
        columns = _columns_of(of_table, held)
        complete = len(columns) == len(of_table)
        return [
            _plan(name, labels, held[columns[name]] if complete else (), columns[name] if complete else None, shipped)
            for name, labels in of_table.items()
        ], False
    known = {target.name: list(target.raw_to_class) for target in shipped.targets}
    columns = _columns_of(known, held)
    if len(columns) == len(known):
        return [_shipped(target, held[columns[target.name]], columns[target.name]) for target in shipped.targets], False
    named = _named_like_labels(held)
    if len(named) > 1 and not columns:
        return [_plan(column, (), held[column], column, shipped) for column in named], True
    return [_shipped(target, (), None) for target in shipped.targets], False


def _columns_of(targets: Mapping[str, list[str]], held: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the column of the leads for each target that most of its labels are known to, the best first."""
    fits = []
    for name, labels in targets.items():
        known = {label.casefold() for label in labels}
        usual = {"".join(words) for words in usual_names(name.lower())} | {column_key(name)}
        for column, values in held.items():
            share = sum(value.casefold() in known for value in values) / len(values)
            if share >= _MIN_HELD:
                fits.append((column_key(column) in usual, share, name, column))
    found: dict[str, str] = {}
    for _, _, name, column in sorted(fits, key=lambda fit: fit[:2], reverse=True):
        if name not in found and column not in found.values():
            found[name] = column
    return {name: found[name] for name in targets if name in found}


def _named_like_labels(held: Mapping[str, list[str]]) -> list[str]:
    usual = {"".join(words) for target in ("function", "role", "level") for words in usual_names(target)}
    return [column for column in held if column_key(column) in usual]


def _shipped(target: Target, labels: Sequence[str], column: str | None) -> PlannedTarget:
    """Take a target of the project's taxonomy, with a class for each label of the leads that it does not know."""
    new = [label for label in labels if label not in target.raw_to_class]
    raw_to_class, why = _spelled_alike(new, target)
    strange = [label for label in new if label not in raw_to_class]
    mapped = {**target.raw_to_class, **raw_to_class, **{label: label for label in strange}}
    made = replace(target, classes=(*target.classes, *strange), raw_to_class=mapped)
    why = [f"The project's {len(target.classes)} classes.", *why]
    if strange:
        why.append(f"Classes of their own, being unknown: {first_few(map(repr, strange), _SHOWN)}.")
    if column is not None:
        why.append(f"Labels are read from {shown(column)}.")
    return PlannedTarget(target=made, column=column, why=why)


def _spelled_alike(labels: Sequence[str], target: Target) -> tuple[dict[str, str], list[str]]:
    """Give labels that differ from a known one only in spelling its class."""
    keys = {column_key(raw): name for raw, name in target.raw_to_class.items()}
    found = {label: keys[column_key(label)] for label in labels if column_key(label) in keys}
    said = [f"Spelled otherwise than known labels: {first_few(map(repr, found), _SHOWN)}."] if found else []
    return found, said


def _plan(
    name: str, of_table: Sequence[str], of_leads: Sequence[str], column: str | None, shipped: Taxonomy
) -> PlannedTarget:
    """Make a target of labels: as the project's taxonomy groups them, if that knows the target, or each a class."""
    labels = list(dict.fromkeys((*of_leads, *of_table)))
    ours = next((target for target in shipped.targets if column_key(target.name) == column_key(name)), None)
    if ours is not None and sum(label in ours.raw_to_class for label in labels) >= _MIN_KNOWN * len(labels):
        return _shipped(ours, labels, column)
    ranks = _ranks(labels, shipped)
    order = "the most frequent first"
    if ranks is not None:
        labels.sort(key=lambda label: ranks.get(label, len(ranks) + 1))
        order = "from the highest to the lowest as far as the project's taxonomy knows them"
    said = [f"{counted(len(labels), 'label')}, each a class of its own, {order}."]
    blank = label_of_the_rest(labels)
    if blank is None and column is None:
        labels.append(blank := _OTHER)
    fallback = blank or labels[0]
    said.append(f"Titles that no keyword matches are {fallback!r}.")
    if column is not None:
        said.append(f"Labels are read from {shown(column)}.")
    target = Target(
        name=name, classes=tuple(labels), raw_to_class={label: label for label in labels}, importance=1.0,
        ordinal=ranks is not None, fallback=fallback, no_title=fallback,
    )  # fmt: skip
    return PlannedTarget(target=target, column=column, why=said)


def _ranks(labels: Sequence[str], shipped: Taxonomy) -> dict[str, int] | None:
    """Return the rank of each label that an ordered target of the project knows; None where most are unknown to it."""
    for target in shipped.targets:
        if target.ordinal:
            keys = {column_key(raw): target.class_index[name] for raw, name in target.raw_to_class.items()}
            ranks = {label: keys[column_key(label)] for label in labels if column_key(label) in keys}
            if len(ranks) > len(labels) / 2:
                return ranks
    return None
