"""A verb of the command, called in this process."""

import sys

import pytest

from harness.cli import main


def exit_code_of(*arguments: object) -> int:
    """Call `title-harness` with arguments; return its exit code. What it prints is left to whoever captures it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["title-harness", *map(str, arguments)])
        try:
            main()
        except SystemExit as stop:
            return stop.code or 0
    return 0
