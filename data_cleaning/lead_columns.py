"""Which columns of a file of leads hold the title, the labels and the rest, by the config or by their usual names."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from data_cleaning.errors import BadInput, first_few, unknown


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


def find_title(names: Sequence[str], column: str, path: Path, *, asked_for: bool, taken: Collection[str] = ()) -> str:
    """Find the column of titles among the names of a file's columns, those that are taken left out.

    Unless somebody asked for just this column, "title" and "job title" are found as well, in upper or lower case.

    Raises:
        BadInput: there is none, or several columns that might be it.
    """
    if column in names:
        return column
    spellings = (column.strip().lower(), "title", "job title")
    usual = [name for name in names if name not in taken and name.strip().lower() in spellings]
    if len(usual) == 1 and not asked_for:
        return usual[0]
    raise BadInput(
        f"{path}: {unknown('column', column, names)} Name the column of titles with --title-column, or in a config "
        "under leads.columns.title."
    )


def find_columns(
    names: Sequence[str], columns: LeadColumns, path: Path, *, title_asked_for: bool = False
) -> FoundColumns:
    """Find the columns of a file of which only the title is required.

    What was asked for must be there: counts, without which every figure would be wrong, and a title or target whose
    configured name is not the default one. The default names are found in other case as well, and a target by its own
    name. Record, country and date are found in any case, and may be missing. `title_asked_for` says that somebody
    named the title's column, be it by the default name; `path` is for messages.

    Raises:
        BadInput: there is no title, or something that was asked for is not there; one column is mapped twice.
    """
    check_mapped_once(columns)
    usual = LeadColumns()
    wanted = columns.named()
    del wanted["title"]
    free = [name for name in names if name not in wanted.values()]
    asked_for = title_asked_for or columns.title != usual.title
    present = {"title": find_title(names, columns.title, path, asked_for=asked_for, taken=wanted.values())}
    absent = {}
    for ours, column in wanted.items():
        is_target = ours in columns.targets
        required = ours == "count" or (is_target and usual.targets.get(ours) != column)
        spellings = () if required else (column.strip().lower(), *((ours.lower(),) if is_target else ()))
        alike = [name for name in free if name not in present.values() and name.strip().lower() in spellings]
        if column in names:
            present[ours] = column
        elif len(alike) == 1:
            present[ours] = alike[0]
        elif required:
            setting = f"leads.columns.{'targets.' if is_target else ''}{ours}"
            raise BadInput(
                f"{path}: {unknown('column', column, names)} Rename it, or set {setting} to what it is called."
            )
        else:
            absent[ours] = column
    return FoundColumns(present=present, absent=absent)
