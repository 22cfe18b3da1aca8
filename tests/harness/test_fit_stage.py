import numpy as np
import pandas as pd
import polars as pl
import pytest

from data_cleaning.titles import LabelledTitles
from harness.stages.fit import believe_reviewed, weigh_reviewed, with_consensus


def test_a_reviewed_title_silences_the_legacy_labels_of_its_near_duplicates():
    parted = pl.DataFrame(
        {
            "title": ["Head Nurse", "nurse, head", "Cook", "Head Nurse"],
            "source": ["legacy", "legacy", "legacy", "reviewed"],
        }
    )
    assert believe_reviewed(parted).rows() == [("Cook", "legacy"), ("Head Nurse", "reviewed")]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_reviewed_rows_make_up_their_share_of_the_weight(company, share):
    frame = pd.DataFrame(
        {
            "title": list("abcd"),
            "department": "Kitchen",
            "seniority": "Head",
            "count": [7, 2, 1, 1],
            "source": ["legacy", "legacy", "reviewed", "reviewed"],
        }
    )
    rows = LabelledTitles.from_frame(frame, company.taxonomy)
    weighed = weigh_reviewed(rows, share)
    assert weighed.fit_weights[2:].sum() / weighed.fit_weights.sum() == pytest.approx(share)
    np.testing.assert_array_equal(weighed.fit_weights[:2], rows.fit_weights[:2])
    alone = rows.select(rows.sources == "reviewed")
    np.testing.assert_array_equal(weigh_reviewed(alone, share).fit_weights, [1, 1])


def test_consensus_is_the_majority_of_train_and_changes_no_other_part():
    rows = [
        ("Cook", "train", "legacy", "Kitchen", 3),
        ("Cook", "train", "legacy", "Garden", 2),
        ("Cook", "valid", "legacy", "Garden", 9),
        ("Cook", "train", "reviewed", "Garden", 1),
        ("Nurse", "train", "legacy", "Ward", 2),
        ("Nurse", "train", "legacy", "Kitchen", 2),
        ("Smith", "train", "legacy", "Garden", 1),
    ]
    parted = pl.DataFrame(rows, schema=["title", "part", "source", "department", "count"], orient="row")
    assert sorted(with_consensus(parted, ("department",)).rows()) == [
        ("Cook", "train", "consensus", "Kitchen", 5),
        ("Cook", "train", "reviewed", "Garden", 1),
        ("Cook", "valid", "legacy", "Garden", 9),
        ("Nurse", "train", "legacy", "Kitchen", 2),
        ("Nurse", "train", "legacy", "Ward", 2),
        ("Smith", "train", "legacy", "Garden", 1),
    ]
