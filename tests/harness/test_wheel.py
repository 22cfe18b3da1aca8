"""The wheel alone, away from the checkout, tags with an exported folder."""

import csv
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from harness.tagging.export import export_model
from harness.tagging.models import NO_HIERARCHY
from tests.harness.tagging.given_run import toy_run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return a folder with what the wheel holds, built from a copy of the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    sources.mkdir()
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, sources)
    for package in ("data_cleaning", "baselines", "neural", "harness"):
        shutil.copytree(ROOT / package, sources / package, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run(
        [*command, "--no-build-isolation", "-w", folder, sources], check=True, capture_output=True, text=True
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "installed")
    return folder / "installed"


def test_the_wheel_and_an_exported_folder_tag_a_file(installed, company, tmp_path):
    model, elsewhere = tmp_path / "model", tmp_path / "elsewhere"
    export_model(toy_run(company.config), model, hierarchy=NO_HIERARCHY)
    elsewhere.mkdir()
    (elsewhere / "leads.csv").write_text("What you do\nhead nurse\ncook\n")
    shown = "import harness; print(harness.__file__, file=sys.stderr)"
    code = f"import sys; sys.path.insert(0, {str(installed)!r}); {shown}; from harness.cli import main; main()"
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        [*command, "predict", "leads.csv", "--out", "tagged.csv", "--model", model, "--system", "keyword"],
        cwd=elsewhere, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert str(installed) in done.stderr
    with (elsewhere / "tagged.csv").open(newline="") as opened:
        assert [row["department"] for row in csv.DictReader(opened)] == ["Nursing", "Kitchen"]
