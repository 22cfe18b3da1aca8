import numpy as np
import polars as pl
import pytest

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.scoring.seeds import compare_seeds

TAXONOMY = Taxonomy.from_dict(
    {"targets": {"job": {"classes": {"cook": [], "nurse": []}}, "grade": {"classes": {"high": [], "low": []}}}}
)
ROWS = pl.DataFrame(
    [("chef", "cook", "high", 5), ("matron", "nurse", "high", 3), ("porter", "cook", "low", 2)],
    schema=["title", "job", "grade", "records"],
    orient="row",
)


def fit(*jobs):
    job = np.eye(2)[[TAXONOMY["job"].class_index[name] for name in jobs]]
    titles = np.array(["porter", "matron", "chef"], dtype=object)[::-1]
    grade = np.eye(2)[[0, 0, 1]]
    return Predictions(taxonomy=TAXONOMY, titles=titles, probabilities={"job": job, "grade": grade})


def test_the_spread_of_seeds_of_a_hand_worked_example():
    fits = {
        "steady": [fit("cook", "nurse", "cook")] * 3,
        "moody": [fit("cook", "nurse", "cook"), fit("cook", "cook", "cook"), fit("cook", "cook", "nurse")],
    }
    spread, titles = compare_seeds(ROWS, fits, max_titles=10)
    found = spread.set_index("system")
    assert found.loc["steady"].tolist() == [3, 1.0, 0.0, 1.0, 1.0, 0.0]
    accuracies = [1.0, 0.7, 0.5]
    assert found.loc["moody", "mean"] == pytest.approx(np.mean(accuracies))
    assert found.loc["moody", "deviation"] == pytest.approx(np.std(accuracies, ddof=1))
    assert found.loc["moody", ["lowest", "highest", "differ"]].tolist() == pytest.approx([0.5, 1.0, 0.5])
    assert titles.to_dict("records") == [
        {"system": "moody", "title": "matron", "records": 3, "answers": "cook; high (2), or nurse; high (1)"},
        {"system": "moody", "title": "porter", "records": 2, "answers": "cook; low (2), or nurse; low (1)"},
    ]


def test_the_titles_of_most_records_are_listed():
    _, titles = compare_seeds(ROWS, {"moody": [fit("cook", "nurse", "cook"), fit("nurse", "cook", "nurse")]}, 1)
    assert titles["title"].tolist() == ["chef"]
