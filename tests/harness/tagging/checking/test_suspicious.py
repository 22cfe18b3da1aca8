"""Titles whose answer is doubtful: every kind, and titles that are none of them."""

import polars as pl
import pytest

from harness.tagging.checking.no_titles import is_no_title
from harness.tagging.checking.suspicious import DISAGREE, NOT_HELD, find_suspicious, records_by_kind
from tests.harness.tagging.checking.given_answers import answered

ROWS = [
    ("ciso", 1, "Tech", "Boss"), ("cio", 1, "Tech", "Boss"), ("president", 1, "", "Boss"),
    ("assistant", 9, "", "Staff"),
    ("cloud", 3, "Tech", ""), ("buyer", 3, "Trade", ""), ("data", 4, "Tech", ""), ("cloud buyer", 3, "Trade", ""),
]  # fmt: skip


def kinds(titles):
    found = answered(titles, ROWS)
    suspicious = find_suspicious(found)
    named = found.texts.gather(suspicious["position"])
    return dict(zip(named, suspicious.select("kind", "why").iter_rows(), strict=True))


@pytest.mark.parametrize(
    "text",
    ["asdf", "ddsfsdf", "info@example.org", "www.example.org", "Acme Inc.", "TBD", "not applicable", "N/A", "-", "123",
     "Not a manager", "I am between jobs", "=cmd|x", r"¯\_(ツ)_/¯", "xxx"],
)  # fmt: skip
def test_what_is_no_job_title_is_told_by_its_form(text):
    assert is_no_title(pl.Series([text])).to_list() == [True]


@pytest.mark.parametrize(
    "text",
    ["ASP.NET Developer", "QA", "C++ Engineer", "Rhythm Guitarist", "HR", "R&D", "Queueing Analyst", "CEO", "IT"],
)
def test_short_and_odd_job_titles_are_titles(text):
    assert is_no_title(pl.Series([text])).to_list() == [False]


@pytest.mark.parametrize(
    "title", ["Former CISO", "ex-CIO", "Retired CISO", "Aspiring CISO", "Past President", "Assistant to the CIO",
              "Office of the CIO"],
)  # fmt: skip
def test_a_rank_that_is_not_held_is_found_where_it_decides(title):
    assert kinds({title: 2, "CISO": 1})[title][0] == NOT_HELD


@pytest.mark.parametrize("title", ["CISO", "CISO, former agent", "Vice President", "Assistant Buyer"])
def test_a_rank_that_is_held_is_not_doubted(title):
    assert title not in kinds({title: 2, "CIO": 1})


def test_rows_of_the_same_and_of_the_next_priority_disagree_and_a_longer_keyword_does_not():
    found = kinds({"Cloud and Buyer": 3, "Data Buyer": 2, "Cloud Buyer": 1})
    kind, why = found["Cloud and Buyer"]
    assert kind == DISAGREE
    assert why == "'cloud' (line 6) says field Tech, 'buyer' (line 7) of the same priority says field Trade"
    assert "of the next priority" in found["Data Buyer"][1]
    # The longer keyword outranks both, and holds them.
    assert "Cloud Buyer" not in found


def test_records_are_counted_once_for_each_kind():
    found = answered({"Bus Driver": 7, "Former CISO": 3, "asdf": 2, "CISO": 9}, ROWS)
    assert records_by_kind(find_suspicious(found), found) == {"not a title": 2, "no row matches": 7, NOT_HELD: 3}
