"""Rows to narrow, to re-prioritise and to delete."""

from dataclasses import replace

from baselines.table_cells import Question
from baselines.table_file import Duplicate
from harness.tagging.checking.keyword_problems import find_keyword_problems
from tests.harness.tagging.checking.given_answers import answered

ROWS = [
    ("cto", 1, "Tech", "Boss"), ("sales", 2, "Trade", ""), ("cloud", 3, "Tech", ""), ("buyer", 3, "Trade", ""),
    ("cloud sales", 4, "Tech", ""), ("never", 5, "Tech", ""),
]  # fmt: skip
TITLES = {"Sales Director": 9, "CTO": 4, "Cloud and Buyer": 3, "Cloud Sales": 2}


def problems(duplicates=()):
    found = answered(TITLES, ROWS)
    return find_keyword_problems(replace(found, table=replace(found.table, duplicates=tuple(duplicates))))


def test_most_records_come_first_and_rows_that_decide_nothing_last():
    assert [(one.keyword, one.kind, one.records) for one in problems()] == [
        ("cto", "decides inside longer words", 9),
        ("cloud", "ties with another row", 3),
        ("cloud sales", "a broader row outranks it", 2),
        ("cloud sales", "can never decide", 0),
        ("buyer", "outranked each time", 0),
        ("never", "never matches", 0),
    ]


def test_a_row_to_narrow_says_what_it_decides_afterwards():
    first = problems()[0]
    assert first.why == "In 9 of the 13 records that it decides it is only inside 'director' (9)."
    assert first.todo == "Set its match to word; it then decides 4 records."
    assert first.examples == "Sales Director (9)"


def test_rows_that_repeat_others_are_named_with_both_lines():
    repeated = Duplicate(
        line=9, first_line=2, keyword="cto", match="substring", target="grade", label="Lead", first_label="Boss"
    )
    (one,) = [one for one in problems([repeated]) if one.kind == "repeats an earlier row"]
    assert (one.line, one.keyword) == (9, "cto")
    assert one.why == (
        "It repeats the grade of line 2, with another label, 'Lead' and not 'Boss'; the earlier row counts."
    )


def test_a_keyword_that_is_probably_not_meant_is_questioned_once():
    found = answered(TITLES, ROWS)
    question = Question(line=7, keyword="never", reason="a date may stand for a word")
    asked = find_keyword_problems(replace(found, table=replace(found.table, questions=(question,))))
    (one,) = [one for one in asked if one.keyword == "never"]
    assert (one.kind, one.why) == ("probably not what was meant", "A date may stand for a word.")
