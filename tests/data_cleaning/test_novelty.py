"""Texts that are no titles cost more than titles that training lacks; words of the training titles cost little."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from data_cleaning.novelty import MIN_THRESHOLD, TitleNovelty, fall_back
from data_cleaning.taxonomy import Taxonomy
from tests.not_titles import KNOWN, not_titles

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_titles = pytest.mark.skipif(not SHARED.is_dir(), reason="the real titles are not beside the checkout")

KITCHEN = [f"{grade} {job}" for grade in ("chief", "deputy", "night") for job in ("cook", "baker", "kitchen manager")]


@pytest.fixture(scope="module")
def kitchen():
    return TitleNovelty.learn(KITCHEN, KITCHEN)


def test_the_same_texts_are_judged_once_however_often_they_are_asked_about(kitchen, monkeypatch):
    asked = []
    monkeypatch.setattr(TitleNovelty, "costs", lambda self, titles: asked.append(titles) or np.arange(len(titles)) * 9)
    learned = TitleNovelty(kitchen.words, kitchen.n_titles, kitchen.threshold)
    first = learned.unlike(["cook", "xqzt"])
    first[:] = False  # the caller's own
    assert learned.unlike(np.array(["cook", "xqzt"], dtype=object)).tolist() == [False, True]
    assert learned.unlike(["cook"]).tolist() == [False]
    assert asked == [("cook", "xqzt"), ("cook",)]


@pytest.fixture(scope="module")
def real():
    """Return what was learned from half of the real titles, and the other half."""
    titles = pl.read_csv(SHARED / "real_titles.csv")["title"].to_list()
    return TitleNovelty.learn(titles[::2], titles[1::4]), titles[3::4]


@pytest.mark.parametrize(
    "title", ["Night Baker", "COOK", "cook 2", "Deputy-Cook", "cook - Zarvinex Ltd", "c.o.o.k. cook"]
)
def test_known_words_are_like_the_training_titles_in_any_spelling_and_beside_a_company(kitchen, title):
    assert not kitchen.unlike([title]).any()


@pytest.mark.parametrize("text", ["ddsfsdf", "¯\\_(ツ)_/¯", "", "...", "not a cook", "Zarvinex Ltd", "شيف", "\ud800"])
def test_letters_without_sense_sentences_and_companies_are_unlike_them(kitchen, text):
    assert kitchen.unlike([text]).all()


def test_the_cost_of_a_text_does_not_depend_on_the_others(kitchen):
    texts = ["chief", "ddsfsdf, cook", "", "baker at Zarvinex", "I am a cook"]
    alone = [kitchen.costs([text])[0] for text in texts]
    np.testing.assert_array_equal(kitchen.costs(texts), alone)
    assert kitchen.costs([]).shape == (0,)


def test_what_was_learned_is_the_same_after_a_round_trip_of_plain_values(kitchen):
    again = TitleNovelty.from_dict(kitchen.to_dict())
    np.testing.assert_array_equal(again.costs([*KITCHEN, *KNOWN]), kitchen.costs([*KITCHEN, *KNOWN]))


@pytest.mark.parametrize("nothing", [TitleNovelty.from_dict(None), TitleNovelty.learn([], [])])
def test_where_nothing_was_learned_no_text_is_unlike(nothing):
    assert not nothing.unlike(["ddsfsdf", ""]).any()


def test_at_most_the_stated_share_of_validation_is_flagged():
    odd = [f"zq{letter}xw vbkj" for letter in "abcdefghij"]
    assert TitleNovelty.learn(KITCHEN, odd).threshold > TitleNovelty.learn(KITCHEN, KITCHEN).threshold == MIN_THRESHOLD


def test_unlike_texts_get_the_class_of_no_title_twice_as_likely_as_any_other():
    classes = {"chief": [], "cook": [], "unknown": []}
    target = {"fallback": "cook", "no_title": "unknown", "classes": classes}
    answers = {"grade": np.array([[0.9, 0.1, 0.0], [0.9, 0.1, 0.0]])}
    found = fall_back(answers, np.array([False, True]), Taxonomy.from_dict({"targets": {"grade": target}}))
    np.testing.assert_allclose(found["grade"], [[0.9, 0.1, 0.0], [0.25, 0.25, 0.5]])


@needs_titles
def test_every_kind_of_text_that_is_no_title_ranks_above_real_titles_that_training_lacks(real):
    novelty, held_out = real
    foreign = pl.read_csv(SHARED / "titles_by_language.csv").filter(pl.col("lang") != "en")["title"].to_list()
    of_titles = novelty.costs(held_out)
    for kind, texts in {"foreign": foreign, **not_titles(1_000)}.items():
        costs = novelty.costs(texts)
        is_text = np.repeat([0, 1], [len(of_titles), len(costs)])
        assert roc_auc_score(is_text, np.concatenate([of_titles, costs])) > 0.95, kind


@needs_titles
def test_texts_that_were_reported_are_unlike_real_titles_and_few_titles_are(real):
    novelty, held_out = real
    assert novelty.unlike(KNOWN).all()
    assert not novelty.unlike(["Production Technician I", "Chief Operating Officer", "IT Manager, DE"]).any()
    assert novelty.unlike(held_out).mean() < 0.02
