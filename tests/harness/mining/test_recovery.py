"""Planted words that candidates name, and what candidates are worth by true labels, against a loop."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from harness.mining.proof import recovery
from harness.mining.recovery import judge_candidates, names_the_same, recovered
from tests.harness.mining.believed import TAXONOMY, classes_of, table_of
from tests.harness.mining.by_hand import matches
from tests.harness.mining.drawn import WORDS, random_table, random_titles


@pytest.mark.parametrize(
    ("keyword", "planted", "same"),
    [
        ("threat hunter", "threat hunter", True),
        ("threat hunt", "threat hunter", True),
        ("threat hunting", "threat hunt", True),
        ("threat hunter", "threat hunting", False),  # neither begins with the other
        ("hunt", "huntsman", True),
        ("hunt", "hunterian", False),  # five letters more
        ("hunter", "threat hunter", False),
        ("threat hunter lead", "threat hunter", False),
        ("threat hunter", "threats hunter", False),  # only the last word may end otherwise
        ("devops", "dev", True),
        ("", "hunt", False),
    ],
)
def test_a_keyword_may_differ_from_the_planted_word_in_the_last_ending(keyword, planted, same):
    assert names_the_same(keyword, planted) is same
    assert names_the_same(planted, keyword) is same


def listed(*rows):
    return pd.DataFrame(rows, columns=["keyword", "match", "class"])


def test_planted_words_are_found_among_the_first_hundred_with_the_right_class():
    fill = [(f"filler{number}", "word", "IT") for number in range(98)]
    frame = listed(*fill, ("threat hunt", "prefix", "Security"), ("devops", "word", "Security"), ("late", "word", "IT"))
    sought = {"threat hunter": "Security", "late": "IT", "devops": "IT", "filler3": "IT"}
    assert recovered(frame, sought) == ["threat hunter", "filler3"]
    assert recovered(frame.head(0), sought) == []


def judged_by_hand(candidates, target, truth, table):
    given = classes_of(table, truth["title"].to_numpy())[target]
    found = []
    for keyword, match, name in candidates.itertuples(index=False):
        gold = [(at, true) for at, true in enumerate(truth[target]) if matches(keyword, match, truth["title"][at])]
        classes = TAXONOMY[target].classes
        fixed = sum(true == name and classes[given[at]] != name for at, true in gold)
        broken = sum(true != name and classes[given[at]] == true for at, true in gold)
        share = sum(true == name for _, true in gold) / len(gold) if gold else None
        found.append((share, fixed, broken))
    return found


@pytest.fixture(params=range(3))
def case(request):
    """A random table, true labels of random titles, and candidates for both targets."""
    random = np.random.default_rng(request.param)
    titles = list(random_titles(random, 60))
    truth = pl.DataFrame(
        {"title": titles, **{t.name: random.choice(t.classes, len(titles)).tolist() for t in TAXONOMY.targets}}
    )
    words = [*(word for word in WORDS if word != "&"), "nobody"]
    frames = {
        target.name: listed(*((word, "word", str(random.choice(target.classes))) for word in words))
        for target in TAXONOMY.targets
    }
    frames["level"]["match"] = "prefix"
    return random_table(random, 10), truth, frames


@pytest.mark.parametrize("target", TAXONOMY.names)
def test_candidates_are_judged_as_by_a_loop(case, target):
    table, truth, frames = case
    judged = judge_candidates(frames[target], target, truth, table)
    assert list(judged.columns) == ["keyword", "match", "class", "true_share", "fixed", "broken"]
    figures = judged[["true_share", "fixed", "broken"]].astype(object)
    expected = judged_by_hand(frames[target], target, truth, table)
    assert [tuple(row) for row in figures.where(figures.notna(), None).to_numpy()] == expected
    assert expected[-1] == (None, 0, 0)
    assert len(judge_candidates(frames[target].head(0), target, truth, table)) == 0


def test_sources_are_compared_by_what_they_find_and_what_it_is_worth(case):
    table, truth, frames = case
    label = frames["function"].set_index("keyword")["class"]["recruiter"]
    planted = {"never": {"function": "IT"}, "recruit": {"function": label}}
    nothing = frames["function"].head(0)
    found = recovery({"mined": frames, "random": {"function": nothing}}, truth, table, planted)
    by_hand = {target: judged_by_hand(frame, target, truth, table) for target, frame in frames.items()}

    def share(target, good):
        return sum(map(good, by_hand[target])) / len(by_hand[target])

    expected = [
        {
            **{"source": "mined", "target": target, "candidates": len(frames[target]), "planted": n_planted},
            **{"recovered": n_found, "recall": recall, "missed": missed},
            "useful": share(target, lambda row: row[1] > row[2]),
            "true": share(target, lambda row: row[0] is not None and row[0] > 0.5),
        }
        for target, n_planted, n_found, recall, missed in (("function", 2, 1, 0.5, "never"), ("level", 0, 0, None, ""))
    ]
    expected.append(
        {
            **{"source": "random", "target": "function", "candidates": 0, "planted": 2, "recovered": 0, "recall": 0.0},
            **{"useful": None, "true": None, "missed": "never, recruit"},
        }
    )
    cells = found.astype(object).where(found.notna(), None)
    assert cells.to_dict("records") == expected


def test_only_the_first_fifty_are_judged():
    table = table_of(("cook", 1, {"function": "Other"}))
    truth = pl.DataFrame({"title": ["nurse"], "function": ["IT"], "level": ["Contributor"]})
    rows = [("nurse", "word", "IT")] * 50 + [("cook", "word", "IT")] * 10
    (found,) = recovery({"mined": {"function": listed(*rows)}}, truth, table, {}).to_dict("records")
    assert (found["useful"], found["true"], found["candidates"]) == (1.0, 1.0, 60)
