import numpy as np
import polars as pl
import pytest

from baselines.tfidf import TfidfClassifier
from baselines.tfidf_features import TfidfSettings
from data_cleaning.errors import BadInput
from data_cleaning.near_duplicates import near_duplicate_keys
from harness.experiment.stages.label_fixes import FIXES, compare_label_fixes, fold_rows, out_of_sample_probabilities

N_TITLES, N_EACH = 40, 6


class Recorder:
    """Answers the first class of everything, and notes what it was taught and asked."""

    def __init__(self, calls):
        self.calls = calls

    def fit(self, train, valid):
        self.train, self.taxonomy = train, train.taxonomy
        return self

    def predict_proba(self, titles):
        self.calls.append((self.train, list(titles)))
        return {target.name: np.eye(target.n_classes)[[0] * len(titles)] for target in self.taxonomy.targets}


@pytest.fixture
def records(company):
    """Single records: the second of each title is labelled wrong, and in one title of four the third as well."""
    rows = []
    departments = company.taxonomy["department"].classes
    for title in range(N_TITLES):
        right = departments[title % 4]
        for copy in range(N_EACH):
            wrong = copy == 1 or (copy == 2 and title % 4 == 0)
            recorded = departments[(title + 1) % 4] if wrong else right
            rows.append((f"{right} worker{'' if title < 4 else title}", recorded, "Head", right, wrong))
    frame = pl.DataFrame(rows, schema=["title", "department", "seniority", "truth", "wrong"], orient="row")
    return frame.with_columns(
        pl.int_range(1, pl.len() + 1).cast(pl.String).alias("record"), pl.lit(1, dtype=pl.Int64).alias("count")
    )


@pytest.fixture
def truth(records):
    cause = pl.when("wrong").then(pl.lit("slip")).otherwise(pl.lit("table"))
    return records.select(
        pl.col("record").cast(pl.Int64).alias("Record"),
        "title",
        pl.col("truth").alias("department"),
        "seniority",
        cause.alias("cause_department"),
        pl.lit("table").alias("cause_seniority"),
    ).sample(fraction=1, shuffle=True, seed=1)


@pytest.mark.parametrize("by", ["record", "title"])
def test_every_record_is_in_one_fold(by):
    rows = pl.DataFrame({"title": ["nurse", "cook", "driver"], "count": [100, 1, 50], "kept": [1, 2, 3]})
    folded = fold_rows(rows, n_folds=4, by=by, seed=2)
    assert folded.group_by("title", "kept", maintain_order=True).agg(pl.col("count").sum()).rows() == [
        ("nurse", 1, 100), ("cook", 2, 1), ("driver", 3, 50),
    ]  # fmt: skip
    assert folded["count"].min() == 1
    assert set(folded["fold"]) <= {0, 1, 2, 3}
    assert folded.equals(fold_rows(rows, n_folds=4, by=by, seed=2))


def test_records_of_a_merged_row_spread_evenly_over_the_folds():
    folded = fold_rows(pl.DataFrame({"title": ["nurse"], "count": [3000]}), n_folds=3)
    assert folded["fold"].to_list() == [0, 1, 2]
    assert (folded["count"] - 1000).abs().max() < 100


def test_near_duplicates_share_a_fold_by_title():
    titles = [spelling for n in range(26) for spelling in (f"Head Nurse {chr(97 + n)}x", f"nurse, head {chr(97 + n)}X")]
    folded = fold_rows(pl.DataFrame({"title": titles, "count": [1] * 52}), by="title")
    folds = folded.with_columns(near_duplicate_keys(folded["title"])).group_by("key").agg(pl.col("fold").n_unique())
    assert len(folds) == 26
    assert folds["fold"].max() == 1
    assert folded["fold"].n_unique() == 3


@pytest.mark.parametrize(
    ("counts", "settings", "message"),
    [
        ([5, 5], {"n_folds": 1}, "n_folds is 1; expected at least 2"),
        ([1], {}, "All 1 rows fall into one of 3 folds by record; give more records"),
        ([9], {"by": "title"}, "give more titles"),
    ],
)
def test_folds_that_hold_nothing_out_are_refused(counts, settings, message):
    rows = pl.DataFrame({"title": [f"title {n}" for n in range(len(counts))], "count": counts})
    with pytest.raises(BadInput, match=message):
        fold_rows(rows, **settings)


@pytest.mark.parametrize("by", ["record", "title"])
def test_no_record_is_judged_by_a_system_that_learned_from_it(records, company, by):
    calls = []
    folded = fold_rows(records, n_folds=3, by=by, seed=5)
    heard = []
    found = out_of_sample_probabilities(
        folded, company.taxonomy, lambda: Recorder(calls), lambda *told: heard.append(told[1:])
    )
    assert found["department"].shape == (len(records), 11)
    np.testing.assert_array_equal(found["seniority"].sum(axis=1), 1)
    assert heard == [(1, 3, "folds"), (2, 3, "folds"), (3, 3, "folds")]
    for fold, (train, asked) in enumerate(calls):
        held_out = folded.filter(pl.col("fold") == fold)
        assert asked == held_out["title"].to_list()
        assert train.n_records == len(records) - len(held_out)
        if by == "title":
            assert not set(asked) & set(train.titles)


def test_probabilities_stay_with_their_rows(records, company):
    folded = fold_rows(records, n_folds=3, seed=5)
    settings = TfidfSettings(min_titles=1)
    found = out_of_sample_probabilities(folded, company.taxonomy, lambda: TfidfClassifier(settings))
    classes = np.array(company.taxonomy["department"].classes)
    right = classes[found["department"].argmax(axis=1)] == folded["truth"].to_numpy()
    assert right.mean() > 0.95


def test_both_rules_are_held_against_the_truth_by_cause(records, truth, company):
    folded = fold_rows(records, n_folds=3, seed=5)
    certain = {
        "department": np.eye(11)[company.taxonomy["department"].encode(folded["truth"])],
        "seniority": np.eye(6)[company.taxonomy["seniority"].encode(folded["seniority"])],
    }
    table = compare_label_fixes(folded, truth, company.taxonomy, certain, min_support=5)
    assert list(table.columns[:3]) == ["target", "method", "cause"]
    assert set(table["method"]) == {"majority", *FIXES}
    by = table.set_index(["target", "method", "cause"]).sort_index()
    assert set(by.loc["department", "majority"].index) == {"all causes", "slip", "table"}
    # 40 titles with 1 slip of 6 records, 10 of them with 2: then 4 records are too few.
    majority = by.loc["department", "majority", "slip"]
    assert (majority["records"], majority["corrupted"]) == (50, 50)
    assert majority["set_right"] == pytest.approx(30 / 50)
    likelier = by.loc["department", "cleanlab, likelier class", "all causes"]
    assert (likelier["found"], likelier["set_right"], likelier["wrongly_changed"]) == (1, 1, 0)
    assert (likelier["right_before"], likelier["right_after"]) == (pytest.approx(190 / 240), 1)
    assert by.loc["seniority", "majority", "all causes"]["corrupted"] == 0


def test_truth_without_causes_or_records_is_refused(records, truth, company):
    folded = fold_rows(records, n_folds=3)
    with pytest.raises(BadInput, match="The truth has no column cause_department, cause_seniority"):
        compare_label_fixes(folded, truth.drop("cause_department", "cause_seniority"), company.taxonomy, {})
    with pytest.raises(BadInput, match="1 records have no truth, '7' among them"):
        compare_label_fixes(folded, truth.filter(pl.col("Record") != 7), company.taxonomy, {})
