"""Which kind of file this is: what it begins with counts more than how its name ends."""

from pathlib import Path

from data_cleaning.errors import BadInput
from data_cleaning.files.sources import MOST_BYTES, Source, first_bytes, is_gzip, readable, unpacked

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
_LONGEST_MARK = 16


def open_source(
    path: Path, *, encoding: str | None = None, delimiter: str | None = None, most_bytes: int = MOST_BYTES
) -> Source:
    """Open a file of rows: CSV, gzipped or not, Parquet or XLSX.

    Args:
        path: of the file. A file that neither its content nor its name gives away is read as CSV.
        encoding: of a CSV file; None finds it out. A byte order mark outranks one of the Unicode encodings.
        delimiter: of a CSV file, one ASCII character; None finds it out.
        most_bytes: limit for what is unpacked: of a gzipped file, an XLSX file, or one row group of a Parquet file.

    Raises:
        BadInput: the file is missing, unreadable, empty, broken, encrypted or larger than the limit; the encoding is
            unknown; the delimiter is none.
    """
    # openpyxl alone takes longer to import than a small CSV file takes to read.
    start = first_bytes(path, _LONGEST_MARK)
    _refuse_others(path, start)
    ending = path.suffix.lower()
    if start.startswith(_PARQUET):
        from data_cleaning.files.parquet_source import ParquetSource

        return ParquetSource(path, most_bytes)
    if start.startswith(_ZIP):
        from data_cleaning.files.xlsx_source import XlsxSource

        return XlsxSource(path, most_bytes)
    if ending in (".parquet", ".xlsx"):
        kind = "Parquet" if ending == ".parquet" else "XLSX"
        raise BadInput(f"{path} is no {kind} file, by its first bytes. Save it again, or end its name in what it is.")
    if is_gzip(path):
        _refuse_packed_tables(path)
    from data_cleaning.files.csv_source import CsvSource

    return CsvSource(path, encoding, delimiter, most_bytes)


def _refuse_others(path: Path, start: bytes) -> None:
    for mark, (what, remedy) in _OTHERS.items():
        if start.startswith(mark):
            raise BadInput(f"{path} is {what}; expected a CSV, gzipped CSV, Parquet or XLSX file. {remedy}.")


def _refuse_packed_tables(path: Path) -> None:
    with readable(path), unpacked(path, gzipped=True) as file:
        start = file.read(_LONGEST_MARK)
    if start.startswith((*_PARQUET, *_ZIP)):
        kind = "Parquet" if start.startswith(_PARQUET) else "XLSX or zip"
        raise BadInput(f"{path} is a gzipped {kind} file; only CSV is read gzipped. Unpack it.")
    _refuse_others(path, start)
