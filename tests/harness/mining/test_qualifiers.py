import numpy as np
import pytest

from harness.mining.phrases import find_phrases, split_titles
from harness.mining.qualifiers import qualifying_shares


def share(phrase, *titles):
    words = split_titles(titles)
    phrases = find_phrases(words, least_titles=1)
    at = np.flatnonzero((phrases.texts == phrase) & (phrases.matches == "word")).item()
    return qualifying_shares(np.array(titles), words, phrases)[at]


@pytest.mark.parametrize(
    "title",
    [
        "Director - Asia",
        "Director, Asia",
        "Director (Asia)",
        "Director | Asia",
        "Director at Asia",
        "CTO @ Asia",
        "Head for Asia.",
    ],
)
def test_what_ends_a_title_after_a_sign_qualifies_it(title):
    assert share("asia", title) == 1


@pytest.mark.parametrize(
    "title", ["Asia", "Asia Director", "Head of Asia", "Asia - Director", "(Asia", "Director - Asia Desk"]
)
def test_what_stands_elsewhere_does_not(title):
    assert share("asia", title) == 0


def test_the_share_is_of_the_titles_that_hold_the_phrase():
    assert share("asia", "Director - Asia", "Asia Director", "Cook", "Head of Asia") == pytest.approx(1 / 3)


def test_several_words_qualify_together():
    assert share("stenora inc", "CTO at Stenora Inc") == 1
    assert share("stenora", "CTO at Stenora Inc") == 0
