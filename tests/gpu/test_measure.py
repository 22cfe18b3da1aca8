import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("run.sh")
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the script needs bash")


def run(out):
    arguments = ["bash", str(SCRIPT), "--smallest", "--out", str(out)]
    environment = os.environ | {"PYTHON": sys.executable}
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)


def test_cpu_mode_takes_the_steps_and_says_that_no_gpu_was_measured(tmp_path):
    done = run(tmp_path / "gpu.md")

    assert done.returncode == 0, done.stderr
    report = (tmp_path / "gpu.md").read_text(encoding="utf-8")
    assert done.stdout == report
    assert "**Nothing has been measured on a GPU.**" in report
    rows = [line for line in report.splitlines() if line.startswith("| ")][1:]
    assert [row for row in rows if "failed" in row] == []
    asked = [row for row in rows if row.split("|")[2].strip()]
    assert len(asked) == 3  # an epoch, inference and parity; others are left out of the smallest form or need a GPU
    assert all("not measured on a GPU" in row for row in asked)


def test_cpu_mode_keeps_the_figures_of_a_gpu(tmp_path):
    out = tmp_path / "gpu.md"
    out.write_text("# The network on a GPU\n\nNVIDIA H200\n", encoding="utf-8")

    done = run(out)

    assert done.returncode == 1
    assert "has figures of a GPU, and this machine has none" in done.stderr
    assert "NVIDIA H200" in out.read_text(encoding="utf-8")
