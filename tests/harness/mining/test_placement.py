"""Planted faults of a table are fixed, useless changes are left out, and all evidence is recounted."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

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


def run(table, labels, *, offered=(), changed=False, refused=(), max_changes=50, tested=()):
    """Place new rows and, where that is asked for, changed ones."""
    placement = Placement.begin(table, labels, tested)
    subjects = new_rows(candidates(*offered), table, labels)
    if changed:
        subjects += changed_rows(table, placement, table)
    placement.run([not_refused(subject, refused) for subject in subjects], max_changes)
    return placement


def place(table, labels, **options):
    return suggest(run(table, labels, **options).placed, table, table, labels, "the judge")


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
    changes = place(sales, labels, offered=offered)
    # At 4 it outranks "sales", which is shorter; at 2 it would break what "office" has right.
    assert told(changes) == [("add", "threat hunter", "word", 4.0, "Security", "Contributor")]
    assert (changes[0].line, changes[0].old_priority, changes[0].old_match) == (None, None, None)
    evidence = changes[0].evidence
    assert (evidence.believed_fixed, evidence.believed_broken, evidence.support_titles) == (12, 0, 12)
    # All of 6 titles, and the level alone of 6 others.
    assert evidence.lift == pytest.approx((6 + 6 / 4) / 12)
    assert evidence.p_value == pytest.approx(0.5**12)
    assert (evidence.importance, evidence.judge) == (0.5, "the judge")
    assert "'threat hunter'" in changes[0].rationale
    assert "of reviewed titles 0 are fixed and 0 broken, of others 12 and 0" in changes[0].rationale


def test_a_new_row_sets_only_the_targets_that_it_is_right_about(sales):
    labels = certain(titles("{} threat hunter sales", ("Security", "Executive")))
    offered = [("function", "threat hunter", "Security"), ("level", "threat hunter", "Contributor")]
    assert told(place(sales, labels, offered=offered)) == [("add", "threat hunter", "word", 4.0, "Security")]


@pytest.mark.parametrize(
    ("classes", "offered"),
    [
        (SECURITY, ("function", "sales", "Other")),  # what the table says already
        (SECURITY, ("function", "nobody", "Security")),  # in no title
        (SECURITY, ("function", "threat hunter", "IT")),  # never right
    ],
)
def test_a_useless_keyword_is_not_added(sales, classes, offered):
    assert place(sales, certain(titles("{} threat hunter sales", classes)), offered=[offered]) == []


def test_a_keyword_that_is_wrong_nearly_as_often_as_right_is_only_nearly_added(sales):
    mixed = titles("{} hunter a", SECURITY) | titles("{} hunter b", ("IT", "Contributor"), SHIFTS[:4])
    table = table_of(("a", 9, {"function": "Other"}, "word"), ("b", 9, {"function": "IT"}, "word"))
    placement = run(table, certain(mixed), offered=[("function", "hunter", "Security")])
    assert placement.placed == []
    (nearly,) = suggest(placement.nearly, table, table, certain(mixed), "the judge")
    assert (nearly.keyword, nearly.evidence.fixed, nearly.evidence.broken) == ("hunter", 6, 4)


@pytest.mark.parametrize(("n_titles", "n_others", "n_changes"), [(3, 0, 0), (4, 0, 1), (4, 1, 0), (6, 5, 1), (6, 6, 0)])
def test_more_candidates_ask_for_more_evidence(sales, n_titles, n_others, n_changes):
    """At a false-discovery rate of 10%, one of n candidates needs a p-value of .1 / n."""
    labels = certain(titles("{} threat hunter sales", SECURITY, SHIFTS[:n_titles]))
    others = [("function", f"nobody{number}", "Security") for number in range(n_others)]
    changes = place(sales, labels, offered=[("function", "threat hunter", "Security"), *others])
    assert len(changes) == n_changes


def test_what_was_tested_before_counts_among_all(sales):
    labels = certain(titles("{} threat hunter sales", SECURITY, SHIFTS[:4]))
    offered = [("function", "threat hunter", "Security")]
    assert len(place(sales, labels, offered=offered, tested=[1e-9])) == 1
    assert len(place(sales, labels, offered=offered, tested=[1.0])) == 0


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
    changes = place(table, labels, changed=True)
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
    ("other", "change"),
    [
        (5, ("retire", "sales", "substring", 4.0, "Other")),
        (3, None),
        (50, ("re-prioritise", "sales", "substring", 50.0, "Other")),
    ],
)
def test_a_row_that_only_does_harm_is_demoted_where_that_helps_and_retired_else(other, change):
    rows = [("sales", 4, {"function": "Other"}), ("threat", 5 if other == 50 else other, {"function": "Security"})]
    table = table_of(*rows, *([("nobody", 50, {"function": "IT"})] if other == 50 else []))
    labels = certain(titles("{} sales threat", SECURITY) | titles("{} sales", OTHER))
    found = place(table, labels, changed=True)
    if change is None:
        assert found == []
        return
    (suggestion,) = found
    # With no priority beyond that of "threat" but its own, "sales" is demoted to it, being shorter.
    assert told([suggestion])[0][:2] in {("re-prioritise", "sales"), change[:2]}
    assert (suggestion.line, suggestion.old_priority, suggestion.evidence.importance) == (2, 4.0, None)
    assert (suggestion.evidence.fixed, suggestion.evidence.broken) == (6, 0)


@pytest.mark.parametrize(("n_for", "n_against", "n_changes"), [(0, 0, 1), (1, 0, 1), (1, 1, 0), (2, 1, 1), (1, 2, 0)])
def test_more_reviewed_titles_must_be_fixed_than_broken(n_for, n_against, n_changes):
    """Where a person has labelled titles that change, as many for as against do not do, whatever is believed."""
    table = table_of(("sales", 4, {"function": "Other"}))
    against = titles("{} hunter sales director", OTHER, SHIFTS[:n_against])
    unrelated = {"reviewed nurse": OTHER}
    believed = titles("{} threat hunter sales", SECURITY, [f"{a}{b}" for a in SHIFTS for b in "xyz"])
    reviewed = (*list(believed)[:n_for], *against, *unrelated)
    labels = certain(believed | against | unrelated, reviewed=reviewed)
    changes = place(table, labels, offered=[("function", "hunter", "Security")])
    assert len(changes) == n_changes
    for change in changes:
        evidence = change.evidence
        assert (evidence.reviewed_fixed, evidence.reviewed_broken, evidence.believed_fixed) == (
            n_for,
            n_against,
            18 - n_for,
        )


def test_what_gains_most_comes_first_and_later_changes_count_on_top():
    table = table_of(("sales", 4, {"function": "Other"}))
    labels = certain(
        titles("{} sales controls", SECURITY)
        | titles("{} sales network", ("IT", "Contributor"))
        | titles("{} sales network controls", SECURITY, SHIFTS[:5])
    )
    offered = [
        *(("function", "network", "IT"), ("function", "controls", "Security")),
        ("function", "network controls", "Security"),
    ]
    changes = place(table, labels, offered=offered)
    # What "controls" has fixed, "network controls" cannot fix again.
    assert [change.keyword for change in changes] == ["controls", "network"]
    assert [(change.evidence.fixed, change.evidence.broken) for change in changes] == [(11, 0), (6, 0)]
    assert [change.keyword for change in place(table, labels, offered=offered, max_changes=1)] == ["controls"]


def test_a_change_may_become_worth_it_by_another():
    table = table_of(("supervisor", 2, {"function": "IT"}), ("nobody", 4, {"function": "IT"}))
    hunters = titles("{} supervisor hunter", SECURITY, SHIFTS[:5]) | titles("{} hunter", SECURITY, SHIFTS[:2])
    labels = certain(titles("{} supervisor", OTHER) | hunters)
    changes = place(table, labels, offered=[("function", "hunter", "Security")], changed=True)
    assert {change.keyword for change in changes} == {"supervisor", "hunter"}
    assert sum(change.evidence.fixed for change in changes) == 13


def test_two_changes_that_only_gain_together_are_made_as_a_pair():
    """A new row at 1 would break what "head" has right, and at 5 it loses to "tech", unless that moves to 5 as well."""
    table = table_of(
        *((word, 1, {"function": label}) for word, label in (("tech", "IT"), ("head", "Security"))),
        ("nobody", 5, {"level": "Executive"}),
    )
    shifts = [f"{a}{b}" for a in SHIFTS for b in "xy"]
    labels = certain(
        titles("{} tech writer", OTHER, shifts)
        | titles("{} head writer", SECURITY, [f"{shift}{c}" for shift in shifts for c in "zw"])
        | titles("{} tech", ("IT", "Contributor"))
    )
    offered = [("function", "writer", "Other")]
    assert place(table, labels, offered=offered) == []
    assert place(table, labels, changed=True) == []
    changes = place(table, labels, offered=offered, changed=True)
    assert told(changes) == [
        ("re-prioritise", "tech", "substring", 5.0, "IT"),
        ("add", "writer", "word", 5.0, "Other"),
    ]
    assert {change.group for change in changes} == {"tech + writer"}
    assert [(change.evidence.fixed, change.evidence.broken) for change in changes] == [(12, 0), (12, 0)]
    assert classes_of(amend(table, changes), labels.titles)["function"] == labels.top_classes("function").tolist()


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
    labels = certain(titles("{} director", OTHER) | titles("{} cto", ("IT", "Executive"), SHIFTS[:1]))
    found = place(table, labels, changed=True, refused=refused)
    assert [change.action for change in found] == actions
    assert all(change.key not in refused for change in found)


def test_a_keyword_that_was_rejected_as_a_new_row_is_not_offered_with_other_labels(sales):
    offered = [("function", "threat hunter", "Security"), ("level", "threat hunter", "Contributor")]
    assert place(sales, certain(HUNTERS), offered=offered, refused=["add|threat hunter"]) == []


def test_a_row_is_not_narrowed_to_what_another_row_is_already():
    rows = [("cto", 1, {"function": "IT"}), ("cto", 9, {"function": "IT"}, "prefix")]
    labels = certain(titles("{} director", OTHER) | titles("{} cto", ("IT", "Contributor")))
    changes = place(table_of(*rows), labels, changed=True)
    assert told(changes) == [("narrow", "cto", "word", 1.0, "IT")]
    assert len(amend(table_of(*rows), changes)) == 2


def test_a_narrowed_row_is_judged_by_what_whole_words_match():
    # As words, "i.t" is also in "I T nurse", which the substring does not match.
    table = table_of(("i.t", 1, {"function": "IT"}), ("nurse", 1, {"function": "Other"}))
    harmed = titles("{} I T nurses", OTHER)
    labels = certain(titles("{} audi.t nurses", OTHER) | harmed | titles("{} i.t", ("IT", "Contributor")))
    assert [change.match for change in place(table, labels, changed=True)] == []


def test_a_gap_row_is_placed_like_any_other():
    table = table_of(("engineer", 2, {"level": "Contributor"}), ("head", 1, {"level": "Executive"}))
    labels = certain(titles("engineer {} lead", ("Other", "Executive")) | titles("lead {} engineer", OTHER))
    changes = place(table, labels, offered=[("level", "engineer * lead", "Executive", "gap")])
    assert told(changes) == [("add", "engineer * lead", "gap", 2.0, "Executive")]
    assert classes_of(amend(table, changes), labels.titles)["level"] == labels.top_classes("level").tolist()


def random_case(seed):
    """A random table, labels after another one, and the changes that are placed."""
    random = np.random.default_rng(seed)
    table, hidden = (weighed(random_table(random, 12)) for _ in range(2))
    labels = random_labels(random, hidden, random_titles(random, 400))
    held = set(table.rows["keyword"].str.lower())  # as `candidates.may_be_keywords` leaves them out
    offered = []
    for word, match in (*((word, "word") for word in WORDS), ("secur", "prefix"), ("sal", "prefix")):
        rows = [at for at, title in enumerate(labels.titles) if matches(word, match, title)]
        for target in TAXONOMY.targets:
            if word not in held and random.random() < 0.7:
                best = labels.shares[target.name][rows].sum(axis=0).argmax()
                offered.append((target.name, word, target.classes[best], match))
    return table, labels, place(table, labels, offered=offered, changed=True)


SEEDS = range(8)


def test_random_tables_are_changed_in_every_way():
    changes = [change for seed in SEEDS for change in random_case(seed)[2]]
    assert {change.action for change in changes} == {"add", "re-prioritise", "narrow", "retire"}
    assert len(changes) > 3 * len(SEEDS)
    assert any(change.evidence.broken for change in changes)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_evidence_equals_a_recount_from_the_amended_tables(seed):
    table, labels, changes = random_case(seed)
    for number, change in enumerate(changes):
        if change.group:
            continue
        before, after = amend(table, changes[:number]), amend(table, changes[: number + 1])
        evidence = change.evidence
        points = [new - old for old, new in zip(worth(before, labels), worth(after, labels), strict=True)]
        assert evidence.lift == pytest.approx(sum(points) / len(labels))
        ahead = [new - old for old, new in zip(n_right(before, labels), n_right(after, labels), strict=True)]
        for sign, kind, examples in ((1, "fixed", evidence.examples), (-1, "broken", evidence.counter_examples)):
            chosen = [at for at, gain in enumerate(ahead) if gain * sign > 0]
            assert getattr(evidence, f"reviewed_{kind}") == labels.reviewed[chosen].sum()
            assert getattr(evidence, f"believed_{kind}") == (~labels.reviewed[chosen]).sum()
            listed = sorted((not labels.reviewed[at], -labels.records[at], labels.titles[at]) for at in chosen)
            assert examples == tuple(title for *_, title in listed[:3])
        sign_test = binomtest(evidence.fixed, evidence.fixed + evidence.broken, alternative="greater")
        assert evidence.p_value == pytest.approx(sign_test.pvalue)
        reviewed = evidence.reviewed_fixed, evidence.reviewed_broken
        assert reviewed[0] > reviewed[1] or reviewed == (0, 0)
        own = table.rows[table.rows["line"] == change.line]
        match = own["match"].item() if change.action == "retire" else change.match
        held = [at for at, title in enumerate(labels.titles) if matches(change.keyword, match, title)]
        assert (evidence.support_titles, evidence.support_records) == (len(held), labels.records[held].sum())
        if change.action != "add":
            assert (own["priority"].item(), own["match"].item()) == (change.old_priority, change.old_match)
