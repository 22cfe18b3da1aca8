import os
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from data_cleaning.errors import BadInput, Notice
from data_cleaning.progress import silent
from harness.experiment.cache import Stage, StageStore
from harness.experiment.config_file import load_config
from harness.experiment.parallel_stages import make_in_parallel, usual_jobs
from harness.experiment.run import run
from harness.experiment.systems import SYSTEMS


@dataclass(frozen=True)
class Told:
    """What the stage of a test is to do."""

    text: str = ""
    seconds: float = 0.0


def write(settings, inputs, out, on_progress):
    """Write what the inputs hold, then a text of its own, and who wrote it."""
    began = time.monotonic()
    on_progress("writing", 1, 1)
    warnings.warn(Notice(f"wrote {settings.text}"), stacklevel=2)
    time.sleep(settings.seconds)
    before = "".join((place / "text").read_text() for place in inputs.values())
    (out / "text").write_text(before + settings.text)
    (out / "when").write_text(f"{os.getpid()} {began} {time.monotonic()} {os.environ['OMP_NUM_THREADS']}")


def refuse(settings, _inputs, _out, _on_progress):
    time.sleep(settings.seconds)
    raise BadInput("This column is empty. Name another.")


def be_killed(settings, _inputs, _out, _on_progress):
    time.sleep(settings.seconds)
    os.kill(os.getpid(), signal.SIGKILL)


def stage(name, *needs, function=write, seconds=0.0):
    return Stage(name=name, function=function, settings=Told(name, seconds), inputs={need: need for need in needs})


def make(folder, *stages, jobs=2, announce=lambda _: None, on_progress=silent):
    store = StageStore(folder)
    prints = dict.fromkeys((one.name for one in stages), "print")
    made: list[str] = []
    done = make_in_parallel(
        list(stages), prints, store, announce, on_progress, lambda name, _place: made.append(name), jobs
    )
    assert sorted(made) == sorted(store.made)
    return done, store


def when(place):
    pid, began, ended, threads = (place / "when").read_text().split()
    return int(pid), float(began), float(ended), int(threads)


def test_stages_are_made_at_the_same_time_and_each_after_those_it_needs(tmp_path):
    """Of those that could begin, that begins first on which most others wait: `a` is listed first and begins last."""
    announced, steps = [], []
    stages = [stage("a"), stage("b", seconds=4.0), stage("c", seconds=4.0), stage("d", "b", "c"), stage("e", "d")]
    with pytest.warns(Notice) as noticed:
        done, store = make(tmp_path, *stages, announce=announced.append, on_progress=lambda *told: steps.append(told))

    assert list(done) == list("abcde")
    assert (done["e"] / "text").read_text() == "bcde"
    (b, b_began, b_ended, threads), (c, c_began, c_ended, _) = when(done["b"]), when(done["c"])
    assert len({b, c, os.getpid()}) == 3
    assert max(b_began, c_began) < min(b_ended, c_ended)
    assert when(done["a"])[1] > max(b_began, c_began)
    assert threads >= 1
    assert "OMP_NUM_THREADS" not in os.environ or os.environ["OMP_NUM_THREADS"] == str(threads)
    assert sorted(announced) == [f"making {name}" for name in "abcde"]
    assert steps == [("writing", 1, 1, "titles")] * 5
    assert {str(one.message) for one in noticed} == {f"wrote {name}" for name in "abcde"}
    assert set(store.made) == set("abcde")
    assert store.peak_bytes > 0

    again, store = make(tmp_path, *stages)
    assert (again, sorted(store.reused), store.made) == (done, list("abcde"), {})


def test_bad_input_in_one_process_ends_the_others_at_once(tmp_path):
    with pytest.raises(BadInput, match="This column is empty"):
        make(tmp_path, stage("long", seconds=600), stage("bad", function=refuse, seconds=0.5))

    commands = [" ".join(child.cmdline()) for child in psutil.Process().children()]
    assert not [command for command in commands if "spawn_main" in command]


@pytest.mark.filterwarnings("ignore::data_cleaning.errors.Notice")
def test_a_killed_process_is_one_message_and_finished_stages_are_kept(tmp_path):
    with pytest.raises(BadInput, match=r"ended from outside.*--jobs 1"):
        make(tmp_path, stage("a"), stage("killed", "a", function=be_killed))

    assert [place.name for place in tmp_path.iterdir() if (place / "text").exists()] == ["a-print"]


_RUN = """
import sys
from pathlib import Path
from tests.harness.experiment.test_parallel_stages import make, stage
if __name__ == "__main__":
    make(Path(sys.argv[1]), stage("one", seconds=120), stage("other", seconds=120))
"""


def test_the_processes_end_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(_RUN)
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "cache")], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}
    ) as parent:
        deadline = time.monotonic() + 60
        while len(list((tmp_path / "cache").glob("lock-*"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.2)
        children = psutil.Process(parent.pid).children(recursive=True)
        assert len(children) >= 2
        parent.kill()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


def test_two_processes_are_usual_where_two_networks_are_to_be_fitted(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.experiment.parallel_stages.usable_cores", lambda: 2)
    monkeypatch.setattr("shutil.which", lambda _: None)
    network = (SYSTEMS["neural"],)
    fits = [
        Stage(name=f"fit/{by}/legacy/neural", function=write, settings=None, systems=network)
        for by in ("record", "title")
    ]
    prints = {one.name: "print" for one in fits}
    store = StageStore(tmp_path)

    assert usual_jobs(fits, prints, store) == 2
    assert usual_jobs(fits[:1], prints, store) == 1
    store.place(fits[0].name, "print").mkdir()
    assert usual_jobs(fits, prints, store) == 1
    assert usual_jobs(fits, prints, StageStore(tmp_path, fresh=True)) == 2
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/nvidia-smi")
    assert usual_jobs(fits, prints, StageStore(tmp_path, fresh=True)) == 1


def test_a_run_in_two_processes_scores_what_a_run_in_one_scores(company, tmp_path):
    settings = load_config(company.config, ["systems=[majority,keyword,keyword-corrected,tfidf]", "label_issues=null"])
    found = [
        run(
            settings,
            results=tmp_path / str(jobs),
            out=None,
            fresh=False,
            on_progress=silent,
            announce=lambda _: None,
            jobs=jobs,
        )
        for jobs in (1, 2)
    ]

    one, two = (folder.folder for folder in found)
    assert found[0].made.keys() == found[1].made.keys()
    for name in ("summary.csv", "by_target.csv"):
        assert (one / "tables" / name).read_text() == (two / "tables" / name).read_text()
    for file in sorted((one / "predictions").rglob("*.parquet")):
        assert file.read_bytes() == (two / file.relative_to(one)).read_bytes()
