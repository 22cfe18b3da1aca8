"""A small company's leads with a keyword table, and what people do to a sheet of picked titles."""

from pathlib import Path

import openpyxl

from data_cleaning.labelled_files import LABELLING_SHEET
from tests.called_verb import exit_code_of

WORDS = ("nurse", "surgeon", "pharmacist", "cook", "cleaner", "driver", "receptionist", "gardener")
PLACES = ("Ward", "Clinic", "North", "South", "Night", "Weekend")


def write_leads(folder: Path) -> Path:
    """Write leads of 96 titles, each with its records as `count`."""
    path = folder / "leads.csv"
    titles = [f"{grade} {place} {word}".strip() for word in WORDS for place in PLACES for grade in ("", "Head")]
    path.write_text("Job Title,count\n" + "".join(f"{title},{1 + n % 7}\n" for n, title in enumerate(titles)))
    return path


def pick(company, leads, out, *more):
    """Call `review pick` with the toy company's table; return the exit code."""
    given = ("--table", company.folder / "keywords.csv", "--taxonomy", company.folder / "taxonomy.yaml")
    return exit_code_of("review", "pick", leads, *given, "--out", out, *more)


def add(company, sheet, reviewer, into, *more):
    """Call `review add` with the toy company's taxonomy; return the exit code."""
    given = ("--reviewer", reviewer, "--into", into, "--taxonomy", company.folder / "taxonomy.yaml")
    return exit_code_of("review", "add", sheet, *given, *more)


def rows_of(path: Path) -> list[dict[str, str | int | None]]:
    """Return the rows of a picked sheet by column."""
    header, *rows = openpyxl.load_workbook(path)[LABELLING_SHEET].iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def edited(path: Path, out: Path, changes: dict[tuple[int, str], str | None]) -> Path:
    """Write a picked sheet with other cells, each given by its row from 1 (the header) and the name of its column."""
    book = openpyxl.load_workbook(path)
    sheet = book[LABELLING_SHEET]
    header = [cell.value for cell in sheet[1]]
    for (row, column), value in changes.items():
        sheet.cell(row, header.index(column) + 1).value = value
    book.save(out)
    return out
