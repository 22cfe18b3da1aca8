"""The wheel, installed into an environment of its own and away from the checkout, runs every verb."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from typer.main import get_command

from harness.cli import app
from harness.experiment.config import PROJECT_CONFIGS
from harness.keywords.suggestion_sheets import JSON_NAME, Origin, write_suggestions
from tests.harness.keywords.given_suggestions import GARDENER, mark_json
from tests.harness.tagging.given_run import HIERARCHY

ROOT = Path(__file__).parents[2]

DRIVER = """
import contextlib, io, json, sys, traceback
import harness
from harness.cli import main

told = {"package": harness.__file__}
for name, arguments in json.load(open("commands.json")).items():
    sys.argv = ["title-harness", *arguments]
    said, code = io.StringIO(), 0
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        except BaseException:
            code = traceback.format_exc()
    told[name] = [code, said.getvalue()[-3000:]]
json.dump(told, open("told.json", "w"))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return the Python of a fresh environment with the wheel; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run([*pip, *map(str, build)], check=True, capture_output=True, text=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    python = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([*pip, "--python", python, "install", "--quiet", "--no-deps", wheel], check=True)
    found = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    )
    places = {sysconfig.get_path("purelib"), *(place for place in sys.path if place.endswith("site-packages"))}
    (Path(found.stdout.strip()) / "dependencies.pth").write_text("\n".join(places))
    return python


def commands(company, folder):
    """Return each verb with arguments, in an order in which each finds what it needs."""
    config = ["--config", str(company.config), "--results", "results", "--allow", str(folder)]
    toy = ["--config", str(company.config), "--allow", str(folder)]
    leads = str(company.folder / "leads.csv")
    few = ["--set", "search.space={epochs: [1, 2]}", "--trials", "1"]
    return {
        "init": ["init", leads, leads.replace("leads", "keywords"), "--out", "new", "--title-column", "What you do"],
        "simulate": ["simulate", "--records", "300", "--out", "simulated.csv"],
        "clean": ["clean", "simulated.csv", "--out", "clean.csv.gz", "--set", "clean.english_only=false"],
        "profile": ["profile", "simulated.csv", "--no-tokens"],
        "study": ["study", "--records", "1000", "--out", "study.md"],
        "audit": ["audit", leads.replace("leads", "keywords"), "--leads", leads, *toy],
        "diff": ["diff", leads.replace("leads", "keywords"), leads.replace("leads", "keywords"), *toy],
        "check": ["check", "simulated.csv"],
        "review pick": ["review", "pick", "simulated.csv", "--n", "20"],
        "review add": ["review", "add", "by_hand.csv", "--reviewer", "Ann", "--leads", "by_hand.csv"],
        "review status": ["review", "status", "--leads", "simulated.csv"],
        "run": ["run", "all", *config, "--out", "results/toy", "--set", "systems=[majority, keyword, tfidf]"],
        "runs": ["runs"],
        "compare": ["compare", "results/toy", "results/toy", "--out", "changed.csv"],
        "gate": ["gate", "results/toy", "--min", "0.1", "--not-worse-than", "results/toy"],
        "search": ["search", *config, *few],
        "new-system": ["new-system", "my_knn"],
        "suggest apply": ["suggest", "apply", "suggested/suggestions.json", "--out", "next.csv", *toy],
        "predict": ["predict", leads, "--out", "tagged.csv", "--run", "results/toy", "--system", "keyword"],
        "explain": ["explain", "head nurse", "--run", "results/toy"],
        "serve": ["serve", "--help"],
        "export": ["export", "results/toy", "model", "--hierarchy", "none"],
        "predict with the exported folder": ["predict", leads, "--out", "tagged.xlsx", "--model", "model"],
        "hierarchy check": ["hierarchy", "check", "hierarchy.yaml"],
        "hierarchy diff": ["hierarchy", "diff", "toy.yaml", "toy.yaml", "--leads", leads, "--run", "results/toy"],
    }


@pytest.fixture(scope="module")
def told(installed, company, tmp_path_factory):
    """Run every verb in one process of that environment; return its exit code and its words by verb."""
    folder = tmp_path_factory.mktemp("away")
    table = company.folder / "keywords.csv"
    origin = Origin.of(table, company.taxonomy.names, run="toy", split="title", learned_from="legacy")
    (folder / "suggested").mkdir()
    write_suggestions(folder / "suggested", (GARDENER,), origin)
    mark_json(folder / "suggested" / JSON_NAME, {1: "accept"})
    (folder / "hierarchy.yaml").write_bytes((PROJECT_CONFIGS / "hierarchy.yaml").read_bytes())
    (folder / "toy.yaml").write_text(HIERARCHY)
    (folder / "by_hand.csv").write_text("title,function,role,level\nCISO,IT,Information Security,C-Level\n")
    (folder / "driver.py").write_text(DRIVER)
    (folder / "commands.json").write_text(json.dumps(commands(company, folder)))
    subprocess.run([installed, "driver.py"], cwd=folder, check=True, env={"PATH": ""}, capture_output=True, text=True)
    return json.loads((folder / "told.json").read_text())


def verbs():
    """Return every verb of the command line, as a person types it."""
    found = get_command(app).commands
    return [
        " ".join((name, *inner))
        for name, verb in found.items()
        for inner in [[n] for n in getattr(verb, "commands", ())] or [()]
    ]


def test_the_package_is_the_installed_one(told):
    assert str(ROOT) not in told["package"]


@pytest.mark.parametrize("verb", verbs())
def test_an_installed_copy_runs_every_verb(told, verb):
    code, said = told[verb]
    assert code == 0, said


def test_an_exported_folder_tags_without_the_checkout(told):
    code, said = told["predict with the exported folder"]
    assert code == 0, said
