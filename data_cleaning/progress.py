"""How a long step reports its progress; the command line draws it."""

from typing import Protocol


class Progress(Protocol):
    """Called repeatedly by a long step."""

    def __call__(self, step: str, done: int, total: int, unit: str = "titles") -> None:
        """Report that `done` of `total` `unit` of `step` are done; `done == total` ends the step."""


def silent(step: str, done: int, total: int, unit: str = "titles") -> None:
    """Draw nothing."""
