"""Soft labels: the share of the records, the prediction of a network, and a reviewer before both."""

import numpy as np
import polars as pl
import pytest

from harness.mining.title_labels import label_titles
from tests.harness.mining.given_labels import TAXONOMY

ROWS = pl.DataFrame(
    [
        ("cook", "legacy", "IT", "Contributor", 3),
        ("cook", "legacy", "Other", "Contributor", 1),
        ("Analyst", "consensus", "Security", "Executive", 4),
        ("ciso", "legacy", "Other", "Contributor", 9),
        ("ciso", "reviewed", "Security", "Executive", 1),
        ("pilot", "reviewed", "Other", "Contributor", 1),
        ("pilot", "reviewed", "IT", "Contributor", 1),
    ],
    schema=["title", "source", "function", "level", "count"],
    orient="row",
)
ANSWERS = {
    "function": np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.6, 0.3, 0.1], [0.2, 0.5, 0.3]]),
    "level": np.array([[0.4, 0.6], [0.9, 0.1], [0.3, 0.7], [0.8, 0.2]]),
}
"""For Analyst, ciso, cook and pilot."""


@pytest.fixture
def recorded():
    return label_titles(ROWS, TAXONOMY, None)


def test_titles_are_distinct_sorted_and_know_their_records(recorded):
    assert recorded.titles.tolist() == ["Analyst", "ciso", "cook", "pilot"]
    assert len(recorded) == 4
    # Records are those of the leads; a title that is only reviewed counts as one.
    assert recorded.records.tolist() == [4, 9, 4, 1]
    assert recorded.weights.tolist() == [2, 3, 2, 1]
    assert recorded.reviewed.tolist() == [False, True, False, True]


def test_recorded_labels_are_shares_and_reviewed_titles_have_only_the_reviewers_labels(recorded):
    assert recorded.shares["function"].tolist() == [[0, 1, 0], [0, 1, 0], [0.75, 0, 0.25], [0.5, 0, 0.5]]
    assert recorded.shares["level"].tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]
    assert recorded.top_classes("function").tolist() == [1, 1, 0, 0]


def test_predictions_label_the_titles_that_nobody_reviewed():
    predicted = label_titles(ROWS, TAXONOMY, ANSWERS)
    assert predicted.shares["function"].tolist() == [[0.5, 0.3, 0.2], [0, 1, 0], [0.6, 0.3, 0.1], [0.5, 0, 0.5]]
    assert predicted.shares["level"].tolist() == [[0.4, 0.6], [1, 0], [0.3, 0.7], [0, 1]]
    assert predicted.records.tolist() == [4, 9, 4, 1]


@pytest.mark.parametrize("chosen", [np.array([False, False, True, True]), np.array([2, 3])])
def test_some_titles_are_selected_by_mask_or_position(recorded, chosen):
    some = recorded.select(chosen)
    assert some.titles.tolist() == ["cook", "pilot"]
    assert (some.records.tolist(), some.reviewed.tolist()) == ([4, 1], [False, True])
    assert some.shares["function"].tolist() == [[0.75, 0, 0.25], [0.5, 0, 0.5]]


def test_no_rows_are_no_titles():
    nothing = label_titles(ROWS.head(0), TAXONOMY, None)
    assert len(nothing) == 0
    assert nothing.shares["function"].shape == (0, 3)
