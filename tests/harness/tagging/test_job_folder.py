"""Jobs that are killed at any moment and repeated, and files that are not theirs."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from data_cleaning.errors import BadInput
from harness.tagging.job_folder import JobFolder
from tests.harness.tagging.given_run import HIERARCHY, toy_run

FOLLOW_UP = """\
groups: {carers: [Care]}
follow_up:
  most: 2
  ranks: [{name: heads, nodes: [Care], bands: [Upper]}, {name: others, nodes: [Care]}]
"""

CHILD = """
import os, sys, time
from pathlib import Path
from harness.tagging import answers, job_folder, predict, tagger, work
from data_cleaning.files import csv_source
from data_cleaning.files import parquet_source
csv_source.CsvSource.__init__.__kwdefaults__["block_bytes"] = 8_000
parquet_source.BATCH_ROWS = 300
tagger._TITLES_OF_MODEL = 50
if os.environ.get("SLOW"):
    ask = tagger.Tagger._ask_for
    def slowly(self, titles):
        time.sleep(2)
        return ask(self, titles)
    tagger.Tagger._ask_for = slowly
place, _, at = os.environ.get("KILL", "").partition(":")
where = {"write": (work.Work, "write"), "store": (answers.AnswerStore, "add"), "business": (predict, "write_business"),
         "list": (job_folder.JobFolder, "move"), "move": (Path, "replace"),
         "discard": (job_folder.JobFolder, "discard")}
if place:
    owner, name = where[place]
    whole, calls = getattr(owner, name), 0
    def killed(*arguments, **options):
        global calls
        if place != "move" or arguments[0].parent.name == "ready":
            calls += 1
            if calls == int(at):
                os.kill(os.getpid(), int(os.environ["KILL_BY"]))
        return whole(*arguments, **options)
    setattr(owner, name, killed)
from harness.cli import main
main()
"""


@pytest.fixture(scope="module")
def run_folder(company):
    return toy_run(company.config)


@pytest.fixture
def job(tmp_path, run_folder):
    """Return a function that calls the verb in a process of its own, killed or not, and returns that process."""
    hierarchy = tmp_path / "hierarchy.yaml"
    hierarchy.write_text(HIERARCHY + FOLLOW_UP)

    def call(leads, out, *options, kill="", by=signal.SIGKILL, system="keyword", slow=False):
        command = [sys.executable, "-c", CHILD, "predict", leads, "--out", out, "--run", run_folder]
        command += ["--system", system, "--hierarchy", hierarchy, "--by", "Event", *options]
        environment = {**os.environ, "KILL": kill, "KILL_BY": str(int(by)), "SLOW": "1" if slow else ""}
        return subprocess.Popen(
            [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )

    return call


def ended(process) -> str:
    """Wait for a process; return what it said."""
    said = process.communicate()[1]
    assert "Traceback" not in said
    return said


def many(tmp_path, ending=".csv"):
    """Write leads that fill several blocks, one row of a CSV file with a cell too many."""
    rng = np.random.default_rng(1)
    words = ["head nurse", "cook", "chief surgeon", "night porter", "ward clerk, north", 'the "boss"', ""]
    titles = [f"{words[number]} {number % 3 or ''}".strip() for number in rng.integers(0, len(words), 3_000)]
    titles = [f"{title} {number // 100}" if number % 5 == 0 else title for number, title in enumerate(titles)]
    frame = pd.DataFrame({"n": range(3_000), "What you do": titles, "Event": rng.integers(0, 5, 3_000)})
    leads = tmp_path / f"many{ending}"
    if ending == ".parquet":
        frame.to_parquet(leads, index=False)
    else:
        frame.to_csv(leads, index=False)
        with leads.open("a") as opened:
            opened.write("3000,cook,1,more\n")
    return leads


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize(
    ("ending", "system", "kills"),
    [
        (".csv", "keyword", ["write:3", "move:2"]),
        (".csv.gz", "tfidf", ["store:3", "write:2"]),
        (".parquet", "keyword", ["business:1", "list:1"]),
        (".xlsx", "neural", ["store:2"]),
        (".xlsx", "keyword", ["discard:1"]),
    ],
)
def test_a_killed_job_ends_with_the_same_files_when_it_is_repeated(tmp_path, job, ending, system, kills):
    leads = many(tmp_path, ".parquet" if ending == ".parquet" else ".csv")
    whole = 0 if ending == ".parquet" else 3
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    for folder, ways in ((unbroken, [""]), (broken, [*kills, ""])):
        folder.mkdir()
        for kill in ways:
            process = job(leads, folder / f"out{ending}", kill=kill, system=system)
            said = ended(process)
            assert process.returncode == (-signal.SIGKILL if kill else whole), said
            if kill.startswith(("write", "store", "business", "list")):  # nothing is in its place before all is whole
                assert [place.name for place in folder.iterdir()] == [f".out{ending}.job"]
    assert "Tagged 3,000 rows" in said
    assert contents(unbroken) == contents(broken)
    assert (broken / "out.summary.xlsx").exists()


def test_a_moved_file_that_somebody_has_removed_is_made_again(tmp_path, job):
    leads = many(tmp_path)
    ended(job(leads, tmp_path / "out.csv", kill="move:3"))
    (tmp_path / "out.csv.rejects.csv").unlink()
    process = job(leads, tmp_path / "out.csv")
    ended(process)
    assert process.returncode == 3
    assert (tmp_path / "out.csv.rejects.csv").exists()


def test_a_repeated_job_replaces_nothing_of_anybody_else(tmp_path, job):
    leads, theirs = many(tmp_path), tmp_path / "out.follow_up.csv"
    ended(job(leads, tmp_path / "out.csv", kill="move:2", system="tfidf"))
    theirs.write_text("precious")
    process = job(leads, tmp_path / "out.csv", system="tfidf")
    assert "out.follow_up.csv: exists already" in ended(process)
    assert process.returncode == 2
    assert theirs.read_text() == "precious"
    assert not (tmp_path / "out.csv").exists()
    theirs.unlink()
    process = job(leads, tmp_path / "out.csv", system="tfidf")
    assert "An earlier call has tagged every row" in ended(process)
    assert process.returncode == 3


def test_a_file_that_is_read_is_never_written(tmp_path, job):
    for name in ("out.csv.rejects.csv", "out.follow_up.csv", "out.summary.csv"):
        leads = tmp_path / name
        leads.write_text("What you do,Event\ncook,A\n")
        process = job(leads, tmp_path / "out.csv", "--force")
        assert f"{name} is read" in ended(process)
        assert process.returncode == 2
        assert leads.read_text() == "What you do,Event\ncook,A\n"
        leads.unlink()


def test_files_of_an_earlier_job_are_named(tmp_path, job):
    leads = many(tmp_path, ".parquet")
    ended(job(leads, tmp_path / "out.parquet"))
    said = ended(job(leads, tmp_path / "out.parquet", "--by", "n", "--force"))
    assert "from an earlier job" not in said
    said = ended(job(leads, tmp_path / "out.parquet", "--force"))
    assert "Left from an earlier job, not from this one: out.summary_by_n.csv." in said


def test_a_stopped_job_ends_at_once_and_says_that_it_resumes(tmp_path, job):
    process = job(many(tmp_path), tmp_path / "out.csv", slow=True, system="tfidf")
    while "tagging" not in (line := process.stderr.readline()):
        assert line, "the job has ended"
    time.sleep(1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    said = ended(process)
    assert time.monotonic() - began < 12  # of the half minute that the titles would take
    assert process.returncode == 130
    assert "The same command resumes" in said
    assert not (tmp_path / "out.csv").exists()
    assert (tmp_path / ".out.csv.job").is_dir()


def test_a_job_with_other_options_is_refused_and_starts_again_with_force(tmp_path, job):
    leads = many(tmp_path)
    ended(job(leads, tmp_path / "out.csv", kill="store:3", system="tfidf"))
    process = job(leads, tmp_path / "out.csv", "--review-below", "0.1", system="tfidf")
    assert "differs in options (review below)" in ended(process)
    assert process.returncode == 2
    process = job(leads, tmp_path / "out.csv", "--review-below", "0.1", "--force", system="tfidf")
    assert "Resuming" not in ended(process)
    assert process.returncode == 3
    assert len(pd.read_csv(tmp_path / "out.csv")) == 3_000
    assert not (tmp_path / ".out.csv.job").exists()


IDENTITY = {"input": "abc", "options": {"by": [], "title": "Title"}}


def folder_of(out, identity=IDENTITY, *, force=False):
    return JobFolder(out, identity, force=force)


def begun(out, **options):
    """Begin a job that stores something, and leave it unfinished."""
    folder = folder_of(out, **options)
    with folder.locked():
        folder.answers.mkdir(exist_ok=True)
        (folder.answers / "answers-000000.arrows").touch()
        (folder.ready / out.name).write_text("half")
    return folder


@pytest.mark.parametrize(
    ("identity", "worded"),
    [
        ({**IDENTITY, "input": "other"}, "differs in input."),
        ({**IDENTITY, "options": {"by": ["x"], "title": "Title"}}, "differs in options (by)."),
        ({**IDENTITY, "model": "new"}, "differs in model."),
        ({}, "differs in input, options."),
    ],
)
def test_work_of_another_job_is_refused_saying_what_differs(tmp_path, identity, worded):
    out = tmp_path / "out.csv"
    begun(out)
    with pytest.raises(BadInput, match="--force") as refused:
        folder_of(out, identity)
    assert worded in str(refused.value)
    forced = begun(out, identity=identity, force=True)
    assert (forced.answers / "answers-000000.arrows").exists()


def test_only_answers_outlive_a_call(tmp_path):
    folder = begun(tmp_path / "out.csv")
    (folder.scratch / "rows").touch()
    with folder_of(tmp_path / "out.csv").locked():
        assert [*folder.ready.iterdir(), *folder.scratch.iterdir()] == []
        assert [file.name for file in folder.answers.iterdir()] == ["answers-000000.arrows"]
    with folder_of(tmp_path / "out.csv", {"input": "other"}, force=True).locked():
        assert not folder.answers.exists()


@pytest.mark.parametrize("stop", [OSError(errno.ENOSPC, "full"), BadInput("wrong"), MemoryError(), KeyboardInterrupt()])
@pytest.mark.parametrize("has_answers", [True, False])
def test_a_call_that_fails_keeps_answers_and_nothing_else(tmp_path, stop, has_answers):
    folder = begun(tmp_path / "out.csv")
    if not has_answers:
        shutil.rmtree(folder.answers)

    def fail():
        with folder.locked():
            (folder.ready / "out.csv").write_text("half of the file")
            (folder.scratch / "rows").touch()
            raise stop

    with pytest.raises(type(stop)):
        fail()
    left = sorted(place.name for place in tmp_path.rglob("*"))
    assert left == [".out.csv.job", "answers", "answers-000000.arrows", "job.json", "lock"][: 5 * has_answers]


def test_a_call_that_fails_while_files_are_moved_keeps_them(tmp_path):
    folder = begun(tmp_path / "out.csv")
    (tmp_path / "out.csv").mkdir()

    def move():
        with folder.locked():
            (folder.ready / "out.csv").write_text("whole")
            folder.move(["out.csv"], {})

    with pytest.raises(BadInput, match="cannot be written"):
        move()
    assert (folder.ready / "out.csv").read_text() == "whole"


def test_another_job_may_begin_where_nothing_was_stored(tmp_path):
    with folder_of(tmp_path / "out.csv").locked():
        pass
    with folder_of(tmp_path / "out.csv", {"input": "other"}).locked():
        pass


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("content", [{"notes.txt": "mine"}, {"job.json": "[]"}, {"job.json": "{"}])
def test_a_folder_of_somebody_else_is_left_alone(tmp_path, content, force):
    folder = tmp_path / ".out.csv.job"
    folder.mkdir()
    for name, text in content.items():
        (folder / name).write_text(text)
    with pytest.raises(BadInput, match=r"out\.csv\.job"):
        folder_of(tmp_path / "out.csv", force=force)
    assert {place.name: place.read_text() for place in folder.iterdir()} == content


def test_a_file_or_a_link_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / ".out.csv.job").write_text("mine")
    with pytest.raises(BadInput, match="holds something else"):
        folder_of(tmp_path / "out.csv")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".linked.csv.job").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="holds something else"):
        folder_of(tmp_path / "linked.csv")


def test_a_folder_that_a_killed_process_had_just_made_is_taken(tmp_path):
    folder = tmp_path / ".out.csv.job"
    folder.mkdir()
    (folder / "lock").touch()
    (folder / "unfinished-999999-job.json").touch()
    with folder_of(tmp_path / "out.csv").locked():
        assert sorted(place.name for place in folder.iterdir()) == ["job.json", "lock", "ready", "scratch"]


def test_what_somebody_put_into_the_folder_outlives_it(tmp_path):
    folder = begun(tmp_path / "out.csv")
    (folder.path / "notes.txt").write_text("mine")
    with folder.locked():
        folder.discard()
    assert [place.name for place in folder.path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("files", [["../elsewhere.csv"], ["/tmp/elsewhere.csv"], [None], None])
def test_a_list_of_files_that_leads_elsewhere_moves_nothing(tmp_path, files):
    folder = JobFolder(tmp_path / "out.csv", {}, force=False)
    with folder.locked():
        (folder.path / "finished.json").write_text(json.dumps({"files": files, "facts": {}}))
        assert JobFolder(tmp_path / "out.csv", {}, force=False).finished is None
        assert not JobFolder(tmp_path / "out.csv", {}, force=False).moved


def test_an_output_is_written_by_one_job_at_a_time(tmp_path):
    first = folder_of(tmp_path / "out.csv")
    with first.locked():
        for force in (False, True):
            with (
                pytest.raises(BadInput, match="another process"),
                folder_of(tmp_path / "out.csv", force=force).locked(),
            ):
                pass
        first.discard()
    assert list(tmp_path.iterdir()) == []
    with folder_of(tmp_path / "out.csv").locked():
        pass


def test_a_place_that_cannot_be_written_is_bad_input(tmp_path):
    for out in (tmp_path / "missing" / "out.csv", tmp_path / f"{'long' * 62}.csv"):
        with pytest.raises(BadInput, match="cannot be written"), folder_of(out).locked():
            pass
    assert list(tmp_path.iterdir()) == []
