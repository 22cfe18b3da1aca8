"""Jobs that are broken off anywhere and repeated: the files are, byte for byte, those of an unbroken job."""

import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from data_cleaning.errors import BadInput
from data_cleaning.files import parquet_source
from harness.tagging import tagger
from harness.tagging.answers import AnswerStore
from harness.tagging.job_folder import JobFolder, job_folder
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
    ending=st.sampled_from([".csv", ".csv", ".csv.gz", ".parquet", ".xlsx"]),
    system=st.sampled_from(["keyword", "tfidf"]),
    with_hierarchy=st.sampled_from([True, True, False]),
    by_event=st.booleans(),
    raw=st.booleans(),
    block_bytes=st.sampled_from([20, 100, 1_000]),
    careful_bytes=st.sampled_from([1 << 20, 5, 100]),
    longest_row=st.sampled_from([1 << 24] * 11 + [40]),
)
breaks_of = st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=MOST_BREAKS)
"""After which share of everything that happens each call is broken off: from before the first row to the last move."""


class Broken(BaseException):
    """What a person or a machine does to a process."""


class Breaker:
    """Counts reports of progress, answers, pieces and moved files, and breaks a job off at one of them."""

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
        with ExitStack() as stack:
            for owner, name in ((Work, "write"), (AnswerStore, "add"), (JobFolder, "move"), (Path, "replace")):
                stack.enter_context(patch.object(owner, name, self._breaking(getattr(owner, name))))
            stack.enter_context(patch.object(tagger, "_TITLES_OF_MODEL", 3))
            tag(job, self)

    def _breaking(self, whole: Callable) -> Callable:
        def broken(*arguments, **options):
            self()
            done = whole(*arguments, **options)
            self()
            return done

        return broken


@examples(full=1_000, few=10)
@given(file=csv_files(least_rows=5, most_repeats=2), options=options_of, breaks=breaks_of)
def test_a_broken_job_on_a_csv_file_ends_with_the_same_bytes(toy, file, options, breaks):
    TALLY.add(csvs=1)
    with tempfile.TemporaryDirectory(dir=toy.work) as folder, options.applied(len(file.content)):
        check_repeating(job_of(toy, file, options, Path(folder)), breaks)


@examples(full=300, few=8)
@given(
    titles=st.lists(st.none() | short_titles, min_size=5, max_size=30),
    kind=st.sampled_from(["string", "large_string"]),
    n_rows=st.integers(1, 8),
    options=options_of,
    breaks=breaks_of,
)
def test_a_broken_job_on_a_parquet_file_ends_with_the_same_bytes(toy, titles, kind, n_rows, options, breaks):
    TALLY.add(titles=len(titles))
    with tempfile.TemporaryDirectory(dir=toy.work) as folder, patch.object(parquet_source, "BATCH_ROWS", n_rows):
        leads = Path(folder) / "leads.parquet"
        write_parquet(leads, titles, kind)
        job = Job(
            leads=leads,
            out=Path(folder) / f"out{options.ending}",
            model=toy.model,
            system=options.system,
            hierarchy=toy.hierarchy if options.with_hierarchy else None,
            raw=options.raw,
        )
        check_repeating(job, breaks)


def check_repeating(job, breaks):
    """Tag a file in one call and in several, and compare all files."""
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
            # A thread that is left to the garbage collector can end in a deadlock.
            assert not [thread.name for thread in threading.enumerate() if "Executor" in thread.name]
            if broken.out.exists():  # it is moved last, so that all files are there
                assert {file.name for file in folders[0].iterdir()} <= {file.name for file in folders[1].iterdir()}
            n_left = max(n_left - breaker.n_told, 1)
        else:
            break
    if not broken.out.exists() or job_folder(broken.out).exists():
        tag(broken)
    files = {file.name: file for file in folders[0].iterdir()}
    again = {file.name: file for file in folders[1].iterdir()}
    assert files.keys() == again.keys()
    differing = [name for name, file in files.items() if file.read_bytes() != again[name].read_bytes()]
    assert not differing
