"""Kill verbs at random moments, call them again until they finish, and compare with what an undisturbed call writes.

    python -m tests.fuzz.killed_verbs --kills 12 --seed 1 run search simulate study apply

Calls are forks of one process that has imported the large libraries, as that would take most of their time.
"""

import argparse
import importlib
import json
import os
import random
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
IMPORTED = (
    *("torch", "transformers", "optuna", "sklearn.linear_model", "pandas", "pyarrow.parquet", "xlsxwriter", "typer"),
    *("safetensors.torch", "skops.io", "pydantic", "rich.console", "grimp", "lingua"),
)
"""What takes long to import. polars is not among them: its threads do not survive a fork."""
TIMED = frozenset({"run.json", "search.json", "stage.json", "report.html", "training_log.md", "SHA256SUMS", "log"})
"""Files that tell when something was made, and how long that took; tables of costs do so too."""
TIMED_KEYS = frozenset({"seconds", "wall_seconds", "made_at"})


def write_company(folder: Path) -> None:
    """Write the toy company, titles that a person has labelled, and a table that has something to learn."""
    from tests.toy_company import write_toy_company

    write_toy_company(folder)
    words = {"Garden": "gardener", "Kitchen": "cook", "Nursing": "nurse", "Surgery": "surgeon", "Elsewhere": "visitor"}
    shifts = ("early", "late", "evening", "morning")
    rows = [f"{shift} head {word},{department},Head\n" for department, word in words.items() for shift in shifts]
    (folder / "reviewed.csv").write_text("What you do,Dept,Grade\n" + "".join(rows))


def write_marked(folder: Path) -> None:
    """Write a table and suggestions for it, some accepted and one rejected."""
    from data_cleaning.taxonomy import Taxonomy
    from harness.keywords.suggestion_sheets import CSV_NAME, Origin, write_suggestions
    from tests.harness.keywords.given_suggestions import ALL, edit_csv
    from tests.toy_company import write_toy_company

    write_toy_company(folder)
    shutil.copyfile(folder / "keywords.csv", folder / "2023.csv")
    targets = Taxonomy.read(folder / "taxonomy.yaml").names
    origin = Origin.of(folder / "2023.csv", targets, run="company-1", split="title", learned_from="legacy")
    write_suggestions(folder, ALL, origin)
    edit_csv(folder / CSV_NAME, {(2, "accept"): "accept", (3, "accept"): "reject"})


SMOKE = f"--config {shlex.quote(str(ROOT / 'configs' / 'smoke.yaml'))}"
OWN = "--config company.yaml --results results --set neural.runtime=torch --set neural.precision=fp32"
VERBS = {
    # With mining, its folds and the test of explanations.
    "run": (
        f"run all {OWN} --set split.by=[title] --set split.valid_share=0.3 --set reviewed=reviewed.csv "
        "--set mining.candidates=10 --set 'label_issues={system: tfidf}'",
        write_company,
    ),
    "search": (f"search {OWN} --set split.by=[title] --trials 4 --out found", write_company),
    "simulate": (f"simulate {SMOKE} --out leads.csv", None),
    "study": (f"study {SMOKE} --records 1000 --out study.md", None),
    "apply": ("suggest apply suggestions.csv --config company.yaml --force", write_marked),
}
"""Verb to its command line, and what writes the files that it reads into the folder that it is called in."""


def begin(call: Callable[[], Any], folder: Path) -> int:
    """Call something in a folder, in a process of its own; return its number."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        os.chdir(folder)
        log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        call()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def finish(process: int) -> int:
    """Wait for a process; return its exit code, or the negative number of its signal."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def content_of(folder: Path) -> dict[str, Any]:
    """Return what a verb wrote, by file; hidden caches and what tells the time are left out."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        is_timed = path.name in TIMED or path.stem == "costs" or path.suffix in (".db", ".xlsx")
        if path.is_dir() or is_timed or "/.cache/" in f"/{name}":
            continue
        if path.name == "trials.csv":
            import pandas as pd

            found[name] = pd.read_csv(path).drop(columns="seconds").to_csv()
        elif path.suffix == ".json":
            found[name] = json.dumps(timeless(json.loads(path.read_text())))
        else:
            found[name] = path.read_bytes()
    return found


def timeless(content: Any) -> Any:
    """Return what JSON held without the time that something took."""
    if isinstance(content, dict):
        return {key: timeless(value) for key, value in content.items() if key not in TIMED_KEYS}
    return [timeless(value) for value in content] if isinstance(content, list) else content


def compare(whole: Path, folder: Path) -> None:
    """Raise an error that names the files of a folder that are not as in the folder of the undisturbed call."""
    right, found = content_of(whole), content_of(folder)
    wrong = sorted(name for name in right.keys() | found.keys() if right.get(name) != found.get(name))
    assert not wrong, wrong


def kill_verb(name: str, n_kills: int, random_: random.Random, work: Path) -> tuple[int, int]:
    """Kill a verb at least `n_kills` times; return how many kills were survived, and how many there were."""
    from harness.cli import main

    command, prepare = VERBS[name]
    # All calls are made in one place, since paths may be part of what is read and written.
    place, given, whole = (work / name / folder for folder in ("call", "given", "whole"))
    place.mkdir(parents=True)
    if prepare is not None:
        assert finish(begin(lambda: prepare(place), place)) == 0, (place / "log").read_text()
    place.rename(given)

    def call() -> None:
        sys.argv = ["title-harness", *shlex.split(command)]
        main()

    shutil.copytree(given, place, ignore=shutil.ignore_patterns("log"))
    began = time.monotonic()
    assert finish(begin(call, place)) == 0, (place / "log").read_text()
    seconds = time.monotonic() - began
    place.rename(whole)
    survived = tried = 0
    while tried < n_kills:
        shutil.copytree(given, place, ignore=shutil.ignore_patterns("log"))
        in_a_row = 0
        for _ in range(random_.randint(1, 4)):
            process = begin(call, place)
            time.sleep(random_.uniform(0, seconds / 2))
            os.kill(process, random_.choice((signal.SIGTERM, signal.SIGKILL)))
            in_a_row += finish(process) < 0
        code = finish(begin(call, place))
        # In a process of its own: after polars has run here, it would hang in every fork.
        same = code == 0 and finish(begin(lambda: compare(whole, place), place)) == 0
        tried += in_a_row
        survived += in_a_row if same else 0
        if not same:
            print(f"{name}: exit {code} after {in_a_row} kills\n{(place / 'log').read_text()[-3000:]}")  # noqa: T201
        print(f"{name}: {survived} of {tried} kills survived; undisturbed it takes {seconds:.1f} s", flush=True)  # noqa: T201
        shutil.rmtree(place)
    return survived, tried


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verbs", nargs="*", default=list(VERBS), help=", ".join(VERBS))
    parser.add_argument("--kills", type=int, default=12, help="kills of each verb")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    for module in IMPORTED:
        importlib.import_module(module)
    with tempfile.TemporaryDirectory() as folder:
        counts = [
            kill_verb(name, asked.kills, random.Random(f"{asked.seed}{name}"), Path(folder)) for name in asked.verbs
        ]
    sys.exit(any(survived != tried for survived, tried in counts))
