"""Which rows hit a title, outranked or not: the columnar search against a loop over titles and rows."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines import matching
from baselines.matching import MatchingPass, find_matches, lower_case, normal_form
from data_cleaning.errors import BadInput
from tests.baselines.test_keyword_table import ALPHABET, matches_by_hand, normal_form_by_hand, tables, texts


def hits_by_hand(table, titles):
    rows = table.rows.to_dict("records")
    return [[matches_by_hand(row["keyword"], row["match"], title, False) for row in rows] for title in titles]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(table=tables, titles=st.lists(texts, max_size=12))
def test_hits_match_a_loop_over_titles_and_rows(table, titles):
    titles = [*titles, *titles[:3]]
    hits = table.hits(titles)
    assert (hits.shape, hits.dtype) == ((len(titles), len(table)), np.dtype(bool))
    expected = hits_by_hand(table, titles)
    assert hits.toarray().tolist() == expected
    assert hits.nnz == np.sum(expected, dtype=int)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.text(ALPHABET, min_size=1, max_size=3), min_size=1, max_size=6, unique=True),
    st.lists(texts, max_size=8),
)
def test_every_pattern_in_a_title_is_found_once(patterns, titles):
    lowered = list(dict.fromkeys(pattern.lower() for pattern in patterns))
    in_words = list(dict.fromkeys(spelled for text in patterns if (spelled := normal_form_by_hand(text)) != " "))
    searches = [
        MatchingPass(spell=spell, patterns=tuple(sought), ranks={}, no_match=0)
        for spell, sought in ((lower_case, lowered), (normal_form, in_words))
        if sought
    ]
    spelled = [[title.lower() for title in titles], [normal_form_by_hand(title) for title in titles]]
    found = find_matches(searches, titles)
    for search, (at, patterns_at), by_hand in zip(searches, found, spelled, strict=False):
        expected = [
            (title, number)
            for title, text in enumerate(by_hand)
            for number, pattern in enumerate(search.patterns)
            if pattern in text
        ]
        assert sorted(zip(at.tolist(), patterns_at.tolist(), strict=True)) == expected


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.none() | texts | st.text("aB9 -.,\t", max_size=9), max_size=8), st.integers(0, 3))
def test_a_text_has_one_spelling_whatever_is_beside_it(written, start):
    given_texts = pl.Series("title", written, dtype=pl.String)[start:]
    expected = [None if text is None else normal_form_by_hand(text) for text in written[start:]]
    assert normal_form(given_texts).to_list() == expected


def test_rows_that_share_a_pattern_all_hit(table_of):
    table = table_of(
        ("cto", 1, {"function": "IT"}),
        ("sales", 2, {"function": "Other"}),
        ("CTO", 3, {"level": "Executive"}),
        ("c.t.o", 4, {"function": "IT"}, "word"),
        ("c t o", 5, {"level": "Executive"}, "word"),
        ("c-t", 6, {"level": "Executive"}, "prefix"),
    )
    hits = table.hits(["cto, director", "sales", "C.T.O.", "c-top"])
    assert hits.toarray().astype(int).tolist() == [
        [1, 0, 1, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 0, 0, 1, 1, 1],
        [0, 0, 0, 0, 0, 1],
    ]


@pytest.mark.parametrize("match", ["substring", "word", "prefix"])
def test_a_keyword_that_occurs_twice_in_a_title_hits_once(table_of, match):
    hits = table_of(("aa", 1, {"function": "IT"}, match)).hits(["aaa aa aa", "b", "aaa aa aa"])
    assert (hits.nnz, hits.indices.tolist(), hits.indptr.tolist()) == (2, [0, 0], [0, 1, 1, 2])


@pytest.mark.parametrize("matches", [("substring",), ("word",), ("prefix",), ("substring", "word")])
def test_no_titles_have_no_hits(table_of, matches):
    table = table_of(*(("cto", 1, {"function": "IT"}, match) for match in matches))
    assert table.hits([]).shape == (0, len(matches))
    assert table.hits(["", "baker"]).nnz == 0


def test_titles_beyond_one_chunk_keep_their_order(table_of, monkeypatch):
    monkeypatch.setattr(matching, "CHUNK_TITLES", 2)
    table = table_of(("a", 1, {"function": "IT"}), ("b", 1, {"function": "IT"}, "word"))
    titles = ["b", "a", "c", "ab", "a b", "b", "c", "a"]
    assert table.hits(titles).toarray().tolist() == hits_by_hand(table, titles)


@pytest.mark.parametrize("titles", [["a", None], ["a", 5]])
def test_titles_that_are_no_text_are_bad_input(table_of, titles):
    with pytest.raises(BadInput, match=r"itles (must be text|are missing)|titles are missing"):
        table_of(("a", 1, {"function": "IT"})).hits(titles)
