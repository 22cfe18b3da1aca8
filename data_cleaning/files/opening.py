"""Opens a file of rows: what it begins with says of which kind it is, more than how its name ends."""

import atexit
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TextIO
from weakref import WeakKeyDictionary

from data_cleaning.errors import BadInput
from data_cleaning.files.sources import (
    MAX_BYTES,
    STANDARD_INPUT,
    FileState,
    Source,
    first_bytes,
    is_gzip,
    readable,
    unpacked,
)
from data_cleaning.files.table_layout import Layout

_PARQUET = (b"PAR1", b"PARE")  # the second with an encrypted footer
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OTHERS = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": (
        "an Excel file of the old kind (.xls), or one that has a password",
        "Save it as .xlsx without a password",
    ),
    b"\xfd7zXZ\x00": ("packed with xz", "Unpack it"),
    b"\x28\xb5\x2f\xfd": ("packed with zstd", "Unpack it"),
    b"BZh91AY&SY": ("packed with bzip2", "Unpack it"),
    b"7z\xbc\xaf\x27\x1c": ("packed with 7-Zip", "Unpack it"),
    b"%PDF-": ("a PDF", "Export the table as CSV"),
}
_PAGE = re.compile(rb"<(!doctype html|html|head|meta|body|table)[\s>/]", re.IGNORECASE)
_START_BYTES = 4096
"""Enough to see what a file is."""
_spooled: "WeakKeyDictionary[TextIO, Path]" = WeakKeyDictionary()
"""Standard input to the temporary file that holds what was read from it."""


def open_source(
    path: Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    max_bytes: int = MAX_BYTES,
    layout: Layout = Layout(),
) -> Source:
    """Open a file of rows: CSV, gzipped or not, Parquet or XLSX.

    Args:
        path: of the file, "-" for standard input. What neither content nor name tells to be something else is CSV.
        encoding: of a CSV file; None finds it out. A byte order mark outranks one of the Unicode encodings.
        delimiter: of a CSV file, one ASCII character; None finds it out.
        max_bytes: limit for what is unpacked: of a gzipped file, an XLSX file, or one row group of a Parquet file.
        layout: where the table is within a CSV or XLSX file; by default it is found.

    Raises:
        BadInput: the file is missing, unreadable, empty, broken, encrypted or larger than the limit; the encoding is
            unknown; the delimiter is none; the file has no such sheet or header row.
    """
    path = _standard_input() if path == STANDARD_INPUT else path
    start = first_bytes(path, _START_BYTES)
    as_opened = FileState.of(path)
    _refuse_others(path, start)
    source = _reader(path, start, encoding, delimiter, max_bytes, layout)
    source.as_opened = as_opened
    return source


def _reader(
    path: Path, start: bytes, encoding: str | None, delimiter: str | None, max_bytes: int, layout: Layout
) -> Source:
    # Readers of other kinds are imported on use, as that takes longer than a small CSV file takes to read.
    ending = path.suffix.lower()
    if start.startswith(_PARQUET):
        from data_cleaning.files.parquet_source import ParquetSource

        _refuse(path, "Parquet", layout.sheet, layout.header_row)
        return ParquetSource(path, max_bytes)
    if start.startswith(_ZIP):
        from data_cleaning.files.xlsx_source import XlsxSource

        return XlsxSource(path, max_bytes, layout)
    if ending in (".parquet", ".xlsx"):
        kind = "Parquet" if ending == ".parquet" else "XLSX"
        raise BadInput(f"{path} is no {kind} file, by its first bytes. Save it again, or end its name in what it is.")
    if is_gzip(path):
        _refuse_packed_tables(path)
    from data_cleaning.files.csv_source import CsvSource

    _refuse(path, "CSV", layout.sheet)
    return CsvSource(path, encoding, delimiter, max_bytes, layout)


def refuse_two_standard_inputs(*paths: Path | None) -> None:
    """Refuse standard input for more than one file.

    Raises:
        BadInput: "-" is among the paths more than once.
    """
    if paths.count(STANDARD_INPUT) > 1:
        raise BadInput("Standard input (-) was given for more than one file. Give the path of all but one.")


def _refuse(path: Path, kind: str, sheet: str | None, header_row: int | None = None) -> None:
    """Refuse what says where to find the table, in a file that has nothing but one table."""
    for option, given in (("--sheet", sheet), ("--header-row", header_row)):
        if given is not None:
            raise BadInput(f"{path} is a {kind} file, for which {option} {given} means nothing. Leave it out.")


def _standard_input() -> Path:
    """Return a temporary file with all that comes from standard input, which cannot be read twice."""
    stdin = sys.stdin
    if stdin is None or stdin.closed:
        raise BadInput("There is no standard input to read. Give the path of a file in place of -.")
    if stdin not in _spooled:
        folder = Path(tempfile.mkdtemp(prefix="title-harness-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        place = folder / "standard input"
        with readable(STANDARD_INPUT), place.open("wb") as file:
            shutil.copyfileobj(stdin.buffer, file)
        _spooled[stdin] = place
    return _spooled[stdin]


def _refuse_others(path: Path, start: bytes) -> None:
    for mark, (what, remedy) in _OTHERS.items():
        if start.startswith(mark):
            raise BadInput(f"{path} is {what}; expected a CSV, gzipped CSV, Parquet or XLSX file. {remedy}.")
    if markup := _markup(start):
        raise BadInput(
            f"{path} is {markup}, whatever its name says; expected a CSV, gzipped CSV, Parquet or XLSX file. Open it "
            "in a spreadsheet program and save it as .xlsx."
        )


def _markup(start: bytes) -> str | None:
    """Say what kind of markup a file begins with; programs give it the names of spreadsheets and CSV files."""
    text = start.removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    text = re.sub(
        rb"<!--.*?-->", b"", text.replace(b"\0", b""), flags=re.DOTALL
    ).lstrip()  # UTF-16 has a NUL per letter
    if text.lower().startswith(b"mime-version:"):
        return "a saved web page (MHTML)"
    if text.startswith(b"<?xml"):
        is_sheet = b"Excel.Sheet" in text or b"office:spreadsheet" in text
        text = text.partition(b"?>")[2].lstrip()
        return "an XML Spreadsheet 2003" if is_sheet else "a web page (HTML)" if _PAGE.match(text) else "an XML file"
    return "a web page (HTML)" if _PAGE.match(text) else None


def _refuse_packed_tables(path: Path) -> None:
    with readable(path), unpacked(path, gzipped=True) as file:
        start = file.read(_START_BYTES)
    if start.startswith((*_PARQUET, *_ZIP)):
        kind = "Parquet" if start.startswith(_PARQUET) else "XLSX or zip"
        raise BadInput(f"{path} is a gzipped {kind} file; only CSV is read gzipped. Unpack it.")
    _refuse_others(path, start)
