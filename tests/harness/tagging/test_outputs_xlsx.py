"""A spreadsheet holds values with their types, text that is not run, and no more than it can."""

from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from openpyxl import load_workbook

from data_cleaning.errors import BadInput
from harness.tagging.outputs import open_output
from harness.tagging.outputs import sheet_output as workbook


def write(out, columns, kinds, *, names=None, cells=None):
    table = pa.table(
        [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)], list("abcdefgh"[: len(kinds)])
    )
    with closing(open_output(out, names or table.column_names, table.schema, identity={})) as output:
        with output.part() as part:
            part.write(table, cells)
            part.journal = {}
        output.finish()
        output.discard()
        return output.n_cut, output.n_replaced


def interrupt(output):
    with output.part() as part:
        part.write(pa.table({"a": ["x"]}))
        raise KeyboardInterrupt


def read(out):
    header, *rows = load_workbook(out).active.iter_rows()
    return header, [[(cell.value, cell.data_type) for cell in row] for row in rows]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out.xlsx"


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("Chief Officer", "Chief Officer"),
        ("=1+1", "'=1+1"),
        ("-", "'-"),
        ("=", "'="),
        ("@x", "'@x"),
        ("'=x", "''=x"),
        ("#N/A", "#N/A"),
        ("#REF!", "#REF!"),
        ("_x0041_", "_x005F_x0041_"),
        ("_x_", "_x_"),
        ("two\nlines", "two\nlines"),
        (" é ", " é "),
        ("12", "12"),
        ("a\0b\x1fc\ufffe", "a\ufffdb\ufffdc\ufffd"),
    ],
)
def test_text_stays_text_and_is_not_run(out, text, held):
    write(out, [[text]], [pa.string()], names=[text])
    header, rows = read(out)
    assert rows == [[(held, "s")]]
    assert (header[0].value, header[0].data_type) == (held, "s")


def test_blank_cells_are_blank(out):
    write(out, [["", None, "x"]], [pa.string()])
    assert read(out)[1] == [[(None, "n")], [(None, "n")], [("x", "s")]]


def test_the_header_is_bold_and_stays_in_sight(out):
    write(out, [["x"], ["y"]], [pa.string(), pa.string()], names=["Title", "Title"])
    header, _ = read(out)
    assert [(cell.value, cell.font.bold) for cell in header] == [("Title", True), ("Title", True)]
    assert load_workbook(out).active.freeze_panes == "A2"


@pytest.mark.parametrize(
    ("value", "kind", "held"),
    [
        (0.9876, pa.float64(), (0.9876, "n")),
        (float("nan"), pa.float64(), ("NaN", "s")),
        (float("-inf"), pa.float64(), ("'-inf", "s")),
        (-7, pa.int8(), (-7, "n")),
        (123456789012345, pa.int64(), (123456789012345, "n")),
        (1234567890123456, pa.int64(), ("1234567890123456", "s")),
        (True, pa.bool_(), (True, "b")),
        (Decimal("1.50"), pa.decimal128(6, 2), (1.5, "n")),
        (date(2024, 2, 29), pa.date32(), (datetime(2024, 2, 29), "d")),
        (date(1899, 1, 1), pa.date32(), ("1899-01-01", "s")),
        (datetime(2024, 2, 29, 13, 5), pa.timestamp("ns"), (datetime(2024, 2, 29, 13, 5), "d")),
        (datetime(2024, 2, 29, tzinfo=UTC), pa.timestamp("us", "UTC"), ("2024-02-29T00:00:00+00:00", "s")),
        (time(13, 5), pa.time64("us"), (time(13, 5), "d")),
        ("x", pa.dictionary(pa.int32(), pa.string()), ("x", "s")),
        (None, pa.null(), (None, "n")),
    ],
)
def test_columns_of_a_table_keep_their_types(out, value, kind, held):
    write(out, [[value], ["behind"]], [kind, pa.string()])
    assert read(out)[1] == [[held, ("behind", "s")]]


def test_a_day_beyond_the_calendar_is_text(out):
    write(out, [[10**9]], [pa.date32()])
    [[(text, kind)]] = read(out)[1]
    assert kind == "s"
    assert text


def test_own_values_of_a_spreadsheet_take_the_place_of_their_text(out):
    own = [(datetime(2024, 1, 2), 1.5, True), (time(1, 2), timedelta(hours=30), None), ("=1", 10**15, "x")]
    texts = [["t"] * 3, ["t"] * 3, ["t"] * 3, ["IT", "HR", None]]
    write(out, texts, [pa.string()] * 4, cells=own)
    assert read(out)[1] == [
        [(datetime(2024, 1, 2), "d"), (1.5, "n"), (True, "b"), ("IT", "s")],
        [(time(1, 2), "d"), (timedelta(hours=30), "d"), (None, "n"), ("HR", "s")],
        [("'=1", "s"), ("1000000000000000", "s"), ("x", "s"), (None, "n")],
    ]


def test_own_values_of_every_column_leave_none_of_the_table(out):
    write(out, [["t"]], [pa.string()], cells=[(5,)])
    assert read(out)[1] == [[(5, "n")]]


def test_what_no_cell_holds_is_cut_and_replaced_and_counted(out):
    counts = write(out, [["x" * 32_767, "y" * 32_768, "\U0001f600" * 20_000, "a\0\0", "\0" * 40_000]], [pa.string()])
    values = [value for [(value, _)] in read(out)[1]]
    assert [len(value) for value in values] == [32_767, 32_767, 16_383, 3, 32_767]
    assert values[3] == "a\ufffd\ufffd"
    assert counts == (3, 2)


def test_more_rows_than_a_sheet_holds_are_refused_as_soon_as_they_come(out, monkeypatch):
    monkeypatch.setattr(workbook, "_MOST_ROWS", 3)
    write(out, [["x"] * 3], [pa.string()])
    out.unlink()
    with pytest.raises(BadInput, match=r"than the 3 that.*\.csv or \.parquet"):
        write(out, [["x"] * 4], [pa.string()])
    assert not out.exists()


def test_more_columns_than_a_sheet_holds_are_refused_before_any_work(out):
    names = [f"c{number}" for number in range(16_385)]
    with pytest.raises(BadInput, match=r"16,385 columns.*\.csv or \.parquet"):
        open_output(out, names, pa.schema([(name, pa.string()) for name in names]), identity={})
    assert not list(out.parent.iterdir())


def test_an_interrupted_spreadsheet_is_begun_anew(out):
    schema = pa.schema([("a", pa.string())])
    output = open_output(out, ["a"], schema, identity={"input": 1})
    with output.part() as part:
        part.write(pa.table({"a": ["x"]}))
        part.path("rejects.txt").write_text("r")
        part.journal = {"end": 1}
    assert not output.resumable
    assert output.finished[0].path("rejects.txt").read_text() == "r"
    output.close()
    for identity in ({"input": 1}, {"input": 2}):
        with closing(open_output(out, ["a"], schema, identity=identity)) as again:
            assert not again.finished
            assert not (again._parts.folder / "part-000001.rejects.txt").exists()
    assert not out.exists()


@pytest.mark.parametrize("ended", ["closed", "forgotten"])
def test_a_sheet_that_is_given_up_leaves_no_rows_behind(out, ended):
    output = open_output(out, ["a"], pa.schema([("a", pa.string())]), identity={})
    with pytest.raises(KeyboardInterrupt):
        interrupt(output)
    if ended == "closed":
        output.close()
    del output
    assert sorted(place.name for place in (out.parent / "out.xlsx.parts").iterdir()) == ["identity.json", "lock"]
