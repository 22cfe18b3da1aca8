import polars as pl
import pytest

from data_cleaning.near_duplicates import near_duplicate_keys, near_duplicate_report


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("IT Manager", "it manager"),
        ("Director of IT", "IT Director"),
        ("Director, IT", "I.T. Director"),
        ("Sr. Mgr InfoSec & Compliance", "Senior Manager - Information Security / Compliance"),
        ("VP Engineering", "Vice President of Engineering"),
        ("V.P., Engineering", "engineering vp"),
        ("Chief Information Security Officer", "CISO"),
        ("Cyber Security Analyst", "Cybersecurity  Analyst"),
        ("Director Information Technology", "IT Director"),
    ],
)
def test_titles_that_differ_only_in_form_share_a_key(one, other):
    first, second = near_duplicate_keys([one, other])
    assert first == second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("IT Manager", "IT Director"),
        ("Security Engineer", "Security Engineer II"),
        ("VP Engineering", "SVP Engineering"),
        ("C Developer", "C++ Developer"),
        ("???", "!!!"),
    ],
)
def test_titles_with_different_meanings_have_different_keys(one, other):
    first, second = near_duplicate_keys([one, other])
    assert first != second


def test_a_title_without_letters_keeps_a_key_of_its_own():
    assert near_duplicate_keys(["", "--"]).to_list() == ["", "--"]


def test_the_report_lists_titles_that_share_a_key_the_most_frequent_first():
    titles = ["VP, IT", "Cook", "IT Mgr.", "it manager", "Vice President of IT", "Manager, IT"]
    report = near_duplicate_report(pl.DataFrame({"title": titles, "count": [1, 50, 4, 2, 9, 2]}))
    assert report.rows() == [
        ("it vp", 2, 10, "Vice President of IT", 9),
        ("it vp", 2, 10, "VP, IT", 1),
        ("it manager", 3, 8, "IT Mgr.", 4),
        ("it manager", 3, 8, "Manager, IT", 2),
        ("it manager", 3, 8, "it manager", 2),
    ]
