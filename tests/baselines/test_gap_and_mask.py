"""Rows that match around a gap and rows that hide what follows: by example, and against a reading word by word."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.keyword_table import KeywordTable
from data_cleaning.errors import BadInput
from tests.baselines.test_keyword_table import TAXONOMY

WORDS = ("former", "assistant", "to", "the", "cto", "director", "it", "security")


@pytest.mark.parametrize(
    ("title", "matched"),
    [
        ("Director of Security", True),
        ("DIRECTOR, Physical-Security", True),
        ("Senior Director Cloud & Data Security", True),
        ("Director Security", False),
        ("Security Director", False),
        ("Directors of Security", False),
        ("Director of Securityx", False),
        ("Security Director of Security", True),
        ("Director\u00a0of Ｓecurity", True),
    ],
)
@pytest.mark.parametrize("normalised", [False, True])
def test_gap_rows_need_both_phrases_in_order_with_words_between(table_of, title, matched, normalised):
    table = table_of(("director * security", 1, {"function": "IT"}, "gap"))
    assert (table.winners([title], normalised)["function"] >= 0).tolist() == [matched]
    assert table.hits([title], normalised).toarray().tolist() == [[matched]]


@pytest.mark.parametrize(
    ("title", "level"),
    [
        ("CTO", "Executive"),
        ("Former CTO", "Contributor"),
        ("former: CTO", "Contributor"),
        ("Former-CTO", "Contributor"),
        ("Former Deputy-CTO", "Contributor"),
        ("Ｆormer CTO", "Contributor"),
        ("Formerly CTO", "Executive"),
        ("CTO, former", "Executive"),
        ("Former CTO, now CTO", "Executive"),
        ("Former CTO / CTO", "Executive"),
        ("Former CTO - CTO", "Executive"),
        ("Former CTO \u2013 CTO", "Executive"),
        ("CTO (former CTO)", "Executive"),
        ("Former", None),
    ],
)
@pytest.mark.parametrize("normalised", [False, True])
def test_mask_rows_hide_what_follows_up_to_a_separator(table_of, title, level, normalised):
    table = table_of(
        ("cto", 1, {"function": "IT", "level": "Executive"}, "word"), ("former *", 50, {"level": "Contributor"}, "mask")
    )
    winner = table.winners([title], normalised)
    found = [None if row < 0 else table.rows["level"].iloc[row] for row in winner["level"]]
    assert found == [level]
    assert winner["function"].tolist() == [0 if "cto" in title.lower() else -1]  # what the mask does not set, it leaves


def test_mask_rows_answer_by_their_priority_beside_what_is_not_hidden(table_of):
    rows = [("now", 5, {"level": "Executive"}), ("former *", 9, {"level": "Contributor"}, "mask")]
    titles = ["now a former CTO", "former CTO"]
    assert table_of(*rows).winners(titles)["level"].tolist() == [0, 1]
    first = [rows[0], ("former *", 1, {"level": "Contributor"}, "mask")]
    assert table_of(*first).winners(titles)["level"].tolist() == [1, 1]


def test_masks_within_what_another_hides_do_not_answer(table_of):
    table = table_of(
        ("assistant to *", 2, {"function": "Other", "level": "Contributor"}, "mask"),
        ("former *", 50, {"level": "Executive"}, "mask"),
    )
    winners = table.winners(["Former assistant to the CTO"])
    assert (winners["function"].tolist(), winners["level"].tolist()) == ([0], [1])


def test_gaps_are_not_found_within_what_is_hidden(table_of):
    table = table_of(
        ("director * security", 1, {"function": "IT", "level": "Executive"}, "gap"),
        ("former *", 50, {"level": "Contributor"}, "mask"),
    )
    winners = table.winners(["Former director of security", "director of security"])
    assert (winners["function"].tolist(), winners["level"].tolist()) == ([0, 0], [1, 0])
    by_target = table.hits_by_target(["Former director of security"])
    assert by_target["function"].toarray()[0, 0]
    assert by_target["level"].toarray().tolist() == [[False, True]]


def winner_by_hand(table: KeywordTable, title: str, target: str) -> int:
    words = title.split()
    hiding = {
        row["keyword"].removesuffix(" *")
        for row in table.rows.to_dict("records")
        if row["match"] == "mask" and row[target]
    }
    left, after = words, set()
    for at in range(len(words) - 1):
        phrases = [phrase for phrase in hiding if words[at : at + phrase.count(" ") + 1] == phrase.split()]
        phrases = [phrase for phrase in phrases if at + phrase.count(" ") + 1 < len(words)]
        if phrases:
            longest = max(phrases, key=len)
            left, after = words[: at + longest.count(" ") + 1], {longest}
            break
    text = f" {' '.join(left)} "
    seen = [*left, "hidden"] if after else left
    found = []
    for row in range(len(table)):
        keyword, match = table.rows["keyword"].iloc[row], table.rows["match"].iloc[row]
        if match == "mask":
            fits = keyword.removesuffix(" *") in after
        elif match == "gap":
            first, last = keyword.split(" * ")
            fits = any(first == a and last in seen[at + 2 :] for at, a in enumerate(seen))
        else:
            fits = f" {keyword} " in text
        if fits and table.rows[target].iloc[row]:
            found.append(row)
    rank = np.argsort(table.order)
    return min(found, key=lambda row: rank[row]) if found else -1


KEYWORDS = st.one_of(
    st.tuples(st.sampled_from(WORDS), st.just("word")),
    st.tuples(st.sampled_from(["former *", "assistant to *", "to *"]), st.just("mask")),
    st.tuples(st.sampled_from(["director * security", "it * cto", "the * it"]), st.just("gap")),
)
ROWS = st.tuples(
    KEYWORDS,
    st.integers(1, 3),
    st.sampled_from([{"function": "IT"}, {"level": "Executive"}, {"function": "IT", "level": "Contributor"}]),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    rows=st.lists(ROWS, min_size=1, max_size=6, unique_by=lambda row: row[0]),
    titles=st.lists(st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join), max_size=8),
)
def test_search_matches_a_reading_word_by_word(rows, titles):
    cells = [
        {"keyword": keyword, "priority": priority, "match": match, **labels}
        for (keyword, match), priority, labels in rows
    ]
    table = KeywordTable.from_frame(
        pd.DataFrame(cells, columns=["keyword", "priority", "match", *TAXONOMY.names]), TAXONOMY
    )
    for target, found in table.winners(titles).items():
        assert found.tolist() == [winner_by_hand(table, title, target) for title in titles]
        ranked = table.hits_by_target(titles)[target].toarray()[:, table.order] & table.sets[target][table.order]
        first = [table.order[row.argmax()] if row.any() else -1 for row in ranked]
        assert found.tolist() == first


@pytest.mark.parametrize(
    ("keyword", "match"),
    [
        ("director", "gap"), ("* security", "gap"), ("a * b * c", "gap"), ("director * !", "gap"),
        ("former", "mask"), ("* former", "mask"), ("* *", "mask"), ("former * cto", "mask"), ("! *", "mask"),
    ],
)  # fmt: skip
def test_keywords_without_their_star_are_refused(table_of, keyword, match):
    with pytest.raises(
        BadInput, match=r"line 2: keyword .* (needs (two phrases|one phrase) with one star|has no letter)"
    ):
        table_of((keyword, 1, {"function": "IT"}, match))


def test_tables_with_such_rows_are_read_as_people_write_them_and_written_back(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text(
        "keyword,priority,function,role,level,match\nDirector … Security,1,IT,,,Gap\nformer...,2,,,Contributor,mask\n"
    )
    table = KeywordTable.read(file, TAXONOMY)
    assert table.rows["keyword"].tolist() == ["Director * Security", "former *"]
    assert table.rows["match"].tolist() == ["gap", "mask"]
    assert not table.questions
    table.to_csv(tmp_path / "again.csv")
    assert KeywordTable.read(tmp_path / "again.csv", TAXONOMY).rows.equals(table.rows)
