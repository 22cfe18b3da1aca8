"""What a person sees on the terminal: progress on stderr, results on stdout."""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.progress import Task as BarTask
from rich.table import Table as RichTable
from rich.text import Text

from data_cleaning.progress import Progress
from data_cleaning.report_table import Table

_PLAIN_LINE_EVERY_SECONDS = 10.0

# A file or a pipe has no width to fit; tables must not lose columns there.
out = Console(width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True)


class _Rate(ProgressColumn):
    def render(self, task: BarTask) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} {task.fields['unit']}/s" if speed else "", style="progress.data.speed")


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Yield a progress callback: bars with rate and time left on a terminal, plain lines elsewhere."""
    if not err.is_terminal:
        yield _plain_lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Bars(*columns, console=err, transient=True) as bars:
        running: dict[str, TaskID] = {}

        def on_progress(step: str, done: int, total: int, unit: str = "titles") -> None:
            if step not in running:
                running[step] = bars.add_task(step, total=total, unit=unit)
            bars.update(running[step], completed=done, total=total)
            if done >= total:
                bars.remove_task(running.pop(step))

        yield on_progress


def _plain_lines() -> Progress:
    """Write a line now and then, and at the end of each step."""
    began: dict[str, float] = {}
    spoke: dict[str, float] = {}

    def on_progress(step: str, done: int, total: int, unit: str = "titles") -> None:
        now = time.monotonic()
        begun = began.setdefault(step, now)
        finished = done >= total
        if not finished and now - spoke.get(step, begun) < _PLAIN_LINE_EVERY_SECONDS:
            return
        spoke[step] = now
        elapsed = now - begun
        rate = done / elapsed if elapsed > 0 else 0.0
        left = "" if finished or not rate else f", {(total - done) / rate:.0f} s left"
        speed = f", {rate:,.0f} {unit}/s" if rate else ""
        announce(f"  {step}: {done:,} of {total:,} {unit}{speed}{left}")
        if finished:
            began.pop(step)
            spoke.pop(step, None)

    return on_progress


def silence() -> None:
    """Print nothing but results and errors from now on."""
    err.quiet = True


def announce(line: str) -> None:
    """Print one line about what is being done, on stderr."""
    err.print(line, markup=False, highlight=False, soft_wrap=True)


def warn(line: str) -> None:
    """Print one warning on stderr, where results are all that is asked for as well."""
    Console(stderr=True).print(f"Warning: {line}", style="bold", markup=False, highlight=False, soft_wrap=True)


def print_line(line: str) -> None:
    """Print one line of a result on stdout, as it is."""
    out.print(line, markup=False, highlight=False, soft_wrap=True)


def by_step(stages: Iterable[str]) -> str:
    """Word stage names by their first part, with how many there are of each: "leads, clean, fit (10)"."""
    counted = Counter(name.split("/")[0] for name in stages)
    return ", ".join(step if n == 1 else f"{step} ({n})" for step, n in counted.items())


def show_table(table: Table, *, grouped: bool = True) -> None:
    """Print one table with its title and note; if it is `grouped`, a line separates the groups of the first column."""
    worded = table.shown()
    shown = RichTable(box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    for name, is_number in zip(worded.columns, worded.is_number, strict=True):
        side: Literal["left", "right"] = "right" if is_number else "left"
        shown.add_column(name.replace("_", " "), justify=side, no_wrap=name != "why")
    groups = [row[0] for row in worded.rows]
    in_groups = grouped and len(set(groups)) < len(groups)
    for position, row in enumerate(worded.rows):
        ends = in_groups and position + 1 < len(groups) and groups[position + 1] != groups[position]
        shown.add_row(*map(escape, row), end_section=ends)
    out.print(table.title, style="bold", markup=False, highlight=False)
    out.print(table.note, markup=False, highlight=False)
    out.print(shown)
