import decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files import open_source, parquet_size, parquet_source
from data_cleaning.files.table_reader import read_table
from tests.fuzz.hostile_files import encrypted

NOT_UTF8 = pa.array([b"a", b"b\xe8", None, b"d", b"\xff"], pa.binary())


def write(folder, columns, **options):
    path = folder / "leads.parquet"
    pq.write_table(pa.table(columns), path, **options)
    return path


def read(source):
    batches = list(source.batches())
    rows = [row for batch in batches for row in batch.rows.to_pylist()]
    return rows, [(reject.place, reject.reason, reject.text) for batch in batches for reject in batch.rejects]


def test_columns_keep_their_types(tmp_path):
    titles = ["CEO", None, "CFO"]
    columns = {
        "Title": pa.array(titles).dictionary_encode(),
        "Large": pa.array(titles, pa.large_string()),
        "View": pa.array(titles, pa.string_view()),
        "Age": pa.array([1, 2, None], pa.int16()),
        "Seen": pa.array([0, 1, 2], pa.timestamp("us", tz="UTC")),
        "Tags": pa.array([["a"], [], None]),
    }
    source = open_source(write(tmp_path, columns))

    assert source.schema.types == [column.type for column in columns.values()]
    (batch,) = source.batches()
    assert batch.rows.equals(pa.table(columns))
    assert batch.rows.schema.equals(source.schema)
    assert source.n_rows == 3
    assert batch.cells is None


@pytest.mark.parametrize("group_rows", [3, 4, 100])
@pytest.mark.parametrize("batch_rows", [1, 5, 1000])
def test_batches_hold_all_rows_in_order_whatever_their_size(tmp_path, monkeypatch, group_rows, batch_rows):
    monkeypatch.setattr(parquet_source, "BATCH_ROWS", batch_rows)
    source = open_source(write(tmp_path, {"n": list(range(23))}, row_group_size=group_rows))

    assert [row["n"] for row in read(source)[0]] == list(range(23))


@pytest.mark.parametrize("group_rows", [1, 7, 10, 23])
def test_batches_are_cut_alike_whatever_the_row_groups(tmp_path, monkeypatch, group_rows):
    monkeypatch.setattr(parquet_source, "BATCH_ROWS", 10)
    text = pa.array([b"a", b"\xff", *[b"b"] * 23], pa.binary()).view(pa.string())
    columns = {"Title": text, "Kind": pa.array([f"k{n % 4}" for n in range(25)]).dictionary_encode()}
    batches = list(open_source(write(tmp_path, columns, row_group_size=group_rows)).batches())

    assert [batch.rows.num_rows for batch in batches] == [9, 10, 5]
    assert [len(batch.rejects) for batch in batches] == [1, 0, 0]
    assert [int(place) for batch in batches for place in batch.places] == [1, *range(3, 26)]
    kinds = [kind for batch in batches for kind in batch.rows.column("Kind").to_pylist()]
    assert kinds == [f"k{n % 4}" for n in range(25) if n != 1]


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view", "struct", "list"])
def test_rows_whose_text_is_not_utf8_are_rejects(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(parquet_source, "BATCH_ROWS", 3)
    text = NOT_UTF8.view(pa.string())
    column = {
        "string": lambda: text,
        "large_string": lambda: NOT_UTF8.cast(pa.large_binary()).view(pa.large_string()),
        "string_view": lambda: NOT_UTF8.cast(pa.binary_view()).view(pa.string_view()),
        "struct": lambda: pa.StructArray.from_arrays([text], ["x"]),
        "list": lambda: pa.ListArray.from_arrays(pa.array(range(6), pa.int32()), text),
    }[kind]()
    source = open_source(write(tmp_path, {"n": range(1, 6), "Title": column}))

    batches = list(source.batches())
    assert [row for batch in batches for row in batch.rows.column("n").to_pylist()] == [1, 3, 4]
    rejects = [reject for batch in batches for reject in batch.rejects]
    assert [reject.place for reject in rejects] == [2, 5]
    assert rejects[0].reason == "does not hold text that is UTF-8 in column 'Title'"
    assert rejects[0].text.startswith("{'n': 2, 'Title': ")
    assert "b\\" in rejects[0].text
    for batch in batches:
        batch.rows.validate(full=True)


def test_the_text_of_a_reject_is_shortened(tmp_path):
    text = pa.array([b"\xe8" * 5000], pa.binary()).view(pa.string())

    assert len(read(open_source(write(tmp_path, {"Title": text})))[1][0][2]) == 500


@pytest.mark.parametrize("kind", ["text", "dictionary", "nested", "list", "shared beginning"])
def test_a_text_that_stands_in_every_row_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch, kind):
    n_rows = 20_000  # which would take 20 GB
    if kind == "shared beginning":  # is slow to write
        n_rows = 200
        monkeypatch.setattr(parquet_size, "MAX_BATCH_BYTES", 1 << 26)
    titles = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n_rows, np.int32)), pa.array(["x" * 1_000_000]))
    options = {"store_schema": kind != "text"}
    if kind == "nested":
        titles = pa.StructArray.from_arrays([titles], ["x"])
    elif kind == "list":
        titles = pa.ListArray.from_arrays(pa.array(np.arange(n_rows + 1, dtype=np.int32)), titles)
    elif kind == "shared beginning":
        titles = titles.slice(0, 10).dictionary_decode()
        options = {"use_dictionary": False, "column_encoding": {"Title": "DELTA_BYTE_ARRAY"}}
    path = tmp_path / "leads.parquet"
    with pq.ParquetWriter(path, pa.schema([("Title", titles.type)]), **options) as writer:
        for _ in range(n_rows // len(titles)):
            writer.write_table(pa.table({"Title": titles}))
    assert path.stat().st_size < 20_000_000
    before = pa.total_allocated_bytes()

    with pytest.raises(BadInput, match=r"unpack to .* bytes, beyond the limit of 65,536 for a row"):
        list(open_source(path).batches())
    assert pa.total_allocated_bytes() - before < 2**20


def test_long_texts_that_repeat_are_read_in_smaller_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_size, "MAX_BATCH_BYTES", 1 << 24)
    texts = [letter * 30_000 for letter in "abcd"]
    path = write(tmp_path, {"Title": ["CEO"] * 1_000, "Advert": texts * 250}, row_group_size=70)
    sizes = [(batch.rows.num_rows, batch.rows.nbytes) for batch in open_source(path).batches()]

    assert sum(n_rows for n_rows, _ in sizes) == 1_000
    assert max(n_bytes for _, n_bytes in sizes) <= 1 << 24


def test_wide_rows_are_read_in_smaller_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_size, "MAX_BATCH_BYTES", 1 << 20)
    path = write(tmp_path, {"Title": ["CEO"] * 10_000} | {f"n{n}": np.arange(10_000) for n in range(50)})

    assert max(batch.rows.num_rows for batch in open_source(path).batches()) < 1_000


def test_types_that_polars_does_not_know_are_read_as_ones_that_hold_the_same(tmp_path):
    columns = {
        "Title": ["CEO", "CFO"],
        "Wide": pa.array([15, None]).cast(pa.decimal256(60, 2)),
        "Narrow": pa.array([decimal.Decimal(15), None], pa.decimal256(20, 2)),
        "Mars": pa.array([0, None], pa.timestamp("us", tz="Mars/Phobos")),
        "Odd": pa.array([0, None], pa.timestamp("ms", tz="../../x\0")),
        "Offset": pa.array([0, None], pa.timestamp("us", tz="-0330")),
        "Known": pa.array([0, None], pa.timestamp("us", tz="Europe/Berlin")),
        "Nested": pa.array([[{"a": decimal.Decimal(1)}], None], pa.list_(pa.struct([("a", pa.decimal256(60, 2))]))),
    }
    source = open_source(path := write(tmp_path, columns))

    (batch,) = source.batches()
    assert batch.rows.schema == source.schema
    assert batch.rows.column("Wide").to_pylist() == ["15.00", None]
    assert batch.rows.column("Narrow").type == pa.decimal128(20, 2)
    zones = [batch.rows.schema.field(name).type.tz for name in ("Mars", "Odd", "Offset", "Known")]
    assert zones == ["UTC", "UTC", "UTC", "Europe/Berlin"]
    assert "'Mars' (timestamp[us, tz=Mars/Phobos])" in source.notes[0]
    assert read_table(path).frame.height == 2


def test_dates_beyond_all_calendars_are_rejects(tmp_path):
    columns = {
        "Title": ["a", "b", "c", "d"],
        "Day": pa.array([0, 2**31 - 1, None, 1], pa.date32()),
        "At": pa.array([0, 1, 2, -(2**62)], pa.timestamp("ms")),
    }
    rows, rejects = read(open_source(write(tmp_path, columns)))

    assert [row["Title"] for row in rows] == ["a", "c"]
    assert [(place, reason) for place, reason, _ in rejects] == [
        (2, "does not hold a valid date32[day] in column 'Day'"),
        (4, "does not hold a valid timestamp[ms] in column 'At'"),
    ]


def test_columns_may_share_a_name(tmp_path):
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["x", "x"])
    pq.write_table(table, tmp_path / "a.parquet")

    (batch,) = open_source(tmp_path / "a.parquet").batches()
    assert [column.to_pylist() for column in batch.rows.columns] == [["a"], ["b"]]


def test_a_file_without_rows_has_no_batches(tmp_path):
    source = open_source(write(tmp_path, {"Title": pa.array([], pa.string())}))

    assert (source.n_rows, list(source.batches())) == (0, [])


def test_a_file_without_columns_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match="has no columns"):
        open_source(write(tmp_path, {}))


def test_a_file_with_an_encrypted_column_is_bad_input(tmp_path):
    path = tmp_path / "leads.parquet"
    path.write_bytes(encrypted(plaintext_footer=True))
    with pytest.raises(BadInput, match="not readable as Parquet: Cannot decrypt"):
        open_source(path)


def test_a_file_that_is_broken_further_down_is_bad_input(tmp_path):
    path = write(tmp_path, {"Title": [f"title {n}" for n in range(5000)]}, compression="snappy")
    content = bytearray(path.read_bytes())
    content[200:4000] = b"\xff" * 3800
    path.write_bytes(content)

    with pytest.raises(BadInput, match="is not readable as Parquet") as raised:
        list(open_source(path).batches())
    assert "\n" not in str(raised.value)


def test_one_bad_value_of_a_dictionary_costs_only_the_rows_that_refer_to_it(tmp_path):
    values = pa.Array.from_buffers(
        pa.string(), 3, [None, pa.py_buffer(np.array([0, 5, 6, 10], np.int32)), pa.py_buffer(b"nurse\xffcook")]
    )
    for codes, kept in (([0, 1, 2, 0], ["nurse", "cook", "nurse"]), ([0, 2, 2], ["nurse", "cook", "cook"])):
        column = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), values, safe=False)
        batch = pa.record_batch([column], names=["Title"])
        checked = parquet_source._checked(batch, 0)
        assert checked.rows.column("Title").to_pylist() == kept
        assert checked.rows.schema == batch.schema
        assert len(checked.rejects) == len(codes) - len(kept)
        checked.rows.validate(full=True)
