"""Files opened and read with every fault turned into bad input; gzip is known by its content."""

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from data_cleaning.errors import BadInput

GZIP_SUFFIX = ".gz"
_GZIP = b"\x1f\x8b"


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what can go wrong while reading a file into bad input.

    Raises:
        BadInput: instead of any error of the system or of gzip.
    """
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadInput(f"{path} is not a whole gzip file: {error}. Compress or fetch it again.") from None
    except OSError as error:
        what = error if error.errno is None else os.strerror(error.errno)
        raise BadInput(f"{path} cannot be read: {what}. Give a file that you may read.") from None


def first_bytes(path: Path, n_bytes: int) -> bytes:
    """Return how a file begins, as it lies on the disk.

    Raises:
        BadInput: there is no such file, it is a folder, a device or a pipe, it cannot be read, or it is empty.
    """
    with readable(path):
        if not path.exists():
            raise BadInput(f"No file at {path}. Give a CSV, Parquet or XLSX file with a column of titles.")
        if not path.is_file():
            kind = "a folder" if path.is_dir() else "a pipe or device, which cannot be read twice"
            raise BadInput(f"{path} is {kind}; expected a CSV, Parquet or XLSX file.")
        with path.open("rb") as file:
            start = file.read(n_bytes)
    if not start:
        raise BadInput(f"{path} is empty; expected a header line and at least one row.")
    return start


def is_gzip(path: Path) -> bool:
    """Tell a gzipped file by its first bytes, whatever its name."""
    return first_bytes(path, len(_GZIP)) == _GZIP


def unpacked(path: Path, *, gzipped: bool) -> BinaryIO:
    """Open a file for reading its content, unpacked where it is gzipped; to be used within `readable`."""
    return cast(BinaryIO, gzip.open(path)) if gzipped else path.open("rb")
