"""What a step costs: its wall seconds, and how far the memory of the process rises meanwhile."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

_BETWEEN_LOOKS = 0.02
"""Seconds."""


@dataclass
class Measured:
    """Filled when the step ends."""

    seconds: float = 0.0
    memory_bytes: int = 0
    """Highest memory use of the process minus that before the step. Libraries that the step loads first count too."""


@contextmanager
def measured() -> Iterator[Measured]:
    """Measure the block; memory is looked at fifty times a second, so that a shorter peak may be missed."""
    process, found, ended = psutil.Process(), Measured(), threading.Event()
    before = highest = process.memory_info().rss

    def watch() -> None:
        nonlocal highest
        while not ended.wait(_BETWEEN_LOOKS):
            highest = max(highest, process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    began = time.perf_counter()
    try:
        yield found
    finally:
        found.seconds = time.perf_counter() - began
        ended.set()
        watcher.join()
        found.memory_bytes = max(highest, process.memory_info().rss) - before


def peak_memory() -> int:
    """Return the largest memory use of this process so far, in bytes."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource  # which Windows lacks; psutil knows no peak elsewhere

    # Linux counts kibibytes here, macOS bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << (0 if sys.platform == "darwin" else 10)
