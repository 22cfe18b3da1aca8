"""Rows that others cover, checked on titles around the keywords; and keywords inside longer words, checked by hand."""

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_cleaning.words import normalise_titles
from harness.keywords.row_conflicts import covered_by, equal_overlaps, find_accidents, unreachable
from tests.harness.mining.by_hand import host_of, in_words, table_of

PARTS = ("chief", "security", "sec", "officer", "cto", "o", "&", "-", "é", "i", "c++", ".net", "r&d", "c#", "net", "c")
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
    table=tables(["substring", "word", "prefix"]), more=st.lists(st.text("chiefseotéi &-+#.", max_size=12), max_size=10)
)
@example(table=table_of(("secur", 1, {"function": "IT"}, "prefix"), ("securx", 1, {"function": "IT"}, "word")), more=[])
def test_covering_rows_hit_wherever_the_covered_row_does_and_unreachable_rows_never_win(table, more):
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
        (("senior c++", "word"), ("c++", "word"), True),
        (("c++", "word"), ("c", "word"), True),
        (("c", "word"), ("c++", "word"), False),
        (("vp .net", "word"), ("net", ""), True),
        (("asp.net", "word"), (".net", "word"), False),
        (("vp r&d", "word"), ("r&d", "word"), True),
        (("vp r&d", "word"), ("r&d", ""), False),
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


WORDS = (
    "cto",
    "CTO",
    "Director",
    "coordinator",
    "intern",
    "International",
    "r&d",
    "&",
    "c++",
    "it",
    "-",
    "(it)",
    "Café",
)
titles_drawn = st.lists(
    st.lists(st.sampled_from(WORDS) | st.text("ctoin É&-+ 1", max_size=4), max_size=5).map(" ".join), max_size=8
)
keywords_drawn = st.sampled_from(
    ["cto", "COO", "intern", "r&d", "&d", "c+", " it", "it ", "(it", "o", "é", "&"]
) | st.text("ctoiÉ& ", min_size=1, max_size=3).filter(str.strip)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(keyword=keywords_drawn, titles=titles_drawn)
@example(keyword="it ", titles=["Audit Manager", "it manager", "Orbit  it"])
@example(keyword="O", titles=["CTO", "o", "Ó", "to-o", "foo"])
def test_accidents_are_those_found_by_hand(keyword, titles):
    table = table_of((keyword, 1, {"function": "IT"}))
    column = normalise_titles(pl.Series(titles, dtype=pl.String))
    found = find_accidents(table, column, table.hits(column.to_numpy()))
    expected = [
        (at, *host)
        for at, title in enumerate(column)
        if keyword.lower() in title.lower() and (host := host_of(keyword, title))
    ]
    assert sorted(found.select("title", "host", "at").iter_rows()) == expected


@pytest.mark.parametrize(
    ("keyword", "title", "host", "where"),
    [
        ("cto", "Director, IT", "director", "inside"),
        ("coo", "Sales Coordinator", "coordinator", "at its start"),
        ("VP", "SVP Sales", "svp", "at its end"),
        ("chief tech", "Chief Technology Officer", "chief technology", "at its start"),
        ("it manager", "Audit Manager", "audit manager", "at its end"),
        ("cto", "Director / CTO", None, None),
        ("r&d", "Head of R&D", None, None),
        ("&", "R&D", None, None),
        # No letter is beside it, though its words are spelled differently from those of the title.
        ("h\u0331", "H\u0331", None, None),
    ],
)
def test_which_keyword_matches_by_accident(keyword, title, host, where):
    table = table_of((keyword, 1, {"function": "IT"}))
    found = find_accidents(table, pl.Series([title]), table.hits([title]))
    assert found.select("title", "row", "host", "at").rows() == ([(0, 0, host, where)] if host else [])


@pytest.mark.parametrize("match", ["word", "prefix"])
def test_only_substring_rows_match_by_accident(match):
    table = table_of(("director", 1, {"function": "IT"}, match), ("cto", 1, {"function": "IT"}))
    found = find_accidents(table, pl.Series(["directors"]), table.hits(["directors"]))
    assert found["row"].to_list() == [1]
