"""Strengths of rows in pairwise conflicts, and the priorities that they ask for."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from harness.mining.strengths import (
    PairwiseConflicts,
    asked_priorities,
    find_inversions,
    find_pairwise_conflicts,
    fit_strengths,
    priorities_to_try,
)
from tests.harness.mining.by_hand import ByHand
from tests.harness.mining.drawn import random_table, random_titles
from tests.harness.mining.given_labels import TAXONOMY, certain, random_labels, table_of, weighed


def conflicts_of(wins):
    """PairwiseConflicts of made rows: (first, second) to the wins of each."""
    pairs = np.array(list(wins), dtype=np.int64).reshape(-1, 2)
    scores = np.array(list(wins.values()), dtype=np.float64).reshape(-1, 2)
    counts = scores.sum(axis=1).astype(np.int64)
    return PairwiseConflicts(
        first=pairs[:, 0], second=pairs[:, 1], titles=counts, records=counts, first_wins=scores[:, 0],
        second_wins=scores[:, 1],
    )  # fmt: skip


def conflicts_by_hand(table, labels):
    """Every two rows of each title, the one that outranks the other first: titles, records and wins of both."""
    counts = dict(zip(labels.titles, labels.records.tolist(), strict=True))
    looped = ByHand(table, counts, {})
    found = {}
    for at, title in enumerate(labels.titles):
        for target in TAXONOMY.targets:
            for pair in combinations(looped.setting(title, target.name), 2):
                codes = [target.class_index[looped.class_of(row, target.name)] for row in pair]
                if codes[0] != codes[1]:
                    weight = math.sqrt(counts[title]) * target.importance / 4
                    shares = [weight * labels.shares[target.name][at][code] for code in codes]
                    found[pair] = found.get(pair, 0) + np.array([1, counts[title], *shares])
    return found


@pytest.mark.parametrize("seed", range(6))
def test_pairwise_conflicts_equal_those_found_by_hand(seed):
    random = np.random.default_rng(seed)
    table = weighed(random_table(random, 15))
    labels = random_labels(random, weighed(random_table(random, 15)), random_titles(random, 80))
    found, expected = find_pairwise_conflicts(table, labels), conflicts_by_hand(table, labels)
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert sorted(pairs) == sorted(expected)
    figures = np.stack([found.titles, found.records, found.first_wins, found.second_wins], axis=1)
    np.testing.assert_allclose(figures, [expected[pair] for pair in pairs])


def test_a_known_order_is_found_again():
    true = np.array([2.0, 0.5, -1.0, 1.0, -2.5])
    wins = {
        (one, other): (1000 / (1 + math.exp(true[other] - true[one])), 1000 / (1 + math.exp(true[one] - true[other])))
        for one, other in combinations(range(5), 2)
    }
    strengths = fit_strengths(conflicts_of(wins), 6)
    np.testing.assert_allclose(strengths.values[:5], true, atol=0.02)
    assert strengths.has_conflicts.tolist() == [True] * 5 + [False]
    # A row without conflicts has strength 0 and no more certainty than the prior.
    assert (strengths.values[5], strengths.deviations[5]) == pytest.approx((0, 2))


def test_strengths_are_the_most_likely_under_a_normal_prior_and_the_covariance_is_laplaces():
    wins = {(0, 1): (7.0, 3.0), (1, 2): (2.0, 2.5), (0, 2): (4.0, 0.0)}
    strengths = fit_strengths(conflicts_of(wins), 3)

    def loss(values):
        lost = 0.0
        for (one, other), (won, less) in wins.items():
            ahead = values[one] - values[other]
            lost += won * math.log1p(math.exp(-ahead)) + less * math.log1p(math.exp(ahead))
        return lost + sum(value**2 for value in values) / (2 * 2.0**2)

    step = 1e-4
    shifts = np.eye(3) * step
    curvature = [
        [
            (
                loss(strengths.values + a + b) - loss(strengths.values + a - b) - loss(strengths.values - a + b)
                + loss(strengths.values - a - b)
            ) / (4 * step**2)
            for b in shifts
        ]
        for a in shifts
    ]  # fmt: skip
    slopes = [(loss(strengths.values + shift) - loss(strengths.values - shift)) / (2 * step) for shift in shifts]
    np.testing.assert_allclose(slopes, 0, atol=2e-3)
    np.testing.assert_allclose(strengths.covariance, np.linalg.inv(curvature), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(strengths.deviations, np.sqrt(np.diag(strengths.covariance)))


def test_a_keyword_that_never_loses_stays_within_reason():
    strengths = fit_strengths(conflicts_of({(0, 1): (5.0, 0.0), (0, 2): (1e6, 0.0)}), 3)
    assert 0 < strengths.values[0] < 20
    assert strengths.values[2] < strengths.values[1] < 0
    assert np.isfinite(strengths.covariance).all()


def test_more_conflicts_narrow_the_uncertainty():
    few, many = (fit_strengths(conflicts_of({(0, 1): (3.0 * n, 1.0 * n)}), 2) for n in (1, 50))
    assert (many.deviations < few.deviations).all()
    assert many.covariance[0, 0] - many.covariance[0, 1] < 0.1 * (
        few.covariance[0, 0] - few.covariance[0, 1]
    )  # conflicts determine the difference; the prior alone determines the level of both


ROWS = (
    ("chief", 1, {"level": "Executive"}),
    ("assistant", 2, {"level": "Contributor"}),
    ("head", 3, {"level": "Executive"}),
    ("nurse", 4, {"function": "Other"}),
    ("trainee", 5, {"level": "Contributor"}),
)
SHIFTS = [f"{one}{other}" for one in "abcdefg" for other in "vwxyz"]


def titles(*words, level):
    return {" ".join((shift, *words)): ("Other", level) for shift in SHIFTS}


@pytest.fixture
def upside_down():
    """Assistants of a chief are contributors, though "chief" wins; "assistant" is right to win over "head"."""
    table = table_of(*ROWS)
    labels = certain(
        titles("chief", "assistant", level="Contributor")
        | titles("head", "assistant", level="Contributor")
        | {"x trainee head": ("Other", "Contributor"), "y trainee head": ("Other", "Executive")}
        | titles("nurse", level="Contributor"),
        records={"av chief assistant": 4},
    )
    return table, labels


def test_inversions_are_found_and_only_those(upside_down):
    table, labels = upside_down
    conflicts = find_pairwise_conflicts(table, labels)
    found = find_inversions(table, conflicts, fit_strengths(conflicts, len(table)))
    assert len(found) == 1
    (pair,) = found.to_dict("records")
    deviations = pair.pop("deviations")
    assert 1.96 < deviations < 20
    assert pair == {
        **{"line": 2, "keyword": "chief", "priority": 1.0, "over_line": 3, "over": "assistant", "over_priority": 2.0},
        **{"titles": 35, "records": 38, "wins": 0.0, "losses": pytest.approx(36 / 4)},
    }


def test_inversions_are_ranked_by_records_and_measured_with_the_covariance():
    table = table_of(*ROWS)
    wins = {(0, 1): (1.0, 30.0), (2, 4): (2.0, 60.0), (1, 2): (50.0, 50.0)}
    conflicts = conflicts_of(wins)
    strengths = fit_strengths(conflicts, 5)
    found = find_inversions(table, conflicts, strengths)
    assert list(zip(found["keyword"], found["over"], strict=True)) == [("head", "trainee"), ("chief", "assistant")]
    for pair, deviations in zip([(2, 4), (0, 1)], found["deviations"], strict=True):
        contrast = np.zeros(5)
        contrast[list(pair)] = -1, 1
        variance = contrast @ strengths.covariance @ contrast
        assert deviations == pytest.approx(contrast @ strengths.values / math.sqrt(variance))


@pytest.mark.parametrize(
    ("wins", "inverted"),
    [
        ({(0, 1): (1.0, 3.0)}, []),  # as chance may have it
        ({(0, 1): (10.0, 30.0)}, ["chief"]),
        # Weaker by what third rows say, but right where the two conflict.
        ({(0, 1): (3.0, 2.0), (1, 2): (60.0, 0.0), (3, 0): (60.0, 0.0), (2, 3): (30.0, 30.0)}, []),
    ],
)
def test_an_inversion_is_more_than_chance_and_seen_where_the_two_conflict(wins, inverted):
    conflicts = conflicts_of(wins)
    strengths = fit_strengths(conflicts, 5)
    assert strengths.values[0] < strengths.values[1]
    assert find_inversions(table_of(*ROWS), conflicts, strengths)["keyword"].tolist() == inverted


def test_rows_in_the_wrong_order_ask_for_a_mean_priority_weighted_by_certainty():
    strengths = fit_strengths(conflicts_of({(0, 1): (2.0, 8.0), (1, 4): (50.0, 1.0)}), 5)
    asked = asked_priorities(table_of(*ROWS), strengths)["asked"].tolist()
    sureness = 1 / strengths.deviations**2
    assert sureness[0] != pytest.approx(sureness[1])
    between = (1 * sureness[0] + 2 * sureness[1]) / (sureness[0] + sureness[1])
    assert [asked[0], asked[1], asked[4]] == pytest.approx([between, between, 5])


def test_the_stronger_a_row_the_lower_the_priority_that_it_asks_for(upside_down):
    table, labels = upside_down
    asked = asked_priorities(table, fit_strengths(find_pairwise_conflicts(table, labels), len(table)))
    assert asked[["line", "keyword", "priority"]].equals(table.rows[["line", "keyword", "priority"]])
    by_strength = asked.dropna().sort_values("strength", ascending=False)
    assert by_strength["keyword"].iloc[0] == "assistant"
    assert by_strength["asked"].is_monotonic_increasing
    assert by_strength["asked"].iloc[0] < by_strength["asked"].iloc[-1]
    assert (by_strength["asked_low"] <= by_strength["asked"]).all()
    assert (by_strength["asked"] <= by_strength["asked_high"]).all()
    assert by_strength["asked"].between(1, 5).all()
    # "nurse" has no conflicts and keeps its priority.
    assert asked.set_index("keyword").loc["nurse", ["asked", "asked_low", "asked_high"]].isna().all()
    assert asked["asked"].notna().sum() == 4


def test_rows_that_are_where_their_strength_puts_them_ask_for_their_own_priority():
    wins = {(0, 1): (90.0, 10.0), (1, 2): (90.0, 10.0), (2, 3): (90.0, 10.0), (3, 4): (90.0, 10.0)}
    asked = asked_priorities(table_of(*ROWS), fit_strengths(conflicts_of(wins), 5))
    assert asked["asked"].tolist() == pytest.approx([1, 2, 3, 4, 5])


@pytest.mark.parametrize("words", [["nobody"], ["nurse", "chief"]])
def test_rows_without_conflicts_ask_for_no_priority(words):
    table = table_of(*ROWS)
    conflicts = find_pairwise_conflicts(table, certain({word: ("Other", "Executive") for word in words}))
    strengths = fit_strengths(conflicts, len(table))
    assert (strengths.values.tolist(), strengths.has_conflicts.any()) == ([0.0] * 5, False)
    assert asked_priorities(table, strengths)[["asked", "asked_low", "asked_high"]].isna().all(axis=None)
    assert len(find_inversions(table, conflicts, strengths)) == 0


def test_rows_that_conflict_where_both_are_wrong_ask_for_no_priority():
    table = table_of(("chief", 1, {"function": "IT"}), ("nurse", 2, {"function": "Cyber"}))
    conflicts = find_pairwise_conflicts(table, certain({"chief nurse": ("Other", "Executive")}))
    assert (conflicts.titles.tolist(), conflicts.first_wins.tolist()) == ([1], [0.0])
    assert not fit_strengths(conflicts, 2).has_conflicts.any()


def test_priorities_to_try_are_the_tables_own_within_the_interval_the_nearest_first():
    asked = pd.DataFrame(
        {
            "priority": [5.0, 1.0, 7.0, 3.0],
            "asked_low": [2.0, 1.0, np.nan, 3.5],
            "asked_high": [9.0, 1.9, np.nan, 3.9],
        }
    )
    levels = np.array([1.0, 2.0, 3.0, 4.5, 5.0, 9.0, 20.0])
    assert priorities_to_try(asked, levels) == {0: [4.5, 3.0, 2.0, 9.0]}
