"""Fast and careful parsing give the same rows at any block size, and every line of a file is accounted for."""

import contextlib
import re
from unittest.mock import patch

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from data_cleaning.files import csv_source
from data_cleaning.files.csv_source import CsvSource

PIECES = ["a", "b", ",", ",", '"', '"', '""', "\n", "\n", "\r\n", "\r", " ", "\0", "é", "\ufeff", "\t", '","', '"\n"']
BYTES = [*(piece.encode() for piece in PIECES), b"\xe8", b"\xff", b"\x1f", b"\xed\xb0\x80"]
CLEAN_CELLS = st.text(st.sampled_from('ab,;"\n\r é€\0\t'), max_size=6)
FEW = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

LINES = [
    "a,b",
    "c,d",
    "a",
    ",",
    "",
    " ",
    '"a, b","c"',
    'a,"b',
    'b",a',
    '"a\n\nb","c\r\n"',
    '"e","""f"',
    '5" a,é',
    "a,b,c",
]

scraps = st.lists(st.sampled_from(BYTES), max_size=60).map(b"".join)
lines = st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(["\n", "\n", "\r\n", "\r"])), max_size=12)
contents = scraps | lines.map(lambda parts: "".join(line + end for line, end in parts).encode())
tables = st.integers(1, 3).flatmap(lambda width: st.lists(st.tuples(*[CLEAN_CELLS] * width), max_size=12))


def source_of(folder, content, encoding="utf-8", block_bytes=1 << 23, longest_row=1 << 24):
    path = folder / "leads.csv"
    path.write_bytes(content)
    return CsvSource(path, encoding, None, 1 << 30, block_bytes=block_bytes, longest_row=longest_row)


def read(source):
    rows, rejects = [], []
    for batch in source.batches():
        rows += list(zip(*(column.to_pylist() for column in batch.rows.columns), strict=True))
        rejects += [(reject.place, reject.reason, reject.text) for reject in batch.rejects]
    return rows, rejects, source.n_skipped


def read_with_lines(source):
    lines = [line for batch in source.batches() for line in batch.places.tolist()]
    return lines, *read(source)


def carefully(careful_bytes=1 << 20):
    stack = contextlib.ExitStack()
    stack.enter_context(patch.object(csv_source, "parse_fast", lambda *_, **__: None))
    stack.enter_context(patch.object(csv_source, "_CAREFUL_BYTES", careful_bytes))
    return stack


def n_line_breaks(text):
    return len(re.findall("\r\n|\r|\n", text or ""))


def written(rows):
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    return "".join(line + "\n" for line in quoted)


@FEW
@given(header=st.sampled_from([b"x\n", b"x,y\n", b"x,y,z\r\n"]), content=contents, size=st.integers(1, 40))
@example(header=b"x,y\n", content=b"\xef\xbb\xbfa,b\n", size=4)
@example(header=b"x\n", content=b"a\n\n", size=2)
@example(header=b"x,y\n", content=b'a,"b\r\n\r\n', size=8)
def test_fast_and_careful_parsing_agree_at_every_block_size(tmp_path, header, content, size):
    whole = read_with_lines(source_of(tmp_path, header + content))
    in_blocks = source_of(tmp_path, header + content, block_bytes=size)

    assert read_with_lines(in_blocks) == whole
    with carefully():
        assert read_with_lines(in_blocks) == whole
    with carefully(careful_bytes=size):
        assert read_with_lines(source_of(tmp_path, header + content)) == whole


@FEW
@given(content=contents, size=st.integers(1, 40), longest_row=st.integers(4, 30))
def test_fast_and_careful_parsing_agree_where_rows_are_too_long(tmp_path, content, size, longest_row):
    content = b"x,y\n" + content
    whole = read(source_of(tmp_path, content, longest_row=longest_row))

    assert read(source_of(tmp_path, content, block_bytes=size, longest_row=longest_row)) == whole
    with carefully(careful_bytes=size):
        assert read(source_of(tmp_path, content, longest_row=longest_row)) == whole


@FEW
@given(header=st.sampled_from([b"x\n", b"x,y\n", b"\n\nx,y\n"]), content=contents)
@example(header=b"x,y\n", content=b"a,b\n,\na\n")
def test_every_line_is_header_row_reject_or_blank(tmp_path, header, content):
    rows, rejects, n_skipped = read(source_of(tmp_path, header + content))

    n_of_rows = sum(1 + sum(map(n_line_breaks, row)) for row in rows)
    n_of_rejects = sum(1 + n_line_breaks(text) for _, _, text in rejects)
    n_lines = len((header + content).splitlines())
    assert 1 + n_of_rows + n_of_rejects + n_skipped == n_lines
    places = [place for place, _, _ in rejects]
    assert places == sorted(set(places))
    row_lines = read_with_lines(source_of(tmp_path, header + content))[0]
    assert len(row_lines) == len(rows)
    assert row_lines == sorted(set(row_lines) - set(places))
    physical = (header + content).splitlines()
    for place, reason, text in rejects:
        first = re.split("\r\n|\r|\n", text)[0]
        shown = physical[place - 1].decode("utf-8", "backslashreplace")
        if reason.startswith("stands alone"):  # it was read as a row, so its cells are joined again, without quotes
            first, shown = (re.sub('[",]', "", line) for line in (first, shown))
        assert first == shown


@FEW
@given(rows=tables, size=st.integers(1, 40), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
def test_written_rows_are_read_back_in_every_encoding(tmp_path, rows, size, encoding):
    width = len(rows[0]) if rows else 2
    content = ",".join("xyz"[:width]) + "\n" + written(rows)
    named = encoding if encoding == "cp1252" else None
    source = CsvSource(_stored(tmp_path, content.encode(encoding)), named, None, 1 << 30, block_bytes=size)

    expected = [tuple(cell or None for cell in row) for row in rows]
    assert read(source) == (expected, [], 0)


def _stored(folder, content):
    path = folder / "leads.csv"
    path.write_bytes(content)
    return path


def test_simple_quotes_are_parsed_without_the_careful_path(tmp_path):
    source = source_of(tmp_path, b'x,y\n"a, ""b""",1\r\n"",c\n"d\n\ne","""f"\n'.replace(b"\n\n", b"\n"))

    with patch.object(csv_source, "parse_carefully", side_effect=AssertionError("the careful way was taken")):
        assert read(source)[0] == [('a, "b"', "1"), (None, "c"), ("d\ne", '"f')]
