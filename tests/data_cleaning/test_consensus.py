import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_cleaning.consensus import (
    consensus,
    inconsistent_combinations,
    inconsistent_titles,
    learn_majority,
    noise_ceilings,
    relabelling_facts,
    single_record_share,
)
from data_cleaning.errors import BadInput

TARGETS = ("job", "grade")


def rows(*given):
    return pl.DataFrame(list(given), schema=["title", *TARGETS, "count"], orient="row")


LEADS = rows(
    ("chef", "cook", "high", 6),
    ("chef", "cook", "low", 1),
    ("chef", "nurse", "low", 1),
    ("matron", "nurse", "high", 3),
    ("matron", "cook", "high", 3),
    ("porter", "cook", "low", 1),
    ("driver", "cook", "low", 4),
)

some_leads = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from("xyz"), st.sampled_from("pq"), st.integers(1, 4)),
    min_size=1,
    max_size=20,
).map(lambda drawn: rows(*drawn))


def test_combinations_have_their_records_and_rank_within_the_title():
    listed = inconsistent_combinations(LEADS, TARGETS)
    assert listed.rows() == [
        ("chef", "cook", "high", 6, 3, 1),
        ("chef", "cook", "low", 1, 3, 2),
        ("chef", "nurse", "low", 1, 3, 2),
        ("matron", "cook", "high", 3, 2, 1),
        ("matron", "nurse", "high", 3, 2, 1),
    ]
    assert listed.columns == ["title", *TARGETS, "records", "combinations", "rank"]
    assert set(inconsistent_combinations(LEADS, TARGETS, min_records=7)["title"]) == {"chef"}


def test_every_record_is_in_one_combination():
    everything = inconsistent_combinations(pl.concat([LEADS, LEADS]), TARGETS, min_combinations=1)
    assert len(everything) == len(LEADS)
    assert everything["records"].sum() == 2 * LEADS["count"].sum()


def test_figures_of_inconsistent_titles_match_a_worked_example():
    # matron: 3 and 3 of 6; chef: 6, 1 and 1 of 8, entropy .75 * log2(4/3) + .25 * log2(8) bits.
    matron, chef = inconsistent_titles(LEADS, TARGETS).iter_rows(named=True)
    assert matron == {
        "title": "matron", "records": 6, "combinations": 2, "minority_records": 3, "variance": 0.0,
        "majority_share": 0.5, "entropy": pytest.approx(1.0),
    }  # fmt: skip
    assert chef == {
        "title": "chef", "records": 8, "combinations": 3, "minority_records": 2, "variance": pytest.approx(50 / 9),
        "majority_share": 0.75, "entropy": pytest.approx(1.0612781),
    }  # fmt: skip


def test_the_title_whose_fixing_changes_most_records_comes_first():
    leads = rows(("even", "a", "x", 2), ("even", "b", "x", 2), ("big", "a", "x", 90), ("big", "b", "x", 9))
    assert inconsistent_titles(leads, TARGETS)["title"].to_list() == ["big", "even"]
    assert inconsistent_titles(leads, TARGETS, min_records=100).is_empty()


def test_a_consistent_title_has_no_variance_and_no_entropy():
    listed = inconsistent_titles(LEADS, TARGETS, min_combinations=1).filter(pl.col("title") == "driver")
    assert listed.select("variance", "majority_share", "entropy").row(0) == (0, 1, 0)


@pytest.mark.parametrize(
    ("min_support", "statuses"),
    [
        (1, {"chef": "majority", "matron": "tie", "porter": "majority", "driver": "majority"}),
        (2, {"chef": "majority", "matron": "tie", "porter": "too few", "driver": "majority"}),
        (5, {"chef": "majority", "matron": "tie", "porter": "too few", "driver": "too few"}),
        (7, {"chef": "too few", "matron": "tie", "porter": "too few", "driver": "too few"}),
    ],
)
def test_ties_and_titles_below_the_support_are_named(min_support, statuses):
    majority = learn_majority(LEADS, TARGETS, min_support=min_support)
    assert dict(majority.labels.select("title", "status").iter_rows()) == statuses
    without = majority.labels.filter(pl.col("status") != "majority")
    assert without.select(TARGETS).null_count().row(0) == (len(without), len(without))


def test_a_majority_has_its_records_support_and_share():
    majority = learn_majority(LEADS, TARGETS)
    assert majority.labels.row(0, named=True) == {
        "title": "chef", "job": "cook", "grade": "high", "records": 8, "support": 6, "share": 0.75,
        "status": "majority",
    }  # fmt: skip


def test_relabelling_keeps_originals_order_and_other_columns():
    given = LEADS.with_columns(pl.int_range(pl.len()).alias("record"))
    relabelled = learn_majority(LEADS, TARGETS).relabel(given)
    assert relabelled.select(given.columns).drop(TARGETS).equals(given.drop(TARGETS))
    assert relabelled["original_job"].equals(given["job"], check_names=False)
    assert relabelled["original_grade"].equals(given["grade"], check_names=False)
    assert relabelled["changed"].to_list() == [False, True, True, False, False, False, False]
    assert relabelled.filter(pl.col("title") == "chef").select(TARGETS).unique().rows() == [("cook", "high")]
    assert relabelled.filter(pl.col("title") == "matron")["job"].to_list() == ["nurse", "cook"]


def test_relabelling_counts_what_it_changed_and_left():
    learned = learn_majority(LEADS.filter(pl.col("title") != "driver"), TARGETS)
    assert relabelling_facts(learned.relabel(LEADS)) == {
        "records": 19, "changed_records": 2, "changed_titles": 1, "tie_titles": 1, "tie_records": 6,
        "too_few_titles": 1, "too_few_records": 1, "unseen_titles": 1, "unseen_records": 4,
    }  # fmt: skip


def test_a_majority_learned_on_train_uses_nothing_from_test():
    train, test = rows(("chef", "cook", "low", 2)), rows(("chef", "cook", "high", 9), ("nurse", "nurse", "low", 5))
    relabelled = learn_majority(train, TARGETS).relabel(test)
    assert relabelled.select("title", *TARGETS).rows() == [("chef", "cook", "low"), ("nurse", "nurse", "low")]
    assert relabelled["majority_status"].to_list() == ["majority", "unseen"]


@given(some_leads)
def test_relabelling_is_idempotent_loses_no_record_and_never_lowers_a_ceiling(leads):
    majority = learn_majority(leads, TARGETS)
    once = majority.relabel(leads)
    assert majority.relabel(once).equals(once)
    assert once["count"].equals(leads["count"])
    before, after = noise_ceilings(leads, TARGETS), noise_ceilings(once, TARGETS)
    assert after["per record", "all"] >= before["per record", "all"]


@given(some_leads)
def test_merging_equal_records_changes_nothing(leads):
    spread = leads[[row for row, count in enumerate(leads["count"]) for _ in range(count)]]
    spread = spread.with_columns(pl.lit(1, dtype=pl.Int64).alias("count"))
    assert inconsistent_titles(spread, TARGETS).equals(inconsistent_titles(leads, TARGETS))
    assert learn_majority(spread, TARGETS).labels.equals(learn_majority(leads, TARGETS).labels)
    assert noise_ceilings(spread, TARGETS) == noise_ceilings(leads, TARGETS)
    assert single_record_share(spread) == single_record_share(leads)


def test_the_reference_leaves_out_ties_and_single_records_and_counts_them():
    agreed, left_out = consensus(LEADS, TARGETS)
    assert agreed.rows() == [("chef", "cook", "high", 8), ("driver", "cook", "low", 4)]
    assert left_out == {"single_titles": 1, "tied_titles": 1, "tied_records": 6}


def test_noise_ceilings_match_a_worked_example():
    ceilings = noise_ceilings(LEADS, TARGETS)
    # By record of 19: jobs 7 + 3 + 1 + 4, grades 6 + 6 + 1 + 4, both 6 + 3 + 1 + 4.
    assert ceilings["per record", "job"] == pytest.approx(15 / 19)
    assert ceilings["per record", "grade"] == pytest.approx(17 / 19)
    assert ceilings["per record", "all"] == pytest.approx(14 / 19)
    assert ceilings["per title", "all"] == pytest.approx((6 / 8 + 1 / 2 + 1 + 1) / 4)


def test_noise_ceilings_exist_for_raw_and_for_majority_labels():
    raw = LEADS.rename({"job": "raw_job", "grade": "raw_grade"})
    assert noise_ceilings(raw, ("raw_job", "raw_grade"))["per record", "raw_job"] == pytest.approx(15 / 19)
    relabelled = learn_majority(LEADS, TARGETS).relabel(LEADS)
    assert noise_ceilings(relabelled, TARGETS)["per record", "all"] == pytest.approx(16 / 19)


def test_only_titles_of_one_record_count_as_single():
    assert single_record_share(LEADS) == pytest.approx(1 / 19)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: inconsistent_titles(LEADS, TARGETS, min_records=0), "min_records is 0; expected a whole number"),
        (lambda: inconsistent_combinations(LEADS, TARGETS, min_combinations=0), "min_combinations is 0"),
        (lambda: learn_majority(LEADS, TARGETS, min_support=0), "min_support is 0"),
    ],
)
def test_bad_settings_are_refused_with_a_remedy(call, message):
    with pytest.raises(BadInput, match=message):
        call()
