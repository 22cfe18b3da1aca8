"""The files for the business, read back as a spreadsheet and as CSV."""

import csv
import math
from pathlib import Path
from zipfile import ZipFile

import polars as pl
import pytest
from openpyxl import load_workbook

from data_cleaning.errors import BadInput
from data_cleaning.files.spreadsheet_text import REPLACEMENT
from harness.tagging.business.business_files import business_files, earlier_files, write_business
from harness.tagging.business.business_tables import file_parts, sheet_names
from harness.tagging.business.business_workbook import FAINT
from harness.tagging.business.summary import Summary, summarise
from harness.tagging.hierarchy import Hierarchy
from tests.harness.tagging.hierarchy_by_hand import read
from tests.harness.tagging.test_summary import ROWS, counted

LIST = pl.DataFrame(
    {
        "place": [1, 2],
        "rank": ["first", "second"],
        "row": [7, 3],
        "name": ["=HYPERLINK(1)", "Ann\x07"],
        "id": ["007", "#N/A"],
        "number": [123_456_789_012_345_678, 5],
    }
)


@pytest.fixture
def hierarchy(tmp_path) -> Hierarchy:
    return read(tmp_path)


def summary_of(hierarchy: Hierarchy, rows=ROWS, by=("event",)) -> Summary:
    return summarise(hierarchy, counted(rows, by=by), n_review=4)


def write(out: Path, summary: Summary, follow_up: pl.DataFrame | None = LIST, **options) -> list[Path]:
    options = {"folder": out.parent, "raw": False, "headers": None, **options}
    return write_business(out, summary, follow_up, 9, {"file": "leads.csv", "hierarchy": "=2027.1"}, **options)


def book_of(tmp_path: Path, hierarchy: Hierarchy, **options):
    return load_workbook(write(tmp_path / "tagged.csv", summary_of(hierarchy), **options)[-1])


def cells(worksheet) -> list[tuple]:
    return [*worksheet.iter_rows(values_only=True)]


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as opened:
        return [*csv.reader(opened)]


@pytest.mark.parametrize("name", ["tagged.csv", "tagged.csv.gz", "tagged.parquet", "tagged.xlsx"])
def test_the_files_are_those_that_were_announced(name, tmp_path, hierarchy):
    folder = tmp_path / "out"
    folder.mkdir()
    announced = business_files(folder / name, ["event", "Event", "a/b", "é: ?"])
    files = write(folder / name, summary_of(hierarchy, by=("event", "Event", "a/b", "é: ?")))
    assert files == announced
    assert sorted(folder.iterdir()) == sorted(announced)
    assert [file.name for file in files] == [
        *("tagged.summary.csv", "tagged.summary_overview.csv", "tagged.summary_by_event.csv"),
        *("tagged.summary_by_Event_2.csv", "tagged.summary_by_a_b.csv", "tagged.summary_by_é.csv"),
        *("tagged.crosswalk.csv", "tagged.follow_up.csv", "tagged.summary.xlsx"),
    ]


def test_a_hierarchy_that_follows_nobody_up_makes_no_list(tmp_path, hierarchy):
    files = write(tmp_path / "tagged.csv", summary_of(hierarchy), follow_up=None)
    assert files == business_files(tmp_path / "tagged.csv", ["event"], follow_up=False)
    assert not (tmp_path / "tagged.follow_up.csv").exists()
    assert "Follow-up" not in load_workbook(files[-1]).sheetnames


def test_csv_files_hold_the_tables(tmp_path, hierarchy):
    summary = summary_of(hierarchy)
    nodes, overview, events, crosswalk, _, _ = write(tmp_path / "tagged.csv", summary)
    for path, frame in ((nodes, summary.nodes), (overview, summary.overview), (crosswalk, summary.crosswalk)):
        assert pl.read_csv(path).equals(frame)
    assert read_csv(events)[1][:3] == ["(all records)", "10", "1.0"]


def test_formulas_are_escaped_unless_the_files_are_to_be_raw(tmp_path, hierarchy):
    rows = [(*row[:6], "=1+1") for row in ROWS]
    for raw, event, name in ((True, "=1+1", "=HYPERLINK(1)"), (False, "'=1+1", "'=HYPERLINK(1)")):
        files = write(tmp_path / "tagged.csv", summary_of(hierarchy, rows), raw=raw)
        assert read_csv(files[2])[2][0] == event
        assert read_csv(files[4])[1][3] == name
        cell = load_workbook(files[-1])["Follow-up"].cell(2, 4)
        assert (cell.value, cell.data_type) == (name, "s")


def test_equal_and_dangerous_headers_of_the_tagged_file_are_kept(tmp_path, hierarchy):
    headers = ["name", "name", "=x"]
    files = write(tmp_path / "tagged.csv", summary_of(hierarchy), headers=headers)
    assert read_csv(files[4])[0] == ["place", "rank", "row", "name", "name", "'=x"]
    assert cells(load_workbook(files[-1])["Follow-up"])[0] == ("place", "rank", "row", "name", "name", "'=x")


def test_the_workbook_has_a_sheet_per_table(tmp_path, hierarchy):
    book = book_of(tmp_path, hierarchy)
    assert book.sheetnames == ["Overview", "Hierarchy", "By event", "Crosswalk", "Follow-up"]
    summary = summary_of(hierarchy)
    for name, frame in (
        ("Hierarchy", summary.nodes),
        ("By event", summary.by["event"]),
        ("Crosswalk", summary.crosswalk),
    ):
        assert cells(book[name]) == [tuple(frame.columns), *frame.rows()]


def test_no_cell_runs_as_a_formula_and_text_stays_text(tmp_path, hierarchy):
    listed = book_of(tmp_path, hierarchy)["Follow-up"]
    assert cells(listed)[1:] == [
        (1, "first", 7, "'=HYPERLINK(1)", "007", "123456789012345678"),
        (2, "second", 3, f"Ann{REPLACEMENT}", "#N/A", 5),
    ]
    assert {cell.data_type for row in listed.iter_rows() for cell in row} <= {"s", "n"}
    assert listed["E2"].number_format == "@"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 40_000, "x" * 32_767),
        ("\N{GRINNING FACE}" * 20_000, "\N{GRINNING FACE}" * 16_383),
        ("_x0041_", "_x005F_x0041_"),
        ("", None),
        (math.nan, "NaN"),
        (1e300, 1e300),
        (2.5, 2.5),
        (True, True),
    ],
)
def test_a_cell_holds_what_a_spreadsheet_can(value, shown, tmp_path, hierarchy):
    listed = LIST[:1].select("place", "rank", "row").with_columns(pl.Series("odd", [value]))
    files = write(tmp_path / "tagged.csv", summary_of(hierarchy), follow_up=listed)
    assert load_workbook(files[-1])["Follow-up"]["D2"].value == shown


def test_rows_come_in_their_order_with_the_look_of_their_columns(tmp_path, hierarchy):
    texts = ["a & b < c > d", " spaces ", "two\nlines", None, "", "_x0041_x0042_", "é\N{GRINNING FACE}", "-1"]
    listed = LIST[:1].select(pl.exclude("number")).join(pl.DataFrame({"text": texts}), how="cross")
    listed = listed.with_columns(row=pl.int_range(pl.len()), share=pl.int_range(pl.len()) / 8, sure=pl.lit(value=False))
    sheet = load_workbook(write(tmp_path / "tagged.csv", summary_of(hierarchy), follow_up=listed)[-1])["Follow-up"]
    shown = [*texts[:4], None, "_x0041_x0042_", texts[6], "-1"]
    assert [row[2] for row in cells(sheet)[1:]] == [*range(8)]
    assert [row[5] for row in cells(sheet)[1:]] == shown
    assert [row[6:] for row in cells(sheet)[1:]] == [(number / 8, False) for number in range(8)]
    for row in sheet.iter_rows(min_row=2):
        assert [cell.number_format for cell in row] == ["General", "@", "General", "@", "@", "@", "General", "General"]
        assert {(cell.font.name, cell.font.sz, cell.font.bold) for cell in row} == {("Calibri", 11, False)}


def test_sheets_can_be_filtered_and_scrolled(tmp_path, hierarchy):
    book = book_of(tmp_path, hierarchy)
    assert [book[name].freeze_panes for name in book.sheetnames[1:]] == ["C2", "B2", "A2", "D2"]
    assert book["Hierarchy"].auto_filter.ref == "A1:M9"
    for name in book.sheetnames[1:]:
        assert all(cell.font.bold and cell.alignment.wrap_text for cell in book[name][1])
        assert book[name].print_title_rows == "$1:$1"


def test_numbers_and_shares_look_like_what_they_are(tmp_path, hierarchy):
    nodes = book_of(tmp_path, hierarchy)["Hierarchy"]
    formats = {cell.value: nodes.cell(2, cell.column).number_format for cell in nodes[1]}
    assert formats["records"] == formats["Top"] == '#,##0_);-#,##0_);"–"_)'
    assert formats["share of all records"] == formats["Top, share of all"] == '0.0%_);-0.0%_);"–"_)'


def test_rows_of_the_tree_are_indented_and_can_be_folded(tmp_path, hierarchy):
    nodes = book_of(tmp_path, hierarchy)["Hierarchy"]
    ward, matron = nodes[3], nodes[4]
    assert [cell.value for cell in (ward[0], matron[0], matron[1])] == ["Ward", "Ward", "Matron"]
    assert [cell.font.bold for cell in (ward[0], matron[0], matron[1])] == [True, False, False]
    assert matron[0].font.color.rgb == f"FF{FAINT.color[1:]}"
    assert matron[1].font.color.theme == 1
    assert [nodes.row_dimensions[row].outlineLevel for row in (2, 3, 4, 6, 7)] == [0, 0, 1, 1, 0]


def test_the_first_sheet_says_it_in_words(tmp_path, hierarchy):
    summary = summary_of(hierarchy)
    overview = book_of(tmp_path, hierarchy)["Overview"]
    told = cells(overview)
    texts = [cell for row in told for cell in row if isinstance(cell, str)]
    assert [row[0] for row in told[1 : 1 + len(summary.sentences)]] == [*summary.sentences]
    assert ("carers", "Top", 3, 0.3, 0.6) in told
    assert "The follow-up list holds the best 2 of 9 records that have a rank." in texts
    assert ("hierarchy", "'=2027.1") in [row[:2] for row in told]
    assert {"Hierarchy", "By event", "Crosswalk", "Follow-up"} <= {row[0] for row in told}


def test_spaces_around_a_text_are_marked_as_its_own(tmp_path, hierarchy):
    listed = LIST[:1].with_columns(name=pl.lit(" Ann "))
    with ZipFile(write(tmp_path / "tagged.csv", summary_of(hierarchy), follow_up=listed)[-1]) as book:
        assert b'<t xml:space="preserve"> Ann </t>' in book.read("xl/worksheets/sheet5.xml")


def test_a_sheet_ends_where_it_would_be_too_long_and_says_so(tmp_path, hierarchy, monkeypatch):
    monkeypatch.setattr("harness.tagging.business.business_workbook.MAX_LISTED", 1)
    book = book_of(tmp_path, hierarchy)
    assert book["Follow-up"].max_row == 2
    texts = [cell for row in cells(book["Overview"]) for cell in row]
    assert "Only the first 1 of 2 rows; the CSV file has all." in texts
    assert len(read_csv(tmp_path / "tagged.follow_up.csv")) == 3


def test_a_file_without_rows_makes_every_file(tmp_path, hierarchy):
    files = write(tmp_path / "tagged.csv", summary_of(hierarchy, []), follow_up=LIST[:0])
    assert all(file.is_file() for file in files)
    assert cells(load_workbook(files[-1])["Overview"])[1][0] == "The file has no records."


def test_files_are_written_where_the_caller_wants_them(tmp_path, hierarchy):
    out, folder = tmp_path / "out" / "tagged.csv", tmp_path / "ready"
    folder.mkdir()
    files = write(out, summary_of(hierarchy), folder=folder)
    assert files == [folder / file.name for file in business_files(out, ["event"])]
    assert sorted(folder.iterdir()) == sorted(files)
    assert not out.parent.exists()


def test_a_full_disk_is_bad_input_that_names_the_file(tmp_path, hierarchy, monkeypatch):
    def fail(path, *arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.tagging.business.business_workbook.write_workbook", fail)
    with pytest.raises(BadInput, match=r"tagged.summary.xlsx cannot be written: the disk is full"):
        write(tmp_path / "tagged.csv", summary_of(hierarchy))


def test_files_of_an_earlier_job_are_found_whatever_it_broke_down_by(tmp_path, hierarchy):
    out = tmp_path / "tagged[1].csv.gz"
    assert earlier_files(tmp_path / "nowhere" / "tagged.csv") == []
    files = write(out, summary_of(hierarchy, by=("event", "year")))
    for name in ("tagged[1].csv.gz", "tagged[1].notes.csv", "tagged1.summary.csv", "tagged.summary.csv"):
        (tmp_path / name).touch()
    (tmp_path / "tagged[1].summary_by_folder.csv").mkdir()
    assert sorted(earlier_files(out)) == sorted(files)


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["Event", "event", "EVENT"], ["Event", "event_2", "EVENT_3"]),
        (["../../etc", "..", "", " / "], ["etc", "column", "column_2", "column_3"]),
        (["x" * 200, "x" * 201], ["x" * 40, f"{'x' * 38}_2"]),
        (["a_2", "a", "a"], ["a_2", "a", "a_3"]),
    ],
)
def test_parts_of_file_names_are_safe_and_differ(names, parts):
    assert file_parts(names) == parts


def test_names_of_sheets_are_ones_that_a_workbook_can_have():
    names = sheet_names(["By [a]:*?/\\b", "By 'x'", "by 'X'", "", "y" * 40, "y" * 41])
    assert names == ["By  a b", "By 'x", "by 'X_2", "Sheet", "y" * 31, f"{'y' * 29}_2"]
