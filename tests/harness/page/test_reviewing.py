"""A person's way through picked titles, without a page."""

from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from harness.page.reviewing import HELD, Reviewing
from harness.tagging.reviewing.pick_titles import Choice


@pytest.fixture
def review(company, tmp_path):
    titles = [f"ward {number} nurse" for number in range(3 * HELD)]
    names = company.taxonomy.names
    labels = {"department": "Nursing", "seniority": "Qualified"}
    picked = pl.DataFrame([{"title": title, "records": 1, **labels, "why": "unsure"} for title in titles])
    answers = {"keyword": {name: [labels[name]] * len(titles) for name in names}}
    choice = Choice(picked=picked, taxonomy=company.taxonomy, best="keyword", answers=answers, n_offered=9, left_out=())
    return Reviewing(choice, "Ann", tmp_path / "reviewed.csv")


def test_a_right_title_takes_one_key_and_a_wrong_one_at_most_one_a_label_and_one(review):
    review.accept(0)
    assert (review.at, len(review.held)) == (1, 1)
    review.answer(1, "department", "Surgery")
    review.answer(1, "seniority", "Chief")
    review.accept(1)
    assert [review.held[1][name] for name in ("department", "seniority")] == ["Surgery", "Chief"]


def test_a_key_that_was_meant_for_an_earlier_title_does_nothing(review):
    review.accept(0)
    review.accept(0)
    review.answer(0, "department", "Surgery")
    assert (review.at, review.labels["department"]) == (1, "Nursing")


def test_the_last_reviews_are_held_back_and_can_be_undone(review):
    for at in range(2 * HELD):
        review.accept(at)
    assert (review.n_saved, len(review.held)) == (HELD, HELD)
    for _ in range(HELD + 1):
        review.undo()
    assert (review.at, review.held) == (HELD, [])
    assert len(pl.read_csv(review.into)) == HELD


def test_a_review_that_contradicts_an_earlier_one_is_told_and_the_others_are_saved(review):
    review.accept(0)
    review.save()
    review.at = 0
    review.labels = {"department": "Kitchen", "seniority": "Head"}
    review.accept(0)
    review.accept(1)
    review.save()
    assert len(review.refused) == 1
    assert "gave it 'Nursing'" in review.refused[0]
    assert pl.read_csv(review.into)["title"].to_list() == ["ward 0 nurse", "ward 1 nurse"]


def test_two_people_at_once_lose_nothing(review):
    other = Reviewing(review.choice, "Ben", review.into)
    for at in range(3 * HELD):
        review.accept(at)
        other.accept(at)
    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(one.save) for one in (review, other)]:
            done.result()
    assert not review.refused + other.refused
    assert sorted(pl.read_csv(review.into)["reviewer"]) == ["Ann"] * 3 * HELD + ["Ben"] * 3 * HELD
