import polars as pl
import pytest

from data_cleaning.language.detection import all_known, fold_texts, learn_english_words
from tests.data_cleaning.language.toy_titles import SETTINGS, detected


def test_folding_leaves_words_in_lower_case():
    titles = pl.Series(["Sr. IT-Manager  (EMEA) 2", "Leiter*in", "-", "Ｇeneral", "मैनेजर"])
    assert fold_texts(titles).to_list() == ["sr it manager emea", "leiter in", "", "ｇeneral", "मैनेजर"]


def test_a_word_needs_two_english_titles():
    opinions = detected(("network engineer", "en", 0), ("network koch", "de", 0.9), ("network head", "en", 0))
    assert learn_english_words(opinions, SETTINGS).to_list() == ["network"]


def test_a_word_repeated_within_a_title_or_its_records_is_one_title():
    opinions = detected(("koch koch", "en", 0, 1000), ("koch", "de", 0.9))
    assert learn_english_words(opinions, SETTINGS).to_list() == []


def test_a_frequent_foreign_word_that_lingua_mistakes_is_not_learned():
    slips = [(f"leiter {word}", "en", 0) for word in ("eins", "zwei", "drei")]
    right = [(f"leiter {word}", "de", 0.9) for word in ("vier", "acht", "neun", "elf")]
    assert learn_english_words(detected(*slips, *right), SETTINGS).to_list() == []


COMPANIONS = ("manager", "analyst", "director", "web")


SURROUNDING = [(f"{word} {what}", "en", 0) for word in COMPANIONS for what in ("one", "two")]


@pytest.mark.parametrize(
    ("word", "margin", "elsewhere", "learned"),
    [
        ("procurement", 0.3, 0, True),
        ("sviluppatore", 0.9, 0, False),  # lingua is sure of it, whatever the other words
        ("responsable", 0.3, 3, False),  # is beside foreign words as often
    ],
)
def test_an_uncertain_word_is_learned_from_the_english_words_around_it(word, margin, elsewhere, learned):
    beside = [(f"{word} {companion}", "fr", margin) for companion in COMPANIONS]
    foreign = [(f"{word} informatique {number}", "fr", 0.9) for number in ("x", "y", "z")[:elsewhere]]
    words = learn_english_words(detected(*SURROUNDING, *beside, *foreign), SETTINGS)
    assert (word in words) == learned
    assert set(COMPANIONS) < set(words)


@pytest.mark.parametrize(
    ("n_titles", "records", "learned"), [(1, 50, False), (2, 9, False), (2, 10, True), (3, 3, True)]
)
def test_an_uncertain_word_needs_three_titles_or_two_of_many_records(n_titles, records, learned):
    companions = COMPANIONS[:n_titles]
    spread = [records - n_titles + 1, *[1] * (n_titles - 1)]
    beside = [(f"malware {word}", "de", 0.3, count) for word, count in zip(companions, spread, strict=True)]
    words = learn_english_words(detected(*SURROUNDING, *beside), SETTINGS)
    assert ("malware" in words) == learned


def test_every_word_of_a_text_must_be_known():
    texts = pl.Series(["network manager", "network koch", "network", "", "koch"])
    words = pl.Series(["manager", "network"])
    assert all_known(texts, words).to_list() == [True, False, True, False, False]
    assert all_known(texts, words.head(0)).to_list() == [False] * 5
    assert all_known(texts.head(0), words).to_list() == []
