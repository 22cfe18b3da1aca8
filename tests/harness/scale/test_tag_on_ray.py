"""`predict --engine ray`: the answers of the local engine, whatever happens to workers, disks, machines and calls."""

import json
import os
import re
import signal
import time

import polars as pl
import pytest

from data_cleaning.files.written_tables import write_table
from harness.experiment.checksums import file_digest
from harness.tagging.export import export_model
from tests.called_verb import exit_code_of
from tests.harness.scale.conftest import HEADER, interrupt, wait_for
from tests.harness.tagging.given_run import HIERARCHY, toy_run

FOLLOW_UP = """\
groups: {carers: [Care]}
follow_up:
  most: 7
  ranks: [{name: heads, nodes: [Care], bands: [Upper]}, {name: others, nodes: [Care]}]
"""

FAULTY = '''\
"""Votes of words; does once what a file asks for, in the worker that finds it first."""

import errno
import os
import signal
import time
from pathlib import Path

import pyarrow.parquet as pq

from harness.experiment.example_system import ExampleSystem

ASKED = Path({asked!r})


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Faulty(ExampleSystem):
    """Votes of words."""

    def predict_proba(self, titles):
        """Answer, after the fault that is asked for."""
        if (ASKED / "slow").exists():
            time.sleep(0.2)
        for fault in ("kill", "full"):
            if any("pharmacist" in title for title in titles) and (ASKED / fault).exists():
                (ASKED / fault).rename(ASKED / f"done {{fault}}")
                if fault == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                pq.ParquetWriter.write_table = full
        return super().predict_proba(titles)
'''

BESIDE = ("summary.csv", "summary_overview.csv", "summary_by_Event.csv", "crosswalk.csv", "follow_up.csv")


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def run_folder(company, faults):
    code = faults / "faulty.py"
    code.write_text(FAULTY.format(asked=str(faults)))
    systems = f"systems=[keyword, tfidf, sklearn, '{code}:Faulty']"
    return toy_run(company.config, systems, "sklearn={estimator: sklearn.naive_bayes.ComplementNB}")


@pytest.fixture
def faulty(faults):
    """Ask for a fault; afterwards nothing is asked for."""
    yield lambda fault: (faults / fault).touch()
    for left in ("kill", "full", "slow", "done kill", "done full"):
        (faults / left).unlink(missing_ok=True)


@pytest.fixture(scope="module")
def hierarchy(tmp_path_factory):
    path = tmp_path_factory.mktemp("given") / "hierarchy.yaml"
    path.write_text(HIERARCHY + FOLLOW_UP)
    return path


@pytest.fixture
def predict(run_folder, hierarchy, capsys):
    """Call the verb; return its exit code and what it says on stderr."""

    def call(leads, out, *options, system="keyword", where=None):
        arguments = [*(where or ("--run", run_folder)), "--hierarchy", hierarchy, "--by", "Event", "--fields", "all"]
        code = exit_code_of("predict", leads, "--out", out, "--system", system, *arguments, *options)
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        assert shown.out == ""
        return code, shown.err

    return call


def table_of(folder):
    return pl.read_parquet(folder / "parts")


def assert_same(folder, local):
    """Compare a folder of parts with the files of the local engine."""
    there, here = table_of(folder), pl.read_parquet(local)
    assert there.schema == here.schema
    assert there.equals(here)
    for name in BESIDE:
        assert (folder / f"{folder.name}.{name}").read_bytes() == local.with_name(f"{local.stem}.{name}").read_bytes()


def assert_whole(folder):
    """Check every file of a finished folder against its manifest."""
    manifest = json.loads((folder / "manifest.json").read_text())
    sums = {part["file"]: part["sha256"] for part in manifest["parts"]} | manifest["files"]
    assert all(file_digest(folder / name) == digest for name, digest in sums.items())
    held = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert held == {*sums, "manifest.json"}
    rows = {part["file"]: part["rows"] for part in manifest["parts"]}
    assert {name: pl.read_parquet(folder / name).height for name in rows} == rows
    assert manifest["rows"] == sum(rows.values())


@pytest.mark.usefixtures("cluster", "small_blocks")
class TestOnTwoProcesses:
    """Jobs on the cluster that all tests share."""

    @pytest.mark.parametrize(("system", "source"), [("keyword", "one.csv"), ("tfidf", "many"), ("sklearn", "many")])
    def test_answers_files_beside_and_rejects_are_those_of_the_local_engine(
        self, predict, leads, tmp_path, system, source
    ):
        local_code, local_said = predict(leads / "one.csv", tmp_path / "local.parquet", system=system)
        code, said = predict(leads / source, tmp_path / "ray", "--engine", "ray", system=system)
        assert (code, local_code) == (3, 3), said
        assert_same(tmp_path / "ray", tmp_path / "local.parquet")
        assert_whole(tmp_path / "ray")
        assert len([*(tmp_path / "ray" / "parts").iterdir()]) >= 9
        rejects = (tmp_path / "ray" / "rejects.csv", tmp_path / "local.parquet.rejects.csv")
        assert len({tuple(pl.read_csv(path)["text"]) for path in rejects}) == 1
        assert "6 rows could not be read" in said
        told = [line for line in local_said.splitlines() if line.startswith(("Of ", "1", "2"))]
        assert told
        assert set(told) <= set(said.splitlines())
        assert "streaming_executor" not in said

    def test_an_exported_folder_parquet_files_and_a_workbook_give_the_same_answers(
        self, predict, run_folder, hierarchy, leads, tmp_path
    ):
        export_model(run_folder, tmp_path / "model", hierarchy=hierarchy)
        rows = pl.DataFrame({"id": range(90), "What you do": ["head nurse", None, "cook 7"] * 30, "Event": ["A"] * 90})
        (tmp_path / "given").mkdir()
        rows.write_parquet(tmp_path / "given.parquet")
        rows.head(50).write_parquet(tmp_path / "given" / "a.parquet")
        rows.tail(40).write_parquet(tmp_path / "given" / "b.parquet")
        where = ("--model", tmp_path / "model")
        write_table(rows, tmp_path / "given.xlsx")
        for given, one in (("given", "given.parquet"), ("given.xlsx", "given.xlsx")):
            out, local = tmp_path / f"ray from {given[-4:]}", tmp_path / f"local {given}.parquet"
            code, said = predict(tmp_path / given, out, "--engine", "ray", where=where)
            assert code == 0, said
            assert predict(tmp_path / one, local, where=where)[0] == 0
            assert_same(out, local)

    def test_a_killed_worker_costs_its_block_only(self, predict, leads, faults, faulty, tmp_path):
        predict(leads / "one.csv", tmp_path / "local.parquet", system="faulty")
        faulty("kill")
        code, said = predict(leads / "many", tmp_path / "ray", "--engine", "ray", system="faulty")
        assert (faults / "done kill").exists()
        assert code == 3, said
        assert_same(tmp_path / "ray", tmp_path / "local.parquet")
        assert_whole(tmp_path / "ray")

    def test_a_full_disk_is_one_message_and_finished_parts_are_resumed(self, predict, leads, faulty, tmp_path):
        predict(leads / "one.csv", tmp_path / "local.parquet", system="faulty")
        faulty("full")
        out = tmp_path / "ray"
        code, said = predict(leads / "many", out, "--engine", "ray", "--workers", "1", system="faulty")
        assert code == 2
        assert said.count("the disk is full") == 1
        assert "No space left" not in said
        assert not (out / "manifest.json").exists()
        finished = {path: path.stat().st_mtime_ns for path in (out / "parts").iterdir()}
        assert finished
        code, said = predict(leads / "many", out, "--engine", "ray", "--resume", system="faulty")
        assert code == 3, said
        # The last part may have been written by a worker that was stopped before it could say so.
        n_kept = int(re.search(r"(\d+) parts of an earlier call are kept", said)[1])
        assert n_kept in (len(finished), len(finished) - 1)
        assert sum(path.stat().st_mtime_ns == modified for path, modified in finished.items()) == n_kept
        assert_same(out, tmp_path / "local.parquet")
        assert_whole(out)

    def test_parts_of_another_job_and_foreign_files_are_refused_untouched(self, predict, leads, faulty, tmp_path):
        out = tmp_path / "ray"
        faulty("full")
        assert predict(leads / "many", out, "--engine", "ray", "--workers", "1", system="faulty")[0] == 2
        (out / "notes.txt").write_text("mine")
        before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
        ray = ("--engine", "ray")
        refused = {
            (leads / "one.csv", *ray, "--resume"): "it differs in input",
            (leads / "many", *ray, "--resume", "--review-below", ".3"): "it differs in options (review below)",
            (leads / "many", *ray, "--resume", "--prefix", "new_"): "it differs in columns",
            (leads / "many", *ray): "holds a job that was interrupted. Continue it with --resume",
        }
        for (source, *options), told in refused.items():
            code, said = predict(source, out, *options, system="faulty")
            assert code == 2
            assert told in said.replace("\n", " ")
        code, said = predict(leads / "many", out, *ray, "--resume", system="tfidf")
        assert (code, "it differs in" in said, "model (system)" in said) == (2, True, True)
        assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
        # With --force the job's own files go, and nothing else.
        (out / "parts" / "part-old.parquet").write_text("mine too")
        assert predict(leads / "many", out, *ray, "--force")[0] == 3
        assert (out / "notes.txt").read_text() == "mine"
        assert (out / "parts" / "part-old.parquet").read_text() == "mine too"

    def test_a_finished_job_is_left_as_it_is_and_checked_when_it_is_resumed(self, predict, leads, tmp_path):
        out = tmp_path / "ray"
        (tmp_path / "few.csv").write_text(f"{HEADER}\n1,head nurse,A\n")
        assert predict(tmp_path / "few.csv", out, "--engine", "ray")[0] == 0
        assert "exists already" in predict(tmp_path / "few.csv", out, "--engine", "ray")[1]
        code, said = predict(tmp_path / "few.csv", out, "--engine", "ray", "--resume")
        assert (code, "An earlier call has tagged every row" in said) == (0, True)
        (part,) = (out / "parts").iterdir()
        part.write_bytes(part.read_bytes()[:-1] + b"!")
        code, said = predict(tmp_path / "few.csv", out, "--engine", "ray", "--resume")
        assert code == 2
        assert f"parts/{part.name} differ from manifest.json" in said.replace("\n", " ")


@pytest.fixture
def predict_apart(called_apart, run_folder, hierarchy, faulty):
    """Start the verb in a process of its own, with blocks of 20 rows that take their time."""

    def call(leads, out, *options, **environment):
        faulty("slow")
        common = ("--run", run_folder, "--hierarchy", hierarchy, "--by", "Event", "--fields", "all")
        arguments = (leads, "--out", out, "--engine", "ray", *options, *common, "--system", "faulty")
        process = called_apart(20, "predict", *arguments, **environment)
        wait_for(2, process, out, "parts/part-*.parquet")
        return process

    return call


@pytest.mark.usefixtures("cluster", "small_blocks")
def test_ctrl_c_ends_ray_and_is_resumed_to_the_same_answers(predict, leads, predict_apart, tmp_path):
    out = tmp_path / "ray"
    interrupt(predict_apart(leads / "many", out, "--workers", 1), n_times=1)
    code, said = predict(leads / "many", out, "--engine", "ray", "--resume", system="faulty")
    assert (code, "parts of an earlier call are kept" in said) == (3, True)
    predict(leads / "one.csv", tmp_path / "local.parquet", system="faulty")
    assert_same(out, tmp_path / "local.parquet")
    assert_whole(out)


@pytest.mark.usefixtures("cluster", "small_blocks")
def test_a_disk_that_is_really_full_is_one_message_and_nothing_is_lost(predict, leads, small_disk, tmp_path):
    predict(leads / "one.csv", tmp_path / "local.parquet", system="tfidf")
    out = small_disk.path / "ray"

    def call(*options):
        return predict(leads / "many", out, "--engine", "ray", "--workers", "1", *options, system="tfidf")

    code, said = small_disk.fails_until_there_is_room(call, "harness.scale.tag_on_ray", out)
    n_parts = len([*out.glob("parts/*")])
    assert (code, f"{n_parts} parts of an earlier call are kept" in said) == (3, True), said
    assert_same(out, tmp_path / "local.parquet")
    assert_whole(out)


def test_a_call_that_was_killed_is_resumed_from_its_parts(
    predict, leads, predict_apart, cluster, small_blocks, tmp_path
):
    out = tmp_path / "ray"
    process = predict_apart(leads / "many", out, "--workers", 1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "manifest.json").exists()
    deadline = time.monotonic() + 60  # the workers of a killed call end by themselves
    while (code := predict(leads / "many", out, "--engine", "ray", "--resume", system="faulty")[0]) == 2:
        assert time.monotonic() < deadline
    assert code == 3
    predict(leads / "one.csv", tmp_path / "local.parquet", system="faulty")
    assert_same(out, tmp_path / "local.parquet")
    assert_whole(out)


def test_a_lost_machine_costs_what_it_had_not_finished(predict, leads, predict_apart, tmp_path):
    cluster_utils = pytest.importorskip("ray.cluster_utils", reason="Ray, the extra `scale`, is not installed")
    out = tmp_path / "ray"
    noticed_soon = {
        "health_check_initial_delay_ms": 0,
        "health_check_period_ms": 200,
        "health_check_failure_threshold": 5,
    }
    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": noticed_soon}
    two = cluster_utils.Cluster(initialize_head=True, head_node_args=head)
    try:
        lost = two.add_node(num_cpus=1)
        process = predict_apart(leads / "many", out, RAY_ADDRESS=two.address)
        two.remove_node(lost, allow_graceful=False)
        said = process.communicate(timeout=120)[1]
    finally:
        two.shutdown()
    assert process.returncode == 3, said
    predict(leads / "one.csv", tmp_path / "local.parquet", system="faulty")
    assert_same(out, tmp_path / "local.parquet")
    assert_whole(out)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--resume",), "--resume is for --engine ray"),
        (("--workers", "2"), "--workers is for --engine ray"),
        (("--engine", "ray", "--resume", "--force"), "--resume and --force exclude each other"),
    ],
)
def test_options_that_do_not_go_together_are_refused(predict, leads, tmp_path, options, told):
    code, said = predict(leads / "one.csv", tmp_path / "out.csv", *options)
    assert (code, told in said) == (2, True)


def test_without_ray_one_message_names_the_extra(predict, leads, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, said = predict(leads / "one.csv", tmp_path / "out", "--engine", "ray")
    assert code == 2
    assert "pip install 'title-harness[scale]'" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.XLSX"])
def test_the_name_of_a_file_is_no_folder_of_parts(predict, leads, tmp_path, name):
    pytest.importorskip("ray", reason="Ray, the extra `scale`, is not installed")
    code, said = predict(leads / "one.csv", tmp_path / name, "--engine", "ray")
    assert (code, "writes a folder of Parquet parts" in said) == (2, True)
