"""Locks between processes; a lock is released when its process ends, even if it is killed."""

import errno
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from data_cleaning.errors import Notice
from data_cleaning.files.whole_files import unwritable_as_bad_input

_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP})
"""Error numbers of file systems without locks, as some network file systems are."""


@contextmanager
def locked(place: Path, on_busy: Callable[[], None]) -> Iterator[None]:
    """Hold a lock file; where another process holds it, call `on_busy` and wait for it, unless that raises.

    On a file system without locks nobody is kept out, and a warning says so.

    Raises:
        BadInput: the lock file cannot be written.
    """
    lock = FileLock(place, fallback_to_soft=False)
    with unwritable_as_bad_input(place):
        try:
            try:
                lock.acquire(timeout=0)
            except (Timeout, FileNotFoundError):  # the second where the other process is just removing its folder
                on_busy()
                lock.acquire()
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            text = f"The file system of {place.parent} has no locks. Let no other process write there meanwhile."
            warnings.warn(Notice(text), stacklevel=2)
    try:
        yield
    finally:
        lock.release()
