import numpy as np
import polars as pl
import pytest
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.scoring.class_scores import ClassScores, class_scores
from harness.scoring.metrics import score_rows

CLASSES = ("cook", "nurse", "guard", "guest")
TAXONOMY = Taxonomy.from_dict(
    {"targets": {"job": {"ordinal": True, "fallback": "guest", "classes": {name: [] for name in CLASSES}}}}
)
TARGET = TAXONOMY["job"]


def cells(*given):
    made = np.zeros((4, 4))
    for label, answer, records in given:
        made[label, answer] += records
    return made


def scored(gold, predicted, records):
    """Rows of a reference, one per title, and predictions that are sure."""
    titles = [f"title {number}" for number in range(len(gold))]
    labels = [CLASSES[code] for code in gold]
    rows = pl.DataFrame({"reference": "truth", "title": titles, "job": labels, "records": records, "history": "new"})
    answers = {"job": np.eye(len(CLASSES))[predicted]}
    return rows, Predictions(taxonomy=TAXONOMY, titles=np.array(titles, dtype=object), probabilities=answers)


def test_scores_of_a_hand_worked_example():
    # cook: precision 2/3, recall 2/3; nurse: precision 1/2, recall 1/2; the others have no record and are no answer.
    found = ClassScores.of(cells((0, 0, 2), (0, 1, 1), (1, 1, 1), (1, 0, 1)))
    metrics = found.by_metric(TARGET)
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert metrics["weighted_f1"] == pytest.approx(3 / 5 * 2 / 3 + 2 / 5 * 1 / 2)
    assert metrics["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert metrics["ordinal_error"] == pytest.approx(2 / 5)


def test_a_class_that_only_the_answers_have_lowers_no_mean_over_classes():
    metrics = ClassScores.of(cells((0, 0, 3), (1, 3, 1))).by_metric(TARGET)
    assert metrics["macro_f1"] == pytest.approx((1 + 0) / 2)
    assert metrics["balanced_accuracy"] == pytest.approx((1 + 0) / 2)
    assert metrics["ordinal_error"] == pytest.approx(2 / 4)


def test_scores_are_those_of_scikit_learn_record_by_record():
    rng = np.random.default_rng(3)
    gold, predicted, records = rng.integers(4, size=200), rng.integers(4, size=200), rng.integers(1, 9, size=200)
    rows, predictions = scored(gold, predicted, records)
    by_class, confusion = class_scores(rows, predictions)
    each_gold, each_predicted = np.repeat(gold, records), np.repeat(predicted, records)
    precision, recall, f1, support = precision_recall_fscore_support(each_gold, each_predicted)
    np.testing.assert_allclose(by_class["precision"], precision)
    np.testing.assert_allclose(by_class["recall"], recall)
    np.testing.assert_allclose(by_class["f1"], f1)
    assert by_class["support"].tolist() == support.tolist()
    counted = confusion.pivot_table(index="label", columns="predicted", values="records", sort=False)
    wanted = confusion_matrix(each_gold, each_predicted)
    assert (counted.loc[list(CLASSES), list(CLASSES)].to_numpy() == wanted).all()
    for weighting, weights in (("per record", records), ("per title", None)):
        scores = score_rows(rows, predictions, seed=0)
        value = scores[(scores["weighting"] == weighting) & (scores["target"] == "job")].set_index("metric")["value"]
        weigh = {"sample_weight": weights}
        assert value["macro_f1"] == pytest.approx(f1_score(gold, predicted, average="macro", **weigh))
        assert value["weighted_f1"] == pytest.approx(f1_score(gold, predicted, average="weighted", **weigh))
        assert value["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(gold, predicted, **weigh))
        assert value["ordinal_error"] == pytest.approx(np.average(np.abs(gold - predicted), weights=weights))


def test_a_class_without_answers_has_no_precision_and_one_without_labels_no_recall():
    by_class, confusion = class_scores(*scored([0, 0, 1], [0, 2, 2], [4, 1, 2]))
    found = by_class.set_index("class")
    assert found.index.tolist() == ["cook", "nurse", "guard"]
    assert np.isnan(found.loc["nurse", "precision"])
    assert found.loc["nurse", "recall"] == 0
    assert np.isnan(found.loc["guard", "recall"])
    assert found.loc["guard", "precision"] == 0
    assert found["support"].tolist() == [5, 2, 0]
    assert list(confusion[["label", "predicted", "records"]].itertuples(index=False, name=None)) == [
        ("cook", "cook", 4),
        ("cook", "guard", 1),
        ("nurse", "guard", 2),
    ]
