"""CSV reads back cell by cell, whoever reads it."""

import csv
import gzip
import io
from contextlib import closing
from datetime import date, datetime, time
from decimal import Decimal

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from data_cleaning.errors import BadInput
from data_cleaning.files.spreadsheet_text import escape_cell
from harness.tagging.outputs import open_output

AWKWARD = [
    "a,b",
    "a;b",
    'q"q',
    '"',
    "l\nf",
    "c\rr",
    "c\r\nr",
    "\r",
    " lead",
    "trail ",
    "\ttab",
    "",
    None,
    "n\0l",
    "é",
    "#c",
]
texts = st.none() | st.sampled_from(AWKWARD) | st.text(",;\t\"'\n\r =\0é\u2028\ufeff", max_size=4)


def write(folder, columns, *, names=None, name="out.csv", kinds=None, **options):
    kinds = kinds or [pa.string()] * len(columns)
    table = pa.table(
        [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)],
        list(map(str, range(len(columns)))),
    )
    out = folder / name
    names = names or [f"c{number}" for number in range(len(columns))]
    with closing(open_output(out, names, table.schema, identity={}, force=True, **options)) as output:
        step = max(len(table) // 2, 1)
        for start in range(0, max(len(table), 1), step):
            with output.part() as part:
                part.write(table.slice(start, step))
                part.journal = {}
        output.finish()
        output.discard()
    return out


def read(out, delimiter=","):
    data = gzip.decompress(out.read_bytes()) if out.suffix == ".gz" else out.read_bytes()
    return list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    rows=st.lists(st.lists(texts, min_size=1, max_size=3), max_size=6),
    delimiter=st.sampled_from(",;\t|"),
    name=st.sampled_from(["out.csv", "out.csv.gz"]),
)
@example(rows=[[cell, cell] for cell in AWKWARD], delimiter=",", name="out.csv")
@example(rows=[[cell] for cell in AWKWARD], delimiter=";", name="out.csv")
def test_every_cell_reads_back(tmp_path, rows, delimiter, name):
    width = min(map(len, rows), default=1)
    rows = [row[:width] for row in rows]
    columns = [[row[number] for row in rows] for number in range(width)]
    out = write(tmp_path, columns, name=name, delimiter=delimiter)
    header, *cells = read(out, delimiter)
    assert header == [f"c{number}" for number in range(width)]
    assert cells == [[cell or "" for cell in row] for row in rows]


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz"])
def test_pandas_and_polars_read_it_too(tmp_path, name):
    cells = [cell for cell in AWKWARD if cell is None or "\0" not in cell]  # pandas ends a cell there
    out = write(tmp_path, [cells, list(map(str, range(len(cells))))], name=name)
    expected = [cell or "" for cell in cells]
    assert pd.read_csv(out, dtype=str, keep_default_na=False)["c0"].tolist() == expected
    assert pl.read_csv(out, infer_schema=False)["c0"].fill_null("").to_list() == expected


def test_headers_are_written_as_they_are(tmp_path):
    names = ["Title", "Title", "", 'a "b", c', "two\nlines", "=1+1"]
    out = write(tmp_path, [["x"]] * len(names), names=names)
    assert read(out) == [names, ["x"] * len(names)]


@pytest.mark.parametrize("kind", [pa.string(), pa.int64(), pa.null(), pa.date32()])
def test_empty_cells_of_a_single_column_stay_rows(tmp_path, kind):
    out = write(tmp_path, [[None, None, None]], names=[""], kinds=[kind])
    assert out.read_text() == '""\n' * 4
    assert read(out) == [[""]] * 4


def test_types_of_a_table_become_plain_text(tmp_path):
    columns = {
        pa.date32(): (date(2024, 2, 29), "2024-02-29"),
        pa.timestamp("us"): (datetime(2024, 2, 29, 13, 5), "2024-02-29T13:05:00.000000"),
        pa.time64("us"): (time(13, 5), "13:05:00.000000000"),
        pa.bool_(): (True, "true"),
        pa.int8(): (-5, "-5"),
        pa.float64(): (0.0001, "0.0001"),
        pa.float32(): (0.1234, "0.1234"),
        pa.decimal128(6, 2): (Decimal("1.50"), "1.50"),
        pa.dictionary(pa.int32(), pa.string()): ("a,b", "a,b"),
        pa.large_string(): ("é", "é"),
        pa.null(): (None, ""),
    }
    out = write(tmp_path, [[value] for value, _ in columns.values()], kinds=list(columns))
    assert read(out)[1] == [text for _, text in columns.values()]


def test_confidences_are_written_without_exponent(tmp_path):
    confidences = [round(number / 10_000, 4) for number in range(10_001)]
    out = write(tmp_path, [confidences], kinds=[pa.float64()])
    cells = out.read_text().split()[1:]
    assert all(len(cell) <= 6 and "e" not in cell for cell in cells)
    assert list(map(float, cells)) == confidences


@pytest.mark.parametrize("kind", [pa.string(), pa.dictionary(pa.int32(), pa.string())])
def test_spreadsheet_safe_disarms_text_and_headers_alone(tmp_path, kind):
    cells = ["=1+1", "+49", "'=x", "a=b", "", None]
    numbers = [-1] * len(cells)
    for safe in (False, True):
        out = write(tmp_path, [cells, numbers], names=["=h", "n"], kinds=[kind, pa.int64()], spreadsheet_safe=safe)
        escaped = [escape_cell(cell or "") if safe else cell or "" for cell in cells]
        assert read(out) == [["'=h" if safe else "=h", "n"], *([cell, "-1"] for cell in escaped)]


def test_gzipped_rows_name_no_time_and_no_file(tmp_path):
    out = write(tmp_path, [["a", "b", "c"]], name="out.csv.gz")
    assert out.read_bytes()[3:8] == b"\0" * 5
    assert read(out) == [["c0"], ["a"], ["b"], ["c"]]


@pytest.mark.parametrize("delimiter", ["", ",,", "é", '"', "\n", "a", ".", "-"])
def test_a_delimiter_that_cells_would_hide_is_refused(tmp_path, delimiter):
    with pytest.raises(BadInput, match="expected one character"):
        open_output(tmp_path / "out.csv", ["a"], pa.schema([("a", pa.string())]), identity={}, delimiter=delimiter)
    assert not list(tmp_path.iterdir())
