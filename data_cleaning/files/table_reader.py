"""Whole tables in memory, from a file of any kind: every row of it, or a refusal that names the rows at fault."""

import heapq
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.compute as pc

from data_cleaning.errors import BadInput, counted, first_few, shortened
from data_cleaning.files.opening import open_source
from data_cleaning.files.sources import Batch, FileColumns, Reject, Source
from data_cleaning.files.spreadsheet_text import unescape_frame
from data_cleaning.files.table_layout import Layout

NO_TEXT = cs.nested() | cs.binary() | cs.duration() | cs.object()
"""Columns of a Parquet file that no CSV file can hold."""

_LONGEST_SHOWN = 60
MAX_TABLE_BYTES = 4 * 10**9
"""Limit for the columns that are held in memory, and for the text of what could not be read."""


@dataclass(frozen=True, kw_only=True)
class TableFile:
    """Somebody's table as it was read."""

    path: Path
    frame: pl.DataFrame
    """The chosen columns: text with null for an empty cell in CSV and XLSX, a Parquet file's own types."""
    columns: tuple[str, ...]
    """Names of all columns of the file but those without name and content."""
    unit: str
    """What `places` count: lines of a CSV file, the header's being 1; rows of a sheet; or rows of a Parquet file."""
    places: pl.Series
    """Line or row on which each row begins, (n_rows,)."""
    notes: tuple[str, ...] = ()
    """How the file was read and what was left out, in sentences for a person."""
    rejects: tuple[Reject, ...] = ()
    """What could not be read as a row, where the caller asked to keep it."""
    cells: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """XLSX only, if the caller asked for them: the cells of each column, numbers and dates with their formats."""

    def place(self, row: int) -> str:
        """Say where a row is, as in "line 7"; rows are counted from 0."""
        return f"{self.unit} {self.places[row]}"

    def rejects_said(self) -> list[str]:
        """Say in a sentence what could not be read and was set aside; nothing where that is nothing."""
        if not self.rejects:
            return []
        shown = first_few((f"{self.unit} {one.place} {one.reason}" for one in self.rejects), max_items=3)
        rows = counted(len(self.rejects), "row")
        return [f"{rows} set aside, as not readable: {shown}."]


def read_table(
    path: Path | Source,
    encoding: str | None = "utf-8",
    *,
    choose: Callable[[FileColumns], Sequence[str]] | None = None,
    allow_no_rows: bool = False,
    keep_rejects: bool = False,
    keep_cells: bool = False,
    layout: Layout = Layout(),
) -> TableFile:
    """Read a table.

    Args:
        path: CSV, gzipped CSV, Parquet or XLSX, which `open_source` tells apart; or a source that is open already.
        encoding: of a CSV file; None finds it out.
        choose: given the columns, returns the names of those to read; of equal names each has its place added. None
            reads all.
        allow_no_rows: whether a header alone will do.
        keep_rejects: whether to return rows that could not be read, those with NUL bytes included, where others could;
            otherwise they are refused. Where somebody chooses, a column without a name but with content is then called
            "column 3" by its place, and read where all columns are.
        keep_cells: whether to return the cells of a spreadsheet too.
        layout: where the table is within the file; by default it is found.

    Raises:
        BadInput: the file cannot be opened; it names a column twice and nobody chooses; it has content in a column
            without a name, NUL bytes, or, unless that is allowed, no rows or rows that could not be read.
    """
    source = path if isinstance(path, Source) else open_source(path, encoding=encoding, layout=layout)
    path = source.path
    columns = FileColumns(source)
    _check_names(source, one_each=choose is None)
    names = columns.named if choose is None else list(choose(columns))
    reads_all = len(names) == len(columns.named)
    chosen = [columns.names.index(name) for name in names]
    nameless = [position for position, name in enumerate(columns.names) if not name.strip()]
    given = {}
    if choose is not None and keep_rejects:
        given = {_given_name(position, columns.names): position for position in nameless}
        names, chosen = [*names, *given], [*chosen, *given.values()]
    # Columns that are not chosen are let go batch by batch.
    frames = [pl.DataFrame(source.schema.empty_table().select(chosen).rename_columns(names))]
    places = [np.empty(0, dtype=np.int64)]
    rejects: list[Reject] = []
    cells: dict[str, list[Any]] = {}
    n_bytes = 0
    for batch in source.batches():
        rows = batch.rows.select(chosen).rename_columns(names)
        _refuse_nameless_content(source, batch, [] if given else nameless)
        nul = _nul_bytes(source, rows)
        if nul.any() and not keep_rejects:
            raise _not_text(source, int(batch.places[nul].min()))
        try:
            frames.append(pl.DataFrame(rows.filter(pa.array(~nul)) if nul.any() else rows))
        except pl.exceptions.PolarsError as error:
            raise BadInput(f"{path} has a column of a type that cannot be read: {error}. Leave it out.") from None
        n_bytes += rows.nbytes + sum(len(one.text) for one in batch.rejects)
        if n_bytes > MAX_TABLE_BYTES:
            raise BadInput(
                f"{path} takes more than {MAX_TABLE_BYTES:,} bytes of memory. Split it, or remove what is not "
                "part of the table; only predict reads files of any size."
            )
        places.append(batch.places[~nul])
        if keep_cells and batch.cells:
            for name, position in zip(names, chosen, strict=True):
                cells.setdefault(name, []).extend(row[position] for row in batch.cells)
        rejects += heapq.merge(batch.rejects, _as_rejects(source, batch, nul), key=lambda one: one.place)
    frame = pl.concat(frames, rechunk=True)
    filled = [name for name in given if not _is_blank(frame[name])]
    frame = frame.drop(name for name in given if name not in filled or not reads_all)
    if rejects and (not keep_rejects or (frame.is_empty() and not allow_no_rows)):
        raise _unreadable(source, rejects, frame)
    if frame.is_empty() and not rejects and not allow_no_rows:
        raise BadInput(f"{path} has a header but no rows; expected at least one.")
    return TableFile(
        path=path,
        frame=frame,
        columns=(*columns.named, *filled),
        unit=source.unit,
        places=pl.Series(source.unit, np.concatenate(places)),
        notes=_notes(source, [position for position in nameless if position not in map(given.get, filled)]),
        rejects=tuple(rejects),
        cells={name: values for name, values in cells.items() if name in frame.columns},
    )


def as_text(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Return every column as text; a whole number is written without a fraction, as 1 and not as 1.0.

    Text that was escaped for a spreadsheet is unescaped.

    Raises:
        BadInput: naming every column of lists, structures, binary data or durations.
    """
    odd = frame.select(NO_TEXT).columns
    if odd:
        raise BadInput(
            f"{path}: column {first_few(map(repr, odd))} holds {frame[odd[0]].dtype}, expected text. "
            "Write it as text, or name another column."
        )
    fractions = cs.float().fill_nan(None).cast(pl.String).str.strip_suffix(".0")
    return unescape_frame(frame.with_columns(fractions).cast(pl.String))


def _check_names(source: Source, *, one_each: bool) -> None:
    path, times = source.path, Counter(name for name in source.schema.names if name.strip())
    if not times:
        raise BadInput(f"{path} names no column in its header; expected a header such as Title,Country.")
    repeated = sorted(name for name, n_times in times.items() if n_times > 1)
    if repeated and one_each:
        shown = first_few(map(repr, repeated))
        raise BadInput(f"{path} names these columns more than once: {shown}. Rename all but one of each.")


def _refuse_nameless_content(source: Source, batch: Batch, nameless: list[int]) -> None:
    """Refuse content in a column without a name; spreadsheets leave empty ones, which are passed over."""
    for position in nameless:
        column = batch.rows.column(position)
        if pa.types.is_string(column.type):
            filled = pc.not_equal(pc.fill_null(pc.utf8_trim_whitespace(column), ""), "")
        else:
            filled = column.is_valid()
        rows = np.flatnonzero(filled.to_numpy())
        if len(rows):
            raise BadInput(
                f"{source.path}: column {position + 1} from the left has no name but content, first in {source.unit} "
                f"{batch.places[rows[0]]}. Name it in the header, or empty it."
            )


def _nul_bytes(source: Source, rows: pa.Table) -> npt.NDArray[np.bool_]:
    """Say which rows of a text file hold a NUL byte, (n_rows,); only text files have them by mistake."""
    found = np.zeros(rows.num_rows, dtype=np.bool_)
    if source.unit == "line":
        if any("\0" in name for name in rows.column_names):
            raise _not_text(source, 1)
        for column in rows.columns:
            found |= pc.match_substring(column, "\0").fill_null(False).to_numpy()
    return found


def _not_text(source: Source, line: int) -> BadInput:
    return BadInput(
        f"{source.path}: line {line} holds a NUL byte, which no text does. Delete that byte, export the file again as "
        "UTF-8 text, or name its encoding where it is UTF-16."
    )


def _as_rejects(source: Source, batch: Batch, at_fault: npt.NDArray[np.bool_]) -> list[Reject]:
    rows = np.flatnonzero(at_fault)
    cells = zip(*(column.take(rows).to_pylist() for column in batch.rows.columns), strict=True) if len(rows) else ()
    texts = ((source.delimiter or ",").join(cell or "" for cell in row) for row in cells)
    return [Reject(int(place), "holds a NUL byte", text) for place, text in zip(batch.places[rows], texts, strict=True)]


def _unreadable(source: Source, rejects: list[Reject], frame: pl.DataFrame) -> BadInput:
    """Name the rows that could not be read, and what to do about each kind of fault."""
    shown = first_few(
        f"{source.unit} {one.place} {one.reason} ({shortened(one.text, _LONGEST_SHOWN)!r})" for one in rejects
    )
    reasons = " ".join(one.reason for one in rejects)
    remedies = []
    if source.unit != "line":
        remedies.append("Fix or delete these rows.")
    if " field" in reasons and source.unit == "line":
        remedies.append("Put quotes around a cell that holds the delimiter, or fix these rows.")
    if " quote" in reasons:
        remedies.append("Close each quote, or double every quote that belongs to the text.")
    if "NUL byte" in reasons:
        remedies.append("Name the encoding of the file where it is UTF-16, or export it again as UTF-8 text.")
    if "longer than" in reasons:
        remedies.append("Split or delete lines that are too long to be rows.")
    if "(byte 0x" in reasons:
        accented = frame.select((pl.all().str.len_bytes() != pl.all().str.len_chars()).any())
        if any(accented.row(0)):
            remedies.append(
                "Other lines with accents can be read, so the file mixes encodings: write the lines above again in "
                "the encoding of the others."
            )
        else:
            remedies.append("Save the file as UTF-8, or name its encoding (often latin-1 or cp1252).")
    rows = "row" if len(rejects) == 1 else "rows"
    return BadInput(f"{source.path}: {len(rejects):,} {rows} could not be read: {shown}. {' '.join(remedies)}")


def _given_name(position: int, names: list[str]) -> str:
    """Return a name for a column without one that no other has."""
    name = f"column {position + 1}"
    while name in names:
        name += "_"
    return name


def _is_blank(values: pl.Series) -> bool:
    texts = values.drop_nulls()
    return texts.is_empty() or (texts.dtype == pl.String and bool((texts.str.strip_chars() == "").all()))


def _notes(source: Source, nameless: list[int]) -> tuple[str, ...]:
    notes = [*source.notes, *source.left_out]
    if source.n_skipped:
        what = "Blank lines" if source.unit == "line" else "Empty rows"
        notes.append(f"{what}, skipped: {source.n_skipped:,}.")
    if nameless:
        shown = first_few(str(position + 1) for position in nameless)
        notes.append(f"Columns without name and content, left out: {shown}, from the left.")
    return tuple(notes)
