"""Cells that a spreadsheet would run are disarmed, and come back as they were."""

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_cleaning.files.spreadsheet_text import escape_cell, escape_frame, unescape_cell, unescape_frame

texts = st.text("'=+-@\t\r\nae1 ", max_size=5) | st.text(max_size=5)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("=1+1", "'=1+1"),
        ("+49 a", "'+49 a"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("- Director", "'- Director"),
        ("＝1+1", "'＝1+1"),
        ("@home", "'@home"),
        ("\tx", "'\tx"),
        ("''=1", "''=1"),
        ("'", "'"),
        ("'tis", "'tis"),
        (" =1", " =1"),
        ("a=1", "a=1"),
        ("", ""),
        ("-", "-"),
        ("--", "--"),
        ("-5", "-5"),
        ("-1.5e-7", "-1.5e-7"),
        ("-3,5 %", "-3,5 %"),
        ("+49 (0)30 123-456/7", "+49 (0)30 123-456/7"),
        ("'-5", "'-5"),
        ("-5\n", "'-5\n"),
    ],
)
def test_formulas_are_escaped(text, escaped):
    assert escape_cell(text) == escaped
    assert unescape_cell(escaped) == text


@given(texts)
@example("\n'=")
def test_escaping_is_undone_and_leaves_nothing_to_run(text):
    escaped = escape_cell(text)
    assert escaped in (text, f"'{text}")
    assert unescape_cell(escaped) == unescape_cell(text)  # the text itself, unless it looks escaped
    assert escaped[:1] not in {*"=@\t\r\n"} - {""}
    assert not (escaped[:1] in {"+", "-"} and any(letter.isalpha() and letter not in "eE" for letter in escaped))


@given(texts)
def test_what_is_escaped_already_stays_as_it_is(text):
    escaped = escape_cell(text)
    assert escape_cell(escaped) == escaped


@given(st.lists(texts, max_size=5))
def test_a_frame_is_escaped_cell_by_cell(cells):
    frame = pl.DataFrame({"text": cells, "number": [-1] * len(cells)}, schema={"text": pl.String, "number": pl.Int64})
    escaped, n_escaped = escape_frame(frame)
    assert n_escaped == sum(escape_cell(cell) != cell for cell in cells)
    assert escaped["text"].to_list() == [escape_cell(cell) for cell in cells]
    assert escaped["number"].to_list() == frame["number"].to_list()
    assert unescape_frame(escaped)["text"].to_list() == [unescape_cell(cell) for cell in escaped["text"]]
