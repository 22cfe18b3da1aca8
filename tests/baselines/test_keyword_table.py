"""The table's rules by example, and its columnar search against a search by hand."""

import re
import unicodedata

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from baselines import matching
from baselines.keyword_table import KeywordTable
from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy
from tests.baselines.conftest import CLASSES

TAXONOMY = Taxonomy.from_dict({"targets": {name: {"classes": classes} for name, classes in CLASSES.items()}})


def normal_form_by_hand(text: str) -> str:
    lowered = unicodedata.normalize("NFKC", text).lower()
    kept = [char if unicodedata.category(char)[0] in "LMN" else " " for char in lowered]
    words = "".join(kept).split()
    return f" {' '.join(words)} " if words else " "


def matches_by_hand(keyword: str, match: str, title: str, normalised: bool) -> bool:
    if match == "substring" and not normalised:
        return keyword.lower() in title.lower()
    words = normal_form_by_hand(keyword)
    sought = words[:-1] if match == "prefix" else words
    return words != " " and sought in normal_form_by_hand(title)


def winners_by_hand(table: KeywordTable, title: str, normalised: bool) -> dict[str, int]:
    best: dict[str, tuple] = {}
    for position, row in enumerate(table.rows.to_dict("records")):
        if matches_by_hand(row["keyword"], row["match"], title, normalised):
            for target in CLASSES:
                rank = (row["priority"], -len(row["keyword"]), position)
                if row[target]:
                    best[target] = min(best.get(target, rank), rank)
    return {target: best[target][2] if target in best else -1 for target in CLASSES}


# Letters that overlap, change length or spelling when lower-cased or normalised, and signs that regexes would read.
ALPHABET = "aabbCc  .*+?([\\^$|&-_/İıßẞΣςﬁ①Åéé日हि🎉\0"
texts = st.text(ALPHABET, max_size=12) | st.lists(
    st.sampled_from(["chief", "tech", "Chief Tech", "&", "security", "sec", "cto", "Director", "İ", "a.b", "aa"]),
    max_size=5,
).map(" ".join)
labels = st.fixed_dictionaries({target: st.sampled_from(["", *classes]) for target, classes in CLASSES.items()})
rows = st.tuples(texts, st.sampled_from([1, 2, 2.5]), st.sampled_from(["substring", "word", "prefix"]), labels)


def is_sound(row: tuple) -> bool:
    keyword, _, match, sets = row
    has_word = normal_form_by_hand(keyword) != " "
    return bool(keyword.strip()) and any(sets.values()) and (match == "substring" or has_word)


tables = st.lists(rows.filter(is_sound), min_size=1, max_size=12, unique_by=lambda row: (row[0].lower(), row[2])).map(
    lambda drawn: KeywordTable.from_frame(
        pd.DataFrame([{"keyword": k, "priority": p, "match": m, **sets} for k, p, m, sets in drawn]), TAXONOMY
    )
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(table=tables, titles=st.lists(texts, max_size=20), normalised=st.booleans())
def test_winners_match_a_loop_over_titles_and_rows(table, titles, normalised):
    found = table.winners(titles, normalised)
    expected = [winners_by_hand(table, title, normalised) for title in titles]
    for target, winners in found.items():
        assert winners.tolist() == [row[target] for row in expected]
        fallback = TAXONOMY[target].fallback
        raw = [table.rows[target][row] if row >= 0 else fallback for row in winners]
        assert table.raw_labels(titles, normalised)[target].tolist() == raw


@settings(max_examples=100, deadline=None, derandomize=True)
@given(table=tables, titles=st.lists(texts, max_size=10))
def test_contenders_are_the_classes_of_all_rows_that_match(table, titles):
    found = table.contenders(titles)
    for target in TAXONOMY.targets:
        assert found[target.name].shape == (len(titles), target.n_classes)
        for title, found_classes in zip(titles, found[target.name], strict=True):
            expected = {
                target.group(row[target.name])
                for row in table.rows.to_dict("records")
                if row[target.name] and matches_by_hand(row["keyword"], row["match"], title, normalised=False)
            }
            assert {target.classes[position] for position in np.flatnonzero(found_classes)} == expected


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(ALPHABET))
@example("İSTANBUL ΟΔΟΣ")
def test_spellings_match_a_plain_implementation(text):
    series = matching.as_series([text])
    assert matching.lower_case(series).item() == text.lower()
    assert matching.normal_form(series).item() == normal_form_by_hand(text)


def test_a_lower_priority_number_outranks(table_of):
    table = table_of(
        ("chief tech", 10, {"role": "IT General", "level": "Executive"}),
        ("security", 2, {"role": "Information Security"}),
    )
    raw = table.raw_labels(["Chief Tech & Security Officer", "Chief Tech", "Baker"])
    assert raw["role"].tolist() == ["Information Security", "IT General", "None"]
    # The winner of one target says nothing of another.
    assert raw["level"].tolist() == ["Executive", "Executive", "Contributor"]
    assert raw["function"].tolist() == ["Other", "Other", "Other"]


def test_ties_go_to_the_longer_keyword_then_to_the_earlier_row(table_of):
    table = table_of(
        ("tech", 1, {"role": "IT General"}),
        ("chief", 1, {"role": "Threat"}),
        ("cheff", 1, {"role": "Information Security"}),
    )
    assert table.winners(["chief tech", "cheff chief", "tech"])["role"].tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("match", "normalised", "title", "matched"),
    [
        ("", False, "Director", True),
        ("", True, "Director", False),
        ("", True, "the C.T.O", False),
        ("", True, "VP/CTO", True),
        ("word", False, "Director", False),
        ("word", False, "Interim CTO, Europe", True),
        ("word", False, "ＣＴＯ", True),
        ("word", False, "ctos", False),
        ("prefix", False, "ctos of the world", True),
        ("prefix", True, "ctos of the world", True),
        ("prefix", False, "vector", False),
    ],
)
def test_what_cto_matches(table_of, match, normalised, title, matched):
    table = table_of(("CTO", 1, {"level": "Executive"}, match))
    assert table.winners([title], normalised)["level"].tolist() == [0 if matched else -1]


def test_neighbouring_words_share_the_space_between_them(table_of):
    table = table_of(("chief", 2, {"level": "Executive"}, "word"), ("tech", 1, {"level": "Contributor"}, "word"))
    assert table.winners(["chief tech"])["level"].tolist() == [1]


def test_a_keyword_without_letters_matches_nothing_when_corrected(table_of):
    table = table_of(("&", 1, {"function": "IT"}))
    assert table.winners(["R&D", ""])["function"].tolist() == [0, -1]
    assert table.winners(["R&D", "", "&"], normalised=True)["function"].tolist() == [-1, -1, -1]


def test_as_many_titles_as_keywords_are_not_matched_in_pairs(table_of):
    table = table_of(("a", 1, {"function": "IT"}), ("b", 1, {"function": "IT"}))
    assert table.winners(["b", "a"])["function"].tolist() == [1, 0]


def test_odd_titles_are_searched_too(table_of):
    table = table_of(("cto", 1, {"function": "IT"}))
    titles = ["", "\0cto\0", "🎉cto🎉", "x" * 1_000_000 + "CTO"]
    assert table.winners(titles)["function"].tolist() == [-1, 0, 0, 0]
    assert table.winners(np.array(titles, dtype=object), normalised=True)["function"].tolist() == [-1, 0, 0, -1]
    assert table.winners([])["function"].shape == (0,)


def test_titles_beyond_one_chunk_keep_their_order(table_of, monkeypatch):
    monkeypatch.setattr(matching, "CHUNK_TITLES", 3)
    table = table_of(("a", 1, {"function": "IT"}))
    titles = ["a", "b", "b", "a", "a", "c", "a"]
    assert table.winners(titles)["function"].tolist() == [0, -1, -1, 0, 0, -1, 0]


def test_titles_that_share_a_hash_stay_separate(table_of, monkeypatch):
    monkeypatch.setattr(pl.Series, "hash", lambda series: pl.repeat(7, len(series), dtype=pl.UInt64, eager=True))
    table = table_of(("a", 1, {"function": "IT"}))
    assert table.winners(["b", "a", "b", "a"])["function"].tolist() == [-1, 0, -1, 0]


@pytest.mark.parametrize("titles", [["a", None], ["a", 5], ["\ud800"], np.array(["a", float("nan")], dtype=object)])
def test_titles_that_are_no_text_are_bad_input(table_of, titles):
    with pytest.raises(BadInput, match=re.compile("itles (must be text|are missing)")):
        table_of(("a", 1, {"function": "IT"})).winners(titles)
