"""Jobs that are killed at any moment and go on, and files that are not theirs."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

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
from harness.tagging import predict, tagger, work
from harness.tagging.outputs.parts import PartsFolder
from data_cleaning.files import csv_source
from data_cleaning.files import parquet_source
csv_source.CsvSource.__init__.__kwdefaults__["block_bytes"] = 8_000
parquet_source.BATCH_ROWS = 300
if os.environ.get("SLOW"):
    answer = tagger.Tagger._answer
    def slowly(self, titles, on_titles):
        for _ in range(600):
            time.sleep(0.1)
            on_titles(0, 1)
        return answer(self, titles, on_titles)
    tagger.Tagger._answer = slowly
place, _, at = os.environ.get("KILL", "").partition(":")
where = {"part": (work.Work, "write"), "join": (PartsFolder, "join"), "move": (Path, "replace"),
         "discard": (PartsFolder, "discard"), "business": (predict, "write_business")}
if place:
    owner, name = where[place]
    whole, calls = getattr(owner, name), 0
    def killed(*arguments, **options):
        global calls
        if place != "move" or arguments[0].parent.name == "beside":
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
    """Write leads that fill several blocks, one row of a CSV file with a cell too few."""
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
            opened.write("3000,cook\n")
    return leads


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.endswith(".summary.xlsx")}


@pytest.mark.parametrize(
    ("ending", "system", "kills"),
    [
        (".csv", "keyword", ["part:3", "part:2"]),
        (".csv.gz", "tfidf", ["part:3", "join:1"]),
        (".parquet", "keyword", ["part:5", "business:1"]),
        (".csv", "neural", ["part:4", "part:2"]),
        (".csv", "keyword", ["join:1", "move:1", "move:3", "discard:1"]),
    ],
)
def test_a_job_that_was_killed_goes_on_and_ends_with_the_same_files(tmp_path, job, ending, system, kills):
    leads = many(tmp_path, ".parquet" if ending == ".parquet" else ".csv")
    whole = 0 if ending == ".parquet" else 3
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    for folder, ways in ((unbroken, [""]), (broken, [*kills, ""])):
        folder.mkdir()
        for kill in ways:
            process = job(leads, folder / f"out{ending}", kill=kill, system=system)
            said = ended(process)
            assert process.returncode == (-signal.SIGKILL if kill else whole), said
        assert ("Going on after" in said) == (folder == broken)
    assert contents(unbroken) == contents(broken)
    assert (broken / "out.summary.xlsx").exists()


def test_a_spreadsheet_that_was_killed_begins_anew_over_what_it_left(tmp_path, job):
    leads = many(tmp_path)
    for kill, code in (("move:2", -signal.SIGKILL), ("discard:1", -signal.SIGKILL), ("", 3)):
        process = job(leads, tmp_path / "out.xlsx", kill=kill)
        said = ended(process)
        assert process.returncode == code, said
    assert not (tmp_path / "out.xlsx.parts").exists()


def test_a_job_that_goes_on_replaces_nothing_of_anybody_else(tmp_path, job):
    leads, theirs = many(tmp_path), tmp_path / "out.follow_up.csv"
    ended(job(leads, tmp_path / "out.csv", kill="part:3"))
    theirs.write_text("precious")
    process = job(leads, tmp_path / "out.csv")
    assert "out.follow_up.csv: exists already" in ended(process)
    assert process.returncode == 2
    assert theirs.read_text() == "precious"
    assert not (tmp_path / "out.csv").exists()
    theirs.unlink()
    process = job(leads, tmp_path / "out.csv")
    assert "Going on after" in ended(process)
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


def test_companions_of_an_earlier_job_are_named(tmp_path, job):
    leads = many(tmp_path, ".parquet")
    ended(job(leads, tmp_path / "out.parquet"))
    said = ended(job(leads, tmp_path / "out.parquet", "--by", "n", "--force"))
    assert "Of an earlier job" not in said
    said = ended(job(leads, tmp_path / "out.parquet", "--force"))
    assert "Of an earlier job, not of this one: out.summary_by_n.csv." in said


def test_a_person_who_stops_a_job_does_not_wait_and_is_told_that_it_goes_on(tmp_path, job):
    process = job(many(tmp_path), tmp_path / "out.csv", slow=True)
    while "tagging" not in (line := process.stderr.readline()):
        assert line, "the job has ended"
    time.sleep(1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    said = ended(process)
    assert time.monotonic() - began < 20  # of the 60 seconds that the titles would take
    assert process.returncode == 130
    assert "The same command goes on after the last whole part" in said
    assert not (tmp_path / "out.csv").exists()
    assert (tmp_path / "out.csv.parts").is_dir()


def test_a_job_with_other_options_does_not_go_on(tmp_path, job):
    leads = many(tmp_path)
    ended(job(leads, tmp_path / "out.csv", kill="part:3"))
    process = job(leads, tmp_path / "out.csv", "--review-below", "0.1")
    assert "differs in options (review below)" in ended(process)
    assert process.returncode == 2
    process = job(leads, tmp_path / "out.csv", "--review-below", "0.1", "--force")
    assert "Going on" not in ended(process)
    assert process.returncode == 3
    assert len(pd.read_csv(tmp_path / "out.csv")) == 3_000


def test_a_part_is_whole_before_the_next_batch_is_tagged(tmp_path, job):
    """A slow system must not lose two batches to a kill, and a failing batch must not take the one before along."""
    process = job(many(tmp_path), tmp_path / "out.csv", kill="part:2")
    ended(process)
    assert [file.name for file in (tmp_path / "out.csv.parts").glob("*.journal.json")] == ["part-000001.journal.json"]
