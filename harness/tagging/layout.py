"""Which columns a tagged file has, under which names and in which order, so that a CRM takes it as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from data_cleaning.errors import BadInput, did_you_mean, first_few, read_text

EVERYTHING = "*"
"""Stands for every column of the file that was read."""

_KEYS = ("version", "delimiter", "fields")
_COLUMN, _NAME = "column", "name"


@dataclass(frozen=True)
class Field:
    """One column to write."""

    name: str
    """Its header."""
    column: int | None = None
    """Position of the column of the file that it passes on; None for what tagging adds."""
    added: str = ""
    """Field that tagging adds."""


@dataclass(frozen=True)
class Layout:
    """The list of a layout file, which need not fit any file or model yet."""

    path: Path
    version: str
    delimiter: str | None
    entries: tuple[tuple[int, Any], ...]
    """Line and content of each entry."""

    @classmethod
    def read(cls, path: Path) -> "Layout":
        """Read a layout file: `version`, `fields` and, for CSV, `delimiter`.

        An entry of `fields` is `"*"`, for every column of the file; the name of a field that tagging adds; such a name
        with the header to give it, `function: Job_Function__c`; or `{column: Email, name: Email__c}` for one column of
        the file, the name being optional.

        Raises:
            BadInput: the file is missing, is no YAML or says something else; each fault is named with its line.
        """
        text = read_text(path, "layout", "Give one with --layout, or leave the option out.")
        try:
            content, tree = yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, ValueError, RecursionError) as error:  # an impossible date is a ValueError
            raise BadInput(f"{path} is not readable YAML: {error}") from None
        if (
            tree is None
            or not isinstance(content, dict)
            or not isinstance(content.get("fields"), list)
            or not content["fields"]
        ):
            raise BadInput(f"{path}: expected a mapping with a list 'fields', such as fields: ['*', function, role].")
        faults = [f"unknown key {key!r} (known: {', '.join(_KEYS)})" for key in content if key not in _KEYS]
        delimiter = content.get("delimiter")
        if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n'):
            faults.append(f"delimiter is {delimiter!r}; expected one character such as ';'")
        (items,) = (value.value for key, value in tree.value if key.value == "fields")
        entries = tuple((node.start_mark.line + 1, entry) for node, entry in zip(items, content["fields"], strict=True))
        faults += [f"line {line}: {fault}" for line, entry in entries if (fault := _fault(entry))]
        if faults:
            raise BadInput(f"{path}: {first_few(faults)}.")
        return cls(path, str(content.get("version", "1")), delimiter, entries)

    def fields(self, columns: Sequence[str], added: Sequence[str]) -> list[Field]:
        """Return what to write for a file and a model.

        Args:
            columns: of the file.
            added: fields that tagging adds.

        Raises:
            BadInput: the file has no such column, nothing adds such a field, or two headers are equal; all named.
        """
        fields: list[Field] = []
        faults: list[str] = []
        for line, entry in self.entries:
            if entry == EVERYTHING:
                fields += [Field(name, column=position) for position, name in enumerate(columns)]
                continue
            kind, wanted, name = _parts(entry)
            known = columns if kind == _COLUMN else added
            if wanted not in known:
                what = "column of the file" if kind == _COLUMN else "field that tagging adds"
                faults.append(f"line {line}: {wanted!r} is no {what}.{did_you_mean(wanted, known)}")
            elif kind == _COLUMN:
                fields.append(Field(name, column=list(columns).index(wanted)))
            else:
                fields.append(Field(name, added=wanted))
        if faults:
            raise BadInput(f"{self.path}: {first_few(faults)} Known fields: {', '.join(added)}.")
        check_headers(fields, str(self.path), "Give one of them another name in the layout")
        return fields


def every_field(columns: Sequence[str], added: Sequence[str], prefix: str) -> list[Field]:
    """Return the file's own columns and then everything that tagging adds, with a prefix to its names.

    Raises:
        BadInput: the file already has a column of the name of an added one.
    """
    fields = [Field(name, column=position) for position, name in enumerate(columns)]
    fields += [Field(f"{prefix}{name}", added=name) for name in added]
    check_headers(fields, "The file", "Give --prefix new_ or another one, a --layout that names them, or rename them")
    return fields


def check_headers(fields: Sequence[Field], where: str, remedy: str) -> None:
    """Refuse headers of added columns that stand twice; a file's own may do so.

    Raises:
        BadInput: naming them.
    """
    names = [field.name for field in fields]
    taken = sorted({field.name for field in fields if field.column is None and names.count(field.name) > 1})
    if taken:
        raise BadInput(f"{where} already has columns that would be added: {first_few(taken)}. {remedy}.")


def _fault(entry: Any) -> str | None:
    """Say what is wrong with an entry, None where nothing is."""
    if isinstance(entry, str):
        return None if entry else "an empty name"
    if not isinstance(entry, dict) or not all(isinstance(value, str) and value for value in entry.values()):
        return f"{entry!r}; expected a name, 'field: Header', or {{column: Name, name: Header}}"
    if _COLUMN in entry:
        strange = sorted(str(key) for key in entry if key not in (_COLUMN, _NAME))
        return f"unknown key {strange[0]!r} beside 'column'" if strange else None
    return None if len(entry) == 1 else f"{entry!r} names {len(entry)} fields; give each an entry of its own"


def _parts(entry: Any) -> tuple[str, str, str]:
    """Return whether an entry is a column or a field, what it asks for, and under which header."""
    if isinstance(entry, str):
        return "field", entry, entry
    if _COLUMN in entry:
        return _COLUMN, entry[_COLUMN], entry.get(_NAME, entry[_COLUMN])
    ((wanted, name),) = entry.items()
    return "field", str(wanted), name
