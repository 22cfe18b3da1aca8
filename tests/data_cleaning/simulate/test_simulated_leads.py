"""Simulated leads: titles with a truth, and a history of labels."""

import pandas as pd
import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.simulate.simulated_leads import simulate_leads
from data_cleaning.simulate.word_lists import PLANTED
from tests.data_cleaning.simulate.toy_history import CLASSES, simulate, toy_revisions, toy_taxonomy


def test_same_seed_gives_same_leads_and_another_seed_others():
    first, again, other = simulate(3000, 5), simulate(3000, 5), simulate(3000, 6)
    assert first.leads.equals(again.leads)
    assert first.truth.equals(again.truth)
    assert not first.leads.equals(other.leads)


def test_one_row_of_truth_per_lead_in_the_same_order(simulated):
    assert simulated.leads.columns == ["Record", "Title", "Job Function", "Job Role", "Job Level", "Country", "Date"]
    assert simulated.truth.columns == [
        *("Record", "title", "function", "role", "level", "persona", "planted", "revision"),
        *("cause_function", "cause_role", "cause_level"),
    ]
    assert simulated.leads["Record"].to_list() == list(range(1, 60_001)) == simulated.truth["Record"].to_list()
    given = simulated.leads["Title"].is_not_null()
    assert simulated.leads.filter(given)["Title"].equals(simulated.truth.filter(given)["title"], check_names=False)


def test_truth_is_a_function_of_the_title(simulated):
    meanings = simulated.truth.group_by("title").agg(pl.struct("function", "role", "level").n_unique().alias("n"))
    assert meanings["n"].max() == 1


def test_every_class_of_every_target_occurs(simulated):
    for target, classes in CLASSES.items():
        assert set(simulated.truth[target]) == set(classes)


def test_missing_shares_are_those_of_the_settings(simulated):
    leads = simulated.leads
    labels = ["Job Function", "Job Role", "Job Level"]
    assert leads["Title"].is_null().mean() == pytest.approx(0.03, abs=0.004)
    assert leads.select(pl.any_horizontal(pl.col(labels).is_null()).mean()).item() == pytest.approx(0.07, abs=0.005)
    any_missing = leads.select(pl.any_horizontal(pl.col("Title", *labels).is_null()).mean()).item()
    assert 0.07 < any_missing < 0.078
    bare = leads.filter(pl.col("Title").is_null())
    assert bare.select(pl.all_horizontal(pl.col(labels).is_null()).mean()).item() > 0.9


def test_planted_words_are_frequent_and_keep_their_truth(simulated):
    truth = simulated.truth.filter(pl.col("planted").is_not_null())
    assert 0.05 < len(truth) / 60_000 < 0.08
    counts = dict(truth["planted"].value_counts().iter_rows())
    assert set(counts) == set(PLANTED)
    assert sum(count >= 20 for count in counts.values()) >= len(PLANTED) - 2
    for word, meaning in PLANTED.items():
        rows = truth.filter(pl.col("planted") == word)
        for target, name in meaning.items():
            assert set(rows[target]) == {name}


def real_titles():
    return pd.DataFrame({"title": ["Security Engineer", "IT Manager", "Florist", "N/A"], "count": [4000, 900, 99, 1]})


def test_real_titles_keep_their_counts_and_are_never_blank():
    simulated = simulate(1, titles=real_titles())
    counts = dict(simulated.leads["Title"].value_counts().iter_rows())
    assert counts == dict(zip(real_titles()["title"], real_titles()["count"], strict=True))
    assert simulated.truth.columns == ["Record", "title", "revision", "cause_function", "cause_role", "cause_level"]
    assert set(simulated.truth["cause_role"]) == {"table right", "override", "source habit", "blank"}


def test_real_titles_work_with_other_targets():
    taxonomy = toy_taxonomy(("role", "level"))
    simulated = simulate_leads(
        n_records=0, seed=1, taxonomy=taxonomy, revisions=toy_revisions(("role", "level")), titles=real_titles(),
        columns={"role": "Specialism"},
    )  # fmt: skip
    assert simulated.leads.columns == ["Record", "Title", "Specialism", "level", "Country", "Date"]
    assert set(simulated.leads["Specialism"].drop_nulls()) <= set(CLASSES["role"])


def test_the_grammar_refuses_targets_that_it_does_not_know():
    with pytest.raises(BadInput, match="give a list of titles"):
        simulate(100, taxonomy=toy_taxonomy(("role", "level")))


@pytest.mark.parametrize(
    ("titles", "message"),
    [
        (pd.DataFrame({"title": ["CEO"]}), "'title' and 'count'"),
        (pd.DataFrame({"title": ["CEO", "CEO"], "count": [1, 2]}), r"occur more than once: 'CEO' in row 2\."),
        (pd.DataFrame({"title": ["CEO", " "], "count": [1, 2]}), r"no title in row 2\."),
        (pd.DataFrame({"title": ["CIO", "CEO"], "count": [1, 0]}), "whole counts of at least 1; got 'CEO' in row 2: 0"),
        (pd.DataFrame({"title": ["CEO"], "count": [10**14]}), "counts 100,000,000,000,000 records in all.*'CEO'"),
        (pd.DataFrame({"title": ["CEO"], "count": [1.5]}), "whole counts"),
    ],
)
def test_a_faulty_list_of_titles_is_named(titles, message):
    with pytest.raises(BadInput, match=message):
        simulate(1, titles=titles)


def test_progress_reaches_its_end():
    seen = []
    simulate(100, progress=lambda step, done, total, unit="titles": seen.append((step, done, total)))
    assert {step for step, done, total in seen if done == total} == {"writing titles", "tagging titles"}
