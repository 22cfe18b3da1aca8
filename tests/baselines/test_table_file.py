"""Every fault of a table file has its message, and a good file survives the round trip."""

import openpyxl
import pandas as pd
import pytest

from baselines.keyword_table import KeywordTable
from baselines.table_file import Duplicate, read_rows
from data_cleaning.errors import BadInput
from tests.harness.mining.by_hand import TAXONOMY as AUDITED

HEADER = "keyword,priority,match,function,role,level\n"

FAULTS = [
    ("", "is empty; expected a header line and at least one row"),
    ("keyword,priority,function,role\nx,1,IT,\n", "column 'level' is missing"),
    ("keyword,prioritty,function,role,level\n", "unknown column 'prioritty', the nearest valid name is 'priority'"),
    ("keyword,keyword,priority,function,role,level\n", "names these columns more than once: 'keyword'"),
    ("keyword,Keyword ,priority,function,role,level\n", "column 'keyword' occurs 2 times"),
    (HEADER, "there is a header and no row"),
    (HEADER + "a,1,,IT,,\n\nb,1,,IT,,,,x\n", "line 4 has 8 fields, expected 6"),
    (HEADER + " ,1,,IT,,\n", "line 2: empty keyword"),
    (HEADER + "a,1,,IT,,\nA,2,,Engineering,,\n", "line 3: repeats the function of 'A' that line 2 sets"),
    (HEADER + "a,high,,IT,,\n", "line 2: priority 'high' is not a number above 0"),
    (HEADER + "a,,,IT,,\n", "line 2: priority '' is not a number above 0"),
    (HEADER + "a,0,,IT,,\n", "line 2: priority '0' is not a number above 0"),
    (HEADER + "a,nan,,IT,,\n", "line 2: priority 'nan' is not a number above 0"),
    (
        HEADER + "a,1,wrd,IT,,\n",
        "line 2: unknown match 'wrd', the nearest is 'word' (known: substring, word, prefix, gap, mask)",
    ),
    (HEADER + "a,1,,Enginering,,\n", "line 2: 'Enginering' is no function label, the nearest is 'Engineering'"),
    (
        HEADER + "".join(f"k{n},1,,Enginering,,\n" for n in range(14)),
        "lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 4 more: 'Enginering' is no function label",
    ),
    (HEADER + "a,1,,,,\n", "line 2: sets no target; give a label for function or role or level"),
    (
        HEADER + "a,1,,Zoo,,\n",
        "line 2: 'Zoo' is no function label, known are 'IT'; 'Security'; 'Other'; 'Engineering'; 'Cyber'",
    ),
    ("keyword,priority,team,role,level\n", "column 'function' is missing; unknown column 'team'"),
    (HEADER + "a,1,,IT,,\n'A',2,,Engineering,,\n", "line 3: repeats the function of 'A' that line 2 sets"),
    (HEADER + "&,1,word,IT,,\n", "line 2: keyword '&' has no letter or digit, so it matches no word"),
    (HEADER + '"a\nb",1,,IT,,\n', "line 2: keyword 'a\\nb' holds a line break"),
    (HEADER + 'a,1,,IT,,\n"b,1,,IT,,\n', "line 3 opens a quote that is never closed"),
    (HEADER + "a,1,,IT,,\nb\0,1,,IT,,\n", "line 3 holds a NUL byte"),
]


@pytest.mark.parametrize(("content", "message"), FAULTS, ids=[message for _, message in FAULTS])
def test_a_fault_is_named_with_its_line(tmp_path, taxonomy, content, message):
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput) as caught:
        KeywordTable.read(path, taxonomy)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_all_faults_are_named_at_once(tmp_path, taxonomy):
    path = tmp_path / "table.csv"
    path.write_text(HEADER + "a,0,wrd,Nonsense,,\n\nb,1,,IT,,,x\nc,1,,,,\n")
    with pytest.raises(BadInput) as caught:
        KeywordTable.read(path, taxonomy)
    message = str(caught.value)
    assert all(fault in message for fault in ("priority '0'", "'wrd'", "'Nonsense'", "line 4 has", "line 5: sets no"))


def test_a_missing_file_is_bad_input(tmp_path, taxonomy):
    with pytest.raises(BadInput, match="No keyword table at"):
        KeywordTable.read(tmp_path / "none.csv", taxonomy)


def test_one_keyword_may_set_different_targets_in_two_rows_or_modes(tmp_path, taxonomy):
    path = tmp_path / "table.csv"
    path.write_text(HEADER + "a,1,,IT,,\na,2,,,IT General,\na,3,word,Security,,\n")
    table = KeywordTable.read(path, taxonomy)
    assert table.rows["match"].tolist() == ["substring", "substring", "word"]
    assert table.raw_labels(["a"])["role"].tolist() == ["IT General"]


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path, taxonomy):
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xef\xbb\xbf" + (HEADER + "a,1,,IT,,\n").replace("\n", "\r\n").encode())
    assert KeywordTable.read(path, taxonomy).rows["keyword"].tolist() == ["a"]


@pytest.mark.parametrize(
    "content",
    [
        "Keyword; Priority; Function; ROLE; Level\ncto; 5; IT; ;\n",
        "sep=;\nkeyword;priority;function;role;level;;\ncto;5;IT;;;;\n",
        "keyword,priority,function,role,level\ncto,5,IT\n",
        "\tlevel\tRole\tfunction\tPRIORITY\tkeyword \n\t\t\tIT\t5\tcto\n",
    ],
)
def test_the_header_may_have_any_case_blanks_and_delimiter(tmp_path, taxonomy, content):
    path = tmp_path / "table.csv"
    path.write_text(content)
    (row,) = KeywordTable.read(path, taxonomy).rows.to_dict("records")
    assert (row["keyword"], row["priority"], row["function"], row["role"]) == ("cto", 5.0, "IT", "")


def test_a_spreadsheet_is_read_as_its_csv_would_be_and_faults_name_its_rows(tmp_path, taxonomy):
    sheet = openpyxl.Workbook()
    for cells in (
        ["Keyword", "Priority", "Function", "Role", "Level"],
        ["007", 5, "IT"],
        [],
        [365, 2.5, None, None, "Executive"],
    ):
        sheet.active.append(cells)
    sheet.save(tmp_path / "table.xlsx")
    rows = KeywordTable.read(tmp_path / "table.xlsx", taxonomy).rows
    assert rows[["line", "keyword", "priority"]].values.tolist() == [[2, "007", 5.0], [4, "365", 2.5]]

    sheet.active.append(["x", "high", "IT"])
    sheet.active.append(["y", 1, "IT", None, None, "more"])
    sheet.save(tmp_path / "table.xlsx")
    with pytest.raises(BadInput, match=r"row 6 has 6 fields, expected 5; line 5: priority 'high' is not a number"):
        KeywordTable.read(tmp_path / "table.xlsx", taxonomy)


def test_the_round_trip_is_exact(tmp_path, taxonomy):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text(
        "keyword,priority,function,role,level,match\n"
        'cto,1,IT,,,\n\n\n"a, ""b""",2.5,Cyber,Threat,C-Level,word\n=x,3,,,Executive,prefix\n'
    )
    table = KeywordTable.read(first, taxonomy)
    table.to_csv(second)
    again = KeywordTable.read(second, taxonomy)
    pd.testing.assert_frame_equal(table.rows, again.rows)
    assert table.rows["line"].tolist() == [2, 5, 6]
    assert second.read_bytes() == first.read_bytes().replace(b"=x", b"'=x")  # no spreadsheet runs it


@pytest.mark.parametrize(
    "header",
    [
        "KEYWORD,Priority *,MATCH,Function,ROLE,Level",
        "Key Word,Priority,Match,function,Role (raw),level".replace(" (raw)", ""),
        "key_word,\u00a0priority\u00a0,match:,Function,role,level ",
        '"Key\nword",PRIORITY,match,FUNCTION,Role,LEVEL,Notes',
    ],
)
def test_signs_blanks_and_case_in_a_header_make_no_difference(tmp_path, taxonomy, header):
    path = tmp_path / "table.csv"
    path.write_text(f"{header}\ncto,1,WORD,IT,,\n", encoding="utf-8")
    (row,) = KeywordTable.read(path, taxonomy).rows.to_dict("records")
    assert (row["keyword"], row["match"], row["function"]) == ("cto", "word", "IT")


def test_a_column_that_no_table_has_is_passed_over_and_named(tmp_path, taxonomy):
    path = tmp_path / "table.csv"
    path.write_text("keyword,priority,function,role,level,Owner\ncto,1,IT,,,Ann\n")
    assert KeywordTable.read(path, taxonomy).notes == ("Columns that no keyword table has, passed over: 'Owner'.",)


def test_a_table_saved_by_a_spreadsheet_program_of_old_is_read(tmp_path, taxonomy):
    path = tmp_path / "table.csv"
    text = "keyword;priority;function;role;level\r\nch\xe9f de projet;1,5;IT;;\r\nentwickler f\xfcr it;2;IT;;\r\n"
    path.write_bytes(text.encode("cp1252"))
    rows = KeywordTable.read(path, taxonomy).rows
    assert rows[["keyword", "priority"]].values.tolist() == [["chéf de projet", 1.5], ["entwickler für it", 2.0]]


def test_a_table_of_substrings_is_written_without_the_match_column(tmp_path, taxonomy, table_of):
    table_of(("a", 1, {"function": "IT"})).to_csv(tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text() == "keyword,priority,function,role,level\na,1,IT,,\n"


LENIENT_HEADER = "keyword,priority,match,function,level\n"


@pytest.fixture
def lenient_table(tmp_path):
    def write(rows: str):
        path = tmp_path / "table.csv"
        path.write_text(LENIENT_HEADER + rows)
        return path

    return write


def test_the_first_row_keeps_what_it_sets_and_the_rest_of_a_later_one_stays(lenient_table):
    path = lenient_table(
        "cto,1,,IT,\n\nCTO,2,,Other,Executive\ncto,3,substring,IT,\ncto,1,word,Other,\nvp,1,,,Executive\n"
    )
    read = read_rows(path, AUDITED, lenient=True)
    assert read.frame[["line", "keyword", "function", "level"]].to_numpy().tolist() == [
        [2, "cto", "IT", ""],
        [4, "CTO", "", "Executive"],
        [6, "cto", "Other", ""],
        [7, "vp", "", "Executive"],
    ]
    common = {"first_line": 2, "match": "substring", "target": "function", "first_label": "IT"}
    assert list(read.duplicates) == [
        Duplicate(line=4, keyword="CTO", label="Other", **common),
        Duplicate(line=5, keyword="cto", label="IT", **common),
    ]


def test_reading_with_duplicates_allowed_changes_nothing_without_duplicates(lenient_table):
    path = lenient_table("cto,1,,IT,\ncto,2,,,Executive\n")
    read = read_rows(path, AUDITED, lenient=True)
    assert read.frame.equals(read_rows(path, AUDITED).frame)
    assert read.duplicates == ()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("", "there is a header and no row"),
        ("cto,1,,IT,,x\n", "line 2 has 6 fields"),
        ("cto,0,,IT,\ncto,1,,IT,\n", "line 2: priority '0' is not a number above 0"),
        ("cto,1,,IT,\ncto,1,,Nonsense,\n", "line 3: 'Nonsense' is no function label"),
        ("cto,1,,,\n", "line 2: sets no target"),
    ],
)
def test_other_faults_are_refused_when_duplicates_are_allowed(lenient_table, rows, message):
    with pytest.raises(BadInput, match=r"table\.csv") as caught:
        read_rows(lenient_table(rows), AUDITED, lenient=True)
    assert message in str(caught.value)
    assert "repeats" not in str(caught.value)
