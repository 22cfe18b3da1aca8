"""Tables read back cell by cell, whoever reads them."""

import csv
import gzip
import io
import zipfile
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from data_cleaning.errors import BadInput
from data_cleaning.files import workbooks, written_tables
from data_cleaning.files.spreadsheet_text import escape_cell
from data_cleaning.files.written_tables import check_columns, check_schema, open_rows, write_table

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
    check_schema(out, names, table.schema, options.get("delimiter", ","))
    with open_rows(out, names, table.schema, **{"raw": True} | options) as output:
        step = max(len(table) // 2, 1)
        for start in range(0, max(len(table), 1), step):
            output.write(table.slice(start, step))
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
def test_every_cell_of_csv_reads_back(tmp_path, rows, delimiter, name):
    width = min(map(len, rows), default=1)
    rows = [row[:width] for row in rows]
    columns = [[row[number] for row in rows] for number in range(width)]
    out = write(tmp_path, columns, name=name, delimiter=delimiter)
    header, *cells = read(out, delimiter)
    assert header == [f"c{number}" for number in range(width)]
    assert cells == [[cell or "" for cell in row] for row in rows]


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz"])
def test_pandas_and_polars_read_csv_too(tmp_path, name):
    cells = [cell for cell in AWKWARD if cell is None or "\0" not in cell]  # pandas ends a cell there
    out = write(tmp_path, [cells, list(map(str, range(len(cells))))], name=name)
    expected = [cell or "" for cell in cells]
    assert pd.read_csv(out, dtype=str, keep_default_na=False)["c0"].tolist() == expected
    assert pl.read_csv(out, infer_schema=False)["c0"].fill_null("").to_list() == expected


def test_csv_headers_are_written_as_they_are(tmp_path):
    names = ["Title", "Title", "", 'a "b", c', "two\nlines", "=1+1"]
    out = write(tmp_path, [["x"]] * len(names), names=names)
    assert read(out) == [names, ["x"] * len(names)]


@pytest.mark.parametrize("kind", [pa.string(), pa.int64(), pa.null(), pa.date32()])
def test_empty_cells_of_a_single_csv_column_stay_rows(tmp_path, kind):
    out = write(tmp_path, [[None, None, None]], names=[""], kinds=[kind])
    assert out.read_text() == '""\n' * 4
    assert read(out) == [[""]] * 4


def test_types_of_a_table_become_plain_text_in_csv(tmp_path):
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
def test_text_and_headers_are_escaped_and_counted_unless_raw_and_numbers_never(tmp_path, kind):
    cells = ["=1+1", "+49", "'=x", "a=b", "", None]
    table = pa.table({"t": pa.array(cells, kind), "n": pa.array([-1] * len(cells))})
    for options, n_escaped in (({}, 2), ({"raw": True}, 0)):
        with open_rows(tmp_path / "out.csv", ["=h", "n"], table.schema, **options) as output:
            output.write(table)
        assert output.n_escaped == n_escaped
        escaped = [escape_cell(cell or "") if n_escaped else cell or "" for cell in cells]
        assert read(tmp_path / "out.csv") == [["'=h" if n_escaped else "=h", "n"], *([cell, "-1"] for cell in escaped)]


@pytest.mark.parametrize(("raw", "n_escaped"), [(False, 2), (True, 0)])
@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".xlsx", ".parquet"])
def test_a_whole_table_is_escaped_unless_raw(tmp_path, ending, raw, n_escaped):
    out = tmp_path / f"out{ending}"
    frame = pl.DataFrame({"=h": ["=1+1", "+49 30 1234"]})
    expected = n_escaped if ending != ".parquet" else 0
    assert write_table(frame, out, raw=raw) == expected
    if ending == ".xlsx":
        sheet = zipfile.ZipFile(out).read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert ("'=1+1" in sheet) == bool(expected)
    else:
        read = pl.read_parquet if ending == ".parquet" else pl.read_csv
        apostrophe = "'" if expected else ""
        assert read(out).to_dict(as_series=False) == {f"{apostrophe}=h": [f"{apostrophe}=1+1", "+49 30 1234"]}


def test_gzipped_rows_name_no_time_and_no_file(tmp_path):
    out = write(tmp_path, [["a", "b", "c"]], name="out.csv.gz")
    assert out.read_bytes()[3:8] == b"\0" * 5
    assert read(out) == [["c0"], ["a"], ["b"], ["c"]]


@pytest.mark.parametrize("delimiter", ["", ",,", "é", '"', "\n", "a", ".", "-"])
def test_a_delimiter_that_cells_would_hide_is_refused(delimiter):
    with pytest.raises(BadInput, match="expected one character"):
        check_schema(Path("out.csv"), ["a"], pa.schema([("a", pa.string())]), delimiter)


KINDS = {
    pa.string(): "x",
    pa.large_string(): "x",
    pa.string_view(): "x",
    pa.dictionary(pa.int32(), pa.string()): "x",
    pa.list_(pa.string()): ["a", None],
    pa.struct([("x", pa.int64())]): {"x": 1},
    pa.binary(): b"\0",
    pa.float16(): 1.5,
    pa.date32(): date(2024, 2, 29),
    pa.timestamp("ms"): datetime(2024, 2, 29),
    pa.timestamp("ns", "Europe/Berlin"): None,
    pa.time32("ms"): None,
    pa.duration("ms"): None,
    pa.decimal128(6, 2): Decimal("1.50"),
    pa.null(): None,
}


def test_parquet_keeps_types_values_and_metadata(tmp_path):
    schema = pa.schema([(str(number), kind) for number, kind in enumerate(KINDS)], {"made": "by hand"})
    table = pa.table([pa.array([value, None], kind) for kind, value in KINDS.items()], schema=schema)
    names = [f"Column {number}" for number in range(len(KINDS))]
    out = tmp_path / "out.parquet"
    with open_rows(out, names, schema) as output:
        for start in (0, 1):
            output.write(table.rename_columns([f"_{name}" for name in names]).slice(start, 1))
    file = pq.ParquetFile(out)
    assert file.schema_arrow.names == names
    assert [field.type for field in file.schema_arrow] == list(KINDS)
    assert file.schema_arrow.metadata[b"made"] == b"by hand"
    assert file.read().to_pylist() == table.rename_columns(names).to_pylist()


def test_small_pieces_become_one_row_group_of_parquet(tmp_path, monkeypatch):
    monkeypatch.setattr(written_tables, "_ROW_GROUP", 10)
    out = tmp_path / "out.parquet"
    with open_rows(out, ["a"], pa.schema([("a", pa.int64())])) as output:
        for start in range(0, 30, 3):
            output.write(pa.table({"a": range(start, start + 3)}))
            output.write(pa.table({"a": pa.array([], pa.int64())}))
    file = pq.ParquetFile(out)
    assert [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)] == [12, 12, 6]
    assert pl.read_parquet(out)["a"].to_list() == [*range(30)]


def test_a_column_that_is_narrower_than_the_parquet_schema_is_widened(tmp_path):
    out = tmp_path / "out.parquet"
    with open_rows(out, ["a", "b"], pa.schema([("a", pa.string()), ("b", pa.float64())])) as output:
        output.write(pa.table({"x": pa.nulls(1), "y": pa.array([1], pa.int32())}))
    assert pq.read_table(out).to_pylist() == [{"a": None, "b": 1.0}]


def test_parquet_refuses_names_that_occur_twice():
    schema = pa.schema([("a", pa.string()), ("b", pa.string()), ("c", pa.string())])
    with pytest.raises(BadInput, match=r"several columns of one name.*'Title'.*\.csv"):
        check_schema(Path("out.parquet"), ["Title", "Title", ""], schema)


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.xlsx"])
@pytest.mark.parametrize(
    "kind", [pa.list_(pa.string()), pa.struct([("x", pa.int64())]), pa.binary(), pa.duration("s"), pa.decimal256(50, 2)]
)
def test_only_parquet_takes_columns_whose_values_are_no_single_cell(name, kind):
    schema = pa.schema([("a", pa.string()), ("b", kind)])
    with pytest.raises(BadInput, match=r"'B' holds .*\.parquet"):
        check_schema(Path(name), ["A", "B"], schema)
    check_schema(Path("out.parquet"), ["A", "B"], schema)


def test_an_unknown_ending_is_refused():
    with pytest.raises(BadInput, match=r"'\.txt'; expected \.csv\.gz"):
        check_schema(Path("out.txt"), ["a"], pa.schema([("a", pa.string())]))


def write_sheet(folder, columns, kinds, *, names=None, cells=None):
    """Write a spreadsheet; return its header and rows as openpyxl reads them."""
    table = pa.table(
        [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)], list("abcd")[: len(kinds)]
    )
    out = folder / "out.xlsx"
    with open_rows(out, names or table.column_names, table.schema, sheet="tagged") as output:
        output.write(table, cells)
    header, *rows = load_workbook(out)["tagged"].iter_rows()
    return header, [[(cell.value, cell.data_type) for cell in row] for row in rows]


def test_the_header_of_a_spreadsheet_is_bold_and_stays_in_sight(tmp_path):
    header, _ = write_sheet(tmp_path, [["x"], ["y"]], [pa.string(), pa.string()], names=["Title", "Title"])
    assert [(cell.value, cell.font.bold) for cell in header] == [("Title", True), ("Title", True)]
    assert load_workbook(tmp_path / "out.xlsx").active.freeze_panes == "A2"


@pytest.mark.parametrize(
    ("value", "kind", "held"),
    [
        (-7, pa.int8(), (-7, "n")),
        (Decimal("1.50"), pa.decimal128(6, 2), (1.5, "n")),
        (date(2024, 2, 29), pa.date32(), (datetime(2024, 2, 29), "d")),
        (datetime(2024, 2, 29, 13, 5), pa.timestamp("ns"), (datetime(2024, 2, 29, 13, 5), "d")),
        (datetime(2024, 2, 29, tzinfo=UTC), pa.timestamp("us", "UTC"), ("2024-02-29T00:00:00+00:00", "s")),
        (time(13, 5), pa.time64("us"), (time(13, 5), "d")),
        ("x", pa.dictionary(pa.int32(), pa.string()), ("x", "s")),
        (None, pa.null(), (None, "n")),
    ],
)
def test_columns_of_a_spreadsheet_keep_their_types(tmp_path, value, kind, held):
    assert write_sheet(tmp_path, [[value], ["behind"]], [kind, pa.string()])[1] == [[held, ("behind", "s")]]


def test_a_day_beyond_the_calendar_is_text_in_a_spreadsheet(tmp_path):
    [[(text, kind)]] = write_sheet(tmp_path, [[10**9]], [pa.date32()])[1]
    assert kind == "s"
    assert text


def test_cells_of_a_spreadsheet_take_the_place_of_their_text(tmp_path):
    own = [(datetime(2024, 1, 2), 1.5, True), (time(1, 2), timedelta(hours=30), None), ("=1", 10**15, "x")]
    texts = [["t"] * 3, ["t"] * 3, ["t"] * 3, ["IT", "HR", None]]
    assert write_sheet(tmp_path, texts, [pa.string()] * 4, cells=own)[1] == [
        [(datetime(2024, 1, 2), "d"), (1.5, "n"), (True, "b"), ("IT", "s")],
        [(time(1, 2), "d"), (timedelta(hours=30), "d"), (None, "n"), ("HR", "s")],
        [("'=1", "s"), ("1000000000000000", "s"), ("x", "s"), (None, "n")],
    ]
    assert write_sheet(tmp_path, [["t"]], [pa.string()], cells=[(5,)])[1] == [[(5, "n")]]


def test_more_rows_than_a_spreadsheet_holds_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbooks, "MAX_ROWS", 4)
    write_sheet(tmp_path, [["x"] * 3], [pa.string()])
    for write_four in (
        lambda: write_sheet(tmp_path, [["x"] * 4], [pa.string()]),
        lambda: write_table(pl.DataFrame({"a": ["x"] * 4}), tmp_path / "out.xlsx"),
    ):
        with pytest.raises(BadInput, match=r"than the 3 that.*\.csv or \.parquet"):
            write_four()


def test_more_columns_than_a_spreadsheet_holds_are_refused():
    names = [f"c{number}" for number in range(16_385)]
    with pytest.raises(BadInput, match=r"16,385 columns.*\.csv or \.parquet"):
        check_schema(Path("out.xlsx"), names, pa.schema([(name, pa.string()) for name in names]))


def test_a_frame_is_written_to_a_spreadsheet_with_its_types(tmp_path):
    frame = pl.DataFrame({"title": ["=1", "007", None], "count": [1, 2, 3], "day": [date(2024, 1, 2)] * 3})
    write_table(frame, tmp_path / "out.xlsx")
    assert [*load_workbook(tmp_path / "out.xlsx").active.values] == [
        ("title", "count", "day"),
        *[("'=1", 1, datetime(2024, 1, 2)), ("007", 2, datetime(2024, 1, 2)), (None, 3, datetime(2024, 1, 2))],
    ]


@pytest.mark.parametrize(("name", "what"), [("out.csv", "a CSV file"), ("out.xlsx", "a spreadsheet")])
def test_a_column_of_lists_is_refused_before_a_frame_is_written(name, what):
    frame = pl.DataFrame({"tags": [["a"], ["b"]]})
    with pytest.raises(BadInput, match=rf"leads.parquet: column 'tags' holds .*, which {what} cannot"):
        check_columns(frame, Path("leads.parquet"), Path(name))
    check_columns(frame, Path("leads.parquet"), Path("out.parquet"))
