"""What a job reads: one file or many, in blocks of rows that are the same each time they are read."""

import pickle
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from data_cleaning.errors import BadInput, first_few
from data_cleaning.files import Batch, Layout, Source, open_source
from data_cleaning.files.sources import STANDARD_INPUT, FileState

BLOCK_ROWS = 131_072
"""Rows of a block at most: what a killed worker costs, and what a part of the output holds."""

_READ_FROM_FOLDERS = (".parquet", ".csv", ".csv.gz")
_PAYLOAD = "payload"


class Place(NamedTuple):
    """Which block of which file; places are in the order of the rows."""

    file: int
    block: int


@dataclass(frozen=True, kw_only=True)
class Block:
    """Rows that follow each other in one file."""

    place: Place
    first_row: int
    """Number of its first row in the file, from 1."""
    batch: Batch
    n_skipped: int = 0
    left_out: tuple[str, ...] = ()
    """What was found in the file that is no record; of its last block alone, as `n_skipped` is."""
    is_last: bool = False

    def packed(self) -> pa.Table:
        """Return a table of one row, which Ray neither splits nor joins with others.

        Columns of files may have equal and empty names, which blocks of Ray Data cannot have.
        """
        stream = pa.BufferOutputStream()  # a pickled slice would drag the whole table along
        with pa.ipc.new_stream(stream, self.batch.rows.schema) as writer:
            writer.write_table(self.batch.rows)
        bare = replace(self, batch=replace(self.batch, rows=None))
        payload = pickle.dumps((bare, stream.getvalue().to_pybytes()), protocol=5)
        return pa.table({_PAYLOAD: pa.array([payload], pa.large_binary())})


def refused(message: str) -> pa.Table:
    """Return what stands for a block that cannot be read, as `Block.packed` does for others."""
    return pa.table({_PAYLOAD: pa.array([pickle.dumps(message)], pa.large_binary())})


def unpacked(packed: pa.Table) -> Iterator[Block]:
    """Yield the blocks that were packed into the rows of a table.

    Raises:
        BadInput: one of them cannot be read.
    """
    for payload in packed[_PAYLOAD]:
        content = pickle.loads(payload.as_buffer())
        if isinstance(content, str):
            raise BadInput(content)
        bare, rows = content
        yield replace(bare, batch=replace(bare.batch, rows=pa.ipc.open_stream(rows).read_all()))


@dataclass(frozen=True, kw_only=True)
class Input:
    """The files of a job, which have the same columns, and how they are read."""

    files: tuple[Path, ...]
    states: tuple[FileState, ...]
    """Of each file when the job was begun."""
    schema: pa.Schema
    unit: str
    """What places in the files count, as `Source.unit`."""
    encoding: str | None
    delimiter: str | None
    layout: Layout
    block_rows: int
    n_rows: int
    """Rows of all files, estimated by the first; for progress bars."""

    def pending(self, kept: Mapping[Place, bool]) -> list[int]:
        """Return the files that have blocks that are not kept; `kept` tells of blocks whether they end their file."""
        n_kept = Counter(place.file for place in kept)
        whole = {place.file for place, is_last in kept.items() if is_last and n_kept[place.file] == place.block + 1}
        return [file for file in range(len(self.files)) if file not in whole]

    def open(self, file: int) -> Source:
        """Open one of the files.

        Raises:
            BadInput: it cannot be read, has changed, or has other columns than the first file.
        """
        path = self.files[file]
        if FileState.of(path) != self.states[file]:
            raise BadInput(f"{path} changed after the job was begun. Wait until it is complete, then start again.")
        source = open_source(path, encoding=self.encoding, delimiter=self.delimiter, layout=self.layout)
        _check_schema(source, self.schema, self.files[0])
        return source

    def blocks(self, file: int, kept: frozenset[Place]) -> Iterator[Block]:
        """Read a file, and yield its blocks but for those that are kept; a file without rows has one block."""
        source = self.open(file)
        number, first_row = 0, 1
        waiting = None  # the last block tells what was left out of the file
        for batch in source.batches():
            for start in range(0, max(batch.rows.num_rows, 1), self.block_rows):
                if waiting is not None and waiting.place not in kept:
                    yield waiting
                rows = batch.rows.slice(start, self.block_rows)
                is_end = start + self.block_rows >= batch.rows.num_rows
                waiting = Block(
                    place=Place(file, number),
                    first_row=first_row,
                    batch=Batch(
                        rows, batch.rejects if is_end else (), places=batch.places[start : start + self.block_rows]
                    ),
                )
                number, first_row = number + 1, first_row + rows.num_rows
        if waiting is None:
            waiting = Block(place=Place(file, 0), first_row=1, batch=Batch(source.schema.empty_table(), ()))
        if waiting.place not in kept:
            yield replace(waiting, n_skipped=source.n_skipped, left_out=source.left_out, is_last=True)

    def identity(self) -> list[list[Any]]:
        """Return a line per file by which a change of it is noticed, as JSON can hold it."""
        return [
            [path.name, state.size, state.mtime_ns, state.edges]
            for path, state in zip(self.files, self.states, strict=True)
        ]


class OneBatch(Source):
    """A block as a source, so that it is read as a file of its own would be."""

    def __init__(self, path: Path, unit: str, schema: pa.Schema, batch: Batch) -> None:
        self.path, self.unit, self.schema = path, unit, schema
        self.n_rows = batch.rows.num_rows
        self._batch = batch

    def _read(self) -> Iterator[Batch]:
        yield self._batch


def find_files(leads: Path) -> list[Path]:
    """Return the file that is named, or those of a folder or pattern in the order of their paths.

    Raises:
        BadInput: standard input is named, or there is no such file.
    """
    if leads == STANDARD_INPUT:
        raise BadInput("--engine ray cannot read standard input (-), which other machines do not see. Give a path.")
    if leads.is_dir():
        inside = (place.relative_to(leads) for place in leads.rglob("*") if place.is_file())
        # As Spark and Arrow have it, names that begin so are not part of the data.
        data = (
            place for place in inside if not any(part.startswith((".", "_", "unfinished-")) for part in place.parts)
        )
        found = [leads / place for place in sorted(data) if place.name.lower().endswith(_READ_FROM_FOLDERS)]
    elif not leads.exists() and set("*?[") & set(str(leads)):
        pattern = str(leads.relative_to(leads.anchor))
        found = sorted(Path(leads.anchor).glob(pattern))
    else:
        return [leads]
    if not found:
        raise BadInput(f"{leads} leads to no file; expected {first_few(_READ_FROM_FOLDERS)} files. Check the path.")
    return found


def open_input(leads: Path, encoding: str | None, delimiter: str | None, layout: Layout) -> tuple[Input, Source]:
    """Return the files of a job and, opened, the first of them.

    Raises:
        BadInput: there is no file, or the first cannot be read.
    """
    files = [path.absolute() for path in find_files(leads)]
    source = open_source(files[0], encoding=encoding, delimiter=delimiter, layout=layout)
    states = tuple(map(FileState.of, files))
    found = Input(
        files=tuple(files),
        states=states,
        schema=source.schema,
        unit=source.unit,
        encoding=encoding,
        delimiter=delimiter,
        layout=layout,
        block_rows=BLOCK_ROWS,
        n_rows=source.n_rows * sum(state.size for state in states) // max(states[0].size, 1),
    )
    return found, source


def _check_schema(source: Source, schema: pa.Schema, first: Path) -> None:
    if source.schema.equals(schema):
        return
    mine, others = (_described(one) for one in (source.schema, schema))
    odd = [f"{column} here" for column in mine if column not in others]
    odd += [f"{column} there" for column in others if column not in mine]
    what = first_few(odd) if odd else "another order"
    raise BadInput(
        f"{source.path} has other columns than {first}: {what}. All files of a job need the same columns in the same "
        "order; tag the others in a job of their own."
    )


def _described(schema: pa.Schema) -> Sequence[str]:
    return [f"{field.name!r} ({field.type})" for field in schema]
