import datetime
import io
import re
import zipfile

import openpyxl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.files import open_source, xlsx_source

DAY = datetime.datetime(2024, 1, 31)


def write(folder, rows, **sheets):
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    for name, state in sheets.items():
        workbook.create_sheet(name).sheet_state = state
    path = folder / "leads.xlsx"
    workbook.save(path)
    return path


def rewritten(path, part, change):
    """Change one part of a workbook, None leaving it out."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    changed = change(parts[part].decode()) if change else None
    parts = {**parts, part: changed.encode()} if changed is not None else {k: v for k, v in parts.items() if k != part}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def read(source):
    rows, rejects = [], []
    for batch in source.batches():
        rows += list(zip(*(column.to_pylist() for column in batch.rows.columns), strict=True))
        rejects += [(reject.place, reject.reason, reject.text) for reject in batch.rejects]
    return rows, rejects


def test_cells_come_as_they_are_and_as_text(tmp_path):
    values = ["CEO", 7, 7.0, 0.5, 1e20, True, DAY, DAY.replace(hour=9), datetime.time(8, 30), None, "#N/A"]
    source = open_source(write(tmp_path, [[f"c{n}" for n in range(len(values))], values]))

    (batch,) = source.batches()
    (row,) = zip(*(column.to_pylist() for column in batch.rows.columns), strict=True)
    assert row == (
        "CEO", "7", "7", "0.5", "1e+20", "TRUE", "2024-01-31", "2024-01-31T09:00:00", "08:30:00", None, "#N/A"
    )  # fmt: skip
    assert list(batch.cells[0]) == values
    assert batch.rows.schema.equals(source.schema)


def test_the_header_is_the_first_row_that_is_not_empty(tmp_path):
    source = open_source(write(tmp_path, [[], [None, None], ["Title", None, 3.0, ""], ["CEO", "x", 1]]))

    assert source.schema.names == ["Title", "", "3"]
    assert source.n_skipped == 2
    assert read(source) == ([("CEO", "x", "1")], [])


def test_short_rows_are_padded_and_longer_ones_are_rejects(tmp_path):
    source = open_source(write(tmp_path, [["Title", "Age"], ["CEO"], ["a", 1, None, 2.0, ""], ["b", 2, None]]))

    assert read(source) == ([("CEO", None), ("b", "2")], [(3, "has 4 fields, expected 2", "a\t1\t\t2")])
    assert [list(batch.cells) for batch in source.batches()] == [[("CEO", None), ("b", 2)]]


def test_empty_rows_are_counted_unless_they_end_the_sheet(tmp_path):
    path = write(tmp_path, [["Title", "Age"], [], ["CEO", 1], ["", None], [], ["CFO", 2], ["", ""], ["", ""]])
    source = open_source(path)

    assert read(source)[0] == [("CEO", "1"), ("CFO", "2")]
    assert source.n_skipped == 3


def test_the_first_visible_sheet_is_read_and_named(tmp_path):
    workbook = openpyxl.Workbook()
    workbook.active.append(["hidden"])
    workbook.active.sheet_state = "hidden"
    workbook.create_sheet("Leads").append(["Title"])
    workbook["Leads"].append(["CEO"])
    workbook.create_sheet("More")
    workbook.save(tmp_path / "a.xlsx")
    source = open_source(tmp_path / "a.xlsx")

    assert source.notes == ("Read sheet 'Leads' of 3. Not read: 'Sheet' (hidden); 'More'.",)
    assert read(source)[0] == [("CEO",)]


def test_a_single_sheet_gets_no_note(tmp_path):
    assert open_source(write(tmp_path, [["Title"]])).notes == ()


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_batches_hold_all_rows_and_rejects_whatever_their_size(tmp_path, monkeypatch, batch_rows):
    monkeypatch.setattr(xlsx_source, "BATCH_ROWS", batch_rows)
    rows = [["Title"], ["a"], [], [], ["b"], ["c", "d"], [], ["e"], ["f"]]
    source = open_source(write(tmp_path, rows))
    kept, rejects = read(source)

    assert (kept, rejects[0][0], source.n_skipped) == ([("a",), ("b",), ("e",), ("f",)], 6, 3)
    assert source.n_rows == 8


def test_rows_beyond_the_stated_size_of_a_sheet_are_read(tmp_path):
    path = write(tmp_path, [["Title", "Age"], ["CEO", 1], ["CFO", 2]])
    rewritten(path, "xl/worksheets/sheet1.xml", lambda sheet: sheet.replace('ref="A1:B3"', 'ref="A1:A2"'))

    assert read(open_source(path))[0] == [("CEO", "1"), ("CFO", "2")]


def test_formulas_are_read_as_their_saved_values(tmp_path):
    path = write(tmp_path, [["Title", "Age"], ["CEO", 99]])
    value = re.compile("<v>99</v>")
    rewritten(path, "xl/worksheets/sheet1.xml", lambda sheet: value.sub("<f>90+9</f><v>99</v>", sheet))

    assert read(open_source(path))[0] == [("CEO", "99")]


def test_a_number_that_is_no_date_comes_as_a_number_whatever_its_format(tmp_path):
    path = write(tmp_path, [["Title", "When"], ["CEO", DAY]])
    serial = "<v>45322</v>"
    rewritten(path, "xl/worksheets/sheet1.xml", lambda sheet: sheet.replace(serial, "<v>99999999999</v>"))

    assert read(open_source(path))[0] == [("CEO", "99999999999")]


def test_errors_of_formulas_come_as_their_text_in_their_cells(tmp_path):
    path = write(tmp_path, [["Title", "Age"], ["CEO", 99], ["CFO", "x"], *[["a", "b"]] * 300])
    error = '<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
    rewritten(path, "xl/worksheets/sheet1.xml", lambda sheet: re.sub('<c r="B2".*?</c>', error, sheet))
    source = open_source(path)

    assert read(source)[0][:2] == [("CEO", "#DIV/0!"), ("CFO", "x")]
    assert next(source.batches()).cells[0] == ("CEO", "#DIV/0!")


@pytest.mark.parametrize(
    ("column", "message"), [("XFD", "2 rows by 16,384 columns, beyond the limit of 1,000"), ("Z", None)]
)
def test_a_cell_far_from_the_others_fills_no_memory(tmp_path, monkeypatch, column, message):
    monkeypatch.setattr(xlsx_source, "_MAX_CELLS", 1000)
    path = write(tmp_path, [["Title", "Age"], ["CEO", 1]])
    rewritten(path, "xl/worksheets/sheet1.xml", lambda sheet: sheet.replace('r="B2"', f'r="{column}2"'))

    if message is None:
        assert read(open_source(path)) == ([], [(2, "has 26 fields, expected 2", "CEO" + "\t" * 25 + "1")])
    else:
        with pytest.raises(BadInput, match=message):
            open_source(path)


def test_references_are_found_wherever_a_block_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx_source, "_SCAN_BYTES", 3)
    monkeypatch.setattr(xlsx_source, "_MAX_CELLS", 2 * 28 - 1)
    path = write(tmp_path, [["Title"], [*["a"] * 28]])

    with pytest.raises(BadInput, match="2 rows by 28 columns"):
        open_source(path)


@pytest.mark.parametrize("number", [1_048_577, 10**15])
def test_a_row_beyond_a_sheet_is_bad_input(tmp_path, monkeypatch, number):
    monkeypatch.setattr(xlsx_source, "MAX_SHEET_ROWS", 100)
    path = write(tmp_path, [["Title"], ["CEO"]])
    rewritten(
        path,
        "xl/worksheets/sheet1.xml",
        lambda sheet: sheet.replace('r="2"', f'r="{number}"').replace('r="A2"', f'r="A{number}"'),
    )

    with pytest.raises(BadInput, match="has a row beyond 100"):
        list(open_source(path).batches())


def test_a_part_too_large_to_be_held_is_bad_input(tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx_source, "_MAX_HELD_BYTES", 100)

    with pytest.raises(BadInput, match=r"its part .* unpacks to .* for what is held in memory"):
        open_source(write(tmp_path, [["Title"]]))


def test_a_sheet_that_is_broken_further_down_is_bad_input(tmp_path):
    path = write(tmp_path, [["Title"], *[[f"title {n}"] for n in range(5000)]])
    rewritten(path, "xl/worksheets/sheet1.xml", lambda sheet: sheet[: len(sheet) // 2])

    with pytest.raises(BadInput, match="is not readable as XLSX"):
        list(open_source(path).batches())


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("xl/worksheets/sheet1.xml", "is not readable as XLSX"),
        ("xl/_rels/workbook.xml.rels", "is not readable as XLSX"),
        ("xl/workbook.xml", "is a zip file, but no XLSX file"),
    ],
)
def test_a_workbook_without_one_of_its_parts_is_bad_input(tmp_path, part, message):
    path = rewritten(write(tmp_path, [["Title"], ["CEO"]]), part, None)

    with pytest.raises(BadInput, match=message):
        open_source(path)


@pytest.mark.parametrize("rows", [[], [[None], [""]]])
def test_an_empty_sheet_is_bad_input(tmp_path, rows):
    with pytest.raises(BadInput, match="sheet 'Sheet' is empty"):
        open_source(write(tmp_path, rows))


def test_a_zip_file_that_is_no_workbook_is_bad_input(tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("leads.csv", "Title\n")
    (tmp_path / "leads.zip").write_bytes(content.getvalue())

    with pytest.raises(BadInput, match="is a zip file, but no XLSX file"):
        open_source(tmp_path / "leads.zip")


def test_a_workbook_without_a_visible_sheet_is_bad_input(tmp_path):
    path = write(tmp_path, [["Title"]])
    rewritten(path, "xl/workbook.xml", lambda book: book.replace('state="visible"', 'state="hidden"'))

    with pytest.raises(BadInput, match="has no visible sheet"):
        open_source(path)


def test_styles_that_unpack_to_too_much_are_refused_before_they_are_read(tmp_path):
    path = write(tmp_path, [["Title"], ["CEO"]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    styles = parts.pop("xl/styles.xml")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        archive.writestr("xl/styles.xml", styles + b" " * (64 << 20))

    assert path.stat().st_size < 1 << 20
    with pytest.raises(BadInput, match=r"styles\.xml unpacks to 67,\d+,\d+ bytes, beyond the limit of 67,108,864"):
        open_source(path)
