import gzip

import pandas as pd
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files.table_reader import read_table
from data_cleaning.lead_columns import LeadColumns
from data_cleaning.leads import pick_leads, read_counted_titles, read_leads

COLUMNS = LeadColumns(title="What you do", targets={"department": "Dept", "seniority": "Grade"}, count="Times")


def write(folder, content, name="leads.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_missing_column_names_the_nearest(tmp_path):
    path = write(tmp_path, "What you did,Dept,Grade,Times\nCook,Kitchen,Head,1\n")
    with pytest.raises(BadInput, match=r"Unknown column 'What you do'. Did you mean 'What you did'\?"):
        read_leads(path, COLUMNS)


def test_counts_must_be_whole_numbers(tmp_path):
    path = write(tmp_path, "What you do,Dept,Grade,Times\nCook,Kitchen,Head,1\nNurse,Nursing,Head,many\n")
    with pytest.raises(BadInput, match="'Times' needs whole numbers from 1 to 1,000,000,000; got line 3: 'many'"):
        read_leads(path, COLUMNS)


def test_a_title_beyond_the_longest_is_refused_with_its_row(tmp_path):
    for name in ("long.csv", "long.parquet"):
        table = pd.DataFrame({"Title": ["cook", None, "x" * 10_001], "Note": ["x" * 20_000, "a", "b"]})
        if name == "long.csv":
            table.to_csv(tmp_path / name, index=False)
        else:
            table.to_parquet(tmp_path / name)
        place = "line 4" if name == "long.csv" else "row 3"
        with pytest.raises(BadInput, match=rf"the title in {place} has 10,001 characters.*Look for an unclosed quote"):
            read_leads(tmp_path / name, LeadColumns(targets={}))


def test_csv_gzip_parquet_and_xlsx_read_alike(tmp_path):
    text = "What you do,Dept,Grade,Times\nCook,Kitchen,Head,2\nNurse,,Chief,1\n"
    plain = read_leads(write(tmp_path, text), COLUMNS)
    zipped = read_leads(write(tmp_path, gzip.compress(text.encode()), "leads.csv.gz"), COLUMNS)
    table = pd.read_csv(tmp_path / "leads.csv")
    table.to_parquet(tmp_path / "leads.parquet")
    assert plain.equals(zipped)
    assert plain.equals(read_leads(tmp_path / "leads.parquet", COLUMNS))
    table.to_excel(tmp_path / "leads.xlsx", index=False)
    assert plain.equals(read_leads(tmp_path / "leads.xlsx", COLUMNS))
    assert plain["record"].to_list() == ["1", "2"]
    assert plain["count"].to_list() == [2, 1]
    assert plain["department"].to_list() == ["Kitchen", None]


def test_one_column_cannot_be_mapped_twice(tmp_path):
    path = write(tmp_path, "What you do,Dept\nCook,Kitchen\n")
    with pytest.raises(BadInput, match=r"maps one column more than once: targets\.a -> 'Dept'; targets\.b -> 'Dept'"):
        read_leads(path, LeadColumns(title="What you do", targets={"a": "Dept", "b": "Dept"}))


def test_a_count_may_be_a_fraction_that_is_whole_and_is_bounded(tmp_path):
    columns = LeadColumns(targets={}, count="n")
    pd.DataFrame({"Title": ["a", "b"], "n": [1.0, 2.0]}).to_parquet(tmp_path / "n.parquet")
    assert read_leads(tmp_path / "n.parquet", columns)["count"].to_list() == [1, 2]
    pd.DataFrame({"Title": ["a", "b", "c"], "n": [1.0, None, 2.5]}).to_parquet(tmp_path / "n.parquet")
    with pytest.raises(BadInput, match=r"got row 2: an empty cell; row 3: '2.5'"):
        read_leads(tmp_path / "n.parquet", columns)
    for huge in ("1000000001", "99999999999999", "9" * 30, "inf", "1e300"):
        with pytest.raises(BadInput, match=f"whole numbers from 1 to 1,000,000,000; got line 2: '{huge}'"):
            read_leads(write(tmp_path, f"Title,n\na,{huge}\n"), columns)


def test_a_list_of_titles_is_read_whatever_the_case_of_its_header(tmp_path):
    read = read_counted_titles(write(tmp_path, "Count,TITLE \n2.0,CISO\n1,ciso\n"))
    assert read.rows() == [("CISO", 2), ("ciso", 1)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "Title,Times\nCISO,1\n",
            r"Unknown column 'count'. The file has 'Title'; 'Times'. A list of titles has the columns",
        ),
        ("Title,Count\nCISO,1\n\n ,1\n", r"list.csv has no title in line 4\."),
        (
            "Title,Count\nCISO,1\n\nCEO,2\nCISO,1\n",
            r"titles that occur more than once: 'CISO' in line 5\.",
        ),
        ("Title,Count\nCISO,1\nCEO,none\n", "got line 3: 'none'"),
    ],
)
def test_a_faulty_list_of_titles_names_its_lines_and_titles(tmp_path, content, message):
    with pytest.raises(BadInput, match=message):
        read_counted_titles(write(tmp_path, content, "list.csv"))


def test_a_duration_as_a_label_is_refused(tmp_path):
    frame = pd.DataFrame({"Title": ["a"], "Level": pd.to_timedelta([1], unit="D"), "other": [["x"]]})
    frame.to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    with pytest.raises(BadInput, match=r"column 'Level' holds Duration.*Write it as text, or name another column"):
        pick_leads(table, {"title": "Title", "level": "Level"})
    assert pick_leads(table, {"title": "Title"})["title"].to_list() == ["a"]
