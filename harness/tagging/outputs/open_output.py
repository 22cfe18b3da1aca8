"""Which output a path is for, and which columns it cannot hold."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_cleaning.errors import BadInput, first_few
from harness.tagging.outputs.contract import Output
from harness.tagging.outputs.csv_rows import CsvRows
from harness.tagging.outputs.parts import PartsFolder
from harness.tagging.outputs.partwise import PartwiseOutput

_ENDINGS = (".csv.gz", ".csv", ".parquet", ".xlsx")
_VERSION = 1
"""Of the form of parts; one that was begun in another is not gone on with."""

_PLAIN = (
    *(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_boolean, pa.types.is_null),
    *(pa.types.is_integer, pa.types.is_floating, pa.types.is_date, pa.types.is_time, pa.types.is_timestamp),
    *(pa.types.is_decimal32, pa.types.is_decimal64, pa.types.is_decimal128),
)
"""Types that one cell of text can hold."""


def open_output(
    out: Path,
    names: Sequence[str],
    schema: pa.Schema,
    *,
    identity: Mapping[str, Any],
    delimiter: str = ",",
    spreadsheet_safe: bool = False,
    force: bool = False,
) -> Output:
    """Open the output that the ending of `out` names: CSV, gzipped CSV, Parquet or XLSX.

    Parts lie in a folder beside `out` until they are joined. Whole ones that a former process left are found again,
    if they are of the same job. One process at a time has an output open.

    Args:
        out: file to write; whether one that exists may be replaced is for the caller to check.
        names: header of each column, as it is written; equal and empty ones may be among them, save in Parquet.
        schema: types of the columns by position, and the metadata that Parquet keeps.
        identity: all that the rows depend on, as JSON can hold it, by what a person calls it.
        delimiter: of CSV, one character.
        spreadsheet_safe: whether text in CSV that a spreadsheet would run as a formula is disarmed; in XLSX it is
            always.
        force: whether parts of another job may be removed; those of the same job are gone on with in any case.

    Raises:
        BadInput: the ending is unknown, a column cannot be written in this form, parts of another job or something
            else lies where parts would be kept, another process has the output open, or the place cannot be written.
    """
    assert len(names) == len(schema), "a name for each column"
    ending = next((known for known in _ENDINGS if out.name.lower().endswith(known)), None)
    if ending is None:
        raise BadInput(f"--out {out} ends in {out.suffix or 'nothing'!r}; expected {', '.join(_ENDINGS)}.")
    facts = {
        "format version": _VERSION,
        "column names": list(names),
        "column types": [str(field.type) for field in schema],
        "delimiter": delimiter,
        "spreadsheet safety": spreadsheet_safe,
    }
    if ending == ".parquet":
        from harness.tagging.outputs.parquet_rows import ParquetRows

        _check_unique(names, out)
        named = pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)], schema.metadata)
        parts = PartsFolder(out, identity, facts, force=force, resumable=True)
        return PartwiseOutput(parts, ParquetRows(named))
    _check_plain(names, schema, out)
    if ending == ".xlsx":
        from harness.tagging.outputs.sheet_output import WorkbookOutput, check_width

        check_width(len(names), out)
        return WorkbookOutput(PartsFolder(out, identity, facts, force=force, resumable=False), names)
    rows = CsvRows(names, delimiter=delimiter, spreadsheet_safe=spreadsheet_safe, zipped=ending == ".csv.gz")
    return PartwiseOutput(PartsFolder(out, identity, facts, force=force, resumable=True), rows)


def _check_unique(names: Sequence[str], out: Path) -> None:
    """Refuse names that would make a Parquet file which its readers refuse."""
    several = [repr(name) for name, count in Counter(names).items() if count > 1]
    if several:
        raise BadInput(
            f"{out} would have several columns of one name, which readers of Parquet refuse: {first_few(several)}. "
            "Rename them, or choose an --out that ends in .csv."
        )


def _check_plain(names: Sequence[str], schema: pa.Schema, out: Path) -> None:
    """Refuse columns whose values are no single cell."""
    odd = [
        f"{name!r} holds {field.type}" for name, field in zip(names, schema, strict=True) if not _is_plain(field.type)
    ]
    if odd:
        raise BadInput(
            f"{out} cannot hold every column: {first_few(odd)}. Choose an --out that ends in .parquet, or leave them "
            "out."
        )


def _is_plain(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    return any(is_one(kind) for is_one in _PLAIN)
