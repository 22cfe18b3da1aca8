"""The exported folder: complete, its card true, and refused once a byte of it has changed."""

import re
import shutil
import socket
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_cleaning.errors import BadInput
from harness.cli.tagging_commands import export_verb
from harness.experiment.checksums import read_checksums
from harness.experiment.systems import load_system
from harness.tagging.export import export_model
from harness.tagging.models import NO_HIERARCHY, open_exported, open_run
from tests.harness.tagging.given_run import HIERARCHY, toy_run
from tests.toy_company import SYSTEMS

CONFIGS = Path(__file__).parents[3] / "configs"
TITLES = ["night head nurse", "COOK", "chief surgeon, ward 3", "", "x" * 500]


@pytest.fixture(scope="module")
def run_folder(company):
    return toy_run(company.config)


@pytest.fixture(scope="module")
def cheap_run(company):
    return toy_run(company.config, "systems=[majority, keyword]")


@pytest.fixture(scope="module")
def hierarchy(tmp_path_factory):
    path = tmp_path_factory.mktemp("given") / "hierarchy.yaml"
    path.write_text(HIERARCHY)
    return path


@pytest.fixture(scope="module")
def exported(run_folder, hierarchy, tmp_path_factory):
    layout = hierarchy.with_name("any name.yaml")
    layout.write_text("version: 1\nfields: ['*', department]\n")
    out = tmp_path_factory.mktemp("exported") / "model"
    return export_model(run_folder, out, hierarchy=hierarchy, layout=layout)


def answers(model):
    return {name: load_system(name, saved).predict_proba(TITLES) for name, saved in model.systems.items()}


def test_an_exported_folder_answers_like_its_run_without_run_checkout_or_network(
    company, run_folder, exported, tmp_path, monkeypatch
):
    expected = answers(open_run(run_folder))
    moved = tmp_path / "elsewhere" / "model"
    shutil.copytree(exported.folder, moved)

    def refuse(*_):
        raise AssertionError("an exported folder must not ask the network for anything")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "no cache"))
    monkeypatch.chdir(tmp_path)
    hidden = run_folder.with_name("hidden")
    run_folder.rename(hidden)
    company.folder.rename(company.folder.with_name("hidden-company"))
    try:
        found = answers(open_exported(moved))
    finally:
        hidden.rename(run_folder)
        company.folder.with_name("hidden-company").rename(company.folder)
    assert list(found) == [name for name in SYSTEMS if name != "majority"]
    for name, targets in found.items():
        for target, rows in targets.items():
            np.testing.assert_allclose(rows, expected[name][target], atol=1e-6)


def test_an_exported_folder_holds_and_lists_all_that_tagging_needs(exported, run_folder, company, hierarchy):
    folder = exported.folder
    held = {place.name for place in folder.iterdir()}
    assert held == {
        *("systems", "keywords.csv", "taxonomy.yaml", "hierarchy.yaml", "layout.yaml", "model.json"),
        *("README.md", "SHA256SUMS"),
    }
    assert {place.name for place in (folder / "systems").iterdir()} == set(exported.systems)
    assert (folder / "taxonomy.yaml").read_bytes() == (company.folder / "taxonomy.yaml").read_bytes()
    assert (folder / "hierarchy.yaml").read_text() == HIERARCHY
    assert (folder / "keywords.csv").read_bytes() == (folder / "systems" / "keyword" / "keywords.csv").read_bytes()
    model = open_exported(folder)
    assert (model.hierarchy, model.layout) == (folder / "hierarchy.yaml", folder / "layout.yaml")
    assert exported.n_bytes == sum(place.stat().st_size for place in folder.rglob("*") if place.is_file())
    for name in ("tfidf/tfidf.safetensors", "neural/model.safetensors", "keyword+mined/keywords.csv"):
        saved = run_folder / "models" / "record" / "legacy" / name
        assert (folder / "systems" / name).read_bytes() == saved.read_bytes()
        assert not (folder / "systems" / name).samefile(saved)


def test_no_exported_file_names_a_path_of_this_machine(exported, run_folder, company):
    assert str(company.folder) in (run_folder / "models/record/legacy/neural/settings.json").read_text()
    for place in exported.folder.rglob("*"):
        if place.is_file():
            content = place.read_bytes()
            assert str(company.folder.parent).encode() not in content, place
            assert str(CONFIGS.parent).encode() not in content, place


def test_one_changed_byte_in_any_file_is_refused_with_the_name_of_the_file(exported, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(exported.folder, folder)
    open_exported(folder)
    files = [*read_checksums(folder), "SHA256SUMS"]
    assert len(files) > 20
    for name in files:
        content = (folder / name).read_bytes()
        middle = len(content) // 2
        (folder / name).write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        with pytest.raises(BadInput, match=name if name == "SHA256SUMS" else f": {re.escape(name)} has changed"):
            open_exported(folder)
        (folder / name).write_bytes(content)
    open_exported(folder)


def test_the_majority_system_is_exported_only_when_there_is_no_other(company, cheap_run, tmp_path):
    assert export_model(cheap_run, tmp_path / "one").systems == ("keyword",)
    floor = toy_run(company.config, "systems=[majority]")
    done = export_model(floor, tmp_path / "two")
    assert (done.systems, done.default_system) == (("majority",), "majority")
    assert not (tmp_path / "two" / "keywords.csv").exists()


def test_only_an_exported_folder_is_replaced_and_only_with_force(cheap_run, tmp_path):
    out = tmp_path / "model"
    out.mkdir()
    export_model(cheap_run, out)
    before = (out / "SHA256SUMS").read_bytes()
    with pytest.raises(BadInput, match="exists already and was left as it is"):
        export_model(cheap_run, out)
    (out / "README.md").write_text("damaged")
    export_model(cheap_run, out, force=True)
    assert (out / "SHA256SUMS").read_bytes() == before
    (out / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"holds what 'export' has not written: notes\.txt; nothing in it was touched"):
        export_model(cheap_run, out, force=True)
    assert (out / "notes.txt").read_text() == "mine"


def test_a_folder_that_was_not_exported_is_never_touched(cheap_run, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_text("")
    with pytest.raises(BadInput, match="was not made by 'export'; nothing in it was touched"):
        export_model(cheap_run, tmp_path / "photos", force=True)
    with pytest.raises(BadInput, match="cannot be written: expected a new folder"):
        export_model(cheap_run, tmp_path / "photos" / "one.jpg", force=True)
    with pytest.raises(BadInput, match="cannot be written: expected a new folder"):
        export_model(cheap_run, tmp_path / "absent" / "model")
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    with pytest.raises(BadInput, match="was not made by 'export'; nothing in it was touched"):
        export_model(cheap_run, tmp_path / "link", force=True)
    with pytest.raises(BadInput, match="is in the run"):
        export_model(cheap_run, cheap_run / "model")
    assert sorted(place.name for place in tmp_path.iterdir()) == ["link", "photos"]


@pytest.mark.parametrize(
    ("option", "content", "message"),
    [
        ("hierarchy", HIERARCHY.replace("default: House", "default: Hous"), r"line \d+: .*Did you mean 'House'"),
        ("hierarchy", HIERARCHY.replace("Nursing", "Nursin"), r"Did you mean 'Nursing'.*--hierarchy none"),
        ("layout", "fields: []", "line 1: fields: expected at least 1 item, got 0"),
    ],
)
def test_a_faulty_hierarchy_or_layout_is_refused_before_anything_is_written(
    cheap_run, tmp_path, option, content, message
):
    (tmp_path / "given.yaml").write_text(content)
    with pytest.raises(BadInput, match=message):
        export_model(cheap_run, tmp_path / "model", **{option: tmp_path / "given.yaml"})
    assert not (tmp_path / "model").exists()


def test_a_hierarchy_of_other_targets_is_left_out(cheap_run, tmp_path, monkeypatch):
    monkeypatch.chdir(CONFIGS.parent)
    assert export_model(cheap_run, tmp_path / "model").hierarchy is None
    assert export_model(cheap_run, tmp_path / "other", hierarchy=NO_HIERARCHY).hierarchy is None


def test_a_link_in_a_saved_system_is_not_followed(cheap_run, tmp_path):
    shutil.copytree(cheap_run, tmp_path / "run")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "run/models/record/legacy/keyword/more").symlink_to(tmp_path / "secret")
    with pytest.raises(BadInput, match="more is not listed in SHA256SUMS"):
        export_model(tmp_path / "run", tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_the_verb_says_what_it_wrote_and_how_to_use_it(cheap_run, tmp_path, capsys):
    export_verb(cheap_run, tmp_path / "model")
    shown = capsys.readouterr()
    assert "Exported keyword, with no hierarchy; keyword answers by default." in shown.err
    assert f"python -m harness predict leads.csv --out tagged.csv --model {tmp_path / 'model'}" in shown.out


def rows_of(card, first_column):
    """Return the cells of the table of a card that begins with a column."""
    lines = [line for line in card.splitlines() if line.startswith("|")]
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first_column} "))
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:]]
    return [dict(zip(cells[0], row, strict=False)) for row in cells[2:] if len(row) == len(cells[0])]


def test_the_card_gives_the_runs_own_scores(exported, run_folder):
    card = (exported.folder / "README.md").read_text()
    scores = pd.read_csv(run_folder / "tables" / "summary.csv").set_index(["split", "system"])
    shown = [row for row in rows_of(card, "split") if row["system"] in exported.systems]
    assert {(row["split"], row["system"]) for row in shown} == {
        (split, system) for split in ("record", "title") for system in exported.systems
    }
    for row in shown:
        for column in ("department", "seniority", "all", "low", "high"):
            assert row[column] == f"{scores.loc[(row['split'], row['system']), column]:.3f}"
    assert "Accuracy per record against legacy" in card


def test_the_card_says_what_was_learned_how_well_it_is_calibrated_and_its_limits(exported):
    card = (exported.folder / "README.md").read_text()
    summary = load_system("neural", exported.folder / "systems" / "neural").fit_summary()
    assert card.startswith("# Job titles sorted into department and seniority\n")
    (learned,) = [row for row in rows_of(card, "labels") if row["labels"] == "legacy"]
    assert learned["records"] == f"{summary['sources']['legacy']['records']:,}"
    (sure,) = [row for row in rows_of(card, "target") if row["target"] == "seniority"]
    assert sure["temperature"] == f"{summary['calibration']['temperatures']['seniority']:.3f}"
    assert sure["error after"] == f"{summary['calibration']['errors']['seniority']['after']:.3f}"
    assert "The leads came from the file `leads.csv`." in card
    assert "English was not singled out" in card
    assert "not for decisions about persons" in card
    assert "fine-tuned from `encoder`, whose licence goes with them" in card
    assert "simulated" not in card.lower()


def test_the_card_of_simulated_leads_says_so_first(tmp_path):
    settings = ("systems=[keyword]", "leads.simulate.records=1500", "label_issues=null", "split.by=[title]")
    run = toy_run(CONFIGS / "smoke.yaml", *settings, results=tmp_path / "results")
    card = (export_model(run, tmp_path / "model").folder / "README.md").read_text()
    assert "The leads were **simulated**: titles, recorded labels and the truth about them." in card
    assert "Reviewed titles carry their simulated truth." in card
    assert "Accuracy per record against truth" in card
    assert "No pretrained weights are in this folder." in card
    assert "English was learned; titles in other languages were set aside before learning." in card
