import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files.whole_files import (
    check_writable,
    is_unfinished,
    remove_unfinished,
    whole_file,
    whole_folder,
)


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    final = tmp_path / "made"
    with pytest.raises(ZeroDivisionError), whole_folder(final) as filling:
        (filling / "half").write_text("x" * (1 // 0))
    assert list(tmp_path.iterdir()) == []
    for content in ("first", "second"):
        with whole_folder(final) as filling:
            (filling / "file").write_text(content)
        assert (final / "file").read_text() == content
    assert list(tmp_path.iterdir()) == [final]


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    final = tmp_path / "made.csv"
    final.write_text("before")
    with pytest.raises(ZeroDivisionError), whole_file(final) as filling:
        filling.write_text("half" * (1 // 0))
    assert final.read_text() == "before"
    assert list(tmp_path.iterdir()) == [final]


def test_a_place_that_cannot_be_written_and_a_full_disk_are_bad_input(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match=f"{tmp_path}/folder cannot be written: Is a directory"):  # noqa: SIM117
        with whole_file(tmp_path / "folder") as filling:
            filling.write_text("x")
    for place in ("/proc/x", tmp_path / "file" / "x", tmp_path / ("x" * 250)):
        with pytest.raises(BadInput, match="cannot be written: "), whole_folder(Path(place)):
            pass
        with pytest.raises(BadInput, match="cannot be written: "):
            check_writable(Path(place))
    check_writable(tmp_path / "free")
    frame = pl.DataFrame({"a": ["x" * 100] * 20_000})
    for write in (frame.write_csv, frame.write_parquet):
        with pytest.raises(BadInput, match=r"made cannot be written: the disk is full"), whole_file(tmp_path / "made"):
            write("/dev/full")
    assert sorted(place.name for place in tmp_path.iterdir()) == ["file", "folder"]


def test_an_error_of_the_caller_passes_unchanged(tmp_path):
    with pytest.raises(FileNotFoundError), whole_folder(tmp_path / "made"):
        (tmp_path / "absent").read_text()


def test_only_what_dead_processes_left_is_removed(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f"unfinished-{dead.pid}-fit").mkdir()
    (tmp_path / f"unfinished-{os.getpid()}-fit").mkdir()
    remove_unfinished(tmp_path)
    assert [place.name for place in tmp_path.iterdir()] == [f"unfinished-{os.getpid()}-fit"]


@pytest.mark.parametrize(
    "name", ["thesis.docx", "2024", "20240131-fit", "0-fit", "-1-fit", "²-fit", "99999999999999-fit"]
)
def test_names_without_the_number_of_a_process_are_left_alone(tmp_path, name):
    (tmp_path / f"unfinished-{name}").write_text("x")
    remove_unfinished(tmp_path)
    assert not is_unfinished(tmp_path / f"unfinished-{name}")
    assert (tmp_path / f"unfinished-{name}").read_text() == "x"


def test_folders_of_another_users_process_are_left_alone(tmp_path, monkeypatch):
    def refuse(process, signal):
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    (tmp_path / "unfinished-1-fit").mkdir()
    remove_unfinished(tmp_path)
    assert (tmp_path / "unfinished-1-fit").is_dir()
