"""The majority system predicts the class shares of training."""

import numpy as np
import pytest

from baselines.majority import MajorityClassifier
from data_cleaning.errors import BadInput


def test_every_title_gets_the_weighted_prior(labelled):
    train = labelled(("a", "IT", "None", "Executive", 3), ("b", "Other", "None", "Contributor", 1, 2.0, "reviewed"))
    system = MajorityClassifier().fit(train, train)
    proba = system.predict_proba(["", "a", "\0"])
    np.testing.assert_allclose(proba["function"], [[0.6, 0.0, 0.4]] * 3)
    assert system.fit_summary()["most_common"] == {"function": "IT", "role": "None", "level": "Executive"}
    assert system.predict_proba([])["role"].shape == (0, 3)


def test_no_training_rows_give_equal_probabilities(labelled):
    nothing = labelled(("a", "IT", "None", "Executive")).select(np.array([], dtype=int))
    proba = MajorityClassifier().fit(nothing, nothing).predict_proba(["a"])
    np.testing.assert_allclose(proba["function"], [[1 / 3] * 3])


def test_saved_and_loaded_systems_answer_alike(labelled, tmp_path):
    train = labelled(("a", "IT", "None", "Executive", 3), ("b", "Other", "None", "Contributor"))
    system = MajorityClassifier().fit(train, train)
    system.save(tmp_path / "folder")
    again = MajorityClassifier.load(tmp_path / "folder")
    np.testing.assert_array_equal(again.predict_proba(["a"])["function"], system.predict_proba(["a"])["function"])
    assert again.fit_summary() == system.fit_summary()
    assert again.taxonomy_ == system.taxonomy_


def test_predicting_before_fit_says_what_to_do():
    with pytest.raises(BadInput, match="MajorityClassifier has learned nothing yet"):
        MajorityClassifier().predict_proba(["a"])
