"""Suggestions for people and for machines: a spreadsheet, CSV and JSON with the same rows."""

import csv
from collections.abc import Sequence
from pathlib import Path

from data_cleaning.files.spreadsheet_text import safe_text
from data_cleaning.files.whole_files import whole_file
from harness.keywords.sheet_columns import as_text, cells_of, columns_for
from harness.keywords.suggestion_json import Origin, to_json
from harness.keywords.suggestions import Suggestion
from harness.keywords.suggestions_workbook import write_workbook

CSV_NAME, XLSX_NAME, JSON_NAME = "suggestions.csv", "suggestions.xlsx", "suggestions.json"


def write_suggestions(folder: Path, suggestions: Sequence[Suggestion], origin: Origin) -> None:
    """Write the three files of suggestions into a folder that exists, all or none of them.

    Each has the columns of a keyword table, the empty column `accept` and the evidence. Cells that a spreadsheet would
    run as a formula are escaped in CSV and XLSX, and characters that a worksheet cannot hold become U+FFFD there; the
    JSON is exact. It holds the origin, which the XLSX has as well and the CSV takes from it: a CSV is applied with the
    JSON beside it.

    Args:
        folder: to write into; files of the same names are replaced.
        suggestions: in the order in which they should be read, the best first.
        origin: what they were made for, and from what.

    Raises:
        BadInput: a file cannot be written.
    """
    exact = to_json(suggestions, origin)
    with (
        whole_file(folder / JSON_NAME) as as_json,
        whole_file(folder / CSV_NAME) as as_csv,
        whole_file(folder / XLSX_NAME) as as_xlsx,
    ):
        as_json.write_text(exact, encoding="utf-8")
        _write_csv(as_csv, suggestions, origin)
        write_workbook(as_xlsx, suggestions, origin, exact)


def _write_csv(path: Path, suggestions: Sequence[Suggestion], origin: Origin) -> None:
    columns = columns_for(origin)
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)  # with its own ends of line, or it would leave a bare one in a title unquoted
        writer.writerow(safe_text(column.name) for column in columns)
        writer.writerows(map(as_text, cells_of(suggestion, columns).values()) for suggestion in suggestions)
