"""Tag a file of any size: its own columns in their order, and beside them what is answered about each title."""

import shutil
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import polars as pl

from data_cleaning.errors import BadInput, first_few
from data_cleaning.files import Batch, Source, open_source
from data_cleaning.files.output_places import check_file
from data_cleaning.progress import Progress
from harness.tagging.ahead import ahead
from harness.tagging.business.business_files import business_files, earlier_files, write_business
from harness.tagging.business.counting import merge_counts
from harness.tagging.business.follow_up import best_of_all
from harness.tagging.business.summary import Summary, summarise
from harness.tagging.claims import Claims
from harness.tagging.outputs import Output, open_output, parts_folder
from harness.tagging.rejects import join_rejects, rejects_file
from harness.tagging.work import BEST, COUNTS, REJECTS, Job, Piece, Work


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
    earlier: tuple[Path, ...]
    """Companions of such a file that lie there and that another job has written."""
    rejects: Path | None
    """One of them: what could not be read."""
    summary: Summary | None


def tag_file(job: Job, on_progress: Progress, announce: Callable[[str], None]) -> Tagged:
    """Write `job.out`, and beside it what could not be read, the summary, the crosswalk and the follow-up list.

    The file is read, tagged and written in parts, which lie beside the output until all files are whole. A job that was
    interrupted goes on after its last whole part when it is called again, and ends with the same files.

    Args:
        job: what to do.
        on_progress: told how many rows are done.
        announce: told what a person should know before the work is done.

    Raises:
        BadInput: a file is missing, exists already, cannot be read or cannot be written; there is no column of titles;
            columns would be overwritten.
    """
    _check_words(job)
    folder = parts_folder(job.out)
    # Before a large file is read; what an interrupted call has put there is told from other files later.
    check_file(job.out, job.leads, force=job.force or folder.is_dir())
    source = open_source(job.leads, encoding=job.encoding, delimiter=job.delimiter)
    for note in source.notes:
        announce(note)
    work = Work(job, source)
    identity = work.identity()
    claims = Claims(folder, identity)
    _check_places(job, work, claims)
    opened = open_output(
        job.out,
        work.names,
        work.schema,
        identity=identity,
        delimiter=work.delimiter,
        spreadsheet_safe=job.spreadsheet_safe,
        force=job.force,
    )
    with closing(opened) as output:
        n_before = sum(part.journal["rows"] for part in output.finished)
        if output.finished:
            announce(f"Going on after {n_before:,} rows that an earlier call has tagged.")
        _tag_parts(work, source, output, n_before, on_progress)
        return _finish(job, work, output, claims)


def _check_words(job: Job) -> None:
    """Refuse names that are no text, as bytes from a command line may be: neither files nor headers could have them.

    Raises:
        BadInput: naming the option.
    """
    for option, given in {"--out": str(job.out), "--prefix": job.prefix}.items():
        try:
            given.encode()
        except UnicodeEncodeError:
            raise BadInput(f"{option} {given!r} holds bytes that are not UTF-8. Choose another {option}.") from None


def _check_places(job: Job, work: Work, claims: Claims) -> None:
    """Refuse to replace what is read, and what exists unless that was asked for or an earlier call has put it there.

    Raises:
        BadInput: naming what is there.
    """
    companions = [rejects_file(job.out)]
    if work.hierarchy is not None:
        companions += business_files(job.out, work.by, follow_up=work.hierarchy.follow_up is not None)
    there = [file for file in (job.out, *companions) if file.exists()]
    read = [file for file in (job.leads, job.hierarchy, job.layout) if file is not None and file.exists()]
    for file in there:
        if any(file.samefile(other) for other in read):
            raise BadInput(f"{file} is read, and would be written beside {job.out}. Choose another --out.")
    taken = [str(file) for file in there if not claims.hold(file)]
    if taken and not job.force:
        raise BadInput(
            f"{first_few(taken)}: exists already and was left as it is. Choose another --out, or replace it with "
            "--force."
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
    work.go_on_after(output.finished)
    n_parts = len(output.finished)
    # Reading, tagging and writing go on side by side: most of each is work outside Python's lock. Each is closed here:
    # left to the collector, a thread might be waited for wherever that happens to run.
    with (
        closing(ahead(_batches(source, output))) as batches,
        closing(ahead(work.pieces(batches, n_before, told), stopped.set)) as pieces,
    ):
        for first in pieces:
            with output.part() as part:
                part.journal = work.write(part, _of_batch(first, pieces))
    done = sum(part.journal["rows"] for part in output.finished[n_parts:])
    on_progress(step, done, done, "rows")


class _Stopped(Exception):
    """Raised in the thread that tags, once its work is of no use any more."""


def _of_batch(first: Piece, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Yield the pieces of one batch, and touch none of the next, which may take long to come."""
    piece = first
    yield piece
    while not piece.is_last:
        piece = next(pieces)
        yield piece


def _batches(source: Source, output: Output) -> Generator[Batch, None, None]:
    """Yield the batches that have no part yet, at least one in all, be it without rows."""
    start = (output.finished[-1].journal["end"] or None) if output.finished else None
    n_batches = len(output.finished)
    for batch in source.batches(start):
        n_batches += 1
        yield batch
    if not n_batches:
        yield Batch(source.schema.empty_table(), (), {})


def _finish(job: Job, work: Work, output: Output, claims: Claims) -> Tagged:
    """Join what lies in the parts; all files are made before the first of them is put in its place."""
    totals = {
        name: sum(part.journal[name] for part in output.finished) for name in ("rows", "untitled", "review", "rejected")
    }
    made = output.folder / "beside"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    rejects = rejects_file(job.out)
    ready: list[Path] = []
    if totals["rejected"]:
        ready.append(made / rejects.name)
        join_rejects((part.path(REJECTS) for part in output.finished), work.source.unit, ready[0])
    summary = None
    if work.hierarchy is not None:
        summary = summarise(work.hierarchy, merge_counts(_kept(output, COUNTS)), n_review=totals["review"])
        follow_up = work.hierarchy.follow_up
        best, n_relevant = (None, 0) if follow_up is None else best_of_all(_kept(output, BEST), follow_up)
        ready += write_business(
            job.out,
            summary,
            best,
            n_relevant,
            _facts(job, work),
            folder=made,
            spreadsheet_safe=job.spreadsheet_safe,
            headers=work.names,
        )
    places = {job.out.with_name(file.name): file for file in ready}
    claims.note(places)
    output.finish(lambda joined: claims.note({job.out: joined}))
    for place, file in places.items():
        file.replace(place)
    if not totals["rejected"]:
        rejects.unlink(missing_ok=True)  # what an earlier job left would be taken for this one's
    tagged = Tagged(
        n_rows=totals["rows"],
        n_untitled=totals["untitled"],
        n_review=totals["review"],
        n_rejected=totals["rejected"],
        n_answered=work.tagger.n_answered,
        n_cut=output.n_cut,
        n_replaced=output.n_replaced,
        n_skipped=work.source.n_skipped,
        files=tuple(places),
        earlier=tuple(file for file in earlier_files(job.out) if file not in places),
        rejects=rejects if totals["rejected"] else None,
        summary=summary,
    )
    made.rmdir()
    output.discard(claims.forget)
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
