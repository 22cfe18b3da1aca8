"""Reviewed titles and their folds."""

import numpy as np
import pandas as pd

from data_cleaning.titles import LabelledTitles
from harness.experiment.reviewed_titles import N_FOLDS, ReviewedTitles, draw_unreviewed


def labelled(company, titles, source):
    frame = pd.DataFrame({"title": titles, "department": "Kitchen", "seniority": "Head"})
    return LabelledTitles.from_frame(frame, company.taxonomy, source=source)


def test_near_duplicates_share_a_fold_and_parts_are_told_apart(company):
    words = [f"cook {number}" for number in range(20)]
    train, valid = labelled(company, ["Cook, head", *words], "reviewed"), labelled(company, ["head cook"], "reviewed")
    gathered = ReviewedTitles.of(train, valid, seed=3)
    assert gathered.titles.tolist() == ["Cook, head", *words, "head cook"]
    assert np.flatnonzero(gathered.in_valid).tolist() == [21]
    assert gathered.fold[0] == gathered.fold[-1]
    assert set(gathered.fold) == set(range(N_FOLDS))


def test_drawn_titles_are_distinct_and_near_no_reviewed_one(company):
    train = labelled(company, ["head cook", "Cook (Head)", "nurse", "nurse", "driver", "surgeon"], "legacy")
    reviewed = np.array(["cook head"], dtype=object)
    assert sorted(draw_unreviewed(train, reviewed, 10, seed=0)) == ["driver", "nurse", "surgeon"]
    assert len(draw_unreviewed(train, reviewed, 2, seed=0)) == 2
