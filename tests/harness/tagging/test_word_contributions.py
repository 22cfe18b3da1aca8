"""What each word of a title adds to an answer."""

import numpy as np
import pytest

from harness.tagging.word_contributions import MAX_EXACT, MAX_PIECES, log_odds, split_title, word_contributions

WORTH = {"C++": 1.5, "&": -0.25, "Director": 2.0}


class Additive:
    """Its log-odds are the sum of what each word is worth, with one point more for "R&D" beside "Director"."""

    def __init__(self):
        self.asked = 0

    def predict_proba(self, titles):
        self.asked += len(titles)
        odds = []
        for title in titles:
            words = title.split()
            odds.append(-1 + sum(WORTH.get(word, 0) for word in words) + ({"R&D", "Director"} <= {*words}))
        first = 1 / (1 + np.exp(-np.array(odds)))
        return {"field": np.column_stack([first, 1 - first])}


def test_each_word_gets_its_worth_and_a_pair_shares_what_it_has_together():
    pieces, found = word_contributions(Additive(), "C++ & R&D Director", {"field": 0})
    assert pieces == ["C++", "&", "R&D", "Director"]
    assert found["field"].start == pytest.approx(-1)
    assert found["field"].words == pytest.approx([1.5, -0.25, 0.5, 2.5])
    assert found["field"].total == pytest.approx(3.25)


@pytest.mark.parametrize("n_words", [1, 2, MAX_EXACT, MAX_EXACT + 1, MAX_PIECES, 300])
def test_contributions_add_up_for_titles_of_any_length(n_words):
    system = Additive()
    title = " ".join(["Director", *(f"word{number}" for number in range(n_words - 1))])
    pieces, found = word_contributions(system, title, {"field": 1})
    assert " ".join(pieces) == title
    assert len(pieces) == min(n_words, MAX_PIECES)
    of = found["field"]
    assert of.start + sum(of.words) == pytest.approx(of.total)
    assert of.words[0] == pytest.approx(-2)
    assert system.asked < 600


def test_a_repeated_word_is_two_words():
    pieces, found = word_contributions(Additive(), "Director Director", {"field": 0})
    assert pieces == ["Director", "Director"]
    assert found["field"].words == pytest.approx([2, 2])


def test_a_title_without_words_has_no_pieces():
    assert split_title("") == []


def test_log_odds_are_finite_at_both_ends():
    assert log_odds(np.array([0.0, 0.5, 0.9, 1.0])) == pytest.approx([-13.8155, 0, 2.1972, 13.8155], abs=1e-3)
