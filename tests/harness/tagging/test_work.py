"""A job whose file is read in pieces: what is written does not depend on where the pieces end."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files import parquet_source
from harness.tagging import tagger, work
from harness.tagging.job_folder import job_folder
from harness.tagging.models import open_run
from harness.tagging.predict import tag_file
from harness.tagging.work import Job, Work
from tests.harness.tagging.given_run import HIERARCHY, toy_run


@pytest.fixture(scope="module")
def model(company):
    return open_run(toy_run(company.config))


@pytest.fixture
def job_of(model, tmp_path, monkeypatch):
    """Return the job for leads in row groups of a size, in a folder of its own, with small pieces."""
    for owner, name, value in (
        (parquet_source, "BATCH_ROWS", 32),
        (work, "_PIECE", 16),
        (tagger, "_TITLES_OF_MODEL", 3),
    ):
        monkeypatch.setattr(owner, name, value)
    rng = np.random.default_rng(0)
    words = ["head", "nurse", "chief", "cook", "of", "the", "ward", "night", "porter,"]
    titles = [" ".join(rng.choice(words, size=rng.integers(1, 7))) for _ in range(100)]
    (tmp_path / "hierarchy.yaml").write_text(HIERARCHY)

    def job(system, group_rows, out="out.csv"):
        folder = tmp_path / f"{group_rows}"
        folder.mkdir(exist_ok=True)
        table = pa.table({"What you do": titles, "Event": pa.array(["A", "B"] * 50).dictionary_encode()})
        pq.write_table(table, tmp_path / f"{group_rows}.parquet", row_group_size=group_rows)
        return Job(
            leads=tmp_path / f"{group_rows}.parquet",
            out=folder / out,
            model=model,
            system=system,
            hierarchy=tmp_path / "hierarchy.yaml",
            fields="all",
            by=("Event",),
        )

    return job


def tag(job):
    tag_file(job, lambda *_: None, lambda _: None)


def tagged(job):
    """Return the content of each file but the workbook, which names the leads."""
    tag(job)
    assert not job_folder(job.out).exists()
    return {file.name: file.read_bytes() for file in job.out.parent.iterdir() if file.suffix != ".xlsx"}


class Killed(BaseException):
    pass


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize("system", ["keyword", "tfidf", "neural"])
def test_the_same_rows_in_other_row_groups_are_tagged_alike_to_the_last_byte(job_of, system, ending):
    first, *others = [tagged(job_of(system, group_rows, f"out{ending}")) for group_rows in (100, 16, 7, 45, 1)]
    assert len(first) > 1
    for other in others:
        assert other == first


@pytest.mark.parametrize("group_rows", [100, 32, 7])
@pytest.mark.parametrize("system", ["keyword", "tfidf", "neural"])
def test_a_job_that_was_killed_anywhere_ends_with_the_bytes_of_an_unbroken_one(job_of, monkeypatch, system, group_rows):
    unbroken = tagged(job_of(system, 100))
    whole = Work.write
    job = job_of(system, group_rows, "again.csv")
    for n_pieces in (1, 2, 4):

        def write(*arguments, left=[n_pieces]):  # noqa: B006
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            whole(*arguments)

        monkeypatch.setattr(Work, "write", write)
        with pytest.raises(Killed):
            tag(job)
        monkeypatch.setattr(Work, "write", whole)
    again = tagged(job)
    assert again["again.csv"] == unbroken["out.csv"]
    assert again["again.summary.csv"] == unbroken["out.summary.csv"]


@pytest.mark.parametrize("system", ["keyword", "tfidf"])
def test_leads_that_change_while_they_are_tagged_are_bad_input_and_nothing_is_published(job_of, monkeypatch, system):
    job = job_of(system, 20)
    whole = Work.write

    def write(*arguments):
        with job.leads.open("ab") as leads:
            leads.write(b"more")
        whole(*arguments)

    monkeypatch.setattr(Work, "write", write)
    with pytest.raises(BadInput, match="changed while it was read"):
        tag(job)
    assert [file for file in job.out.parent.iterdir() if not file.name.startswith(".")] == []
