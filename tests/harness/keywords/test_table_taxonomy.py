"""A taxonomy out of a keyword table's own columns and labels."""

import pytest

from baselines.keyword_table import KeywordTable
from data_cleaning.errors import BadInput
from harness.keywords.table_taxonomy import UNDECIDED, fits, label_of_the_rest, read_labels, taxonomy_of


def written(folder, text):
    (folder / "table.csv").write_text(text)
    return folder / "table.csv"


def test_columns_become_targets_and_labels_classes_and_the_table_can_be_read_with_them(tmp_path):
    path = written(
        tmp_path, "KEYWORD,priority,Team, Grade ,match\nnurse,1,Care,,\nchief,2,,Top,word\nvisitor,3,Other,,\n"
    )
    taxonomy = taxonomy_of(read_labels(path))
    assert taxonomy.names == ("Team", "Grade")
    assert (taxonomy["Team"].classes, taxonomy["Team"].fallback) == (("Care", "Other"), "Other")
    assert (taxonomy["Grade"].classes, taxonomy["Grade"].fallback) == (("Top", UNDECIDED), UNDECIDED)
    assert len(KeywordTable.read(path, taxonomy)) == 3


def test_what_keeps_labels_from_a_taxonomy_is_said(tmp_path, company):
    path = written(tmp_path, "keyword,priority,Department,Shoe\nnurse,1,Nursing,44\ncook,1,Kichen,\n")
    assert fits(read_labels(path), company.taxonomy) == [
        "it has no column 'seniority'",
        "it has department labels of its own, 'Kichen'",
    ]
    assert fits(read_labels(company.folder / "keywords.csv"), company.taxonomy) == []


def test_a_column_with_a_name_that_the_tables_use_themselves_is_refused(tmp_path):
    path = written(tmp_path, "keyword,priority,rank\nchief,1,Top\n")
    with pytest.raises(BadInput, match=r"table.csv: a target cannot be called 'rank'.*choose another"):
        taxonomy_of(read_labels(path), str(path))


def test_a_column_of_remarks_is_no_target(tmp_path):
    rows = "".join(f"word{at},1,{'Care' if at % 2 else 'House'},see ticket {at}\n" for at in range(30))
    assert list(read_labels(written(tmp_path, f"keyword,priority,Team,Notes\n{rows}"))) == ["Team"]


def test_a_table_without_labels_is_refused(tmp_path):
    with pytest.raises(BadInput, match="at least one column of labels"):
        read_labels(written(tmp_path, "keyword,priority\nnurse,1\n"))


@pytest.mark.parametrize(
    ("labels", "rest"),
    [
        (["IT", "Other", "N/A"], "Other"),
        (["IT", "n/a", "UNASSIGNED"], "n/a"),
        (["IT", "None given"], "None given"),
        (["IT", "Another"], None),
    ],
)
def test_the_label_for_everything_else_is_known_in_any_spelling(labels, rest):
    assert label_of_the_rest(labels) == rest
