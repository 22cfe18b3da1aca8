"""Stages that do not need each other, made at the same time by several processes.

A training on two threads is no faster than on one, since its operations are too small to share: see 2026-11-29 in
docs/EXPERIMENTS.md. So each process has its share of the cores, and two processes take half of the time.
"""

import multiprocessing
import os
import shutil
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import wait as wait_for_end
from pathlib import Path
from typing import Any

import psutil

from data_cleaning.errors import BadInput, Notice
from data_cleaning.progress import Progress
from data_cleaning.threads import NUMBERS, usable_cores
from harness.experiment.cache import Stage, StageStore, stages_before
from harness.experiment.stages import Folders
from harness.experiment.stages.measuring import peak_memory
from harness.experiment.systems import NETWORK

_THREAD_VARIABLES = (*NUMBERS, "POLARS_MAX_THREADS")
_GIGABYTES_PER_JOB = 3
_BETWEEN_REPORTS = 0.2
"""Seconds between two reports of the progress of one step."""


@dataclass(frozen=True)
class _Made:
    """What a process tells of a stage."""

    place: Path
    reused: bool
    seconds: float
    peak_bytes: int
    """Of the process so far."""
    notices: tuple[str, ...]


def usual_jobs(stages: list[Stage], prints: Mapping[str, str], store: StageStore) -> int:
    """Return how many processes make stages where nobody says: two if two networks are to be fitted on a CPU.

    Starting processes takes seconds, which other stages do not win back. One GPU serves one process.
    """
    fits = [stage for stage in stages if stage.name.startswith("fit/") and stage.systems[0].name == NETWORK]
    unfinished = [stage for stage in fits if store.fresh or not store.place(stage.name, prints[stage.name]).is_dir()]
    has_memory = psutil.virtual_memory().available > 2 * _GIGABYTES_PER_JOB << 30
    return 2 if len(unfinished) > 1 and usable_cores() > 1 and has_memory and not shutil.which("nvidia-smi") else 1


def make_in_parallel(
    stages: list[Stage],
    prints: Mapping[str, str],
    store: StageStore,
    announce: Callable[[str], None],
    on_progress: Progress,
    on_made: Callable[[str, Path], None],
    jobs: int,
) -> Folders:
    """Make every stage that is not finished yet in one of several processes; return where all of them are.

    Scores that need no network come first, since they are there in seconds. Of the other stages that could begin, that
    begins first on which the longest chain of others waits.

    Args:
        stages: each after those it needs.
        prints: name to fingerprint.
        store: keeps finished stages, and is told which were made and reused.
        announce: told the name of each stage that is made, and why it is made again or waited for.
        on_progress: told how far long steps are.
        on_made: told the name and folder of each stage that was made now.
        jobs: number of processes.

    Raises:
        BadInput: an input is at fault, or a process was ended from outside, as where memory runs out.
    """
    chains, soon = _chains(stages), _soon_scored(stages)
    waiting = sorted(stages, key=lambda stage: (stage.name not in soon, -chains[stage.name]))
    done: dict[str, Path] = {}
    looked_at: set[str] = set()
    context = multiprocessing.get_context("spawn")  # forked processes of polars and torch may hang
    events = context.SimpleQueue()  # which holds what was put into it before a stage ended
    running: dict[Future[_Made], Stage] = {}
    with _threads(max(usable_cores() // jobs, 1)):
        pool = ProcessPoolExecutor(jobs, context, _begin, (events, store.folder, store.fresh))
        try:
            while waiting or running:
                for stage in [each for each in waiting if set(each.needs) <= done.keys()]:
                    final = store.place(stage.name, prints[stage.name])
                    if stage.name not in looked_at and store.is_reusable(stage.name, final, lambda _: None):
                        done[stage.name] = final
                    elif len(running) < jobs:
                        inputs = {name: done[name] for name in stage.needs}
                        running[pool.submit(_make, stage, prints[stage.name], inputs)] = stage
                    else:
                        looked_at.add(stage.name)  # checksums take time, and the process that makes it says why
                        continue
                    waiting.remove(stage)
                finished, _ = wait(running, timeout=0.1, return_when=FIRST_COMPLETED)
                _pass_on(events, announce, on_progress)
                for future in finished:
                    name, made = running.pop(future).name, future.result()
                    done[name] = made.place
                    _note(store, name, made, on_made)
        except BrokenProcessPool:
            raise BadInput(
                "A process that made stages was ended from outside, perhaps for want of memory. What was finished is "
                "kept. Repeat the command with --jobs 1."
            ) from None
        finally:
            if running:  # an error or Ctrl-C; checkpoints keep the work of a network
                for process in list((pool._processes or {}).values()):
                    process.kill()
            pool.shutdown(cancel_futures=True)
    return {stage.name: done[stage.name] for stage in stages}


def _chains(stages: list[Stage]) -> dict[str, int]:
    """Return the number of stages in the longest chain that waits for each."""
    found = {stage.name: 0 for stage in stages}
    for stage in reversed(stages):
        for name in stage.needs:
            found[name] = max(found[name], found[stage.name] + 1)
    return found


def _soon_scored(stages: list[Stage]) -> set[str]:
    """Return the scores that need no network, and the stages that they need."""
    slow: set[str] = set()
    for stage in stages:
        if slow.intersection(stage.needs) or any(system.name == NETWORK for system in stage.systems):
            slow.add(stage.name)
    scores = [stage for stage in stages if stage.name.startswith("score/") and stage.name not in slow]
    return {stage.name for one in scores for stage in (one, *stages_before(one, stages))}


def _pass_on(events: Any, announce: Callable[[str], None], on_progress: Progress) -> None:
    while not events.empty():
        event = events.get()
        if isinstance(event, str):
            announce(event)
        else:
            on_progress(*event)


def _note(store: StageStore, name: str, made: _Made, on_made: Callable[[str, Path], None]) -> None:
    if made.reused:
        store.reused.append(name)
    else:
        store.made[name] = made.seconds
        on_made(name, made.place)
    store.peak_bytes = max(store.peak_bytes, made.peak_bytes)
    for text in made.notices:
        warnings.warn(Notice(text), stacklevel=2)


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Let processes that start meanwhile use so many threads each, unless the environment says otherwise."""
    added = {name: str(number) for name in _THREAD_VARIABLES if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


# In the processes: where they keep and tell things, set once as each begins.
_store: StageStore
_tell: Callable[[str | tuple[str, int, int, str]], None]
"""Takes what is announced, or the arguments of `Progress`."""


def _begin(events: Any, folder: Path, fresh: bool) -> None:
    """Prepare a process: Ctrl-C and the end of its parent are matters of the parent."""
    global _store, _tell
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _store, _tell = StageStore(folder, fresh=fresh), events.put


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait_for_end([parent.sentinel])
    os._exit(1)


def _make(stage: Stage, fingerprint: str, inputs: Folders) -> _Made:
    """Make or find one stage, in a process of its own."""
    reported: dict[str, float] = {}

    def on_progress(step: str, done: int, total: int, unit: str = "titles") -> None:
        now = time.monotonic()
        if done >= total or now - reported.get(step, 0.0) > _BETWEEN_REPORTS:
            reported[step] = now
            _tell((step, done, total, unit))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", Notice)
        place = _store.obtain(
            stage.name,
            fingerprint,
            partial(stage.make, inputs, on_progress=on_progress),
            _tell,
        )
    notices = tuple(str(warning.message) for warning in caught)
    return _Made(place, stage.name not in _store.made, _store.made.get(stage.name, 0.0), peak_memory(), notices)
