"""Tag a file of any size: its own columns in their order, and beside them what is answered about each title."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from threading import Event

import polars as pl

from data_cleaning.errors import BadInput, first_few
from data_cleaning.progress import Progress
from harness.table_files import check_file
from harness.tagging.ahead import ahead
from harness.tagging.business.counting import merge_counts
from harness.tagging.business.files import business_files, write_business
from harness.tagging.business.follow_up import best_of_all
from harness.tagging.business.summary import Summary, summarise
from harness.tagging.outputs import Output, open_output
from harness.tagging.rejects import join_rejects, rejects_file
from harness.tagging.sources import Batch, Source, open_source
from harness.tagging.work import BEST, COUNTS, REJECTS, Job, Work


@dataclass(frozen=True)
class Tagged:
    """What was tagged."""

    n_rows: int
    n_untitled: int
    n_review: int
    n_rejected: int
    n_answered: int
    """Titles that the system was asked for in this process; every other one was a look-up."""
    n_cut: int
    """Cells that an XLSX file could not hold in full."""
    n_replaced: int
    """Cells with characters that an XLSX file cannot hold."""
    n_skipped: int
    """Blank lines of the file, in this process."""
    files: tuple[Path, ...]
    """Written beside the tagged file."""
    rejects: Path | None
    """One of them: what could not be read."""
    summary: Summary | None


def tag_file(job: Job, on_progress: Progress, announce: Callable[[str], None]) -> Tagged:
    """Write `job.out`, and beside it what could not be read, the summary, the crosswalk and the follow-up list.

    The file is read, tagged and written in parts, which lie beside the output until it is whole. A job that was
    interrupted goes on after its last whole part when it is called again, and ends with the same files.

    Args:
        job: what to do.
        on_progress: told how many rows are done.
        announce: told what a person should know before the work is done.

    Raises:
        BadInput: a file is missing, exists already, cannot be read or cannot be written; there is no column of titles;
            columns would be overwritten.
    """
    check_file(job.out, job.leads, force=job.force)
    source = open_source(job.leads, encoding=job.encoding, delimiter=job.delimiter)
    for note in source.notes:
        announce(note)
    work = Work(job, source)
    opened = open_output(
        job.out,
        work.names,
        work.schema,
        identity=work.identity(),
        delimiter=work.delimiter,
        spreadsheet_safe=job.spreadsheet_safe,
        force=job.force,
    )
    with closing(opened) as output:
        _check_beside(job, work, output)
        n_before = sum(part.journal["rows"] for part in output.finished)
        if output.finished:
            announce(f"Going on after {n_before:,} rows that an earlier call has tagged.")
        _tag_parts(work, source, output, n_before, on_progress)
        return _finish(job, work, output)


def _check_beside(job: Job, work: Work, output: Output) -> None:
    """Refuse to replace what lies beside the output, unless it was asked for or an earlier call of the job wrote it.

    Raises:
        BadInput: naming what is there.
    """
    files = [rejects_file(job.out)]
    if work.hierarchy is not None:
        files += business_files(job.out, work.by, follow_up=work.hierarchy.follow_up is not None)
    taken = [str(file) for file in files if file.exists()]
    if not taken or job.force or output.finished:
        return
    output.discard()
    raise BadInput(
        f"{first_few(taken)}: exists already and was left as it is. Choose another --out, or replace it with --force."
    )


def _tag_parts(work: Work, source: Source, output: Output, n_before: int, on_progress: Progress) -> None:
    """Write a part for each batch of the file that has none yet."""
    step = f"tagging with {work.job.system}"
    left = max(source.n_rows - n_before, 0)  # an estimate for CSV
    stopped = Event()

    def told(rows: int) -> None:
        if stopped.is_set():  # nobody waits for a network to answer the rest
            raise _Stopped
        on_progress(step, rows, max(left, rows) + 1, "rows")

    told(0)
    done = 0
    # Reading, tagging and writing go on side by side: most of each is work outside Python's lock.
    with closing(ahead(work.pieces(ahead(_batches(source, output)), n_before, told))) as pieces:
        try:
            for _, of_batch in groupby(pieces, key=attrgetter("number")):
                with output.part() as part:
                    part.journal = work.write(part, of_batch)
                done += part.journal["rows"]
        finally:
            stopped.set()
    on_progress(step, done, done, "rows")


class _Stopped(Exception):
    """Raised in the thread that tags, once its work is of no use any more."""


def _batches(source: Source, output: Output) -> Generator[Batch, None, None]:
    """Yield the batches that have no part yet, at least one in all, be it without rows."""
    n_batches = len(output.finished)
    for batch in source.batches(output.finished[-1].journal["end"] if output.finished else None):
        n_batches += 1
        yield batch
    if not n_batches:
        yield Batch(source.schema.empty_table(), (), {})


def _finish(job: Job, work: Work, output: Output) -> Tagged:
    """Join what lies in the parts; the tagged file comes last, so that it never stands without the rest."""
    totals = {
        name: sum(part.journal[name] for part in output.finished) for name in ("rows", "untitled", "review", "rejected")
    }
    rejects = rejects_file(job.out)
    files: list[Path] = []
    if totals["rejected"]:
        join_rejects((part.path(REJECTS) for part in output.finished), work.source.unit, rejects)
        files.append(rejects)
    else:
        rejects.unlink(missing_ok=True)  # what an earlier job left would be taken for this one's
    summary = None
    if work.hierarchy is not None:
        summary = summarise(work.hierarchy, merge_counts(_kept(output, COUNTS)), n_review=totals["review"])
        follow_up = work.hierarchy.follow_up
        best, n_relevant = (None, 0) if follow_up is None else best_of_all(_kept(output, BEST), follow_up)
        files += write_business(
            job.out,
            summary,
            best,
            n_relevant,
            _facts(job, work),
            spreadsheet_safe=job.spreadsheet_safe,
            headers=work.names,
        )
    output.finish()
    tagged = Tagged(
        n_rows=totals["rows"],
        n_untitled=totals["untitled"],
        n_review=totals["review"],
        n_rejected=totals["rejected"],
        n_answered=work.tagger.n_answered,
        n_cut=output.n_cut,
        n_replaced=output.n_replaced,
        n_skipped=work.source.n_skipped,
        files=tuple(files),
        rejects=rejects if totals["rejected"] else None,
        summary=summary,
    )
    output.discard()
    return tagged


def _facts(job: Job, work: Work) -> dict[str, str]:
    """Return what readers of the summary should know about how it was made."""
    assert work.hierarchy is not None, "a summary has a hierarchy"
    return {
        "file": str(job.leads),
        "tagged with": f"{job.system} of {job.model.described}",
        "hierarchy": f"{job.hierarchy}, version {work.hierarchy.version}",
        "date": time.strftime("%Y-%m-%d"),
    }


def _kept(output: Output, suffix: str) -> Iterator[pl.DataFrame]:
    """Read what each part keeps of one kind, one at a time."""
    return (pl.read_parquet(part.path(suffix)) for part in output.finished)
