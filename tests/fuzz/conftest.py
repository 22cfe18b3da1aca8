"""The toy company's systems, a hierarchy, and an account of what was fuzzed."""

from pathlib import Path

import pytest

from harness.tagging.models import open_run
from tests.fuzz.fuzz_size import FULL, TALLY
from tests.harness.conftest import call  # noqa: F401 - a fixture of the verbs
from tests.harness.tagging.given_run import HIERARCHY, toy_run

FOLLOW_UP = """\
follow_up:
  most: 3
  ranks: [{name: heads, nodes: [Care], bands: [Upper]}, {name: others, nodes: [Care]}]
groups: {carers: [Care]}
"""


class Toy:
    """What to tag with; no dataclass, as a report of a failure would show all of it."""

    def __init__(self, run: Path, work: Path) -> None:
        self.run = run
        self.model = open_run(run)
        self.work = work
        """Where each example makes a folder of its own."""
        self.hierarchy = work / "hierarchy.yaml"
        self.hierarchy.write_text(HIERARCHY + FOLLOW_UP)


@pytest.fixture(scope="session")
def toy(company, tmp_path_factory):
    return Toy(toy_run(company.config), tmp_path_factory.mktemp("fuzz"))


def pytest_terminal_summary(terminalreporter):
    if FULL and TALLY.counts:
        terminalreporter.write_line(TALLY.described())
