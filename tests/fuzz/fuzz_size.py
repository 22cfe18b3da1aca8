"""How much is fuzzed, what went through, and a limit for each example: few examples by default, all with FUZZ=full."""

import faulthandler
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings

FULL = os.environ.get("FUZZ") == "full"
MOST_SECONDS = 60
"""That one example may take; far more than any needs, so that only what hangs is stopped."""
_OUTSIDE_PYTHON_SECONDS = 120
"""After which a process that does not come back from a library ends itself."""


class Hang(BaseException):
    """An example that takes too long; no handler of ordinary errors may swallow it."""


def examples(full: int, few: int) -> settings:
    """Return settings for so many examples; the few are the same in every run."""
    return settings(
        max_examples=full if FULL else few,
        derandomize=not FULL,
        deadline=None,  # told only after the fact; see `within_limit`
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


@dataclass
class Tally:
    """What went through in this process."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "none")
    """Seconds, and which example."""

    def add(self, **counts: int) -> None:
        """Count: csvs, rows, rejects, titles, bytes, refused."""
        self.counts.update(counts)

    def described(self) -> str:
        """Return all of it in one line."""
        counts = ", ".join(f"{name} {count:,}" for name, count in sorted(self.counts.items()) if name != "bytes")
        seconds, which = self.slowest
        return f"fuzzed: {counts}, {self.counts['bytes'] / 1e6:,.1f} MB; slowest {seconds:.2f} s ({which})"


TALLY = Tally()


@contextmanager
def within_limit(which: str) -> Iterator[None]:
    """Fail what takes too long, and note how long it took.

    Raises:
        Hang: after `MOST_SECONDS`.
    """

    def stop(*_: object) -> None:
        raise Hang(f"{which} takes longer than {MOST_SECONDS} s")

    former = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
    faulthandler.dump_traceback_later(_OUTSIDE_PYTHON_SECONDS, exit=True, file=sys.__stderr__)
    began = time.perf_counter()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
        faulthandler.cancel_dump_traceback_later()
        TALLY.slowest = max(TALLY.slowest, (time.perf_counter() - began, which))
