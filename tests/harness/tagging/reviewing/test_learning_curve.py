import numpy as np
import pandas as pd
import pytest

from data_cleaning.titles import LabelledTitles
from harness.tagging.reviewing.learning_curve import MIN_TITLES, LearningCurve, learning_curve


@pytest.fixture
def reviewed(company):
    frame = company.titles.rename(columns={"What you do": "title", "Dept": "department", "Grade": "seniority"})
    return LabelledTitles.from_frame(frame.drop(columns="Times"), company.taxonomy, source="reviewed")


def test_a_curve_rises_and_promises_more(reviewed):
    curve = learning_curve(reviewed.select(np.arange(0, len(reviewed), 3)))
    assert curve.n_titles.tolist() == sorted(curve.n_titles)
    assert curve.mean[-1] > curve.mean[0]
    gain, low, high = curve.gain(154, 100)
    assert low <= gain <= high
    assert gain > 0


def test_the_gain_is_that_of_the_power_law():
    n_titles = np.array([50, 100, 200, 400])
    curve = LearningCurve(n_titles=n_titles, right=np.tile(1 - 2 / np.sqrt(n_titles), (15, 1)))
    assert curve.gain(400, 100) == pytest.approx([2 / 20 - 2 / np.sqrt(500)] * 3)


def test_few_titles_give_no_curve_and_near_duplicates_count_once(company, reviewed):
    assert learning_curve(reviewed.select(np.arange(MIN_TITLES - 1))) is None
    same = pd.DataFrame({"title": [f"{'IT' * (n % 2)} Cook" for n in range(200)], "department": "Kitchen"})
    same["seniority"] = None
    assert learning_curve(LabelledTitles.from_frame(same, company.taxonomy, source="reviewed")) is None
