import numpy as np
import polars as pl
import pytest

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.scoring.confidence import calibration_errors, confidence_scores

TAXONOMY = Taxonomy.from_dict(
    {"targets": {"job": {"classes": {"cook": [], "nurse": []}}, "grade": {"classes": {"high": [], "low": []}}}}
)


def scored(confidence, right, records):
    """Cooks of high grade; the grade is certain and right, the job as confident and right as given."""
    titles = [f"title {number}" for number in range(len(right))]
    labels = {"job": "cook", "grade": "high", "history": "new", "reference": "truth"}
    rows = pl.DataFrame({"title": titles, "records": records}).with_columns(**{k: pl.lit(v) for k, v in labels.items()})
    sure = np.array(confidence)
    is_right = np.array(right, dtype=bool)
    job = np.where(is_right[:, None], np.column_stack([sure, 1 - sure]), np.column_stack([1 - sure, sure]))
    probabilities = {"job": job, "grade": np.tile([1.0, 0.0], (len(titles), 1))}
    return rows, Predictions(taxonomy=TAXONOMY, titles=np.array(titles, dtype=object), probabilities=probabilities)


def test_calibration_of_a_hand_worked_example():
    # Between .9 and 1: 6 records at .95, 3 of them right. Between .6 and .7: 4 records at .65, all right.
    bins, _ = confidence_scores(*scored([0.95, 0.95, 0.65], [1, 0, 1], [3, 3, 4]))
    job = bins[bins["target"] == "job"].set_index("above")
    assert job.index.tolist() == pytest.approx([0.6, 0.9])
    assert job["records"].tolist() == [4, 6]
    assert job["confidence"].tolist() == pytest.approx([0.65, 0.95])
    assert job["right"].tolist() == pytest.approx([1.0, 0.5])
    found = calibration_errors(bins, ["target"]).set_index("target")
    assert found.loc["job", "ece"] == pytest.approx(0.4 * 0.35 + 0.6 * 0.45)
    assert found.loc["job", "confidence"] == pytest.approx(0.4 * 0.65 + 0.6 * 0.95)
    assert found.loc["job", "accuracy"] == pytest.approx(0.7)
    assert found.loc["grade", "ece"] == 0
    # The lowest confidence of the targets is that of the job.
    assert found.loc["all", "ece"] == pytest.approx(found.loc["job", "ece"])


def test_a_confidence_on_the_border_of_two_bins_is_in_the_lower_one():
    bins, _ = confidence_scores(*scored([0.75, 1.0], [1, 1], [1, 1]))
    assert bins[bins["target"] == "job"]["up_to"].tolist() == pytest.approx([0.8, 1.0])


def test_accuracy_falls_with_coverage_in_a_hand_worked_example():
    _, curve = confidence_scores(*scored([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 0], [5, 5, 5, 5]))
    found = curve.set_index(curve["coverage"].round(2))
    assert found.loc[0.5, "accuracy"] == pytest.approx(1.0)
    assert found.loc[0.75, "accuracy"] == pytest.approx(2 / 3)
    assert found.loc[1.0, "accuracy"] == pytest.approx(0.5)
    assert found["threshold"].loc[[0.25, 0.3, 1.0]].tolist() == pytest.approx([0.9, 0.8, 0.6])


def test_equally_confident_answers_count_by_their_share_of_right_ones():
    _, curve = confidence_scores(*scored([0.9, 0.9, 0.9, 0.9], [1, 0, 0, 0], [1, 1, 1, 1]))
    assert curve["accuracy"].tolist() == pytest.approx([0.25] * 20)
