"""Which columns of a file of leads hold the title, the labels and the rest, by the config or by their usual names."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from data_cleaning.column_names import (
    column_key,
    holds_name,
    name_words,
    one_column,
    same_columns,
    shown,
    unknown_column,
    usual_names,
)
from data_cleaning.errors import BadInput, first_few, shortened
from data_cleaning.title_likeness import LOOKS_LIKE_TITLES, NOT_ENGLISH, title_likeness


@dataclass(frozen=True, kw_only=True)
class LeadColumns:
    """What the columns of a leads file are called; None where the file has no such column."""

    title: str = "Title"
    """Column of the job titles."""
    targets: Mapping[str, str] = field(
        default_factory=lambda: {"function": "Job Function", "role": "Job Role", "level": "Job Level"}
    )
    """Target name to its column."""
    record: str | None = None
    """Column that identifies each record."""
    country: str | None = None
    """Column of the country of each record."""
    date: str | None = None
    """Column of the day of each record."""
    count: str | None = None
    """Number of records that a row stands for."""

    def named(self) -> dict[str, str]:
        """Return our name of each column that the file has, to the file's own."""
        optional = {"record": self.record, "country": self.country, "date": self.date, "count": self.count}
        present = {name: column for name, column in optional.items() if column is not None}
        return {"title": self.title, **self.targets, **present}


@dataclass(frozen=True, kw_only=True)
class FoundColumns:
    """Which of the configured columns a file has."""

    present: Mapping[str, str]
    """Our name to the file's own."""
    absent: Mapping[str, str]
    """Our name to the configured one that the file lacks."""
    why: str = ""
    """Of `TitleColumn`."""


def check_mapped_once(columns: LeadColumns) -> None:
    """Refuse settings that name one column of the file twice.

    Raises:
        BadInput: naming what is mapped to it.
    """
    named = columns.named()
    mapped = list(named.values())
    repeated = {name: column for name, column in named.items() if mapped.count(column) > 1}
    twice = [f"{'targets.' if name in columns.targets else ''}{name} -> {repeated[name]!r}" for name in repeated]
    if twice:
        raise BadInput(f"leads.columns maps one column more than once: {first_few(twice)}. Give each its own.")


@dataclass(frozen=True)
class TitleColumn:
    """The column that is read as the titles."""

    name: str
    why: str = ""
    """What a person should know about the choice, in sentences; "" where there is nothing."""


def find_title(
    names: Sequence[str],
    column: str,
    path: Path,
    *,
    asked_for: bool,
    taken: Collection[str] = (),
    values: Callable[[str], pl.Series] | None = None,
) -> TitleColumn:
    """Find the column of titles by the names of a file's columns and, where they leave a choice, by what these hold.

    Args:
        names: distinct, as `unique_names` makes them.
        column: what it is probably called.
        path: of the file, for messages.
        asked_for: whether somebody named just this column; its spelling makes no difference then, but no other will do.
        taken: names of columns that hold something else.
        values: gives the first values of a column; None decides by the names alone.

    Raises:
        BadInput: there is none, or several columns that might be it.
    """
    if asked_for:
        return TitleColumn(one_column(names, column, path, _REMEDY))
    free = [name for name in names if name not in taken and name.strip()]
    ranked = [(rank, name) for name in free if (rank := _rank(name, column)) is not None]
    ranked.sort(key=lambda one: one[0])
    if not ranked:
        raise _no_title(names, free, column, path, values)
    likeness = {name: LOOKS_LIKE_TITLES if values is None else title_likeness(values(name)) for _, name in ranked}
    chosen = _choose(ranked, likeness)
    if chosen is None:
        raise _no_title(names, free, column, path, values)
    _refuse_twins(chosen, column, likeness, path, values)
    return TitleColumn(chosen, "" if values is None else _why(chosen, ranked, likeness, values))


_REMEDY = "Name the column of titles with --title-column, or in a config under leads.columns.title."
_OTHER_THINGS = frozenset({"id", "code", "number", "no", "nr", "date", "manager", "supervisor", "previous", "former"})
"""Words that turn the name of a title's column into that of another one, such as "Job Title Code"."""

_SAME, _SPELLED, _USUAL, _NAME_WITHIN, _WORD_WITHIN = range(5)
"""Kinds of names, the surest first: the very one, the same in another spelling, a usual one, and a longer one that
holds a usual one of several words, or of a single word."""

_Rank = tuple[int, int]


def _rank(name: str, column: str) -> _Rank | None:
    """Say how surely a column is that of the titles by its name, the lowest the surest; None for another column.

    The first number is one of the constants above; the second orders usual names.
    """
    words = name_words(name)
    key = "".join(words)
    if name == column or not key:
        return (_SAME, 0) if name == column else None
    if key == column_key(column):
        return _SPELLED, 0
    held = [usual for usual in usual_names("title") if holds_name(words, usual)]
    for place, usual in enumerate(usual_names("title")):
        if key == "".join(usual):
            return _USUAL, place
    if not held or _OTHER_THINGS.intersection(words):
        return None
    longest = max(held, key=len)
    return _NAME_WITHIN if len(longest) > 1 else _WORD_WITHIN, usual_names("title").index(longest)


def _choose(ranked: Sequence[tuple[_Rank, str]], likeness: Mapping[str, float]) -> str | None:
    """Take the surest name whose values look like titles or, in a language that is not known, most like them."""
    for _, name in ranked:
        if likeness[name] >= LOOKS_LIKE_TITLES:
            return name
    needed = {_NAME_WITHIN: 0.01, _WORD_WITHIN: NOT_ENGLISH}
    left = [name for (kind, _), name in ranked if likeness[name] >= needed.get(kind, 0)]
    most = max((likeness[name] for name in left), default=0)
    return next((name for name in left if likeness[name] >= most / 2), None)


def _refuse_twins(
    chosen: str,
    column: str,
    likeness: Mapping[str, float],
    path: Path,
    values: Callable[[str], pl.Series] | None,
) -> None:
    """Refuse to choose between columns of one name that hold different titles."""
    same = [name for name in likeness if column_key(name) == column_key(chosen)]
    alike = [name for name in same if likeness[name] >= likeness[chosen] / 2]
    if values is not None:
        first = values(chosen)
        others = (name for name in alike if not values(name).equals(first) and values(name).drop_nulls().len())
        alike = [chosen, *others]
    if len(alike) > 1 and chosen != column:
        raise BadInput(
            f"{path} has {len(alike)} columns that may hold the titles: {first_few(map(shown, alike))}. Choose one "
            f"with --title-column {shown(alike[0])}, or in a config under leads.columns.title; or rename the others."
        )


def _why(
    chosen: str, ranked: Sequence[tuple[_Rank, str]], likeness: Mapping[str, float], values: Callable[[str], pl.Series]
) -> str:
    """Say which other column was passed over and what it holds, or that the only one holds no titles."""
    before = [name for _, name in ranked[: [name for _, name in ranked].index(chosen)]]
    said = [f"{shown(name)} is not read as titles: {_holds(values(name))}." for name in before]
    others = [name for name in likeness if likeness[name] >= LOOKS_LIKE_TITLES and name != chosen]
    if others:
        said.append(f"{first_few(map(shown, others))} may hold titles too; --title-column chooses another column.")
    if not likeness[chosen]:
        said.append(
            f"No value of {shown(chosen)} looks like an English job title: {_holds(values(chosen))}. Name another "
            "column with --title-column if this is the wrong one."
        )
    return " ".join(said)


def _holds(values: pl.Series) -> str:
    """Show the first values of a column."""
    some = values.drop_nulls().unique(maintain_order=True).head(3)
    if some.dtype.is_temporal():
        some = some.cast(pl.String)  # some are beyond the years of Python
    return f"it holds {first_few(shown(shortened(str(value), 40)) for value in some)}" if len(some) else "it is empty"


def _no_title(
    names: Sequence[str],
    free: Sequence[str],
    column: str,
    path: Path,
    values: Callable[[str], pl.Series] | None,
) -> BadInput:
    """Build the error for a file without a column of titles by its name; what a column holds may hint at it."""
    likeness = {} if values is None else {name: title_likeness(values(name)) for name in free[:_MAX_LOOKED_AT]}
    best = max(likeness, key=lambda name: likeness[name], default="")
    if best and title_likeness(pl.Series([best])) >= LOOKS_LIKE_TITLES:
        return BadInput(
            f"{path} seems to have no names of columns: {shown(best)}, in their place, reads like a title itself. Add "
            "a row of names above it, such as Title, or say with --header-row where it is. If this is the name of a "
            f"column: --title-column {shown(best)}."
        )
    if best and likeness[best] >= LOOKS_LIKE_TITLES:
        hint = f"What {shown(best)} holds looks like titles: --title-column {shown(best)}. "
        return unknown_column(names, column, path, hint + _REMEDY)
    return unknown_column(names, column, path, _REMEDY)


_LABELS_NEEDED = (
    "A run learns from labels. Where the leads have none, set 'labels: table' under 'leads' in the config, so that the "
    "keyword table labels them; or use 'title-harness check', which needs no labels."
)
_MAX_LOOKED_AT = 200
"""Columns whose values are looked at where no name tells the titles."""


def find_columns(
    names: Sequence[str],
    columns: LeadColumns,
    path: Path,
    *,
    title_asked_for: bool = False,
    values: Callable[[str], pl.Series] | None = None,
    every: bool = False,
) -> FoundColumns:
    """Find the columns of a file of which only the title is required, unless `every` one is.

    What was asked for must be there: counts, without which every figure would be wrong, and a title or target whose
    configured name is not the default one. Spelling makes no difference. A target is found by its own name as well,
    unless its column was asked for. Record, country and date may be missing. `title_asked_for` says that somebody named
    the title's column, be it by the default name; `path` is for messages, and `values` gives what a column holds.

    Raises:
        BadInput: there is no title, or something that was asked for is not there; one column is mapped twice.
    """
    check_mapped_once(columns)
    usual = LeadColumns()
    wanted = columns.named()
    del wanted["title"]
    present: dict[str, str] = {}
    absent: dict[str, str] = {}
    for ours, column in wanted.items():
        is_target = ours in columns.targets
        asked_for = ours == "count" or (is_target and usual.targets.get(ours) != column)
        free = [name for name in names if name not in present.values()]
        own = is_target and not asked_for and not same_columns(free, column)
        called = ours if own and same_columns(free, ours) else column
        alike = same_columns(free, called)
        if len(alike) == 1:
            present[ours] = alike[0]
        elif alike or asked_for or every:
            setting = f"leads.columns.{'targets.' if is_target else ''}{ours}"
            remedy = f"Rename it, or set {setting} to what it is called."
            one_column(free, called, path, f"{remedy} {_LABELS_NEEDED if is_target and every else ''}".rstrip())
        else:
            absent[ours] = column
    asked_for = title_asked_for or columns.title != usual.title
    free = [name for name in names if name not in present.values()]
    if not asked_for and not every and all(_rank(name, columns.title) is None for name in free):
        # Where no other column can hold the titles, one called Role does, unless that was asked for as labels.
        for ours in [one for one in present if usual.targets.get(one) == columns.targets.get(one, "")]:
            if _rank(present[ours], columns.title) is not None:
                absent[ours] = present.pop(ours)
    title = find_title(names, columns.title, path, asked_for=asked_for, taken=present.values(), values=values)
    return FoundColumns(present={"title": title.name, **present}, absent=absent, why=title.why)
