"""Rankings of phrases: scores worked out by hand, and baselines that find what labels tell."""

import math
import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from data_cleaning.progress import silent
from harness.mining.candidates import (
    BASELINES,
    COLUMNS,
    WordShares,
    choose_to_explain,
    explain_words,
    may_be_keywords,
    phrase_shares,
    rank_baselines,
    rank_candidates,
)
from harness.mining.phrases import Phrases, find_phrases, split_titles
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
        variant=np.zeros(len(titles), dtype=bool),
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


LEARNED = BASELINES[:2]
SHIFTS = [f"{one}{other}" for one in "abcdefgh" for other in "vwxyz"]


def titles(pattern, classes, shifts=SHIFTS):
    return {pattern.format(shift): classes for shift in shifts}


PLANTED = certain(
    titles("{} threat lead", ("Security", "Contributor"), SHIFTS[:20])
    | titles("{} cook", ("Other", "Executive"), SHIFTS[:10])
    | titles("{} office", ("Other", "Contributor"))
    | titles("{} office cook", ("Other", "Executive"), SHIFTS[:15])
)


def baselines_of(labels: TitleLabels, *, mined=(3,), max_candidates=50, reviewed_share=0.5, seed=5, possible=None):
    phrases = find_phrases(split_titles(labels.titles), min_titles=1)
    mask = np.full(len(phrases.texts), True) if possible is None else np.isin(phrases.texts, possible)
    frame = pd.DataFrame({"titles": np.array(mined, dtype=np.int64)})
    found = rank_baselines(
        phrases,
        labels,
        dict.fromkeys(TAXONOMY.names, mask),
        dict.fromkeys(TAXONOMY.names, frame),
        max_candidates=max_candidates,
        reviewed_share=reviewed_share,
        seed=seed,
    )
    assert tuple(found) == BASELINES
    assert all(tuple(of_target) == TAXONOMY.names for of_target in found.values())
    return phrases, found


def first(frame):
    return [(row["keyword"], row["class"]) for row in frame.to_dict("records")]


@pytest.mark.parametrize("baseline", LEARNED)
def test_planted_words_come_first_with_their_class(baseline):
    _, found = baselines_of(PLANTED)
    assert ("threat lead", "Security") in first(found[baseline]["function"])[:2]
    assert ("cook", "Executive") in first(found[baseline]["level"])[:1]
    assert found[baseline]["function"]["score"].is_monotonic_decreasing
    # In as many titles of either kind, it tells nothing.
    assert ("av", "Security") not in first(found[baseline]["function"])[:10]


@pytest.mark.parametrize("most", [1, 4])
def test_each_baseline_has_as_many_as_are_asked_for(most):
    _, found = baselines_of(PLANTED, max_candidates=most, mined=[2] * most)
    assert {len(frame) for of_target in found.values() for frame in of_target.values()} == {most}


def held_by_hand(phrases: Phrases, keyword: str, match: str) -> list[int]:
    (at,) = np.flatnonzero((phrases.texts == keyword) & (phrases.matches == match))
    return sorted(phrases.titles[phrases.phrases == at].tolist())


@pytest.mark.parametrize("baseline", BASELINES)
def test_titles_and_records_are_those_that_hold_the_phrase(baseline):
    counted = {title: 1 + number % 7 for number, title in enumerate(PLANTED.titles)}
    labels = certain({title: ("Security" if "threat" in title else "IT", "Executive") for title in counted}, counted)
    phrases, found = baselines_of(labels, mined=[2, 9, 30])
    frame = found[baseline]["function"]
    assert len(frame)
    for row in frame.to_dict("records"):
        held = held_by_hand(phrases, row["keyword"], row["match"])
        assert (row["titles"], row["records"]) == (len(held), labels.records[held].sum())


@pytest.mark.parametrize("seed", range(3))
def test_chi_squared_is_that_worked_out_by_hand(seed):
    random = np.random.default_rng(seed)
    words = ("head", "cook", "nurse", "clerk", "porter")
    drawn = {" ".join([shift, *random.choice(words, 2, replace=False)]) for shift in SHIFTS[:25]}
    shares = random.dirichlet([0.3, 0.3, 1.0], len(drawn)) * (random.random((len(drawn), 3)) < 0.7)
    shares[:, 2] += 1 - shares.sum(axis=1)
    labels = TitleLabels(
        taxonomy=TAXONOMY,
        titles=np.array(sorted(drawn), dtype=object),
        records=random.integers(1, 9, len(drawn)),
        shares={"function": shares, "level": np.tile([1.0, 0.0], (len(drawn), 1))},
        reviewed=np.zeros(len(drawn), dtype=bool),
        variant=np.zeros(len(drawn), dtype=bool),
    )
    phrases, found = baselines_of(labels, possible=words)
    # Each label of a title is a row of its share of the root of the records; rows weigh 1 on average.
    pairs = [(title, code) for title, code in zip(*np.nonzero(shares), strict=True)]
    weights = np.array([np.sqrt(labels.records[title]) * shares[title, code] for title, code in pairs])
    weights = weights / weights.mean()
    expected = {}
    for word in words:
        held = set(held_by_hand(phrases, word, "word"))
        best = []
        for code, name in enumerate(TAXONOMY["function"].classes):
            is_class = np.array([at == code for _, at in pairs])
            has = np.array([title in held for title, _ in pairs])
            total, share = weights[has].sum(), is_class.mean()
            seen = weights[has & is_class].sum()
            if seen / total > weights[is_class].sum() / weights.sum():
                chances = (total * share, total * (1 - share))
                best.append((sum((o - e) ** 2 / e for o, e in zip((seen, total - seen), chances, strict=True)), name))
        expected[word] = max(best)
    frame = found["chi-squared"]["function"]
    assert frame["keyword"].iloc[0] == max(expected, key=lambda word: expected[word][0])
    assert len(frame) > 2
    for row in frame.to_dict("records"):
        assert (row["score"], row["class"]) == (pytest.approx(expected[row["keyword"]][0]), expected[row["keyword"]][1])
    # All titles have one level, of which no word can tell anything.
    assert len(found["chi-squared"]["level"]) == len(found["logistic regression"]["level"]) == 0


def test_reviewed_titles_weigh_their_share_together():
    reviewed = titles("{} threat", ("IT", "Contributor"), ["one", "two", "three"])
    labels = (
        titles("{} threat", ("Security", "Contributor"))
        | titles("{} cook", ("Other", "Contributor"))
        | titles("{} nurse", ("IT", "Contributor"), SHIFTS[:20])
    )
    told = {}
    for share in (0.05, 0.9):
        given = certain(labels | reviewed, reviewed=tuple(reviewed))
        _, found = baselines_of(given, reviewed_share=share, possible=["threat"])
        told[share] = {baseline: found[baseline]["function"].iloc[0] for baseline in LEARNED}
    assert [told[share]["chi-squared"]["class"] for share in told] == ["Security", "IT"]
    # The regression has other words to tell reviewed titles by, but trusts "threat" less.
    regressed = [told[share]["logistic regression"] for share in told]
    assert [row["class"] for row in regressed] == ["Security", "Security"]
    assert regressed[1]["score"] < regressed[0]["score"] / 2


def test_random_phrases_are_matched_by_frequency_and_none_is_drawn_twice():
    wanted = [40, 20, 15, 15, 2, 1, 1, 1]
    _, found = baselines_of(PLANTED, mined=wanted)
    for frame in found["random"].values():
        assert len(frame) == len(wanted)
        keys = Counter(zip(frame["keyword"], frame["match"], strict=True))
        assert max(keys.values()) == 1
        ratio = frame["titles"].to_numpy() / np.array(wanted)
        assert ((ratio > 0.6) & (ratio < 1.7)).all()


def test_random_phrases_come_from_the_seed_and_have_the_class_of_most_titles():
    draws = [baselines_of(PLANTED, mined=[2] * 6, seed=seed)[1]["random"]["level"] for seed in (1, 1, 2)]
    pd.testing.assert_frame_equal(draws[0], draws[1])
    assert draws[0]["keyword"].tolist() != draws[2]["keyword"].tolist()
    _, found = baselines_of(PLANTED, mined=[25, 40], possible=["cook", "office"])
    by_keyword = {
        target: dict(zip(frame["keyword"], frame["class"], strict=True)) for target, frame in found["random"].items()
    }
    assert by_keyword["level"] == {"cook": "Executive", "office": "Contributor"}
    assert by_keyword["function"] == {"cook": "Other", "office": "Other"}


@pytest.mark.parametrize("possible", [[], ["cook"]])
def test_there_may_be_fewer_phrases_than_are_mined(possible):
    _, found = baselines_of(PLANTED, mined=[2, 2, 2], possible=possible)
    assert {name: len(of_target["level"]) for name, of_target in found.items()} == dict.fromkeys(
        BASELINES, len(possible)
    )


def test_a_regression_that_has_not_settled_is_no_warning(monkeypatch):
    monkeypatch.setattr("harness.mining.candidates._MAX_ITERATIONS", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, found = baselines_of(PLANTED)
    assert len(found["logistic regression"]["function"])
