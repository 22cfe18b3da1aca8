"""Tag a file as the verb does, and read back everything that came out of it, with other readers than ours."""

import csv
import gzip
import io
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq

from data_cleaning.files.output_places import rejects_file
from data_cleaning.files.spreadsheet_text import unescape_cell
from data_cleaning.progress import Progress, silent
from harness.tagging.predict import Tagged, tag_file
from harness.tagging.work import Job
from tests.fuzz.fuzz_size import TALLY, within_limit


@dataclass(frozen=True)
class Written:
    """What lies beside each other after a job: every leads row must be in one of them."""

    names: list[str]
    rows: list[tuple[Any, ...]]
    rejects: list[tuple[int, str, str]]
    """Place, reason, text."""


def tag(job: Job, on_progress: Progress = silent) -> Tagged:
    """Tag a file within the time limit, and count it."""
    n_bytes = job.leads.stat().st_size
    with within_limit(f"{job.system}, {job.leads.suffix} to {''.join(job.out.suffixes)}, {n_bytes:,} bytes"):
        tagged = tag_file(job, on_progress, lambda line: None)
    TALLY.add(bytes=n_bytes, rows=tagged.n_rows, rejects=tagged.n_rejected)
    return tagged


def read_written(out: Path, delimiter: str = ",", *, raw: bool = True) -> Written:
    """Read a tagged file and its rejects.

    Args:
        out: of the job.
        delimiter: of a CSV output.
        raw: whether text was written as it is; otherwise the escape of formulas is undone.
    """
    names, *rows = _rows(out, delimiter)
    beside = rejects_file(out)
    rejects = _csv_rows(beside.read_bytes().decode("utf-8"), ",")[1:] if beside.exists() else []
    as_typed = str if raw or out.suffix == ".parquet" else unescape_cell
    undone = [tuple(as_typed(cell) if isinstance(cell, str) else cell for cell in row) for row in rows]
    texts = [(int(place), reason, text if raw else unescape_cell(text)) for place, reason, text in rejects]
    return Written([as_typed(name or "") for name in names], undone, texts)


def _rows(out: Path, delimiter: str) -> list[Any]:
    if out.suffix == ".parquet":
        table = pq.read_table(out)
        return [table.column_names, *zip(*(column.to_pylist() for column in table.columns), strict=True)]
    if out.suffix == ".xlsx":
        with closing(openpyxl.load_workbook(out, read_only=True)) as book:
            return list(book.active.values)
    content = out.read_bytes()
    return _csv_rows((gzip.decompress(content) if out.suffix == ".gz" else content).decode("utf-8"), delimiter)


def _csv_rows(text: str, delimiter: str) -> list[list[str]]:
    """Read CSV as Python does, where a fault is an error."""
    limit = csv.field_size_limit(1 << 30)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    finally:
        csv.field_size_limit(limit)
