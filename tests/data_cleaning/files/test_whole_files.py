import os
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files import whole_files
from data_cleaning.files.whole_files import (
    check_writable,
    is_unfinished,
    place_to_fill,
    remove_unfinished,
    scratch,
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


KILLED = """
import os, sys
from pathlib import Path
from data_cleaning.files.whole_files import whole_file, whole_folder
with whole_folder(Path(sys.argv[1]) / "fit") as folder, whole_file(Path(sys.argv[1]) / "fit.csv") as file:
    (folder / "half").touch()
    file.touch()
    os._exit(9)
"""


def test_only_what_dead_processes_left_is_removed(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert len(list(tmp_path.iterdir())) == 2
    with whole_folder(tmp_path / "fit") as filling, whole_file(tmp_path / "fit.csv") as file:
        file.touch()
        remove_unfinished(tmp_path)
        assert set(tmp_path.iterdir()) == {filling, file}


def test_what_a_killed_call_left_is_removed_by_the_next_that_finishes(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    with whole_folder(tmp_path / "fit"):
        pass
    assert len(list(tmp_path.iterdir())) == 2
    waiting = place_to_fill(tmp_path / "rows-abc")
    (tmp_path / waiting.name.replace(f"-{os.getpid()}-", "-999999-")).mkdir()  # of a workbook, by a dead process
    with whole_file(tmp_path / "fit.csv") as file:
        file.touch()
    assert sorted(place.name for place in tmp_path.iterdir()) == ["fit", "fit.csv"]


def test_calls_that_make_the_same_folder_fill_places_of_their_own(tmp_path):
    with whole_folder(tmp_path / "fit") as one, whole_folder(tmp_path / "fit") as other:
        assert one != other
        assert scratch(one) == scratch(other) == tmp_path / "scratch-fit"
        (one / "by").write_text("one")
        (other / "by").write_text("other")
    assert (tmp_path / "fit" / "by").read_text() == "one"  # the last that is finished
    assert list(tmp_path.iterdir()) == [tmp_path / "fit"]


def elsewhere(folder, monkeypatch, process=1):
    """Leave what a process of another container or host, of the given number, is filling."""
    with monkeypatch.context() as patched:
        patched.setattr(whole_files, "_process_numbers", lambda: "0123abcd")
        patched.setattr(os, "getpid", lambda: process)
        place = whole_files.place_to_fill(folder / "fit")
    place.mkdir()
    (place / "weights").touch()
    return place


@pytest.mark.parametrize("process", [1, 999_999])
def test_what_another_container_fills_is_left_alone_whatever_the_number_of_its_process(tmp_path, monkeypatch, process):
    place = elsewhere(tmp_path, monkeypatch, process)
    os.utime(place, (1, 1))
    remove_unfinished(tmp_path)  # its content is new
    assert place.is_dir()


@pytest.mark.parametrize("days", [-400, 6, 8])
def test_what_another_container_left_is_removed_once_it_has_not_changed_for_a_week(tmp_path, monkeypatch, days):
    place = elsewhere(tmp_path, monkeypatch)
    then = time.time() - days * 86_400  # in the future where the clock was set back
    for each in (place / "weights", place):
        os.utime(each, (then, then))
    remove_unfinished(tmp_path)
    assert place.exists() == (days < 7)


def test_a_number_alone_as_earlier_releases_wrote_it_counts_as_unfinished(tmp_path):
    (tmp_path / "unfinished-1-fit").mkdir()
    assert is_unfinished(tmp_path / "unfinished-1-fit")
    remove_unfinished(tmp_path)
    assert (tmp_path / "unfinished-1-fit").is_dir()


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path):
    (tmp_path / "disk" / "empty").mkdir(parents=True)
    for name in ("empty", "absent", "file.csv"):
        (tmp_path / name).symlink_to(tmp_path / "disk" / name)
    check_writable(tmp_path / "absent")
    for name in ("empty", "absent"):
        for content in ("first", "second"):
            with whole_folder(tmp_path / name) as filling:
                assert filling.parent == tmp_path / "disk"
                (filling / "file").write_text(content)
            assert (tmp_path / "disk" / name / "file").read_text() == content
    with whole_file(tmp_path / "file.csv") as filling:
        filling.write_text("x")
    assert (tmp_path / "disk" / "file.csv").read_text() == "x"
    assert all(place.is_symlink() for place in tmp_path.iterdir() if place.name != "disk")
    assert sorted(place.name for place in (tmp_path / "disk").iterdir()) == ["absent", "empty", "file.csv"]


def test_a_folder_that_another_process_puts_there_in_the_last_moment_is_replaced(tmp_path, monkeypatch):
    rename, raced = Path.rename, []

    def race(place, target):
        if "-old-" not in target.name and not raced:
            raced.append(target)
            target.mkdir()
            (target / "file").write_text("of another")
        return rename(place, target)

    monkeypatch.setattr(Path, "rename", race)
    with whole_folder(tmp_path / "fit") as filling:
        (filling / "file").write_text("own")
    assert (raced, (tmp_path / "fit" / "file").read_text()) == ([tmp_path / "fit"], "own")
    assert list(tmp_path.iterdir()) == [tmp_path / "fit"]


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

    place = whole_files.place_to_fill(tmp_path / "fit")
    place.mkdir()
    monkeypatch.setattr(os, "kill", refuse)
    remove_unfinished(tmp_path)
    assert place.is_dir()
