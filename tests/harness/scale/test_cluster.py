"""Ray around a job: started and stopped whole, its errors told, and nothing of it left behind."""

import os
import re
import signal

import pytest

from data_cleaning.errors import BadInput
from harness.scale.cluster import RayOptions, _as_bad_input, ray_cluster, work_on_blocks
from harness.scale.parts_folder import PartsFolder
from tests.harness.scale.conftest import IDENTITY


@pytest.fixture
def ray():
    pytest.importorskip("ray.data", reason="Ray Data, the extra `scale`, is not installed")
    return pytest.importorskip("ray", reason="Ray, the extra `scale`, is not installed")


@pytest.fixture
def no_ray(ray, monkeypatch, tmp_path):
    """Record when Ray would be started and stopped, with Ctrl-C pressed in the middle of what is named."""
    calls = []

    def called(name, interrupts):
        def call(**_):
            calls.append(name)
            if name == interrupts:
                os.kill(os.getpid(), signal.SIGINT)
            calls.append(f"{name} done")

        return call

    def interrupt(name):
        for one in ("init", "shutdown"):
            monkeypatch.setattr(ray, one, called(one, name))
        return calls

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    return interrupt


@pytest.mark.parametrize("where", ["init", "shutdown"])
def test_ctrl_c_waits_until_ray_has_started_or_stopped(no_ray, where):
    calls, announced = no_ray(where), []
    with pytest.raises(KeyboardInterrupt), ray_cluster(announced.append):
        assert where == "shutdown"
    assert announced == ["Starting Ray on this machine."]
    assert calls == ["init", "init done", "shutdown", "shutdown done"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_request_to_end_ends_ray_as_ctrl_c_does(no_ray, ray, monkeypatch):
    calls, former = no_ray(""), signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(KeyboardInterrupt), ray_cluster(calls.append):
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, former)
    assert calls[-1] == "shutdown done"


def test_a_cluster_that_cannot_be_reached_or_started_is_told(no_ray, ray, monkeypatch):
    no_ray("")
    announced = []

    def refuse(**_):
        raise ConnectionError("nobody answers")

    monkeypatch.setattr(ray, "init", refuse)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    told = "The cluster at 10.0.0.1:6379 could not be reached: nobody answers. Check RAY_ADDRESS."
    with pytest.raises(BadInput, match=re.escape(told)), ray_cluster(announced.append):
        pass
    assert announced == ["Connecting to Ray at 10.0.0.1:6379."]
    monkeypatch.delenv("RAY_ADDRESS")
    told = "Ray could not be started on this machine: nobody answers. Set TMPDIR"
    with pytest.raises(BadInput, match=re.escape(told)), ray_cluster(announced.append):
        pass


def test_a_full_disk_or_memory_of_a_machine_is_told_and_another_error_passes(ray):
    for error, told in [
        (ray.exceptions.OutOfDiskError(), "TMPDIR to a folder on a larger disk"),
        (ray.exceptions.OutOfMemoryError("of memory"), "Take fewer --workers"),
    ]:
        failed = RuntimeError("a task failed")
        failed.__cause__ = error
        with pytest.raises(BadInput, match=told), _as_bad_input():
            raise failed
    with pytest.raises(ZeroDivisionError), _as_bad_input():
        raise ZeroDivisionError


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the command hides those of libraries
@pytest.mark.usefixtures("cluster")
def test_a_block_of_which_every_worker_dies_ends_the_job(given, tmp_path):
    folder = PartsFolder(tmp_path / "out")

    class Deadly:  # here, as workers cannot import modules of tests
        def do(self, block):
            folder.begin(block)
            if block.place.block == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            folder.save("tagged", block, {}, {})

    task, options = Deadly(), RayOptions(workers=1)
    died = pytest.raises(BadInput, match="4 workers have died of rows 3 to 4")
    with folder.locked(IDENTITY, force=False), died:
        work_on_blocks(given, {}, task, options, "working", lambda *_: None)
