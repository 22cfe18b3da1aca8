"""What is to be tagged, and how one piece of it is: the columns that are read, and those that are written."""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from data_cleaning.errors import BadInput, unknown
from data_cleaning.files import Batch, Source
from data_cleaning.lead_columns import find_title
from data_cleaning.titles import IntArray
from harness.experiment.cache import commit, digest, file_digest, library_versions, project_version
from harness.experiment.systems import is_table
from harness.tagging.business.counting import count_part
from harness.tagging.business.follow_up import best_of_part
from harness.tagging.business.listed import listed
from harness.tagging.fields import REVIEW, Fields
from harness.tagging.hierarchy import Hierarchy
from harness.tagging.layout import Layout, every_field
from harness.tagging.models import Model, load_hierarchy
from harness.tagging.outputs import Finished, Part
from harness.tagging.rejects import write_rejects
from harness.tagging.tagger import Tagger
from harness.tagging.title_cache import Records

REJECTS, COUNTS, BEST, ANSWERS = "rejects.csv", "counts.parquet", "follow_up.parquet", "answers.npy"
"""What a part keeps beside its rows."""

_PIECE = 65_536
"""Rows tagged and written at a time; a block of a narrow file may hold millions."""


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
    """None takes the configured one, or whichever is called title or job title."""
    encoding: str | None = None
    delimiter: str | None = None
    """None finds either of them out."""
    by: tuple[str, ...] = ()
    """Columns of the file that the summary is broken down by."""
    prefix: str = ""
    """Put before the name of each added column; a layout names them itself."""
    review_below: float = 0.7
    """Confidence under which a label is for review."""
    spreadsheet_safe: bool = False
    force: bool = False


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Rows of one batch that are tagged and not yet written."""

    batch: Batch
    is_last: bool
    """Whether the batch ends with it."""
    first_row: int
    """Number of its first row in the file, from 1."""
    rows: pa.Table
    """As they were read, n_rows rows."""
    records: Records
    """What was answered, (n_rows,)."""
    answered: Records
    """Titles that were answered for it, for a call that goes on."""
    cells: Sequence[tuple[Any, ...]] | None
    """Of a spreadsheet that was read: the cells of each row, n_rows rows; None for other files."""


class Work:
    """A job and its file, checked; what stays the same from part to part."""

    def __init__(self, job: Job, source: Source) -> None:
        """Check everything that needs no system.

        Raises:
            BadInput: hierarchy or layout has faults; there is no column of titles, or none to break down by; columns
                would be overwritten.
        """
        self.job = job
        self.source = source
        taxonomy, columns = job.model.taxonomy, source.schema.names
        self.hierarchy = load_hierarchy(job.hierarchy, job.model)
        if job.by and self.hierarchy is None:
            raise BadInput("--by breaks the summary down, but without a hierarchy there is none. Give --hierarchy.")
        layout = None if job.layout is None else Layout.read(job.layout)
        if layout is not None and job.prefix:
            raise BadInput(f"--prefix {job.prefix!r} and --layout {layout.path} both name columns. Choose one of them.")
        title = find_title(
            columns, job.title_column or job.model.title_column, job.leads, asked_for=job.title_column is not None
        )
        self.title = only_column(title, columns, job.leads)
        check_text(source.schema.field(self.title), job.leads)
        self.by = {name: only_column(name, columns, job.leads) for name in dict.fromkeys(job.by)}
        types = Fields(taxonomy, self.hierarchy).types()
        added = list(types)
        self.written = every_field(columns, added, job.prefix) if layout is None else layout.fields(columns, added)
        self.names = [field.name for field in self.written]
        fields = [
            # One of the file's own keeps what else its schema says of it.
            pa.field(name, types[one.added]) if one.column is None else source.schema.field(one.column).with_name(name)
            for name, one in zip(_unique(self.names), self.written, strict=True)
        ]
        self.schema = pa.schema(fields, source.schema.metadata)
        self.delimiter = (layout.delimiter if layout else None) or source.delimiter or ","
        self._seeds: list[int] | None = None

    @cached_property
    def tagger(self) -> Tagger:
        """The loaded system; a network takes seconds, so that faults of the file are told first."""
        job = self.job
        folder, taxonomy = job.model.systems[job.system], job.model.taxonomy
        return Tagger(job.system, folder, taxonomy, self.hierarchy, job.review_below, seeds=self._seeds)

    @cached_property
    def _fields(self) -> Fields:
        return Fields(self.job.model.taxonomy, self.hierarchy, self.tagger.keywords)

    def identity(self) -> dict[str, Any]:
        """Return everything that the rows depend on, by what a person calls it."""
        job = self.job
        return {
            "input": self.source.identity(),
            "model": {"content": job.model.identity, "system": job.system},
            "hierarchy": None if job.hierarchy is None else file_digest(job.hierarchy),
            "columns": digest([[field.name, field.column, field.added] for field in self.written]),
            "options": {"title column": self.title, "by": list(self.by), "review below": job.review_below},
            "versions": {"project": project_version(), "commit": commit(), **library_versions()},
        }

    def go_on_after(self, parts: Sequence[Finished]) -> None:
        """Take over the titles that an earlier call has answered, so that the rest is answered as it would have been.

        A network rounds by the other titles of a batch, in the last digits, and so has to be asked the same batches.
        """
        if parts:
            self._seeds = parts[0].journal["seeds"]
        for part in parts:
            if part.journal["answered"]:
                kept = np.load(part.path(ANSWERS), allow_pickle=False)
                for one in np.split(kept, np.cumsum(part.journal["answered"])[:-1]):
                    self.tagger.restore(one)

    def pieces(
        self, batches: Iterable[Batch], n_before: int, told: Callable[[int], None]
    ) -> Generator["Piece", None, None]:
        """Tag batches, a piece at a time.

        Args:
            batches: of the file, from some row on.
            n_before: rows of the file before them.
            told: how many rows of the batches are done.
        """
        done = 0
        for batch in batches:
            for start in range(0, max(batch.rows.num_rows, 1), _PIECE):
                rows = batch.rows.slice(start, _PIECE)

                def of_titles(titles: int, total: int, before: int = done, n_rows: int = rows.num_rows) -> None:
                    told(before + n_rows * titles // max(total, 1))

                titles = pl.Series("title", pl.from_arrow(rows.column(self.title))).cast(pl.String)
                records, answered = self.tagger.tag(titles, of_titles)
                yield Piece(
                    batch=batch,
                    is_last=start + _PIECE >= batch.rows.num_rows,
                    first_row=n_before + done + 1,
                    rows=rows,
                    records=records,
                    answered=answered,
                    cells=None if batch.cells is None else batch.cells[start : start + _PIECE],
                )
                done += rows.num_rows
                told(done)

    def _cells(self, table: pa.Table, cells: Sequence[tuple[Any, ...]] | None) -> list[tuple[Any, ...]] | None:
        """Return what the cells of a spreadsheet will hold: its own values where they were read, and the added ones."""
        if cells is None:
            return None
        own = list(zip(*cells, strict=True)) or [()] * len(self.source.schema)
        columns = [
            table.column(position).to_pylist() if one.column is None else own[one.column]
            for position, one in enumerate(self.written)
        ]
        return list(zip(*columns, strict=True))

    def write(self, part: Part, pieces: Iterable["Piece"]) -> dict[str, Any]:
        """Write the pieces of one batch, at least one, as a part.

        Returns:
            What is to be known of the part later: `end` of the batch; how many rows, untitled rows, rows for review and
            rejects it has; and how many titles were answered for each piece, known by hashes with `seeds`.
        """
        counts, best, answered = [], [], []
        n_untitled = n_review = 0
        for piece in pieces:
            # Here and not where titles are tagged, so that both go on side by side.
            values = self._fields.values(piece.records)
            columns = [
                values[one.added] if one.column is None else piece.rows.column(one.column) for one in self.written
            ]
            table = pa.table(columns, names=self.schema.names)
            part.write(table, self._cells(table, piece.cells))
            answered.append(piece.answered)
            n_untitled += int((piece.records["labels"][:, 0] < 0).sum())
            n_review += int(np.count_nonzero(values[REVIEW]))
            if self.hierarchy is not None:
                counts.append(self._count(piece.records, piece.rows))
                best += self._best(self.hierarchy, piece, table)
        if counts:
            pl.concat(counts, how="diagonal").write_parquet(part.path(COUNTS))
        if best:
            pl.concat(best).write_parquet(part.path(BEST))
        # A table answers a title alike in any company, and faster than its answers are read.
        with_answers = not is_table(self.job.system) and any(map(len, answered))
        if with_answers:
            np.save(part.path(ANSWERS), np.concatenate(answered), allow_pickle=False)
        batch = piece.batch
        write_rejects(part.path(REJECTS), batch.rejects, spreadsheet_safe=self.job.spreadsheet_safe)
        return {
            "end": dict(batch.end),
            "rows": batch.rows.num_rows,
            "untitled": n_untitled,
            "review": n_review,
            "rejected": len(batch.rejects),
            "answered": [len(one) for one in answered] if with_answers else [],
            "seeds": self.tagger.seeds,
        }

    def _count(self, records: Records, rows: pa.Table) -> pl.DataFrame:
        by = {name: pl.Series(name, pl.from_arrow(rows.column(column))) for name, column in self.by.items()}
        labels = {name: records["labels"][:, number] for number, name in enumerate(self.job.model.taxonomy.names)}
        titled = records["labels"][:, 0] >= 0
        return count_part(
            records["node"], records["band"], labels, records["leaf"], records["contradiction"], titled, by
        )

    @staticmethod
    def _best(hierarchy: Hierarchy, piece: "Piece", table: pa.Table) -> list[pl.DataFrame]:
        """Return who of these rows may be followed up; nothing where the hierarchy does not say whom."""
        if hierarchy.follow_up is None:
            return []
        node, band, confidence = (piece.records[name] for name in ("node", "band", "place_confidence"))

        def taken(positions: IntArray) -> pl.DataFrame:
            names, columns = table.column_names, table.columns
            return pl.DataFrame(
                [listed(column, positions).alias(name) for name, column in zip(names, columns, strict=True)]
            )

        return [best_of_part(hierarchy.follow_up, node, band, confidence, taken, first_row=piece.first_row)]


def only_column(name: str, columns: list[str], path: Path) -> int:
    """Return the position of the one column of a name.

    Raises:
        BadInput: there is none, or there are several.
    """
    places = [position for position, column in enumerate(columns) if column == name]
    if not places:
        raise BadInput(f"{path}: {unknown('column', name, columns)}")
    if len(places) > 1:
        raise BadInput(
            f"{path} has {len(places)} columns called {name!r}, of which one was asked for. Rename the others."
        )
    return places[0]


def check_text(field: pa.Field, path: Path) -> None:
    """Refuse a column of titles that holds no text.

    Raises:
        BadInput: saying what it holds.
    """
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    if not any(is_text(kind) for is_text in texts):
        raise BadInput(
            f"{path}: column {field.name!r} holds {field.type}, expected titles as text. Name another column with "
            "--title-column."
        )


def _unique(names: list[str]) -> list[str]:
    """Number names that stand there before, since frames want them unique: a, a becomes a, a (2).

    Arrow hands a name on to polars no further than its first NUL.
    """
    unique: list[str] = []
    for given in names:
        name = given.replace("\0", "\N{SYMBOL FOR NULL}")
        number, free = 2, name
        while free in unique:
            number, free = number + 1, f"{name} ({number})"
        unique.append(free)
    return unique
