from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from data_cleaning.errors import BadInput
from harness.experiment.config_file import load_config

CONFIGS = Path(__file__).parents[3] / "configs"


def load(path, *overrides):
    return load_config(path, overrides)


@pytest.fixture
def changed(company, tmp_path):
    """Write the toy company's config with some text replaced, beside its files."""

    def write(old="", new=""):
        path = company.folder / f"{tmp_path.name}.yaml"
        text = company.config.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return path

    return write


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_config_of_the_project_loads_and_opens_with_its_purpose(path):
    if path.stem in ("taxonomy", "hierarchy"):
        pytest.skip("not a run")
    config = load(path)
    assert config.name == path.stem
    head = path.read_text().splitlines()[:4]
    assert [line.split(":")[0] for line in head] == ["# Purpose", "# Expected", "# Time", "# Command"]


def test_a_loaded_config_is_frozen_and_its_paths_are_beside_the_file(company):
    config = load(company.config)
    assert config.taxonomy == company.folder / "taxonomy.yaml"
    with pytest.raises(ValidationError, match="frozen"):
        config.seed = 3


def test_unknown_keys_and_wrong_values_are_all_named_with_line_and_nearest_name(changed):
    path = changed("neural:", "sed: 5\nsplit: {by: [recrd]}\nneural:")
    path.write_text(path.read_text().replace("  epochs: 2", "  epoch: 2"))
    lines = path.read_text().splitlines()
    with pytest.raises(BadInput) as caught:
        load(path)
    message = str(caught.value)
    assert f"line {lines.index('  epoch: 2') + 1}: unknown key 'neural.epoch'. Did you mean 'epochs'?" in message
    assert f"line {lines.index('sed: 5') + 1}: unknown key 'sed'. Did you mean 'seed'?" in message
    assert "split.by.0 = 'recrd': Input should be 'record' or 'title'" in message


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("neural.epochs=0", "neural.epochs = 0: Input should be greater than or equal to 1"),
        ("neural.epocs=1", "--set: unknown key 'neural.epocs'. Did you mean 'epochs'"),
        ("seed", "--set got 'seed'; expected key=value"),
        ("seed=4294967296", "seed = 4294967296: Input should be less than or equal to 4294967295"),
        ("clean.language.learning_margin=0.3", "there is no such setting any more"),
        ("seed=[", "the value is not readable YAML"),
        ("systems=[keywrd]", "Unknown system 'keywrd'. Did you mean 'keyword'?"),
        ("keyword=null", "the keyword systems need 'keyword: {table: …}'"),
        ("leads.simulate={revisions: []}", "either 'path'|at least 1 item"),
        ("split.test_share=0.95", "must leave a share for training"),
        ("taxonomy=null", "taxonomy = None"),
        ("systems=[keyword, keyword]", "systems lists 'keyword' more than once"),
        ("seed=2021-02-30", "not readable YAML"),
        ("name=../elsewhere", "name = '../elsewhere'"),
        ("clean.countries=US", r"--set: clean.countries = 'US': expected a list such as \[US\]"),
        ("clean.language.margins.de=2", r"^--set clean.language.margins.de, or .*company.yaml, line \d+: .*margin"),
    ],
)
def test_a_wrong_override_is_refused(company, override, message):
    with pytest.raises(BadInput, match=message):
        load(company.config, override)


def test_overrides_take_yaml_values_and_paths_from_the_current_folder(company, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    config = load(company.config, "neural.epochs=5", "systems=[majority]", "reviewed=seen.csv", "reviewed.share=0.2")
    assert config.neural.epochs == 5
    assert config.systems == ("majority",)
    assert config.reviewed is not None
    assert (config.reviewed.path, config.reviewed.share) == (tmp_path / "seen.csv", 0.2)
    assert tuple(map(str, config.label_sets)) == ("legacy", "legacy+reviewed")


@pytest.fixture
def networks(company, tmp_path, monkeypatch):
    """Write a config in one folder and call from another; both have networks of the same names."""
    for place in ("config", "here"):
        for name in ("encoder", "teacher"):
            (tmp_path / place / "models" / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")

    def write(neural, more=""):
        text = company.config.read_text().split("neural:")[0]
        path = tmp_path / "config" / "mine.yaml"
        path.write_text(f"{text}neural: {neural}\n{more}")
        return path

    return write


def test_folders_of_the_network_are_beside_the_config_wherever_it_is_called(networks, tmp_path):
    models = tmp_path / "config" / "models"
    neural = load(networks("{encoder: models/encoder, teacher: ./models/teacher}")).neural
    assert (neural.encoder, neural.teacher) == (str(models / "encoder"), str(models / "teacher"))
    space = (
        "search: {space: {encoder: {choices: [models/encoder, packaged:minilm]}, teacher: {choices: [absent, null]}}}"
    )
    found = load(networks("{}", space)).search.space
    assert found["encoder"].choices == (str(models / "encoder"), "packaged:minilm")
    assert found["teacher"].choices == (str(tmp_path / "config" / "absent"), None)


@pytest.mark.parametrize(
    "overrides",
    [
        ("neural.encoder=models/encoder", "neural.teacher=models/teacher"),
        ("neural={encoder: models/encoder, teacher: models/teacher}",),
    ],
)
def test_folders_of_the_network_given_by_set_are_of_the_current_folder(networks, tmp_path, overrides):
    neural = load(networks("{encoder: nowhere/but/beside}"), *overrides).neural
    models = tmp_path / "here" / "models"
    assert (neural.encoder, neural.teacher) == (str(models / "encoder"), str(models / "teacher"))


def test_the_home_folder_is_found(networks, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "here"))
    assert load(networks("{encoder: ~/models/encoder}")).neural.encoder == str(tmp_path / "here" / "models" / "encoder")
    with pytest.raises(BadInput, match=r"mine.yaml, line \d+: neural.teacher = '~no-such-user/x' is no path: "):
        load(networks("{teacher: ~no-such-user/x}"))


@pytest.mark.parametrize("name", ["distilbert-base-uncased", "google-bert/bert-base-cased", "packaged:minilm"])
def test_an_encoder_that_is_no_folder_keeps_its_name(networks, name):
    assert load(networks(f"{{encoder: '{name}'}}")).neural.encoder == name
    assert load(networks("{}"), f"neural.encoder={name}").neural.encoder == name


def test_an_encoder_that_is_a_folder_only_here_is_refused(networks, tmp_path):
    (tmp_path / "here" / "mine").mkdir()
    path = networks("{encoder: mine}")
    with pytest.raises(
        BadInput, match=r"line \d+: neural.encoder = 'mine' is a folder here and none beside the config"
    ):
        load(path)
    assert load(path, "neural.encoder=mine").neural.encoder == str(tmp_path / "here" / "mine")


def test_paths_anywhere_in_an_override_are_of_the_current_folder(company, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    config = load(company.config, "reviewed={path: seen.csv}", "keyword={table: table.csv}")
    assert config.reviewed is not None
    assert config.reviewed.path == tmp_path / "seen.csv"
    assert config.keyword is not None
    assert config.keyword.table == tmp_path / "table.csv"


def test_a_fault_of_an_option_is_named_by_the_option(company):
    with pytest.raises(BadInput, match=r"^--minutes: search.minutes = 0: "):
        load_config(company.config, ["search.minutes=5"], options={"--minutes": ("search.minutes", 0)})
    with pytest.raises(BadInput, match=r"^--by and --set split.test_share: split: .*leave"):
        load_config(company.config, ["split.test_share=0.95"], options={"--by": ("split.by", ["title"])})
    config = load_config(company.config, ["search.trials=5"], options={"--trials": ("search.trials", None)})
    assert config.search.trials == 5


@pytest.mark.parametrize("content", ["", "- a\n", "seed: [1\n", "seed: 2021-02-30\n"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, content):
    path = tmp_path / "odd.yaml"
    path.write_text(content)
    with pytest.raises(BadInput, match=r"expected a mapping|not readable YAML"):
        load(path)


def test_a_missing_config_names_the_projects_own(tmp_path):
    with pytest.raises(BadInput, match=rf"No config at {tmp_path}.*/configs/default.yaml"):
        load(tmp_path / "absent.yaml")


def test_settings_survive_being_saved(company, tmp_path):
    from harness.experiment.cache import plain

    config = load(company.config)
    saved = tmp_path / "saved.yaml"
    saved.write_text(yaml.safe_dump(plain(config, str)))
    assert load(saved) == config


def test_a_fault_of_an_override_is_not_blamed_on_a_file_without_that_section():
    with pytest.raises(BadInput, match=r"^--set clean.language.margins.de: "):
        load(CONFIGS / "default.yaml", "clean.language.margins.de=2")


def test_a_repeated_key_is_refused(changed):
    with pytest.raises(BadInput, match="key 'systems' is repeated"):
        load(changed("systems:", "systems: [majority]\nsystems:"))


def test_a_folder_in_place_of_a_file_is_refused(company, tmp_path):
    with pytest.raises(BadInput, match="cannot be read as a config: Is a directory"):
        load(tmp_path)
