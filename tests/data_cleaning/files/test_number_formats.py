"""Numbers, dates and times of a spreadsheet keep how they are shown."""

import datetime

import openpyxl
import pytest
import xlsxwriter

from data_cleaning.files import open_source
from data_cleaning.files.number_formats import ShownInt, with_format
from data_cleaning.files.written_tables import open_rows

DAY = datetime.datetime(2026, 12, 31)


def written(path, rows, formats):
    """Write a sheet with a format for each column; None is none."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        looks = [None if one is None else book.add_format({"num_format": one}) for one in formats]
        for number, row in enumerate(rows):
            for column, (value, look) in enumerate(zip(row, looks, strict=True)):
                sheet.write(number, column, value, look if number else None)
    return path


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (123, "000000", "000123"),
        (1234567, "000000", "1234567"),
        (-5, "000", "-5"),
        (123, "0", "123"),
        (1500, "#,##0", "1500"),
        (0.125, "0.0%", "0.125"),
        (1234.5, "#,##0.00 [$€-407]", "1234.5"),
        (DAY, "dd/mm/yyyy", "2026-12-31"),
        (DAY, 14, "2026-12-31"),  # the short date of the reader's own country
        (datetime.timedelta(hours=30), "[h]:mm", "1 day, 6:00:00"),
    ],
)
def test_a_number_keeps_its_format_and_zeros_before_it_are_text(tmp_path, value, number_format, text):
    source = open_source(written(tmp_path / "a.xlsx", [["Title", "x"], ["CISO", value]], [None, number_format]))
    (batch,) = source.batches()
    assert batch.rows.column("x").to_pylist() == [text]
    with open_rows(tmp_path / "b.xlsx", ["Title", "x"], source.schema) as opened:
        opened.write(batch.rows, batch.cells)
    cell = openpyxl.load_workbook(tmp_path / "b.xlsx").active["B2"]
    as_written = openpyxl.load_workbook(tmp_path / "a.xlsx").active["B2"]
    assert (cell.value, cell.number_format) == (as_written.value, as_written.number_format)


def test_each_cell_keeps_its_own_format_beside_cells_without_one(tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Title", "Pay"])
        for row, code in enumerate(("[$€-407]0", "[$$-409]0", None), start=1):
            sheet.write_row(row, 0, ["CISO"])
            sheet.write_number(row, 1, 7, book.add_format({"num_format": code}) if code else None)
    (batch,) = open_source(tmp_path / "a.xlsx").batches()
    assert [getattr(row[1], "number_format", None) for row in batch.cells] == ["[$€-407]0", "[$$-409]0", None]
    assert batch.rows.column("Pay").to_pylist() == ["7", "7", "7"]


def test_text_truth_and_empty_cells_have_no_format():
    assert [with_format(value, "000") for value in ("7", True, None)] == ["7", True, None]
    assert with_format(7, "000") == ShownInt(7)
