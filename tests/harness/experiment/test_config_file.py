"""Paths that a config names lead nowhere that its user has not named, and old names of settings still work."""

import ast
import shutil
from pathlib import Path

import pytest

from data_cleaning.errors import BadInput
from harness.cli.options import load
from harness.experiment import config_file
from harness.experiment.config_file import OldSetting, load_config

ROOT = Path(__file__).parents[3]


@pytest.fixture
def project(company, tmp_path, monkeypatch):
    """Be in a folder whose configs folder holds the toy company's files; beside it lies another folder."""
    project = tmp_path / "project"
    shutil.copytree(company.folder, project / "configs")
    (tmp_path / "other").mkdir()
    for name in ("leads.csv", "keywords.csv"):
        shutil.copy(company.folder / name, tmp_path / "other")
    (tmp_path / "nowhere").mkdir()
    config = project / "configs" / "company.yaml"
    config.write_text(config.read_text().replace(str(company.folder / "encoder"), "encoder"))
    monkeypatch.chdir(project)
    return project


def write(project, old="", new="", at="configs/mine.yaml"):
    text = (project / "configs" / "company.yaml").read_text()
    assert old in text
    path = project / at
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace(old, new, 1))
    return path


def line_of(path, setting):
    return next(number for number, line in enumerate(path.read_text().splitlines(), start=1) if setting in line)


def test_paths_in_the_folder_of_the_config_are_taken_wherever_it_is_called(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "nowhere")
    config = load(project / "configs" / "company.yaml", None)
    assert config.leads.path == project / "configs" / "leads.csv"
    assert config.neural.encoder == str(project / "configs" / "encoder")


def test_paths_to_the_current_folder_are_taken(project, monkeypatch, tmp_path):
    shutil.copy(project / "configs" / "keywords.csv", project)
    path = write(project, "table: keywords.csv", "table: ../keywords.csv")
    assert load(path, None).keyword.table == project / "keywords.csv"
    monkeypatch.chdir(tmp_path / "nowhere")
    with pytest.raises(BadInput, match=r"keyword\.table = '\.\./keywords\.csv' leads to"):
        load(path, None)


@pytest.mark.parametrize("written", ["../../other/leads.csv", "{other}/leads.csv", "../configs/../../other/leads.csv"])
def test_a_path_that_leaves_is_refused_with_key_line_path_and_the_way_out(project, tmp_path, written):
    other = tmp_path / "other"
    written = written.format(other=other)
    path = write(project, "path: leads.csv", f"path: {written}")
    with pytest.raises(BadInput) as caught:
        load(path, None)
    message = str(caught.value)
    assert message.startswith(
        f"{path}, line {line_of(path, written)}: leads.path = {written!r} leads to {other / 'leads.csv'}\n"
    )
    assert f"its own folder ({project / 'configs'}) and to the current one ({project})" in message
    assert f"--allow {other}, or give the path with --set." in message


def test_every_such_path_is_named_at_once(project, tmp_path):
    path = write(project, "path: leads.csv", "path: ../../other/leads.csv")
    text = path.read_text().replace("table: keywords.csv", "table: ../../other/keywords.csv")
    text = text.replace("encoder: encoder", "encoder: ../../nowhere\n  teacher: ../../nowhere/at/all")
    path.write_text(f"{text}reviewed: ../../other/leads.csv\ntruth: ../../leads.csv\n")
    with pytest.raises(BadInput) as caught:
        load(path, None)
    settings = ("leads.path", "keyword.table", "neural.encoder", "neural.teacher", "reviewed", "truth")
    for setting in settings:
        assert f": {setting} = " in str(caught.value)
    assert len(str(caught.value).splitlines()) == len(settings) + 1
    assert f"--allow {tmp_path}, or" in str(caught.value)


def test_networks_to_search_may_not_lead_elsewhere_either(project):
    path = write(project, "neural:", "search: {space: {encoder: {choices: [encoder, ../../other]}}}\nneural:")
    with pytest.raises(BadInput, match=r"search\.space\.encoder\.choices\.1 = '\.\./\.\./other' leads to"):
        load(path, None)


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_a_link_counts_by_what_it_leads_to(project, tmp_path, linked):
    if linked == "file":
        (project / "configs" / "link.csv").symlink_to(tmp_path / "other" / "leads.csv")
        path = write(project, "path: leads.csv", "path: link.csv")
    else:
        (project / "configs" / "link").symlink_to(tmp_path / "other")
        path = write(project, "path: leads.csv", "path: link/leads.csv")
    with pytest.raises(BadInput, match=f"leads to {tmp_path / 'other' / 'leads.csv'}"):
        load(path, None)
    assert load(path, None, allow=[Path("../other")]).leads.path == tmp_path / "other" / "leads.csv"


def test_the_home_folder_is_no_exception(project, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "other"))
    with pytest.raises(BadInput, match=r"leads\.path = '~/leads\.csv' leads to"):
        load(write(project, "path: leads.csv", "path: ~/leads.csv"), None)


def test_a_folder_whose_name_begins_alike_is_another_folder(project, tmp_path):
    shutil.copytree(tmp_path / "other", tmp_path / "project2")
    with pytest.raises(BadInput, match=r"leads to .*project2"):
        load(write(project, "path: leads.csv", "path: ../../project2/leads.csv"), None)


def test_allowed_folders_are_named_one_by_one_and_must_be_there(project, tmp_path):
    path = write(project, "path: leads.csv", "path: ../../other/leads.csv")
    path.write_text(path.read_text().replace("test.csv", "../../nowhere/test.csv"))
    with pytest.raises(BadInput, match=r"leads\.test_path = "):
        load(path, None, allow=[Path("../other")])
    config = load(path, None, allow=[Path("../other"), tmp_path / "nowhere"])
    assert config.leads.test_path == tmp_path / "nowhere" / "test.csv"
    with pytest.raises(BadInput, match=r"--allow \.\./othr is no folder"):
        load(path, None, allow=[Path("../othr")])


def test_paths_of_the_command_line_lead_anywhere(project, tmp_path):
    path = write(project, "path: leads.csv", "path: ../../nowhere/leads.csv")
    config = load(path, ["leads.path=../other/leads.csv", "keyword={table: ../other/keywords.csv}"])
    assert config.leads.path == tmp_path / "other" / "leads.csv"
    assert config.keyword.table == tmp_path / "other" / "keywords.csv"
    path = write(project, "neural:", "reviewed: ../../other/leads.csv\nneural:")
    with pytest.raises(BadInput, match=r"reviewed\.path = '\.\./\.\./other/leads\.csv' leads to"):
        load(path, ["reviewed.share=0.2"])  # sets what stands beside the path, not the path


def test_a_saved_config_of_a_run_runs_again_from_the_folder_of_the_project(project, tmp_path, monkeypatch):
    text = (project / "configs" / "company.yaml").read_text()
    for name in ("taxonomy.yaml", "leads.csv", "test.csv", "keywords.csv"):
        text = text.replace(f": {name}", f": ../../configs/{name}")
    saved = project / "results" / "company-1a2b3c4d" / "config.yaml"
    saved.parent.mkdir(parents=True)
    saved.write_text(text.replace("encoder: encoder", "encoder: ../../configs/encoder"))
    assert load(saved, None).taxonomy == project / "configs" / "taxonomy.yaml"
    monkeypatch.chdir(tmp_path / "nowhere")
    with pytest.raises(BadInput, match=f"--allow {project / 'configs'}, or"):
        load(saved, None)
    assert load(saved, None, allow=[project]).taxonomy == project / "configs" / "taxonomy.yaml"


def test_a_caller_with_configs_of_its_own_need_not_allow_anything(project, tmp_path):
    path = write(project, "path: leads.csv", "path: ../../other/leads.csv")
    assert load_config(path).leads.path == tmp_path / "other" / "leads.csv"


def test_no_verb_reads_a_config_but_through_its_options():
    callers = set()
    for path in (ROOT / "harness").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and "load_config" in (
                getattr(node.func, "id", None),
                getattr(node.func, "attr", None),
            ):
                callers.add(path.name)
    assert callers == {"options.py"}


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_commands_of_the_projects_configs_allow_what_their_paths_need(path, monkeypatch):
    head = path.read_text(encoding="utf-8").splitlines()
    command = next((line for line in head[:4] if line.startswith("# Command: ")), None)
    if command is None:
        pytest.skip("not a run")
    words = command.split()
    allowed = [ROOT / words[at + 1] for at, word in enumerate(words) if word == "--allow"]
    missing = [folder for folder in allowed if not folder.is_dir()]
    if missing:
        pytest.skip(f"{missing[0]} is not beside the checkout")
    monkeypatch.chdir(ROOT)
    assert load(path, None, allow=allowed).name == path.stem


@pytest.fixture
def moved_on(monkeypatch):
    """Have one setting called by another name, and one gone."""
    monkeypatch.setitem(config_file.RENAMED, "neural.passes", "neural.epochs")
    monkeypatch.setitem(config_file.DROPPED, "neural.luck", 0.0)


def test_an_old_name_in_a_file_sets_the_setting_and_warns_with_its_line(project, moved_on):
    path = write(project, "  epochs: 2", "  passes: 7")
    with pytest.warns(OldSetting, match=rf"line {line_of(path, 'passes')}: neural.passes is now called neural.epochs"):
        assert load_config(path).neural.epochs == 7


@pytest.mark.parametrize("override", ["neural.passes=7", "neural={passes: 7}"])
def test_an_old_name_on_the_command_line_has_the_last_word(project, moved_on, override):
    with pytest.warns(OldSetting, match="--set: neural.passes is now called neural.epochs"):
        assert load_config(project / "configs" / "company.yaml", [override]).neural.epochs == 7


def test_an_old_name_may_be_searched(project, moved_on):
    with pytest.warns(OldSetting, match="search.space.passes is now called search.space.epochs"):
        config = load_config(project / "configs" / "company.yaml", ["search.space={passes: [1, 3]}"])
    assert set(config.search.space) == {"epochs"}


def test_both_names_of_a_setting_are_refused(project, moved_on):
    path = write(project, "  epochs: 2", "  passes: 7\n  epochs: 2")
    with pytest.raises(BadInput, match=r"neural.passes is now neural.epochs, which is given too"):
        load_config(path)


def test_a_wrong_value_under_an_old_name_is_refused_with_its_line(project, moved_on):
    path = write(project, "  epochs: 2", "  passes: a")
    with (
        pytest.warns(OldSetting),
        pytest.raises(BadInput, match=rf"line {line_of(path, 'passes')}: neural.epochs = 'a'"),
    ):
        load_config(path)


def test_a_setting_that_is_gone_is_left_out_where_it_changes_nothing(project, moved_on):
    with pytest.warns(OldSetting, match="no setting neural.luck any more, and 0 changes nothing"):
        load_config(write(project, "  epochs: 2", "  epochs: 2\n  luck: 0"))
    with pytest.raises(BadInput, match=r"neural.luck = 1: there is no such setting any more. Remove it"):
        load_config(project / "configs" / "company.yaml", ["neural.luck=1"])


def test_a_verb_prints_the_warning_in_one_line(project, moved_on, capsys):
    load(None, ["neural.passes=7"])
    assert capsys.readouterr().err.startswith("Warning: --set: neural.passes is now called neural.epochs")
