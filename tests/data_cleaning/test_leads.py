import gzip

import pandas as pd
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.finding_columns import find_columns
from data_cleaning.leads import (
    LeadColumns,
    pick_leads,
    read_counted_titles,
    read_labelled,
    read_leads,
    read_table,
    read_text_table,
)

COLUMNS = LeadColumns(title="What you do", targets={"department": "Dept", "seniority": "Grade"}, count="Times")


def write(folder, content, name="leads.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; expected a header line"),
        (b"What you do,Dept\n", "has a header but no rows"),
        (b"What you do,Dept\nCook,Kitchen\nCook,chief,Kitchen\n", r"line 3 has 3 fields \('Cook,chief,Kitchen'\)"),
        (b"What you do,Dept\nCook\n", r"expected 2 fields in every row, but line 2 has 1 field \("),
        (b"What you do,What you do\nCook,Kitchen\n", "names these columns more than once: 'What you do'"),
        ("What you do\nCook\nCuisinièr\n".encode("latin-1"), r"line 3 is not utf-8 \(byte 0xe8\)"),
        (b"What you do\nCook\nNu\0rse\n", "line 3 holds a NUL byte, which no title does. Delete that byte"),
        ("Title\nC\n".encode("utf-16-le"), "line 1 holds a NUL byte.* name its encoding where it is UTF-16"),
        (b"\xef\xbb\xbf", "is empty; expected a header line"),
        (b"\n\n", "begins with a blank line; expected a header line"),
        (b"a,b\n\n1,2\n1,2,3\n", r"line 4 has 3 fields \('1,2,3'\)"),
        (b'a,b\n"x\ny",2\n1,2,3\n', r"line 4 has 3 fields \('1,2,3'\)"),
        # An unclosed quote is named where it opens: up to the end, up to the next quoted cell, up to csv's limit.
        (
            b'a,b\n"x\ny",2\nok,1\n"IT, x\n1,2\n',
            r"a quote opens in line 5 and is never closed. Close it there",
        ),
        (b'a,b\nok,1\n"IT,x\n"Cook, head",3\n', r"a quote opens in line 3 that is not closed at the end of"),
        (
            b'a\nok\n"IT\n' + b"Cook\n" * 30_000,
            r"a cell that begins in line 3 has more than 131,072 characters",
        ),
        (
            b'a,b\n"Head of "IT"",1\n',
            r"a quote opens in line 2 .*double every quote that belongs to the title",
        ),
        (b'a,"b\n1,2\n', "a quote opens in the header line and is never closed"),
        (
            b"a\nok\n" + b"x" * 10_000_000,
            r"a cell that begins in line 3 has more than 131,072 .* cut the cell",
        ),
        (
            b"a\nok\n\xc3\xa9\n\xe8\n\xc3",
            "line 4 is not utf-8 .byte 0xe8., and neither is line 5, while other lines with accents are .1.:",
        ),
    ],
)
def test_a_broken_table_names_the_place_and_the_remedy(tmp_path, content, message):
    with pytest.raises(BadInput, match=message):
        read_text_table(write(tmp_path, content))


def test_a_missing_file_and_a_strange_ending_are_refused(tmp_path):
    with pytest.raises(BadInput, match="No file at"):
        read_text_table(tmp_path / "absent.csv")
    with pytest.raises(BadInput, match=r"ends in '.docx'; expected .csv, .tsv, .csv.gz or .parquet"):
        read_text_table(write(tmp_path, "x", "leads.docx"))


def test_a_missing_column_names_the_nearest(tmp_path):
    path = write(tmp_path, "What you did,Dept,Grade,Times\nCook,Kitchen,Head,1\n")
    with pytest.raises(BadInput, match=r"Unknown column 'What you do'. Did you mean 'What you did'\?"):
        read_leads(path, COLUMNS)


def test_counts_must_be_whole_numbers(tmp_path):
    path = write(tmp_path, "What you do,Dept,Grade,Times\nCook,Kitchen,Head,1\nNurse,Nursing,Head,many\n")
    with pytest.raises(BadInput, match="'Times' needs whole numbers from 1 to 1,000,000,000; got line 3: 'many'"):
        read_leads(path, COLUMNS)


def test_quotes_byte_order_mark_and_named_encodings_are_read(tmp_path):
    path = write(tmp_path, '\ufeffTitle,Note\n"Cook, head","two\nlines"\n')
    assert read_text_table(path).row(0) == ("Cook, head", "two\nlines")
    path = write(tmp_path, "Title\nCuisinièr\n".encode("latin-1"))
    assert read_text_table(path, encoding="latin-1").row(0) == ("Cuisinièr",)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_says_the_encoding(tmp_path, encoding):
    path = write(tmp_path, '"Title",b\n"Cuisinièr, chef",x\n'.encode(encoding))
    assert read_text_table(path).to_dicts() == [{"Title": "Cuisinièr, chef", "b": "x"}]


def test_a_gzip_file_that_is_cut_or_none_is_refused(tmp_path):
    whole = gzip.compress(b"Title\n" + b"cook\n" * 1000)
    for content in (whole[:-9], whole[:40] + b"x" * 40, b"Title\ncook\n"):
        with pytest.raises(BadInput, match="is not a whole gzip file"):
            read_text_table(write(tmp_path, content, "leads.csv.gz"))


def test_a_title_too_long_to_be_one_is_refused_with_its_row(tmp_path):
    for name in ("long.csv", "long.parquet"):
        table = pd.DataFrame({"Title": ["cook", None, "x" * 10_001], "Note": ["x" * 20_000, "a", "b"]})
        if name == "long.csv":
            table.to_csv(tmp_path / name, index=False)
        else:
            table.to_parquet(tmp_path / name)
        place = "line 4" if name == "long.csv" else "row 3"
        with pytest.raises(BadInput, match=rf"the title in {place} has 10,001 characters.*Look for an unclosed quote"):
            read_leads(tmp_path / name, LeadColumns(targets={}))


def test_a_literal_quote_inside_a_plain_cell_is_kept(tmp_path):
    assert read_text_table(write(tmp_path, 'Title,b\n5" Disk Engineer,x\n')).row(0) == ('5" Disk Engineer', "x")


@pytest.mark.parametrize(
    ("names", "columns", "present", "absent"),
    [
        (["Title"], LeadColumns(), {"title": "Title"}, {"function", "role", "level"}),
        (["JOB TITLE", "role"], LeadColumns(), {"title": "JOB TITLE", "role": "role"}, {"function", "level"}),
        (
            ["title", "Grade"],
            LeadColumns(targets={"g": "Grade"}, date="Day"),
            {"title": "title", "g": "Grade"},
            {"date"},
        ),
        (["Title", "title"], LeadColumns(targets={}), {"title": "Title"}, set()),
    ],
)
def test_only_the_title_and_what_was_asked_for_must_be_there(names, columns, present, absent):
    found = find_columns(names, columns, "leads.csv")
    assert (found.present, set(found.absent)) == (present, absent)


@pytest.mark.parametrize(
    ("names", "columns", "message"),
    [
        (
            ["Titel"],
            LeadColumns(),
            r"Unknown column 'Title'. Did you mean 'Titel'\?.*--title-column.*leads.columns.title",
        ),
        (["title", "Title ", "TITLE"], LeadColumns(title="titles"), "Unknown column 'titles'"),
        (
            ["Title", "Grad"],
            LeadColumns(targets={"seniority": "Grade"}),
            r"Did you mean 'Grad'\?.*set leads.columns.targets.seniority",
        ),
    ],
)
def test_a_title_or_a_target_that_was_asked_for_and_is_not_there_names_the_nearest(names, columns, message):
    with pytest.raises(BadInput, match=message):
        find_columns(names, columns, "leads.csv")


def test_csv_gzip_and_parquet_read_alike(tmp_path):
    text = "What you do,Dept,Grade,Times\nCook,Kitchen,Head,2\nNurse,,Chief,1\n"
    plain = read_leads(write(tmp_path, text), COLUMNS)
    zipped = read_leads(write(tmp_path, gzip.compress(text.encode()), "leads.csv.gz"), COLUMNS)
    table = pd.read_csv(tmp_path / "leads.csv")
    table.to_parquet(tmp_path / "leads.parquet")
    assert plain.equals(zipped)
    assert plain.equals(read_leads(tmp_path / "leads.parquet", COLUMNS))
    assert plain["record"].to_list() == ["1", "2"]
    assert plain["count"].to_list() == [2, 1]
    assert plain["department"].to_list() == ["Kitchen", None]


def test_a_labelled_file_may_use_target_names_and_raw_labels(tmp_path, company):
    path = write(tmp_path, "title,department,Grade\nCook,Dept. of Kitchen,Head\nCook,Kitchen,Head\n")
    assert read_labelled(path, COLUMNS, company.taxonomy).rows() == [("Cook", "Kitchen", "Head")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("Cook,Kitchen,\n", "has no seniority in line 2"),
        ("Cook,Kitchn,Head\n", "Did you mean 'Kitchen'"),
        ("Cook,Kitchen,Head\nCook,Kitchen,Chief\n", "labels the same title in two ways: 'Cook'"),
    ],
)
def test_a_labelled_file_must_be_whole_and_of_one_mind(tmp_path, company, rows, message):
    with pytest.raises(BadInput, match=message):
        read_labelled(write(tmp_path, "title,department,seniority\n" + rows), COLUMNS, company.taxonomy)


def test_the_delimiter_is_that_of_the_header_line(tmp_path):
    for content, name in (
        ("a;b\n1,5;x\n", "semi.csv"),
        ("a\tb\n1,5\tx\n", "tabs.tsv"),
        ('"a",b\n"1,5",x\n', "comma.CSV"),
    ):
        assert read_text_table(write(tmp_path, content, name)).row(0) == ("1,5", "x")


def test_an_empty_line_is_a_row_where_there_is_one_column_only(tmp_path):
    assert read_text_table(write(tmp_path, "Title\ncook\n\nnurse\n"))["Title"].to_list() == ["cook", None, "nurse"]
    assert len(read_text_table(write(tmp_path, "Title,Dept\ncook,x\n\nnurse,y\n\n"))) == 2


def test_one_column_cannot_be_mapped_twice(tmp_path):
    path = write(tmp_path, "What you do,Dept\nCook,Kitchen\n")
    with pytest.raises(BadInput, match=r"maps one column more than once: targets\.a -> 'Dept'; targets\.b -> 'Dept'"):
        read_leads(path, LeadColumns(title="What you do", targets={"a": "Dept", "b": "Dept"}))


def test_a_column_of_lists_is_refused(tmp_path):
    pd.DataFrame({"Title": [["a"], ["b"]]}).to_parquet(tmp_path / "lists.parquet")
    with pytest.raises(BadInput, match="column 'Title' holds List"):
        read_text_table(tmp_path / "lists.parquet")


@pytest.mark.parametrize("encoding", ["hex", "utf-9"])
def test_an_encoding_that_is_none_is_refused(tmp_path, encoding):
    with pytest.raises(BadInput, match=f"Unknown encoding '{encoding}'"):
        read_text_table(write(tmp_path, "Title\ncook\n"), encoding=encoding)


def test_rows_are_found_by_the_line_on_which_they_begin(tmp_path):
    """As an editor counts: the header is line 1, blank lines and line breaks inside quotes count."""
    table = read_table(write(tmp_path, 'Title,b\n\n"two\nlines",1\n\r\n"cook",x\nnurse,"y\n\nz"\nchef,2\n'))
    assert table.frame["Title"].to_list() == ["two\nlines", "cook", "nurse", "chef"]
    assert table.numbers().to_list() == [3, 6, 7, 10]
    assert (table.unit, table.place(3)) == ("line", "line 10")
    assert table.notes == ("Blank lines, skipped: 2 (line 2; 5).",)
    table.frame.write_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert table.numbers().to_list() == [1, 2, 3, 4]
    assert (table.unit, table.place(3), table.notes) == ("row", "row 4", ())


def test_columns_without_name_and_content_are_left_out_and_said(tmp_path):
    table = read_table(write(tmp_path, "Title,, ,b,\ncook,,,1,\nnurse,, ,2,\n"))
    assert table.frame.rows() == [("cook", "1"), ("nurse", "2")]
    assert table.notes == ("Columns without name and content, left out: 2; 3; 5, from the left.",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Title,,\ncook,,\n\nnurse,,x\n", r"column 3 from the left has no name but content, first in line 4 \(1 in"),
        (",\n1,2\n", "names no column in its first line"),
    ],
)
def test_columns_without_name_but_with_content_are_refused(tmp_path, content, message):
    with pytest.raises(BadInput, match=message):
        read_table(write(tmp_path, content))


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


@pytest.mark.parametrize("title", ["Nope", "title", "TITLE"])
def test_a_title_column_that_was_named_is_never_another(title):
    with pytest.raises(BadInput, match=f"Unknown column '{title}'"):
        find_columns(["Title", "Name"], LeadColumns(title=title), "leads.csv")


def test_the_default_title_column_is_exact_where_somebody_named_it():
    assert find_columns(["Job Title"], LeadColumns(), "leads.csv").present["title"] == "Job Title"
    with pytest.raises(BadInput, match="Unknown column 'Title'"):
        find_columns(["Job Title"], LeadColumns(), "leads.csv", title_asked_for=True)
    with pytest.raises(BadInput, match="Unknown column 'Title'"):
        find_columns(["Job Title", "title"], LeadColumns(), "leads.csv")
    mapped = LeadColumns(targets={"function": "Job Title"})
    with pytest.raises(BadInput, match=r"Unknown column 'Title'.*Known: Job Title\."):
        find_columns(["Job Title"], mapped, "leads.csv")


def test_counts_that_were_asked_for_must_be_there_and_other_optional_columns_need_not():
    with pytest.raises(BadInput, match=r"Unknown column 'Times'. Did you mean 'times'\?.*set leads.columns.count"):
        find_columns(["Title", "times"], LeadColumns(count="Times"), "leads.csv")
    columns = LeadColumns(targets={}, record="Id", country="Land", date="Day")
    found = find_columns(["Title", "id", "Country"], columns, "leads.csv")
    assert found.present == {"title": "Title", "record": "id"}
    assert found.absent == {"country": "Land", "date": "Day"}


def test_a_list_of_titles_is_read_whatever_the_case_of_its_header(tmp_path):
    read = read_counted_titles(write(tmp_path, "Count,TITLE \n2.0,CISO\n1,ciso\n"))
    assert read.rows() == [("CISO", 2), ("ciso", 1)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "Title,Times\nCISO,1\n",
            r"expected one column 'count' in upper or lower case; the file has 'Title'; 'Times'\.",
        ),
        ("Title,Count\nCISO,1\n\n ,1\n", r"list.csv has no title in line 4\."),
        ("Title,Count\nCISO,1\n\nCEO,2\nCISO,1\n", r"list.csv has titles that stood in it before: 'CISO' in line 5\."),
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
