"""Other ways to rank phrases: they find what labels tell, and random ones are matched with the mined."""

import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from harness.mining.mining_baselines import BASELINES, rank_baselines
from harness.mining.phrases import Phrases, find_phrases, split_titles
from harness.mining.title_labels import TitleLabels
from tests.harness.mining.given_labels import TAXONOMY, certain

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
    monkeypatch.setattr("harness.mining.mining_baselines._MAX_ITERATIONS", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, found = baselines_of(PLANTED)
    assert len(found["logistic regression"]["function"])
