"""Which columns a tagged file has, under which names and in which order, so that a CRM takes it as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic import Field as PydanticField

from data_cleaning.errors import BadInput, first_few
from data_cleaning.yaml_files import Faults, YamlFile, read_yaml

COLUMN, FIELD, NAME = "column", "field", "name"


@dataclass(frozen=True)
class Field:
    """One column to write."""

    name: str
    """Its header."""
    column: int | None = None
    """Position of the column of the file that it passes on; None for what tagging adds."""
    added: str = ""
    """Field that tagging adds."""


class _Entry(NamedTuple):
    kind: str
    """Whether a column of the file is wanted, or a field that tagging adds."""
    wanted: str
    name: str
    """Its header."""


_EVERYTHING = _Entry(FIELD, "*", "*")
"""Every column of the file that was read."""


def _one_character(delimiter: str) -> str:
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise ValueError("expected one character such as ';'")
    return delimiter


def _entry(entry: Any) -> _Entry:
    """Read one entry of `fields`, as `Layout.read` describes them."""
    if isinstance(entry, str) and entry:
        return _Entry(FIELD, entry, entry)
    if not isinstance(entry, dict) or not all(isinstance(value, str) and value for value in entry.values()):
        raise ValueError(f"{entry!r}; expected a name, 'field: Header', or {{column: Name, name: Header}}")
    if COLUMN in entry:
        strange = sorted(entry.keys() - {COLUMN, NAME})
        if strange:
            raise ValueError(f"unknown key {strange[0]!r} beside 'column'; only 'name' may be there")
        return _Entry(COLUMN, entry[COLUMN], entry.get(NAME) or entry[COLUMN])
    if len(entry) != 1:
        raise ValueError(f"{entry!r} names {len(entry)} fields; give each an entry of its own")
    ((wanted, name),) = entry.items()
    return _Entry(FIELD, wanted, name)


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: str = "1"
    delimiter: Annotated[str, AfterValidator(_one_character)] | None = None
    fields_: tuple[Annotated[Any, BeforeValidator(_entry)], ...] = PydanticField(alias="fields", min_length=1)


@dataclass(frozen=True)
class Layout:
    """The list of a layout file, which need not fit any file or model yet."""

    file: YamlFile
    version: str
    delimiter: str | None
    entries: tuple[_Entry, ...]

    @classmethod
    def read(cls, path: Path) -> "Layout":
        """Read a layout file: `version`, `fields` and, for CSV, `delimiter`.

        An entry of `fields` is `"*"`, for every column of the file; the name of a field that tagging adds; such a name
        with the header to give it, `function: Job_Function__c`; or `{column: Email, name: Email__c}` for one column of
        the file, the name being optional.

        Raises:
            BadInput: the file is missing, is no YAML or says something else; each fault is named with its line.
        """
        remedy = "It has a list such as fields: ['*', function, role]; give one with --layout, or leave the option out."
        file = read_yaml(path, "layout", remedy, as_written=True)
        content = file.validated(_Content)
        return cls(file, content.version, content.delimiter, content.fields_)

    @property
    def path(self) -> Path:
        """Path of the file."""
        return self.file.path

    def fields(self, columns: Sequence[str], added: Sequence[str]) -> list[Field]:
        """Return what to write for a file of some columns, to which tagging adds some fields.

        Raises:
            BadInput: the file has no such column, nothing adds such a field, or two headers are equal; all named.
        """
        fields: list[Field] = []
        faults = Faults(self.file)
        for number, entry in enumerate(self.entries):
            if entry == _EVERYTHING:
                fields += [Field(name, column=position) for position, name in enumerate(columns)]
            elif entry.wanted not in (columns if entry.kind == COLUMN else added):
                kind, known = ("column of the file", columns) if entry.kind == COLUMN else ("field", added)
                faults.unknown(("fields", number), kind, entry.wanted, known)
            elif entry.kind == COLUMN:
                fields.append(Field(entry.name, column=list(columns).index(entry.wanted)))
            else:
                fields.append(Field(entry.name, added=entry.wanted))
        faults.raise_any()
        _check_headers(fields, str(self.file.path), "Give one of them another name in the layout")
        return fields


def every_field(columns: Sequence[str], added: Sequence[str], prefix: str) -> list[Field]:
    """Return the file's own columns and then those that tagging adds, with a prefix to their names.

    Raises:
        BadInput: the file already has a column of the name of an added one.
    """
    fields = [Field(name, column=position) for position, name in enumerate(columns)]
    fields += [Field(f"{prefix}{name}", added=name) for name in added]
    _check_headers(fields, "The file", "Give --prefix new_ or another one, a --layout that names them, or rename them")
    return fields


def _check_headers(fields: Sequence[Field], where: str, remedy: str) -> None:
    """Refuse headers of added columns that occur twice; a file's own may do so."""
    names = [field.name for field in fields]
    taken = sorted({field.name for field in fields if field.column is None and names.count(field.name) > 1})
    if taken:
        raise BadInput(f"{where} already has columns that would be added: {first_few(taken)}. {remedy}.")
