import math

import numpy as np
import polars as pl
import pytest

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.scoring.disagreements import LABEL_SUSPECT, OPEN, SYSTEM_SUSPECT, rank_errors, three_way

TAXONOMY = Taxonomy.from_dict(
    {
        "targets": {
            "job": {"importance": 3, "classes": {"cook": [], "nurse": [], "guard": []}},
            "grade": {"importance": 1, "classes": {"high": [], "low": []}},
        }
    }
)
TITLES = np.array(["chef", "matron", "porter"], dtype=object)


def answering(*jobs, confidence=0.8):
    """Every title is of high grade for sure, and has the job given, with a certain confidence."""
    job = np.full((3, 3), (1 - confidence) / 2)
    job[np.arange(3), [TAXONOMY["job"].class_index[name] for name in jobs]] = confidence
    return Predictions(
        taxonomy=TAXONOMY, titles=TITLES, probabilities={"job": job, "grade": np.tile([1.0, 0.0], (3, 1))}
    )


def labelled(*rows):
    columns = ["reference", "title", "job", "grade", "records"]
    return pl.DataFrame(list(rows), schema=columns, orient="row").with_columns(history=pl.lit("new"))


ROWS = labelled(
    ("legacy", "chef", "cook", "high", 5),
    ("legacy", "chef", "guard", "high", 2),
    ("legacy", "matron", "cook", "high", 3),
    ("legacy", "porter", "guard", "high", 1),
    ("reviewed", "matron", "nurse", "high", 1),
)
ANSWERS = {
    "floor": answering("cook", "cook", "cook"),
    "first": answering("cook", "nurse", "nurse"),
    "second": answering("cook", "nurse", "guard"),
    "third": answering("nurse", "nurse", "guard", confidence=0.9),
}
VOTERS = ("first", "second", "third")


def test_an_error_is_marked_by_what_most_other_systems_say():
    found = rank_errors(ROWS, ANSWERS, VOTERS, max_rows=10)
    of_first = found[found["system"] == "first"].set_index(["title", "label"])
    assert set(of_first.index) == {
        ("chef", "guard; high"),
        ("matron", "cook; high"),
        ("porter", "guard; high"),
    }
    # Both others call the matron a nurse, and both the porter a guard; of the chef one says cook and one nurse.
    assert of_first.loc[("matron", "cook; high"), ["for_label", "for_answer", "mark"]].tolist() == [
        0,
        2,
        LABEL_SUSPECT,
    ]
    assert of_first.loc[("porter", "guard; high"), ["for_label", "for_answer", "mark"]].tolist() == [
        2,
        0,
        SYSTEM_SUSPECT,
    ]
    assert of_first.loc[("chef", "guard; high"), ["for_label", "for_answer", "mark"]].tolist() == [0, 1, OPEN]
    assert of_first.loc[("matron", "cook; high"), "known"] == "nurse; high"
    assert of_first.loc[("porter", "guard; high"), "known"] == ""


def test_the_label_with_the_least_chance_comes_first_and_then_that_of_most_records():
    found = rank_errors(ROWS, ANSWERS, VOTERS, max_rows=10)
    of_third = found[found["system"] == "third"]
    assert of_third["loss"].tolist() == pytest.approx([-0.75 * math.log(0.05)] * 3)
    assert of_third["records"].tolist() == [5, 3, 2]
    assert len(rank_errors(ROWS, ANSWERS, VOTERS, max_rows=2)) == 8


def test_without_other_systems_every_error_is_open():
    found = rank_errors(ROWS, {"first": ANSWERS["first"]}, ("first",), max_rows=10)
    assert set(found["mark"]) == {OPEN}


def test_records_are_counted_by_who_contradicts_what_is_known():
    truth = labelled(
        ("truth", "chef", "cook", "high", 7),
        ("truth", "matron", "nurse", "high", 3),
        ("truth", "porter", "cook", "high", 1),
    )
    counted = three_way(pl.concat([ROWS, truth]), ANSWERS).set_index("system")
    assert set(counted["known"]) == {"truth"}, "which goes before what a person says"
    assert counted[["titles", "records"]].to_numpy().tolist() == [[3, 11]] * 4
    columns = ["all_agree", "label_wrong", "system_wrong", "both_wrong_alike", "all_differ"]
    # "first": chef right on 5 and 2; the matron's label is wrong; of the porter everybody says another job.
    assert counted.loc["first", columns].tolist() == [5, 2 + 3, 0, 0, 1]
    assert counted.loc["second", columns].tolist() == [5, 2 + 3, 0, 1, 0]
    assert counted.loc["third", columns].tolist() == [0, 3, 5, 1, 2]
    assert counted.loc["floor", columns].tolist() == [5, 2 + 1, 0, 3, 0]
    assert (counted[columns].sum(axis=1) == counted["records"]).all()


def test_reviewed_titles_count_where_the_truth_is_not_known():
    counted = three_way(ROWS, ANSWERS)
    assert set(counted["known"]) == {"reviewed"}
    assert set(counted["records"]) == {3}
    porter = labelled(("truth", "porter", "cook", "high", 1))
    assert set(three_way(pl.concat([ROWS, porter]), ANSWERS)["known"]) == {"truth or reviewed"}
    assert set(three_way(pl.concat([ROWS, porter]), ANSWERS)["records"]) == {4}
    assert three_way(ROWS.filter(pl.col("reference") == "legacy"), ANSWERS) is None
