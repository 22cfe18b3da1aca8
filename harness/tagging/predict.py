"""Tag a file of any size: its own columns in their order, and beside them what is answered about each title."""

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Event
from typing import TypeVar

from data_cleaning.errors import BadInput, first_few
from data_cleaning.files import Batch, Source, open_source
from data_cleaning.files.output_places import already_exists, check_file, rejects_file
from data_cleaning.files.sources import STANDARD_INPUT
from data_cleaning.files.whole_files import check_name, full_disk_as_bad_input
from data_cleaning.files.written_tables import RowWriter, check_schema, open_rows
from data_cleaning.progress import Progress
from harness.tagging.business.business_files import business_files, earlier_files, write_business
from harness.tagging.business.summary import Summary, summarise
from harness.tagging.job_folder import JobFolder, job_folder
from harness.tagging.work import Job, Tally, Work

_SHEET = "tagged"
_LOOK_EVERY_SECONDS = 0.2

_Item = TypeVar("_Item")


@dataclass(frozen=True, kw_only=True)
class Tagged:
    """What was tagged, in values that JSON can hold."""

    n_rows: int
    n_untitled: int
    n_review: int
    n_repaired: int
    """Rows whose title was damaged, and answered for as repaired."""
    n_rejected: int
    n_answered: int
    """Titles that the system was asked for in the process that tagged the last row; the others were looked up."""
    n_cut: int
    """Cells that an XLSX file could not hold in full."""
    n_replaced: int
    """Cells with characters that an XLSX file cannot hold."""
    n_escaped: int
    """Cells that a spreadsheet would have run as formulas."""
    n_skipped: int
    """Blank lines of the file."""
    left_out: Sequence[str]
    """What was found among the rows that is no record, in sentences."""
    sentences: Sequence[str] | None
    """What the summary says; None without a hierarchy."""
    notes: Sequence[str]
    """What the summary leaves out."""
    files: Sequence[str]
    """Names of what was written beside the tagged file."""
    earlier: Sequence[str] = ()
    """Names of files of that kind beside it that another job has written."""


def tag_file(job: Job, on_progress: Progress, announce: Callable[[str], None]) -> Tagged:
    """Write `job.out`, and beside it what could not be read, the summary, the crosswalk and the follow-up list.

    The file is read, tagged and written from the first row to the last, and no file is put into its place before all
    are whole. What a slow system has answered is kept in a hidden folder beside the output until then, so that a job
    that was interrupted asks for no title again when it is repeated, and ends with the same files.

    `announce` is told what a person should know before the work is done.

    Raises:
        BadInput: a file is missing, exists already, cannot be read or cannot be written; there is no column of titles;
            columns would be overwritten.
    """
    _check_words(job)
    check_name(job_folder(job.out))
    # Before a large file is read; what an interrupted call has put there is told from other files later.
    check_file(job.out, job.leads, force=job.force or job_folder(job.out).is_dir())
    source = open_source(job.leads, encoding=job.encoding, delimiter=job.delimiter, layout=job.table)
    for note in source.notes:
        announce(note)
    work = Work(job, source)
    announce(work.title_said)
    check_schema(job.out, work.names, work.schema, work.delimiter)
    folder = JobFolder(job.out, work.identity(), force=job.force)
    _check_places(job, work, folder)
    with folder.locked(), full_disk_as_bad_input(job.out):
        if folder.finished is None:
            tagged = _tag(work, folder, on_progress, announce)
            folder.move([*tagged.files, job.out.name], asdict(tagged))
        else:
            announce("An earlier call has tagged every row; its files are put into their places.")
            tagged = Tagged(**folder.finished)
            folder.move_rest()
        if not tagged.n_rejected:
            rejects_file(job.out).unlink(missing_ok=True)  # one of an earlier job would be taken for this one's
        folder.discard()
    return replace(tagged, earlier=[file.name for file in earlier_files(job.out) if file.name not in tagged.files])


def _check_words(job: Job) -> None:
    """Refuse names that are no text, as bytes from a command line may be: neither files nor headers could have them."""
    for option, given in {"--out": str(job.out), "--prefix": job.prefix}.items():
        try:
            given.encode()
        except UnicodeEncodeError:
            raise BadInput(f"{option} {given!r} holds bytes that are not UTF-8. Choose another {option}.") from None


def _check_places(job: Job, work: Work, folder: JobFolder) -> None:
    """Refuse to replace what is read, and what exists unless that was asked for or an earlier call has put it there."""
    beside = [rejects_file(job.out)]
    if work.hierarchy is not None:
        beside += business_files(job.out, work.by, follow_up=work.hierarchy.follow_up is not None)
    for file in beside:
        check_name(file)
    there = [file for file in (job.out, *beside) if file.exists()]
    read = [file for file in (job.leads, job.hierarchy, job.layout) if file is not None and file.exists()]
    for file in there:
        if any(file.samefile(other) for other in read):
            raise BadInput(f"{file} is read, and would be written beside {job.out}. Choose another --out.")
    taken = [str(file) for file in there if file.name not in folder.moved]
    if taken and not job.force:
        raise already_exists(f"{first_few(taken)}:")


def _tag(work: Work, folder: JobFolder, on_progress: Progress, announce: Callable[[str], None]) -> Tagged:
    job = work.job
    n_stored = work.tagger.store_answers(folder.answers)
    if n_stored:
        announce(f"Resuming: {n_stored:,} titles that an earlier call has answered are not asked for again.")
    tally = Tally(work, folder.ready / rejects_file(job.out).name)
    opened = open_rows(
        folder.ready / job.out.name,
        work.names,
        work.schema,
        delimiter=work.delimiter,
        raw=job.raw,
        sheet=_SHEET,
        scratch=folder.scratch,
    )
    with opened as output:
        _stream(work, output, tally, on_progress)
    files = [rejects_file(job.out).name] if tally.n_rejected else []
    summary, written = write_summary(work, tally, job.out, folder.ready)
    files += written
    return Tagged(
        n_rows=tally.n_rows,
        n_untitled=tally.n_untitled,
        n_review=tally.n_review,
        n_repaired=tally.n_repaired,
        n_rejected=tally.n_rejected,
        n_answered=work.tagger.n_answered,
        n_cut=output.n_cut,
        n_replaced=output.n_replaced,
        n_escaped=output.n_escaped,
        n_skipped=work.source.n_skipped,
        left_out=work.source.left_out,
        sentences=None if summary is None else summary.sentences,
        notes=() if summary is None else summary.notes,
        files=files,
    )


def write_summary(work: Work, tally: Tally, out: Path, folder: Path) -> tuple[Summary | None, list[str]]:
    """Write into a folder the files for the business that go beside `out`.

    Returns:
        The summary, None without a hierarchy, and the names of the files.
    """
    if work.hierarchy is None:
        return None, []
    job = work.job
    summary = summarise(work.hierarchy, tally.counter.total(), n_review=tally.n_review, n_repaired=tally.n_repaired)
    best, n_relevant = (None, 0) if tally.best is None else tally.best.listed()
    written = write_business(
        out,
        summary,
        best,
        n_relevant,
        {
            "file": "standard input" if job.leads == STANDARD_INPUT else str(job.leads),
            "tagged with": f"{job.system} of {job.model.described}",
            "hierarchy": f"{job.hierarchy}, version {work.hierarchy.version}",
            "date": time.strftime("%Y-%m-%d"),
        },
        folder=folder,
        raw=job.raw,
        headers=work.names,
    )
    return summary, [file.name for file in written]


def _stream(work: Work, output: RowWriter, tally: Tally, on_progress: Progress) -> None:
    """Write every row.

    Reading, tagging and writing run side by side: most of each is work outside Python's lock.
    """
    step = f"tagging with {work.job.system}"
    stopped = Event()

    def told(rows: int) -> None:
        if stopped.is_set():  # what a network has not answered yet is not waited for
            raise _Stopped
        on_progress(step, rows, max(work.source.n_rows, rows) + 1, "rows")  # an estimate for CSV

    told(0)
    # Each is closed here: left to the collector, a thread might be waited for wherever that happens to run.
    with (
        closing(prefetched(_batches(work.source))) as batches,
        closing(prefetched(work.pieces(batches, told), stopped.set)) as pieces,
    ):
        for piece in pieces:
            work.write(piece, output, tally)
    on_progress(step, tally.n_rows, tally.n_rows, "rows")


class _Stopped(Exception):
    """Raised in the thread that tags, once its work is of no use any more."""


def _batches(source: Source) -> Generator[Batch, None, None]:
    """Yield the batches of a file, at least one in all, even if it has no rows."""
    batch = None
    for batch in source.batches():
        yield batch
    if batch is None:
        yield Batch(source.schema.empty_table(), ())


def prefetched(
    items: Generator[_Item, None, None], stop: Callable[[], None] = lambda: None
) -> Generator[_Item, None, None]:
    """Yield the items of a generator, one of which is always being made in a thread while another one is used.

    An error comes where its item would have. `stop` is called when no further item is wanted, by an error or a person,
    before the one that is being made is waited for; it may tell the generator to give up.
    """
    nothing = object()
    with closing(items), ThreadPoolExecutor(1) as thread:
        try:
            coming = thread.submit(next, items, nothing)
            while (item := _awaited(coming)) is not nothing:
                coming = thread.submit(next, items, nothing)
                yield item  # type: ignore[misc]
        except BaseException:
            stop()
            raise


def _awaited(coming: "Future[_Item]") -> _Item:
    """Wait for an item, and look up now and then: a signal that reaches another thread does not wake this one."""
    while not coming.done():
        wait([coming], timeout=_LOOK_EVERY_SECONDS)
    return coming.result()
