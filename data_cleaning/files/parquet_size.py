"""How much memory the rows of a Parquet file take: a text that is stored once may occur in every row."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_cleaning.errors import BadInput

MAX_BATCH_BYTES = 1 << 30
"""Limit for the rows that are read at once."""
MAX_ROW_BYTES = 1 << 16
"""Limit for the mean row of a file whose rows take more than `MAX_BATCH_BYTES`; beyond it the file is no table."""

_TEXT_BYTES = 16
"""Memory of a value of variable length, such as a text or a list, in addition to its content."""
_BUFFER_BYTES = 1 << 16
_MAX_GROUPS_LOOKED_AT = 1_000
_PREFIXED = "DELTA_BYTE_ARRAY"
"""An encoding in which a text repeats the beginning of the one before; it has no list of values to look at."""


def rows_at_once(path: Path, max_rows: int) -> int:
    """Return how many rows of a file, up to `max_rows`, can be read at once without filling the memory.

    Raises:
        BadInput: its texts are beyond the limits.
        pyarrow.ArrowException: the file is broken.
    """
    with pq.ParquetFile(path.absolute()) as file:
        metadata, schema = file.metadata, file.schema
        width = sum(map(_fixed_bytes, file.schema_arrow.types))
    texts = [at for at in range(len(schema)) if schema.column(at).physical_type == "BYTE_ARRAY"]
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    width += max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=0)
    wanted_bytes = MAX_BATCH_BYTES // 4
    rows = max_rows
    while rows > 1 and rows * width > wanted_bytes:
        rows //= 2
    if not texts:
        return rows
    _check_chunks(path, list(dict.fromkeys(schema.column(at).path for at in texts)))
    chunks = [group.column(at) for group in groups for at in texts]
    prefixed = [chunk for chunk in chunks if _PREFIXED in chunk.encodings]
    if prefixed:
        # No text is longer than the chunk that it is stored in.
        rows = max(1, min(rows, wanted_bytes // max(chunk.total_uncompressed_size for chunk in prefixed)))
    unseen = {chunk.path_in_schema for chunk in prefixed}
    suspects = [chunk for chunk in chunks if chunk.path_in_schema not in unseen]
    suspects = [chunk for chunk in suspects if chunk.total_uncompressed_size * rows > wanted_bytes]
    if not suspects:
        return rows
    names = list(dict.fromkeys(chunk.path_in_schema for chunk in suspects))
    n_values = max(rows, *(chunk.num_values for chunk in suspects))  # a list has several in a row
    with pq.ParquetFile(path.absolute(), read_dictionary=names) as file:
        if len(groups) <= _MAX_GROUPS_LOOKED_AT and _longest(file, len(groups), names) * n_values <= MAX_BATCH_BYTES:
            return rows
        size = ReadSize(path)
        for batch in file.iter_batches(rows, columns=names):
            n_bytes = sum(map(_text_bytes, batch.columns))
            size.add(len(batch), n_bytes)
            while rows > 1 and n_bytes * rows > wanted_bytes * len(batch):
                rows //= 2
    return rows


class ReadSize:
    """Refuses a file once the rows that were read of it take too much memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._n_rows = self._n_bytes = 0

    def add(self, n_rows: int, n_bytes: int) -> None:
        """Count rows and the memory that they take.

        Raises:
            BadInput: all rows take more than `MAX_BATCH_BYTES`, and more than `MAX_ROW_BYTES` each.
        """
        self._n_rows, self._n_bytes = self._n_rows + n_rows, self._n_bytes + n_bytes
        if self._n_bytes > max(MAX_BATCH_BYTES, MAX_ROW_BYTES * self._n_rows):
            raise BadInput(
                f"{self._path}: {self._n_rows:,} rows unpack to {self._n_bytes:,} bytes, beyond the limit of "
                f"{MAX_ROW_BYTES:,} for a row. Leave out the columns with long texts or documents."
            )


def _check_chunks(path: Path, names: list[str]) -> None:
    """Raise the errors of pyarrow for chunks of columns that are encrypted, whose metadata would end the process.

    To read the first row, pyarrow first looks where the chunks of all row groups are, and turns its errors there into
    exceptions; it does not in `column` of a row group.
    """
    with pq.ParquetFile(path.absolute(), buffer_size=_BUFFER_BYTES, pre_buffer=True) as file:
        next(file.iter_batches(1, columns=names), None)


def _longest(file: pq.ParquetFile, n_groups: int, names: list[str]) -> int:
    """Return the bytes of the longest row that the dictionaries of texts allow.

    The dictionaries of a row group come with its first row, so that no other row has to be read.
    """
    longest = 0
    for group in range(n_groups):
        for batch in file.iter_batches(1, row_groups=[group], columns=names):
            listed = [leaf.dictionary for column in batch.columns for leaf in _leaves(column) if _is_listed(leaf)]
            longest = max(longest, sum(pc.max(pc.binary_length(values)).as_py() or 0 for values in listed))
            break
    return longest


def _text_bytes(column: pa.Array) -> int:
    """Add up the bytes of a column, counting a text as often as it occurs."""
    total = 0
    for leaf in _leaves(column):
        if _is_listed(leaf):
            lengths = pc.binary_length(leaf.dictionary).cast(pa.int64())
            total += pc.sum(lengths.take(leaf.indices)).as_py() or 0
        else:
            total += leaf.nbytes
    return total


def _is_listed(leaf: pa.Array) -> bool:
    return pa.types.is_dictionary(leaf.type) and not pa.types.is_primitive(leaf.type.value_type)


def _leaves(column: pa.Array) -> list[pa.Array]:
    """Return the arrays of single values within a nested column; of a plain column, itself."""
    kind = column.type
    if pa.types.is_struct(kind):
        parts = column.flatten()
    elif pa.types.is_map(kind):
        parts = [column.keys, column.items]
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        parts = [column.flatten()]
    else:
        return [column]
    return [leaf for part in parts for leaf in _leaves(part)]


def _fixed_bytes(kind: pa.DataType) -> int:
    try:
        return max(int(kind.bit_width) // 8, 1)
    except ValueError:  # a type of variable length
        return _TEXT_BYTES
