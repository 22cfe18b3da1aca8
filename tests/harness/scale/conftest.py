"""A Ray cluster of two processes that all tests share, and leads in several files with faults of many kinds."""

import os
import shutil
import tempfile
from pathlib import Path

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
