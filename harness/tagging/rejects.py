"""Rows that could not be read: a file of them beside the output, so that nothing is lost."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from data_cleaning.files import Reject
from data_cleaning.files.spreadsheet_text import escape_cell
from data_cleaning.files.whole_files import whole_file


def rejects_file(out: Path) -> Path:
    """Return where the rejects of an output go: tagged.csv to tagged.csv.rejects.csv."""
    return out.with_name(f"{out.name}.rejects.csv")


def write_rejects(path: Path, rejects: Sequence[Reject], *, spreadsheet_safe: bool) -> None:
    """Write the rejects of one part without a header; none make no file."""
    if not rejects:
        return
    safe = escape_cell if spreadsheet_safe else str
    with path.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened, lineterminator="\n").writerows(
            (reject.place, safe(reject.reason), safe(reject.text)) for reject in rejects
        )


def join_rejects(parts: Iterable[Path], unit: str, out: Path) -> None:
    """Write the rejects of all parts under one header: where (line or row), why, and the text as it was read."""
    with whole_file(out) as filling, filling.open("wb") as joined:
        joined.write(f"{unit},reason,text\n".encode())
        for part in parts:
            if part.is_file():
                joined.write(part.read_bytes())
