import numpy as np
import polars as pl
import pytest

from data_cleaning.consensus import learn_majority
from data_cleaning.label_issues import label_issue_scores, score_fixes, suspect_labels
from data_cleaning.taxonomy import Taxonomy

TAXONOMY = Taxonomy.from_dict(
    {
        "targets": {
            "job": {"classes": {"cook": [], "nurse": [], "porter": []}},
            "grade": {"classes": {"high": [], "low": []}},
        }
    }
)


def rows(*given):
    return pl.DataFrame(list(given), schema=["title", "job", "grade", "count"], orient="row")


LEADS = rows(
    ("chef", "cook", "high", 8),
    ("chef", "nurse", "high", 2),
    ("matron", "nurse", "high", 9),
    ("kitchen porter", "cook", "high", 3),
    ("kitchen porter", "porter", "high", 1),
)
PROBABILITIES = {
    "job": np.array([[0.9, 0.1, 0], [0.85, 0.15, 0], [0.05, 0.9, 0.05], [0.7, 0, 0.3], [0.6, 0, 0.4]]),
    "grade": np.tile([1.0, 0.0], (5, 1)),
}


@pytest.mark.parametrize("filter_by", ["prune_by_noise_rate", "predicted_neq_given"])
def test_a_label_with_low_probability_is_an_issue(filter_by):
    scored = label_issue_scores(LEADS, PROBABILITIES, TAXONOMY, filter_by=filter_by)
    assert scored.select(LEADS.columns).equals(LEADS)
    assert scored["quality_job"].to_list() == [0.9, 0.15, 0.9, 0.7, 0.4]
    assert scored["suggested_job"].to_list() == ["cook", "cook", "nurse", "cook", "cook"]
    assert scored["issue_job"].to_list()[:4] == [False, True, False, False]


def test_the_likeliest_class_finds_more_issues_than_the_estimated_share():
    # One porter is too little evidence, yet cook is likelier.
    by_share = label_issue_scores(LEADS, PROBABILITIES, TAXONOMY)["issue_job"].to_list()
    by_class = label_issue_scores(LEADS, PROBABILITIES, TAXONOMY, filter_by="predicted_neq_given")
    assert (by_share[4], by_class["issue_job"].to_list()[4]) == (False, True)


def test_a_row_counts_as_its_number_of_records():
    generator = np.random.default_rng(3)
    truth = generator.integers(3, size=200)
    wrong = generator.random(200) < 0.2
    given = np.where(wrong, (truth + 1) % 3, truth)
    sure = 0.5 + 0.5 * generator.random(200)
    probabilities = {
        "job": np.eye(3)[truth] * sure[:, None] + (1 - sure[:, None]) / 3,
        "grade": np.tile([0.5, 0.5], (200, 1)),
    }
    counts = generator.integers(1, 6, size=200)
    merged = pl.DataFrame(
        {
            "title": [f"title {row}" for row in range(200)],
            "job": np.array(["cook", "nurse", "porter"])[given],
            "grade": np.where(generator.random(200) < 0.5, "high", "low"),
            "count": counts,
        }
    )
    repeat = np.repeat(np.arange(200), counts)
    spread = merged[repeat].with_columns(pl.lit(1).alias("count"))
    of_rows = label_issue_scores(merged, probabilities, TAXONOMY)
    of_records = label_issue_scores(spread, {name: rows[repeat] for name, rows in probabilities.items()}, TAXONOMY)
    assert 20 < of_rows["issue_job"].sum() < 60
    assert of_rows["quality_job"].gather(repeat).equals(of_records["quality_job"])
    differ = of_rows["issue_job"].gather(repeat) != of_records["issue_job"]
    assert differ.sum() <= 2 * 6  # a cut within a row, for each pair of classes
    as_if_single = label_issue_scores(merged.with_columns(pl.lit(1).alias("count")), probabilities, TAXONOMY)
    assert not as_if_single["issue_job"].equals(of_rows["issue_job"])


def test_a_target_whose_records_agree_has_no_issue():
    assert not label_issue_scores(LEADS, PROBABILITIES, TAXONOMY)["issue_grade"].any()


def test_probabilities_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"'job' have shape \(5, 2\); expected \(5, 3\)"):
        label_issue_scores(LEADS, {**PROBABILITIES, "job": np.ones((5, 2))}, TAXONOMY)


def test_suspect_labels_are_listed_with_the_majority_of_their_title():
    scored = label_issue_scores(LEADS, PROBABILITIES, TAXONOMY, filter_by="predicted_neq_given")
    listed = suspect_labels(scored, learn_majority(LEADS, TAXONOMY.names, min_support=4))
    assert listed.rows() == [
        ("job", "chef", "nurse", "cook", 2, 0.15, "cook", "majority"),
        ("job", "kitchen porter", "porter", "cook", 1, 0.4, None, "too few"),
    ]


def test_scores_of_fixes_match_a_worked_example():
    records = pl.DataFrame(
        [
            ("a", "a", "a", "table", 10),
            ("a", "a", "b", "table", 2),
            ("b", "a", "a", "table", 3),
            ("b", "a", "c", "override", 1),
            ("b", "a", "b", "override", 4),
        ],
        schema=["recorded", "truth", "fixed", "cause", "count"],
        orient="row",
    )
    overall, table, override = score_fixes(records).iter_rows(named=True)
    assert overall == {
        "cause": "all causes", "records": 20, "corrupted": 8, "found": 4 / 8, "set_right": 3 / 8,
        "wrongly_changed": 2 / 12, "right_before": 12 / 20, "right_after": 13 / 20,
    }  # fmt: skip
    assert table == {
        "cause": "table", "records": 15, "corrupted": 3, "found": 1, "set_right": 1,
        "wrongly_changed": 2 / 12, "right_before": 12 / 15, "right_after": 13 / 15,
    }  # fmt: skip
    assert override == {
        "cause": "override", "records": 5, "corrupted": 5, "found": 1 / 5, "set_right": 0,
        "wrongly_changed": None, "right_before": 0, "right_after": 0,
    }  # fmt: skip
