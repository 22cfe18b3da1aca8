import gc
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from xlsxwriter.exceptions import FileCreateError

from data_cleaning.files.spreadsheet_text import REPLACEMENT, unescape_cell
from data_cleaning.files.workbooks import BOLD, Style, Workbook


@pytest.fixture
def path(tmp_path):
    return tmp_path / "book.xlsx"


def write(path, *rows, **options):
    with Workbook(path) as book:
        sheet = book.sheet("sheet", **options)
        for row in rows:
            sheet.row(row)
    return book


def cells(path):
    return [[(cell.value, cell.data_type) for cell in row] for row in load_workbook(path).active.iter_rows()]


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("Chief Officer", "Chief Officer"),
        ("=1+1", "'=1+1"),
        ("-", "-"),
        ("'=x", "'=x"),
        ("#N/A", "#N/A"),
        ("_x0041_", "_x005F_x0041_"),
        ("_x0041_x0042_", "_x0041_x0042_"),  # in pieces, none of which is a code
        ("<r>_x0041_</r>", "<r>_x0041_</r>"),
        ("_x_", "_x_"),
        ("two\nlines", "two\nlines"),
        ("two\r\nlines\rmore", "two\nlines\nmore"),
        (" é ", " é "),
        ("12", "12"),
        ("a\0b\x1fc\ufffe", f"a{REPLACEMENT}b{REPLACEMENT}c{REPLACEMENT}"),
        ("<r>x</r>", "<r>x</r>"),
        ("<r> & </r>", "<r> & </r>"),
        ("<r></r>", "<r></r>"),
    ],
)
def test_text_stays_text_and_is_not_run(path, text, held):
    write(path, [text, "behind"])
    assert cells(path) == [[(held, "s"), ("behind", "s")]]


@given(st.text(max_size=30))
def test_any_text_can_be_read_back_but_for_control_characters(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("book") / "book.xlsx"
    book = write(path, [text, "x"])
    shown = load_workbook(path).active["A1"].value or ""
    if not book.n_replaced and "_x" not in text:
        assert unescape_cell(shown) == text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    ("value", "held"),
    [
        (0.9876, (0.9876, "n")),
        (1e300, (1e300, "n")),
        (float("nan"), ("NaN", "s")),
        (float("-inf"), ("'-inf", "s")),
        (123456789012345, (123456789012345, "n")),
        (1234567890123456, ("1234567890123456", "s")),
        (True, (True, "b")),
        (Decimal("1.50"), (1.5, "n")),
        (Decimal("1.2345678901234567"), ("1.2345678901234567", "s")),
        (date(2024, 2, 29), (datetime(2024, 2, 29), "d")),
        (date(1899, 1, 1), ("1899-01-01", "s")),
        (datetime(2024, 2, 29, 13, 5), (datetime(2024, 2, 29, 13, 5), "d")),
        (datetime(2024, 2, 29, tzinfo=UTC), ("2024-02-29T00:00:00+00:00", "s")),
        (time(13, 5), (time(13, 5), "d")),
        (timedelta(hours=30), (timedelta(hours=30), "d")),
        (["a"], ("['a']", "s")),
        ("", (None, "n")),
        (None, (None, "n")),
    ],
)
def test_values_keep_their_types_where_a_spreadsheet_has_them(path, value, held):
    write(path, [value, "behind"])
    assert cells(path) == [[held, ("behind", "s")]]


def test_what_no_cell_holds_is_cut_and_replaced_and_counted(path):
    book = write(
        path, *[[text] for text in ("x" * 32_767, "y" * 32_768, "\U0001f600" * 20_000, "a\0\0", "\0" * 40_000)]
    )
    values = [row[0][0] for row in cells(path)]
    assert [len(value) for value in values] == [32_767, 32_767, 16_383, 3, 32_767]
    assert (book.n_cut, book.n_replaced) == (3, 2)


def test_a_sheet_for_programs_is_hidden_and_not_escaped(path):
    with Workbook(path) as book:
        book.sheet("first").row(["x"])
        book.sheet("exact", hidden=True, escaped=False).row(["=1"])
    read = load_workbook(path)
    assert read["exact"]["A1"].value == "=1"
    assert read["exact"]["A1"].data_type in "sf"  # openpyxl takes it for a formula, the file says that it is text
    assert [sheet.sheet_state for sheet in read.worksheets] == ["visible", "hidden"]


def test_equal_content_gives_equal_bytes(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write(tmp_path / name, ["x", 1.5, date(2024, 1, 1)])
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_a_sheet_looks_as_it_was_asked_to(path):
    with Workbook(path) as book:
        sheet = book.sheet("sheet")
        sheet.row(["name", "share", "mark"], Style(bold=True, fill="#DDE6F0", wrapped=True), height=30)
        sheet.row(["a", 0.5, ""], [BOLD, Style(number_format="0.0%"), Style(color="#808080", number_format="@")])
        sheet.row(["b", 0.25], level=1)
        sheet.row(["about", "long text"], merged_to=2)
        sheet.widths([10, 20])
        sheet.freeze(1, 1)
        sheet.filter(3)
        sheet.bars(1, "#9DC3E6")
        sheet.choices(2, ["accept", "reject"], "Unknown mark", "Choose one.")
        sheet.fold_upwards()
        sheet.print_across(header=True)
    read = load_workbook(path)["sheet"]
    head, share, mark = read["A1"], read["B2"], read["C2"]
    assert (head.font.bold, head.fill.fgColor.rgb, head.alignment.wrap_text) == (True, "FFDDE6F0", True)
    assert (share.number_format, mark.number_format, mark.font.color.rgb) == ("0.0%", "@", "FF808080")
    assert (read.freeze_panes, read.auto_filter.ref) == ("B2", "A1:C4")
    assert [read.column_dimensions[letter].width for letter in "AB"] == pytest.approx([10.7, 20.7], abs=0.05)
    assert (read.row_dimensions[1].height, read.row_dimensions[3].outlineLevel) == (30, 1)
    assert [str(cells) for cells in read.merged_cells.ranges] == ["B4:C4"]
    assert read["B4"].value == "long text"
    (rule,) = read.data_validations.dataValidation
    assert (str(rule.sqref), rule.formula1, rule.allow_blank) == ("C2:C4", '"accept,reject"', True)
    assert (rule.errorTitle, rule.error) == ("Unknown mark", "Choose one.")
    assert read.print_title_rows == "$1:$1"
    assert not read.sheet_properties.outlinePr.summaryBelow


def test_a_workbook_that_fails_is_not_written_and_leaves_nothing(tmp_path):
    def fail():
        with Workbook(tmp_path / "book.xlsx", scratch=tmp_path) as book:
            book.sheet("sheet").row(["x"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_long_sheets_wait_on_the_disk(tmp_path):
    with Workbook(tmp_path / "book.xlsx", scratch=tmp_path) as book:
        sheet = book.sheet("sheet")
        for number in range(5_000):
            sheet.row([f"row {number}", number])
        (waiting,) = tmp_path.iterdir()
        assert sum(file.stat().st_size for file in waiting.iterdir()) > 100_000
    assert [place.name for place in tmp_path.iterdir()] == ["book.xlsx"]
    numbers = [row[1] for row in load_workbook(tmp_path / "book.xlsx").active.values]
    assert all(later == earlier + 1 for earlier, later in pairwise(numbers))


def test_values_that_a_rule_cannot_hold_are_on_a_hidden_sheet(tmp_path):
    few, comma, many = (
        ("yes", "no"),
        ("voice, wireless", "other"),
        tuple(f"class number {number}" for number in range(40)),
    )
    with Workbook(tmp_path / "book.xlsx") as book:
        sheet = book.sheet("titles")
        sheet.row(("a", "b", "c"))
        sheet.row(("", "", ""))
        for column, values in enumerate((few, comma, many)):
            sheet.choices(column, values, "Unknown", "Choose one.")
    opened = load_workbook(tmp_path / "book.xlsx")
    first, second, third = (rule.formula1 for rule in opened["titles"].data_validations.dataValidation)
    assert (first, second, third) == ('"yes,no"', "choices!$A$1:$B$1", "choices!$A$2:$AN$2")
    assert opened["choices"].sheet_state == "hidden"
    held = [[cell.value for cell in row if cell.value] for row in opened["choices"]]
    assert held == [list(comma), list(many)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_said_once(monkeypatch):
    later = []
    monkeypatch.setattr("sys.unraisablehook", later.append)
    with pytest.raises(FileCreateError, match="No space left"), Workbook(Path("/dev/full")) as book:
        book.sheet("a").row(["text"])
    gc.collect()
    assert [str(one.exc_value) for one in later] == []
