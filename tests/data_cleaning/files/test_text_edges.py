"""Cells that are ruled out by their first or last bytes alone."""

import pyarrow as pa
import pytest

from data_cleaning.files.spreadsheet_text import escape_cell, may_be_risky
from data_cleaning.files.text_edges import may_begin, may_end_in


def column(*chunks):
    return pa.chunked_array([pa.array(chunk, pa.string()) for chunk in chunks], pa.string())


def test_rows_that_may_end_in_a_word_are_found_in_every_chunk_in_any_case():
    texts = column(["RSA Total", None, "al", ""], [], ["total", "SubTOTALS ", "totally", "l", "tal", "Итого", "Sales"])
    assert may_end_in(texts, [b"total", b"totals"]).tolist() == [0, 1, 4, 5, 9]  # an empty cell ends as the one before


def test_a_slice_is_looked_at_where_it_begins_and_ends():
    texts = column(["Total", "CEO", "=1", "Total"])
    assert may_end_in(texts.slice(1, 2), [b"total"]).tolist() == []
    assert not may_begin(texts.slice(0, 2), b"=")
    assert may_begin(texts.slice(1, 2), b"=")


@pytest.mark.parametrize("texts", [[], [None, None], [""], [None, ""]])
def test_columns_without_text_have_no_edges(texts):
    assert may_end_in(column(texts), [b"total"]).tolist() == []
    assert not may_begin(column(texts), b"=")


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-", "@x", "\uff1dx", "\uff0bx", "\uff0dx", "\uff20x", "\tx", "\rx", "\nx"]
)
@pytest.mark.parametrize("kind", [pa.string(), pa.string_view()])
def test_no_text_that_is_escaped_is_ruled_out(text, kind):
    for tail in ("", "long enough to lie outside of a view"):
        assert may_be_risky(column(["CEO", None], [text + tail]).cast(kind))
        assert may_be_risky(column(["CEO", None, text + tail, "CTO"]).cast(kind).slice(2, 1))
        assert not may_be_risky(column([f"C{text}{tail}", text]).cast(kind).slice(0, 1))
    assert escape_cell(f"C{text}") == f"C{text}"
