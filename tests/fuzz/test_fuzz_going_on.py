"""Jobs that are broken off anywhere and called again: the files are, byte for byte, those of a job that was not."""

import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from data_cleaning.errors import BadInput
from data_cleaning.files import parquet_source
from harness.tagging.work import Job, Work
from tests.fuzz.fuzz_size import TALLY, examples
from tests.fuzz.odd_csv import csv_files
from tests.fuzz.odd_text import short_titles
from tests.fuzz.tagged_files import tag
from tests.fuzz.test_fuzz_csv import Options, job_of
from tests.fuzz.test_fuzz_titles import write_parquet

MOST_BREAKS = 3

options_of = st.builds(
    Options,
    ending=st.sampled_from([".csv", ".csv", ".csv.gz", ".parquet"]),
    system=st.just("keyword"),
    with_hierarchy=st.sampled_from([True, True, False]),
    by_event=st.booleans(),
    spreadsheet_safe=st.booleans(),
    block_bytes=st.sampled_from([20, 100, 1_000]),
    careful_bytes=st.sampled_from([1 << 20, 5, 100]),
    longest_row=st.sampled_from([1 << 24] * 11 + [40]),
)
breaks_of = st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=MOST_BREAKS)
"""After which share of everything that happens each call is broken off: before, within, between and after parts."""


class Broken(BaseException):
    """What a person or a machine does to a process."""


class Breaker:
    """Counts the reports of progress and the writing of parts, and breaks a job off at one of them."""

    def __init__(self, break_at: int = 0) -> None:
        """Choose where; 0 breaks nothing off."""
        self.n_told = 0
        self._break_at = break_at

    def __call__(self, step: str = "", done: int = 0, total: int = 0, unit: str = "titles") -> None:
        self.n_told += 1
        if self.n_told == self._break_at:
            raise Broken

    def tag(self, job: Job) -> None:
        """Tag a file, as far as it comes."""
        whole = Work.write

        def write(work, *arguments):
            self()
            journal = whole(work, *arguments)
            self()
            return journal

        with patch.object(Work, "write", write):
            tag(job, self)


@examples(full=1_000, few=10)
@given(file=csv_files(least_rows=5, most_repeats=2), options=options_of, breaks=breaks_of)
def test_a_csv_file_ends_with_the_same_bytes(toy, file, options, breaks):
    TALLY.add(csvs=1)
    with tempfile.TemporaryDirectory(dir=toy.work) as folder, options.applied(len(file.content)):
        check_going_on(job_of(toy, file, options, Path(folder)), breaks)


@examples(full=300, few=8)
@given(
    titles=st.lists(st.none() | short_titles, min_size=5, max_size=30),
    kind=st.sampled_from(["string", "large_string"]),
    n_rows=st.integers(1, 8),
    options=options_of,
    breaks=breaks_of,
)
def test_so_does_a_parquet_file(toy, titles, kind, n_rows, options, breaks):
    TALLY.add(titles=len(titles))
    with tempfile.TemporaryDirectory(dir=toy.work) as folder, patch.object(parquet_source, "BATCH_ROWS", n_rows):
        leads = Path(folder) / "leads.parquet"
        write_parquet(leads, titles, kind)
        job = Job(
            leads=leads,
            out=Path(folder) / f"out{options.ending}",
            model=toy.model,
            system="keyword",
            hierarchy=toy.hierarchy if options.with_hierarchy else None,
            spreadsheet_safe=options.spreadsheet_safe,
        )
        check_going_on(job, breaks)


def check_going_on(job, breaks):
    """Tag a file at a stretch and in several calls, and compare all files but spreadsheets, which hold the time."""
    folders = [job.out.parent / name for name in ("unbroken", "broken")]
    for folder in folders:
        folder.mkdir()
    unbroken, broken = (replace(job, out=folder / job.out.name) for folder in folders)
    whole = Breaker()
    try:
        whole.tag(unbroken)
    except BadInput:
        return
    n_left = whole.n_told
    for share in breaks:
        breaker = Breaker(1 + int(share * n_left))
        try:
            breaker.tag(broken)
        except Broken:
            TALLY.add(broken_off=1)
            # One that is left to the garbage collector can end in a deadlock.
            assert not [thread.name for thread in threading.enumerate() if "Executor" in thread.name]
            assert not broken.out.exists()
            n_left = max(n_left - breaker.n_told, 1)
        else:
            break
    if not broken.out.exists():
        tag(broken)
    files = {file.name: file for file in folders[0].iterdir()}
    again = {file.name: file for file in folders[1].iterdir()}
    assert files.keys() == again.keys()
    differing = [
        name for name, file in files.items() if file.suffix != ".xlsx" and file.read_bytes() != again[name].read_bytes()
    ]
    assert not differing
