"""What is to be tagged, and how one piece of it is: the columns that are read, and those that are written."""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from data_cleaning.column_names import one_column, shown, unique_names
from data_cleaning.errors import BadInput
from data_cleaning.files import Batch, Reject, Source
from data_cleaning.files import Layout as TableLayout
from data_cleaning.files.sources import FileColumns
from data_cleaning.files.written_tables import RowWriter, write_rejects
from data_cleaning.lead_columns import find_title
from harness.experiment.cache import commit, digest, library_versions, project_version
from harness.experiment.checksums import file_digest
from harness.tagging.answers import Answers
from harness.tagging.business.counting import RecordCounter
from harness.tagging.business.follow_up import BestRows
from harness.tagging.fields import DEFAULT, REVIEW, Fields
from harness.tagging.layout import Layout, every_field
from harness.tagging.models import Model, load_hierarchy
from harness.tagging.tagger import Tagger

DEFAULT_REVIEW_BELOW = 0.7
"""Confidence under which an answer is for review, unless somebody says otherwise."""

_PIECE, _PIECE_BYTES = 262_144, 64 << 20
"""Most rows, and about the most bytes of them, tagged and written at a time; a block of a file may hold millions.

The more rows, the more titles a system answers at once, and the fewer of them twice.
"""

_FORMAT_VERSION = 4
"""Of what an unfinished job keeps."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to tag, with what, and how to write it."""

    leads: Path
    out: Path
    model: Model
    system: str
    hierarchy: Path | None
    """None places nothing, and makes no summary."""
    layout: Path | None = None
    title_column: str | None = None
    """None finds it, the one of the model first."""
    encoding: str | None = None
    delimiter: str | None = None
    """None finds either of them out."""
    table: TableLayout = TableLayout()
    """Where the table is within the file."""
    by: tuple[str, ...] = ()
    """Columns of the file that the summary is broken down by."""
    fields: str = DEFAULT
    """What is added, as `Fields.chosen` takes it; a layout names the fields itself."""
    prefix: str = ""
    """Put before the name of each added column; a layout names them itself."""
    review_below: float = DEFAULT_REVIEW_BELOW
    """Confidence under which a label is for review."""
    raw: bool = False
    """Whether text that a spreadsheet would run as a formula is written as it is."""
    force: bool = False


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Rows that follow each other, tagged and not yet written."""

    first_row: int
    """Number of its first row in the file, from 1."""
    rows: pa.Table
    """As they were read, n_rows rows."""
    answers: Answers
    """What was answered about them."""
    cells: Sequence[tuple[Any, ...]] | None
    """Of a spreadsheet that was read: the cells of each row, n_rows rows; None for other files."""
    rejects: Sequence[Reject]
    """What could not be read as rows, up to the end of the piece and after the pieces before it."""


class Work:
    """A job and its file, checked, and how a piece of it is tagged and written."""

    def __init__(self, job: Job, source: Source) -> None:
        """Check everything that needs no system.

        Raises:
            BadInput: hierarchy or layout has faults; there is no column of titles, or none to break down by; columns
                would be overwritten.
        """
        self.job = job
        self.source: Source = source
        taxonomy, columns = job.model.taxonomy, source.schema.names
        self.hierarchy = load_hierarchy(job.hierarchy, job.model)
        if job.by and self.hierarchy is None:
            raise BadInput("--by breaks the summary down, but without a hierarchy there is none. Give --hierarchy.")
        layout = None if job.layout is None else Layout.read(job.layout)
        for option, given in {"--prefix": job.prefix, "--fields": "" if job.fields == DEFAULT else job.fields}.items():
            if layout is not None and given:
                raise BadInput(f"{option} {given!r} and --layout {layout.path} both name columns. Choose one of them.")
        self.title, self.title_said = find_titles(source, job.leads, job.model, job.title_column)
        distinct = unique_names(columns)
        found = {name: one_column(distinct, name, job.leads) for name in dict.fromkeys(job.by)}
        self.by = {name: distinct.index(column) for name, column in found.items()}
        fields = Fields(taxonomy, self.hierarchy)
        types = fields.types()
        if layout is None:
            self.written = every_field(columns, fields.chosen(job.fields), job.prefix)
        else:
            self.written = layout.fields(columns, list(types))
        self.names = [field.name for field in self.written]
        written = [
            # One of the file's own keeps what else its schema says of it.
            pa.field(name, types[one.added]) if one.column is None else source.schema.field(one.column).with_name(name)
            for name, one in zip(_unique(self.names), self.written, strict=True)
        ]
        self.schema = pa.schema(written, source.schema.metadata)
        self.delimiter = (layout.delimiter if layout else None) or source.delimiter or ","

    @cached_property
    def tagger(self) -> Tagger:
        """The loaded system; a network takes seconds, so that faults of the file are told first."""
        job = self.job
        folder = job.model.systems[job.system]
        return Tagger(job.system, folder, job.model.taxonomy, self.hierarchy, job.review_below)

    @cached_property
    def _fields(self) -> Fields:
        return Fields(self.job.model.taxonomy, self.hierarchy, self.tagger.keywords)

    def identity(self, content: Any = None) -> dict[str, Any]:
        """Return everything that the files depend on, by what a person calls it; None for `content` reads the file."""
        job = self.job
        return {
            "format version": _FORMAT_VERSION,
            "input": self.source.identity() if content is None else content,
            "model": {"content": job.model.identity, "system": job.system},
            "hierarchy": None if job.hierarchy is None else file_digest(job.hierarchy),
            "columns": digest([[field.name, field.column, field.added] for field in self.written]),
            "column types": [str(field.type) for field in self.schema],
            "delimiter": self.delimiter,
            "raw text": job.raw,
            "options": {"title column": self.title, "by": list(self.by), "review below": job.review_below},
            "versions": {"project": project_version(), "commit": commit(), **library_versions()},
        }

    def pieces(self, batches: Iterable[Batch], told: Callable[[int], None]) -> Generator[Piece, None, None]:
        """Tag the batches of the file, a piece at a time; `told` is told how many rows are done."""
        done = 0
        for batch in batches:
            n_rows = max(batch.rows.num_rows, 1)
            size = min(max(n_rows * _PIECE_BYTES // max(batch.rows.nbytes, 1), 1), _PIECE)
            for start in range(0, n_rows, size):
                rows = batch.rows.slice(start, size)

                def of_titles(titles: int, total: int, before: int = done, n_rows: int = rows.num_rows) -> None:
                    told(before + n_rows * titles // max(total, 1))

                titles = pl.Series("title", pl.from_arrow(rows.column(self.title))).cast(pl.String)
                yield Piece(
                    first_row=done + 1,
                    rows=rows,
                    answers=self.tagger.tag(titles, of_titles),
                    cells=None if batch.cells is None else batch.cells[start : start + size],
                    rejects=batch.rejects if start + size >= n_rows else (),
                )
                done += rows.num_rows
                told(done)

    def write(self, piece: Piece, output: RowWriter, tally: "Tally") -> None:
        """Write a piece, and count it.

        This is apart from `pieces`, so that one piece is written while the next one is tagged.
        """
        answers = piece.answers
        values = self._fields.values(answers, {REVIEW, *(one.added for one in self.written)})
        columns = [
            # Texts as views, so that none is copied row by row.
            values[one.added].to_arrow(compat_level=pl.CompatLevel.newest())
            if one.column is None
            else piece.rows.column(one.column)
            for one in self.written
        ]
        table = pa.table(columns, names=self.schema.names)
        output.write(table, None if piece.cells is None else self._cells(table, piece.cells))
        tally.n_rows += piece.rows.num_rows
        tally.n_untitled += answers.n_rows(answers.records["labels"][:, 0] < 0)
        tally.n_review += int(values[REVIEW].sum())
        tally.n_repaired += answers.n_rows(answers.records["repaired"])
        tally.write_rejects(piece.rejects)
        if self.hierarchy is not None:
            by = {name: pl.Series(name, pl.from_arrow(piece.rows.column(column))) for name, column in self.by.items()}
            tally.counter.add(answers, self.job.model.taxonomy.names, by)
        if tally.best is not None:
            tally.best.add(answers, table, piece.first_row)

    def _cells(self, table: pa.Table, cells: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Return what the cells of a spreadsheet will hold: its own values where they were read, and the added ones."""
        own = list(zip(*cells, strict=True)) or [()] * len(self.source.schema)
        columns = [
            table.column(position).to_pylist() if one.column is None else own[one.column]
            for position, one in enumerate(self.written)
        ]
        return list(zip(*columns, strict=True))


class Tally:
    """What the written rows add up to; their rejects are written as they come, to a file that is made for the first."""

    def __init__(self, work: Work, rejects: Path) -> None:
        self.n_rows = self.n_untitled = self.n_review = self.n_repaired = self.n_rejected = 0
        self.counter = RecordCounter()
        follow_up = None if work.hierarchy is None else work.hierarchy.follow_up
        self.best = None if follow_up is None else BestRows(follow_up)
        self._unit = work.source.unit
        self._rejects = rejects
        self._raw = work.job.raw

    def write_rejects(self, rejects: Sequence[Reject]) -> None:
        """Write where something could not be read (line or row), why, and the text as it was read."""
        write_rejects(self._rejects, rejects, self._unit, raw=self._raw)
        self.n_rejected += len(rejects)


def find_titles(source: Source, path: Path, model: Model, asked: str | None) -> tuple[int, str]:
    """Return the position of the column of titles, and how it was found, in sentences.

    Args:
        source: whose column it is.
        path: of the file, for messages.
        model: says what the column was called in the leads that were learned from.
        asked: name that was asked for; None takes the one of the model, or finds it as `find_title` does.

    Raises:
        BadInput: there is no such column, there are several, or it holds no text.
    """
    columns = FileColumns(source)
    wanted, asked_for = asked or model.title_column, asked is not None
    title = find_title(columns.named, wanted, path, asked_for=asked_for, values=columns.values)
    position = columns.names.index(title.name)
    field = source.schema.field(position)
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    if not any(is_text(kind) for is_text in texts):
        raise BadInput(
            f"{path}: column {field.name!r} holds {field.type}, expected titles as text. Name another column with "
            "--title-column."
        )
    return position, f"Titles are read from {shown(title.name)}. {title.why}".rstrip()


def _unique(names: list[str]) -> list[str]:
    """Number names that occurred before, since frames want them unique: a, a becomes a, a (2)."""
    unique: list[str] = []
    for given in names:
        name = given.replace("\0", "\N{SYMBOL FOR NULL}")  # polars takes a name from Arrow up to its first NUL
        number, free = 2, name
        while free in unique:
            number, free = number + 1, f"{name} ({number})"
        unique.append(free)
    return unique
