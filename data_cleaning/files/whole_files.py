"""Files and folders that appear whole or not at all, whatever happens to the process that writes them."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from data_cleaning.errors import BadInput

_UNFINISHED = "unfinished-"
_UNFINISHED_BY = re.compile(rf"{_UNFINISHED}([1-9][0-9]{{0,6}})-")
"""How the name of anything unfinished begins: with the process that fills it, a number of at most seven digits."""
_SCRATCH = "scratch-"


def _filling(final: Path, what: str = "") -> Path:
    return final.parent / f"{_UNFINISHED}{os.getpid()}-{what}{final.name}"


def check_writable(final: Path) -> None:
    """Refuse, before any work is done, a file or folder that cannot be made in its folder or under its name."""
    with unwritable_as_bad_input(final):
        _filling(final).touch()
        _filling(final).unlink()


@contextmanager
def unwritable_as_bad_input(final: Path) -> Iterator[None]:
    """Turn the errors of a place that cannot be written into bad input."""
    try:
        yield
    except OSError as error:
        raise BadInput(f"{final} cannot be written: {error.strerror or error}. Choose another place.") from None


@contextmanager
def full_disk_as_bad_input(final: Path) -> Iterator[None]:
    """Turn a full disk into bad input; every other error of the caller passes unchanged."""
    try:
        yield
    except Exception as error:
        # Errors of polars have no error number, and those of Parquet are of another class.
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in str(error):
            raise BadInput(
                f"{final} cannot be written: the disk is full. Make room, or choose another place."
            ) from None
        raise


@contextmanager
def whole_folder(final: Path) -> Iterator[Path]:
    """Yield a folder to fill; it takes its final name only when the block ends without an error.

    A folder that already has the name is replaced at that moment.

    Raises:
        BadInput: the folder cannot be written, or the disk is full.
    """
    filling = _filling(final)
    with unwritable_as_bad_input(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(filling, ignore_errors=True)
        filling.mkdir()
    try:
        with full_disk_as_bad_input(final):
            yield filling
        with unwritable_as_bad_input(final):
            if final.exists():
                old = _filling(final, "old-")
                final.rename(old)
                filling.rename(final)
                shutil.rmtree(old)
            else:
                filling.rename(final)
    finally:
        shutil.rmtree(filling, ignore_errors=True)


@contextmanager
def whole_file(final: Path) -> Iterator[Path]:
    """Yield a path to write; the file takes its final name only when the block ends without an error.

    Raises:
        BadInput: the file cannot be written, or the disk is full.
    """
    filling = _filling(final)
    with unwritable_as_bad_input(final):
        final.parent.mkdir(parents=True, exist_ok=True)
    try:
        with full_disk_as_bad_input(final):
            yield filling
        with unwritable_as_bad_input(final):
            filling.replace(final)
    finally:
        filling.unlink(missing_ok=True)


def scratch(filling: Path) -> Path:
    """Return the folder beside a folder that is being filled, in which its maker may keep what should survive a kill.

    It is the same one when the work is begun again; the caller removes it once the work is finished.
    """
    name = filling.name.removeprefix(_UNFINISHED).partition("-")[2]
    return filling.with_name(f"{_SCRATCH}{name}")


def is_unfinished(place: Path) -> bool:
    """Say whether a file or folder is being filled, or was left half-filled by a killed process."""
    return _UNFINISHED_BY.match(place.name) is not None


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes left half-written in a folder; files of running ones and other names stay."""
    for left in folder.glob(f"{_UNFINISHED}*"):
        named = _UNFINISHED_BY.match(left.name)
        if named is None or psutil.pid_exists(int(named[1])):
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            with suppress(OSError):  # a file that cannot be removed does no harm
                left.unlink()


def sync(place: Path) -> None:
    """Wait until a file or folder is on the disk, so that nothing that is written later is there before it."""
    if os.name == "nt" and place.is_dir():  # Windows opens no folders
        return
    opened = os.open(place, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
