"""Keywords that stand only inside longer words are found, and no others."""

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_cleaning.normalise import normalise_titles
from harness.keywords.accidents import find_accidents
from tests.harness.mining.by_hand import host_of, table_of

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
def test_they_are_those_found_by_hand(keyword, titles):
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
        # No letter stands beside it, though its words are spelled in another way than the title's.
        ("h\u0331", "H\u0331", None, None),
    ],
)
def test_what_is_one(keyword, title, host, where):
    table = table_of((keyword, 1, {"function": "IT"}))
    found = find_accidents(table, pl.Series([title]), table.hits([title]))
    assert found.select("title", "row", "host", "at").rows() == ([(0, 0, host, where)] if host else [])


@pytest.mark.parametrize("match", ["word", "prefix"])
def test_only_substring_rows_have_them(match):
    table = table_of(("director", 1, {"function": "IT"}, match), ("cto", 1, {"function": "IT"}))
    found = find_accidents(table, pl.Series(["directors"]), table.hits(["directors"]))
    assert found["row"].to_list() == [1]
