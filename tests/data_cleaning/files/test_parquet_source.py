import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files import open_source, parquet_source

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


def test_a_file_that_is_broken_further_down_is_bad_input(tmp_path):
    path = write(tmp_path, {"Title": [f"title {n}" for n in range(5000)]}, compression="snappy")
    content = bytearray(path.read_bytes())
    content[200:4000] = b"\xff" * 3800
    path.write_bytes(content)
    source = open_source(path)

    with pytest.raises(BadInput, match="is not readable as Parquet") as raised:
        list(source.batches())
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
