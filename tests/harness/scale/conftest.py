"""A Ray cluster of two processes that all tests share, and leads in several files with faults of many kinds."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import psutil
import pytest

from data_cleaning.files import Layout
from harness.scale.blocks import open_input

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DATA_DISABLE_PROGRESS_BARS": "1"}

GRADES, WORDS = ("chief", "head", "senior", "registered", "", "trainee"), ("nurse", "cook", "driver", "surgeon", "??")


@pytest.fixture(scope="session")
def cluster():
    """Start a cluster for the tests of this process; jobs use the one that there is."""
    ray = pytest.importorskip("ray", reason="Ray, the extra `scale`, is not installed")
    pytest.importorskip("ray.data", reason="Ray Data, the extra `scale`, is not installed")
    scratch = Path(tempfile.mkdtemp(prefix="ray-"))  # pytest's folders are too deep for Ray's sockets
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR", _temp_dir=str(scratch))
    yield
    ray.shutdown()
    shutil.rmtree(scratch, ignore_errors=True)


def lines_of(n_rows):
    """Make rows with repeats, empty and damaged titles, quoted fields, and one that has too many fields."""
    for row in range(n_rows):
        title = " ".join(word for word in (GRADES[row % 6], WORDS[row % 5], str(row % 23) * (row % 7 == 0)) if word)
        title = "ward pharmacist" if row == 155 else title
        title = "" if row % 11 == 0 else f"head&nbsp;{WORDS[row % 4]}" if row % 13 == 0 else title
        yield f'{row},"{title}",{"ABC"[row % 3]}' + (",too,many" if row % 29 == 28 else "")


IDENTITY = {"verb": "predict", "options": {"prefix": "", "raw": False}}

HEADER = "id,What you do,Event"


@pytest.fixture(scope="module")
def leads(tmp_path_factory):
    """Write a folder of three files, and one file with the same rows."""
    folder = tmp_path_factory.mktemp("leads")
    lines = [*lines_of(180)]
    (folder / "many").mkdir()
    for number, start in enumerate((0, 80, 130)):
        rows = lines[start : (80, 130, 180)[number]]
        (folder / "many" / f"{number}.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    (folder / "one.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    return folder


@pytest.fixture
def small_blocks(monkeypatch):
    """Make blocks of 20 rows, so that a small file has several."""
    monkeypatch.setattr("harness.scale.blocks.BLOCK_ROWS", 20)


@pytest.fixture
def given(tmp_path, monkeypatch):
    """Write a file of three blocks; the last one tells what was left out of the file."""
    monkeypatch.setattr("harness.scale.blocks.BLOCK_ROWS", 2)
    (tmp_path / "leads.csv").write_text("Title,n\na,1\nb,2\nc,3\nd,4\ne,5\nf,g,h\n")
    return open_input(tmp_path / "leads.csv", None, None, Layout())[0]


@pytest.fixture
def called_apart():
    """Start a verb in a process of its own, with small blocks."""
    started = []

    def call(block_rows, *arguments, **environment):
        code = (
            f"import sys, harness.scale.blocks as blocks; blocks.BLOCK_ROWS = {block_rows}; "
            "from harness.cli import main; sys.argv = ['title-harness', *sys.argv[1:]]; main()"
        )
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", code, *map(str, arguments)],
                cwd=Path(__file__).parents[3],
                env={**os.environ, **environment},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield call
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(n_files, process, out, pattern):
    """Wait until a process has written files."""
    deadline = time.monotonic() + 120
    while len([*out.glob(pattern)]) < n_files:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, f"{pattern} did not appear"
        time.sleep(0.02)


def interrupt(process, n_times):
    """Press Ctrl-C, and check what is said and that no process stays behind."""
    of_ray = psutil.Process(process.pid).children(recursive=True)
    assert len(of_ray) >= 4
    for _ in range(n_times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    said = process.communicate(timeout=180)[1]
    assert process.returncode == 130, said
    assert said.splitlines()[-1] == "Interrupted. The same command with --resume keeps the parts that are finished."
    assert "Traceback" not in said
    deadline = time.monotonic() + 60
    while alive := [one for one in of_ray if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.1)


class SmallDisk:
    """A file system of 4 MB, of which as much is free as a test wants."""

    def __init__(self, path, monkeypatch):
        self.path, self._monkeypatch, self._filler = path, monkeypatch, path / "filler"

    def fill(self, n_left):
        """Leave so many bytes."""
        self._filler.unlink(missing_ok=True)
        self._filler.write_bytes(bytes(max(shutil.disk_usage(self.path).free - n_left, 0)))

    def fails_until_there_is_room(self, call, module, out):
        """Call with options while the disk is full: partly, wholly, and then for the driver; return the last call."""
        kept = {}
        done = import_module(module).work_on_blocks

        def then_fill(*arguments):
            done(*arguments)
            if arguments[4].startswith(("tagging", "cleaning")):
                self.fill(0)

        for n_left, options in ((100_000, ()), (0, ("--resume",)), (None, ("--resume",))):
            if n_left is None:
                self._filler.unlink()
                self._monkeypatch.setattr(f"{module}.work_on_blocks", then_fill)
            else:
                self.fill(n_left)
            code, said = call(*options)
            assert code == 2, said
            assert said.count("the disk is full") == 1, said
            assert "No space left" not in said
            assert not (out / "manifest.json").exists()
            assert {path: path.read_bytes() for path in kept} == kept
            kept = {path: path.read_bytes() for path in out.glob(".job/*.zip")}
            assert kept
        self._filler.unlink()
        self._monkeypatch.setattr(f"{module}.work_on_blocks", done)
        return call("--resume")


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """Mount a small disk in memory, where that is permitted."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=4M", "tmpfs", str(path))
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield SmallDisk(path, monkeypatch)
    subprocess.run(("umount", "--lazy", str(path)), check=True)
