import pandas as pd
import pytest

from harness.reporting.comparison_tables import ComparisonFigures, comparison_tables

FIT = {"split": "title", "learned_from": "legacy"}


def frame(*rows, **same):
    return pd.DataFrame([{**FIT, **same, **row} for row in rows])


@pytest.fixture
def figures():
    """Three systems of which "slow" is the most accurate; "worse" is beaten by "fast" in everything."""
    accuracies = {"slow": 0.9, "fast": 0.8, "worse": 0.7}
    scores = [
        {"system": system, "target": target, "metric": metric, "value": value}
        for system, value in accuracies.items()
        for target in ("job", "all")
        for metric in ("accuracy", "macro_f1")
    ]
    cells = [("cook", "cook", 7), ("cook", "nurse", 1), ("nurse", "cook", 2)]
    return ComparisonFigures(
        reference="truth",
        scores=frame(*scores),
        by_class=frame(
            *({"system": system, "class": name} for system in accuracies for name in ("cook", "nurse")),
            target="job",
            support=8,
            precision=0.5,
            recall=0.5,
            f1=0.5,
        ),
        confusion=frame(
            *(
                {"system": system, "label": label, "predicted": answer, "records": records}
                for system in accuracies
                for label, answer, records in cells
            ),
            target="job",
        ),
        confidence_bins=frame(
            *(
                {"system": system, "target": target, "records": records, "confidence": sure, "right": right}
                for system in accuracies
                for target in ("job", "all")
                for records, sure, right in ((6, 0.95, 0.5), (4, 0.65, 1.0))
            ),
            above=0.0,
            up_to=1.0,
        ),
        risk_coverage=frame(
            *(
                {"system": system, "coverage": coverage, "accuracy": accuracy}
                for system, accuracy in accuracies.items()
                for coverage in (0.5, 1.0)
            ),
            threshold=0.5,
        ),
        slices=frame(
            *(
                {
                    "system": system,
                    "value": value,
                    "accuracy": accuracy,
                    "low": accuracy - width,
                    "high": accuracy + width,
                }
                for system, accuracy in accuracies.items()
                for value, width in (("yes", accuracy / 10), ("no", float("nan")))
            ),
            slice="in train",
            titles=30,
            records=40,
        ),
        robustness=frame(
            *(
                {"system": system, "variant": variant, "titles": titles, "before": accuracy}
                for system, accuracy in accuracies.items()
                for variant, titles in (("upper case", 30), ("lower case", 25))
            ),
            changed=0.25,
            after=0.5,
        ),
        seeds=(frame({"system": "slow", "mean": 0.9}), frame({"system": "slow", "title": "cook"})),
        errors=None,
        three_way=None,
        costs=frame(
            {"system": "slow", "titles per second": 10},
            {"system": "fast", "titles per second": 1_000},
            {"system": "worse", "titles per second": 900},
        ),
        pairs=None,
    )


@pytest.fixture
def tables(figures):
    return {table.name: table for table in comparison_tables(figures)}


def test_systems_that_no_other_beats_in_accuracy_and_speed_are_on_the_pareto_front(tables):
    costs = tables["costs"].frame
    assert dict(zip(costs["system"], costs["Pareto front"], strict=True)) == {"slow": "yes", "fast": "yes", "worse": ""}


def test_only_mistakes_are_shown_the_most_frequent_first_and_right_answers_follow_in_the_file(tables):
    confusion = tables["confusion"]
    assert confusion.shown().rows == [
        ("job", "nurse", "cook", "2", "1.000"),
        ("job", "cook", "nurse", "1", "0.125"),
    ]
    assert confusion.frame.iloc[2][["label", "predicted", "records"]].tolist() == ["cook", "cook", 7]
    assert "slow split by title" in confusion.note
    assert len(confusion.frame) == 9


def test_coverage_has_a_column_for_each_system_the_best_first(tables):
    shown = tables["risk_coverage"].shown()
    assert shown.columns == ("coverage", "slow", "fast", "worse")
    assert shown.rows[0] == ("0.500", "0.900", "0.800", "0.700")


def test_calibration_sums_up_the_bins(tables):
    calibration = tables["calibration"].frame
    assert len(calibration) == 6
    assert calibration["ECE"].iloc[0] == pytest.approx(0.6 * 0.45 + 0.4 * 0.35)
    assert calibration["overconfidence"].iloc[0] == pytest.approx(0.83 - 0.7)
    assert calibration["target"].tolist() == ["all"] * 3 + ["job"] * 3
    assert [row[0] for row in tables["calibration"].shown().rows] == ["slow", "fast", "worse"]


def test_reliability_shows_all_targets_of_the_best_system_first(tables):
    reliability = tables["reliability"]
    assert reliability.frame["target"].tolist()[:3] == ["all", "all", "job"]
    assert len(reliability.shown().rows) == 2


def test_slices_have_a_column_for_each_system_and_the_widest_interval(tables):
    shown = tables["slices"].shown()
    assert shown.columns == ("slice", "value", "titles", "records", "slow", "fast", "worse", "margin")
    assert shown.rows == [
        ("in train", "yes", "30", "40", "0.900", "0.800", "0.700", "0.090"),
        ("in train", "no", "30", "40", "0.900", "0.800", "0.700", "–"),
    ]


def test_robustness_has_three_rows_for_each_way_to_type_a_title(tables):
    shown = tables["robustness"].shown()
    assert shown.columns == ("variant", "titles", "share", "slow", "fast", "worse")
    assert shown.rows[:2] == [
        ("upper case", "30", "answers that change", "0.250", "0.250", "0.250"),
        ("upper case", "30", "right as written", "0.900", "0.800", "0.700"),
    ]
    assert [row[0] for row in shown.rows] == ["upper case"] * 3 + ["lower case"] * 3


def test_a_metric_that_no_target_has_is_no_column(tables):
    assert list(tables["by_target"].frame.columns) == [*FIT, "system", "target", "accuracy", "macro F1"]
