"""What is believed about titles: the share of their records, the network's word, a reviewer's above both."""

import numpy as np
import polars as pl
import pytest

from harness.mining.beliefs import beliefs_of
from tests.harness.mining.believed import TAXONOMY

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
    return beliefs_of(ROWS, TAXONOMY, None)


def test_titles_are_distinct_sorted_and_know_their_records(recorded):
    assert recorded.titles.tolist() == ["Analyst", "ciso", "cook", "pilot"]
    assert len(recorded) == 4
    # Records are those of the leads; a title that only a person has seen stands for one.
    assert recorded.records.tolist() == [4, 9, 4, 1]
    assert recorded.weights.tolist() == [2, 3, 2, 1]
    assert recorded.reviewed.tolist() == [False, True, False, True]


def test_records_are_believed_by_their_share_and_reviewers_alone(recorded):
    assert recorded.shares["function"].tolist() == [[0, 1, 0], [0, 1, 0], [0.75, 0, 0.25], [0.5, 0, 0.5]]
    assert recorded.shares["level"].tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]
    assert recorded.verdicts("function").tolist() == [1, 1, 0, 0]


def test_a_network_is_believed_where_nobody_reviewed():
    heard = beliefs_of(ROWS, TAXONOMY, ANSWERS)
    assert heard.shares["function"].tolist() == [[0.5, 0.3, 0.2], [0, 1, 0], [0.6, 0.3, 0.1], [0.5, 0, 0.5]]
    assert heard.shares["level"].tolist() == [[0.4, 0.6], [1, 0], [0.3, 0.7], [0, 1]]
    assert heard.records.tolist() == [4, 9, 4, 1]


@pytest.mark.parametrize("chosen", [np.array([False, False, True, True]), np.array([2, 3])])
def test_some_titles_are_selected_by_mask_or_position(recorded, chosen):
    some = recorded.select(chosen)
    assert some.titles.tolist() == ["cook", "pilot"]
    assert (some.records.tolist(), some.reviewed.tolist()) == ([4, 1], [False, True])
    assert some.shares["function"].tolist() == [[0.75, 0, 0.25], [0.5, 0, 0.5]]


def test_no_rows_are_no_titles():
    nothing = beliefs_of(ROWS.head(0), TAXONOMY, None)
    assert len(nothing) == 0
    assert nothing.shares["function"].shape == (0, 3)
