import numpy as np
import pytest

from harness.tagging.reviewing.ranking import choose, worth_of


def answers(company, *classes, sure=0.9):
    """Return what a system answers that is sure of one class of each target, by title."""
    found = {}
    for at, target in enumerate(company.taxonomy.targets):
        rows = np.full((len(classes), target.n_classes), (1 - sure) / (target.n_classes - 1))
        rows[np.arange(len(classes)), [pair[at] for pair in classes]] = sure
        found[target.name] = rows
    return found


def test_disagreement_is_the_share_of_pairs_that_differ_weighted_by_importance(company):
    first = answers(company, (0, 0), (0, 0), (0, 0))
    second = answers(company, (0, 0), (1, 0), (1, 1))
    worth = worth_of(np.array([1, 1, 1]), [first, second], company.taxonomy)
    assert worth.disagreement.tolist() == pytest.approx([0, 2 / 3, 1])
    assert worth.doubt[0] == pytest.approx(0.1)
    assert worth.doubt[2] > worth.doubt[1] > worth.doubt[0]


def test_records_raise_the_worth_by_their_root(company):
    same = answers(company, (0, 0), (0, 0))
    worth = worth_of(np.array([1, 100]), [same], company.taxonomy)
    assert worth.alone[1] == pytest.approx(10 * worth.alone[0])


def test_titles_unlike_the_known_and_the_chosen_come_first():
    titles = np.array(["night nurse", "night nurses", "head cook", "driver"], dtype=object)
    assert choose(titles, np.ones(4), ["driver"], 10).tolist()[-1] in (0, 1)
    assert 3 not in choose(titles, np.ones(4), ["Driver"], 10)
    assert choose(titles, np.array([5.0, 4.0, 3.0, 2.0]), [], 2).tolist() == [0, 2]


def test_of_near_duplicates_the_one_most_worth_is_chosen():
    titles = np.array(["IT Director", "Director of IT", "cook"], dtype=object)
    assert choose(titles, np.array([1.0, 2.0, 0.5]), [], 10).tolist() == [1, 2]
    assert choose(np.array([], dtype=object), np.array([]), ["cook"], 3).tolist() == []
