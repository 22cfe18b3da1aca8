"""Rows as Parquet, their types and the schema's metadata kept."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_ROW_GROUP = 100_000
"""Rows of a part that are gathered before they are written: small groups make large files that are slow to read."""


class ParquetRows:
    """Parquet with every column dictionary-encoded as far as that pays, as labels and titles come again and again."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema

    @contextmanager
    def filling(self, path: Path) -> Iterator[Callable[[pa.Table], None]]:
        """Open the file of a part."""
        waiting: list[pa.Table] = []
        with self._writer(path) as writer:

            def flush() -> None:
                if waiting:
                    writer.write_table(pa.concat_tables(waiting))
                    waiting.clear()

            def write(table: pa.Table) -> None:
                if table.num_rows:
                    waiting.append(self._typed(table))
                if sum(one.num_rows for one in waiting) >= _ROW_GROUP:
                    flush()

            yield write
            flush()

    def join(self, parts: Sequence[Path], joined: Path) -> None:
        """Write the parts, a row group at a time and as these were."""
        with self._writer(joined) as writer:
            for part in parts:
                with pq.ParquetFile(part) as rows:
                    for number in range(rows.num_row_groups):
                        writer.write_table(self._typed(rows.read_row_group(number)))

    def _writer(self, path: Path) -> pq.ParquetWriter:
        # Measured: as fast as snappy on text with labels, within a fifth, for files a quarter smaller.
        return pq.ParquetWriter(path, self._schema, compression="zstd", compression_level=1)

    def _typed(self, table: pa.Table) -> pa.Table:
        return table.rename_columns(self._schema.names).cast(self._schema)
