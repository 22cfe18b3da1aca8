"""Seconds and peak memory of whole commands, each a process of its own, so that its peak is its own."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Cost:
    seconds: float
    gigabytes: float


def cost_of(*arguments: object) -> Cost:
    """Run one command of the harness and return what it took."""
    return cost_of_python("-m", "harness", *arguments)


def cost_of_python(*arguments: object) -> Cost:
    """Run Python and return what it took."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process.stderr:
        errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, errors
    # Linux counts kibibytes here, macOS bytes.
    return Cost(seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9)
