"""What a change is remembered by, and a table with changes made."""

import pytest

from data_cleaning.errors import BadInput
from harness.keywords.suggestions import Suggestion, amend, key_of
from tests.harness.keywords.given_suggestions import EVIDENCE
from tests.harness.mining.given_labels import TAXONOMY, table_of

IT = {"function": "IT", "level": ""}
BOTH = {"function": "IT", "level": "Executive"}


@pytest.mark.parametrize(
    ("action", "keyword", "labels", "key"),
    [
        # A new keyword is known whatever it was to say.
        ("add", "DevOps", IT, "add|devops"),
        ("add", "devops", BOTH, "add|devops"),
        ("retire", "CTO", {"level": "Executive", "function": "IT"}, "retire|cto|function=IT|level=Executive"),
        ("narrow", "cto", IT, "narrow|cto|function=IT"),
        ("re-prioritise", "cto", IT, "re-prioritise|cto|function=IT"),
    ],
)
def test_a_change_is_remembered_without_line_match_and_priority(action, keyword, labels, key):
    assert key_of(action, keyword, labels) == key
    assert change(action, keyword, labels=labels, line=7, priority=3.0, match="word").key == key


def change(action, keyword, *, labels=IT, priority=1.0, match="substring", line=None):
    return Suggestion(
        action=action, keyword=keyword, priority=priority, match=match, labels=labels, line=line, evidence=EVIDENCE,
        rationale="",
    )  # fmt: skip


TABLE = table_of(
    ("cto", 1, {"function": "IT"}),
    ("sales", 4, {"function": "Other"}),
    ("nurse", 4, {"level": "Contributor"}),
    ("chief", 2, {"level": "C-Level"}, "prefix"),
)


def test_rows_keep_their_order_and_new_ones_come_last():
    changes = [
        change("add", "threat hunt", match="prefix", priority=2.5, labels={"function": "Security", "level": ""}),
        change("retire", "sales", line=3),
        change("narrow", "cto", match="word", line=2),
        change("re-prioritise", "chief", match="prefix", priority=9.0, line=5, labels={"function": "", "level": "x"}),
        change("add", "ciso", labels=BOTH),
    ]
    amended = amend(TABLE, changes)
    assert amended.rows[["line", "keyword", "priority", "match", *TAXONOMY.names]].to_numpy().tolist() == [
        [2, "cto", 1.0, "word", "IT", ""],
        [3, "nurse", 4.0, "substring", "", "Contributor"],
        [4, "chief", 9.0, "prefix", "", "C-Level"],
        [5, "threat hunt", 2.5, "prefix", "Security", ""],
        [6, "ciso", 1.0, "substring", "IT", "Executive"],
    ]
    assert len(TABLE) == 4
    assert TABLE.rows["match"].tolist() == ["substring", "substring", "substring", "prefix"]
    assert amend(TABLE, []).rows.equals(TABLE.rows)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([change("retire", "cto", line=3)], "retire 'cto' is for line 3 of another table"),
        ([change("narrow", "cto", line=99)], "for line 99 of another table"),
        ([change("narrow", "cto")], "for line None of another table"),
        ([change("retire", "cto", line=2), change("narrow", "cto", line=2)], "narrow 'cto' is for line 2"),
        ([change("add", "CTO")], "the amended table: line 6: repeats the function of 'CTO' that line 2 sets"),
        ([change("retire", row, line=2 + at) for at, row in enumerate(TABLE.rows["keyword"])], "a header and no row"),
    ],
)
def test_changes_that_the_table_cannot_take_are_bad_input(changes, message):
    with pytest.raises(BadInput, match=message):
        amend(TABLE, changes)
