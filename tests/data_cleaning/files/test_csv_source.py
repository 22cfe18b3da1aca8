import csv
import gzip
import subprocess
import sys
import time

import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files import csv_source, open_source
from data_cleaning.files.csv_careful import parse_carefully
from data_cleaning.files.csv_source import CsvSource
from data_cleaning.files.sources import MAX_BYTES


def write(folder, content, name="leads.csv"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(source):
    rows, rejects = [], []
    for batch in source.batches():
        rows += [tuple(column[place].as_py() for column in batch.rows.columns) for place in range(batch.rows.num_rows)]
        rejects += batch.rejects
    return rows, [(reject.place, reject.reason, reject.text) for reject in rejects]


def rows_of(folder, content, **options):
    rows, rejects = read(open_source(write(folder, content), **options))
    assert rejects == []
    return rows


def rejects_of(folder, content, **options):
    return read(open_source(write(folder, content), **options))[1]


def test_cells_are_text_and_empty_ones_are_null(tmp_path):
    source = open_source(write(tmp_path, 'Title,Age\nCEO,007\n"",1.0\n'))

    assert source.schema.names == ["Title", "Age"]
    assert {str(kind) for kind in source.schema.types} == {"string"}
    assert read(source) == ([("CEO", "007"), (None, "1.0")], [])


def test_batches_of_fast_and_careful_parsing_have_the_schema_of_the_source(tmp_path):
    source = open_source(write(tmp_path, "Title,Age\nCEO,1\n"))
    careful = open_source(write(tmp_path, "Title,Age\nCEO,1\n,,\n", "odd.csv"))

    assert next(source.batches()).rows.schema == source.schema
    assert next(careful.batches()).rows.schema == careful.schema


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_occurs_most_in_the_header(tmp_path, delimiter):
    source = open_source(write(tmp_path, f"Title{delimiter}Age{delimiter}\nCEO{delimiter}1{delimiter}x\n"))

    assert source.delimiter == delimiter
    assert read(source) == ([("CEO", "1", "x")], [])


def test_delimiters_within_quotes_of_the_header_do_not_count(tmp_path):
    source = open_source(write(tmp_path, '"Title, or ""Job"", as given";Age\nCEO;1\n'))

    assert source.delimiter == ";"
    assert source.schema.names == ['Title, or "Job", as given', "Age"]


def test_a_header_may_span_lines(tmp_path):
    source = open_source(write(tmp_path, '"Title\nas given",Age\nCEO\n'))

    assert source.schema.names == ["Title\nas given", "Age"]
    assert read(source) == ([("CEO", None)], [])


def test_columns_may_share_a_name_or_have_none(tmp_path):
    source = open_source(write(tmp_path, "Title,Title,,\na,b,c,d\n"))

    assert source.schema.names == ["Title", "Title", "", ""]
    assert read(source)[0] == [("a", "b", "c", "d")]


def test_a_given_delimiter_is_used(tmp_path):
    assert rows_of(tmp_path, "Title,a#Age\nCEO,x#1\n", delimiter="#") == [("CEO,x", "1")]
    assert rows_of(tmp_path, "Title,a\tAge,b\nCEO\t1\n", delimiter="\\t") == [("CEO", "1")]


def test_the_separator_line_of_excel_is_not_the_header(tmp_path):
    source = open_source(write(tmp_path, "sep=;\nTitle,x;Age\nCEO;1\nCFO;2;x\n"))

    assert source.schema.names == ["Title,x", "Age"]
    assert read(source) == ([("CEO", "1")], [(4, "has 3 fields, expected 2", "CFO;2;x")])


def test_a_file_of_one_column_has_no_delimiter(tmp_path):
    source = open_source(write(tmp_path, 'Title\nVP, Sales\n"a; ""b""\nc"\n\x1f|\n'))

    assert source.delimiter is None
    assert read(source) == ([("VP, Sales",), ('a; "b"\nc',), ("\x1f|",)], [])


def test_a_blank_line_in_a_file_of_one_column_is_an_empty_cell_unless_it_is_last(tmp_path):
    source = open_source(write(tmp_path, "Title\n\nCEO\n\n\n"))

    assert read(source) == ([(None,), ("CEO",), (None,)], [])
    assert source.n_skipped == 1


def test_blank_lines_among_several_columns_are_skipped_and_counted(tmp_path):
    source = open_source(write(tmp_path, "\n \nTitle,Age\n\nCEO,1\n   \n\r\nCFO,2,x\n\n"))

    assert read(source) == ([("CEO", "1")], [(8, "has 3 fields, expected 2", "CFO,2,x")])
    assert source.n_skipped == 6


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("blank_before", [0, 1])
def test_a_blank_line_is_skipped_where_nothing_else_is_odd(tmp_path, line_end, blank_before):
    lines = ["Title,Age", "CEO,1", "CFO,2", ""]
    lines.insert(1 + blank_before, "")
    source = open_source(write(tmp_path, line_end.join(lines)))

    assert read(source) == ([("CEO", "1"), ("CFO", "2")], [])
    assert source.n_skipped == 1


def test_a_blank_line_at_the_end_of_what_is_read_at_once_is_not_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_source, "_CAREFUL_BYTES", len('5" pipe\n\n'))

    assert rows_of(tmp_path, 'Title\n5" pipe\n\nCEO\n') == [('5" pipe',), (None,), ("CEO",)]


def test_a_row_of_empty_cells_between_tabs_is_not_a_blank_line(tmp_path):
    source = open_source(write(tmp_path, "Title\tAge\n\t\n \t \n\n"))

    assert read(source)[0] == [(None, None), (" ", " ")]
    assert source.n_skipped == 1


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_kind_end_rows_and_stay_within_cells(tmp_path, line_end):
    content = line_end.join(["Title,Age", f'"a{line_end}b",1', "c,2", "d,3,x"])
    source = open_source(write(tmp_path, content))

    assert read(source) == ([(f"a{line_end}b", "1"), ("c", "2")], [(5, "has 3 fields, expected 2", "d,3,x")])
    assert source.n_rows >= 3


def test_a_wrong_number_of_fields_costs_its_row_only(tmp_path):
    content = "Title,Age,Country\nVP, Sales,1,US\nCEO,1,US\nCFO,2,,x\n"

    rows, rejects = read(open_source(write(tmp_path, content)))
    assert rows == [("CEO", "1", "US")]
    assert rejects == [(2, "has 4 fields, expected 3", "VP, Sales,1,US"), (4, "has 4 fields, expected 3", "CFO,2,,x")]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("block_bytes", [8, 1 << 20])
def test_a_row_that_lacks_or_adds_only_empty_fields_at_its_end_is_whole(tmp_path, end, block_bytes):
    lines = [
        "Title,Age,Country",
        "Analyst",
        "CFO,2",
        "CEO,1,US,,",
        'VP,3,DE, ,""',
        ",",
        '"Head of',
        'IT"',
        "Buyer,4,FR",
    ]
    source = CsvSource(write(tmp_path, end.join(lines)), None, None, MAX_BYTES, block_bytes=block_bytes)

    rows, rejects = read(source)
    assert rejects == []
    assert rows == [
        *[("Analyst", None, None), ("CFO", "2", None), ("CEO", "1", "US"), ("VP", "3", "DE"), (None, None, None)],
        *[(f"Head of{end}IT", None, None), ("Buyer", "4", "FR")],
    ]


@pytest.mark.parametrize("block_bytes", [8, 1 << 20])
def test_pieces_of_a_broken_record_are_no_rows(tmp_path, block_bytes):
    content = 'Title,Age,Country\n"Head\nof\nIT",1,US,x\nCFO\n"VP\nof" IT,2\nCEO\n'
    source = CsvSource(write(tmp_path, content), None, None, MAX_BYTES, block_bytes=block_bytes)

    rows, rejects = read(source)
    assert rows == [("CFO", None, None), ("CEO", None, None)]
    assert [text for _, _, text in rejects] == ['"Head', "of", 'IT",1,US,x', '"VP', 'of" IT,2']


def test_whole_rows_below_an_unclosed_quote_are_no_lines_of_its_cell(tmp_path):
    rows, rejects = read(open_source(write(tmp_path, 'Title,Age,Country\n"CEO\nCFO,2,US\nfitter 5"\nVP,3,DE\n')))

    assert rows == [("CFO", "2", "US"), ("VP", "3", "DE")]
    assert [text for _, _, text in rejects] == ['"CEO', 'fitter 5"']


def test_an_unclosed_quote_swallows_nothing(tmp_path):
    content = 'Title,Age\n"CEO,1\nCFO,2\n"Clerk, senior",3\n"Nurse,4\nCook,5\n'

    rows, rejects = read(open_source(write(tmp_path, content)))
    assert rows == [("CFO", "2"), ("Clerk, senior", "3"), ("Cook", "5")]
    assert rejects == [
        (2, "opens a quote that is never closed", '"CEO,1'),
        (5, "opens a quote that is never closed", '"Nurse,4'),
    ]


def test_a_record_of_several_lines_with_a_wrong_number_of_fields_loses_its_first_line(tmp_path):
    content = 'Title,Age\n"CEO,1\nCFO,2\n5",3,4\n'

    rows, rejects = read(open_source(write(tmp_path, content)))
    assert rows == [("CFO", "2")]
    assert rejects == [
        (2, "has 3 fields, expected 2, its quotes closing 2 lines below", '"CEO,1'),
        (4, "has 3 fields, expected 2", '5",3,4'),
    ]


@pytest.mark.parametrize(("n_inner", "n_rejects"), [(98, 2), (99, 1)])
def test_a_faulty_record_of_more_than_a_hundred_lines_is_rejected_whole(tmp_path, n_inner, n_rejects):
    record = '"a\n' + "x,y\n" * n_inner + '",3,4'
    source = open_source(write(tmp_path, f"Title,Age\n{record}\nCEO,1\n"))

    rows, rejects = read(source)
    assert rows[-1] == ("CEO", "1")
    assert len(rejects) == n_rejects
    assert len(rows) == (1 if n_rejects == 1 else n_inner + 1)
    assert (rejects[0][2] == record) == (n_rejects == 1)


def test_text_after_a_closing_quote_is_a_fault(tmp_path):
    reason = "has a quote within quotes that is not doubled, or text after a closing one"

    assert rejects_of(tmp_path, 'Title,Age\n"CEO" x,1\n') == [(2, reason, '"CEO" x,1')]


def test_a_quote_within_a_cell_without_quotes_belongs_to_it(tmp_path):
    assert rows_of(tmp_path, 'Title,Age\n5" pipe fitter,1\na "b" c,2\n') == [('5" pipe fitter', "1"), ('a "b" c', "2")]


def test_only_rows_that_are_not_utf8_are_rejected_from_a_utf8_file(tmp_path):
    source = open_source(write(tmp_path, b'Title,Age\nIng\xc3\xa9nieur,1\nM\xe8re\x9d,2\n"a\nb\xe8",3\n\xc3\xa9,4\n'))

    assert read(source) == (
        [("Ingénieur", "1"), ("é", "4")],
        [(3, "is not UTF-8 (byte 0xe8)", "M\\xe8re\\x9d,2"), (4, "is not UTF-8 (byte 0xe8)", '"a\nb\\xe8",3')],
    )
    assert source.notes == (
        "Read as UTF-8, fields separated by ','.",
        "2 lines are not UTF-8, while others with accents are.",
    )


def test_nul_bytes_and_a_byte_order_mark_within_the_file_are_kept(tmp_path):
    assert rows_of(tmp_path, "Title,Age\na\0b,\0\n\ufeffc,2\n") == [("a\0b", "\0"), ("\ufeffc", "2")]


@pytest.mark.parametrize("odd", ["", "CFO,1,x\n"])
def test_cells_of_megabytes_are_read_by_fast_and_careful_parsing(tmp_path, odd):
    long = "x\n" * (1 << 20)
    source = open_source(write(tmp_path, f'Title,Age\n"{long}",1\n{odd}CEO,2\n'))

    rows, rejects = read(source)
    assert rows == [(long, "1"), ("CEO", "2")]
    assert len(rejects) == (odd != "")


def test_the_limit_of_csv_for_a_cell_is_left_as_it_was(tmp_path):
    before = csv.field_size_limit()

    rejects_of(tmp_path, "Title,Age\nCEO\n")
    assert csv.field_size_limit() == before


def test_a_quote_that_is_open_for_too_long_costs_its_line(tmp_path):
    path = write(tmp_path, 'Title,Age\n"a,1\nb,2\nc,3\nd,4\n"e",5\n')
    source = CsvSource(path, None, None, 1 << 20, longest_row=10)

    assert read(source) == (
        [("b", "2"), ("c", "3"), ("d", "4"), ("e", "5")],
        [(2, "opens a quote that is not closed within 10 bytes", '"a,1')],
    )


def test_a_row_that_is_too_long_is_rejected_where_nothing_else_is_odd(tmp_path):
    path = write(tmp_path, 'Title,Age\n"a\nb,1\nc,2\nd",3\ne,4\n')

    assert read(CsvSource(path, None, None, 1 << 20, longest_row=17))[1] == []
    source = CsvSource(path, None, None, 1 << 20, longest_row=16)
    assert read(source)[1] == [
        (2, "opens a quote that is not closed within 16 bytes", '"a'),
    ]
    assert read(source)[0] == [("b", "1"), ("c", "2"), ('d"', "3"), ("e", "4")]


def test_a_quote_that_stays_open_is_not_followed_beyond_the_limit(tmp_path, monkeypatch):
    read_at_once = []

    def noting(block, *settings, **more):
        read_at_once.append(len(block))
        return parse_carefully(block, *settings, **more)

    monkeypatch.setattr(csv_source, "parse_carefully", noting)
    path = write(tmp_path, 'Title,Age\n"a,1\n' + "b" * 5000 + "\nc,2\n")
    source = CsvSource(path, None, None, 1 << 20, block_bytes=8, longest_row=16)

    assert read(source)[0] == [("c", "2")]
    assert max(read_at_once) < 100


@pytest.mark.parametrize("block_bytes", [3, 40])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", ""])
def test_a_line_that_is_too_long_is_rejected_in_pieces(tmp_path, block_bytes, line_end):
    line = "€ur, " * 5
    rest = f"{line_end}CEO,1{line_end}" if line_end else ""
    path = write(tmp_path, f"Title,Age\nCFO,2\n{line}{rest}")
    source = CsvSource(path, None, None, 1 << 20, block_bytes=block_bytes, longest_row=16)

    rows, rejects = read(source)
    assert rows == [("CFO", "2"), ("CEO", "1")][: 1 + bool(rest)]
    assert "".join(text for _, _, text in rejects) == line
    assert {place for place, _, _ in rejects} == {3}
    assert rejects[0][1] == "is longer than 16 bytes"
    assert rejects[1][1] == "continues, being longer than 16 bytes"


def test_lines_are_not_read_again_without_bound_after_unclosed_quotes(tmp_path, monkeypatch):
    monkeypatch.setattr("data_cleaning.files.csv_careful._FREE_READ_AGAIN", 100)
    n_lines = 2000
    path = write(tmp_path, "Title,Age\n" + 'a","""\n' * n_lines)  # each leaves a quote open, to the end of the file
    source = open_source(path)

    rows, rejects = read(source)
    assert rows == []
    assert sum(text.count("\n") + 1 for _, _, text in rejects) == n_lines
    assert len(rejects) < 100


def test_small_blocks_of_every_kind_of_file_give_all_rows_and_rejects(tmp_path):
    lines = ["Title,Age", *(f'"VP, ""{n}""",{n}' for n in range(50)), "", "odd,1,x", "CEO,1", '"open,1', "é,2", ""]
    content = "\n".join(lines)
    files = {
        "plain.csv": content.encode(),
        "marked.csv": b"\xef\xbb\xbf" + content.encode(),
        "packed.csv.gz": gzip.compress(content.encode()),
        "wide.csv": content.encode("utf-16"),
        "wide.gz": gzip.compress(content.encode("utf-16-be")),
        "latin.csv": content.encode("latin-1"),
    }
    for name, packed in files.items():
        source = CsvSource(write(tmp_path, packed, name), None, None, 1 << 20, block_bytes=60)
        assert len(list(source.batches())) > 3
        rows, rejects = read(source)
        assert len(rows) == 52
        assert [place for place, _, _ in rejects] == [53, 55]
        assert source.n_skipped == 1


def test_the_number_of_rows_is_an_upper_estimate(tmp_path):
    assert open_source(write(tmp_path, "Title,Age\nCEO,1\n\nCFO,2")).n_rows == 3
    assert open_source(write(tmp_path, "Title,Age")).n_rows == 0


def test_a_file_with_a_header_alone_has_no_batches(tmp_path):
    assert list(open_source(write(tmp_path, "Title,Age\n")).batches()) == []


def test_an_unclosed_quote_in_the_header_is_told_within_seconds(tmp_path):
    path = write(tmp_path, '"Title,A\n' + "a\n" * 500_000)
    began = time.process_time()

    with pytest.raises(BadInput, match="header in line 1 has a quote"):
        open_source(path)
    assert time.process_time() - began < 5  # 20 where each line was copied for the next


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\n \n", "has no header"),
        ("sep=;\n", "has no header"),
        ('"Title,Age\nCEO,1\n', "header in line 1 has a quote that is stray or never closed"),
        ('\n"Title" x,Age\nCEO,1\n', "header in line 2 has a quote"),
        (b"Titl\xe9,Age\n\xc3\xa9,1\n", r"header in line 1 is not UTF-8 \(byte 0xe9\)"),
        ("x" * (1 << 20), "has no header in its first 1,048,576 bytes"),
    ],
)
def test_a_missing_or_broken_header_is_bad_input(tmp_path, content, message):
    with pytest.raises(BadInput, match=message):
        open_source(write(tmp_path, content))


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n", "§"])
def test_a_text_that_cannot_be_a_delimiter_is_bad_input(tmp_path, delimiter):
    with pytest.raises(BadInput, match="cannot separate fields; expected one character"):
        open_source(write(tmp_path, "Title,Age\n"), delimiter=delimiter)


AT_EXIT = """
import os, sys
from pathlib import Path
from data_cleaning.files import csv_source, open_source
codes = []
for _ in range(60):
    child = os.fork()
    if not child:
        list(open_source(Path(sys.argv[1])).batches())
        sys.exit(2)
    codes.append(os.waitpid(child, 0)[1])
print({os.waitstatus_to_exitcode(code) for code in codes})
os._exit(0)
"""


def test_a_process_that_exits_right_after_reading_does_not_abort(tmp_path):
    # As a refused file does. A thread of pyarrow that still held the rows aborted about one such process in a hundred.
    (tmp_path / "leads.csv").write_text("Title,Place\n" + "Cook,Kitchen\n" * 300)
    command = [sys.executable, "-c", AT_EXIT, str(tmp_path / "leads.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("{2}\n", "")
