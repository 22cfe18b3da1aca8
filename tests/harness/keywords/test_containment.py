"""What is said of rows without any titles holds for every title, and in tables of substrings nothing is missed."""

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_cleaning.normalise import normalise_titles
from harness.keywords.containment import covered_by, equal_overlaps, unreachable
from tests.harness.mining.by_hand import in_words, table_of

PARTS = ("chief", "security", "sec", "officer", "cto", "o", "&", "-", "é", "i")
keywords = st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from(["", " ", "-"]).map(lambda sign: sign.join(parts))
)
labels = st.sampled_from([{"function": "IT"}, {"level": "Executive"}, {"function": "Other", "level": "Contributor"}])


def tables(matches):
    row = st.tuples(keywords, st.integers(1, 3), labels, st.sampled_from(matches))
    sound = row.filter(lambda one: one[3] == "substring" or in_words(one[0]) != "  ")
    rows = st.lists(sound, min_size=1, max_size=7, unique_by=lambda one: (one[0], one[3]))
    return rows.map(lambda drawn: table_of(*drawn))


def titles_around(table) -> list[str]:
    """Titles that hold the keywords, with and without more letters, signs and words about them."""
    texts = table.rows["keyword"].tolist()
    edges = ("", "x", " x", " ", "-", "s ")
    around = [f"{before[::-1]}{text}{after}" for text in texts for before in edges for after in edges]
    signs = [
        text.replace(" ", sign).replace("-", other) for text in around for sign, other in (("-", " "), (" & ", "+"))
    ]
    return normalise_titles(pl.Series(around + signs)).to_list()


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    table=tables(["substring", "word", "prefix"]), more=st.lists(st.text("chiefseotéi &-", max_size=12), max_size=10)
)
@example(table=table_of(("secur", 1, {"function": "IT"}, "prefix"), ("securx", 1, {"function": "IT"}, "word")), more=[])
def test_what_is_covered_is_hit_wherever_the_row_is_and_unreachable_rows_never_win(table, more):
    titles = [*titles_around(table), *normalise_titles(pl.Series(more, dtype=pl.String))]
    hits = table.hits(titles).toarray()
    covered = covered_by(table)
    for row, other in zip(*np.nonzero(covered), strict=True):
        assert not (hits[:, row] & ~hits[:, other]).any()
    winners = np.concatenate(list(table.winners(titles).values()))
    assert not set(unreachable(table, covered)) & set(winners.tolist())


@settings(max_examples=80, deadline=None, derandomize=True)
@given(tables(["substring"]))
def test_in_tables_of_substrings_every_other_row_wins_somewhere(table):
    found = unreachable(table, covered_by(table))
    winners = table.winners(table.rows["keyword"].tolist())
    for row in range(len(table)):
        wins_as_title = any(winners[target][row] == row for target in winners)
        assert wins_as_title == (row not in found)


@pytest.mark.parametrize(
    ("row", "other", "covered"),
    [
        (("chief security officer", ""), ("security", ""), True),
        (("chief security officer", ""), ("security", "word"), True),
        (("chief security", ""), ("security", "word"), False),
        (("chief security", ""), ("security", "prefix"), True),
        (("chief security", ""), ("chief", "prefix"), False),
        (("chief security", "word"), ("security", "word"), True),
        (("chief security", "word"), ("secur", ""), True),
        (("chief security", "word"), ("chief security", ""), False),
        (("secur", "prefix"), ("secur", "word"), False),
        (("chief secur", "prefix"), ("chief", "word"), True),
        (("chief secur", "prefix"), ("sec", "prefix"), True),
        (("security", ""), ("chief security", ""), False),
    ],
)
def test_which_row_covers_which(row, other, covered):
    table = table_of((row[0], 2, {"function": "IT"}, row[1]), (other[0], 1, {"function": "Other"}, other[1]))
    assert covered_by(table)[0, 1] == covered


def test_a_row_is_unreachable_only_if_it_is_outranked_for_all_that_it_sets():
    table = table_of(
        ("sales", 1, {"function": "Other"}),
        ("sales head", 2, {"function": "Other", "level": "Executive"}),
        ("head", 1, {"level": "Executive"}),
        ("sales head of", 3, {"function": "IT", "level": "Executive"}),
        ("inside sales", 1, {"function": "IT"}),
    )
    assert unreachable(table, covered_by(table)) == {1: (0, 2), 3: (0, 2)}
    table = table_of(("sales", 1, {"function": "Other"}), ("sales head", 2, {"function": "IT", "level": "Executive"}))
    assert unreachable(table, covered_by(table)) == {}


def test_equal_overlaps_have_one_priority_and_two_classes():
    table = table_of(
        ("sales", 1, {"function": "Other"}),
        ("inside sales", 1, {"function": "IT", "level": "Contributor"}),
        ("sales engineer", 1, {"function": "Other"}),
        ("presales", 2, {"function": "IT"}),
        ("sales lead", 1, {"function": "Engineering"}),
    )
    assert sorted(equal_overlaps(table, covered_by(table))) == [(1, 0, "function"), (4, 0, "function")]
