import numpy as np
import polars as pl
import pytest

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.scoring.slices import rank_slices, score_slices, title_slices

TAXONOMY = Taxonomy.from_dict(
    {"targets": {"job": {"classes": {"cook": [], "nurse": []}}, "grade": {"classes": {"high": [], "low": []}}}}
)
TRAIN = pl.Series(["Ward Nurse", "Ward Nurse Lead", "Ward Nurse Senior", "ICU Nurse", "Chief of ICU Ward", "Cook"])


def values(slices, name):
    return dict(slices.filter(pl.col("slice") == name).select("title", "value").iter_rows())


def test_titles_are_sorted_by_what_train_has_of_them():
    titles = pl.Series(["Ward Nurse", "nurse, ward", "Ward Cook", "Ward Gardener"])
    slices = title_slices(titles, TRAIN)
    assert list(values(slices, "in train").values()) == ["as it is", "in another spelling", "no", "no"]
    assert list(values(slices, "rarest word").values()) == [
        "in 3 and more titles of train",
        "in 3 and more titles of train",
        "in 1 or 2 titles of train",
        "new",
    ]


def test_titles_are_sorted_by_length_and_an_acronym_counts_in_any_case():
    titles = pl.Series(["icu", "ICU Nurse", "WARD NURSE", "One Two Three Four Five Six"])
    slices = title_slices(titles, TRAIN)
    assert list(values(slices, "words").values()) == ["1", "2", "2", "5 and more"]
    assert list(values(slices, "acronym").values()) == ["yes", "yes", "no", "no"]


def test_every_title_is_in_one_value_of_every_slice():
    titles = pl.Series(["&", "", "Ward Nurse", "看護師"])
    slices = title_slices(titles, TRAIN)
    assert slices.group_by("slice").len()["len"].to_list() == [4] * 4


def test_titles_are_sorted_by_the_ranks_that_keywords_name():
    contenders = np.array([[False, False, False], [True, False, False], [True, True, True]])
    slices = rank_slices(pl.Series(["a", "b", "c"]), "level", contenders)
    assert values(slices, "classes of level named") == {"a": "none", "b": "one", "c": "several"}


def rows_and_answers():
    """Two titles; the chef's job is always right, and the grade is low in a quarter of the recorded labels."""
    rows = pl.DataFrame(
        [
            ("truth", "chef", "cook", "high", 4),
            ("truth", "matron", "nurse", "high", 2),
            ("legacy", "chef", "cook", "high", 3),
            ("legacy", "chef", "cook", "low", 1),
            ("legacy", "matron", "cook", "high", 2),
        ],
        schema=["reference", "title", "job", "grade", "records"],
        orient="row",
    )
    probabilities = {"job": np.array([[1.0, 0], [0, 1]]), "grade": np.array([[1.0, 0], [0, 1]])}
    titles = np.array(["chef", "matron"], dtype=object)
    return rows, Predictions(taxonomy=TAXONOMY, titles=titles, probabilities=probabilities)


def slices_of(*given):
    texts = dict.fromkeys(("title", "job", "grade", "slice", "value", "target"), pl.String)
    return pl.DataFrame(list(given), schema={**texts, "records": pl.Int64}, orient="row")


def test_a_slice_of_titles_holds_all_their_records():
    slices = slices_of(
        ("chef", None, None, "words", "1", "all", 1),
        ("matron", None, None, "words", "1", "all", 1),
        ("matron", None, None, "rare", "yes", "job", 1),
    )
    found = score_slices(*rows_and_answers(), slices, seed=0).set_index(["reference", "slice", "value"])
    assert found.loc[("truth", "words", "1"), ["titles", "records"]].tolist() == [2, 6]
    assert found.loc[("truth", "words", "1"), "accuracy"] == pytest.approx(4 / 6)
    assert found.loc[("legacy", "words", "1"), "accuracy"] == pytest.approx(3 / 6)
    assert found.loc[("truth", "rare", "yes"), "accuracy"] == 1.0, "of the target job alone"
    assert found["low"].isna().all(), "too few titles"


def test_records_of_a_title_are_divided_among_the_values_of_a_slice():
    # Of the chef's records those of high grade are old and the one of low grade is new.
    slices = slices_of(
        ("chef", "cook", "high", "year", "2021", "all", 30),
        ("chef", "cook", "low", "year", "2023", "all", 10),
        ("matron", "cook", "high", "year", "2021", "all", 1),
        ("matron", "cook", "high", "year", "2023", "all", 1),
    )
    found = score_slices(*rows_and_answers(), slices, seed=0).set_index(["reference", "value"])
    assert found.loc[("legacy", "2021"), "records"] == 4
    assert found.loc[("legacy", "2021"), "accuracy"] == pytest.approx(3 / 4)
    assert found.loc[("legacy", "2023"), "accuracy"] == pytest.approx(0 / 2)
    # Against the truth only the title counts: three quarters of the chef's records, and half of the matron's.
    assert found.loc[("truth", "2021"), "accuracy"] == pytest.approx(3 / 4)
    assert found.loc[("truth", "2023"), "accuracy"] == pytest.approx(1 / 2)


def test_a_slice_of_many_titles_has_an_interval_around_its_accuracy():
    titles = [f"title {number}" for number in range(60)]
    rows = pl.DataFrame({"reference": "truth", "title": titles, "job": "cook", "grade": "high", "records": 2})
    right = np.arange(60) % 3 > 0
    job = np.column_stack([right, ~right]).astype(float)
    predictions = Predictions(
        taxonomy=TAXONOMY,
        titles=np.array(titles, dtype=object),
        probabilities={"job": job, "grade": np.eye(2)[[0] * 60]},
    )
    slices = slices_of(
        *((title, None, None, "half", str(number // 30), "all", 1) for number, title in enumerate(titles))
    )
    found = score_slices(rows, predictions, slices, seed=0)
    assert found["accuracy"].tolist() == pytest.approx([2 / 3, 2 / 3])
    half = 1.96 * np.sqrt(2 / 9 / 30)
    assert found["low"].tolist() == pytest.approx([2 / 3 - half] * 2, abs=0.04)
    assert found["high"].tolist() == pytest.approx([2 / 3 + half] * 2, abs=0.04)
