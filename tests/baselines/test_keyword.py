"""The keyword system: classes from the table, confidence from training."""

import numpy as np
import pandas as pd
import pytest

from baselines.keyword import MIN_PRECISION, KeywordClassifier
from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy

TITLES = ["Chief Tech & Security Officer", "Chief Tech", "Director", "", "a\0b", "🎉"]


@pytest.fixture
def table(table_of):
    return table_of(
        ("chief tech", 10, {"function": "Engineering", "role": "IT General", "level": "C-Level"}),
        ("security", 2, {"role": "Information Security"}),
        ("cto", 3, {"function": "IT", "level": "Executive"}),
    )


@pytest.fixture
def train(labelled):
    return labelled(
        ("security a", "Security", "Information Security", "Contributor", 6),
        ("security b", "Security", "IT General", "Contributor", 1),
        ("security b", "Security", "IT General", "Contributor", 1, 3.0, "reviewed"),
        ("baker", "Other", "None", "Contributor"),
    )


def test_precision_is_smoothed_and_weighted(table, train):
    system = KeywordClassifier(table).fit(train, train)
    # security: right on 6 of 6 + 1 + 3; (6 + 1) / (10 + 3). The fallback: right on 1 of 1; (1 + 1) / (1 + 3), floored.
    assert system.precision_["role"][1] == pytest.approx(7 / 13)
    assert system.precision_["role"][-1] == MIN_PRECISION
    # Prior of the classes, one record added to each: 5, 7 and 2 of 14; what security leaves is shared 5 to 2.
    role = system.predict_proba(["security"])["role"][0]
    np.testing.assert_allclose(role, [6 / 13 * 5 / 7, 7 / 13, 6 / 13 * 2 / 7])


@pytest.mark.parametrize("normalised", [False, True])
def test_the_class_of_the_winning_row_is_always_the_most_probable(table, train, normalised):
    system = KeywordClassifier(table, normalised).fit(train, train)
    winners = table.winners(TITLES, normalised)
    for target, rows in system.predict_proba(TITLES).items():
        assert rows.shape == (len(TITLES), system.taxonomy.n_classes(target))
        np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-6)
        assert rows.argmax(axis=1).tolist() == table.class_positions[target][winners[target]].tolist()


def test_saved_and_loaded_systems_answer_alike(table, train, tmp_path):
    system = KeywordClassifier(table, normalised=True).fit(train, train)
    system.save(tmp_path / "new" / "folder")
    again = KeywordClassifier.load(tmp_path / "new" / "folder")
    for target, rows in system.predict_proba(TITLES).items():
        np.testing.assert_array_equal(again.predict_proba(TITLES)[target], rows)
    assert again.fit_summary() == system.fit_summary()


def test_the_summary_counts_sources_and_rows_that_won(table, train):
    summary = KeywordClassifier(table).fit(train, train).fit_summary()
    assert (summary["rows"], summary["records"]) == (4, 9)
    assert summary["sources"] == {"legacy": {"rows": 3, "records": 8}, "reviewed": {"rows": 1, "records": 1}}
    assert (summary["keyword_rows"], summary["keyword_rows_that_won"]) == (3, 1)
    assert summary["keyword_rows_that_won_by_target"] == {"function": 0, "role": 1, "level": 0}


def test_predicting_before_fit_says_what_to_do(table):
    with pytest.raises(BadInput, match="learned nothing yet; call fit"):
        KeywordClassifier(table).predict_proba(["x"])


def test_loading_from_an_empty_folder_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match="No saved system"):
        KeywordClassifier.load(tmp_path)


def test_another_taxonomy_is_bad_input(table, train):
    other = Taxonomy.from_dict({"targets": {name: {"classes": {"x": []}} for name in train.taxonomy.names}})
    strange = type(train)(**{**vars(train), "taxonomy": other})
    with pytest.raises(BadInput, match="different taxonomies"):
        KeywordClassifier(table).fit(strange, strange)


def test_no_training_rows_and_a_single_class_still_give_probabilities(labelled, table_of):
    train = labelled(("x", "IT", "None", "Executive")).select(np.array([], dtype=int))
    only = Taxonomy.from_dict({"targets": {"function": {"classes": {"All": []}}}})
    system = KeywordClassifier(table_of(("x", 1, {"function": "IT"}))).fit(train, train)
    np.testing.assert_allclose(system.predict_proba(["x"])["function"][0], [0.501, 0.2495, 0.2495])
    table = type(system.table).from_frame(pd.DataFrame([{"keyword": "x", "priority": 1, "function": "All"}]), only)
    one = type(train).from_frame(pd.DataFrame({"title": ["x"], "function": ["All"]}), only, source="truth")
    assert KeywordClassifier(table).fit(one, one).predict_proba(["x", "y"])["function"].tolist() == [[1.0], [1.0]]
