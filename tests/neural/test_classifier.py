import shutil
from copy import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from data_cleaning.errors import BadInput
from neural.classifier import NeuralClassifier
from neural.onnx import OnnxNetwork, export, quantize
from tests.neural.toy import TAXONOMY, labelled
from tests.tiny_encoder import tiny_encoder_folder

WEIRD = ["", "\x00", "\ud800", "\N{GRINNING FACE}" * 500, "a" * 10**6, "nurse"]


@pytest.fixture(scope="module")
def fitted(settings, toy, nothing):
    return NeuralClassifier(settings).fit(toy, nothing)


def share_right(system, rows):
    """Return the smallest share of right answers over the targets."""
    proba = system.predict_proba(rows.titles)
    return min((proba[target].argmax(1) == codes).mean() for target, codes in rows.labels.items())


def test_it_learns_what_words_decide(settings, toy):
    is_train = np.arange(len(toy)) % 4 != 1
    train, unseen = toy.select(is_train), toy.select(~is_train)

    system = NeuralClassifier(replace(settings, epochs=12)).fit(train, unseen)

    assert share_right(system, unseen) >= 0.9


def test_every_title_gets_rows_that_sum_to_one(fitted):
    proba = fitted.predict_proba(WEIRD)

    assert list(proba) == list(TAXONOMY.names)
    for target, rows in proba.items():
        assert rows.shape == (len(WEIRD), TAXONOMY.n_classes(target))
        assert np.isfinite(rows).all()
        np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-6)


def test_no_titles_get_no_rows(fitted):
    assert {target: rows.shape for target, rows in fitted.predict_proba([]).items()} == {"type": (0, 3), "a.b": (0, 2)}


def test_a_title_gets_its_row_wherever_it_stands(fitted, toy):
    alone = fitted.predict_proba(["chief nurse"])
    among = fitted.predict_proba([*toy.titles, "chief nurse", *WEIRD, "chief nurse"])

    for target, rows in among.items():
        np.testing.assert_array_equal(rows[len(toy)], rows[-1])
        np.testing.assert_allclose(rows[-1], alone[target][0], atol=1e-5)


def test_the_heavier_of_two_labels_wins(settings, toy, nothing):
    disputed = [("intern nurse", "security", "rest"), ("intern nurse", "other", "rest")] * 2

    for heavy, winner in ((0, "security"), (1, "other")):
        weights = np.where(np.arange(4) % 2 == heavy, 20.0, 1.0)
        system = NeuralClassifier(settings).fit(labelled(disputed, weight=weights), nothing)
        verdict = system.predict_proba(["intern nurse"])["type"][0].argmax()
        assert TAXONOMY["type"].classes[verdict] == winner


def test_the_count_power_decides_what_many_records_weigh(settings, nothing):
    disputed = labelled([("intern nurse", "security", "rest"), ("intern nurse", "other", "rest")], count=[99, 1])
    security = [
        NeuralClassifier(replace(settings, count_power=power, epochs=40))
        .fit(disputed, nothing)
        .predict_proba(["intern nurse"])["type"][0, 0]
        for power in (0.0, 1.0)
    ]

    assert security[0] == pytest.approx(0.5, abs=0.2)
    assert security[1] > 0.85


def test_the_same_seed_gives_the_same_probabilities_and_leaves_other_draws_alone(settings, toy):
    torch.manual_seed(7)
    untouched = torch.rand(1)
    answers = []
    for seed in (0, 0, 1):
        torch.manual_seed(7)
        answers.append(NeuralClassifier(settings, seed).fit(toy, toy).predict_proba(toy.titles)["type"])
        assert torch.equal(torch.rand(1), untouched)

    np.testing.assert_array_equal(answers[0], answers[1])
    assert not np.array_equal(answers[0], answers[2])


def test_a_saved_system_answers_the_same_without_its_encoder(settings, toy, tmp_path):
    origin = tiny_encoder_folder(tmp_path / "origin")
    system = NeuralClassifier(replace(settings, encoder=str(origin)), seed=3).fit(toy, toy)
    system.save(tmp_path / "saved")
    shutil.rmtree(origin)

    loaded = NeuralClassifier.load(tmp_path / "saved")

    for target, rows in system.predict_proba(WEIRD).items():
        np.testing.assert_array_equal(loaded.predict_proba(WEIRD)[target], rows)
    assert loaded.taxonomy_ == TAXONOMY
    assert loaded.settings == system.settings
    assert loaded.seed == 3
    assert loaded.log_ == system.log_
    assert loaded.fit_summary() == system.fit_summary()


def test_a_system_saved_on_a_gpu_loads_without_one(fitted, tmp_path, monkeypatch):
    trained_on_gpu = copy(fitted)
    trained_on_gpu.settings = replace(fitted.settings, device="cuda")
    trained_on_gpu.save(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    assert NeuralClassifier.load(tmp_path).predict_proba(["nurse"])["type"].shape == (1, 3)


@pytest.mark.parametrize("absent", ["settings.json", "model.safetensors", "taxonomy.json", "encoder"])
def test_a_folder_with_a_part_missing_is_refused(fitted, tmp_path, absent):
    fitted.save(tmp_path)
    part = tmp_path / absent
    shutil.rmtree(part) if part.is_dir() else part.unlink()

    with pytest.raises(BadInput, match=r"Give the folder that 'save' wrote|is no saved encoder"):
        NeuralClassifier.load(tmp_path)


def test_the_summary_says_what_it_learned_from(settings, nothing):
    nurse = ("night nurse", "health", "rest")
    rows = labelled(
        [nurse, nurse, ("chief sales", "other", "chief")], count=[5, 1, 2], source=["legacy", "reviewed", "legacy"]
    )

    summary, last = (
        NeuralClassifier(replace(settings, reviewed_epochs=epochs)).fit(rows, nothing).fit_summary()
        for epochs in (0, 2)
    )

    assert summary["rows"] == 3
    assert summary["records"] == 8
    assert summary["sources"] == {"legacy": {"rows": 2, "records": 7}, "reviewed": {"rows": 1, "records": 1}}
    assert summary["distinct_rows_fitted"] == 2
    assert summary["best_epoch"] == settings.epochs
    # Learned last, a title is a row of either pass.
    assert last["sources"] == summary["sources"]
    assert last["distinct_rows_fitted"] == 3
    assert last["best_epoch"] == settings.epochs + 2


def test_a_cap_on_training_rows_is_kept(settings, toy, nothing):
    system = NeuralClassifier(replace(settings, max_train_rows=5, epochs=1)).fit(toy, nothing)

    assert system.fit_summary()["distinct_rows_fitted"] == 5


def test_nothing_to_learn_from_is_bad_input(settings, toy, nothing):
    with pytest.raises(BadInput, match="There are no training titles"):
        NeuralClassifier(settings).fit(nothing, toy)


def test_more_tokens_than_the_encoder_takes_are_bad_input(settings, toy, nothing):
    long = replace(settings, max_tokens=65)

    with pytest.raises(BadInput, match=r"max_tokens is 65, but encoder .* takes at most 64"):
        NeuralClassifier(long).fit(toy, nothing)


def test_predicting_reports_its_progress(fitted):
    told = []
    watched = copy(fitted)
    watched.on_progress = lambda *said: told.append(said)

    watched.predict_proba(["nurse", "nurse", "chief"])

    assert told[-1] == ("neural predict", 2, 2)


def test_a_steady_network_answers_a_title_alike_in_any_company(fitted, toy, tmp_path):
    pytest.importorskip("onnxruntime")
    export(fitted.model_, tmp_path / "network.onnx")
    quantize(tmp_path / "network.onnx", tmp_path / "int8.onnx")
    steadied = copy(fitted)
    steadied.runtime_ = OnnxNetwork((tmp_path / "int8.onnx").read_bytes(), fitted.model_.n_classes)
    assert steadied.runtime_.is_int8

    steadied.steady()

    assert not steadied.runtime_.is_int8
    titles = list(toy.titles)
    together = steadied.predict_proba(titles)
    for target, rows in together.items():
        alone = np.concatenate([steadied.predict_proba([title])[target] for title in titles])
        np.testing.assert_allclose(rows, alone, atol=1e-6)


def test_a_network_in_torch_is_steady_as_it_is(fitted):
    steadied = copy(fitted)
    steadied.runtime_ = None
    steadied.steady()
    assert steadied.runtime_ is None
