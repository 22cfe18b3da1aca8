"""Which matches inside longer words are accidents, and what is answered without them."""

import pytest

from harness.tagging.checking.answered import classes_of
from tests.harness.tagging.checking.given_answers import TAXONOMY, answered


@pytest.mark.parametrize(
    ("keyword", "title", "is_accident"),
    [
        ("cto", "Director", True),
        ("intern", "Internal Auditor", True),
        ("coo", "Coordinator", True),
        ("it manager", "Credit Manager", True),
        ("server", "Observer", True),
        ("recruit", "Recruiter", False),
        ("vulnerab", "Vulnerability Analyst", False),
        ("threat intel", "Threat Intelligence Analyst", False),
        ("scientist", "Geoscientist", False),
        ("cto", "CTO", False),
    ],
)
def test_a_keyword_inside_a_longer_word_is_an_accident_unless_it_is_a_stem_or_a_long_word(keyword, title, is_accident):
    # The leads have the keyword's own words elsewhere.
    found = answered({title: 3, "Intern": 1, "COO": 1, "Intel Officer": 1}, [(keyword, 1, "Tech", "")])
    assert bool(found.accidents.filter(found.accidents["title"] == 0).height) is is_accident


def test_two_words_that_are_joined_in_writing_are_no_accident():
    titles = {"Cybersecurity Analyst": 3, "Cyber Lead": 1, "Security Guard": 1}
    assert answered(titles, [("cyber", 1, "Tech", ""), ("security", 2, "Tech", "")]).accidents.is_empty()


def test_without_accidents_the_next_row_decides():
    found = answered({"Sales Director": 5, "CTO": 1}, [("cto", 1, "Tech", "Boss"), ("sales", 2, "Trade", "")])
    field = TAXONOMY["field"].classes
    assert [field[at] for at in found.labels["field"]] == ["Tech", "Tech"]
    assert [field[at] for at in classes_of(found.table, found.narrowed)["field"]] == ["Trade", "Tech"]
    assert found.decided_by[0] == "field, grade: 'cto' (line 2)"


def test_examples_are_the_titles_of_most_records():
    found = answered({"A cook": 5, "B cook": 7, "C cook": 6, "D cook": 1}, [("cook", 1, "Trade", "")])
    assert found.examples([3, 0, 2, 1]) == "B cook (7); C cook (6); A cook (5)"
