import importlib.metadata
import os
import shutil
import threading
import time

import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files.whole_files import scratch
from harness.experiment import cache
from harness.experiment.cache import (
    StageStore,
    copy_model,
    digest,
    file_digest,
    imports_of,
    library_versions,
    source_digest,
)
from harness.experiment.recipes import folder_files
from harness.experiment.systems import SYSTEMS


def test_a_finished_stage_is_reused_and_an_unfinished_one_is_made(tmp_path):
    calls = []

    def make(folder):
        calls.append(folder)
        if len(calls) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        StageStore(tmp_path).obtain("fit/x", "abc", make)
    store = StageStore(tmp_path)
    assert store.obtain("fit/x", "abc", make) == store.obtain("fit/x", "abc", make)
    assert len(calls) == 2
    assert store.reused == ["fit/x"]
    StageStore(tmp_path, fresh=True).obtain("fit/x", "abc", make)
    assert len(calls) == 3


def test_a_path_counts_by_its_content(tmp_path):
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_text("a")
    other.write_text("a")
    assert digest({"table": one}) == digest({"table": other})
    other.write_text("b")
    assert digest({"table": one}) != digest({"table": other})


def test_every_file_of_a_folder_counts_and_so_does_its_place_in_it(tmp_path):
    assert folder_files(tmp_path / "absent") == {}
    seen = set()
    for name, content in (("a/one", "x"), ("a/one", "y"), ("a/two", "y"), ("b", "y")):
        (tmp_path / "a").mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
        seen.add(digest(folder_files(tmp_path)))
    assert len(seen) == 4
    shutil.copytree(tmp_path, tmp_path / "copy")
    assert digest(folder_files(tmp_path / "copy")) in seen


def test_libraries_that_fits_and_answers_depend_on_are_stamped_where_they_are_installed(monkeypatch):
    depended_on = {"lingua-language-detector", "onnx", "onnxruntime", "cleanlab"}
    stamped = library_versions()
    assert depended_on <= set(stamped)
    version = importlib.metadata.version

    def bare(name):
        if name in depended_on:
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", bare)
    assert library_versions() == {name: given for name, given in stamped.items() if name not in depended_on}


def test_a_system_is_fingerprinted_by_its_own_sources_only():
    stop = frozenset({"harness.experiment.config", "harness.experiment.systems"})
    digests = {name: source_digest(imports_of(system.find_class), stop) for name, system in SYSTEMS.items()}
    assert imports_of(SYSTEMS["neural"].find_class) == ("neural.classifier",)
    assert digests["keyword"] == digests["keyword-corrected"]
    assert len({digests[name] for name in ("majority", "keyword", "tfidf", "neural")}) == 4


def test_lists_beside_a_module_belong_to_its_source(monkeypatch):
    before = source_digest(("data_cleaning.simulate.word_lists",))
    monkeypatch.setattr(cache, "file_digest", lambda path: "edited" if path.name == "jobs.csv" else file_digest(path))
    assert source_digest(("data_cleaning.simulate.word_lists",)) != before


def test_a_change_of_the_style_of_pages_makes_them_again(monkeypatch):
    before = source_digest(("harness.reporting.run_page",))
    monkeypatch.setattr(cache, "file_digest", lambda path: "edited" if path.name == "page.css" else file_digest(path))
    assert source_digest(("harness.reporting.run_page",)) != before


def test_editing_a_copied_model_leaves_the_original_alone(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("keywords.csv", "model.safetensors"):
        (tmp_path / "a" / "b" / name).write_text("x")
    copy_model(tmp_path / "a", tmp_path / "c")
    (tmp_path / "c" / "b" / "keywords.csv").write_text("changed")
    assert (tmp_path / "a" / "b" / "keywords.csv").read_text() == "x"
    assert (tmp_path / "c" / "b" / "model.safetensors").read_text() == "x"


def test_scratch_of_a_stage_that_is_not_begun_again_is_removed_after_days(tmp_path):
    for name in ("scratch-fit-record-old", "scratch-fit-record-new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "latest.json").write_text("half")
    for place in (tmp_path / "scratch-fit-record-old").rglob("*"):
        os.utime(place, (1, 1))
    os.utime(tmp_path / "scratch-fit-record-old", (1, 1))
    StageStore(tmp_path)
    assert [place.name for place in tmp_path.iterdir()] == ["scratch-fit-record-new"]


def test_what_a_stage_keeps_in_scratch_outlives_a_kill_and_not_its_end(tmp_path):
    store = StageStore(tmp_path)

    def killed(out):
        scratch(out).mkdir()
        (scratch(out) / "checkpoint").write_text("half")
        raise KeyboardInterrupt

    def finished(out):
        assert (scratch(out) / "checkpoint").read_text() == "half"
        (out / "result").write_text("whole")

    with pytest.raises(KeyboardInterrupt):
        store.obtain("fit/record", "abc", killed)
    place = StageStore(tmp_path).obtain("fit/record", "abc", finished)
    assert [folder.name for folder in tmp_path.iterdir()] == [place.name]


def flip(path, position=-1):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(bytes(content))


DAMAGES = {
    "a flipped bit": flip,
    "an empty file": lambda path: path.write_bytes(b""),
    "a deleted file": lambda path: path.unlink(),
    "a line less": lambda path: path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1])),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damaged", DAMAGES)
@pytest.mark.parametrize("name", ["model/weights.safetensors", "fit.json", "stage.json", "SHA256SUMS"])
def test_a_damaged_stage_is_made_anew_and_named(tmp_path, name, damaged):
    def make(folder):
        (folder / "model").mkdir()
        for each in ("model/weights.safetensors", "fit.json"):
            (folder / each).write_text("content")

    place = StageStore(tmp_path).obtain("fit/x", "abc", make)
    whole = {file: path.read_bytes() for file, path in folder_files(place).items() if file in ("fit.json", name)}
    DAMAGES[damaged](place / name)
    told, store = [], StageStore(tmp_path)
    store.obtain("fit/x", "abc", make, told.append)
    assert (list(store.made), store.reused) == (["fit/x"], [])
    assert told[0].startswith("fit/x is made again, because its stored result is damaged: ")
    assert name in told[0]
    assert name in ("stage.json", "SHA256SUMS") or (place / name).read_bytes() == whole[name]
    store.obtain("fit/x", "abc", make, told.append)
    assert store.reused == ["fit/x"]
    assert list(tmp_path.iterdir()) == [place]


def test_a_stage_that_another_process_makes_is_waited_for_and_reused(tmp_path):
    place, told, made = StageStore(tmp_path).place("fit/x", "abc"), [], []
    first, second = StageStore(tmp_path), StageStore(tmp_path)

    def make(folder):
        made.append(folder)
        other.start()
        while not told:
            time.sleep(0.01)
        (folder / "result").write_text("whole")

    other = threading.Thread(target=lambda: second.obtain("fit/x", "abc", make, told.append))
    first.obtain("fit/x", "abc", make)
    other.join()
    assert told == ["fit/x is being made by another process; waiting for it"]
    assert (len(made), second.reused, list(tmp_path.iterdir())) == (1, ["fit/x"], [place])


@pytest.mark.parametrize("lost", ["the folder of all stages", "a stage", "a file"])
def test_stages_that_are_removed_while_they_are_used_are_bad_input(tmp_path, lost):
    store = StageStore(tmp_path / "cache")
    leads = store.obtain("leads", "abc", lambda folder: (folder / "leads.csv").write_text("x"))
    places = {"the folder of all stages": tmp_path / "cache", "a stage": leads, "a file": leads / "leads.csv"}

    def work():
        shutil.move(places[lost], tmp_path / "gone")
        (leads / "leads.csv").read_text()

    with pytest.raises(BadInput, match=r"cache was changed or removed while it was used \(leads\)\. Repeat"):  # noqa: SIM117
        with store.used({"leads": leads}):
            work()
    shutil.move(tmp_path / "gone", places[lost])
    with pytest.raises(ZeroDivisionError), store.used({"leads": leads}):
        1 / 0  # noqa: B018
