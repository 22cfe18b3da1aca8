"""How many threads libraries use and how they wait: decided before they are loaded, for every way to start the program.

What the user has set in the environment is left as it is.
"""

import os
from contextlib import suppress
from pathlib import Path

WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
"""Threads of OpenMP that wait would spin, which slows training down many times beside other work (docs/TRAINING.md)."""

NUMBERS = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")
"""Read by torch, MKL, OpenBLAS, scikit-learn and pyarrow, and by tokenizers and lingua. onnxruntime is given the number
of torch. polars counts the usable cores itself."""


def usable_cores() -> int:
    """Return the number of cores that this process may use, by its affinity and the quotas of its cgroups (v1 and v2).

    polars knows it by Rust's `available_parallelism`, or by POLARS_MAX_THREADS where that is set. joblib would
    take a quarter of a second to load, and knows no quota of a cgroup within another.
    """
    import polars as pl

    return pl.thread_pool_size()


def limit_threads() -> None:
    """Let threads sleep while they wait, and have no more of them than there are usable cores for this process.

    Processes that `torchrun` started share the cores. Where a process has the whole machine, libraries choose for
    themselves: they know its physical cores.
    """
    for name, value in WAITING.items():
        os.environ.setdefault(name, value)
    n_processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if n_processes == 1 and not _is_limited():
        return  # without loading polars, which aborts where memory is very short
    n_cores = usable_cores()
    if n_processes > 1:
        if _is_set_by_torchrun("OMP_NUM_THREADS"):
            del os.environ["OMP_NUM_THREADS"]
        if n_cores == os.cpu_count():
            n_cores = _physical_cores()
    elif n_cores == os.cpu_count():
        return
    for name in NUMBERS:
        os.environ.setdefault(name, str(max(n_cores // n_processes, 1)))


def _is_limited() -> bool:
    """Say whether the process may not use every core, by POLARS_MAX_THREADS, its affinity or quotas of its cgroups."""
    if "POLARS_MAX_THREADS" in os.environ:
        return True
    import psutil

    affinity = getattr(psutil.Process(), "cpu_affinity", None)  # macOS has none
    if affinity is not None and len(affinity()) < (os.cpu_count() or 1):
        return True
    try:
        own = [line.split(":", 2)[2] for line in Path("/proc/self/cgroup").read_text().splitlines()]
    except OSError:  # no Linux
        return False
    for folder in {place for name in own for place in (Path(name), *Path(name).parents)}:
        for quota in (f"/sys/fs/cgroup{folder}/cpu.max", f"/sys/fs/cgroup/cpu{folder}/cpu.cfs_quota_us"):
            with suppress(OSError):
                if not Path(quota).read_text().startswith(("max", "-1")):
                    return True
    return False


def _is_set_by_torchrun(name: str) -> bool:
    """Say whether `torchrun` itself gave this process one thread, as it does where the user has not set a number."""
    if os.environ.get(name) != "1":
        return False
    import psutil

    with suppress(psutil.Error):
        return name not in psutil.Process(os.getppid()).environ()  # what torchrun was started with
    return False


def _physical_cores() -> int:
    import psutil

    return psutil.cpu_count(logical=False) or os.cpu_count() or 1
