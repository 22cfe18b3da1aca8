"""Answers for all targets together."""

import numpy as np
import pytest

from harness.experiment.joint_answers import (
    ALWAYS,
    ClassPairs,
    all_right,
    cooled,
    honest_titles,
    log_likelihood,
    mixed,
    mixed_where_unsure,
)


@pytest.fixture
def pairs():
    """Two targets whose classes always come in pairs."""
    codes = np.array([0, 0, 0, 1, 1, 1])
    return ClassPairs.learn({"function": codes, "role": codes}, {"function": 2, "role": 2})


def test_a_sure_target_decides_one_that_is_not(pairs):
    answers = pairs.decide({"function": np.array([[0.9, 0.1]]), "role": np.array([[0.45, 0.55]])})
    assert answers["function"].argmax() == answers["role"].argmax() == 0
    for rows in answers.values():
        np.testing.assert_allclose(rows.sum(axis=1), 1)


def test_classes_that_meet_by_chance_change_nothing_much():
    first, second = np.array([0, 0, 1, 1] * 5), np.array([0, 1] * 10)
    given = {"function": np.array([[0.7, 0.3]]), "role": np.array([[0.4, 0.6]])}
    decided = ClassPairs.learn({"function": first, "role": second}, {"function": 2, "role": 2}).decide(given)
    for target, rows in given.items():
        np.testing.assert_allclose(decided[target], rows, atol=1e-4)


def test_a_single_target_stays_as_it_is():
    rows = np.array([[0.25, 0.75], [1.0, 0.0]])
    decided = ClassPairs.learn({"function": np.array([0, 1])}, {"function": 2}).decide({"function": rows})
    np.testing.assert_allclose(decided["function"], rows, atol=1e-5)


def test_a_mixture_lies_between_its_answers():
    first, second = {"level": np.array([[0.9, 0.1]])}, {"level": np.array([[0.1, 0.9]])}
    np.testing.assert_allclose(mixed(first, second, 0.0)["level"], first["level"], atol=1e-5)
    np.testing.assert_allclose(mixed(first, second, 1.0)["level"], second["level"], atol=1e-5)
    np.testing.assert_allclose(mixed(first, second, 0.5)["level"], [[0.5, 0.5]])


def test_a_second_opinion_is_asked_for_only_where_some_target_is_in_doubt():
    own = {
        "function": np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4]]),
        "level": np.array([[0.95, 0.05], [0.8, 0.2], [0.99, 0.01]]),
    }
    asked = []

    def ask(some):
        asked.extend(some.tolist())
        return {target: np.tile([0.1, 0.9], (len(some), 1)) for target in own}

    answers = mixed_where_unsure(own, 1.0, ask, 0.85)
    assert asked == [1, 2]
    for target, rows in answers.items():
        np.testing.assert_allclose(rows, [own[target][0], [0.1, 0.9], [0.1, 0.9]], atol=1e-5)
    sure = {"level": own["level"][:1]}
    np.testing.assert_array_equal(mixed_where_unsure(sure, 1.0, ask, 0.85)["level"], sure["level"])
    assert asked == [1, 2]
    mixed_where_unsure(sure, 1.0, ask, ALWAYS)
    assert asked == [1, 2, 0]


def test_titles_that_tell_how_sure_answers_are_have_the_proportions_of_all():
    own = {"level": np.array([[0.99, 0.01], [0.6, 0.4], [0.95, 0.05], [0.7, 0.3], [0.5, 0.5], [0.6, 0.4]])}
    held = np.array([False, True, True, False, True, False])
    assert honest_titles(own, held, 0.85).tolist() == [0, 2, 1, 4, 1, 4]
    assert honest_titles(own, np.zeros(6, dtype=bool), 0.85).tolist() == [0, 2]
    assert sorted(set(honest_titles(own, held, ALWAYS).tolist())) == [1, 2, 4]


def test_a_temperature_above_one_lowers_confidence():
    cold = cooled({"level": np.array([[0.8, 0.2]])}, {"level": 2.0})["level"]
    np.testing.assert_allclose(cold, [[2 / 3, 1 / 3]])  # the square roots of 4 and 1


def test_a_title_is_right_if_all_its_targets_are():
    answers = {"function": np.array([[0.9, 0.1], [0.9, 0.1]]), "level": np.array([[0.8, 0.2], [0.2, 0.8]])}
    labels = {"function": np.array([0, 0]), "level": np.array([0, 0])}
    assert all_right(answers, labels).tolist() == [True, False]
    expected = np.log(0.9) + (np.log(0.8) + np.log(0.2)) / 2
    assert log_likelihood(answers, labels) == pytest.approx(expected, abs=1e-4)
