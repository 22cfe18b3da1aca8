"""CSV files of every kind through `predict`: no traceback, no row lost, none twice, no cell changed, no hang."""

import contextlib
import io
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_cleaning.errors import BadInput
from data_cleaning.files import csv_source
from data_cleaning.files.csv_source import CsvSource
from data_cleaning.files.output_places import rejects_file
from data_cleaning.files.spreadsheet_text import unescape_cell
from harness.cli import main
from harness.tagging.work import Job
from tests.fuzz.fuzz_size import FULL, TALLY, examples, within_limit
from tests.fuzz.odd_csv import MARKER, TITLE, CsvFile, Row, csv_files
from tests.fuzz.tagged_files import Written, read_written, tag

N_WHOLE, N_BROKEN, N_VERB = 9_000, 1_000, 300
MOST_PARTS = 40
SYSTEMS = ["keyword"] * 4 + ["keyword-corrected", "tfidf", "neural", "majority", "keyword+mined"]
ENDINGS = [".csv"] * 6 + [".csv.gz"] * 2 + [".parquet"] * 3 + [".xlsx"]


@dataclass(frozen=True)
class Options:
    """How to tag a file."""

    ending: str
    system: str
    with_hierarchy: bool
    by_event: bool
    raw: bool
    block_bytes: int
    careful_bytes: int
    longest_row: int

    @contextlib.contextmanager
    def applied(self, n_bytes: int):
        """Read in blocks of the size, but no more of them than a real file of some GB has; each costs a few ms."""
        least = n_bytes // MOST_PARTS
        defaults = {"block_bytes": max(self.block_bytes, least), "longest_row": max(self.longest_row, least)}
        with (
            patch.dict(CsvSource.__init__.__kwdefaults__, defaults),
            patch.object(csv_source, "_CAREFUL_BYTES", self.careful_bytes),
        ):
            yield


options_of = st.builds(
    Options,
    ending=st.sampled_from(ENDINGS),
    system=st.sampled_from(SYSTEMS),
    with_hierarchy=st.booleans(),
    by_event=st.booleans(),
    raw=st.booleans(),
    block_bytes=st.sampled_from([1 << 23] * 4 + [16, 64, 1_000]),
    careful_bytes=st.sampled_from([1 << 20] * 3 + [5, 300]),
    longest_row=st.sampled_from([1 << 24] * 11 + [40]),
)


def job_of(toy, file: CsvFile, options: Options, folder: Path) -> Job:
    """Write a file, and return how to tag it."""
    leads = folder / f"leads{file.suffix}"
    leads.write_bytes(file.content)
    by_event = options.with_hierarchy and options.by_event and file.names.count("Event") == 1
    return Job(
        leads=leads,
        out=folder / f"out{options.ending}",
        model=toy.model,
        system=options.system,
        hierarchy=toy.hierarchy if options.with_hierarchy else None,
        by=("Event",) if by_event else (),
        encoding=file.encoding,
        delimiter=file.delimiter,
        raw=options.raw,
    )


def may_be_refused(file: CsvFile, options: Options) -> bool:
    return file.may_be_refused or (options.ending == ".parquet" and len(set(file.names)) < len(file.names))


EQUAL_UP_TO_A_NUL = CsvFile(
    b"id,What you do,n\0a,n\0b\nid00000,cook,a,b\n", ".csv", None, None, ",", ("id", TITLE, "n\0a", "n\0b"),
    (Row(["id00000,cook,a,b"], "id00000", ("id00000", "cook", "a", "b")),), is_known=True, may_be_refused=False,
)  # fmt: skip
UTF_16_UNKNOWN = CsvFile(
    "id,What you do,note\nid00000,cook,a\nid00001,cook,\u0100".encode("utf-16-le") + b"\x00\xd8", ".csv", None, None,
    ",", ("id", TITLE, "note"), (Row(["id00000,cook,a"], "id00000", None), Row(["id00001,cook,"], "id00001", None)),
    is_known=False, may_be_refused=True,
)  # fmt: skip
PLAINLY = Options(".csv", "keyword", True, False, True, 1 << 23, 1 << 20, 1 << 24)


@examples(full=N_WHOLE, few=80)
@given(file=csv_files(), options=options_of)
@example(file=EQUAL_UP_TO_A_NUL, options=PLAINLY)
@example(file=UTF_16_UNKNOWN, options=replace(PLAINLY, with_hierarchy=False, raw=False))
@example(file=EQUAL_UP_TO_A_NUL, options=replace(PLAINLY, ending=".parquet"))
@example(file=EQUAL_UP_TO_A_NUL, options=replace(PLAINLY, ending=".xlsx"))
def test_every_row_of_any_file_is_tagged_or_rejected_once(toy, file, options):
    TALLY.add(csvs=1)
    with tempfile.TemporaryDirectory(dir=toy.work) as folder, options.applied(len(file.content)):
        job = job_of(toy, file, options, Path(folder))
        try:
            tagged = tag(job)
        except BadInput:
            if not may_be_refused(file, options):
                raise
            TALLY.add(refused=1)
            assert [place.name for place in Path(folder).iterdir()] == [job.leads.name]
            return
        written = read_written(job.out, file.parted_by, raw=options.raw)
    assert (tagged.n_rows, tagged.n_rejected) == (len(written.rows), len(written.rejects))
    if not tagged.n_cut:
        check_markers(file, written)
    if options.ending != ".xlsx" and options.longest_row == 1 << 24:
        check_cells(file, written, options.raw or options.ending == ".parquet")


def check_markers(file: CsvFile, written: Written) -> None:
    """Find every row once, in a cell or in what was rejected, in the order of the file."""
    n_own = len(file.names)
    # A line that is too long is rejected in pieces, which may cut a marker.
    # UTF-16 that does not say so and has other than Latin letters is read with its NUL bytes.
    in_rows = MARKER.findall("\n".join(str(cell) for row in written.rows for cell in row[:n_own]).replace("\0", ""))
    in_rejects = MARKER.findall("".join(text for _, _, text in written.rejects).replace("\0", ""))
    assert in_rows == sorted(in_rows)
    assert in_rejects == sorted(in_rejects)
    assert sorted(in_rows + in_rejects) == file.markers
    places = [place for place, _, _ in written.rejects]
    assert places == sorted(places)


def check_cells(file: CsvFile, written: Written, as_typed: bool) -> None:
    """Compare each cell with what was put in, as far as that is known; cells that were escaped before stay so."""
    if not file.is_known:
        return
    if any(reason.startswith("stands alone") for _, reason, _ in written.rejects):
        return  # a short last row below a blank line may be a remark
    n_own = len(file.names)
    assert written.names[:n_own] == list(file.names)
    own = [tuple(cell or "" for cell in row[:n_own]) for row in written.rows]
    known = file.known_cells
    if not as_typed:
        known = [tuple(map(unescape_cell, row)) for row in known]
    assert own[: len(known)] == known
    if file.is_settled:
        assert len(own) == len(known)
    if file.is_clean:
        assert not written.rejects


STARTS = [
    *(b"", b"What you do\n", b"id,What you do\n", b"id,What you do\n", b'"id\n', b"\0i\0d"),
    *(b"PAR1", b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"\xff\xfe", b"\xfe\xff\x00i", b"\xef\xbb\xbf", b"%PDF-"),
]
broken_files = st.builds(bytes.__add__, st.sampled_from(STARTS), st.binary(max_size=300))


@examples(full=N_BROKEN // 2, few=30)
@given(content=broken_files, suffix=st.sampled_from([".csv", ".csv.gz", ".parquet", ".xlsx", ""]), options=options_of)
def test_what_is_no_list_of_leads_is_tagged_or_refused(toy, content, suffix, options):
    TALLY.add(csvs=1)
    with tempfile.TemporaryDirectory(dir=toy.work) as folder, options.applied(len(content)):
        file = CsvFile(content, suffix, None, None, ",", (), (), is_known=False, may_be_refused=True)
        job = job_of(toy, file, options, Path(folder))
        try:
            tag(job)
        except BadInput:
            TALLY.add(refused=1)
            assert not job.out.exists()
        else:
            assert job.out.exists()


@examples(full=N_BROKEN // 2, few=20)
@given(file=csv_files(zipped=True), options=options_of, where=st.floats(0, 1), flipped=st.integers(0, 255))
def test_a_gzip_file_that_is_cut_or_damaged_is_refused_or_read_whole(toy, file, options, where, flipped):
    TALLY.add(csvs=1)
    at = int(where * (len(file.content) - 1))
    start, rest = file.content[:at], file.content[at + 1 :]
    content = start + bytes([file.content[at] ^ flipped]) + rest if flipped else start
    with tempfile.TemporaryDirectory(dir=toy.work) as folder, options.applied(len(file.content)):
        job = job_of(toy, CsvFile(**{**vars(file), "content": content}), options, Path(folder))
        try:
            tagged = tag(job)
        except BadInput:
            TALLY.add(refused=1)
            assert not job.out.exists()
            return
        written = read_written(job.out, file.parted_by, raw=options.raw)
    if not tagged.n_cut:
        check_markers(file, written)


@examples(full=N_VERB, few=10)
@given(file=csv_files(), options=options_of)
def test_the_verb_ends_with_a_code_that_says_what_became_of_the_file(toy, file, options):
    TALLY.add(csvs=1)
    with tempfile.TemporaryDirectory(dir=toy.work) as folder, options.applied(len(file.content)):
        job = job_of(toy, file, options, Path(folder))
        arguments = ["predict", job.leads, "--out", job.out, "--run", toy.run, "--system", job.system]
        arguments += ["--hierarchy", job.hierarchy or "none", *(["--raw"] if job.raw else [])]
        for name, value in (
            ("--encoding", job.encoding),
            ("--delimiter", job.delimiter),
            *(("--by", b) for b in job.by),
        ):
            arguments += [] if value is None else [name, value]
        code, said = called(arguments)
        assert "Traceback" not in said
        assert code == (2 if not job.out.exists() else 3 if rejects_file(job.out).exists() else 0), said
        assert code != 2 or may_be_refused(file, options), said
        if code == 2:
            return
        written = read_written(job.out, file.parted_by, raw=options.raw)
    assert f"Tagged {len(written.rows):,} row" in said
    if "cut at" not in said:
        check_markers(file, written)


def called(arguments: list) -> tuple[int, str]:
    """Call a verb; return its exit code and what it says on stderr."""
    said = io.StringIO()
    with (
        patch.object(sys, "argv", ["title-harness", *map(str, arguments)]),
        contextlib.redirect_stderr(said),
        within_limit("the verb"),
    ):
        try:
            main()
        except SystemExit as stop:
            return int(stop.code or 0), said.getvalue()
    return 0, said.getvalue()


@pytest.mark.skipif(not FULL, reason="only few were asked for")
def test_as_many_files_went_through_as_were_asked_for():
    assert TALLY.counts["csvs"] >= 10_000
