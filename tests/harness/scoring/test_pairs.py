import numpy as np
import polars as pl
import pytest

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.scoring.pairs import AHEAD, BEHIND, TIE, TOO_FEW, compare_rows, every_pair

TAXONOMY = Taxonomy.from_dict({"targets": {"job": {"classes": {"cook": [], "nurse": []}}}})


def titles_and_answers(right, records=None):
    """One cook per title; systems by name, each with the titles that it gets right."""
    n_titles = len(next(iter(right.values())))
    titles = [f"title {number}" for number in range(n_titles)]
    counts = [1] * n_titles if records is None else records
    rows = pl.DataFrame({"reference": "truth", "title": titles, "job": "cook", "records": counts, "history": "new"})
    answers = {}
    for name, is_right in right.items():
        given = {"job": np.eye(2)[1 - np.asarray(is_right, dtype=int)]}
        answers[name] = Predictions(taxonomy=TAXONOMY, titles=np.array(titles, dtype=object), probabilities=given)
    return rows, answers


def of_all(frame, weighting="per record"):
    return frame.query("target == 'all' and weighting == @weighting").set_index(["compared", "baseline"])


def first(n_right, n_titles=100):
    return np.arange(n_titles) < n_right


def test_a_pair_of_a_hand_worked_example():
    # Of 100 titles "new" is right on 90; "old" on 85 of these and on 1 other.
    old = first(85) | (np.arange(100) == 95)
    rows, answers = titles_and_answers({"new": first(90), "old": old}, records=[2] * 50 + [1] * 50)
    found = of_all(compare_rows(rows, answers, [("new", "old")], seed=1)).loc[("new", "old")]
    assert found["difference"] == pytest.approx((5 - 1) / 150)
    assert (found["better"], found["worse"]) == (5, 1)
    assert found["p_value"] == pytest.approx(2 * (6 + 1) / 2**6)  # two tails of 6 tosses of a coin
    assert found["p_holm"] == found["p_value"]
    assert found["low"] < found["difference"] < found["high"]
    assert found["verdict"] == TIE


def test_a_clear_lead_is_seen_from_both_sides():
    rows, answers = titles_and_answers({"good": first(90), "bad": first(50)})
    found = of_all(compare_rows(rows, answers, [("good", "bad"), ("bad", "good")], seed=1))
    assert found["verdict"].tolist() == [AHEAD, BEHIND]
    assert found["difference"].tolist() == pytest.approx([0.4, -0.4])


def test_one_title_with_most_records_is_no_lead():
    records = [1000] + [1] * 99
    rows, answers = titles_and_answers({"lucky": first(100), "other": np.arange(100) > 0}, records)
    found = of_all(compare_rows(rows, answers, [("lucky", "other")], seed=1))
    assert found["difference"].item() > 0.9
    assert found["verdict"].item() == TIE


def test_many_pairs_need_a_clearer_lead_than_one():
    right = {"first": first(50), "second": first(57)}
    rows, answers = titles_and_answers({**right, **{f"other {n}": first(57 + n) for n in range(5)}})
    alone = of_all(compare_rows(rows, answers, [("second", "first")], seed=1))
    assert alone["verdict"].item() == AHEAD
    pairs = every_pair(list(answers), "first")
    found = of_all(compare_rows(rows, answers, pairs, seed=1))
    assert len(found) == 7 * 6 / 2
    assert found.loc[("second", "first"), "p_value"] == alone["p_value"].item()
    assert found.loc[("second", "first"), "verdict"] == TIE


def test_too_few_titles_give_no_verdict():
    rows, answers = titles_and_answers({"good": first(10, 10), "bad": first(0, 10)})
    found = of_all(compare_rows(rows, answers, [("good", "bad")], seed=1))
    assert found["verdict"].item() == TOO_FEW
    assert np.isnan(found["low"].item())


def test_equally_good_systems_are_a_tie_in_at_least_95_of_100_simulations():
    rng = np.random.default_rng(17)
    n_ties = 0
    for number in range(100):
        records = rng.geometric(0.4, size=400)
        rows, answers = titles_and_answers({"a": rng.random(400) < 0.8, "b": rng.random(400) < 0.8}, records)
        found = of_all(compare_rows(rows, answers, [("a", "b")], seed=number))
        n_ties += found["verdict"].item() == TIE
    assert n_ties >= 95


def test_every_pair_is_listed_once_and_the_baseline_is_what_is_to_be_beaten():
    assert every_pair(["floor", "table", "new"], "table") == [("floor", "table"), ("new", "table"), ("new", "floor")]
