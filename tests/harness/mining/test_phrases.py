"""Phrases of titles and the titles that keywords match, against sets, loops and a table with that keyword."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.mining.phrases import find_phrases, qualifying_shares, split_titles, stem, titles_matching
from tests.harness.mining.by_hand import matches, table_of

# Inflections of one stem, words that only join others, numbers, and signs within words.
WORDS = (
    *("hunt", "hunter", "hunters", "hunting", "threat", "engineer", "engineering", "of", "from", "with", "withs"),
    *("froms", "2000", "2000s", "20", "R&D", "c", "vice-president", "presidents", "--"),
)
titles = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)


def phrases_of(*given, min_titles=1):
    return find_phrases(split_titles(given), min_titles=min_titles)


def listed(phrases, match="word"):
    return [text for text, how in zip(phrases.texts, phrases.matches, strict=True) if how == match]


def places(phrases, text, match="word"):
    """Title and first word of each occurrence of a phrase."""
    (at,) = np.flatnonzero((phrases.texts == text) & (phrases.matches == match))
    chosen = phrases.phrases == at
    return list(zip(phrases.titles[chosen].tolist(), phrases.first_words[chosen].tolist(), strict=True))


def test_phrases_are_runs_of_one_to_three_words_and_know_their_places():
    phrases = phrases_of("Lead Data-Base Engineer", "data base", "Base, lead")
    assert listed(phrases) == [
        *("base", "base engineer", "base lead", "data", "data base", "data base engineer", "engineer", "lead"),
        *("lead data", "lead data base"),
    ]
    assert places(phrases, "base") == [(0, 2), (1, 1), (2, 0)]
    assert places(phrases, "data base") == [(0, 1), (1, 0)]
    assert phrases.n_words.tolist() == [text.count(" ") + 1 for text in phrases.texts]
    assert (phrases.n_titles, phrases.held.shape) == (3, (3, 10))


def test_an_occurrence_is_the_first_of_its_phrase_in_a_title():
    assert places(phrases_of("nurse of nurse", "head nurse nurse"), "nurse") == [(0, 0), (1, 1)]


def test_phrases_neither_begin_nor_end_with_a_joining_word():
    assert listed(phrases_of("The Head of Risk and")) == ["head", "head of risk", "risk"]


def test_phrases_have_a_letter_and_more_than_one_sign():
    assert listed(phrases_of("24 7 support x")) == [
        *("24 7 support", "7 support", "7 support x", "support", "support x"),
    ]


def test_inflections_of_the_last_word_are_found_as_they_are_and_merged():
    phrases = phrases_of("Threat Hunter", "senior threat hunting", "threat hunt", "nurses", "nursing")
    assert {"threat hunter", "threat hunting", "threat hunt", "hunter", "hunting"} <= set(listed(phrases))
    assert listed(phrases, "prefix") == ["hunt", "nurs", "threat hunt"]
    assert places(phrases, "threat hunt", "prefix") == [(0, 0), (1, 1), (2, 0)]
    assert places(phrases, "threat hunt") == [(2, 0)]
    assert places(phrases, "nurs", "prefix") == [(3, 0), (4, 0)]


def test_phrases_in_fewer_titles_are_left_out_however_often_a_title_repeats_them():
    phrases = phrases_of("cook cook cook", "chef", "chefs", "head chef", min_titles=2)
    assert listed(phrases) == ["chef"]
    assert listed(phrases, "prefix") == ["chef"]
    assert places(phrases, "chef", "prefix") == [(1, 0), (2, 0), (3, 1)]
    assert len(phrases_of("a", "", min_titles=2).texts) == 0
    assert phrases_of().held.shape == (0, 0)


def runs_by_hand(words):
    joining = ("a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with")
    found = defaultdict(list)
    for first in range(len(words)):
        for n_words in (1, 2, 3):
            run = words[first : first + n_words]
            text = " ".join(run)
            if len(run) < n_words or run[0] in joining or run[-1] in joining or len(text) < 2:
                continue
            if any(char.isalpha() for char in text):
                found[text].append(first)
    return found


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(titles, max_size=8), st.integers(1, 3))
def test_phrases_of_words_are_those_found_by_hand(given_titles, min_titles):
    words = split_titles(given_titles)
    held = defaultdict(list)
    for title, of_title in enumerate(words):
        for text, first in runs_by_hand(of_title).items():
            held[text].append((title, first[0]))
    phrases = find_phrases(words, min_titles=min_titles)
    assert listed(phrases) == sorted(text for text, where in held.items() if len(where) >= min_titles)
    for text in listed(phrases):
        assert places(phrases, text) == held[text]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(titles, max_size=8), st.integers(1, 2))
@example(["with", "withs", "withed"], 1)
@example(["from", "2000", "2000s", "2000es", "froms"], 1)
def test_a_title_holds_the_phrases_that_a_table_would_find_in_it(given_titles, min_titles):
    phrases = phrases_of(*given_titles, min_titles=min_titles)
    if not len(phrases.texts):
        return
    keywords = zip(phrases.texts, phrases.matches, strict=True)
    table = table_of(*((text, 1, {"function": "IT"}, match) for text, match in keywords))
    assert phrases.held.toarray().tolist() == table.hits(given_titles).toarray().tolist()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(["hunt", "hunter", "threat", "c", "of"]), min_size=1, max_size=2).map(" ".join),
            st.sampled_from(["word", "prefix"]),
        ),
        max_size=6,
    ),
    st.lists(titles, max_size=8),
)
def test_titles_that_match_are_those_found_by_hand(keywords, given_titles):
    found = titles_matching([text for text, _ in keywords], [match for _, match in keywords], given_titles)
    assert [positions.tolist() for positions in found] == [
        [at for at, title in enumerate(given_titles) if matches(text, match, title)] for text, match in keywords
    ]


@pytest.mark.parametrize(
    ("words", "stemmed"),
    [
        (["hunt", "hunts", "hunter", "hunters", "hunting", "hunted"], "hunt"),
        (["manage", "manager", "managers", "management", "managing"], "manag"),
        (["assist", "assistant", "assistants", "assistance"], "assist"),
        (["secure", "secures"], "secur"),
        (["nurse"], "nurs"),
        (["cook"], "cook"),
        (["cooks"], "cook"),
        (["user"], "user"),
        (["", "s", "ing"], None),
    ],
)
def test_stems_keep_four_letters(words, stemmed):
    assert [stem(word) for word in words] == [word if stemmed is None else stemmed for word in words]


def share(phrase, *titles):
    words = split_titles(titles)
    phrases = find_phrases(words, min_titles=1)
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
def test_a_phrase_after_a_separator_at_the_end_qualifies_the_title(title):
    assert share("asia", title) == 1


@pytest.mark.parametrize(
    "title", ["Asia", "Asia Director", "Head of Asia", "Asia - Director", "(Asia", "Director - Asia Desk"]
)
def test_a_phrase_elsewhere_in_the_title_does_not_qualify_it(title):
    assert share("asia", title) == 0


def test_the_share_is_of_the_titles_that_hold_the_phrase():
    assert share("asia", "Director - Asia", "Asia Director", "Cook", "Head of Asia") == pytest.approx(1 / 3)


def test_several_words_qualify_together():
    assert share("stenora inc", "CTO at Stenora Inc") == 1
    assert share("stenora", "CTO at Stenora Inc") == 0
