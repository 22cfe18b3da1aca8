"""What a person sees on the terminal: progress on stderr, results on stdout."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.progress import Task as BarTask
from rich.table import Table as RichTable
from rich.text import Text

from data_cleaning.errors import visible
from data_cleaning.progress import Progress

if TYPE_CHECKING:
    from data_cleaning.report_table import Table  # which takes its time to import

_PLAIN_LINE_EVERY_SECONDS = 10.0
_SHORTEST_TIMED_SECONDS = 0.1  # a rate measured over less says nothing
_LINE_END = "\n"

# A file or a pipe has no width to fit; tables must not lose columns there.
out = Console(width=None if sys.stdout.isatty() else 160, markup=False, emoji=False, highlight=False)
err = Console(stderr=True, markup=False, emoji=False, highlight=False)


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
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=err, transient=True) as bars:
        running: dict[str, TaskID] = {}

        def on_progress(step: str, done: int, total: int, unit: str = "titles") -> None:
            if step not in running:
                running[step] = bars.add_task(visible(step), total=total, unit=unit)
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
        rate = done / elapsed if elapsed >= _SHORTEST_TIMED_SECONDS else 0.0
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
    err.print(visible(line), soft_wrap=True)


def warn(line: str) -> None:
    """Print one warning on stderr, where results are all that is asked for as well."""
    _complain(f"Warning: {visible(line)}", style="bold")


def fail(message: str) -> None:
    """Print an error on stderr; lines after the first are indented, so that none of them looks like another message."""
    _complain(f"Error: {visible(message, keep=_LINE_END)}".replace(_LINE_END, f"{_LINE_END}  "))


def _complain(text: str, style: str = "") -> None:
    loud = Console(stderr=True, markup=False, emoji=False, highlight=False)  # `err` may be silent
    loud.print(text, style=style, soft_wrap=True)


def print_line(line: str) -> None:
    """Print one line of a result on stdout."""
    out.print(visible(line), soft_wrap=True)


def print_json(text: str) -> None:
    """Print JSON on stdout; characters that a terminal would not show are escaped as JSON escapes them."""
    shown = (one if one.isprintable() or one == _LINE_END else json.dumps(one)[1:-1] for one in text)
    out.out("".join(shown), highlight=False)


def by_step(stages: Iterable[str]) -> str:
    """Word stage names by their first part, with how many there are of each: "leads, clean, fit (10)"."""
    counted = Counter(name.split("/")[0] for name in stages)
    return ", ".join(step if n == 1 else f"{step} ({n})" for step, n in counted.items())


def show_table(table: "Table", *, grouped: bool = True) -> None:
    """Print one table with its title and note; if it is `grouped`, a line separates the groups of the first column."""
    worded = table.shown()
    shown = RichTable(box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    for name, is_number in zip(worded.columns, worded.is_number, strict=True):
        side: Literal["left", "right"] = "right" if is_number else "left"
        shown.add_column(Text(visible(name.replace("_", " "))), justify=side, no_wrap=name != "why")
    groups = [row[0] for row in worded.rows]
    in_groups = grouped and len(set(groups)) < len(groups)
    for position, row in enumerate(worded.rows):
        ends = in_groups and position + 1 < len(groups) and groups[position + 1] != groups[position]
        shown.add_row(*(Text(visible(cell)) for cell in row), end_section=ends)
    out.print(visible(table.title), style="bold")
    out.print(visible(table.note))
    out.print(shown)
