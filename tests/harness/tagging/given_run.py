"""One run of the toy company with every system, made once for all tests that only read it, and a hierarchy for it."""

from functools import cache
from pathlib import Path

from data_cleaning.progress import silent
from harness.experiment.config_file import load_config
from harness.experiment.run import run

HIERARCHY = """\
version: 2027.1
levels: [area, team]
band: {name: rank, values: [Upper, Lower]}
sure: 0.5
tree:
  Care:
    Heads of care: {band: Upper, seniority: Lead}
    Nurses: {band: Lower, seniority: Staff}
  House: {band: Lower, seniority: Staff}
rules:
  - {department: [Nursing, Surgery], seniority: [Chief, Head], leaf: Heads of care}
  - {department: [Nursing, Surgery], leaf: Nurses}
default: House
"""


@cache
def toy_run(config: Path, *overrides: str, results: Path | None = None) -> Path:
    """Return the folder of a run; by default it lies beside the folder of the config."""
    loaded = load_config(config, overrides)
    results = results or config.parent.parent / "toy-runs"
    return run(loaded, results=results, out=None, fresh=False, on_progress=silent, announce=lambda _: None).folder
