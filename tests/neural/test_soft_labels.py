from dataclasses import replace

import numpy as np
import pytest
import torch

from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy
from neural.classifier import NeuralClassifier
from neural.objective import target_losses
from neural.soft_labels import class_factors, resampling_probabilities, soften
from tests.neural.toy import labelled

RANKED = Taxonomy.from_dict(
    {
        "targets": {
            "field": {"classes": {"it": [], "other": []}},
            "rank": {"ordinal": True, "classes": {"chief": [], "manager": [], "staff": []}},
        }
    }
)
LABELS = {"field": np.array([0, 1, 1, 1]), "rank": np.array([0, 1, 2, 2])}
WEIGHTS = np.ones(4)


def test_without_a_setting_labels_stay_as_they_are(settings):
    assert soften(LABELS, WEIGHTS, RANKED, settings) is None


def test_smoothing_spreads_a_share_over_all_classes(settings):
    soft = soften(LABELS, WEIGHTS, RANKED, replace(settings, label_smoothing=0.2))

    np.testing.assert_allclose(soft["field"], [[0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.1, 0.9]], atol=1e-6)
    np.testing.assert_allclose(soft["rank"].sum(1), 1, atol=1e-6)


def test_only_ordinal_targets_spread_to_neighbours(settings):
    soft = soften(LABELS, WEIGHTS, RANKED, replace(settings, ordinal_softness=0.5))

    np.testing.assert_allclose(soft["field"], np.eye(2)[LABELS["field"]])
    chief = np.exp([0, -2, -4])
    np.testing.assert_allclose(soft["rank"][0], chief / chief.sum(), atol=1e-6)
    assert soft["rank"][1][0] == pytest.approx(soft["rank"][1][2])


def test_class_weights_give_rare_classes_more(settings):
    soft = soften(LABELS, WEIGHTS, RANKED, replace(settings, class_weight_power=1.0))

    totals = soft["field"].sum(0)
    assert totals[0] == pytest.approx(totals[1])
    assert soft["field"].sum() == pytest.approx(len(WEIGHTS))


def test_class_factors_count_row_weights_and_skip_empty_classes():
    factors = class_factors(np.array([0, 1]), np.array([3.0, 1.0]), 3, 0.5)

    np.testing.assert_allclose(factors, np.array([0.75**-0.5, 0.25**-0.5, 0]) / (0.75**0.5 + 0.25**0.5))


def test_resampling_draws_rows_of_rare_classes_more_often():
    draws = resampling_probabilities(LABELS, WEIGHTS, RANKED, 1.0)

    assert draws.sum() == pytest.approx(1)
    assert draws[0] == draws.max() > 1 / 4
    np.testing.assert_allclose(resampling_probabilities(LABELS, WEIGHTS, RANKED, 0.0), 1 / 4)


def test_the_loss_of_hard_and_of_soft_labels_is_the_same():
    """One-hot rows are the labels in other words."""
    logits = {"rank": torch.randn(4, 3)}
    hard = target_losses(logits, {"rank": torch.from_numpy(LABELS["rank"])}, torch.ones(4))
    soft = target_losses(logits, {"rank": torch.eye(3)[LABELS["rank"]]}, torch.ones(4))

    assert hard["rank"].item() == pytest.approx(soft["rank"].item(), abs=1e-6)


def test_an_epoch_learns_from_the_rows_that_were_drawn(settings, nothing):
    """One row in 31 is of the rare class, and half of those drawn are."""
    rare = labelled([("chief nurse", "health", "chief")] + [("night sales", "other", "rest")] * 30)
    chosen = replace(settings, merge_equal_rows=False, resampling_power=1.0, epochs=4)

    system = NeuralClassifier(chosen).fit(rare, nothing)

    assert system.predict_proba(["chief nurse"])["a.b"][0].argmax() == 0
    plain = NeuralClassifier(replace(chosen, resampling_power=0.0)).fit(rare, nothing)
    assert plain.predict_proba(["chief nurse"])["a.b"][0].argmax() == 1


def test_a_student_learns_what_its_teacher_says(settings, toy, nothing, tmp_path):
    """The labels say the opposite, and count nothing."""
    NeuralClassifier(replace(settings, epochs=12)).fit(toy, nothing).save(tmp_path / "teacher")
    wrong = labelled([(title, "other", "rest") for title in toy.titles])
    chosen = replace(settings, epochs=12, teacher=str(tmp_path / "teacher"), teacher_share=1.0)

    student = NeuralClassifier(chosen).fit(wrong, nothing)

    verdicts = student.predict_proba(toy.titles)
    assert all((verdicts[target].argmax(1) == codes).mean() > 0.9 for target, codes in toy.labels.items())


def test_a_teacher_of_other_labels_is_refused(settings, toy, nothing, tmp_path):
    system = NeuralClassifier(replace(settings, epochs=1)).fit(toy, nothing)
    renamed = system.taxonomy_.to_dict()
    renamed["targets"]["type"] = {"classes": {f"my {name}": [] for name in ("security", "health", "other")}}
    system.taxonomy_ = Taxonomy.from_dict(renamed)
    system.save(tmp_path / "teacher")

    with pytest.raises(BadInput, match="answers with other labels"):
        NeuralClassifier(replace(settings, teacher=str(tmp_path / "teacher"))).fit(toy, nothing)


def test_a_fit_does_not_go_on_with_another_teacher(settings, toy, nothing, tmp_path):
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


def test_no_teacher_in_the_folder_is_refused(settings, toy, nothing, tmp_path):
    with pytest.raises(BadInput, match="not a whole saved neural system"):
        NeuralClassifier(replace(settings, teacher=str(tmp_path / "nobody"))).fit(toy, nothing)
