"""Files that the project has written and something has damaged since: one message that names the file, exit code 2.

Every case is a file, a damage and a verb that reads the file.
"""

import itertools
import json
import os
import shutil
from pathlib import Path

import pytest

from harness.keywords.suggestion_sheets import CSV_NAME, JSON_NAME, XLSX_NAME, Origin, write_suggestions
from harness.tagging.export import export_model
from harness.tagging.models import NO_HIERARCHY
from tests.harness.keywords.given_suggestions import ALL
from tests.harness.tagging.given_run import toy_run

SYSTEMS_OF = {
    "majority": ["majority.json"],
    "keyword": ["keyword.json", "keywords.csv"],
    "tfidf": ["tfidf.json", "tfidf.safetensors"],
    "neural": [
        *("settings.json", "model.safetensors", "taxonomy.json", "novelty.json", "training_log.json"),
        *("encoder/config.json", "encoder/tokenizer.json", "encoder/tokenizer_config.json"),
    ],
}
SUMS, OF_RUN = "SHA256SUMS", ["run.json", "config.yaml", "taxonomy.yaml"]


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def folder(path):
    path.unlink()
    path.mkdir()


def unreadable(path):
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    path.chmod(0)


def absent(path):
    path.unlink()


def a_list(path):
    path.write_text("[]")


def nothing_in_it(path):
    path.write_text("{}")


def deep(path):
    path.write_text("[" * 100_000)


def not_text(path):
    path.write_bytes(b"\xff\xfe\x00{" * 9)


def other_types(path):
    """Put numbers in the place of everything that a JSON object holds."""
    path.write_text(json.dumps(dict.fromkeys(json.loads(path.read_text()), 3)))


SEEN_BY_SUMS = (cut, empty, flipped, folder, unreadable, absent)
SEEN_BY_READERS = (empty, folder, unreadable, absent, a_list, nothing_in_it, deep, not_text)

RUN_FILES = [
    *((None, name) for name in (*OF_RUN, SUMS)),
    *((system, name) for system, names in SYSTEMS_OF.items() for name in (*names, SUMS)),
]
HARMLESS = {
    ("run.json", nothing_in_it),  # what it says is only repeated
    ("novelty.json", absent),  # networks of an earlier release have none
    *(("tokenizer_config.json", damage) for damage in (absent, folder, nothing_in_it, other_types)),
}
"""What a run without sums answers with nevertheless, as it should."""

WITH_SUMS = [
    (*file, damage)
    for file, damage in itertools.product(RUN_FILES, SEEN_BY_SUMS)
    if (file[1], damage) != (SUMS, absent)  # runs of an earlier release have none
    and (*file, damage) != (None, SUMS, flipped)  # the sum of a table that no verb reads
]
WITHOUT = [
    (*file, damage)
    for file, damage in itertools.product(RUN_FILES, (*SEEN_BY_READERS, cut, other_types))
    if file[1] != SUMS
    and (file[1].rpartition("/")[2], damage) not in HARMLESS
    and (file[1].endswith(".json") or damage in (empty, folder, unreadable, not_text))
]
EXPORTED_FILES = [
    *(f"systems/{system}/{name}" for system in ("keyword", "tfidf", "neural") for name in SYSTEMS_OF[system]),
    *("model.json", "taxonomy.yaml", "keywords.csv", "README.md", SUMS),
]
EXPORTED = [*itertools.product(EXPORTED_FILES, SEEN_BY_SUMS)]
SHEETS = [
    *((JSON_NAME, damage) for damage in (*SEEN_BY_READERS, cut, other_types)),
    *((XLSX_NAME, damage) for damage in (cut, empty, folder, unreadable, absent, not_text, a_list)),
    *((CSV_NAME, damage) for damage in (empty, folder, unreadable, absent, not_text)),
]


def verbs_for(system):
    """Return the verbs that read a file of a run: an exported folder holds no majority."""
    return ("predict", "explain") if system == "majority" else ("predict", "explain", "export")


def named(case):
    return case.__name__ if callable(case) else str(case)


@pytest.fixture(scope="module")
def whole_run(company):
    return toy_run(company.config)


@pytest.fixture(scope="module")
def whole_export(whole_run, tmp_path_factory):
    return export_model(whole_run, tmp_path_factory.mktemp("exports") / "model", hierarchy=NO_HIERARCHY).folder


@pytest.fixture
def refused(call, tmp_path):
    """Call a verb on a damaged run or exported folder, and require one message, exit code 2 and no output."""
    (tmp_path / "leads.csv").write_text("What you do\nnight nurse\nhead cook\n")

    def check(verb, option, source, system, names):
        asked = [option, source, "--hierarchy", "none", *([] if system is None else ["--system", system])]
        given = {
            "predict": [tmp_path / "leads.csv", "--out", tmp_path / "tagged.csv", *asked],
            "explain": ["night nurse", *asked],
            "export": [source, tmp_path / "exported", "--hierarchy", "none"],
        }
        code, out, err = call(verb, *given[verb], config=None)
        assert (code, sum(line.startswith("Error: ") for line in err.splitlines())) == (2, 1), (verb, out, err)
        assert any(name in err for name in names), (verb, err)
        assert not (tmp_path / "exported").exists()
        assert not (tmp_path / "tagged.csv").exists()

    return check


@pytest.mark.parametrize(("system", "name", "damage"), WITH_SUMS, ids=named)
def test_a_damaged_file_of_a_run_is_refused_by_name(whole_run, refused, tmp_path, system, name, damage):
    shutil.copytree(whole_run, tmp_path / "run")
    damage(place_of(tmp_path / "run", system) / name)
    for verb in verbs_for(system):
        refused(verb, "--run", tmp_path / "run", system, [name])


@pytest.mark.parametrize(("system", "name", "damage"), WITHOUT, ids=named)
def test_a_damaged_run_without_sums_is_refused(whole_run, refused, tmp_path, system, name, damage):
    shutil.copytree(whole_run, tmp_path / "run", ignore=shutil.ignore_patterns(SUMS))
    place = place_of(tmp_path / "run", system)
    damage(place / name)
    for verb in verbs_for(system):
        refused(verb, "--run", tmp_path / "run", system, [name, str(place), f"systems/{system}"])


def place_of(run_folder, system):
    return run_folder if system is None else run_folder / "models" / "record" / "legacy" / system


@pytest.mark.parametrize(("name", "damage"), EXPORTED, ids=named)
def test_a_damaged_file_of_an_exported_folder_is_refused_by_name(whole_export, refused, tmp_path, name, damage):
    shutil.copytree(whole_export, tmp_path / "model")
    damage(tmp_path / "model" / name)
    for verb in ("predict", "explain"):
        refused(verb, "--model", tmp_path / "model", None, [name])


@pytest.mark.parametrize(("name", "damage"), SHEETS, ids=named)
def test_a_damaged_file_of_suggestions_is_refused_by_name(call, company, tmp_path, monkeypatch, name, damage):
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(company.folder / "keywords.csv", tmp_path / "2023.csv")
    (tmp_path / "made").mkdir()
    origin = Origin.of(Path("2023.csv"), company.taxonomy.names, run="company-1", split="title", learned_from="legacy")
    write_suggestions(Path("made"), ALL, origin)
    damage(tmp_path / "made" / name)
    for given in (name, *([CSV_NAME] if name == JSON_NAME else [])):
        code, _, err = call("suggest", "apply", Path("made") / given)
        assert (code, sum(line.startswith("Error: ") for line in err.splitlines())) == (2, 1), err
        assert name in err
    assert sorted(place.name for place in tmp_path.iterdir()) == ["2023.csv", "made"]
