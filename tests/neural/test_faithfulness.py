import itertools

import numpy as np
import pandas as pd
import pytest

from data_cleaning.errors import BadInput
from neural.attribution import METHODS, Importances
from neural.classifier import NeuralClassifier
from neural.faithfulness import compare_methods, evaluate_methods
from tests.neural.planted import planted

VALUES = {"chief": [12.0, 0.0], "security": [0.0, 3.0], "senior": [2.0, 0.0], "night": [1.0, 0.0]}
FILLERS = ("data", "network", "sales", "night")
MANY = [" ".join(words) for words in itertools.permutations(("chief", *FILLERS[:3]))]
MANY += [f"{first} {second} chief {third}" for first, second, third in itertools.permutations(FILLERS, 3)]
"""Titles in which one word decides, wherever it stands."""
DECIDING = {"chief": 1.0}


@pytest.fixture
def system(tokenizer, settings):
    system = planted(tokenizer, settings, VALUES)
    system.temperatures_ = {"type": 2.0, "a.b": 0.5}
    return system


def importances(titles, score_of, classes=0, special=0.25, deltas=None):
    """Return what a method would find that scores words by themselves, 0 where `score_of` has none."""
    words = [(row, start, word) for row, title in enumerate(titles) for start, word in spans(title)]
    starts = np.array([start for _, start, _ in words], dtype=np.int64)
    return Importances(
        title_of_word=np.array([row for row, _, _ in words], dtype=np.int64),
        starts=starts,
        ends=starts + np.array([len(word) for _, _, word in words], dtype=np.int64),
        scores={"type": np.array([score_of.get(word, 0.0) for _, _, word in words])},
        classes={"type": np.full(len(titles), classes)},
        special_shares={"type": np.full(len(titles), special)},
        convergence_deltas=None if deltas is None else {"type": np.array(deltas)},
    )


def spans(title):
    """Return the start and text of each word of a title of plain words."""
    start = 0
    for word in title.split(" "):
        yield start, word
        start += len(word) + 1


def evaluated(system, titles, score_of, **given):
    """Return the one row for a method that scores words by themselves."""
    table = evaluate_methods(system, titles, {"planted": importances(titles, score_of, **given)}, {"planted": 0.002})
    assert len(table) == 1
    return table.iloc[0]


def probability(system, text, position=0):
    return system.predict_proba([text])["type"][0, position]


def test_the_probability_drops_are_those_of_the_shortened_titles(system):
    """Of five words one and three are deleted, of four one and two; the probabilities have the temperature."""
    titles = ["data chief sales night senior", "senior sales chief network"]
    score_of = {"chief": 3.0, "senior": 2.0, "night": 1.0, "data": -1.0, "network": -2.0}
    # First the titles without their most important words, then only these.
    shortened = [
        [("data sales night senior", "chief"), ("data sales", "chief night senior")],
        [("senior sales network", "chief"), ("sales network", "senior chief")],
    ]

    row = evaluated(system, titles, score_of)

    for kind, name in enumerate(("comprehensiveness", "sufficiency")):
        drops = [
            probability(system, title) - np.mean([probability(system, pair[kind]) for pair in pairs])
            for title, pairs in zip(titles, shortened, strict=True)
        ]
        assert row[name] == pytest.approx(np.mean(drops), abs=1e-6)


def test_the_hand_worked_drop_of_a_title_of_two_words(system):
    """[CLS] chief data [SEP] has a mean of (12 / 4, 0); less the chief it is 0, and the chief alone has 12 / 3."""
    whole, alone = (1 / (1 + np.exp(-mean / 2.0) + np.exp(-2 * mean / 2.0)) for mean in (3.0, 4.0))

    row = evaluated(system, ["chief data"], DECIDING)

    assert row["comprehensiveness"] == pytest.approx(whole - 1 / 3, abs=1e-6)
    assert row["sufficiency"] == pytest.approx(whole - alone, abs=1e-6)


def test_random_orders_are_averaged_over(system):
    """The chief comes first in none to five of five random orders of two words."""
    full, chief, data = (probability(system, text) for text in ("chief data", "chief", "data"))

    row = evaluated(system, ["chief data"], DECIDING)

    n_first = (row["comprehensiveness"] - row["comprehensiveness_over_random"] - (full - chief)) / (chief - data) * 5
    assert n_first == pytest.approx(round(n_first), abs=1e-4)
    assert 0 <= n_first <= 5
    assert row["sufficiency_under_random"] == pytest.approx(row["comprehensiveness_over_random"], abs=1e-6)


@pytest.mark.parametrize(
    ("score_of", "verdict"),
    [
        (DECIDING, "better than random"),
        ({"chief": -1.0}, "no better than random"),
        ({}, "no better than random"),
    ],
)
def test_an_order_is_better_than_random_only_where_the_deciding_word_comes_first(system, score_of, verdict):
    row = evaluated(system, MANY, score_of)

    assert row["verdict"] == verdict
    assert row["low"] <= row["comprehensiveness_over_random"] <= row["high"]
    assert (row["low"] > 0) == (row["verdict"] == "better than random")
    if score_of:
        assert np.sign(row["comprehensiveness_over_random"]) == np.sign(row["sufficiency_under_random"])
        assert np.sign(row["comprehensiveness_over_random"]) == score_of["chief"]
    else:
        # Equal scores are no order; taken in the order of the title, they would look like one.
        assert row["low"] < 0 < row["high"]


def test_words_of_equal_score_are_not_taken_in_the_order_of_the_title(system):
    """All titles begin with the deciding word, so the order of the title would look like an insight."""
    titles = [f"chief {' '.join(words)}" for words in itertools.permutations(FILLERS)]

    assert evaluated(system, titles, {})["verdict"] == "no better than random"


def test_the_probability_is_that_of_the_explained_class(system):
    whole, *shortened = (
        probability(system, text, position=1)
        for text in ("chief security data sales", "chief data sales", "chief data")
    )

    row = evaluated(system, ["chief security data sales"], {"security": 3.0, "sales": 2.0, "data": 1.0}, classes=1)

    assert row["comprehensiveness"] == pytest.approx(whole - np.mean(shortened), abs=1e-6)
    assert row["comprehensiveness"] > 0


def test_words_are_deleted_from_the_text_and_each_shortened_title_is_read_once(system, monkeypatch):
    read = []

    def tokenized(titles):
        read.extend(titles)
        return original(titles)

    original = system.tokenized
    monkeypatch.setattr(system, "tokenized", tokenized)
    title = "  Senior\tR-D  (chief), \N{GRINNING FACE} "
    found = Importances(
        title_of_word=np.zeros(4, dtype=np.int64),
        starts=np.array([2, 9, 11, 15]),
        ends=np.array([8, 10, 12, 20]),
        scores={"type": np.array([4.0, 2.0, 3.0, 1.0])},
        classes={"type": np.array([0])},
        special_shares={"type": np.array([0.0])},
        convergence_deltas=None,
    )

    evaluate_methods(system, [title], {"one": found, "two": found}, {"one": 1.0, "two": 1.0})

    assert read[:5] == [
        title,
        "R-D (chief), \N{GRINNING FACE}",
        "Senior - (), \N{GRINNING FACE}",
        "R- (chief), \N{GRINNING FACE}",
        "Senior -D (), \N{GRINNING FACE}",
    ]
    assert len(read) == len(set(read)) <= 1 + 2**4


def test_titles_without_two_words_are_counted_and_left_out(system):
    titles = ["", "chief data", "chief", "chief data"]
    found = importances(titles, DECIDING, special=0.5)
    found.special_shares["type"][[0, 2]] = 1.0

    row = evaluate_methods(system, titles, {"planted": found}, {"planted": 0.002}).iloc[0]

    assert (row["titles"], row["titles_too_short"], row["special_share"]) == (2, 2, 0.5)
    assert row["comprehensiveness"] == evaluated(system, ["chief data"], DECIDING)["comprehensiveness"]


def test_titles_of_one_word_alone_are_bad_input(system):
    with pytest.raises(BadInput, match="None of the 2 titles has two words, so no word can be deleted"):
        compare_methods(system, ["chief", "nurse"], ["grad-cam"])
    with pytest.raises(BadInput, match="None of the 0 titles"):
        compare_methods(system, [], ["grad-cam"])


def test_few_titles_get_no_interval(system):
    few, enough = (evaluated(system, MANY[:n], DECIDING) for n in (19, 20))

    assert (few["verdict"], enough["verdict"]) == ("too few titles to tell", "better than random")
    assert np.isnan([few["low"], few["high"]]).all()


def test_the_interval_narrows_with_the_root_of_the_number_of_titles(system):
    few, many = (evaluated(system, MANY * n, DECIDING) for n in (1, 9))

    assert (few["high"] - few["low"]) / (many["high"] - many["low"]) == pytest.approx(3, rel=0.25)
    assert few["low"] < many["low"] < many["comprehensiveness_over_random"] < many["high"] < few["high"]


def test_the_delta_columns_are_of_absolute_values(system):
    row = evaluated(system, ["chief data"] * 3, DECIDING, deltas=[-0.5, 0.125, 0.25])
    assert (row["worst_convergence_delta"], row["median_convergence_delta"]) == (0.5, 0.25)
    assert row["seconds_per_10000_titles"] == 20.0

    without = evaluated(system, ["chief data"], DECIDING)
    assert np.isnan([without["worst_convergence_delta"], without["median_convergence_delta"]]).all()


def test_the_seed_decides_the_table(system):
    found = {"planted": importances(MANY, DECIDING)}
    first, same, other = (evaluate_methods(system, MANY, found, {"planted": 1.0}, seed=seed) for seed in (3, 3, 4))

    pd.testing.assert_frame_equal(first, same)
    assert first["comprehensiveness"][0] == other["comprehensiveness"][0]
    assert first["comprehensiveness_over_random"][0] != other["comprehensiveness_over_random"][0]


def test_every_method_finds_the_word_that_decides_a_linear_network(system):
    told = []

    table = compare_methods(system, MANY, n_steps=3, on_progress=lambda *step: told.append(step))

    assert table[["method", "target"]].to_numpy().tolist() == [[m, t] for m in METHODS for t in ("type", "a.b")]
    assert set(table["verdict"]) == {"better than random"}
    assert table["comprehensiveness"].nunique() == 2  # they agree, target by target
    assert (table["seconds_per_10000_titles"] > 0).all()
    assert table["worst_convergence_delta"].notna().tolist() == [False, False, True, True, False, False]
    assert {step for step, *_ in told} == {"neural explain", "neural faithfulness"}


def test_a_system_that_is_not_fitted_is_refused(settings):
    with pytest.raises(BadInput, match="has learned nothing yet"):
        evaluate_methods(NeuralClassifier(settings), MANY, {"planted": importances(MANY, DECIDING)}, {"planted": 1.0})
