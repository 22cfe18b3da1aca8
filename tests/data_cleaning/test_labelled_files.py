import pandas as pd
import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.labelled_files import LEARN, SCORE, combine_opinions, read_labelled, sides_of
from data_cleaning.lead_columns import LeadColumns

COLUMNS = LeadColumns(title="What you do", targets={"department": "Dept", "seniority": "Grade"})


def write(folder, text):
    path = folder / "labelled.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_labelled_file_may_use_target_names_and_raw_labels(tmp_path, company):
    path = write(tmp_path, "title,department,Grade\nCook,Dept. of Kitchen,Head\nCook,Kitchen,Head\n")
    assert read_labelled(path, COLUMNS, company.taxonomy).rows() == [("Cook", "Kitchen", "Head")]


def test_a_labelled_file_may_be_a_spreadsheet_and_faults_name_its_rows(tmp_path, company):
    rows = pd.DataFrame({"title": ["Cook", "Nurse"], "Dept": ["Kitchen", None], "Grade": ["Head", "Head"]})
    rows[:1].to_excel(tmp_path / "labelled.xlsx", index=False)
    assert read_labelled(tmp_path / "labelled.xlsx", COLUMNS, company.taxonomy).rows() == [("Cook", "Kitchen", "Head")]
    rows.to_excel(tmp_path / "labelled.xlsx", index=False)
    with pytest.raises(BadInput, match="has no department in row 3"):
        read_labelled(tmp_path / "labelled.xlsx", COLUMNS, company.taxonomy)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("Cook,Kitchen,\n", "has no seniority in line 2"),
        ("Cook,Kitchn,Head\n", "Did you mean 'Kitchen'"),
        ("Cook,Kitchen,Head\nCook,Kitchen,Chief\n", "labels the same title in two ways: 'Cook'"),
        ("Night Cook,Kitchen,Head\n night  COOK,Kitchen,Chief\n", "in two ways: 'Night Cook'; 'night COOK'"),
    ],
)
def test_a_labelled_file_must_have_every_label_and_one_per_title(tmp_path, company, rows, message):
    with pytest.raises(BadInput, match=message):
        read_labelled(write(tmp_path, "title,department,seniority\n" + rows), COLUMNS, company.taxonomy)


def test_a_labelled_file_leaves_out_rows_that_nobody_has_labelled_yet(tmp_path, company):
    path = write(tmp_path, "title,department,seniority\nCook,Kitchen,Head\nNurse,,\nDriver, ,\n")
    assert read_labelled(path, COLUMNS, company.taxonomy).rows() == [("Cook", "Kitchen", "Head")]
    with pytest.raises(BadInput, match="has no label in any row"):
        read_labelled(write(tmp_path, "title,department,seniority\nNurse,,\n"), COLUMNS, company.taxonomy)


def test_a_title_in_two_cases_may_have_equal_labels(tmp_path, company):
    path = write(tmp_path, "title,department,seniority\nCook,Kitchen,Head\ncook,Kitchen,Head\n")
    assert len(read_labelled(path, COLUMNS, company.taxonomy)) == 2


def test_partly_labelled_titles_and_sides_are_read_where_they_are_allowed(tmp_path, company):
    path = write(tmp_path, "title,department,seniority,side\nCook,Kitchen,,learn\nNurse,,Head,score\nDriver,,,learn\n")
    read = read_labelled(path, COLUMNS, company.taxonomy, partly=True)
    assert read.rows() == [("Cook", "Kitchen", None, LEARN), ("Nurse", None, "Head", SCORE)]
    with pytest.raises(BadInput, match="has no department in line 3"):
        read_labelled(path, COLUMNS, company.taxonomy)
    with pytest.raises(BadInput, match=r"'both' in line 2\. Write learn or score"):
        read_labelled(
            write(tmp_path, "title,department,seniority,side\nCook,Kitchen,,both\n"), COLUMNS, company.taxonomy
        )


def test_of_several_opinions_the_most_frequent_counts_and_a_tie_says_nothing(tmp_path, company):
    opinions = (
        "Cook,Kitchen,Head,ann\nCook,Kitchen,Chief,ben\ncook,Cleaning,Head,cat\nCook,Kitchen,Head,ann\n"
        "Nurse,Nursing,Head,ann\nNurse,Surgery,Chief,ben\n"
    )
    path = write(tmp_path, "title,department,seniority,reviewer\n" + opinions)
    read = read_labelled(path, COLUMNS, company.taxonomy, partly=True)
    assert read.rows() == [("Cook", "Kitchen", "Head", None), ("cook", "Kitchen", "Head", None)]
    path = write(tmp_path, "title,department,seniority,reviewer\nCook,Kitchen,Head,ann\nCook,Kitchen,Chief,ann\n")
    with pytest.raises(BadInput, match="labels the same title in two ways: 'Cook'"):
        read_labelled(path, COLUMNS, company.taxonomy, partly=True)


def test_a_vote_counts_per_target(company):
    rows = pl.DataFrame(
        [("Cook", "Kitchen", None, "ann", None), ("Cook", None, "Head", "ben", "learn")],
        schema=["title", "department", "seniority", "reviewer", "side"], orient="row",
    )  # fmt: skip
    assert combine_opinions(rows, company.taxonomy.names).rows() == [("Cook", "Kitchen", "Head", "learn")]


def test_near_duplicates_are_on_one_side_and_a_fifth_is_for_scoring():
    titles = pl.Series([f"{word} Director {number}" for number in range(500) for word in ("IT", "it")])
    sides = sides_of(titles)
    assert sides.gather_every(2).to_list() == sides.gather_every(2, 1).to_list()
    assert sides_of(pl.Series(["Director of IT"])).to_list() == sides_of(pl.Series(["IT Dir."])).to_list()
    assert 0.15 < (sides == SCORE).mean() < 0.25
    assert (
        sides_of(pl.Series(["Nurse", "Cook", "Driver", "CISO"])).to_list()
        == sides_of(pl.Series(["Nurse", "Cook", "Driver", "CISO"])).to_list()
    )
