"""Every title whose classes change is named, with the row that moves it and what its labels say."""

from collections import defaultdict

import numpy as np
import polars as pl
import pytest

from harness.keywords.table_difference import diff_rows, diff_tables, match_rows
from tests.harness.mining.by_hand import TAXONOMY, ByHand, table_of, titles_of
from tests.harness.mining.drawn import random_reference, random_table, random_titles, reference_frame


@pytest.fixture(scope="module", params=range(5))
def compared(request):
    random = np.random.default_rng(100 + request.param)
    old, new = random_table(random, 18), random_table(random, 18)
    counts = random_titles(random, 80)
    labels = random_reference(random, counts)
    difference = diff_tables(old, new, titles_of(counts), reference_frame(labels))
    return difference, ByHand(old, counts, {"labels": labels}), ByHand(new, counts, {"labels": labels}), (old, new)


def moved_by_hand(before: ByHand, after: ByHand):
    """Yield title, target, and the rows that decide before and after, wherever the class changes."""
    for title in before.counts:
        for target in TAXONOMY.names:
            rows = before.winner(title, target), after.winner(title, target)
            if before.class_of(rows[0], target) != after.class_of(rows[1], target):
                yield title, target, rows


def test_titles_that_change_are_those_of_a_recount(compared):
    difference, before, after, _ = compared
    expected = []
    for title, target, (old_row, new_row) in moved_by_hand(before, after):
        line = {"title": title, "records": before.counts[title], "target": target}
        line["old_class"], line["new_class"] = before.class_of(old_row, target), after.class_of(new_row, target)
        for side, by_hand, row in (("old", before, old_row), ("new", after, new_row)):
            for name in ("line", "keyword"):
                line[f"{side}_{name}"] = by_hand.rows[row][name] if row >= 0 else None
        labels = before.labels("labels", title, target)
        better, worse = labels[line["new_class"]], labels[line["old_class"]]
        neither = sum(labels.values()) - better - worse
        line |= {"better_records": better, "worse_records": worse, "neither_records": neither}
        line["verdict"] = "better" if better > worse else "worse" if worse > better else "neither" if labels else None
        expected.append(line)
    assert difference.titles.drop("change").sort("title", "target").to_dicts() == sorted(
        expected, key=lambda line: (line["title"], line["target"])
    )
    assert difference.titles["records"].is_sorted(descending=True)


def test_the_summary_adds_titles_up(compared):
    difference, before, _, _ = compared
    for line in difference.summary.to_dicts():
        chosen = difference.titles.filter((pl.col("target") == line["target"]) | (line["target"] == "any"))
        titles = set(chosen["title"])
        assert (line["titles"], line["records"]) == (len(titles), before.records(titles))
        for name in ("better_records", "worse_records", "neither_records"):
            assert line[name] == (None if line["target"] == "any" else chosen[name].sum())


def test_each_changed_title_is_moved_by_one_changed_row(compared):
    difference, before, after, (old, new) = compared
    change_of = defaultdict(dict)
    for change in match_rows(old, new):
        change_of["old"][change.old], change_of["new"][change.new] = change, change
    moved = defaultdict(set)
    for title, target, (old_row, new_row) in moved_by_hand(before, after):
        becomes, was = change_of["new"].get(new_row), change_of["old"].get(old_row)
        mover = becomes if becomes and (target in becomes.targets or not (was and target in was.targets)) else was
        side = ("new", after, mover.new) if mover.new is not None else ("old", before, mover.old)
        moved[side[0], side[1].rows[side[2]]["line"]].add(title)
    for line in difference.rows.to_dicts():
        place = ("new", line["new_line"]) if line["new_line"] is not None else ("old", line["old_line"])
        titles = moved.pop(place, set())
        assert (line["titles"], line["records"]) == (len(titles), before.records(titles))
    assert not moved
    verdicts = difference.rows.select("better_verdicts", "worse_verdicts", "neither_verdicts").sum().row(0)
    assert verdicts == difference.titles.select("better_records", "worse_records", "neither_records").sum().row(0)


def test_without_labels_nothing_is_said_of_better_and_worse(compared):
    difference, before, _, (old, new) = compared
    bare = diff_tables(old, new, titles_of(before.counts))
    assert bare.titles.equals(difference.titles.drop("better_records", "worse_records", "neither_records", "verdict"))
    assert bare.rows.columns == [name for name in difference.rows.columns if not name.endswith("_verdicts")]
    assert bare.summary.columns == ["target", "titles", "records"]


def test_without_titles_only_rows_are_compared(compared):
    difference, _, _, (old, new) = compared
    rows = diff_rows(old, new)
    assert (rows.titles, rows.summary) == (None, None)
    keys = ["old_line", "new_line"]
    known = difference.rows.filter(pl.col("change") != "reordered").select(rows.rows.columns)
    assert rows.rows.sort(keys).equals(known.sort(keys))


@pytest.mark.parametrize(
    ("before", "after", "change", "details"),
    [
        (("cto", 1, {"function": "IT"}), ("CTO", 2.5, {"function": "IT"}), "re-prioritised", "priority 1 to 2.5"),
        (("cto", 1, {"function": "IT"}), ("cto", 1, {"function": "IT"}, "word"), "rematched", "substring to word"),
        (
            ("cto", 1, {"function": "IT"}),
            ("cto", 1, {"function": "Engineering", "level": "C-Level"}),
            *("relabelled", "function: IT to Engineering; level: none to C-Level"),
        ),
        (
            ("cto", 1, {"function": "IT"}, "prefix"),
            ("cto", 3, {"function": "Other"}),
            *("re-prioritised, rematched, relabelled", "priority 1 to 3; prefix to substring; function: IT to Other"),
        ),
    ],
)
def test_the_audit_says_what_became_of_each_row(before, after, change, details):
    rows = diff_rows(table_of(before), table_of(after)).rows
    assert rows.select("change", "old_line", "new_line", "details").rows() == [(change, 2, 2, details)]


def test_rows_without_a_partner_were_added_or_removed():
    old = table_of(("cto", 1, {"function": "IT"}), ("vp", 1, {"level": "Executive"}))
    new = table_of(
        ("vp", 1, {"level": "Executive"}), ("ciso", 4, {"function": "Cyber"}), ("cto", 1, {"level": "C-Level"})
    )
    rows = diff_rows(old, new).rows
    assert rows.select("change", "keyword", "old_line", "new_line", "details").rows() == [
        ("added", "ciso", None, 3, "priority 4; substring; function: Cyber"),
        ("added", "cto", None, 4, "priority 1; substring; level: C-Level"),
        ("removed", "cto", 2, None, "priority 1; substring; function: IT"),
    ]
    assert rows.select("old_priority", "new_match", "new_labels").row(0) == (None, "substring", "function: Cyber")


def test_rows_of_one_keyword_are_paired_with_those_that_they_resemble_most():
    old = table_of(("cto", 1, {"function": "IT"}), ("cto", 9, {"function": "Other"}, "word"))
    new = table_of(("cto", 9, {"function": "IT"}, "word"), ("cto", 1, {"function": "Cyber"}))
    pairs = {(change.old, change.new): change.kinds for change in match_rows(old, new)}
    assert pairs == {(1, 0): ("relabelled",), (0, 1): ("relabelled",)}


def test_a_title_goes_to_the_row_that_moves_it():
    old = table_of(
        ("sales", 5, {"function": "Other"}), ("tech", 3, {"function": "IT"}), ("chief", 1, {"level": "Executive"})
    )
    new = table_of(
        ("sales", 5, {"function": "Other"}), ("tech", 8, {"function": "IT"}), ("audit", 1, {"function": "Cyber"})
    )
    titles = {"tech sales": 4, "tech audit": 3, "chief": 2, "chief audit": 1, "sales": 9}
    found = diff_tables(old, new, titles_of(titles))
    assert found.titles.select("title", "target", "old_keyword", "new_keyword", "change").rows() == [
        ("tech sales", "function", "tech", "sales", "re-prioritised"),
        ("tech audit", "function", "tech", "audit", "added"),
        ("chief", "level", "chief", None, "removed"),
        ("chief audit", "function", None, "audit", "added"),
        ("chief audit", "level", "chief", None, "removed"),
    ]
    assert found.rows.select("keyword", "titles", "records").rows() == [
        ("tech", 1, 4),
        ("audit", 2, 4),
        ("chief", 2, 3),
    ]


def test_rows_that_changed_places_alone_are_reordered():
    old = table_of(("sales", 1, {"function": "Other"}), ("audit", 1, {"function": "IT"}))
    new = table_of(("audit", 1, {"function": "IT"}), ("sales", 1, {"function": "Other"}))
    found = diff_tables(old, new, titles_of({"sales audit": 2}))
    assert found.titles["change"].to_list() == ["reordered"]
    assert found.rows.select("change", "keyword", "details", "records").rows() == [
        ("reordered", "audit", "line 3 to 2", 2)
    ]
    assert diff_rows(old, new).rows.is_empty()


def test_equal_tables_differ_in_nothing():
    table = table_of(("sales", 1, {"function": "Other"}))
    found = diff_tables(table, table, titles_of({"sales": 2}), pl.DataFrame({"title": ["sales"], "count": [2]}))
    assert found.titles.is_empty()
    assert found.rows.is_empty()
    assert found.summary["records"].to_list() == [0, 0, 0]


def test_another_label_of_the_same_class_moves_no_title():
    old, new = table_of(("sales", 1, {"function": "IT"})), table_of(("sales", 1, {"function": "Engineering"}))
    found = diff_tables(old, new, titles_of({"sales": 2}))
    assert found.titles.is_empty()
    assert found.rows.select("change", "records").rows() == [("relabelled", 0)]


def test_a_mask_moves_the_titles_in_which_it_hides_words():
    cto = ("cto", 1, {"function": "IT"}, "word")
    old, new = (
        table_of(cto),
        table_of(cto, ("former *", 50, {"function": "Other"}, "mask"), ("was *", 50, {"level": "Executive"}, "mask")),
    )
    difference = diff_tables(old, new, titles_of({"Former CTO": 3, "CTO": 2, "was CTO": 1}))
    moved = difference.titles.filter(pl.col("target") == "function")
    assert moved.select("title", "new_keyword", "change").rows() == [("Former CTO", "former *", "added")]
    back = diff_tables(new, old, titles_of({"Former CTO": 3}))
    assert back.rows.filter(pl.col("records") > 0)["keyword"].to_list() == ["former *"]
