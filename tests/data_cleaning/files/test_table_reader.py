import gzip

import pandas as pd
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files import table_reader
from data_cleaning.files.table_reader import as_text, read_table


def write(folder, content, name="leads.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; expected a header line"),
        (b"\xef\xbb\xbf", "has no header; expected a line of column names"),
        (b"\n\n", "has no header; expected a line of column names"),
        (b"What you do,Dept\n", "has a header but no rows"),
        (
            b"What you do,Dept\nCook,Kitchen\nCook,chief,Kitchen\n",
            r"1 row could not be read: line 3 has 3 fields, expected 2 \('Cook,chief,Kitchen'\). Put quotes around",
        ),
        (b"What you do,Dept\nCook,,x\n", r"line 2 has 3 fields, expected 2 \('Cook,,x'\)"),
        (b"a,b\n\n1,2\n1,2,3\n", r"line 4 has 3 fields, expected 2 \('1,2,3'\)"),
        (b'a,b\n"x\ny",2\n1,2,3\n4,,5\n', r"2 rows could not be read: line 4 has 3 fields.*; line 5 has 3 fields, exp"),
        (b"What you do,What you do\nCook,Kitchen\n", "names these columns more than once: 'What you do'"),
        (
            "What you do\nCook\nCuisinièr\n".encode("latin-1"),
            r"line 3 is not utf-8 \(byte 0xe8\).*Save the file as",
        ),
        (
            b"a\nok\n\xc3\xa9\n\xe8\n\xc3",
            "line 4 is not utf-8 .byte 0xe8.*; line 5 is not utf-8 .byte 0xc3.*Other lines with accents can be read",
        ),
        (b"What you do\nCook\nNu\0rse\n", "line 3 holds a NUL byte, which no text does. Delete that byte"),
        ("Title\nC\n".encode("utf-16-le"), "line 1 holds a NUL byte.* name its encoding where it is UTF-16"),
        # An unclosed quote is named where it opens: up to the end, up to the next quoted cell, or over many lines.
        (b'a,b\n"x\ny",2\nok,1\n"IT, x\n1,2\n', r"line 5 opens a quote that is never closed .*Close each quote"),
        (b'a,b\nok,1\n"IT,x\n"Cook, head",3\n', "line 3 opens a quote that is never closed"),
        (b'a\nok\n"IT\n' + b"Cook\n" * 30_000, "line 3 opens a quote that is never closed"),
        (b'a,b\n"Head of "IT"",1\n', "line 2 has a quote within quotes that is not doubled.*double every quote[^.]*.$"),
        (b'a,"b\n1,2\n', "the header in line 1 has a quote that is stray or never closed"),
    ],
)
def test_a_broken_table_names_the_place_and_the_remedy(tmp_path, content, message):
    with pytest.raises(BadInput, match=message):
        read_table(write(tmp_path, content))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BadInput, match="No file at"):
        read_table(tmp_path / "absent.csv")


def test_rows_that_could_not_be_read_are_returned_where_that_is_asked_for(tmp_path):
    table = read_table(write(tmp_path, "a,b\n1,2,x\n2,3\n4,\0\n"), keep_rejects=True)

    assert table.frame.rows() == [("2", "3")]
    assert table.places.to_list() == [3]
    rejects = [(one.place, one.reason, one.text) for one in table.rejects]
    assert rejects == [(2, "has 3 fields, expected 2", "1,2,x"), (4, "holds a NUL byte", "4,\0")]


def test_a_file_in_which_nothing_can_be_read_is_refused_even_where_rejects_are_kept(tmp_path):
    with pytest.raises(BadInput, match=r"1 row could not be read: line 2 has 3 fields, expected 2 \('1,2,x'\)"):
        read_table(write(tmp_path, "a,b\n1,2,x\n"), keep_rejects=True)


def test_a_header_alone_is_a_table_where_that_is_allowed(tmp_path):
    table = read_table(write(tmp_path, "a,b\n"), allow_no_rows=True)

    assert (table.frame.columns, table.frame.rows(), table.places.to_list()) == (["a", "b"], [], [])


def test_columns_of_one_name_may_be_chosen_by_their_place(tmp_path):
    path = write(tmp_path, "Lead,Job Title,Job Title\nx,cook,nurse\n")
    table = read_table(path, choose=lambda file: file.names)
    assert table.frame.row(0, named=True) == {
        "Lead": "x",
        "Job Title (column 2)": "cook",
        "Job Title (column 3)": "nurse",
    }
    assert read_table(path, choose=lambda file: ["Lead"]).frame.row(0) == ("x",)


def test_chosen_columns_alone_are_read_in_the_order_asked_for(tmp_path):
    table = read_table(write(tmp_path, "a,b,c\n1,2,3\n"), choose=lambda file: [file.names[2], file.names[0]])

    assert table.frame.to_dicts() == [{"c": "3", "a": "1"}]
    assert table.columns == ("a", "b", "c")


def test_quotes_byte_order_mark_and_named_encodings_are_read(tmp_path):
    path = write(tmp_path, '\ufeffTitle,Note\n"Cook, head","two\nlines"\n')
    assert read_table(path).frame.row(0) == ("Cook, head", "two\nlines")
    path = write(tmp_path, "Title\nCuisinièr\n".encode("latin-1"))
    assert read_table(path, encoding="latin-1").frame.row(0) == ("Cuisinièr",)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_says_the_encoding(tmp_path, encoding):
    path = write(tmp_path, '"Title",b\n"Cuisinièr, chef",x\n'.encode(encoding))
    assert read_table(path).frame.to_dicts() == [{"Title": "Cuisinièr, chef", "b": "x"}]


def test_a_gzip_file_that_is_cut_or_damaged_is_refused(tmp_path):
    whole = gzip.compress(b"Title\n" + b"cook\n" * 1000)
    for content in (whole[:-9], whole[:40] + b"x" * 40):
        with pytest.raises(BadInput, match="is not a whole gzip file"):
            read_table(write(tmp_path, content, "leads.csv.gz"))


def test_a_literal_quote_inside_a_plain_cell_is_kept(tmp_path):
    assert read_table(write(tmp_path, 'Title,b\n5" Disk Engineer,x\n')).frame.row(0) == ('5" Disk Engineer', "x")


def test_the_delimiter_is_that_of_the_header_line(tmp_path):
    for content, name in (
        ("a;b\n1,5;x\n", "semi.csv"),
        ("a\tb\n1,5\tx\n", "tabs.tsv"),
        ('"a",b\n"1,5",x\n', "comma.CSV"),
    ):
        assert read_table(write(tmp_path, content, name)).frame.row(0) == ("1,5", "x")


def test_an_empty_line_is_a_row_where_there_is_one_column_only(tmp_path):
    assert read_table(write(tmp_path, "Title\ncook\n\nnurse\n")).frame["Title"].to_list() == ["cook", None, "nurse"]
    assert len(read_table(write(tmp_path, "Title,Dept\ncook,x\n\nnurse,y\n\n")).frame) == 2


def test_a_column_of_lists_is_refused(tmp_path):
    pd.DataFrame({"Title": [["a"], ["b"]]}).to_parquet(tmp_path / "lists.parquet")
    with pytest.raises(BadInput, match="column 'Title' holds List"):
        as_text(read_table(tmp_path / "lists.parquet").frame, tmp_path / "lists.parquet")


def test_whole_numbers_are_text_without_a_fraction_and_text_stays_as_it_is_written(tmp_path):
    path = tmp_path / "levels.parquet"
    pd.DataFrame({"Level": [1.0, 2.5, None], "Grade": ["1.0", "2", None], "Rank": [7, 8, 9]}).to_parquet(path)
    texts = as_text(read_table(path).frame, path)
    assert texts.to_dict(as_series=False) == {
        "Level": ["1", "2.5", None],
        "Grade": ["1.0", "2", None],
        "Rank": ["7", "8", "9"],
    }


@pytest.mark.parametrize("encoding", ["hex", "utf-9"])
def test_an_unknown_encoding_is_refused(tmp_path, encoding):
    with pytest.raises(BadInput, match=f"Unknown encoding '{encoding}'"):
        read_table(write(tmp_path, "Title\ncook\n"), encoding=encoding)


def test_rows_are_found_by_the_line_on_which_they_begin(tmp_path):
    """As an editor counts: the header is line 1, blank lines and line breaks inside quotes count."""
    table = read_table(write(tmp_path, 'Title,b\n\n"two\nlines",1\n\r\n"cook",x\nnurse,"y\n\nz"\nchef,2\n'))
    assert table.frame["Title"].to_list() == ["two\nlines", "cook", "nurse", "chef"]
    assert table.places.to_list() == [3, 6, 7, 10]
    assert (table.unit, table.place(3)) == ("line", "line 10")
    assert table.notes[1:] == ("Blank lines, skipped: 2.",)
    table.frame.write_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert table.places.to_list() == [1, 2, 3, 4]
    assert (table.unit, table.place(3), table.notes) == ("row", "row 4", ())


def test_columns_without_name_and_content_are_left_out_with_a_note(tmp_path):
    table = read_table(write(tmp_path, "Title,, ,b,\ncook,,,1,\nnurse,, ,2,\n"))
    assert table.frame.rows() == [("cook", "1"), ("nurse", "2")]
    assert table.notes[1:] == ("Columns without name and content, left out: 2; 3; 5, from the left.",)


def test_a_column_without_a_name_is_called_by_its_place_where_rejects_are_kept_and_somebody_chooses(tmp_path):
    path = write(tmp_path, "Title,column 2,,\ncook,a,,\nnurse,b,note, \n")
    table = read_table(path, choose=lambda columns: columns.named, keep_rejects=True)
    assert table.frame.rows(named=True)[1] == {"Title": "nurse", "column 2": "b", "column 3": "note"}
    assert table.columns == ("Title", "column 2", "column 3")
    assert table.notes[1:] == ("Columns without name and content, left out: 4, from the left.",)
    table = read_table(path, choose=lambda columns: ["Title"], keep_rejects=True)
    assert (table.frame.columns, table.columns) == (["Title"], ("Title", "column 2", "column 3"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Title,,\ncook,,\n\nnurse,,x\n", r"column 3 from the left has no name but content, first in line 4\. Name it"),
        (",\n1,2\n", "names no column in its header"),
    ],
)
def test_columns_without_name_but_with_content_are_refused(tmp_path, content, message):
    with pytest.raises(BadInput, match=message):
        read_table(write(tmp_path, content))


def test_a_file_that_would_fill_the_memory_is_refused_as_soon_as_that_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(table_reader, "MAX_TABLE_BYTES", 10_000)
    path = tmp_path / "leads.csv"
    path.write_text("Title,Age\n" + "CEO,1\n" * 10_000)
    with pytest.raises(BadInput, match="takes more than 10,000 bytes of memory"):
        read_table(path)
    path.write_text("Title,Age\nCEO,1\n" + "x" * 20_000 + "\n")
    with pytest.raises(BadInput, match="takes more than 10,000 bytes of memory"):
        read_table(path, keep_rejects=True)
