"""The value of a merged cell counts for all its rows."""

import xlsxwriter

from data_cleaning.files import open_source
from data_cleaning.files.merged_cells import filled_down


def test_a_merged_cell_counts_for_each_of_its_rows_that_holds_something(tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Event", "Title", "Country"])
        for row, cells in enumerate((["CISO", "US"], ["CIO"], [], ["Buyer", "DE"], [None, "US"], ["Nurse"]), start=1):
            sheet.write_row(row, 1, cells)
        sheet.merge_range("A2:A5", "Summit")
        sheet.merge_range("A6:B6", "across")
        sheet.write_string("A7", "Webinar")
    source = open_source(tmp_path / "a.xlsx")
    (batch,) = source.batches()
    assert list(zip(*(column.to_pylist() for column in batch.rows.columns), strict=True)) == [
        *[("Summit", "CISO", "US"), ("Summit", "CIO", None), ("Summit", "Buyer", "DE")],
        *[("across", None, "US"), ("Webinar", "Nurse", None)],
    ]
    assert [row[0] for row in batch.cells] == ["Summit", "Summit", "Summit", "across", "Webinar"]
    assert source.n_skipped == 1


def test_merged_cells_beyond_the_rows_or_columns_change_nothing():
    rows = [(2, ("a", None)), (3, (None, "x")), (5, (None, "y"))]
    merged = [((1, 0), (10**6, 0)), ((1, 7), (4, 7)), ((2, 1), (2, 3)), ((9, 0), (12, 0))]
    assert list(filled_down(iter(rows), merged)) == [(2, ("a", None)), (3, ("a", "x")), (5, ("a", "y"))]
