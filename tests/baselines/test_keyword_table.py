"""The table's rules by example, and its columnar search against a search by hand."""

import csv
import re
import unicodedata
from pathlib import Path

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

ROOT = Path(__file__).parents[2]
TAXONOMY = Taxonomy.from_dict({"targets": {name: {"classes": classes} for name, classes in CLASSES.items()}})


def is_word(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMN"


def kept_by_hand(text: str, signs: str = "") -> list[str]:
    lowered = unicodedata.normalize("NFKC", text).lower()
    return "".join(char if is_word(char) or char in signs else " " for char in lowered).split()


def normal_form_by_hand(text: str) -> str:
    return f" {' '.join(kept_by_hand(text))} " if kept_by_hand(text) else " "


def symbol_form_by_hand(text: str) -> str:
    return re.sub(r"([^ +#.]+)", r"|\1|", f" {' '.join(kept_by_hand(text, '+#.'))} ")


def has_symbol_by_hand(keyword: str) -> bool:
    text = unicodedata.normalize("NFKC", keyword)
    for at, char in enumerate(text):
        before, after = text[:at], text[at + 1 :]
        joins = is_word(before.rstrip()[-1:] or " ") and is_word(after.lstrip()[:1] or " ")
        begins = not is_word(before[-1:] or " ") and unicodedata.category(after[:1] or " ")[0] in "LN"
        if char in "+#" or (char in "&/" and joins) or (char == "." and begins):
            return True
    return False


def singular_by_hand(text: str) -> str:
    letter, end = r"[^\W\d_]", r"(?=\s)"
    folded = re.sub(f"({letter}(?:ss|x|ch|sh))es{end}", r"\1", normal_form_by_hand(text))
    return re.sub(f"({letter}{{3}}(?![sui]){letter})s{end}", r"\1", folded)


def matches_by_hand(keyword: str, match: str, title: str, normalised: bool) -> bool:
    if match == "substring" and not normalised:
        return keyword.lower() in title.lower()
    words = normal_form_by_hand(keyword)
    if words == " ":
        return False
    sought = {normal_form_by_hand: words, symbol_form_by_hand: symbol_form_by_hand(keyword).lstrip(" ").rstrip(" .")}
    del sought[normal_form_by_hand if has_symbol_by_hand(keyword) else symbol_form_by_hand]
    if match == "prefix":
        sought = {spell: text.rstrip(" |") for spell, text in sought.items()}
    elif normalised and normal_form_by_hand in sought:
        *inner, last = words.split()
        sought[singular_by_hand] = f" {' '.join([*singular_by_hand(' '.join(inner)).split(), last])} "
    orders = [title, " ".join(reversed(title.split(",")))] if normalised and "," in title else [title]
    return any(text in spell(one) for spell, text in sought.items() for one in orders)


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
ALPHABET = "aabbCcs  ..*+#?([\\^$|&&-_/,İıßẞΣςﬁ①Åéé日हि🎉\0"
texts = st.text(ALPHABET, max_size=12) | st.lists(
    st.sampled_from(
        [
            *("chief", "tech", "Chief Tech", "&", "security", "sec", "cto", "Director", "İ", "a.b", "aa", "c++", "C#"),
            *(".net", "ASP.NET,", "r&d", "R & D", "R.D.", "systems", "System", "bosses", "boss", "chiefs,"),
        ]
    ),
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


SYMBOLS = {
    "c++": ("C++ Developer", "Senior C/C++ Engineer", "Developer (C++)", "c++.", "C++/Rust Engineer"),
    "c#": ("C# / .NET developer", "Developer, C#", "Ｃ＃ Developer"),
    ".net": ("C# / .NET developer", ".NET Developer", "ASP.NET Developer", "Developer (.NET)"),
    "r&d": ("R&D Director", "R & D Director", "VP of R&D", "r d manager"),
    "a/v": ("A/V Technician", "Technician A / V"),
    "node.js": ("Node.js Developer", "Senior Node JS Engineer"),
    "asp.net": ("ASP.NET Developer",),
}
WITHOUT_SYMBOLS = (
    *("C-Level", "Vitamin C Nurse", "C Developer", "Vitamin C #4 Nurse", "Net Sales Manager", "Sr. Net Administrator"),
    *("Dietitian, R.D.", "R. D. Smith", "HR & Development", "Director", "A.V. Smith", "Node Manager", "JS Developer"),
)


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize(("keyword", "match"), [(one, match) for one in SYMBOLS for match in ("word", "prefix")])
def test_a_keyword_with_symbols_matches_titles_that_have_them(table_of, keyword, match, normalised):
    table = table_of((keyword, 1, {"function": "IT"}, match))
    titles = [title for group in SYMBOLS.values() for title in group]
    expected = [0 if title in SYMBOLS[keyword] else -1 for title in (*titles, *WITHOUT_SYMBOLS)]
    assert table.winners([*titles, *WITHOUT_SYMBOLS], normalised)["function"].tolist() == expected


@pytest.mark.parametrize(
    ("keyword", "title", "matched"),
    [
        ("head of security", "Heads of Security", True),
        ("sales manager", "Sales Managers", True),
        ("security boss", "Security Bosses", True),
        ("software engineer", "Engineer, Software", True),
        ("emea security manager", "Manager, Security, EMEA", True),
        ("cloud security engineers", "Engineers, Cloud-Security.", True),
        ("windows", "Window Cleaner", False),
        ("security", "Securities Analyst", False),
        ("new", "News Editor", False),
        ("acces", "Access Manager", False),
        ("software engineer", "Engineer Software", False),
        ("manager engineer", "Engineer, Software, Manager", False),
    ],
)
def test_the_corrected_reading_folds_plurals_and_the_order_of_a_comma_and_the_exact_one_does_not(
    table_of, keyword, title, matched
):
    table = table_of((keyword, 1, {"function": "IT"}, "word"))
    assert table.winners([title], normalised=True)["function"].tolist() == [0 if matched else -1]
    assert table.hits([title], normalised=True).toarray().tolist() == [[matched]]
    assert table.winners([title])["function"].tolist() == [-1]


REAL = ROOT.parent / "shared" / "data" / "real_titles.csv"


@pytest.mark.skipif(not REAL.is_file(), reason="the real titles are not beside the checkout")
@pytest.mark.parametrize("year", [2021, 2022, 2023])
def test_the_shipped_tables_answer_for_real_titles_as_the_legacy_rule_says(year):
    """The rule and the file are read here anew: lower-cased substrings, and whole words as they always were."""
    titles = pl.read_csv(REAL)["title"]
    path = ROOT / "configs" / "keywords" / f"{year}.csv"
    table = KeywordTable.read(path, Taxonomy.read(ROOT / "configs" / "taxonomy.yaml"))
    texts = {"": titles.str.to_lowercase().to_list(), "word": [normal_form_by_hand(title) for title in titles]}
    texts["prefix"] = texts["word"]
    best: dict[str, list[tuple]] = {target: [()] * len(titles) for target in table.taxonomy.names}
    with path.open(encoding="utf-8", newline="") as opened:
        for position, row in enumerate(csv.DictReader(opened)):
            words = normal_form_by_hand(row["keyword"])
            sought = {"": row["keyword"].lower(), "word": words, "prefix": words.rstrip()}[row["match"]]
            rank = (float(row["priority"]), -len(row["keyword"]), position)
            for at in [at for at, text in enumerate(texts[row["match"]]) if sought in text]:
                for target, ranks in best.items():
                    if row[target]:
                        ranks[at] = min(ranks[at] or rank, rank)
    for target, rows in table.winners(titles.to_list()).items():
        assert rows.tolist() == [rank[2] if rank else -1 for rank in best[target]]


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
