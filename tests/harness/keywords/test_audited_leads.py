"""A table whose rows repeat each other is read for an audit, and every other fault is refused as ever."""

import pytest

from baselines.table_file import Duplicate, read_rows, read_rows_leniently
from data_cleaning.errors import BadInput
from tests.harness.mining.by_hand import TAXONOMY

HEADER = "keyword,priority,match,function,level\n"


@pytest.fixture
def table(tmp_path):
    def write(rows: str):
        path = tmp_path / "table.csv"
        path.write_text(HEADER + rows)
        return path

    return write


def test_the_first_row_keeps_what_it_sets_and_the_rest_of_a_later_one_stays(table):
    path = table("cto,1,,IT,\n\nCTO,2,,Other,Executive\ncto,3,substring,IT,\ncto,1,word,Other,\nvp,1,,,Executive\n")
    rows, duplicates = read_rows_leniently(path, TAXONOMY)
    assert rows[["line", "keyword", "function", "level"]].to_numpy().tolist() == [
        [2, "cto", "IT", ""],
        [4, "CTO", "", "Executive"],
        [6, "cto", "Other", ""],
        [7, "vp", "", "Executive"],
    ]
    common = {"first_line": 2, "match": "substring", "target": "function", "first_label": "IT"}
    assert duplicates == [
        Duplicate(line=4, keyword="CTO", label="Other", **common),
        Duplicate(line=5, keyword="cto", label="IT", **common),
    ]


def test_a_table_without_repetition_is_read_as_ever(table):
    path = table("cto,1,,IT,\ncto,2,,,Executive\n")
    rows, duplicates = read_rows_leniently(path, TAXONOMY)
    assert rows.equals(read_rows(path, TAXONOMY))
    assert duplicates == []


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("", "there is a header and no row"),
        ("cto,1,,IT\n", "line 2 has 4 fields"),
        ("cto,0,,IT,\ncto,1,,IT,\n", "line 2: priority '0' is not a number above 0"),
        ("cto,1,,IT,\ncto,1,,Nonsense,\n", "line 3: 'Nonsense' is no function label"),
        ("cto,1,,,\n", "line 2: sets no target"),
    ],
)
def test_other_faults_are_refused(table, rows, message):
    with pytest.raises(BadInput, match=r"table\.csv") as caught:
        read_rows_leniently(table(rows), TAXONOMY)
    assert message in str(caught.value)
    assert "repeats" not in str(caught.value)
