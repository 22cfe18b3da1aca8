"""The three files of suggestions: what they look like, and that nothing is lost in them."""

import csv
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from data_cleaning.files.spreadsheet_text import unescape_cell
from harness.keywords import suggestion_sheets
from harness.keywords.marked_suggestions import read_marked
from harness.keywords.suggestion_sheets import (
    ABOUT,
    CSV_NAME,
    EXACT,
    HOW_TO,
    JSON_NAME,
    SHEET,
    XLSX_NAME,
    write_suggestions,
)
from harness.keywords.suggestions import from_json, identity
from tests.harness.keywords.given_suggestions import (
    ALL,
    GARDENER,
    NURSE,
    ORIGIN,
    RUNS,
    edit_csv,
    edit_xlsx,
    mark_json,
    suggestion,
)

RISKY = ("=", "+", "-", "@", "\t")

LOOKS_LIKE_ANOTHER_THING = ("007", "1e5", "TRUE", "#N/A", "2023-05-01", "=1+1")
pieces = st.sampled_from([
    *(*RISKY, *LOOKS_LIKE_ANOTHER_THING, "'", '"', ",", ";", "|", "_x0041_", "_x005F_"),
    *("chief", " ", "İ", "é", "日", "🎉"),
])  # fmt: skip
one_line = st.lists(pieces, min_size=1, max_size=5).map("".join)
anything = st.lists(pieces | st.sampled_from(["\n", "\r", "\x00", "\x0b", "\x1f", "\ufffe"]), max_size=5).map("".join)
# What looks escaped comes back without its apostrophe.
one_line, anything = one_line.map(unescape_cell), anything.map(unescape_cell)
hostile = st.builds(
    lambda keyword, label, rationale, examples, priority: suggestion(
        keyword=keyword,
        department=label,
        rationale=rationale,
        priority=priority,
        evidence=replace(GARDENER.evidence, examples=tuple(examples), counter_examples=tuple(reversed(examples))),
    ),
    *(one_line.filter(str.strip), one_line.map(str.strip), anything, st.lists(anything, max_size=3)),
    st.floats(min_value=1e-3, max_value=1e6),
)


@pytest.fixture
def folder(tmp_path):
    write_suggestions(tmp_path, ALL, ORIGIN)
    return tmp_path


@pytest.fixture
def sheet(folder):
    return load_workbook(folder / XLSX_NAME)[SHEET]


def columns_of(sheet):
    return {cell.value: cell for cell in sheet[1]}


def csv_rows(path):
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(hostile, min_size=1, max_size=3, unique_by=lambda one: identity(one, ORIGIN)))
@example([suggestion(keyword="'x", department="''@"), suggestion(keyword="#REF!", department="TRUE")])
def test_hostile_text_comes_back_as_it_was_from_every_file(given_suggestions):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_suggestions(folder, given_suggestions, ORIGIN)
        exact = from_json((folder / JSON_NAME).read_text(encoding="utf-8"), "the JSON")
        assert list(exact.suggestions.values()) == given_suggestions
        lines = range(2, 2 + len(given_suggestions))
        edit_xlsx(folder / XLSX_NAME, {(line, "accept"): "accept" for line in lines})
        edit_csv(folder / CSV_NAME, {(line, "accept"): "accept" for line in lines})
        for file in (XLSX_NAME, CSV_NAME):
            marked = read_marked(folder / file)
            assert (marked.origin, marked.faults) == (ORIGIN, ())
            assert [row.suggestion for row in marked.rows] == given_suggestions
            assert [row.changed for row in marked.rows] == [{}] * len(given_suggestions)
            for row in marked.rows:
                assert row.cells["keyword"] == row.suggestion.keyword
                assert float(row.cells["priority"]) == row.suggestion.priority
                assert row.cells["department"] == row.suggestion.labels["department"]
        for row in csv_rows(folder / CSV_NAME):
            numbers = ("lift",)
            assert not [cell for column, cell in row.items() if column not in numbers and RUNS.match(cell)]
        for row in load_workbook(folder / XLSX_NAME)[SHEET].iter_rows():
            assert not [cell.value for cell in row if isinstance(cell.value, str) and RUNS.match(cell.value)]
            assert {cell.data_type for cell in row} <= {"s", "n"}


def test_every_file_has_the_columns_of_a_table_and_the_evidence(folder, sheet):
    header = list(columns_of(sheet))
    assert header[:12] == [
        *("accept", "reason", "action", "line", "keyword", "priority", "department", "seniority", "match"),
        *("old_priority", "old_match", "rationale"),
    ]
    assert {"lift", "group", "p_value", "reviewed_fixed", "believed_broken", "variants_fixed", "importance"} < set(
        header
    )
    assert {f"{kind}_{number}" for kind in ("example", "counter_example") for number in (1, 2, 3)} < set(header)
    first = csv_rows(folder / CSV_NAME)[0]
    assert list(first) == header
    assert first["accept"] == ""
    assert (first["keyword"], first["priority"], first["department"], first["line"]) == (
        "gardener",
        "2.5",
        "Garden",
        "",
    )
    assert (first["example_2"], first["counter_example_1"]) == ("'=head gardener", "garden\nvisitor")
    entry = json.loads((folder / JSON_NAME).read_text(encoding="utf-8"))["suggestions"][0]
    assert (entry["accept"], entry["department"], entry["match"]) == ("", "Garden", "substring")
    assert entry["evidence"]["p_value"] == 0.1 + 0.2
    assert entry["evidence"]["examples"] == ["night gardener", "=head gardener", "gardener"]


def test_the_sheet_offers_marks_and_stays_in_sight(sheet):
    marks, matches = sheet.data_validations.dataValidation
    assert matches.formula1 == '"substring,word,prefix,gap,mask"'
    assert (marks.type, marks.formula1, str(marks.sqref)) == ("list", '"accept,reject"', "A2:A5")
    assert marks.allow_blank
    assert marks.showErrorMessage
    assert [cell.value for cell in sheet["A"]] == ["accept", None, None, None, None]
    assert sheet.freeze_panes == "F2"
    assert sheet["E1"].value == "keyword"
    assert sheet.auto_filter.ref == sheet.dimensions
    assert all(cell.font.bold for cell in sheet[1])


def test_cells_look_like_what_they_are(sheet):
    cells = {name: sheet.cell(2, head.column) for name, head in columns_of(sheet).items()}
    formats = {name: cell.number_format for name, cell in cells.items()}
    assert formats["keyword"] == formats["department"] == formats["example_1"] == "@"
    assert (formats["lift"], formats["importance"], formats["p_value"]) == ("+0.00%;-0.00%;0.00%", "0.0%", "0.0E+00")
    assert formats["support_records"] == "#,##0"
    assert (cells["priority"].value, cells["support_records"].value, cells["lift"].value) == (2.5, 5678, -0.00125)
    assert sheet.cell(3, cells["priority"].column).value == 2
    assert cells["rationale"].alignment.wrap_text


def test_columns_are_as_wide_as_their_content_up_to_a_limit(tmp_path):
    short, long = suggestion(keyword="head of it"), suggestion(keyword="head of " * 30, rationale="Because. " * 40)
    write_suggestions(tmp_path, [short, long], ORIGIN)
    (tmp_path / "short").mkdir()
    write_suggestions(tmp_path / "short", [short], ORIGIN)
    widths = []
    for place in (tmp_path / "short", tmp_path):
        sheet = load_workbook(place / XLSX_NAME)[SHEET]
        widths.append({
            name: sheet.column_dimensions[head.column_letter].width for name, head in columns_of(sheet).items()
        })  # fmt: skip
    chosen = (widths[0]["keyword"], widths[1]["keyword"], widths[1]["rationale"], widths[0]["match"])
    # A file has each width with the padding of a cell.
    assert chosen == pytest.approx((12, 42, 62, len("substring") + 2), abs=0.8)
    assert widths[0]["support_records"] == pytest.approx(len("support_records") + 4, abs=0.8)


def test_the_second_sheet_says_how_to_use_it_and_where_it_comes_from(folder):
    book = load_workbook(folder / XLSX_NAME)
    assert book.sheetnames == [SHEET, ABOUT, EXACT]
    assert [book[name].sheet_state for name in book.sheetnames] == ["visible", "visible", "hidden"]
    said = [(row[0].value, row[1].value) for row in book[ABOUT].iter_rows()]
    assert tuple(line for _, line in said[: len(HOW_TO)]) == HOW_TO
    assert {("table_name", "2023.csv"), ("table_sha256", "ab" * 32), ("targets", "department, seniority")} < set(said)
    assert {name for name, _ in said} > set(columns_of(book[SHEET]))


def test_text_that_looks_like_something_else_stays_text(tmp_path):
    write_suggestions(tmp_path, [suggestion(keyword=keyword) for keyword in LOOKS_LIKE_ANOTHER_THING], ORIGIN)
    cells = [row[0] for row in load_workbook(tmp_path / XLSX_NAME)[SHEET]["E2:E7"]]
    assert [cell.value for cell in cells] == [*LOOKS_LIKE_ANOTHER_THING[:-1], "'=1+1"]
    assert {(cell.data_type, cell.number_format) for cell in cells} == {("s", "@")}


def test_what_a_worksheet_cannot_hold_is_replaced_there_and_exact_in_the_json(tmp_path):
    spoiled = replace(GARDENER, evidence=replace(GARDENER.evidence, examples=("a\x00b\x1fc\ufffed",)))
    write_suggestions(tmp_path, [spoiled], ORIGIN)
    assert csv_rows(tmp_path / CSV_NAME)[0]["example_1"] == "a\ufffdb\ufffdc\ufffdd"
    sheet = load_workbook(tmp_path / XLSX_NAME)[SHEET]
    assert sheet.cell(2, columns_of(sheet)["example_1"].column).value == "a\ufffdb\ufffdc\ufffdd"
    content = json.loads((tmp_path / JSON_NAME).read_text(encoding="utf-8"))
    assert content["suggestions"][0]["evidence"]["examples"] == ["a\x00b\x1fc\ufffed"]
    edit_xlsx(tmp_path / XLSX_NAME, {(2, "accept"): "accept"})
    assert [row.suggestion for row in read_marked(tmp_path / XLSX_NAME).rows] == [spoiled]


def test_a_target_may_be_called_like_a_column_of_ours(tmp_path):
    origin = replace(ORIGIN, targets=("action", "id"))
    one = suggestion(labels={"action": "Kitchen", "id": ""})
    write_suggestions(tmp_path, [one], origin)
    row = csv_rows(tmp_path / CSV_NAME)[0]
    assert (row["action"], row["suggestion_action"], row["id"]) == ("Kitchen", "add", "")
    edit_csv(tmp_path / CSV_NAME, {(2, "accept"): "accept"})
    edit_xlsx(tmp_path / XLSX_NAME, {(2, "accept"): "accept"})
    mark_json(tmp_path / JSON_NAME, {1: "accept"})
    for name in (CSV_NAME, XLSX_NAME, JSON_NAME):
        marked = read_marked(tmp_path / name)
        assert (marked.faults, [row.suggestion for row in marked.rows]) == ((), [one])


def test_numbers_of_numpy_are_numbers(tmp_path):
    counted = replace(NURSE.evidence, reviewed_fixed=np.int64(4))
    odd = replace(NURSE, line=np.int64(2), priority=np.float64(2), evidence=counted)
    write_suggestions(tmp_path, [odd], ORIGIN)
    edit_xlsx(tmp_path / XLSX_NAME, {(2, "accept"): "accept"})
    marked = read_marked(tmp_path / XLSX_NAME)
    assert (marked.faults, [row.suggestion for row in marked.rows]) == ((), [NURSE])


def test_no_suggestions_make_files_that_can_be_read(tmp_path):
    write_suggestions(tmp_path, [], ORIGIN)
    for name in (CSV_NAME, XLSX_NAME, JSON_NAME):
        assert read_marked(tmp_path / name).rows == ()


def test_all_three_files_are_written_or_none(tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("the last of the three")

    monkeypatch.setattr(suggestion_sheets, "_write_workbook", fail)
    with pytest.raises(RuntimeError, match="last of the three"):
        write_suggestions(tmp_path, ALL, ORIGIN)
    assert list(tmp_path.iterdir()) == []
