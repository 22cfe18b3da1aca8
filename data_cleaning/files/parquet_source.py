"""A Parquet file as a source: batches of its own types, without the rows whose text is not valid UTF-8."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_cleaning.errors import BadInput, first_few, shortened
from data_cleaning.files.parquet_size import ReadSize, rows_at_once
from data_cleaning.files.sources import Batch, Reject, Source, readable
from data_cleaning.files.table_layout import check_width

BATCH_ROWS = 131_072
_MAX_GROUP_BYTES = 4 * 10**9
_BUFFER_BYTES = 1 << 20
"""Of a column read at once; without it a row group's columns are held whole."""
_LONGEST_SHOWN, _LONGEST_TYPE = 500, 60
_MAX_DIGITS = 38
"""Of a decimal in polars."""
_OFFSET = re.compile(r"[+-]\d\d:\d\d")
_MAX_DAYS = 95_000_000
"""Before and after 1970, some 260,000 years; polars cannot write dates far beyond."""
_PER_DAY = {"day": 1, "s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}


class ParquetSource(Source):
    """A Parquet file."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        """Read the file's metadata, and check that no batch of its rows fills the memory.

        Raises:
            BadInput: it is broken, encrypted, has no columns, a row group that unpacks to more than `max_bytes` or
                4 GB, or texts beyond the limit for a batch.
        """
        self.path = path
        with _whole(path), pq.ParquetFile(path.absolute()) as file:
            schema: pa.Schema = file.schema_arrow
            self.schema = pa.schema([field.with_type(_known(field.type)) for field in schema], schema.metadata)
            self.n_rows: int = file.metadata.num_rows
            n_groups = file.metadata.num_row_groups
            largest = max((file.metadata.row_group(at).total_byte_size for at in range(n_groups)), default=0)
        changed = [old for old, new in zip(schema, self.schema, strict=True) if old.type != new.type]
        if changed:
            shown = first_few(f"{field.name!r} ({shortened(str(field.type), _LONGEST_TYPE)})" for field in changed)
            self.notes = (f"Times of an unknown zone are read in UTC, decimals beyond 38 digits as text: {shown}.",)
        if not self.schema.names:
            raise BadInput(f"{path} has no columns; expected at least one, of titles.")
        check_width(path, len(self.schema.names))
        limit = min(max_bytes, _MAX_GROUP_BYTES)
        if largest > limit:
            raise BadInput(
                f"{path} has a row group of {largest:,} bytes, beyond the limit of {limit:,}. "
                "Write the file again in smaller row groups."
            )
        with _whole(path):
            self._rows_at_once = rows_at_once(path, BATCH_ROWS)

    def _read(self) -> Iterator[Batch]:
        # Batches of pyarrow may end with a row group; these have the same rows however the file is divided.
        at_once, row = self._rows_at_once, 0
        parts: list[Batch] = []
        size = ReadSize(self.path)
        with _whole(self.path), pq.ParquetFile(self.path.absolute(), buffer_size=_BUFFER_BYTES) as file:
            for read in file.iter_batches(at_once):
                start = 0
                while start < len(read):
                    part = read.slice(start, at_once - row % at_once)
                    size.add(len(part), part.nbytes)
                    checked = _checked(part, row)
                    parts.append(replace(checked, rows=checked.rows.cast(self.schema)))
                    start, row = start + len(part), row + len(part)
                    if row % at_once == 0:
                        yield _together(parts)
                        parts = []
        if parts:
            yield _together(parts)
        if row != self.n_rows:
            raise BadInput(f"{self.path} announces {self.n_rows:,} rows and has {row:,}. Write or fetch it again.")


def _known(kind: pa.DataType) -> pa.DataType:
    """Return a type that polars has and that holds the same values; types within lists, structs and maps too."""
    if pa.types.is_decimal256(kind):
        return pa.string() if kind.precision > _MAX_DIGITS else pa.decimal128(kind.precision, kind.scale)
    if pa.types.is_timestamp(kind) and kind.tz is not None and not _is_zone(kind.tz):
        return pa.timestamp(kind.unit, "UTC")
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_known(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_known(kind.key_type), kind.item_field.with_type(_known(kind.item_type)), kind.keys_sorted)
    for is_list, build in ((pa.types.is_list, pa.list_), (pa.types.is_large_list, pa.large_list)):
        if is_list(kind):
            return build(kind.value_field.with_type(_known(kind.value_type)))
    return kind


def _is_zone(name: str) -> bool:
    if _OFFSET.fullmatch(name):
        return True
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):  # ValueError if the name cannot be a path
        return False
    return True


def _together(parts: list[Batch]) -> Batch:
    if len(parts) == 1:
        return parts[0]
    # Each part of a column of codes may have a list of values of its own.
    rows = pa.concat_tables([part.rows for part in parts]).unify_dictionaries().combine_chunks()
    rejects = tuple(one for part in parts for one in part.rejects)
    return Batch(rows, rejects, places=np.concatenate([part.places for part in parts]))


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Turn what pyarrow finds broken into bad input."""
    with readable(path):
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            is_of_system = isinstance(error, OSError) and error.errno is not None
            if is_of_system or isinstance(error, MemoryError):  # not a fault of the file
                raise
            what = str(error).splitlines()[0]
            raise BadInput(f"{path} is not readable as Parquet: {what}. Write or fetch it again.") from None


def _checked(batch: pa.RecordBatch, n_before: int) -> Batch:
    """Separate the rows whose text is not UTF-8, which Parquet does not check, from the others."""
    places = np.arange(n_before + 1, n_before + len(batch) + 1)
    faulty: dict[int, str] = {}
    all_valid = True
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if not _is_valid(column):
            all_valid, column = False, _decoded(column)
            what = "text that is UTF-8" if _holds_text(column.type) else f"a valid {column.type}"
            faulty |= dict.fromkeys(_invalid_rows(column, 0, len(column)), f"does not hold {what} in column {name!r}")
    if all_valid:
        return Batch(pa.Table.from_batches([batch]), (), places=places)
    rows = sorted(faulty)
    rejects = tuple(Reject(n_before + row + 1, faulty[row], _shown(batch, row)) for row in rows)
    columns = [_encoded(_without(_decoded(column), rows), column.type) for column in batch.columns]
    table = pa.Table.from_arrays(columns, schema=batch.schema)
    return Batch(table, rejects, places=np.delete(places, rows))


def _decoded(column: pa.Array) -> pa.Array:
    """Give each row its own value, where all refer to a list of them, which may hold values that no row keeps."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _encoded(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if not pa.types.is_dictionary(kind):
        return column
    encoded = column.dictionary_encode()
    indices = encoded.indices.cast(kind.index_type)
    return pa.DictionaryArray.from_arrays(indices, encoded.dictionary, ordered=kind.ordered)


def _holds_text(kind: pa.DataType) -> bool:
    """Say whether values are text, or may have text within them."""
    return not (pa.types.is_primitive(kind) or pa.types.is_temporal(kind) or pa.types.is_decimal(kind))


def _is_valid(column: pa.Array) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    kind = column.type
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        return True
    ends = pc.min_max(column.view(pa.int32() if kind.bit_width == 32 else pa.int64())).as_py()
    limit = _MAX_DAYS * _PER_DAY[getattr(kind, "unit", "day" if kind.bit_width == 32 else "ms")]
    return ends["max"] is None or -limit <= ends["min"] <= ends["max"] <= limit


def _invalid_rows(column: pa.Array, start: int, stop: int) -> list[int]:
    """Halve the rows of a column of any type until each invalid one is found."""
    # A slice keeps the nested cells around it, and would be validated together with them; a copy does not.
    if _is_valid(pa.concat_arrays([column.slice(start, stop - start)])):
        return []
    if stop - start == 1:
        return [start]
    middle = (start + stop) // 2
    return _invalid_rows(column, start, middle) + _invalid_rows(column, middle, stop)


def _without(column: pa.Array, rows: list[int]) -> pa.Array:
    """Leave rows out of a column; `filter` does not know every type of text."""
    starts, stops = [0, *(row + 1 for row in rows)], [*rows, len(column)]
    return pa.concat_arrays([column.slice(start, stop - start) for start, stop in zip(starts, stops, strict=True)])


def _shown(batch: pa.RecordBatch, row: int) -> str:
    columns = zip(batch.schema.names, batch.columns, strict=True)
    return shortened(repr({name: _cell(column.slice(row, 1)) for name, column in columns}), _LONGEST_SHOWN)


def _cell(cell: pa.Array) -> Any:
    """Return the one value of an array; bytes that are not UTF-8 are shown in hexadecimal."""
    try:
        return cell[0].as_py()
    except UnicodeDecodeError as error:
        return error.object.decode("utf-8", "backslashreplace")
    except (OverflowError, ValueError):  # a date beyond those of Python
        kind = cell.type
        return cell.view(f"int{kind.bit_width}")[0].as_py() if pa.types.is_temporal(kind) else str(kind)
