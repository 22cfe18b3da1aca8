"""How a long step tells its caller how far it is; drawing it is the command line's business."""

from typing import Protocol


class Progress(Protocol):
    """Called by a long step as it goes."""

    def __call__(self, step: str, done: int, total: int, unit: str = "titles") -> None:
        """Say that `done` of `total` `unit` of `step` are done; `done == total` ends the step."""


def silent(step: str, done: int, total: int, unit: str = "titles") -> None:
    """Draw nothing."""
