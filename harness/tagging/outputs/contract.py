"""What every output can do, whatever the form of its file."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa


@dataclass(frozen=True)
class Finished:
    """A part that is whole."""

    number: int
    """The first is 1."""
    journal: Mapping[str, Any]
    """What the caller noted when it was filled."""
    folder: Path

    def path(self, suffix: str) -> Path:
        """Return where a further file of the part lies; there is none if none was written."""
        return part_path(self.folder, self.number, suffix)


class Part(Protocol):
    """One part that is being filled."""

    journal: Mapping[str, Any] | None
    """What is to be known of the part later, as JSON can hold it; must be set before the part ends."""

    def write(self, table: pa.Table, cells: Sequence[tuple[Any, ...]] | None = None) -> None:
        """Write the next rows.

        Args:
            table: all columns to write, by position; their names are unique and are not written.
            cells: for XLSX, a tuple per row with the own values of the first columns, written instead of their text.

        Raises:
            BadInput: the output cannot hold the rows, or the disk is full.
        """

    def path(self, suffix: str) -> Path:
        """Return where to write a further file that belongs to the part and lasts as long as it."""


class Output(Protocol):
    """A table that is being written; a part that was once whole need not be written again."""

    @property
    def finished(self) -> Sequence[Finished]:
        """Whole parts without a gap from the first, those found at opening and those added since."""

    @property
    def resumable(self) -> bool:
        """Whether parts of an interrupted job are found again."""

    @property
    def n_cut(self) -> int:
        """How many cells had more text than a cell of a spreadsheet holds, and were cut."""

    @property
    def n_replaced(self) -> int:
        """How many cells had characters that a spreadsheet cannot hold, and got U+FFFD in their place."""

    def part(self) -> AbstractContextManager[Part]:
        """Begin the next part; it is whole when the block ends without an error, and otherwise gone."""

    @property
    def folder(self) -> Path:
        """Where the parts lie; the caller may keep files there, and removes them before `discard`."""

    def finish(self, ready: Callable[[Path], None] = lambda joined: None) -> None:
        """Join the parts into the output, which appears whole or not at all.

        Args:
            ready: called with the joined file before it is moved into its place as it is.

        Raises:
            BadInput: the output cannot be written, or the disk is full.
        """

    def discard(self, last: Callable[[], None] = lambda: None) -> None:
        """Remove the parts, once everything is written that is made from them; the output is closed.

        Args:
            last: called when the parts are gone, to remove what the caller keeps in their folder.
        """

    def close(self) -> None:
        """Let another process write the output; its parts are left. Closing twice does no harm."""


def part_path(folder: Path, number: int, suffix: str) -> Path:
    """Return where a file of a part lies."""
    return folder / f"part-{number:06d}.{suffix}"
