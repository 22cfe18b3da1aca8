"""Outputs of which each part is a file of its own, and which are these files joined."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from harness.tagging.outputs.contract import Finished, Part
from harness.tagging.outputs.parts import PartsFolder


class Rows(Protocol):
    """How rows are written in one form."""

    def filling(self, path: Path) -> AbstractContextManager[Callable[[pa.Table], None]]:
        """Open the file of a part; what is yielded writes the next rows."""

    def join(self, parts: Sequence[Path], joined: Path) -> None:
        """Write one file of those of the parts, in bounded memory."""


class PartwiseOutput:
    """An output that goes on after its last whole part; see `Output`."""

    resumable = True
    n_cut = n_replaced = 0

    def __init__(self, parts: PartsFolder, rows: Rows) -> None:
        self._parts = parts
        self._rows = rows

    @property
    def finished(self) -> Sequence[Finished]:
        """Whole parts from the first."""
        return self._parts.finished

    @contextmanager
    def part(self) -> Iterator[Part]:
        """Begin the next part."""
        with self._parts.adding() as part, self._rows.filling(part.path(_ROWS)) as write:
            part.into = lambda table, _: write(table)
            yield part
            part.into = None

    @property
    def folder(self) -> Path:
        """Where the parts lie."""
        return self._parts.folder

    def finish(self, ready: Callable[[Path], None] = lambda joined: None) -> None:
        """Join the parts into the output."""
        paths = [part.path(_ROWS) for part in self.finished]
        self._parts.join(lambda joined: self._rows.join(paths, joined), ready)

    def discard(self, last: Callable[[], None] = lambda: None) -> None:
        """Remove the parts."""
        self._parts.discard(last)

    def close(self) -> None:
        """Let another process write the output."""
        self._parts.close()


_ROWS = "rows"
"""Suffix of the file of a part that holds its rows."""
