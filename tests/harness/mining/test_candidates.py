"""Candidates from examples whose scores are worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from data_cleaning.progress import silent
from harness.mining.candidates import (
    COLUMNS,
    WordShares,
    choose_to_explain,
    explain_words,
    may_be_keywords,
    phrase_shares,
    rank_candidates,
)
from harness.mining.phrases import find_phrases, split_titles
from harness.mining.title_labels import TitleLabels
from neural.attribution import Importances
from tests.harness.mining.given_labels import TAXONOMY, certain, table_of


def labels_of(*rows):
    """Rows of (title, records, soft labels of each function); all are certain contributors."""
    titles, records, shares = zip(*rows, strict=True)
    return TitleLabels(
        taxonomy=TAXONOMY,
        titles=np.array(titles, dtype=object),
        records=np.array(records),
        shares={"function": np.array(shares), "level": np.tile([0.0, 1.0], (len(titles), 1))},
        reviewed=np.zeros(len(titles), dtype=bool),
    )


def shares_of(*titles, explained=None):
    """Share of importance on each word of each title, the same for both targets."""
    offsets = np.cumsum([0, *map(len, titles)])
    known = np.full(len(titles), True) if explained is None else np.array(explained)
    values = np.concatenate([np.array(of_title, dtype=float) for of_title in titles])
    return WordShares(explained=known, offsets=offsets, shares=dict.fromkeys(TAXONOMY.names, values))


def ranked(labels, shares, table_function, max_candidates=50, possible=None):
    """Rank all phrases for the function, given the table's function of each title; its level is always right."""
    phrases = find_phrases(split_titles(labels.titles), min_titles=1)
    everything = np.full(len(phrases.texts), True)
    given = {
        "function": TAXONOMY["function"].encode(table_function).astype(np.int64),
        "level": np.ones(len(labels), dtype=np.int64),
    }
    masks = {name: everything if possible is None else np.isin(phrases.texts, possible) for name in TAXONOMY.names}
    found = rank_candidates(phrases, labels, shares, given, masks, max_candidates)
    assert list(found["level"].columns) == list(COLUMNS)
    assert len(found["level"]) == 0  # nothing would change
    return found["function"]


HUNTERS = labels_of(
    ("threat hunter", 4, (0.0, 1.0, 0.0)),
    ("senior threat hunter", 1, (0.0, 0.8, 0.2)),
    ("threat sales", 1, (0, 0, 1.0)),
)
SHARES = shares_of([0.5, 0.5], [0.2, 0.3, 0.5], [0.1, 0.9])


def test_scores_are_those_worked_out_by_hand():
    found = ranked(HUNTERS, SHARES, ["Other"] * 3)
    # "hunter" would change no other titles than "threat hunter", which can also replace "senior threat hunter";
    # the importance on "sales" is for Other, which the table has already.
    expected = pd.DataFrame(
        [
            # Titles weigh 2, 1 and 1; the table is right about 0.2 of the second title and all of the third.
            ("threat hunter", "word", "Security", (2 * 1 + 0.8) / 3, (2 + 0.8) / 3, 2.8 - 0.2, 2, 5),
            ("threat", "word", "Security", (2 * 0.5 + 0.3) / 3, (2 + 0.8 + 0) / 4, 2.8 - 0.2 - 1, 3, 6),
        ],
        columns=["keyword", "match", "class", "importance", "consistency", "changed", "titles", "records"],
    )
    expected["score"] = expected["importance"] * expected["consistency"] * np.log1p(expected["changed"])
    pd.testing.assert_frame_equal(found, expected[list(COLUMNS)])
    assert found["score"][0] == pytest.approx(2.8 / 3 * 2.8 / 3 * math.log(3.6))


def test_importance_is_of_the_titles_that_were_explained():
    shares = shares_of([0.5, 0.5], [0.0, 0.0, 0.0], [0.1, 0.9], explained=[True, False, True])
    found = ranked(HUNTERS, shares, ["Other"] * 3).set_index("keyword")
    assert found.loc["threat hunter", "importance"] == 1.0
    assert found.loc["threat hunter", "consistency"] == pytest.approx(2.8 / 3)


def test_only_possible_phrases_are_ranked_and_only_the_best_kept():
    assert ranked(HUNTERS, SHARES, ["Other"] * 3, possible=["threat", "hunter"])["keyword"].tolist() == [
        *("hunter", "threat"),
    ]
    assert ranked(HUNTERS, SHARES, ["Other"] * 3, max_candidates=1)["keyword"].tolist() == ["threat hunter"]


def test_a_phrase_that_would_change_nothing_is_no_candidate():
    assert len(ranked(HUNTERS, SHARES, ["Security", "Security", "Other"])) == 0


IT, NO_IT = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("shares", "others", "keywords"),
    [
        ([0.5, 0.5, 0.0], [IT, IT], ["reliability"]),
        ([0.9, 0.1, 0.0], [IT, IT], ["site reliability", "reliability"]),  # the part is not important enough
        ([0.5, 0.5, 0.0], [IT], ["site reliability", "reliability"]),  # nor in clearly more titles
        ([0.5, 0.5, 0.0], [], ["site reliability"]),
        ([0.5, 0.5, 0.0], [IT, IT, NO_IT], ["site reliability", "reliability"]),  # nor as consistent
    ],
)
def test_a_part_that_is_as_important_in_more_titles_replaces_the_whole(shares, others, keywords):
    rows = [(f"site reliability {shift}", 1, IT) for shift in ("x1", "y1", "z1")]
    rows += [(f"reliability chef{number}", 1, share) for number, share in enumerate(others)]
    shares = shares_of(*[shares] * 3, *[[1.0, 0.0]] * len(others))
    found = ranked(labels_of(*rows), shares, ["Security"] * len(rows), possible=["site reliability", "reliability"])
    assert found["keyword"].tolist() == keywords
    assert set(found["class"]) == {"IT"}


def test_of_phrases_with_the_same_titles_the_better_then_the_longer_stays():
    labels = labels_of(("zero trust", 1, (1.0, 0, 0)), ("zero trust lead", 1, (1.0, 0, 0)))
    found = ranked(labels, shares_of([1.0, 0.0], [1.0, 0.0, 0.0]), ["Other"] * 2)
    assert found["keyword"].tolist() == ["zero trust"]


def test_places_of_phrases_know_their_share():
    phrases = find_phrases(split_titles(["of head nurse", "nurse head nurse", "head"]), min_titles=1)
    words = shares_of([0.1, 0.3, 0.6], [0.2, 0.5, 0.3], [1.0], explained=[True, True, False])
    found = {
        (phrases.texts[phrase], int(title)): share
        for title, phrase, share in zip(
            phrases.titles, phrases.phrases, phrase_shares(phrases, words, "level"), strict=True
        )
    }
    assert found == pytest.approx(
        {
            **{("head", 0): 0.3, ("nurse", 0): 0.6, ("head nurse", 0): 0.9, ("head", 2): 0.0},
            **{("nurse", 1): 0.2, ("head", 1): 0.5, ("nurse head", 1): 0.7, ("head nurse", 1): 0.8},
            ("nurse head nurse", 1): 1.0,
        }
    )


def test_what_the_table_has_and_what_other_targets_words_make_up_cannot_be_keywords():
    table = table_of(
        ("cook", 1, {"function": "Other"}, "word"),
        ("senior", 1, {"level": "Contributor"}),
        ("director", 1, {"level": "C-Level"}, "prefix"),
        ("Threat Hunter", 1, {"function": "Cyber"}),
        ("chief", 1, {"function": "Other", "level": "C-Level"}),
    )
    phrases = find_phrases(
        split_titles(["senior directors cook", "threat hunter", "chief senior", "cooking"]), min_titles=1
    )
    possible = {
        name: set(phrases.texts[mask & (phrases.matches == "word")])
        for name, mask in may_be_keywords(phrases, table).items()
    }
    words = set(phrases.texts[phrases.matches == "word"])
    assert words - possible["function"] == {"cook", "senior", "directors", "senior directors", "threat hunter", "chief"}
    assert words - possible["level"] == {"senior", "cook", "chief"}
    assert {name: mask.tolist() for name, mask in may_be_keywords(find_phrases([], min_titles=1), table).items()} == {
        "function": [],
        "level": [],
    }


def test_titles_that_would_change_are_explained_first_then_the_most_frequent():
    labels = certain(
        {"a": ("IT", "Executive"), "b": ("IT", "Executive"), "c": ("IT", "Executive"), "d": ("IT", "Executive")},
        records={"a": 5, "b": 9, "c": 1, "d": 1},
        reviewed=("d",),
    )
    said = {"function": np.array([0, 0, 0, 0]), "level": np.array([0, 0, 1, 0])}
    chosen = [choose_to_explain(labels, said, most).tolist() for most in range(1, 6)]
    # A reviewed title counts as one that would change.
    assert [labels.titles[one].tolist() for one in chosen] == [
        *(["c"], ["c", "d"], ["b", "c", "d"], ["a", "b", "c", "d"], ["a", "b", "c", "d"]),
    ]


def test_words_are_explained_for_the_top_class_and_only_positive_importance_is_shared(monkeypatch):
    labels = certain(
        {
            "head nurse": ("IT", "Executive"),
            "left out": ("Other", "Executive"),
            "night cook": ("Security", "Contributor"),
            "no-one told": ("Other", "Contributor"),
        }
    )
    asked = {}

    def explain(system, titles, method, *, classes, on_progress):
        asked.update(system=system, titles=titles, method=method, classes={n: c.tolist() for n, c in classes.items()})
        scores = {
            "function": np.array([1.0, 3.0, -2.0, -1.0, 5.0, 5.0]),
            "level": np.array([2.0, -1.0, 0.0, 0.5, 5.0, 5.0]),
        }
        return Importances(
            title_of_word=np.array([0, 0, 1, 1, 2, 2]), starts=np.zeros(6, dtype=int), ends=np.zeros(6, dtype=int),
            scores=scores, classes=dict(classes), special_shares={}, convergence_deltas=None,
        )  # fmt: skip

    monkeypatch.setattr("neural.attribution.explain", explain)
    words = split_titles(labels.titles)
    chosen = np.array([True, False, True, True])
    found = explain_words("the network", labels, words, chosen, "grad-cam", silent)
    assert asked == {
        **{"system": "the network", "method": "grad-cam", "titles": ["head nurse", "night cook", "no-one told"]},
        "classes": {"function": [0, 1, 2], "level": [0, 1, 1]},
    }
    # Of "no-one told" the network tells two words apart, where keywords are sought in three.
    assert found.explained.tolist() == [True, False, True, False]
    assert found.offsets.tolist() == [0, 2, 4, 6, 9]
    assert found.shares["function"].tolist() == [0.25, 0.75, 0, 0, 0, 0, 0, 0, 0]
    assert found.shares["level"].tolist() == [1, 0, 0, 0, 0, 1, 0, 0, 0]
