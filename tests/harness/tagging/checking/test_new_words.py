"""Words that no row knows, and phrases that stand for them."""

from harness.tagging.checking.new_words import find_new_words
from tests.harness.tagging.checking.given_answers import answered

ROWS = [("engineer", 1, "Tech", ""), ("chief buyer", 1, "Trade", "Boss")]
TITLES = {
    "Threat Hunter": 9, "Senior Threat Hunter": 3, "DevOps Engineer": 8, "DevOps": 2, "Buyer": 6, "Cook": 5,
    "Head of the Cook": 1, "asdf asdf": 20, "Poet": 2, "II": 7,
}  # fmt: skip


def test_words_in_records_without_any_row_come_first_and_phrases_stand_for_their_words():
    found = {one.text: one for one in find_new_words(answered(TITLES, ROWS))}
    # "buyer" is in a keyword, "poet" is too rare, "ii" tells nothing, and what is no title has no words.
    assert list(found) == ["threat hunter", "cook", "senior threat", "devops"]
    devops = found["devops"]
    assert (devops.records, devops.titles, devops.unmatched) == (10, 2, 2)
    assert devops.labels == "Tech / Staff (80%); Else / Staff (20%)"
    assert devops.examples == "DevOps Engineer (8); DevOps (2)"
