"""Planted faults of a table are fixed, useless changes are left out, and all evidence is recounted."""

import math

import numpy as np
import pandas as pd
import pytest

from harness.keywords.suggestions import amend
from harness.mining.placement import Placement, changed_rows, new_rows, not_refused
from harness.mining.proof import suggest
from tests.harness.mining.by_hand import matches
from tests.harness.mining.drawn import WORDS, random_table, random_titles
from tests.harness.mining.given_labels import (
    TAXONOMY,
    certain,
    classes_of,
    n_right,
    random_labels,
    table_of,
    weighed,
    wilson,
    worth,
)

SHIFTS = ("early", "late", "day", "night", "north", "south")
OTHER, SECURITY = ("Other", "Contributor"), ("Security", "Contributor")


def titles(pattern, classes, shifts=SHIFTS):
    return {pattern.format(shift): classes for shift in shifts}


def candidates(*rows):
    """Rows of (target, keyword, class[, match]) as lists of candidates."""
    full = [(*row, "word")[:4] for row in rows]
    return {
        name: pd.DataFrame(
            [(keyword, match, label, 0.5) for target, keyword, label, match in full if target == name],
            columns=["keyword", "match", "class", "importance"],
        )
        for name in TAXONOMY.names
    }


def place(table, train, valid, *, offered=(), repriced=None, refused=(), max_changes=50):
    """Place new rows and, where it is said which priorities rows may have, changed ones."""
    placement = Placement.begin(table, train, valid)
    subjects = new_rows(candidates(*offered), table, train, valid)
    if repriced is not None:
        subjects += changed_rows(table, placement, repriced)
    placed = placement.run([not_refused(subject, refused) for subject in subjects], max_changes)
    return suggest(placed, table, train, valid, "the judge")


def told(changes):
    return [
        (change.action, change.keyword, change.match, change.priority, *filter(None, change.labels.values()))
        for change in changes
    ]


@pytest.fixture
def sales():
    return table_of(
        ("sales", 4, {"function": "Other"}),
        ("office", 2, {"function": "Other"}),
        ("hunter", 9, {"level": "Executive"}),
        ("early", 30, {"function": "Other"}),
    )


HUNTERS = titles("{} threat hunter sales", SECURITY)


def test_a_planted_keyword_is_added_where_it_wins_and_no_higher(sales):
    labels = certain(HUNTERS | titles("{} office threat hunter", OTHER))
    offered = [("function", "threat hunter", "Security"), ("level", "threat hunter", "Contributor")]
    changes = place(sales, labels, labels, offered=offered)
    # At 4 it outranks "sales", which is shorter; at 2 it would break what "office" has right.
    assert told(changes) == [("add", "threat hunter", "word", 4.0, "Security", "Contributor")]
    assert (changes[0].line, changes[0].old_priority, changes[0].old_match) == (None, None, None)
    evidence = changes[0].evidence
    assert (evidence.fixed, evidence.broken, evidence.judged_titles, evidence.support_titles) == (12, 0, 12, 12)
    # All of 6 titles, and the level alone of 6 others.
    assert evidence.lift == pytest.approx((6 + 6 / 4) / 12)
    assert (evidence.importance, evidence.judge, evidence.precision) == (0.5, "the judge", 1.0)
    assert "'threat hunter'" in changes[0].rationale
    assert "12 validation titles are fixed and 0 broken" in changes[0].rationale


def test_a_new_row_sets_only_the_targets_that_it_is_right_about(sales):
    labels = certain(titles("{} threat hunter sales", ("Security", "Executive")))
    offered = [("function", "threat hunter", "Security"), ("level", "threat hunter", "Contributor")]
    assert told(place(sales, labels, labels, offered=offered)) == [("add", "threat hunter", "word", 4.0, "Security")]


@pytest.mark.parametrize(
    ("in_valid", "offered"),
    [
        (SECURITY, ("function", "sales", "Other")),  # what the table says already
        (SECURITY, ("function", "nobody", "Security")),  # in no title
        (OTHER, ("function", "threat hunter", "Security")),  # right in train alone
        (SECURITY, ("function", "threat hunter", "IT")),  # never right
    ],
)
def test_a_useless_keyword_is_not_added(sales, in_valid, offered):
    valid = certain(titles("{} threat hunter sales", in_valid))
    assert place(sales, certain(HUNTERS), valid, offered=[offered]) == []


def test_a_keyword_that_is_wrong_as_often_as_right_is_not_sure_enough(sales):
    mixed = titles("{} hunter a", SECURITY) | titles("{} hunter b", OTHER)
    labels = certain(mixed | titles("{} hunter c", SECURITY, SHIFTS[:1]))
    assert place(sales, labels, labels, offered=[("function", "hunter", "Security")]) == []


@pytest.mark.parametrize(("n_titles", "n_changes"), [(2, 0), (3, 1)])
def test_fewer_than_three_titles_of_validation_are_not_enough(sales, n_titles, n_changes):
    valid = certain(titles("{} threat hunter sales", SECURITY, SHIFTS[:n_titles]), dict.fromkeys(HUNTERS, 1000))
    changes = place(sales, certain(HUNTERS), valid, offered=[("function", "threat hunter", "Security")])
    assert len(changes) == n_changes


def test_an_accident_within_longer_words_is_narrowed():
    table = table_of(
        ("cto", 1, {"function": "IT", "level": "C-Level"}),
        ("director", 3, {"level": "C-Level"}),
        ("intern", 1, {"level": "Contributor"}),
        ("head", 5, {"level": "C-Level"}),
    )
    labels = certain(
        titles("{} director", ("Other", "Executive"))
        | titles("{} cto", ("IT", "Executive"))
        | titles("{} intern", ("Other", "Contributor"))
        | titles("{} head of internal audit", ("Other", "Executive"))
    )
    changes = place(table, labels, labels, repriced={})
    # The beginning of a word does for "cto", which leaves more as it is.
    assert told(changes) == [
        ("narrow", "cto", "prefix", 1.0, "IT", "C-Level"),
        ("narrow", "intern", "word", 1.0, "Contributor"),
    ]
    assert [(change.line, change.old_match, change.old_priority) for change in changes] == [
        (2, "substring", 1.0),
        (4, "substring", 1.0),
    ]
    assert [change.evidence.support_titles for change in changes] == [6, 6]
    assert classes_of(amend(table, changes), labels.titles) == {
        name: labels.top_classes(name).tolist() for name in TAXONOMY.names
    }


@pytest.mark.parametrize(
    ("repriced", "change"),
    [
        ({}, ("retire", "sales", "substring", 4.0, "Other")),
        ({0: [3.0, 50.0]}, ("re-prioritise", "sales", "substring", 50.0, "Other")),
        ({0: [4.5]}, ("retire", "sales", "substring", 4.0, "Other")),  # which would not let "threat" win
    ],
)
def test_a_row_that_only_does_harm_is_demoted_where_that_helps_and_retired_else(repriced, change):
    table = table_of(("sales", 4, {"function": "Other"}), ("threat", 5, {"function": "Security"}))
    labels = certain(titles("{} sales threat", SECURITY) | titles("{} sales", OTHER))
    (suggestion,) = place(table, labels, labels, repriced=repriced)
    assert told([suggestion]) == [change]
    assert (suggestion.line, suggestion.old_priority, suggestion.evidence.importance) == (2, 4.0, None)
    assert suggestion.evidence.support_titles == 12
    assert (suggestion.evidence.fixed, suggestion.evidence.broken) == (6, 0)


@pytest.mark.parametrize(("n_for", "n_against", "n_changes"), [(0, 1, 0), (1, 0, 1), (1, 2, 0), (2, 1, 1)])
@pytest.mark.parametrize("part", ["train", "valid"])
def test_titles_that_a_person_labelled_can_veto_a_change(sales, part, n_for, n_against, n_changes):
    against = titles("{} hunter sales director", OTHER, SHIFTS[:n_against])
    reviewed = certain(HUNTERS | against, reviewed=(*list(HUNTERS)[:n_for], *against))
    parts = {"train": certain(HUNTERS), "valid": certain(HUNTERS)} | {part: reviewed}
    assert len(place(sales, **parts, offered=[("function", "hunter", "Security")])) == n_changes


def test_what_gains_most_comes_first_and_later_changes_count_on_top():
    table = table_of(("sales", 4, {"function": "Other"}))
    labels = certain(
        titles("{} sales controls", SECURITY)
        | titles("{} sales network", ("IT", "Contributor"), SHIFTS[:4])
        | titles("{} sales network controls", SECURITY, SHIFTS[:5])
    )
    offered = [
        *(("function", "network", "IT"), ("function", "controls", "Security")),
        ("function", "network controls", "Security"),
    ]
    changes = place(table, labels, labels, offered=offered)
    # What "controls" has fixed, "network controls" cannot fix again.
    assert [change.keyword for change in changes] == ["controls", "network"]
    assert [(change.evidence.fixed, change.evidence.broken) for change in changes] == [(11, 0), (4, 0)]
    assert [change.keyword for change in place(table, labels, labels, offered=offered, max_changes=1)] == ["controls"]


def test_a_change_may_become_worth_it_by_another():
    table = table_of(("supervisor", 2, {"function": "IT"}), ("nobody", 4, {"function": "IT"}))
    hunters = titles("{} supervisor hunter", SECURITY, SHIFTS[:4]) | titles("{} hunter", SECURITY, SHIFTS[:2])
    labels = certain(titles("{} supervisor", OTHER) | hunters)
    changes = place(table, labels, labels, offered=[("function", "hunter", "Security")], repriced={})
    # Only where "supervisor" is gone does "hunter" decide more than two titles.
    assert [(change.action, change.evidence.fixed) for change in changes] == [("retire", 6), ("add", 6)]


def test_the_place_of_each_change_is_chosen_after_the_changes_before_it():
    table = table_of(*((word, level, {"function": "Other"}) for word, level in (("xx", 3), ("office", 5), ("yy", 30))))
    shifts = [f"{one}{other}" for one in "abcd" for other in "rst"]
    it = ("IT", "Contributor")
    labels = certain(
        titles("{} senior", SECURITY, shifts)
        | titles("{} senior desk", SECURITY, shifts[:3])
        | titles("{} desk", it, shifts[:10])
        | titles("{} desk office", it, shifts[:2])
    )
    offered = [("function", "desk", "IT"), ("function", "senior", "Security")]
    # Alone, "desk" would outrank "office"; but then it would break what "senior" fixes.
    assert [change.priority for change in place(table, labels, labels, offered=offered[:1])] == [3.0]
    changes = place(table, labels, labels, offered=offered)
    assert [(change.keyword, change.priority) for change in changes] == [("senior", 30.0), ("desk", 30.0)]


@pytest.mark.parametrize(
    ("refused", "actions"),
    [
        ([], ["narrow"]),
        (["narrow|cto|function=IT|level=C-Level"], ["retire"]),
        (["narrow|cto|function=IT"], ["narrow"]),  # a row with other labels
        (["narrow|cto|function=IT|level=C-Level", "retire|cto|function=IT|level=C-Level"], []),
    ],
)
def test_a_change_that_was_rejected_is_not_offered_again(refused, actions):
    table = table_of(("CTO", 1, {"function": "IT", "level": "C-Level"}), ("nurse", 1, {"function": "Other"}))
    labels = certain(titles("{} director", OTHER))
    offered = [("level", "night", "Contributor")]
    train = certain(titles("{} director", OTHER) | titles("{} cto", ("IT", "Executive"), SHIFTS[:1]))
    found = place(table, train, labels, repriced={}, refused=refused, offered=offered)
    assert [change.action for change in found] == actions
    assert all(change.key not in refused for change in found)


def test_a_keyword_that_was_rejected_as_a_new_row_is_not_offered_with_other_labels(sales):
    labels = certain(HUNTERS)
    offered = [("function", "threat hunter", "Security"), ("level", "threat hunter", "Contributor")]
    assert place(sales, labels, labels, offered=offered, refused=["add|threat hunter"]) == []


def test_a_row_is_not_narrowed_to_what_another_row_is_already():
    rows = [("cto", 1, {"function": "IT"}), ("cto", 9, {"function": "IT"}, "prefix")]
    labels = certain(titles("{} director", OTHER) | titles("{} cto", ("IT", "Contributor")))
    changes = place(table_of(*rows), labels, labels, repriced={})
    assert told(changes) == [("narrow", "cto", "word", 1.0, "IT")]
    assert len(amend(table_of(*rows), changes)) == 2


def test_a_narrowed_row_is_judged_by_what_whole_words_match():
    # As words, "i.t" is also in "I T nurse", which the substring does not match.
    table = table_of(("i.t", 1, {"function": "IT"}), ("nurse", 9, {"function": "Other"}))
    harmed = titles("{} I T nurse", OTHER)
    labels = certain(titles("{} audi.t nurse", OTHER) | harmed | titles("{} i.t", ("IT", "Contributor")))
    assert told(place(table, labels, labels, repriced={})) == []
    without = labels.select(np.array([title not in harmed for title in labels.titles]))
    assert told(place(table, without, without, repriced={})) == [("narrow", "i.t", "prefix", 1.0, "IT")]


def test_a_row_that_would_lose_no_title_is_not_narrowed():
    labels = certain(titles("{} i.t", ("IT", "Contributor")) | titles("{} I T desk", ("IT", "Contributor")))
    assert place(table_of(("i.t", 1, {"function": "IT"})), labels, labels, repriced={}) == []


def random_case(seed):
    """A random table, labels after another one, and the changes that are placed."""
    random = np.random.default_rng(seed)
    table, hidden = (weighed(random_table(random, 12)) for _ in range(2))
    train, valid = (random_labels(random, hidden, random_titles(random, 250)) for _ in range(2))
    held = {(row["keyword"], row["match"]) for row in table.rows.to_dict("records")}
    offered = []
    for word, match in (*((word, "word") for word in WORDS), ("secur", "prefix"), ("sal", "prefix")):
        rows = [at for at, title in enumerate(train.titles) if matches(word, match, title)]
        for target in TAXONOMY.targets:
            if (word, match) not in held and random.random() < 0.7:
                best = train.shares[target.name][rows].sum(axis=0).argmax()
                offered.append((target.name, word, target.classes[best], match))
    repriced = {number: [1.0, 2.0, 3.0, 2.5] for number in range(12) if random.random() < 0.5}
    return table, train, valid, place(table, train, valid, offered=offered, repriced=repriced)


SEEDS = range(8)


def test_random_tables_are_changed_in_every_way():
    changes = [change for seed in SEEDS for change in random_case(seed)[3]]
    assert {change.action for change in changes} == {"add", "re-prioritise", "narrow", "retire"}
    assert len(changes) > 3 * len(SEEDS)
    assert any(change.evidence.broken for change in changes)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_evidence_equals_a_recount_from_the_amended_tables(seed):
    table, train, valid, changes = random_case(seed)
    weight = sum(math.sqrt(count) for count in valid.records)
    for number, change in enumerate(changes):
        before, after = amend(table, changes[:number]), amend(table, changes[: number + 1])
        evidence = change.evidence
        points = [new - old for old, new in zip(worth(before, valid), worth(after, valid), strict=True)]
        assert evidence.lift == pytest.approx(sum(points) / weight)
        low = sum(points) - 1.6448536269514722 * math.sqrt(sum(point**2 for point in points))
        assert evidence.lift_low == pytest.approx(low / weight)
        assert evidence.lift_low > 0
        ahead = [new - old for old, new in zip(n_right(before, valid), n_right(after, valid), strict=True)]
        for sign, count, examples in (
            (1, evidence.fixed, evidence.examples),
            (-1, evidence.broken, evidence.counter_examples),
        ):
            chosen = [at for at, gain in enumerate(ahead) if gain * sign > 0]
            assert count == len(chosen)
            listed = sorted((-valid.records[at], valid.titles[at]) for at in chosen)
            assert examples == tuple(title for _, title in listed[:3])
        own = table.rows[table.rows["line"] == change.line]
        match = own["match"].item() if change.action == "retire" else change.match
        held = [at for at, title in enumerate(train.titles) if matches(change.keyword, match, title)]
        assert (evidence.support_titles, evidence.support_records) == (len(held), train.records[held].sum())
        right = judged_by_hand(change, before, after, valid)
        assert evidence.judged_titles == len(right)
        if right:
            assert evidence.precision == sum(right) / len(right)
            bounds = (evidence.precision_low, evidence.precision_high)
            assert bounds == pytest.approx(wilson(sum(right), len(right)))
        if change.action != "add":
            assert (own["priority"].item(), own["match"].item()) == (change.old_priority, change.old_match)


def judged_by_hand(change, before, after, valid):
    """Say of each title that a change is judged by whether all is right there."""
    old, new = classes_of(before, valid.titles), classes_of(after, valid.titles)
    top = {name: valid.top_classes(name) for name in TAXONOMY.names}
    if change.action == "retire":
        decided = {name: [a != b for a, b in zip(old[name], new[name], strict=True)] for name in TAXONOMY.names}
    else:
        rows = after.rows
        same = (rows["keyword"] == change.keyword) & (rows["match"] == change.match)
        for name, label in change.labels.items():
            same &= rows[name] == label
        (row,) = np.flatnonzero(same)
        decided = {name: after.winners(valid.titles)[name] == row for name in TAXONOMY.names}
    found = []
    for at in range(len(valid)):
        targets = [name for name in TAXONOMY.names if decided[name][at]]
        if targets:
            found.append(all(new[name][at] == top[name][at] for name in targets))
    return found
