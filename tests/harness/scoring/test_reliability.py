"""How often answers are right at which confidence."""

import numpy as np
import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.scoring.reliability import FILE, MIN_TITLES, Reliability, shares_answered, threshold_for

SURE, UNSURE = 0.9, 0.6


def known(n_sure_right=95, n_sure_wrong=5, n_unsure_right=50, n_unsure_wrong=50):
    counts = [n_sure_right, n_sure_wrong, n_unsure_right, n_unsure_wrong]
    return Reliability(np.repeat([SURE, SURE, UNSURE, UNSURE], counts), np.repeat([True, False, True, False], counts))


def test_the_threshold_flags_as_little_as_it_can():
    assert known().threshold(0.95) == SURE
    assert known().threshold(0.7) == UNSURE
    assert known().threshold(0.96) is None
    assert known().best() == 0.95


def test_answers_of_one_confidence_are_flagged_together():
    mixed = Reliability(np.full(100, SURE), np.arange(100) < 90)
    assert mixed.threshold(0.95) is None
    assert mixed.threshold(0.9) == SURE


def test_a_few_right_answers_show_nothing():
    assert known(MIN_TITLES - 1, 0, 0, 50).threshold(0.9) is None
    assert known(MIN_TITLES, 0, 0, 50).threshold(0.9) == SURE


def test_the_lowest_confidence_over_the_targets_counts():
    answers = {"a": np.array([[0.9, 0.1], [0.2, 0.8]]), "b": np.array([[0.6, 0.4], [0.7, 0.3]])}
    of = Reliability.of(answers, {"a": np.array([0, 1]), "b": np.array([0, 1])})
    np.testing.assert_allclose(of.confidence, [0.6, 0.7])
    assert of.right.tolist() == [True, False]


def test_a_system_that_is_never_sure_enough_is_named(tmp_path):
    import json

    (tmp_path / FILE).write_text(json.dumps(known().to_dict()))
    assert threshold_for(tmp_path, 0.95) == SURE
    with pytest.raises(BadInput, match=r"200 answers .* right in 99\.0%; the best is 95%"):
        threshold_for(tmp_path, 0.99)
    with pytest.raises(BadInput, match="does not say how often"):
        threshold_for(tmp_path / "nowhere", 0.9)


def test_what_is_answered_is_counted_by_record():
    taxonomy = Taxonomy.from_dict({"targets": {"place": {"classes": {"Garden": [], "Kitchen": []}}}})
    rows = pl.DataFrame({"title": ["a", "b", "c"], "place": ["Garden", "Garden", "Kitchen"], "records": [6, 3, 1]})
    answers = {"place": np.array([[0.95, 0.05], [0.05, 0.95], [0.4, 0.6]])}
    predictions = Predictions(taxonomy=taxonomy, titles=rows["title"].to_numpy(), probabilities=answers)
    found = shares_answered(rows, predictions, known()).set_index("asked")
    assert found.loc[0.95].to_dict() == pytest.approx({"threshold": SURE, "for_review": 0.1, "right": 6 / 9})
    assert found.loc[0.97].isna().to_dict() == {"threshold": True, "for_review": False, "right": True}
    assert found.loc[0.97, "for_review"] == 1
