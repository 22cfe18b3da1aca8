import gzip

import pandas as pd
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.leads import LeadColumns, find_columns, read_labelled, read_leads, read_text_table

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
        (b"What you do,Dept\nCook,Kitchen\nCook,chief,Kitchen\n", r"row 3 has 3 fields \('Cook,chief,Kitchen'\)"),
        (b"What you do,Dept\nCook\n", r"expected 2 fields in every row, but row 2 has 1 fields"),
        (b"What you do,What you do\nCook,Kitchen\n", "names these columns more than once: What you do"),
        ("What you do\nCook\nCuisinièr\n".encode("latin-1"), r"line 3 is not utf-8 \(byte 0xe8\)"),
        (b"What you do\nCook\nNu\0rse\n", "line 3 holds a NUL byte, which no title does. Delete that byte"),
        ("Title\nC\n".encode("utf-16-le"), "line 1 holds a NUL byte.* name its encoding where it is UTF-16"),
        (b"\xef\xbb\xbf", "is empty; expected a header line"),
        (b"\n\n", "begins with a blank line; expected a header line"),
        (b"a,b\n\n1,2\n1,2,3\n", r"row 3 has 3 fields \('1,2,3'\)"),
        (b'a,b\n"x\ny",2\n1,2,3\n', r"row 3 has 3 fields \('1,2,3'\)"),
        # An unclosed quote is named where it opens: up to the end, up to the next quoted cell, up to csv's limit.
        (
            b'a,b\n"x\ny",2\nok,1\n"IT, x\n1,2\n',
            r"a quote opens in row 4 \(line 5\) and is never closed. Close it there",
        ),
        (b'a,b\nok,1\n"IT,x\n"Cook, head",3\n', r"a quote opens in row 3 \(line 3\) that is not closed at the end of"),
        (
            b'a\nok\n"IT\n' + b"Cook\n" * 30_000,
            r"a cell that begins in row 3 \(line 3\) has more than 131,072 characters",
        ),
        (
            b'a,b\n"Head of "IT"",1\n',
            r"a quote opens in row 2 \(line 2\).*double every quote that belongs to the title",
        ),
        (b'a,"b\n1,2\n', "a quote opens in the header line and is never closed"),
        (
            b"a\nok\n" + b"x" * 10_000_000,
            r"a cell that begins in row 3 \(line 3\) has more than 131,072 .* cut the cell",
        ),
        (
            b"a\nok\n\xc3\xa9\n\xe8\n\xc3",
            "line 4 is not utf-8 .byte 0xe8., and neither is line 5, while 1 other lines with",
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
    with pytest.raises(BadInput, match="'Times' needs whole numbers of at least 1; got row 3: 'many'"):
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
        with pytest.raises(BadInput, match=r"the title in row 4 has 10,001 characters.*Look for an unclosed quote"):
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
        (["Titel"], LeadColumns(), r"Unknown column 'Title'. Did you mean 'Titel'\?.*set leads.columns.title"),
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
        ("Cook,Kitchen,\n", "has no seniority in rows 2"),
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
