"""Seconds and peak memory of whole commands, each a process of its own."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

# A process counts the memory of whoever started it as its own, until it is another program; this one is small.
_LAUNCHER = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime)
sys.exit(code)
"""


@dataclass(frozen=True)
class Cost:
    seconds: float
    gigabytes: float
    cpu_seconds: float
    """Of all cores together."""


def cost_of(*arguments: object) -> Cost:
    """Run one command of the harness and return what it took."""
    return cost_of_python("-m", "harness", *arguments)


def cost_of_python(*arguments: object) -> Cost:
    """Run Python and return what it took."""
    command = [sys.executable, "-c", _LAUNCHER, sys.executable, *map(str, arguments)]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    assert done.returncode == 0, done.stderr
    # Linux counts kibibytes here, macOS bytes.
    memory, cpu_seconds = done.stdout.split()
    return Cost(seconds, int(memory) * (1 if sys.platform == "darwin" else 1024) / 1e9, float(cpu_seconds))
