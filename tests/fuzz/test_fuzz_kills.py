"""Verbs that are killed at any moment, and called again until they finish, write what an undisturbed call writes."""

import json
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from data_cleaning.taxonomy import Taxonomy
from harness.keywords.suggestion_sheets import CSV_NAME, Origin, write_suggestions
from tests.fuzz.fuzz_size import FULL, TALLY
from tests.harness.keywords.given_suggestions import ALL, edit_csv
from tests.harness.tagging.given_run import HIERARCHY
from tests.toy_company import write_toy_company

CONFIGS = Path(__file__).parents[2] / "configs"
N_ROWS = 20_000
N_SERIES = 2 if FULL else 1
"""Of kills without an undisturbed call between them, for each job."""
KILLS_IN_SERIES = 3 if FULL else 1
N_JUDGED = 500
_ALREADY = "already"
"""In the message of a job that had finished before it was killed."""


def write_nothing(_: Path) -> None:
    """Write no files: the job reads others."""


def write_company(folder: Path) -> None:
    """Write the toy company, and titles that a person has labelled."""
    write_toy_company(folder)
    words = {"Garden": "gardener", "Kitchen": "cook", "Nursing": "nurse", "Surgery": "surgeon", "Elsewhere": "visitor"}
    shifts = ("early", "late", "evening", "morning")
    rows = [f"{shift} head {word},{department},Head\n" for department, word in words.items() for shift in shifts]
    (folder / "reviewed.csv").write_text("What you do,Dept,Grade\n" + "".join(rows))


def write_judged(folder: Path) -> None:
    """Write titles that a person has judged."""
    rows = [f"{shift} head nurse {n},Nursing,Head\n" for shift in ("early", "late") for n in range(N_JUDGED)]
    (folder / "judged.csv").write_text("title,department,seniority\n" + "".join(rows))


def write_marked(folder: Path) -> None:
    """Write a table and suggestions for it, one accepted and one rejected."""
    write_toy_company(folder)
    shutil.copyfile(folder / "keywords.csv", folder / "2023.csv")
    targets = Taxonomy.read(folder / "taxonomy.yaml").names
    origin = Origin.of(folder / "2023.csv", targets, run="company-1", split="title", learned_from="legacy")
    write_suggestions(folder, ALL, origin)
    edit_csv(folder / CSV_NAME, {(2, "accept"): "accept", (3, "accept"): "reject"})


@dataclass(frozen=True)
class Job:
    """A call of a verb, in a folder of its own."""

    command: str
    """With {given}, {run} and {configs} for the folders of leads, of a run and of the project's configs."""
    prepare: Callable[[Path], None] = write_nothing
    """Writes what the call may change into its folder."""


OWN = "--config company.yaml --results results --set neural.runtime=torch --set neural.precision=fp32"
TITLE = "--title-column Job"
PREDICT = f"--run {{run}} --hierarchy {{given}}/hierarchy.yaml --by Event {TITLE}"
REVIEW = "--taxonomy {given}/taxonomy.yaml --table {given}/keywords.csv"
TABLES = "{configs}/keywords"
JOBS = {
    "predict CSV": Job(f"predict {{given}}/leads.csv --system keyword --out t.csv {PREDICT}"),
    "predict CSV, gzipped": Job(f"predict {{given}}/leads.csv --system tfidf --out t.csv.gz {PREDICT}"),
    "predict Parquet, aligned": Job(f"predict {{given}}/aligned.parquet --system keyword --out t.parquet {PREDICT}"),
    "predict Parquet, unaligned": Job(f"predict {{given}}/unaligned.parquet --system tfidf --out t.parquet {PREDICT}"),
    "predict Parquet, network": Job(f"predict {{given}}/unaligned.parquet --system neural --out t.csv {PREDICT}"),
    "predict XLSX": Job(f"predict {{given}}/leads.xlsx --system keyword --out t.xlsx {PREDICT}"),
    "clean CSV": Job(f"clean {{given}}/leads.csv --out c.csv {TITLE}"),
    "clean Parquet": Job(f"clean {{given}}/unaligned.parquet --out c.parquet {TITLE}"),
    "clean XLSX": Job(f"clean {{given}}/leads.xlsx --out c.xlsx {TITLE}"),
    "check": Job(f"check {{given}}/leads.csv --out c.xlsx {TITLE}"),
    "profile": Job(f"profile {{given}}/leads.csv --no-tokens --out profile {TITLE}"),
    "audit": Job(f"audit {TABLES}/2023.csv --leads {{given}}/leads.csv --out audit {TITLE}"),
    "diff": Job(f"diff {TABLES}/2022.csv {TABLES}/2023.csv --leads {{given}}/leads.csv --out diff.csv {TITLE}"),
    "explain": Job("explain 'head nurse' --run {run} --json"),
    "export": Job("export {run} model"),
    "hierarchy check": Job("hierarchy check {given}/hierarchy.yaml --taxonomy {given}/taxonomy.yaml"),
    "hierarchy diff": Job(
        "hierarchy diff {given}/hierarchy.yaml {given}/other.yaml --leads {given}/leads.csv --system keyword "
        f"--run {{run}} --out moved.csv {TITLE}"
    ),
    "init": Job(f"init {{given}}/leads.csv {TABLES}/2023.csv --out mine {TITLE}"),
    "new-system": Job("new-system my_knn"),
    "simulate": Job("simulate --records 20000 --out simulated.parquet"),
    "study": Job("study --config {configs}/smoke.yaml --records 1000 --out study.md"),
    "suggest apply": Job("suggest apply suggestions.csv --config company.yaml --force", write_marked),
    "review pick": Job(f"review pick {{given}}/leads.csv {REVIEW} --n 50 --out picked.xlsx {TITLE}"),
    "review pick of a run": Job("review pick {run} --n 9 --out picked.xlsx"),
    "review add": Job(f"review add judged.csv --leads judged.csv {REVIEW} --reviewer Ann", write_judged),
    # With mining, its folds and the test of explanations.
    "run": Job(
        f"run all {OWN} --set split.by=[title] --set split.valid_share=0.3 --set reviewed=reviewed.csv "
        "--set mining.candidates=10 --set 'label_issues={{system: tfidf}}'",
        write_company,
    ),
    "search": Job(f"search {OWN} --set split.by=[title] --trials 3 --out found", write_company),
}
IN_ALL_RUNS = ("predict Parquet, unaligned", "suggest apply")


@pytest.fixture(scope="module")
def places(company, toy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kills")
    titles = company.titles.iloc[:, 0].astype(str).tolist()
    draw = random.Random(5)
    columns = {
        "Job": [f"{draw.choice(titles)} {draw.randrange(4_000)}" for _ in range(N_ROWS)],
        "Event": [draw.choice(["London", "Paris", ""]) for _ in range(N_ROWS)],
        "E-mail": [f"a{n}@example.org" for n in range(N_ROWS)],
    }
    frame = pl.DataFrame(columns)
    frame.write_csv(folder / "leads.csv")
    frame.write_parquet(folder / "unaligned.parquet", row_group_size=7_001)
    frame.write_parquet(folder / "aligned.parquet", row_group_size=1 << 15)
    frame.head(4_000).write_excel(folder / "leads.xlsx")
    (folder / "hierarchy.yaml").write_text(HIERARCHY)
    (folder / "other.yaml").write_text(HIERARCHY.replace("Nurses", "Staff"))
    for name in ("taxonomy.yaml", "keywords.csv"):
        shutil.copyfile(company.folder / name, folder / name)
    return {"given": str(folder), "run": str(toy.run), "configs": str(CONFIGS)}


@pytest.mark.parametrize("name", list(JOBS) if FULL else IN_ALL_RUNS)
def test_a_killed_job_that_is_called_again_writes_the_same_files(name, places, tmp_path):
    job = JOBS[name]
    # Quoted, as folders of temporary files may have blanks in their names.
    command = shlex.split(job.command.format(**{what: shlex.quote(place) for what, place in places.items()}))
    # All calls are made in one place, since paths may be part of what is read and written.
    place, given = tmp_path / "call", tmp_path / "given"
    place.mkdir()
    job.prepare(place)
    shutil.copytree(place, given)
    began = time.monotonic()
    printed = finish(command, place)
    seconds = time.monotonic() - began
    expected = content_of(place)
    draw = random.Random(name)
    for _ in range(N_SERIES):
        shutil.rmtree(place)
        shutil.copytree(given, place)
        n_kills = sum(kill(command, place, draw.uniform(0.2, 1) * seconds, draw) for _ in range(KILLS_IN_SERIES))
        TALLY.add(kills=n_kills)
        repeated = finish(command, place)
        found = content_of(place)
        assert [at for at in expected | found if expected.get(at) != found.get(at)] == []
        assert expected or repeated == printed
        TALLY.add(kills_survived=n_kills)


def kill(command: list[str], place: Path, after_seconds: float, draw: random.Random) -> int:
    """Call a verb and kill it after some time; return 1, or 0 where it had finished before."""
    quiet = subprocess.DEVNULL
    call = [sys.executable, "-m", "harness", *command]
    with subprocess.Popen(call, stdout=quiet, stderr=quiet, cwd=place) as process:
        try:
            process.wait(after_seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(draw.choice((signal.SIGKILL, signal.SIGTERM)))
            process.wait()
            return 1
    return 0


def finish(command: list[str], place: Path) -> str:
    """Call a verb until it ends; return what it prints."""
    call = [sys.executable, "-m", "harness", *command]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=place)
    assert done.returncode == 0 or _ALREADY in done.stderr, (done.returncode, done.stderr)
    return done.stdout


TIMED = {
    *("run.json", "search.json", "stage.json", "report.html", "training_log.md", "SHA256SUMS"),
    *("trials.db", "suggestions.xlsx"),
}
"""Files of runs and searches that tell when something was made, and how long that took; tables of costs do so too."""
TIMED_KEYS = {"seconds", "wall_seconds", "fit_seconds", "made_at"}


def content_of(folder: Path) -> dict[str, Any]:
    """Return what a verb wrote, by file; what is left over of a killed one too, but not caches and what tells time."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        of_run = name.startswith(("results/", "found/"))
        if not path.is_file() or "/.cache/" in name or (of_run and (path.name in TIMED or path.stem == "costs")):
            continue
        if path.name == "trials.csv":
            found[name] = pd.read_csv(path).drop(columns="seconds").to_csv()
        elif path.suffix == ".json":
            found[name] = json.dumps(timeless(json.loads(path.read_text())))
        elif path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:  # one part has the date
                found[name] = {part: book.read(part) for part in book.namelist() if part != "docProps/core.xml"}
        else:
            found[name] = path.read_bytes()
    return found


def timeless(content: Any) -> Any:
    """Return what JSON held without the time that something took."""
    if isinstance(content, dict):
        return {key: timeless(value) for key, value in content.items() if key not in TIMED_KEYS}
    return [timeless(value) for value in content] if isinstance(content, list) else content
