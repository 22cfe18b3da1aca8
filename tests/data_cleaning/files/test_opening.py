import gzip
import io
import os
import re
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files import open_source, text_encoding
from data_cleaning.files.opening import refuse_two_standard_inputs

CSV = b"Title,Age\nCEO,1\n"


def parquet():
    content = io.BytesIO()
    pq.write_table(pa.table({"Title": ["CEO"], "Age": [1]}), content)
    return content.getvalue()


def xlsx():
    content = io.BytesIO()
    workbook = openpyxl.Workbook()
    workbook.active.append(["Title", "Age"])
    workbook.active.append(["CEO", 1])
    workbook.save(content)
    return content.getvalue()


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt", "a.dat", "a", "a.CSV.GZ", "a.gz", "a.csv.gz"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_csv_is_read_under_any_name_packed_or_not(tmp_path, name, pack):
    source = open_source(write(tmp_path, name, pack(CSV)))

    assert [batch.rows.to_pylist() for batch in source.batches()] == [[{"Title": "CEO", "Age": "1"}]]
    assert (source.unit, source.delimiter) == ("line", ",")


@pytest.mark.parametrize("content", [parquet, xlsx])
@pytest.mark.parametrize("name", ["a.parquet", "a.xlsx", "a.csv", "a"])
def test_content_outranks_the_ending(tmp_path, content, name):
    source = open_source(write(tmp_path, name, content()))

    assert [batch.rows.column(0).to_pylist() for batch in source.batches()] == [["CEO"]]
    assert (source.unit, source.delimiter) == ("row", None)


def test_a_column_that_begins_like_a_zip_file_is_no_zip_file(tmp_path):
    assert open_source(write(tmp_path, "a.csv", b"PKID,Title\n1,CEO\n")).schema.names == ["PKID", "Title"]


def test_a_name_in_gz_that_is_not_gzipped_is_noted(tmp_path):
    notes = open_source(write(tmp_path, "a.csv.gz", CSV)).notes

    assert notes[1] == "The file is not gzipped, though its name ends in .gz."


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.xlsx"])
def test_the_identity_of_a_file_changes_with_its_content(tmp_path, name):
    content = {"a.csv": CSV, "a.parquet": parquet(), "a.xlsx": xlsx()}[name]
    path = write(tmp_path, name, content)
    source = open_source(path)
    before = source.identity()

    assert open_source(path).identity() == before
    changed = bytearray(content)
    changed[-1] ^= 1
    was = path.stat().st_mtime_ns
    path.write_bytes(changed)
    os.utime(path, ns=(was, was))
    after = source.identity()
    assert {key for key in after if before[key] != after[key]} == {"content"}


@pytest.mark.parametrize("change", ["cut", "grown", "replaced", "same size and time"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet", "a.xlsx"])
def test_a_file_that_changes_while_it_is_read_is_bad_input(tmp_path, name, change):
    content = {"a.csv": CSV, "a.csv.gz": gzip.compress(CSV), "a.parquet": parquet(), "a.xlsx": xlsx()}[name]
    path = write(tmp_path, name, content)
    source = open_source(path)
    was = path.stat().st_mtime_ns
    if change == "cut":
        path.write_bytes(content[:-5])
    elif change == "grown":
        with path.open("ab") as file:
            file.write(content)
    else:
        path.unlink()
        path.write_bytes(content if change == "replaced" else bytes([*content[:-1], content[-1] ^ 1]))
        now = was + 10**9 if change == "replaced" else was
        os.utime(path, ns=(now, now))

    with pytest.raises(BadInput, match="changed while it was read") as raised:
        list(source.batches())
    assert ("bytes then" in str(raised.value)) == (change in ("cut", "grown"))


@pytest.mark.parametrize(
    ("start", "said"), [(b"", "no header in its first 1,048,576 bytes"), (b"Title,Age\n", "unpacks to more than")]
)
def test_a_gzip_bomb_is_refused_long_before_its_end(tmp_path, monkeypatch, start, said):
    monkeypatch.setattr(text_encoding, "_FREE_BYTES", 1 << 24)
    path = tmp_path / "a.csv.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(start)
        for _ in range(16):
            file.write(b"x" * (1 << 24))
    read = []
    monkeypatch.setattr(text_encoding, "_count_breaks", lambda block, *_: read.append(len(block)) or 0)

    with pytest.raises(BadInput, match=said):
        open_source(path)
    assert sum(read) <= 1 << 24


def test_a_packed_file_beyond_the_limit_is_bad_input(tmp_path):
    path = write(tmp_path, "a.csv.gz", gzip.compress(CSV * 1000))

    with pytest.raises(BadInput, match="unpacks to more than 1,000 bytes"):
        open_source(path, max_bytes=1000)
    assert open_source(write(tmp_path, "a.csv", CSV * 1000), max_bytes=1000).n_rows > 100


def test_a_row_group_beyond_the_limit_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match=r"a row group of .* beyond the limit of 10"):
        open_source(write(tmp_path, "a.parquet", parquet()), max_bytes=10)


def test_a_workbook_beyond_the_limit_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match=r"unpacks to .* beyond the limit of 1,000"):
        open_source(write(tmp_path, "a.xlsx", xlsx()), max_bytes=1000)


@pytest.mark.parametrize(
    "content", [CSV, gzip.compress(CSV), parquet(), xlsx()], ids=["csv", "gzip", "parquet", "xlsx"]
)
def test_standard_input_is_read_as_what_it_holds_and_can_be_opened_again(monkeypatch, content):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))

    for _ in range(2):
        source = open_source(Path("-"))
        assert [batch.rows.column(0).to_pylist() for batch in source.batches()] == [["CEO"]]
    assert source.path.read_bytes() == content


def test_standard_input_that_is_empty_or_closed_or_asked_for_twice_is_bad_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(BadInput, match="standard input is empty"):
        open_source(Path("-"))
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(BadInput, match="There is no standard input"):
        open_source(Path("-"))
    with pytest.raises(BadInput, match="for more than one file"):
        refuse_two_standard_inputs(Path("a.csv"), Path("-"), Path("-"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), "is empty"),
        ("a.csv.gz", gzip.compress(CSV * 9, mtime=0)[:-9], "is not a whole gzip file"),
        ("a.csv.gz", gzip.compress(CSV, mtime=0) + b"more", "is not a whole gzip file"),
        ("a.csv.gz", b"\x1f\x8b", "is not a whole gzip file"),
        ("a.gz", gzip.compress(parquet()), "is a gzipped Parquet file"),
        ("a.gz", gzip.compress(xlsx()), "is a gzipped XLSX or zip file"),
        ("a.parquet", CSV, "is no Parquet file"),
        ("a.parquet", b"PAR1", "is not readable as Parquet"),
        ("a.parquet", parquet()[:-20], "is not readable as Parquet"),
        ("a.parquet", b"PARE" + parquet()[4:-4] + b"PARE", "is not readable as Parquet"),
        ("a.xlsx", CSV, "is no XLSX file"),
        ("a.xlsx", xlsx()[:-30], "is not a whole XLSX file"),
        ("a.xlsx", b"PK\x03\x04", "is not a whole XLSX file"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "or one that has a password"),
        ("a.xz", b"\xfd7zXZ\x00....", "is packed with xz"),
    ],
)
def test_a_file_that_cannot_be_read_is_bad_input(tmp_path, name, content, message):
    path = write(tmp_path, name, content)

    with pytest.raises(BadInput, match=message) as raised:
        open_source(path)
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)


def test_a_missing_file_a_folder_and_a_pipe_are_bad_input(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    for path, message in [
        (tmp_path / "none.csv", "No file at"),
        (tmp_path, "is a folder"),
        (tmp_path / "pipe", "pipe"),
    ]:
        with pytest.raises(BadInput, match=message):
            open_source(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="everything is readable to the superuser")
def test_a_file_without_permission_is_bad_input(tmp_path):
    path = write(tmp_path, "a.csv", CSV)
    path.chmod(0)

    with pytest.raises(BadInput, match="cannot be read: Permission denied"):
        open_source(path)


def test_a_file_that_vanishes_is_bad_input(tmp_path):
    for name, content in [("a.csv", CSV), ("a.parquet", parquet()), ("a.xlsx", xlsx())]:
        path = write(tmp_path, name, content)
        source = open_source(path)
        path.unlink()
        if name != "a.xlsx":  # which is in memory once it is open
            with pytest.raises(BadInput, match="cannot be read: No such file"):
                list(source.batches())
        with pytest.raises(BadInput, match="cannot be read: No such file"):
            source.identity()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<html><body><table><tr><td>Title</td></tr></table></body></html>", "a web page (HTML)"),
        (b"\xef\xbb\xbf \r\n<TABLE border=1><tr><td>Title", "a web page (HTML)"),
        (b"<!DOCTYPE html>\n<html>", "a web page (HTML)"),
        (b"<!-- export --><meta charset=utf-8><table>", "a web page (HTML)"),
        ("\ufeff<html><table>".encode("utf-16-le"), "a web page (HTML)"),
        (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook>', "an XML Spreadsheet 2003"),
        (b'<?xml version="1.0"?><leads/>', "an XML file"),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related", "a saved web page (MHTML)"),
    ],
)
@pytest.mark.parametrize("name", ["a.xls", "a.csv", "a.csv.gz"])
def test_a_page_that_is_called_a_spreadsheet_is_named_as_such(tmp_path, name, content, what):
    path = write(tmp_path, name, gzip.compress(content) if name.endswith("gz") else content)

    with pytest.raises(BadInput, match=re.escape(f"is {what}, whatever its name says")) as raised:
        open_source(path)
    assert str(raised.value).endswith("Open it in a spreadsheet program and save it as .xlsx.")


def test_a_column_that_begins_like_markup_is_none(tmp_path):
    assert open_source(write(tmp_path, "a.csv", b"<Title>,Company\nCEO,Acme\n")).schema.names == ["<Title>", "Company"]
