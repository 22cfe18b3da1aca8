"""Cells of a keyword table as people and spreadsheet programs write them."""

from datetime import datetime

import openpyxl
import pytest

from baselines.keyword_table import KeywordTable
from baselines.table_cells import clean_cells, column_names, question_of

HEADER = "keyword,priority,match,function,role,level\n"


def read(tmp_path, taxonomy, rows: str) -> KeywordTable:
    path = tmp_path / "table.csv"
    path.write_text(HEADER + rows, encoding="utf-8")
    return KeywordTable.read(path, taxonomy)


@pytest.mark.parametrize(
    ("written", "keyword", "title"),
    [
        ("ciso ", "ciso", "Deputy CISO"),
        ("\u00a0ciso", "ciso", "Deputy CISO"),
        ("chief  security", "chief security", "Chief Security Officer"),
        ("chief\u00a0security", "chief security", "Chief Security Officer"),
        ("R&amp;D", "R&D", "Head of R&D"),
        ("“ciso”", "ciso", "CISO"),
        ("'ciso'", "ciso", "CISO"),
        ('"""ciso"""', "ciso", "CISO"),
        ("women’s health", "women's health", "Women's Health Lead"),
        ("cyber–security", "cyber-security", "Cyber-Security Lead"),
        ("ﬁnance", "finance", "Finance Lead"),
        ("cy\u00adber", "cyber", "Cyber Lead"),
        ("cy\u200bber", "cyber", "Cyber Lead"),
        ("GeschÃ¤ftsfÃ¼hrer", "Geschäftsführer", "Geschäftsführer IT"),
        ("ＣＩＳＯ", "CISO", "CISO"),
    ],
)
def test_a_keyword_is_spelled_as_titles_are_and_the_change_is_named(tmp_path, taxonomy, written, keyword, title):
    table = read(tmp_path, taxonomy, f"{written},1,,IT,,\n")
    assert table.rows["keyword"].tolist() == [keyword]
    assert table.winners([title])["function"].tolist() == [0]
    (note,) = table.notes
    assert note.startswith("Read 1 keyword otherwise than written: line 2 ")
    assert note.endswith(f" as {keyword!r}.")


@pytest.mark.parametrize(
    "keyword", ["R&D", "i.t.", "c++", "women's health", 'the "a" team', "24/7", "o'brien's", "'", "=x"]
)
def test_a_keyword_that_titles_may_hold_stays_as_it_is(taxonomy, keyword):
    cells = clean_cells([(2, {"keyword": keyword, "priority": "1"})], taxonomy)
    assert [row["keyword"] for _, row in cells.records] == [keyword]
    assert not any(note.startswith("Read") for note in cells.notes)


def test_a_substring_between_blanks_is_read_as_a_whole_word(tmp_path, taxonomy):
    table = read(tmp_path, taxonomy, " it ,1,,IT,,\n it ,1,prefix,,IT General,\n")
    assert table.rows[["keyword", "match"]].values.tolist() == [["it", "word"], ["it", "prefix"]]
    assert table.winners(["IT", "Head of IT", "Security"])["function"].tolist() == [0, 0, -1]
    assert table.notes == (
        "Read 2 keywords otherwise than written: line 2 ' it ' as 'it', as a whole word; line 3 ' it ' as 'it'.",
    )


def test_labels_are_taken_in_any_case_and_blanks_where_one_class_is_meant(tmp_path, taxonomy):
    table = read(tmp_path, taxonomy, "a,1,,engineering,,\nb,1,,,it\u00a0 GENERAL,c-level\n")
    assert table.rows[["function", "role", "level"]].values.tolist() == [
        ["Engineering", "", ""], ["", "IT General", "C-Level"]
    ]  # fmt: skip
    assert table.notes == (
        "Read 3 labels otherwise than written: line 2 'engineering' as 'Engineering'; line 3 'it\\xa0 GENERAL' as "
        "'IT General'; line 3 'c-level' as 'C-Level'.",
    )


def test_rows_without_any_text_are_left_out_and_counted(tmp_path, taxonomy):
    table = read(tmp_path, taxonomy, "a,1,,IT,,\n,,,,,\n , ,\u00a0,,,\nb,2,,IT,,\n")
    assert table.rows["line"].tolist() == [2, 5]
    assert table.notes == ("Rows without any text, left out: 2.",)


@pytest.mark.parametrize(
    ("keyword", "reason"),
    [
        ("Sep-24", "into a date or time"),
        ("24-Sep", "into a date or time"),
        ("1. Mai 2024", "into a date or time"),
        ("01.05.2024", "into a date or time"),
        ("2024-09-24", "into a date or time"),
        ("2024-09-24T08:30:00", "into a date or time"),
        ("9:30", "into a date or time"),
        ("45566", "which stands for 2024-10-01"),
        ("45566.5", "which stands for 2024-10-01"),
        ("TRUE", "truth value"),
        ("1.2E+10", "scientific notation"),
        ("#NAME?", "a formula in the spreadsheet has failed"),
        ("manag*", "not as a pattern"),
        ("^cto$", "not as a pattern"),
        ("cto|cio", "give each a row"),
        ('the "a" team', "it holds a quote"),
        ("caf\ufffd", "lost when the file was saved"),
        ("september", None),
        ("sep", None),
        ("24/7", None),
        ("365", None),
        ("90210", None),
        ("tier 3", None),
        ("march", None),
        ("marketing 2024", None),
        ("Januar 2024", "into a date or time"),
        ("may", None),
        ("truecaller", None),
    ],
)
def test_what_a_spreadsheet_program_may_have_made_of_a_keyword_is_questioned(keyword, reason):
    found = question_of(keyword)
    assert (found is None) == (reason is None)
    assert (reason or "") in (found or "")


def test_dates_numbers_and_truth_values_in_the_cells_of_a_sheet_are_questioned_by_row(tmp_path, taxonomy):
    book = openpyxl.Workbook()
    for cells in (
        ["Keyword", "Priority *", "Function", "Role", "Level"],
        [datetime(2024, 9, 24), 1, "IT"],
        [True, 1, "it"],
        [None, None, None],
        [45566, 2.5, "IT"],
        ["cto", 3, "IT"],
    ):
        book.active.append(cells)
    book.save(tmp_path / "table.xlsx")
    table = KeywordTable.read(tmp_path / "table.xlsx", taxonomy)
    assert [(one.line, one.keyword) for one in table.questions] == [(2, "2024-09-24"), (3, "TRUE"), (5, "45566")]
    assert table.rows["line"].tolist() == [2, 3, 5, 6]
    assert table.notes[-1].startswith(
        "3 keywords to look at: line 2 '2024-09-24': a spreadsheet program may have turned a word or a number into a "
        "date or time; line 3 'TRUE': "
    )


def test_names_that_only_their_signs_tell_apart_are_not_taken_for_each_other():
    assert column_names(["Job-Role", "job role"], ["job_role", "jobrole"]) == ["Job-Role", "job role"]
    assert column_names(["JOB_ROLE", "jobrole"], ["job_role", "jobrole"]) == ["job_role", "jobrole"]
