"""Files and folders that appear whole or not at all, whatever happens to the process that writes them."""

import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import psutil

from data_cleaning.errors import BadInput

_UNFINISHED = re.compile(r"unfinished-(?:([0-9a-f]{8})-([1-9][0-9]{0,6})-[0-9a-f]{6}|[1-9][0-9]{0,6})-(.+)", re.DOTALL)
"""Names of unfinished files and folders: `_process_numbers` and the number of the process that fills it, random digits,
and the final name. Earlier releases wrote the process number alone."""
_SCRATCH = "scratch-"
ROWS = "rows-"
"""How the folder begins, after what `place_to_fill` adds, in which the rows of a workbook wait."""
_MAX_DAYS = 7
"""After so many days without a change, scratch, and what a process on another host was filling, count as left over."""

_NO_ROOM = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your share of the disk is full",
    errno.EFBIG: "it is larger than a file may be there",
}
_FULL_OF_SQLITE = "database or disk is full"


@cache
def _process_numbers() -> str:
    """Return a hash that names the container or host within which process numbers are unique, until it restarts."""
    found = [platform.node()]
    with suppress(OSError):  # Linux has both
        found.append(Path("/proc/sys/kernel/random/boot_id").read_text())
        found.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:8]


def place_to_fill(final: Path, what: str = "") -> Path:
    """Return a path beside a file or folder that no other process, thread or call uses."""
    by = f"{_process_numbers()}-{os.getpid()}-{secrets.token_hex(3)}"
    # Absolute, as libraries would take a relative path that begins with "~" or "s3:" for another place.
    return final.parent.absolute() / f"unfinished-{by}-{what}{final.name}"


def followed(final: Path) -> Path:
    """Return where a link leads, so that writing there keeps the link; return other paths as they are."""
    with suppress(OSError):  # a name that is too long is refused where it is written
        return Path(os.path.realpath(final)) if final.is_symlink() else final
    return final


def check_name(final: Path) -> None:
    """Refuse, before any work is done, a path that the file system does not take, such as one that is too long."""
    with unwritable_as_bad_input(final):
        final.exists()


def check_writable(final: Path) -> None:
    """Refuse, before any work is done, a file or folder that cannot be made in its folder or under its name."""
    with unwritable_as_bad_input(final):
        tried = place_to_fill(followed(final))
        tried.touch()
        tried.unlink()


@contextmanager
def unwritable_as_bad_input(final: Path) -> Iterator[None]:
    """Turn the errors of a place that cannot be written into bad input."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise BadInput(f"{final} cannot be written: the name is too long. Choose a shorter one.") from None
        raise BadInput(f"{final} cannot be written: {error.strerror or error}. Choose another place.") from None


@contextmanager
def full_disk_as_bad_input(final: Path) -> Iterator[None]:
    """Turn a full disk into bad input; every other error of the caller passes unchanged."""
    try:
        yield
    except Exception as error:
        what = _no_room(error) or (_no_room(error.__cause__) if error.__cause__ else None)
        if what is None:
            raise
        raise BadInput(f"{final} cannot be written: {what}. Make room, or choose another place.") from None


def _no_room(error: BaseException) -> str | None:
    # Errors of polars have no error number, and those of Parquet and XlsxWriter are of other classes.
    found = getattr(error, "errno", None)
    for number, what in _NO_ROOM.items():
        if found == number or os.strerror(number) in str(error):
            return what
    return _NO_ROOM[errno.ENOSPC] if _FULL_OF_SQLITE in str(error) else None


@contextmanager
def whole_folder(final: Path) -> Iterator[Path]:
    """Yield a folder to fill; it takes its final name only when the block ends without an error.

    A folder that already has the name is replaced at that moment; a link stays, and what it leads to is replaced.

    Raises:
        BadInput: the folder cannot be written, or the disk is full.
    """
    place = followed(final)
    filling = place_to_fill(place)
    with unwritable_as_bad_input(final):
        place.parent.mkdir(parents=True, exist_ok=True)
        filling.mkdir()
    try:
        with full_disk_as_bad_input(final):
            yield filling
        with unwritable_as_bad_input(final):
            _replace_folder(filling, place)
        remove_unfinished(place.parent, of=place.name)
    finally:
        shutil.rmtree(filling, ignore_errors=True)


def _replace_folder(filling: Path, final: Path) -> None:
    while True:
        old = place_to_fill(final, "old-")
        with suppress(FileNotFoundError):
            final.rename(old)
        try:
            filling.rename(final)
        except OSError as error:
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY):  # another process was faster
                shutil.rmtree(old, ignore_errors=True)
                continue
            if old.exists():
                old.rename(final)
            raise
        shutil.rmtree(old, ignore_errors=True)
        return


@contextmanager
def whole_file(final: Path) -> Iterator[Path]:
    """Yield a path to write; the file takes its final name only when the block ends without an error.

    A link stays, and the file that it leads to is replaced.

    Raises:
        BadInput: the file cannot be written, or the disk is full.
    """
    place = followed(final)
    filling = place_to_fill(place)
    with unwritable_as_bad_input(final):
        place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with full_disk_as_bad_input(final):
            yield filling
        with unwritable_as_bad_input(final):
            filling.replace(place)
        remove_unfinished(place.parent, of=place.name)
    finally:
        filling.unlink(missing_ok=True)


def scratch(filling: Path) -> Path:
    """Return the folder beside a folder that is being filled, in which its maker may keep what should survive a kill.

    It is the same one when the work is begun again, so that only one process may fill a folder of that name at a time.
    The caller removes it once the work is finished, and `remove_abandoned_scratch` if it never is.
    """
    named = _UNFINISHED.fullmatch(filling.name)
    return filling.with_name(f"{_SCRATCH}{named[3] if named else filling.name}")


def remove_abandoned_scratch(folder: Path) -> None:
    """Remove what `scratch` named in a folder and nothing has changed for days: that work is not begun again.

    Only for folders that are the program's own, where no other file has such a name.
    """
    for left in folder.glob(f"{_SCRATCH}*"):
        if _is_old(left):
            shutil.rmtree(left, ignore_errors=True)


def is_unfinished(place: Path) -> bool:
    """Say whether a file or folder is being filled, or was left half-filled by a killed process."""
    return _UNFINISHED.fullmatch(place.name) is not None


def remove_unfinished(folder: Path, *, is_ours: bool = False, of: str | None = None) -> None:
    """Remove what killed processes left half-written in a folder; files of running ones and other names stay.

    If the folder `is_ours`, because this process holds its lock, everything unfinished in it is left over. `of` names
    the one file or folder whose remains are removed, and those of workbooks.
    """
    for left in folder.glob("unfinished-*"):
        named = _UNFINISHED.fullmatch(left.name)
        if named is None or (of is not None and named[3].removeprefix("old-") != of and not named[3].startswith(ROWS)):
            continue
        if not (is_ours or _is_left_over(left, named[1], named[2])):
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            with suppress(OSError):  # a file that cannot be removed does no harm
                left.unlink()


def _is_left_over(place: Path, numbers: str | None, process: str | None) -> bool:
    """Say whether the process that was filling a place has ended.

    A process of another container or host on the same disk cannot be asked for; its files count as left over once they
    have not changed for days.
    """
    if numbers == _process_numbers():
        return not psutil.pid_exists(int(process or 0))
    return _is_old(place)


def _is_old(place: Path) -> bool:
    """Say whether nothing in a place has changed for days."""
    with suppress(OSError):  # gone, or being written just now
        changed = max(each.stat().st_mtime for each in (place, *place.rglob("*")))
        return time.time() - changed > _MAX_DAYS * 86_400
    return False


def sync(place: Path) -> None:
    """Wait until a file or folder is on the disk, so that nothing that is written later is there before it."""
    if os.name == "nt" and place.is_dir():  # Windows opens no folders
        return
    opened = os.open(place, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
