"""Blocks of rows: the same each time, whole after a journey, and only from files that belong together."""

from pathlib import Path

import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files import Layout
from harness.scale.blocks import Place, find_files, open_input, unpacked


def opened(path, monkeypatch, n_rows=3):
    monkeypatch.setattr("harness.scale.blocks.BLOCK_ROWS", n_rows)
    return open_input(path, None, None, Layout())[0]


@pytest.fixture
def folder(tmp_path):
    """Write two files of 7 rows, with equal and empty names of columns and a row that cannot be read."""
    for name in ("a.csv", "b.csv"):
        rows = [f"{name} {row},{row},{row}" for row in range(7)]
        (tmp_path / name).write_text("\n".join(["Title,n,n", *rows, "too,many,fields,here"]) + "\n\n")
    return tmp_path


def test_blocks_hold_every_row_and_reject_once_in_their_order(folder, monkeypatch):
    given = opened(folder, monkeypatch)
    blocks = [block for file in range(2) for block in given.blocks(file, frozenset())]
    assert [block.place for block in blocks] == [Place(file, block) for file in range(2) for block in range(3)]
    assert [block.first_row for block in blocks] == [1, 4, 7] * 2
    titles = [title for block in blocks for title in block.batch.rows.column(0).to_pylist()]
    assert titles == [f"{name} {row}" for name in ("a.csv", "b.csv") for row in range(7)]
    assert [len(block.batch.rejects) for block in blocks] == [0, 0, 1] * 2
    assert [block.is_last for block in blocks] == [False, False, True] * 2
    assert [block.n_skipped for block in blocks] == [0, 0, 1] * 2


def test_kept_blocks_are_not_read_out_again_and_whole_files_not_opened(folder, monkeypatch):
    given = opened(folder, monkeypatch)
    kept = {Place(0, 0): False, Place(0, 2): True, **{Place(1, block): block == 2 for block in range(3)}}
    assert given.pending(kept) == [0]
    assert [block.place for block in given.blocks(0, frozenset(kept))] == [Place(0, 1)]


def test_a_packed_block_comes_out_as_it_went_in(folder, monkeypatch):
    for block in opened(folder, monkeypatch).blocks(1, frozenset()):
        (out,) = unpacked(block.packed())
        assert out.batch.rows.equals(block.batch.rows)
        assert out.batch.rows.column_names == ["Title", "n", "n"]
        assert (out.place, out.first_row, out.is_last) == (block.place, block.first_row, block.is_last)
        assert (out.batch.rejects, out.batch.places.tolist()) == (block.batch.rejects, block.batch.places.tolist())


def test_a_file_with_a_header_alone_is_one_empty_block(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("Title,n\n")
    (block,) = opened(tmp_path / "a.csv", monkeypatch).blocks(0, frozenset())
    assert (block.is_last, block.batch.rows.num_rows, block.batch.rows.column_names) == (True, 0, ["Title", "n"])


def test_files_of_a_folder_or_pattern_come_in_the_order_of_their_paths(tmp_path):
    for name in ("b.csv", "year=1/c.parquet", "a.csv.gz", "notes.txt", "_temporary/d.csv", ".e.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [path.relative_to(tmp_path).as_posix() for path in find_files(tmp_path)]
    assert names == ["a.csv.gz", "b.csv", "year=1/c.parquet"]
    assert find_files(tmp_path / "*.csv*") == [tmp_path / ".e.csv", tmp_path / "a.csv.gz", tmp_path / "b.csv"]
    with pytest.raises(BadInput, match="leads to no file"):
        find_files(tmp_path / "_temporary" / "*.parquet")
    with pytest.raises(BadInput, match="standard input"):
        find_files(Path("-"))


def test_other_columns_and_files_that_change_are_refused_by_name(folder, monkeypatch):
    given = opened(folder, monkeypatch)
    (folder / "b.csv").write_text("Title,n\nx,1\n")
    with pytest.raises(BadInput, match=r"b\.csv changed after the job was begun"):
        given.open(1)
    with pytest.raises(BadInput, match=r"b\.csv has other columns than .*a\.csv"):
        opened(folder, monkeypatch).open(1)
    pl.DataFrame({"Title": ["x"]}).write_parquet(folder / "c.parquet")
    pl.DataFrame({"Title": ["x"], "n": [1]}).write_parquet(folder / "d.parquet")
    with pytest.raises(BadInput, match=r"d\.parquet has other columns .*'n' \(int64\) here"):
        opened(folder / "[cd].parquet", monkeypatch).open(1)
