"""Places that cannot be written are refused before any work is done, in one message."""

import errno
import os
from pathlib import Path

import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files import whole_files
from data_cleaning.files.output_places import check_file, check_folder, mark
from data_cleaning.files.whole_files import full_disk_as_bad_input, whole_file, whole_folder


def refusal(check, place, source):
    options = {"force": False}
    with pytest.raises(BadInput) as raised:
        check(place, source, **options) if check is check_file else check(place, source, "profile", **options)
    return str(raised.value)


@pytest.mark.parametrize("check", [check_file, check_folder])
@pytest.mark.parametrize(
    "name", ["n" * 230 + ".csv", "é" * 120 + ".csv", "n" * 300 + ".csv", "/".join(["d" * 200] * 25)]
)
def test_a_name_that_is_too_long_is_refused(check, name, tmp_path):
    message = refusal(check, tmp_path / name, tmp_path / "leads.csv")
    assert message == f"{tmp_path / name} cannot be written: the name is too long. Choose a shorter one."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("check", [check_file, check_folder])
def test_a_file_in_the_place_of_the_folder_is_refused(check, tmp_path):
    (tmp_path / "file").write_text("mine")
    assert "cannot be written: expected a" in refusal(check, tmp_path / "file" / "out.csv", tmp_path / "leads.csv")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("check", [check_file, check_folder])
def test_a_folder_that_takes_no_files_is_refused(check, tmp_path, monkeypatch):
    def refused(self, *_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "touch", refused)
    message = refusal(check, tmp_path / "out.csv", tmp_path / "leads.csv")
    assert message == f"{tmp_path / 'out.csv'} cannot be written: Permission denied. Choose another place."


@pytest.mark.parametrize("target", ["empty", "absent"])
def test_a_link_as_folder_stays_and_what_it_leads_to_is_written(tmp_path, target):
    (tmp_path / "disk" / "empty").mkdir(parents=True)
    link = tmp_path / "out"
    link.symlink_to(tmp_path / "disk" / target)
    for force in (False, True):
        check_folder(link, tmp_path / "leads.csv", "profile", force=force)
        with whole_folder(link) as filling:
            mark(filling, "profile", {})
        assert (tmp_path / "disk" / target / "made_by.json").is_file()
    assert link.readlink() == tmp_path / "disk" / target
    assert "exists already" in refusal(check_folder, link, tmp_path / "leads.csv")


def test_a_link_to_what_another_wrote_or_to_itself_is_refused(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("x")
    (tmp_path / "full").symlink_to(tmp_path / "letters")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "was not made by 'profile'" in refusal(check_folder, tmp_path / "full", tmp_path / "leads.csv")
    assert "cannot be written" in refusal(check_folder, tmp_path / "loop", tmp_path / "leads.csv")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("kind", [OSError, RuntimeError])
def test_a_disk_without_room_is_bad_input_whichever_library_says_so(number, kind, tmp_path):
    error = OSError(number, os.strerror(number)) if kind is OSError else RuntimeError(f"lib: {os.strerror(number)} (x)")

    def write():
        with whole_file(tmp_path / "out.csv") as filling:
            filling.write_text("half")
            raise error

    with pytest.raises(BadInput, match="Make room, or choose another place"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_for_a_database_is_bad_input():
    def write():
        with full_disk_as_bad_input(Path("trials.db")):
            try:
                raise RuntimeError("(sqlite3.OperationalError) database or disk is full")
            except RuntimeError as error:
                raise ValueError("An exception is raised during the commit.") from error

    with pytest.raises(BadInput, match=r"trials\.db cannot be written: the disk is full"):
        write()


def test_another_fault_is_none_of_the_disk(tmp_path):
    with pytest.raises(OSError, match="odd"), full_disk_as_bad_input(tmp_path / "out.csv"):
        raise OSError(errno.EINVAL, "odd")


def test_nothing_is_left_of_a_trial(tmp_path):
    whole_files.check_writable(tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []
