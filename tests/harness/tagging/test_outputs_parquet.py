"""Parquet keeps types, metadata and row groups of its parts."""

from contextlib import closing
from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_cleaning.errors import BadInput
from harness.tagging.outputs import open_output, parquet_rows

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


def test_types_values_and_metadata_are_kept(tmp_path):
    schema = pa.schema([(str(number), kind) for number, kind in enumerate(KINDS)], {"made": "by hand"})
    table = pa.table([pa.array([value, None], kind) for kind, value in KINDS.items()], schema=schema)
    names = [f"Column {number}" for number in range(len(KINDS))]
    out = tmp_path / "out.parquet"
    with closing(open_output(out, names, schema, identity={})) as output:
        for start in (0, 1):
            with output.part() as part:
                part.write(table.rename_columns([f"_{name}" for name in names]).slice(start, 1))
                part.journal = {}
        output.finish()
    file = pq.ParquetFile(out)
    assert file.schema_arrow.names == names
    assert [field.type for field in file.schema_arrow] == list(KINDS)
    assert file.schema_arrow.metadata[b"made"] == b"by hand"
    assert file.read().to_pylist() == table.rename_columns(names).to_pylist()


def test_small_pieces_of_a_part_become_one_row_group_and_parts_stay_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_rows, "_ROW_GROUP", 10)
    schema = pa.schema([("a", pa.int64())])
    out = tmp_path / "out.parquet"
    with closing(open_output(out, ["a"], schema, identity={})) as output:
        for first in (0, 100):
            with output.part() as part:
                for start in range(first, first + 15, 3):
                    part.write(pa.table({"a": range(start, start + 3)}))
                part.write(pa.table({"a": pa.array([], pa.int64())}))
                part.journal = {}
        output.finish()
    file = pq.ParquetFile(out)
    assert [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)] == [12, 3, 12, 3]
    assert pl.read_parquet(out)["a"].to_list() == [*range(15), *range(100, 115)]


def test_a_column_that_is_narrower_than_the_schema_is_widened(tmp_path):
    schema = pa.schema([("a", pa.string()), ("b", pa.float64())])
    out = tmp_path / "out.parquet"
    with closing(open_output(out, ["a", "b"], schema, identity={})) as output:
        with output.part() as part:
            part.write(pa.table({"x": pa.nulls(1), "y": pa.array([1], pa.int32())}))
            part.journal = {}
        output.finish()
    assert pq.read_table(out).to_pylist() == [{"a": None, "b": 1.0}]


def test_names_that_come_twice_are_refused(tmp_path):
    schema = pa.schema([("a", pa.string()), ("b", pa.string()), ("c", pa.string())])
    with pytest.raises(BadInput, match=r"several columns of one name.*'Title'.*\.csv"):
        open_output(tmp_path / "out.parquet", ["Title", "Title", ""], schema, identity={})
    assert not list(tmp_path.iterdir())
