"""Blocks spread over the machines of a Ray cluster: one that is named, or one that is started here for the job."""

import importlib.util
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from data_cleaning.errors import BadInput
from data_cleaning.progress import Progress
from harness.scale.blocks import Block, Input, Place, refused, unpacked

_FILE, _ROWS, _MESSAGE = "file", "rows", "message"
_RESULT = pa.schema([(_ROWS, pa.int64()), (_MESSAGE, pa.string())])

_WORKER_CPUS, _READER_CPUS = 0.25, 0.125
"""Asked for by a worker and by a process that reads. There is a worker for every core, and each asks for a quarter of
one: where machines are lost, the others have room for their workers, which would be waited for otherwise. The two must
differ, or Ray would join reading and working, and one file would be the work of one process."""

_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is told to anybody
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}
_ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS")}
"""There is a worker for every core."""

_TEMPORARY = "title-harness-ray-"


@dataclass(frozen=True, kw_only=True)
class RayOptions:
    """How a job is spread."""

    workers: int | None = None
    """Processes that work; None takes as many as the cluster has cores, or GPUs where each worker has some."""
    gpus: float = 0
    """GPUs of each worker."""
    resume: bool = False
    """Whether parts that an interrupted call has finished are kept."""


class BlockTask(Protocol):
    """What is done with each block, in a worker; it is pickled before it has done anything."""

    def do(self, block: Block) -> None:
        """Work on a block, and save the results.

        Raises:
            BadInput: something that a person must change; the job ends with its message.
        """


def check_installed() -> None:
    """Refuse the engine where Ray Data is not installed.

    Raises:
        BadInput: it is not.
    """
    if importlib.util.find_spec("ray") is None or importlib.util.find_spec("ray.data") is None:
        raise BadInput("--engine ray needs Ray Data, which is not installed. Call: pip install 'title-harness[scale]'")


@contextmanager
def ray_cluster(announce: Callable[[str], None]) -> Iterator[None]:
    """Connect to the cluster of the environment variable RAY_ADDRESS, or start one on this machine until the end.

    Which of the two is announced. SIGTERM then does what Ctrl-C does; Ray would print a trace of its code. A cluster
    that the process is connected to is used as it is.

    Raises:
        BadInput: there is no such cluster, or none can be started.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import ray
    import ray.data

    # Errors come as exceptions, and everything else would be written between the lines of the progress.
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    # What raylets say of workers that died goes to standard output whatever the options; Ray's debugger does the same.
    ray._private.worker._worker_logs_enabled = False
    if ray.is_initialized():
        yield
        return
    options: dict[str, Any] = {
        "logging_level": logging.ERROR,
        "log_to_driver": False,
        "runtime_env": {"env_vars": {**_ENVIRONMENT, **_ONE_THREAD}},
    }
    scratch = None
    started: AbstractContextManager[None] = nullcontext()
    if "RAY_ADDRESS" not in os.environ:
        started = _interrupts_wait()
        _remove_left_over()
        scratch = Path(tempfile.gettempdir(), f"{_TEMPORARY}{os.getpid()}")
        options |= {"include_dashboard": False, "_temp_dir": str(scratch)}
    announce("Starting Ray on this machine." if scratch else f"Connecting to Ray at {os.environ['RAY_ADDRESS']}.")
    try:
        try:
            with started, _standard_error_closed():
                ray.init(**options)
        except (OSError, RuntimeError, ValueError) as error:
            if scratch is None:
                where = f"The cluster at {os.environ['RAY_ADDRESS']} could not be reached"
                raise BadInput(f"{where}: {error}. Check RAY_ADDRESS.") from None
            raise BadInput(
                f"Ray could not be started on this machine: {error}. Set TMPDIR to a folder with a short path on a "
                "disk with room, or leave out --engine ray."
            ) from None
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        yield
    finally:
        with _interrupts_wait():
            ray.shutdown()
            if scratch is not None:
                shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Let Ctrl-C wait until the end: where Ray is interrupted while it starts or stops, its processes stay behind."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is interrupted
        return
    interrupts: list[int] = []
    former = signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
    if interrupts:
        raise KeyboardInterrupt


@contextmanager
def _standard_error_closed() -> Iterator[None]:
    """Let nothing through that Ray's C++ code writes while it starts, such as that it writes no logs."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _remove_left_over() -> None:
    """Remove the temporary folders of jobs that were killed."""
    import psutil

    for left in Path(tempfile.gettempdir()).glob(f"{_TEMPORARY}*"):
        number = left.name.removeprefix(_TEMPORARY)
        if number.isdigit() and not psutil.pid_exists(int(number)):
            shutil.rmtree(left, ignore_errors=True)


def work_on_blocks(
    given: Input, kept: Mapping[Place, bool], task: BlockTask, options: RayOptions, step: str, on_progress: Progress
) -> None:
    """Do a task for every block that is not kept, each in one of the workers.

    A file is read by one process, block by block, while workers take the blocks. Ray replaces a worker that dies, and
    gives its block to another, without end; what a lost machine had read is read again.

    Args:
        given: what is read.
        kept: blocks that are done, and whether each is the last of its file.
        task: what is done.
        options: how it is spread.
        step: what is done, in words.
        on_progress: told of the rows that are done.

    Raises:
        BadInput: what a worker has raised, or the disk or memory of a machine is full.
    """
    import ray
    from ray.data import ActorPoolStrategy, DataContext, TaskPoolStrategy

    done, total = 0, given.n_rows
    on_progress(step, 0, total + 1, "rows")
    files = [{_FILE: file} for file in given.pending(kept)]
    places = frozenset(kept)

    def read(files: pa.Table) -> Iterator[pa.Table]:
        for file in files[_FILE].to_pylist():
            try:
                for block in given.blocks(file, places):
                    yield block.packed()
            except BadInput as error:  # Ray keeps no more of an exception than its text and trace
                yield refused(str(error))

    if files:
        workers = options.workers or _room(options.gpus)
        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.target_max_block_size = 1  # a block of Ray for each of ours
        blocks = ray.data.from_items(files, override_num_blocks=len(files)).map_batches(
            read,
            batch_size=None,
            batch_format="pyarrow",
            compute=TaskPoolStrategy(size=max(workers // 2, 1)),
            num_cpus=_READER_CPUS,
        )
        worked = blocks.map_batches(
            _Worker,
            fn_constructor_args=(task,),
            batch_size=None,
            batch_format="pyarrow",
            compute=ActorPoolStrategy(size=workers),
            num_cpus=_WORKER_CPUS,
            num_gpus=options.gpus or None,
        )
        with _as_bad_input():
            batch: Any
            for batch in worked.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
                for message in batch[_MESSAGE].drop_null().to_pylist():
                    raise BadInput(message)
                done += sum(batch[_ROWS].to_pylist())
                on_progress(step, done, max(total, done) + 1, "rows")
    on_progress(step, done, done, "rows")


class _Worker:
    """Holds what a task has loaded, from block to block."""

    def __init__(self, task: BlockTask) -> None:
        self._task = task

    def __call__(self, packed: pa.Table) -> pa.Table:
        n_rows = []
        try:
            for block in unpacked(packed):
                self._task.do(block)
                n_rows.append(block.batch.rows.num_rows)
        except BadInput as error:
            return pa.table({_ROWS: [0], _MESSAGE: [str(error)]}, _RESULT)
        return pa.table({_ROWS: n_rows, _MESSAGE: [None] * len(n_rows)}, _RESULT)


def _room(gpus: float) -> int:
    """Return how many workers the cluster has room for."""
    import ray

    resources = ray.cluster_resources()
    return max(int(resources.get("GPU", 0) // gpus if gpus else resources.get("CPU", 1)), 1)


@contextmanager
def _as_bad_input() -> Iterator[None]:
    """Say what to do where the disk or the memory of a machine is full."""
    from ray.exceptions import OutOfDiskError, OutOfMemoryError

    try:
        yield
    except Exception as error:
        causes = [*_causes(error)]
        finished = "Parts that are finished are kept for --resume."
        if any(isinstance(cause, OutOfDiskError) for cause in causes):
            raise BadInput(
                "The disk on which Ray keeps blocks that wait is full. Make room there, or set TMPDIR to a folder on a "
                f"larger disk. {finished}"
            ) from None
        if any(isinstance(cause, OutOfMemoryError) for cause in causes):
            raise BadInput(f"A machine ran out of memory. Take fewer --workers. {finished}") from None
        raise


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, and what led to it in other processes."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "cause", None)]
