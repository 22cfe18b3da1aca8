import codecs
import contextlib
import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_cleaning.errors import BadInput
from data_cleaning.files import open_source, text_encoding

TEXT = "Title,Age\nIngénieur,1\nMère,2\n"


def write(folder, content, name="leads.csv"):
    path = folder / name
    path.write_bytes(content)
    return path


def titles(source):
    return [title for batch in source.batches() for title in batch.rows.column(0).to_pylist()]


def rejects(source):
    return [(reject.place, reject.reason, reject.text) for batch in source.batches() for reject in batch.rejects]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (TEXT.encode(), "UTF-8"),
        (TEXT.encode("utf-8-sig"), "UTF-8 (byte order mark)"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "UTF-16 (byte order mark)"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "UTF-16 (byte order mark)"),
        (TEXT.encode("utf-16-le"), "UTF-16 (every second byte is NUL)"),
        (TEXT.encode("utf-16-be"), "UTF-16 (every second byte is NUL)"),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), "UTF-32 (byte order mark)"),
        (TEXT.encode("latin-1"), "Latin-1 (not UTF-8)"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_encoding_is_detected(tmp_path, content, note, pack):
    source = open_source(write(tmp_path, pack(content)))

    assert source.notes == (f"Read as {note}, fields separated by ','.",)
    assert titles(source) == ["Ingénieur", "Mère"]
    assert source.schema.names == ["Title", "Age"]
    assert source.n_rows >= 2


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("title", ["Ārsts", "Инженер", "課長", "Ⅳ級", "คน", "Ċensu"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_unmarked_utf16_of_any_letters_is_read_without_nul_characters(tmp_path, codec, title, line_end):
    rows = ["Title,Age", *[f"{title},1"] * 3, *[f"{title * 400},2"] * 30]
    assert titles(open_source(write(tmp_path, line_end.join(rows).encode(codec)))) == [title] * 3 + [title * 400] * 30
    rows = [f"{title},{title}e", f"{title},{title}"]
    source = open_source(write(tmp_path, "".join(row + line_end for row in rows).encode(codec)))
    assert (source.schema.names, titles(source)) == ([title, f"{title}e"], [title])


def test_a_first_line_of_nul_bytes_that_is_no_utf16_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"its first line are NUL, as in UTF-16 or UTF-32.*Name its encoding"):
        open_source(write(tmp_path, TEXT.encode("utf-32-le")))


def test_cells_with_nul_bytes_are_not_taken_for_utf16(tmp_path):
    source = open_source(write(tmp_path, b"x\n" + b"a\0b\0c\0\n" * 9))

    assert titles(source) == ["a\0b\0c\0"] * 9


def test_bytes_that_only_windows_defines_show_windows_1252(tmp_path):
    source = open_source(write(tmp_path, "Title,Age\nChief – “Ops”,1\n".encode("cp1252")))

    assert source.identity()["encoding"] == "cp1252"
    assert titles(source) == ["Chief – “Ops”"]


def test_a_byte_that_windows_leaves_undefined_shows_latin_1(tmp_path):
    source = open_source(write(tmp_path, b"Title,Age\nCh\xe9f \x96 \x81,1\n"))

    assert source.identity()["encoding"] == "latin-1"


@pytest.mark.parametrize(("n_other", "codec"), [(4, "utf-8"), (5, "latin-1")])
def test_a_utf8_file_with_some_other_lines_is_read_as_utf8(tmp_path, n_other, codec):
    lines = ["Title,Age\n", "CEO,1\n" * 20]
    content = "".join(lines).encode() + "é,1\n".encode() * 2 + "é,1\n".encode("latin-1") * n_other

    assert open_source(write(tmp_path, content)).identity()["encoding"] == codec


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 7])
def test_a_character_may_be_cut_by_the_end_of_a_block(tmp_path, monkeypatch, block_bytes):
    monkeypatch.setattr(text_encoding, "_BLOCK_BYTES", block_bytes)
    source = open_source(write(tmp_path, "Title,Age\nÉ€😀,1\n".encode()))

    assert source.notes[0].startswith("Read as UTF-8,")
    assert titles(source) == ["É€😀"]


def test_a_character_cut_by_the_end_of_the_file_is_not_utf8(tmp_path):
    source = open_source(write(tmp_path, "Title,Age\né,1\nb,".encode() + b"\xc3"))

    assert rejects(source) == [(3, "is not UTF-8 (byte 0xc3)", "b,\\xc3")]
    assert source.notes[1] == "A line is not UTF-8, while others with accents are."


def test_a_character_cut_by_another_is_not_utf8(tmp_path, monkeypatch):
    monkeypatch.setattr(text_encoding, "_BLOCK_BYTES", 1)

    assert titles(open_source(write(tmp_path, b"Title,Age\nA\xc3a\xa9,1\n"))) == ["AÃa©"]


def test_rows_with_invalid_utf16_are_rejected(tmp_path):
    content = "Title,Age\na,1\nX,2\nb,3\nc,".encode("utf-16-le").replace(b"X\0", b"\x41\xd8") + b"\x7a"
    source = open_source(write(tmp_path, content))

    assert titles(source) == ["a", "b"]
    assert rejects(source) == [
        (3, "is not UTF-16 (byte 0x41)", "\\x41\\xd8,2"),
        (5, "is not UTF-16 (byte 0x7a)", "c,\\x7a"),
    ]


def test_a_given_encoding_is_used(tmp_path):
    path = write(tmp_path, "Title,Age\nшеф,1\n".encode("cp1251"))

    assert titles(open_source(path, encoding="cp1251")) == ["шеф"]


def test_rows_with_bytes_outside_the_given_encoding_are_rejected(tmp_path):
    source = open_source(write(tmp_path, b"Title,Age\na\x81b,1\n\x80,2\n"), encoding="cp1252")

    assert titles(source) == ["€"]
    assert rejects(source) == [(2, "is not cp1252 (byte 0x81)", "a\\x81b,1")]


@pytest.mark.parametrize("asked", ["utf-8", "utf-16", "utf-8-sig"])
def test_a_byte_order_mark_outranks_an_encoding_of_unicode(tmp_path, asked):
    assert titles(open_source(write(tmp_path, TEXT.encode("utf-16")), encoding=asked)) == ["Ingénieur", "Mère"]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_byte_order_mark_may_be_given(tmp_path, codec):
    source = open_source(write(tmp_path, TEXT.encode(codec)), encoding="utf-16")

    assert titles(source) == ["Ingénieur", "Mère"]
    assert source.n_rows >= 2


@pytest.mark.parametrize("asked", ["utf-9", "", "rot13", "a\0b"])
def test_an_unknown_encoding_is_bad_input(tmp_path, asked):
    with pytest.raises(BadInput, match=r"Unknown encoding .* expected a name such as utf-8"):
        open_source(write(tmp_path, TEXT.encode()), encoding=asked)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=80), header=st.sampled_from([b"", b"a,b\n", b"\xff\xfea\0\n\0"]))
def test_any_bytes_are_read_or_are_bad_input(tmp_path, content, header):
    path = write(tmp_path, header + content)
    with contextlib.suppress(BadInput):
        source = open_source(path)
        for batch in source.batches():
            "".join(reject.text for reject in batch.rejects).encode()
            batch.rows.validate(full=True)


def test_lines_that_end_in_cr_count_when_the_encoding_is_detected(tmp_path):
    path = tmp_path / "leads.csv"
    path.write_bytes("Title\rnaïve\rcafé\r".encode() + b"\xff\r")
    assert text_encoding.scan(path, None, 10**9, gzipped=False).encoding.codec == "utf-8"


def test_a_nul_byte_beside_unit_separators_does_not_make_utf_16_of_a_file(tmp_path):
    path = tmp_path / "leads.csv"
    path.write_bytes(b"id\x1fWhat you do\n\0id00000")
    assert text_encoding.scan(path, None, 10**9, gzipped=False).encoding.codec == "utf-8"
