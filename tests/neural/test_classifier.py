import json
import shutil
from copy import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelledTitles
from neural.classifier import NeuralClassifier
from neural.runtime import OnnxNetwork
from tests.neural.toy import FIELDS, RANKS, TAXONOMY, labelled
from tests.tiny_encoder import tiny_encoder_folder

WEIRD = ["", "\x00", "\ud800", "\N{GRINNING FACE}" * 500, "a" * 10**6, "nurse"]


@pytest.fixture(scope="module")
def fitted(settings, toy, nothing):
    return NeuralClassifier(settings).fit(toy, nothing)


def share_right(system, rows):
    """Return the smallest share of right answers over the targets."""
    proba = system.predict_proba(rows.titles)
    return min((proba[target].argmax(1) == codes).mean() for target, codes in rows.labels.items())


def test_a_fit_learns_labels_that_words_decide(settings, toy):
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


def test_a_title_gets_the_same_row_at_any_position(fitted, toy):
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
        predicted = system.predict_proba(["intern nurse"])["type"][0].argmax()
        assert TAXONOMY["type"].classes[predicted] == winner


def test_the_count_power_decides_the_weight_of_many_records(settings, nothing):
    disputed = labelled([("intern nurse", "security", "rest"), ("intern nurse", "other", "rest")], count=[99, 1])
    security = [
        NeuralClassifier(replace(settings, count_power=power, epochs=40))
        .fit(disputed, nothing)
        .predict_proba(["intern nurse"])["type"][0, 0]
        for power in (0.0, 1.0)
    ]

    assert security[0] == pytest.approx(0.5, abs=0.2)
    assert security[1] > 0.85


def test_the_same_seed_gives_the_same_probabilities_and_a_fit_leaves_the_generator_alone(settings, toy):
    torch.manual_seed(7)
    untouched = torch.rand(1)
    answers = []
    for seed in (0, 0, 1):
        torch.manual_seed(7)
        answers.append(NeuralClassifier(settings, seed).fit(toy, toy).predict_proba(toy.titles)["type"])
        assert torch.equal(torch.rand(1), untouched)

    np.testing.assert_array_equal(answers[0], answers[1])
    assert not np.array_equal(answers[0], answers[2])


def test_a_saved_system_predicts_the_same_without_its_encoder(settings, toy, tmp_path):
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


def test_a_network_of_an_earlier_release_takes_no_text_for_unlike(fitted, tmp_path):
    fitted.save(tmp_path)
    assert NeuralClassifier.load(tmp_path).unlike(["ddsfsdf"]).all()
    (tmp_path / "novelty.json").unlink()
    assert not NeuralClassifier.load(tmp_path).unlike(["ddsfsdf"]).any()


def test_a_system_saved_on_a_gpu_loads_without_one(fitted, tmp_path, monkeypatch):
    trained_on_gpu = copy(fitted)
    trained_on_gpu.settings = replace(fitted.settings, device="cuda")
    trained_on_gpu.save(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    assert NeuralClassifier.load(tmp_path).predict_proba(["nurse"])["type"].shape == (1, 3)


@pytest.mark.parametrize("absent", ["settings.json", "model.safetensors", "taxonomy.json", "encoder"])
def test_a_folder_with_a_file_missing_is_refused(fitted, tmp_path, absent):
    fitted.save(tmp_path)
    path = tmp_path / absent
    shutil.rmtree(path) if path.is_dir() else path.unlink()

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


def test_at_most_max_train_rows_are_learned_from(settings, toy, nothing):
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


def test_titles_that_are_read_alike_are_computed_once_and_counted_as_many(fitted):
    told, sizes = [], []
    watched = copy(fitted)
    watched.runtime_ = None
    watched.on_progress = lambda *said: told.append(said)
    hook = watched.model_.register_forward_pre_hook(lambda _, given: sizes.append(len(given[0])))

    found = watched.predict_proba(["chief nurse", "chief, nurse", "nurse", "Chief (Nurse)"])
    hook.remove()

    assert sum(sizes) == 2
    assert told[-1] == ("neural predict", 4, 4)
    for rows in found.values():
        assert (rows[[1, 3]] == rows[0]).all()
        assert not (rows[2] == rows[0]).all()


def test_a_batch_invariant_network_gives_a_title_the_same_probabilities_beside_any_others(fitted, toy, tmp_path):
    pytest.importorskip("onnxruntime")
    saved = copy(fitted)
    saved.runtime_ = OnnxNetwork.in_fp32(fitted.model_).in_int8()
    saved.save(tmp_path)
    assert NeuralClassifier.load(tmp_path).runtime_.is_int8

    loaded = NeuralClassifier.load(tmp_path, batch_invariant=True)

    assert not loaded.runtime_.is_int8
    titles = list(toy.titles)
    together = loaded.predict_proba(titles)
    for target, rows in together.items():
        alone = np.concatenate([loaded.predict_proba([title])[target] for title in titles])
        np.testing.assert_allclose(rows, alone, atol=1e-6)


def test_a_network_saved_by_an_earlier_release_loads(fitted, tmp_path):
    fitted.save(tmp_path)
    saved = json.loads((tmp_path / "settings.json").read_text())
    saved["settings"]["least_steps"] = saved["settings"].pop("min_steps")
    saved["settings"] |= {"label_smoothing": 0.0, "ordinal_softness": 0.0, "frozen_layers": 0, "layer_decay": 1.0}
    (tmp_path / "settings.json").write_text(json.dumps(saved))

    assert NeuralClassifier.load(tmp_path).settings == fitted.settings


def test_an_epoch_learns_from_the_rows_that_were_drawn(settings, nothing):
    """One row in 31 is of the rare class, and half of those drawn are."""
    rare = labelled([("chief nurse", "health", "chief")] + [("night sales", "other", "rest")] * 30)
    chosen = replace(settings, merge_equal_rows=False, resampling_power=1.0, epochs=4)

    system = NeuralClassifier(chosen).fit(rare, nothing)

    assert system.predict_proba(["chief nurse"])["a.b"][0].argmax() == 0
    plain = NeuralClassifier(replace(chosen, resampling_power=0.0)).fit(rare, nothing)
    assert plain.predict_proba(["chief nurse"])["a.b"][0].argmax() == 1


def test_a_student_learns_the_predictions_of_its_teacher(settings, toy, nothing, tmp_path):
    """The labels are wrong, and have no weight."""
    NeuralClassifier(replace(settings, epochs=12)).fit(toy, nothing).save(tmp_path / "teacher")
    wrong = labelled([(title, "other", "rest") for title in toy.titles])
    chosen = replace(settings, epochs=12, teacher=str(tmp_path / "teacher"), teacher_share=1.0)

    student = NeuralClassifier(chosen).fit(wrong, nothing)

    predicted = student.predict_proba(toy.titles)
    assert all((predicted[target].argmax(1) == codes).mean() > 0.9 for target, codes in toy.labels.items())


def test_a_teacher_of_other_labels_is_refused(settings, toy, nothing, tmp_path):
    system = NeuralClassifier(replace(settings, epochs=1)).fit(toy, nothing)
    renamed = system.taxonomy_.to_dict()
    renamed["targets"]["type"] = {"classes": {f"my {name}": [] for name in ("security", "health", "other")}}
    system.taxonomy_ = Taxonomy.from_dict(renamed)
    system.save(tmp_path / "teacher")

    with pytest.raises(BadInput, match="predicts other labels"):
        NeuralClassifier(replace(settings, teacher=str(tmp_path / "teacher"))).fit(toy, nothing)


def test_a_fit_does_not_resume_with_another_teacher(settings, toy, nothing, tmp_path):
    for seed in (0, 1):
        NeuralClassifier(replace(settings, epochs=1), seed).fit(toy, nothing).save(tmp_path / f"teacher {seed}")
    chosen = replace(settings, epochs=1, teacher=str(tmp_path / "teacher"))
    (tmp_path / "teacher 0").rename(tmp_path / "teacher")
    NeuralClassifier(chosen, checkpoints=tmp_path / "kept").fit(toy, nothing)
    NeuralClassifier(chosen, checkpoints=tmp_path / "kept").fit(toy, nothing)
    (tmp_path / "teacher").rename(tmp_path / "teacher 0")
    (tmp_path / "teacher 1").rename(tmp_path / "teacher")

    with pytest.raises(BadInput, match="a training with other settings or data"):
        NeuralClassifier(chosen, checkpoints=tmp_path / "kept").fit(toy, nothing)


def test_a_folder_without_a_teacher_is_refused(settings, toy, nothing, tmp_path):
    with pytest.raises(BadInput, match="not a whole saved neural system"):
        NeuralClassifier(replace(settings, teacher=str(tmp_path / "nobody"))).fit(toy, nothing)


SHIFTS = ("", "data ", "network ", "night ", "director ", "manager ")


def rows(source, words, **columns):
    """Titles of some words; in the legacy ones every teacher is labelled as a security officer."""
    wrong = {"teacher": "security"} if source == "legacy" else {}
    listed = [
        (f"{rank} {shift}{word}", wrong.get(word, FIELDS[word]), RANKS[rank])
        for word in words
        for shift in SHIFTS
        for rank in RANKS
    ]
    return labelled(listed, source=source, **columns)


def joined(*parts):
    return LabelledTitles.from_frame(
        pd.concat(
            [
                pd.DataFrame(
                    {
                        "title": part.titles,
                        **{t.name: [t.classes[c] for c in part.labels[t.name]] for t in part.taxonomy.targets},
                        "count": part.counts,
                        "source": part.sources,
                    }
                )
                for part in parts
            ]
        ),
        parts[0].taxonomy,
    )


@pytest.fixture(scope="module")
def train():
    # Three reviewed teachers against eighteen legacy ones of a hundred records each.
    reviewed = rows("reviewed", ["teacher"]).select(np.array([0, 4, 8]))
    return joined(rows("legacy", FIELDS, count=100), reviewed)


@pytest.fixture(scope="module")
def valid():
    return joined(rows("legacy", ["nurse"]), rows("reviewed", ["teacher"]).select(np.array([12])))


def teachers_right(system):
    asked = [f"{shift}teacher" for shift in SHIFTS]
    answers = system.predict_proba(asked)["type"].argmax(axis=1)
    return (answers == system.taxonomy_["type"].class_index["other"]).mean()


def test_few_reviewed_titles_outweigh_many_of_the_same_words(settings, train, valid):
    last = NeuralClassifier(replace(settings, reviewed_epochs=10)).fit(train, valid)
    mixed = NeuralClassifier(replace(settings, reviewed_epochs=0)).fit(train, valid)
    assert teachers_right(last) == 1
    assert teachers_right(mixed) == 0
    assert last.summary_["reviewed_alone"]
    assert not mixed.summary_["reviewed_alone"]


def test_the_log_marks_the_epochs_on_reviewed_titles_alone(settings, train, valid, tmp_path):
    system = NeuralClassifier(replace(settings, reviewed_epochs=3)).fit(train, valid)
    assert [entry.reviewed for entry in system.log_] == [False] * 6 + [True] * 3
    assert [entry.epoch for entry in system.log_] == list(range(1, 10))
    assert system.summary_["best_epoch"] in (7, 8, 9)
    system.save(tmp_path / "model")
    shown = (tmp_path / "model" / "training_log.md").read_text()
    assert "| 9 reviewed" in shown
    assert f"| {system.summary_['best_epoch']} reviewed (kept) |" in shown


def test_a_warm_start_ends_with_the_network_of_a_whole_fit(settings, train, valid, tmp_path):
    without = train.select(train.sources != "reviewed"), valid.select(valid.sources != "reviewed")
    NeuralClassifier(settings).fit(*without).save(tmp_path / "first")
    whole = NeuralClassifier(settings).fit(train, valid)
    started_warm = NeuralClassifier(settings, warm_start=tmp_path / "first").fit(train, valid)
    for target, answers in whole.predict_proba(list(train.titles)).items():
        np.testing.assert_allclose(answers, started_warm.predict_proba(list(train.titles))[target], atol=1e-6)
    assert started_warm.fit_summary()["sources"] == whole.fit_summary()["sources"]
    assert [entry.reviewed for entry in started_warm.log_] == [entry.reviewed for entry in whole.log_]


def test_a_warm_start_from_a_network_of_other_labels_is_refused(settings, train, valid, tmp_path):
    NeuralClassifier(settings).fit(train, valid).save(tmp_path / "first")
    other = Taxonomy.from_dict({"targets": {"type": {"classes": {"a": []}}, "a.b": {"classes": {"b": []}}}})
    frame = pd.DataFrame({"title": ["x", "y"], "type": "a", "a.b": "b", "source": ["legacy", "reviewed"]})
    with pytest.raises(BadInput, match="predicts other labels"):
        NeuralClassifier(settings, warm_start=tmp_path / "first").fit(
            LabelledTitles.from_frame(frame, other), LabelledTitles.from_frame(frame, other)
        )


def test_reviewed_titles_alone_are_learned_in_one_pass(settings, train, nothing):
    reviewed = train.select(train.sources == "reviewed")
    system = NeuralClassifier(settings).fit(reviewed, nothing)
    assert not system.summary_["reviewed_alone"]
    assert not any(entry.reviewed for entry in system.log_)
