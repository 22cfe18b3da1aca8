import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import filelock
import pandas as pd
import pytest
import yaml

import harness.experiment.search
from data_cleaning.errors import BadInput
from data_cleaning.progress import silent
from harness.experiment.cache import plain
from harness.experiment.config_file import load_config
from harness.experiment.run import run
from harness.experiment.search import search
from harness.experiment.search_results import set_arguments
from neural.checkpoints import best_of
from neural.classifier import NeuralClassifier
from neural.neural_settings import NeuralSettings

SPACE = "search.space={learning_rate: {low: 1e-4, high: 1e-2, log: true}, epochs: [1, 2], dropout: {choices: [0, 0.2]}}"
THREE = ("search.trials=3", SPACE)


def do(company, results, *overrides, out=None, announce=lambda _: None):
    config = load_config(company.config, overrides)
    return search(config, results=results, out=out, on_progress=silent, announce=announce)


def outcome(found):
    """What a search found, without what the clock says."""
    return [(trial.number, dict(trial.settings), trial.score, trial.fault) for trial in found.trials]


def best_settings(found, company):
    return replace(load_config(company.config).neural, **found.best.settings)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def finished(company, results):
    return do(company, results, *THREE)


@pytest.fixture
def quick(monkeypatch):
    """Put a formula in the place of fitting; calls may be listed on which the process "dies"."""
    deaths = []

    def measure(task, settings, number):
        if number in deaths:
            deaths.remove(number)
            raise KeyboardInterrupt
        value = 0.9 - abs(settings.learning_rate - 1e-3) - settings.dropout / 10
        return {"accuracies": {"department": value, "seniority": value}, "best_epoch": 1, "seconds": 1.0}

    monkeypatch.setattr(harness.experiment.search, "_fit_and_score", measure)
    return deaths


def test_the_first_trial_has_the_configs_own_settings_and_the_best_is_in_front(finished, company):
    config = load_config(company.config)
    assert finished.own.number == 1
    own = {name: getattr(config.neural, name) for name in ("learning_rate", "epochs", "dropout")}
    assert finished.own.settings == own
    assert sorted(trial.number for trial in finished.trials) == [1, 2, 3]
    scores = [trial.score for trial in finished.trials]
    assert scores == sorted(scores, reverse=True)
    proposed = [trial.settings for trial in finished.trials if trial.number > 1]
    for settings in proposed:
        assert set(settings) == set(own)
        assert 1e-4 <= settings["learning_rate"] <= 1e-2
        assert settings["epochs"] in (1, 2)
        assert settings["dropout"] in (0.0, 0.2)
    assert proposed[0] != proposed[1]


def test_the_trials_and_the_best_settings_are_written(finished, company):
    rows = pd.read_csv(finished.folder / "trials.csv")
    assert rows["trial"].tolist() == [trial.number for trial in finished.trials]
    assert rows["score"].tolist() == pytest.approx([trial.score for trial in finished.trials])
    measured = rows[["department accuracy", "seniority accuracy"]].mean(axis=1)
    assert rows["score"].tolist() == pytest.approx(measured.tolist())
    assert {"seconds", "best_epoch", "learning_rate", "epochs", "dropout"} <= set(rows.columns)
    best = yaml.safe_load((finished.folder / "best.yaml").read_text())
    assert NeuralSettings(**best) == best_settings(finished, company)
    facts = json.loads((finished.folder / "search.json").read_text())
    assert {"fingerprint", "seed", "split", "learned_from", "space", "commit", "optuna"} <= set(facts)


def test_the_verb_ends_with_arguments_that_give_the_best_settings(finished, company, results, call):
    code, shown, said = call("search", "--trials", 3, "--set", SPACE, "--results", results, "--by", "record")
    assert code == 0
    assert "trials done before: 3 of 3" in said
    assert "Which settings validate best?" in shown
    *_, sentence, arguments = shown.strip().splitlines()
    assert f"trial {finished.best.number} with {finished.best.score:.4f}" in sentence
    assert sentence.endswith(f"the config's own settings: {finished.own.score:.4f}.")
    given = shlex.split(arguments)
    assert given[::2] == ["--set"] * (len(given) // 2)
    assert load_config(company.config, given[1::2]).neural == best_settings(finished, company)


def test_the_score_is_the_validation_accuracy_by_which_the_epoch_is_chosen(company, results, tmp_path, monkeypatch):
    logs = []
    fit = NeuralClassifier.fit

    def spying(self, train, valid):
        fit(self, train, valid)
        logs.append(self.log_)
        return self

    monkeypatch.setattr(NeuralClassifier, "fit", spying)
    found = do(company, results, "search.trials=1", out=tmp_path / "out")
    assert found.own.accuracies == pytest.approx(best_of(logs[0]).valid_accuracy, abs=1e-6)
    assert found.own.score == pytest.approx(best_of(logs[0]).rank[0], abs=1e-6)


def test_trials_are_scored_with_the_same_weights_whatever_they_train_with(company, results, tmp_path, monkeypatch):
    def first_class(self, titles):
        return {
            target.name: pd.get_dummies([0] * len(titles))
            .reindex(columns=range(target.n_classes), fill_value=0)
            .to_numpy(float)
            for target in self.taxonomy_.targets
        }

    monkeypatch.setattr(NeuralClassifier, "predict_proba", first_class)
    space = "search.space={count_power: {choices: [0.0, 1.0]}, merge_equal_rows: {choices: [false]}}"
    found = do(company, results, "neural.epochs=1", "search.trials=3", space, out=tmp_path / "out")
    assert len({trial.settings["count_power"] for trial in found.trials}) > 1
    assert len({trial.score for trial in found.trials}) == 1


def test_no_trial_reads_the_test_part(finished, company, results, tmp_path):
    (place,) = results.glob(".cache/split-record-*")
    content = (place / "test.parquet").read_bytes()
    (place / "test.parquet").unlink()
    try:
        again = do(company, results, *THREE, out=tmp_path / "out")
    finally:
        (place / "test.parquet").write_bytes(content)
    assert outcome(again) == outcome(finished)


def test_stages_of_a_run_are_reused_and_no_others_are_made(company, tmp_path, quick):
    config = load_config(company.config, ["systems=[majority]"])
    run(config, results=tmp_path, out=None, fresh=False, on_progress=silent, announce=lambda _: None)
    before = sorted((tmp_path / ".cache").iterdir())
    said = []
    do(company, tmp_path, *THREE, "split.by=[title]", announce=said.append)
    assert sorted((tmp_path / ".cache").iterdir()) == before
    assert not [line for line in said if line.startswith("making")]
    do(company, tmp_path / "fresh", *THREE, "split.by=[title]", announce=said.append)
    assert [line for line in said if line.startswith("making")] == [
        "making leads",
        "making clean",
        "making split/title",
    ]


def test_a_killed_search_resumes_with_the_trials_of_an_unbroken_one(company, results, tmp_path, quick):
    many = ("search.trials=14", SPACE)
    unbroken = do(company, results, *many, out=tmp_path / "unbroken")
    quick += [1, 4, 4, 12]
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            do(company, results, *many, out=tmp_path / "killed")
    again = do(company, results, *many, out=tmp_path / "killed")
    assert outcome(again) == outcome(unbroken)
    assert len(pd.read_csv(tmp_path / "killed" / "trials.csv")) == 14


def test_a_trial_that_was_killed_in_its_fit_is_tried_again(finished, company, results, tmp_path, monkeypatch):
    fit = harness.experiment.search.fit_and_save
    calls = []

    def dying(*arguments):
        calls.append(1)
        fit(*arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(harness.experiment.search, "fit_and_save", dying)
    with pytest.raises(KeyboardInterrupt):
        do(company, results, *THREE, out=tmp_path / "out")
    assert pd.read_csv(tmp_path / "out" / "trials.csv")["trial"].tolist() == [1]
    (tmp_path / "out" / "trial" / "model" / "left over").mkdir(parents=True)
    assert outcome(do(company, results, *THREE, out=tmp_path / "out")) == outcome(finished)
    assert len(calls) == 4
    assert not (tmp_path / "out" / "trial").exists()


def test_more_trials_go_on_with_the_same_search(company, results, tmp_path, quick):
    two = do(company, results, "search.trials=2", out=tmp_path / "out")
    five = do(company, results, "search.trials=5", out=tmp_path / "out")
    assert all(trial in outcome(five) for trial in outcome(two))
    assert len(five.trials) == 5
    assert outcome(five) == outcome(do(company, results, "search.trials=2", out=tmp_path / "out"))


def test_out_of_time_a_search_still_makes_one_trial_and_can_go_on(company, results, tmp_path, quick):
    said = []
    for n_done in (1, 2):
        found = do(company, results, "search.minutes=1e-9", out=tmp_path / "out", announce=said.append)
        assert len(found.trials) == n_done
    assert "out of time after trial 2 of 20; the same command resumes it" in said


def test_settings_that_cannot_be_fitted_are_kept_as_the_worst(company, results, tmp_path, quick):
    space = "search.space={max_tokens: {choices: [16, 64]}, max_tokens_per_batch: {choices: [32, 256]}}"
    found = do(company, results, "search.trials=12", space, out=tmp_path / "out")
    refused = [trial for trial in found.trials if trial.fault]
    assert refused
    assert refused == list(found.trials[-len(refused) :])
    for trial in refused:
        assert trial.settings == {"max_tokens": 64, "max_tokens_per_batch": 32}
    rows = pd.read_csv(tmp_path / "out" / "trials.csv")
    assert rows["why"].dropna().str.contains("max_tokens_per_batch is 32; expected at least max_tokens, 64").all()
    assert rows["score"].isna().sum() == len(refused)


def test_training_that_comes_apart_is_a_trial_that_was_not_fitted(company, results, tmp_path, monkeypatch):
    def measure(task, settings, number):
        if number == 2:
            raise BadInput("Training diverged in epoch 1.")
        return {"accuracies": {"department": 0.5, "seniority": 0.5}, "best_epoch": 1, "seconds": 1.0}

    monkeypatch.setattr(harness.experiment.search, "_fit_and_score", measure)
    found = do(company, results, "search.trials=3", out=tmp_path / "out")
    assert [trial.number for trial in found.trials] == [1, 3, 2]
    assert found.trials[-1].fault == "Training diverged in epoch 1."
    assert found.changes == {}


def test_settings_of_the_config_that_cannot_be_fitted_end_the_search(company, results, tmp_path):
    with pytest.raises(BadInput, match=r"Encoder .* looks like a folder, but there is none"):
        do(company, results, "neural.encoder=/nowhere/at/all", out=tmp_path / "out")
    assert not (tmp_path / "out" / "trials.csv").exists()


def test_the_configs_own_settings_may_be_outside_the_search_space(company, results, tmp_path, quick):
    space = "search.space={epochs: [5, 6], clip_norm: [0.5, 2], learning_rate: [1e-5, 1e-2]}"
    found = do(company, results, "neural.clip_norm=null", "search.trials=3", space, out=tmp_path / "out")
    assert found.own.settings == {"epochs": 2, "clip_norm": None, "learning_rate": 4e-4}
    for trial in found.trials:
        assert trial.number == 1 or (trial.settings["epochs"] in (5, 6) and 0.5 <= trial.settings["clip_norm"] <= 2)
    again = do(company, results, "neural.clip_norm=null", "search.trials=12", space, out=tmp_path / "out")
    assert len(again.trials) == 12


def test_another_search_in_the_same_folder_is_refused(company, results, tmp_path, quick):
    do(company, results, *THREE, out=tmp_path / "out")
    before = (tmp_path / "out" / "trials.db").read_bytes()
    for other in ("seed=5", "neural.max_tokens=12", "search.space={epochs: [1, 3]}", "split.by=[title]"):
        with pytest.raises(BadInput, match=r"holds a search with other settings.*Choose another --out"):
            do(company, results, *THREE, other, out=tmp_path / "out")
    assert (tmp_path / "out" / "trials.db").read_bytes() == before


@pytest.mark.parametrize("facts", [None, "{}", "x", "[1]"])
def test_a_folder_that_is_no_search_is_never_touched(company, results, tmp_path, facts):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("x")
    if facts is not None:
        (tmp_path / "letters" / "search.json").write_text(facts)
    before = sorted((tmp_path / "letters").iterdir())
    with pytest.raises(BadInput, match="is no search folder; nothing in it was touched"):
        do(company, results, *THREE, out=tmp_path / "letters")
    assert sorted((tmp_path / "letters").iterdir()) == before


@pytest.mark.parametrize("name", ["unfinished-thesis.docx", "unfinished-1999999-thesis.docx"])
def test_a_file_that_is_called_unfinished_is_no_claim(company, results, tmp_path, name):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("years of work")
    with pytest.raises(BadInput, match="is no search folder; nothing in it was touched"):
        do(company, results, *THREE, out=tmp_path / "mine")
    assert (tmp_path / "mine" / name).read_text() == "years of work"


def test_a_search_that_died_before_it_began_can_begin(company, results, tmp_path, quick):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / f"unfinished-{dead.pid}-search.json").write_text('{"half')
    found = do(company, results, *THREE, out=tmp_path / "out")
    assert len(found.trials) == 3
    assert not list((tmp_path / "out").glob("unfinished-*"))


@pytest.mark.parametrize("damage", ["cut", "emptied", "garbage", "a folder", "another score", "no table"])
def test_damaged_trials_are_refused_and_nothing_is_lost(company, results, tmp_path, quick, damage):
    do(company, results, *THREE, out=tmp_path / "out")
    stored, listed = tmp_path / "out" / "trials.db", tmp_path / "out" / "trials.csv"
    if damage == "a folder":
        stored.unlink()
        stored.mkdir()
    elif damage == "another score":
        listed.write_text(listed.read_text().replace("0.", "0.1", 1))
    elif damage == "no table":
        listed.write_bytes(b"\xff\xfe")
    else:
        stored.write_bytes({"cut": stored.read_bytes()[:9000], "emptied": b"", "garbage": b"x" * 9000}[damage])
    before = listed.read_bytes()
    with pytest.raises(BadInput, match=r"trials\.(db cannot be read as|csv does not list) the trials"):
        do(company, results, *THREE, out=tmp_path / "out")
    assert listed.read_bytes() == before


def test_a_folder_that_takes_no_lock_is_bad_input(company, results, tmp_path, quick, monkeypatch):
    do(company, results, *THREE, out=tmp_path / "out")
    (tmp_path / "out" / "lock").unlink()
    (tmp_path / "out" / "lock").mkdir()
    with pytest.raises(BadInput, match=r"out/lock cannot be written: Is a directory"):
        do(company, results, *THREE, out=tmp_path / "out")
    (tmp_path / "out" / "lock").rmdir()
    (tmp_path / "out" / "lock").touch()
    touch = Path.touch

    def read_only(path, *arguments, **options):
        if path.parent == tmp_path / "out":
            raise PermissionError(13, "Permission denied")
        touch(path, *arguments, **options)

    monkeypatch.setattr(Path, "touch", read_only)
    with pytest.raises(BadInput, match=r"cannot be written: Permission denied"):
        do(company, results, *THREE, out=tmp_path / "out")


@pytest.mark.parametrize("setting", ["encoder", "teacher"])
def test_a_network_among_the_choices_counts_by_its_files(company, results, tmp_path, quick, setting):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "weights").write_text("first")
    space = f"search.space={{{setting}: {{choices: [packaged:minilm, {tmp_path}/mine]}}}}"
    do(company, results, "search.trials=1", space, out=tmp_path / "out")
    do(company, results, "search.trials=1", space, out=tmp_path / "out")
    (tmp_path / "mine" / "weights").write_text("second")
    with pytest.raises(BadInput, match="holds a search with other settings, data or sources"):
        do(company, results, "search.trials=1", space, out=tmp_path / "out")


def test_a_file_in_the_place_of_the_folder_is_refused(company, results, tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(BadInput, match="is a file; runs and searches need a folder"):
        do(company, results, *THREE, out=tmp_path / "out")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--by", "foo", "Error: --by: split.by.0 = 'foo': Input should be 'record' or 'title'"),
        ("--minutes", "0", "Error: --minutes: search.minutes = 0.0: Input should be greater than 0"),
    ],
)
def test_a_fault_of_an_option_names_it(tmp_path, call, option, value, message):
    code, _, said = call("search", option, value, "--results", tmp_path)
    assert code == 2
    assert message in said
    assert "--set" not in said


def test_two_processes_do_not_search_in_one_folder(company, results, tmp_path, quick):
    do(company, results, *THREE, out=tmp_path / "out")
    with filelock.FileLock(tmp_path / "out" / "lock"), pytest.raises(BadInput, match="Another process is searching in"):
        do(company, results, *THREE, out=tmp_path / "out")


def test_without_leads_in_validation_there_is_nothing_to_decide_by(company, tmp_path):
    with pytest.raises(BadInput, match=r"Split by record, no lead is in validation.*split\.valid_share"):
        do(company, tmp_path, "split.valid_share=0.0001")


def test_labels_of_the_whole_file_are_refused_in_a_search(company, tmp_path):
    with pytest.raises(BadInput, match=r"clean\.consensus is"):
        do(company, tmp_path, "clean.consensus=whole-file")


def test_labels_to_learn_from_are_those_of_the_run(company, results, tmp_path, monkeypatch):
    label_sets = []
    fit = harness.experiment.search.fit_and_save

    def spying(settings, *arguments):
        label_sets.append(str(settings.rows.label_set))
        fit(settings, *arguments)

    monkeypatch.setattr(harness.experiment.search, "fit_and_save", spying)
    do(company, results, "learn_from=[consensus, legacy]", "search.trials=1", out=tmp_path / "out")
    assert label_sets == ["consensus"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("search.trials=0", "--set: search.trials = 0: .*greater than or equal to 1"),
        ("search.minutes=0", "--set: search.minutes = 0: .*greater than 0"),
        ("search.space={}", "--set: search.space: .*at least 1 item"),
        ("search.space.epocs=[1, 2]", "--set: search.space.epocs: Unknown setting 'epocs'. Did you mean 'epochs'?"),
        ("search.space.runtime={choices: [torch]}", "search.space.runtime: runtime changes nothing that the network"),
        ("search.space.epochs=3", r"search.space.epochs = 3: expected \[low, high\]"),
        ("search.space.epochs=[1, 2, 3]", r"search.space.epochs: expected \[low, high\]"),
        ("search.space.epochs=[0, 2]", "search.space.epochs: epochs is 0.0: .*greater than or equal to 1"),
        ("search.space.epochs=[1, 2.5]", "search.space.epochs: epochs is 2.5: .*valid integer"),
        ("search.space.epochs=[3, 2]", "search.space.epochs: low is 3, high is 2; expected a low below the high"),
        ("search.space.epochs={low: 1}", "search.space.epochs: give 'low' and 'high', or 'choices'"),
        ("search.space.epochs={low: 1, choices: [2]}", "search.space.epochs: give either 'choices', or"),
        ("search.space.epochs={chocies: [2]}", "unknown key 'search.space.epochs.chocies'. Did you mean 'choices'?"),
        ("search.space.dropout={low: 0, high: 0.1, log: true}", "search.space.dropout: low is 0; .* begins above 0"),
        ("search.space.dropout=[0, .inf]", "search.space.dropout.high = inf: .*finite number"),
        (
            "search.space.pooling={choices: [mean, men]}",
            "search.space.pooling: pooling is 'men': .*'mean', 'cls' or 'max'",
        ),
        ("search.space.pad_to_max=[0, 1]", "search.space.pad_to_max: pad_to_max is no number. Give {choices: "),
        ("search.space.max_tokens_per_batch=[8, 64]", "search.space.max_tokens_per_batch: .*at least max_tokens, 16"),
    ],
)
def test_a_wrong_search_section_is_refused_with_its_place(company, override, message):
    with pytest.raises(BadInput, match=message):
        load_config(company.config, [override])


def test_every_fault_of_a_space_is_named_with_its_line(company, tmp_path):
    path = tmp_path / "faulty.yaml"
    path.write_text(company.config.read_text() + "search:\n  space:\n    epochs: [0, 2]\n    dropout: [0, 2]\n")
    lines = path.read_text().splitlines()
    with pytest.raises(BadInput) as caught:
        load_config(path)
    for name in ("epochs: [0, 2]", "dropout: [0, 2]"):
        line = lines.index(f"    {name}") + 1
        assert f"line {line}: search.space.{name.split(':')[0]}: " in str(caught.value)


def test_a_space_survives_being_saved(company, tmp_path):
    config = load_config(company.config, [SPACE])
    (tmp_path / "saved.yaml").write_text(yaml.safe_dump(plain(config, str)))
    assert load_config(tmp_path / "saved.yaml").search == config.search


def test_a_standard_space_that_does_not_go_with_the_config_is_refused(company, results, tmp_path):
    with pytest.raises(
        BadInput, match=r"search\.space\.max_tokens_per_batch: .*is 256; expected at least max_tokens, 300"
    ):
        do(company, results, "neural.max_tokens=300", "neural.max_tokens_per_batch=512", out=tmp_path / "out")


def test_arguments_are_quoted_for_a_shell_and_read_back_as_they_were():
    changes = {
        "clip_norm": None,
        "learning_rate": 1e-05,
        "pad_to_max": True,
        "encoder": "a folder/of: mine",
        "epochs": 3,
    }
    words = shlex.split(" ".join(set_arguments(changes)))
    read = {}
    for line in words[1::2]:
        key, _, value = line.partition("=")
        read[key.removeprefix("neural.")] = yaml.safe_load(value)
    assert read == changes


def test_only_a_search_imports_optuna():
    probe = (
        "import sys, harness.cli, harness.experiment.config, harness.experiment.search; "
        "assert 'optuna' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", probe], check=True)
