import errno
import fcntl
import subprocess
import sys
import time

import pytest

from data_cleaning.errors import BadInput, Notice
from data_cleaning.files.process_locks import locked

HELD = """
import sys, time
from pathlib import Path
from data_cleaning.files.process_locks import locked
with locked(Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def held_by_another(place, seconds):
    """Return a process that holds a lock."""
    command = [sys.executable, "-c", HELD, str(place), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def refuse():
    raise BadInput("busy")


def test_another_process_is_refused_or_waited_for_and_a_killed_one_keeps_nobody_out(tmp_path):
    process = held_by_another(tmp_path / "lock", 60)
    with pytest.raises(BadInput, match="busy"), locked(tmp_path / "lock", refuse):
        pass
    process.kill()
    process.communicate()
    with locked(tmp_path / "lock", refuse):
        pass
    began, told = time.monotonic(), []
    process = held_by_another(tmp_path / "lock", 0.5)
    with locked(tmp_path / "lock", lambda: told.append("waiting")):
        assert told == ["waiting"]
        assert time.monotonic() - began > 0.4
    process.communicate()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_keeps_nobody_out_and_says_so(tmp_path, monkeypatch, number):
    def refuse_to_lock(opened, how):
        raise OSError(number, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse_to_lock)
    for _ in range(2):
        with pytest.warns(Notice, match="has no locks"), locked(tmp_path / "lock", refuse):
            pass


def test_a_lock_that_cannot_be_written_is_bad_input(tmp_path):
    (tmp_path / "lock").mkdir()
    with pytest.raises(BadInput, match="lock cannot be written"), locked(tmp_path / "lock", refuse):
        pass
