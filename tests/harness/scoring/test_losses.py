import math

import numpy as np
import polars as pl
import pytest

from data_cleaning.titles import Predictions
from harness.scoring.losses import rank_by_loss


@pytest.fixture
def predictions(company):
    """Two titles, of which the second is answered with certainty."""
    taxonomy = company.taxonomy
    certain = {target.name: np.eye(target.n_classes)[0] for target in taxonomy.targets}
    even = {target.name: np.full(target.n_classes, 1 / target.n_classes) for target in taxonomy.targets}
    return Predictions(
        taxonomy=taxonomy,
        titles=np.array(["anything", "nurse"], dtype=object),
        probabilities={name: np.stack([even[name], certain[name]]) for name in taxonomy.names},
    )


def test_rows_are_ranked_by_the_weighted_loss_of_their_labels(predictions, company):
    department, seniority = company.taxonomy.targets
    rows = pl.DataFrame(
        {
            "part": ["train", "test", "test"],
            "title": ["nurse", "anything", "nurse"],
            department.name: [department.classes[0], department.classes[1], department.classes[0]],
            seniority.name: [seniority.classes[0], seniority.classes[2], seniority.classes[3]],
            "count": [5, 2, 1],
        }
    )
    ranked = rank_by_loss(rows, predictions, {department.name: 3.0, seniority.name: 1.0})

    # A class that was ruled out, then a guess among all classes, then what was certain and right.
    assert ranked["loss"].to_list() == pytest.approx(
        [-math.log(1e-12) / 4, (3 * math.log(department.n_classes) + math.log(seniority.n_classes)) / 4, 0.0]
    )
    assert ranked["records"].to_list() == [1, 2, 5]
    assert ranked["part"].to_list() == ["test", "test", "train"]
    assert ranked[f"predicted_{seniority.name}"][0] == seniority.classes[0]
    assert ranked.columns == [
        *("part", "title", department.name, seniority.name),
        *(f"predicted_{department.name}", f"predicted_{seniority.name}", "loss", "records"),
    ]
