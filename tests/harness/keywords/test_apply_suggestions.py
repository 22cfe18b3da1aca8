"""Marked suggestions become the next revision of a table: what a person may do to the file, and what is refused."""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

from baselines.keyword_table import KeywordTable
from data_cleaning.errors import BadInput
from harness.experiment.config_file import load_config
from harness.keywords.apply_suggestions import apply_suggestions, next_revision
from harness.keywords.suggestion_sheets import CSV_NAME, JSON_NAME, XLSX_NAME, Origin, write_suggestions
from harness.keywords.suggestions import amend, memory_beside, read_memory, read_rejected
from tests.harness.keywords.given_suggestions import (
    ALL,
    COOK,
    GARDENER,
    NURSE,
    VISITOR,
    edit_csv,
    edit_xlsx,
    mark_json,
    renamed,
    suggestion,
)

MARKS = {(2, "accept"): "accept", (3, "accept"): "accept", (4, "accept"): "accept", (5, "accept"): "accept"}


@pytest.fixture
def folder(company, tmp_path, monkeypatch):
    """A folder with the toy company's table 2023.csv and, under results/, suggestions for it."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(company.folder / "keywords.csv", tmp_path / "2023.csv")
    (tmp_path / "results").mkdir()
    make(company, ALL)
    return tmp_path


def make(company, suggestions, table="2023.csv", *, with_rows=True):
    read = KeywordTable.read(Path(table), company.taxonomy) if with_rows else None
    facts = {"run": "company-1", "split": "title", "learned_from": "legacy"}
    origin = Origin.of(Path(table), company.taxonomy.names, **facts, read=read)
    write_suggestions(Path("results"), suggestions, origin)


@pytest.fixture
def said():
    return []


@pytest.fixture
def apply(company, folder, said):
    """Apply one of the files in results/."""
    taxonomy = load_config(company.config).taxonomy

    def run(name=XLSX_NAME, **options):
        asked = {"table": None, "configured": Path("2023.csv"), "out": None, "force": False, **options}
        return apply_suggestions(Path("results") / name, taxonomy=taxonomy, announce=said.append, **asked)

    return run


@pytest.fixture
def edit(folder):
    """Write into the spreadsheet, lines and columns to values."""
    return lambda cells: edit_xlsx(folder / "results" / XLSX_NAME, cells)


@pytest.fixture
def refused(apply, folder):
    """Apply, expecting a refusal that leaves everything as it was; return the message."""

    def run(*arguments, **options):
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        with pytest.raises(BadInput) as raised:
            apply(*arguments, **options)
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
        return str(raised.value)

    return run


def rows_of(company, path):
    table = KeywordTable.read(Path(path), company.taxonomy)
    return table.rows.drop(columns="line").to_numpy().tolist()


def test_accepted_rows_make_the_next_revision_and_the_table_stays_as_it_was(company, folder, apply, edit):
    before = (folder / "2023.csv").read_bytes()
    edit(MARKS)
    applied = apply()
    assert (folder / "2023.csv").read_bytes() == before
    old = KeywordTable.read(folder / "2023.csv", company.taxonomy)
    pd.testing.assert_frame_equal(KeywordTable.read(folder / "2024.csv", company.taxonomy).rows, amend(old, ALL).rows)
    rows = rows_of(company, "2024.csv")
    assert rows[0] == ["nurse", 2.0, "substring", "Nursing", ""]
    assert rows[4] == ["cook", 5.0, "word", "Kitchen", ""]
    assert rows[-1] == ["gardener", 2.5, "substring", "Garden", ""]
    assert "visitor" not in [row[0] for row in rows]
    assert (applied.table, applied.n_rows) == (Path("2024.csv"), len(old))
    assert (applied.n_accepted, applied.n_changed, applied.n_rejected, applied.n_undecided) == (4, 0, 0, 0)
    assert not memory_beside(folder / "2023.csv").exists()


@pytest.mark.parametrize("kind", ["xlsx", "csv", "json"])
def test_only_accepted_rows_are_taken_from_each_kind_of_file(company, folder, apply, edit, kind):
    if kind == "xlsx":
        edit({(3, "accept"): " Accept ", (5, "accept"): "REJECT"})
    elif kind == "csv":
        edit_csv(folder / "results" / CSV_NAME, {(3, "accept"): "accept", (5, "accept"): "reject"})
    else:
        mark_json(folder / "results" / JSON_NAME, {2: "accept", 4: "reject"})
    applied = apply(f"suggestions.{kind}")
    rows, old = rows_of(company, "2024.csv"), rows_of(company, "2023.csv")
    assert rows[0] == ["nurse", 2.0, "substring", "Nursing", ""]
    assert rows[1:] == old[1:]
    assert read_rejected(applied.memory) == [VISITOR.key]
    assert (applied.n_accepted, applied.n_rejected, applied.n_undecided) == (1, 1, 2)


def test_rows_may_be_sorted_and_deleted_and_columns_added_and_moved(company, folder, apply):
    path = folder / "results" / XLSX_NAME
    book = load_workbook(path)
    sheet = book["suggestions"]
    header, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    sheet.delete_rows(1, sheet.max_row)
    sheet.append(["my notes", *reversed(header), None])
    for note, row in (("second thoughts", rows[2]), ("first", rows[1])):
        sheet.append([note, *reversed(["accept", *row[1:]]), "=1+1"])
    book.save(path)
    applied = apply()
    assert applied.n_accepted == 2
    rows = rows_of(company, "2024.csv")
    assert (rows[0][1], rows[4][2], len(rows)) == (2.0, "word", len(rows_of(company, "2023.csv")))


def test_a_csv_may_come_back_from_a_spreadsheet_with_commas_in_numbers(company, folder, apply, said):
    path = folder / "results" / CSV_NAME
    edit_csv(path, {(2, "accept"): "accept", (2, "priority"): "2,5"}, delimiter=";", encoding="utf-8-sig")
    assert apply(CSV_NAME).n_changed == 0
    assert rows_of(company, "2024.csv")[-1] == ["gardener", 2.5, "substring", "Garden", ""]
    assert said == []


def test_what_a_person_changed_goes_into_the_table_and_is_said(company, apply, edit, said):
    edit({
        **{(2, "accept"): "accept", (2, "keyword"): "park keeper", (2, "priority"): 3, (2, "seniority"): "Senior"},
        **{(3, "accept"): "accept", (3, "priority"): "1.5", (3, "match"): "prefix", (3, "keyword"): "nurs"},
        **{(4, "accept"): "accept", (4, "department"): "Dept. of Kitchen", (4, "match"): None, (4, "priority"): 4},
        **{(5, "keyword"): "undecided rows say nothing"},
    })  # fmt: skip
    applied = apply()
    rows, old = rows_of(company, "2024.csv"), rows_of(company, "2023.csv")
    assert rows[0] == ["nurs", 1.5, "prefix", "Nursing", ""]
    assert rows[4] == ["cook", 4.0, "substring", "Dept. of Kitchen", ""]
    assert rows[-1] == ["park keeper", 3.0, "substring", "Garden", "Senior"]
    assert rows[5:-1] == old[5:]
    assert (applied.n_accepted, applied.n_changed, applied.n_undecided) == (3, 3, 1)
    assert said == [
        "Changed by hand in suggestions.xlsx: line 2: keyword 'park keeper' instead of 'gardener', priority '3' "
        "instead of '2.5', seniority 'Senior' instead of ''; line 3: keyword 'nurs' instead of 'nurse', priority '1.5' "
        "instead of '2', match 'prefix' instead of 'substring'; line 4: priority '4' instead of '5', match '' instead "
        "of 'word', department 'Dept. of Kitchen' instead of 'Kitchen'."
    ]


@pytest.mark.parametrize("keyword", ["=1+1", "'tis", "-", "007", "TRUE"])
def test_keywords_are_taken_as_they_are_written(company, folder, apply, edit, keyword):
    make(company, [renamed(GARDENER, keyword), GARDENER])
    edit({(2, "accept"): "accept"})
    apply()
    assert rows_of(company, "2024.csv")[-1][0] == keyword


def test_every_fault_of_the_file_is_named_at_once_by_its_line(company, folder, refused, edit):
    make(company, [*ALL, suggestion(keyword="baker", department="Kitchen"), suggestion(keyword="x", seniority="Head")])
    edit({
        **{(2, "accept"): "yes", (3, "accept"): "accept", (3, "priority"): "soon"},
        **{(4, "accept"): "accept", (4, "action"): "retire", (4, "match"): "words"},
        **{(5, "accept"): "accept", (5, "priority"): 1},
        **{(6, "accept"): "accept", (6, "id"): "mine"},
        **{(7, "accept"): "accept", (7, "keyword"): "HEAD", (7, "seniority"): "Boss", (7, "department"): "=A1"},
    })  # fmt: skip
    message = refused()
    for fault in (
        "line 2: 'yes' is not a mark; write accept or reject, or empty the cell",
        "line 3: priority 'soon' is not a number above 0",
        "line 4: 'action' was 'narrow' and is 'retire'; restore it",
        "line 4: unknown match 'words', the nearest is 'word' (known: substring, word, prefix, gap, mask)",
        "line 5: retires its row, so the change of priority has no effect; restore it",
        "line 6: no suggestion has the id 'mine'; restore the one that the row had",
        "line 7: 'department' holds a formula; write its value as text",
        "line 7: 'Boss' is no seniority label, known are 'Chief'",
        "line 7: repeats the seniority of 'HEAD' that line 13 of 2023.csv sets",
    ):
        assert fault in message
    assert message.startswith(f"{Path('results') / XLSX_NAME}: line 2:")


def test_two_accepted_rows_may_not_set_the_same(company, folder, refused, edit):
    make(company, [GARDENER, renamed(GARDENER, "gardener in chief")])
    edit({(2, "accept"): "accept", (3, "accept"): "accept", (3, "keyword"): "Gardener"})
    assert "line 3: repeats the department of 'Gardener' that line 2 sets" in refused()


def test_a_row_may_take_over_what_a_retired_row_set(company, folder, apply, edit):
    visitor = suggestion(keyword="Visitor", department="Reception")
    make(company, [visitor, VISITOR])
    edit({(2, "accept"): "accept", (3, "accept"): "accept"})
    apply()
    assert [row for row in rows_of(company, "2024.csv") if row[0].lower() == "visitor"] == [
        ["Visitor", 5.0, "substring", "Reception", ""]
    ]


def test_a_suggestion_is_accepted_once(folder, refused):
    path = folder / "results" / XLSX_NAME
    book = load_workbook(path)
    sheet = book["suggestions"]
    sheet["A2"] = "accept"
    sheet.append([cell.value for cell in sheet[2]])
    book.save(path)
    assert "line 6: repeats the suggestion of line 2; leave one of them unmarked" in refused()


def test_without_a_mark_nothing_is_done_and_said_why(refused):
    message = refused()
    assert "suggestions.xlsx has no row marked accept or reject. Write accept into the first column" in message


def test_rejects_alone_are_remembered_even_when_the_table_has_changed(folder, apply, edit):
    edit(
        {(2, "accept"): "reject", (4, "accept"): "Reject", (4, "keyword"): "changed", (4, "reason"): "too rare, a typo"}
    )
    (folder / "2023.csv").write_text("something else")
    applied = apply()
    assert (applied.table, applied.n_rows, applied.n_rejected) == (None, None, 2)
    assert read_rejected(folder / "rejected_suggestions.csv") == [GARDENER.key, COOK.key]
    assert not (folder / "2024.csv").exists()
    memory = read_memory(folder / "rejected_suggestions.csv")
    assert memory.select("action", "keyword", "table", "reason").rows() == [
        ("add", "gardener", "2023.csv", None), ("narrow", "cook", "2023.csv", "too rare, a typo")
    ]  # fmt: skip


def test_an_unknown_mark_is_a_fault_even_beside_rejects(refused, edit):
    edit({(2, "accept"): "reject", (3, "accept"): "no"})
    assert refused().endswith("line 3: 'no' is not a mark; write accept or reject, or empty the cell.")


def test_what_is_accepted_later_is_forgotten(folder, apply, edit):
    edit({(2, "accept"): "reject", (3, "accept"): "reject"})
    apply()
    edit({(2, "accept"): "accept", (2, "keyword"): "park keeper", (3, "accept"): None})
    apply()
    assert read_rejected(folder / "rejected_suggestions.csv") == [NURSE.key]


def test_a_table_that_was_changed_since_is_refused_until_a_copy_is_named(company, folder, apply, refused, edit):
    edit(MARKS)
    (folder / "kept").mkdir()
    shutil.copyfile("2023.csv", "kept/names.csv")
    with Path("2023.csv").open("a") as opened:
        opened.write("porter,5,Transport,\n")
    message = refused()
    assert message.startswith(
        "2023.csv is not the table that results/suggestions.xlsx was made for: line 17 'porter' was added (priority 5; "
    )
    assert "Name a copy of the original, 2023.csv, with --table, or make suggestions again." in message
    assert apply(table=Path("kept/names.csv")).table == Path("kept/names-next.csv")
    assert "porter" not in Path("kept/names-next.csv").read_text()


@pytest.mark.parametrize("named", ["victim/other.csv", "victim/gone.csv", "../victim/other.csv"])
def test_a_path_in_the_file_of_suggestions_decides_nothing(company, folder, apply, refused, named):
    (folder / "victim").mkdir()
    shutil.copyfile("2023.csv", "victim/other.csv")
    path = Path("results") / JSON_NAME
    mark_json(path, {1: "reject", 2: "accept"})
    path.write_text(path.read_text().replace('"table_path": "2023.csv"', f'"table_path": "{named}"'))
    assert named in path.read_text()
    message = refused(JSON_NAME, configured=None)
    assert message == (
        f"The config names no keyword table; results/{JSON_NAME} was made for {named}. Name it with --table."
    )
    applied = apply(JSON_NAME)
    assert (applied.table, applied.memory) == (Path("2024.csv"), Path("rejected_suggestions.csv"))
    assert [place.name for place in (folder / "victim").iterdir()] == ["other.csv"]


def test_a_changed_row_is_named(company, folder, refused, edit):
    edit(MARKS)
    text = Path("2023.csv").read_text()
    line = KeywordTable.read(Path("2023.csv"), company.taxonomy).rows.set_index("keyword").loc["nurse"]
    Path("2023.csv").write_text(text.replace(f"nurse,{line['priority']:g}", "nurse,77", 1))
    said = f"line {line['line']} 'nurse' was re-prioritised (priority {line['priority']:g} to 77)"
    assert said in refused()


@pytest.mark.parametrize("kind", ["xlsx", "columns", "quotes", "order"])
def test_a_table_with_the_same_rows_is_taken_however_it_is_written(company, folder, apply, edit, kind):
    edit(MARKS)
    apply(out=Path("expected.csv"))
    frame = pd.read_csv("2023.csv", dtype=str, keep_default_na=False)
    other = Path("other.xlsx" if kind == "xlsx" else "other.csv")
    if kind == "xlsx":
        frame.to_excel(other, index=False, startrow=1)
    elif kind == "columns":
        frame[frame.columns[::-1]].to_csv(other, index=False, lineterminator="\r\n")
    elif kind == "quotes":
        frame.to_csv(other, index=False, quoting=1, sep=";", encoding="utf-8-sig")
    else:
        frame[::-1].to_csv(other, index=False)
    apply(table=other, out=Path("found.csv"))
    assert sorted(rows_of(company, "found.csv")) == sorted(rows_of(company, "expected.csv"))
    assert (rows_of(company, "found.csv") == rows_of(company, "expected.csv")) == (kind != "order")


def test_suggestions_of_earlier_versions_are_applied_to_the_very_file_alone(company, folder, apply, refused, edit):
    make(company, ALL, with_rows=False)
    path = Path("results") / JSON_NAME
    path.write_text(path.read_text().replace('"rows": []', '"_": []'))
    edit(MARKS)
    assert apply(out=Path("expected.csv")).n_accepted == 4
    Path("2023.csv").write_text(Path("2023.csv").read_text().replace("\n", "\r\n"))
    assert "is not the table that results/suggestions.xlsx was made for: its SHA-256 begins" in refused()


def test_a_table_that_is_gone_is_asked_for(folder, refused, edit):
    edit(MARKS)
    Path("2023.csv").rename("moved.csv")
    assert refused() == (
        "No keyword table at 2023.csv; results/suggestions.xlsx was made for 2023.csv. Name it with --table."
    )


def test_another_taxonomy_is_refused(company, folder, refused, edit):
    origin = Origin.of(Path("2023.csv"), ("department",), run="r", split="title", learned_from="legacy")
    write_suggestions(Path("results"), [GARDENER], origin)
    edit({(2, "accept"): "accept"})
    message = refused()
    assert "was made for the targets department, but" in message
    assert "has department, seniority. Give --config" in message


@pytest.mark.parametrize("force", [False, True])
def test_no_output_replaces_what_is_read(folder, refused, edit, force):
    edit(MARKS)
    edit_csv(folder / "results" / CSV_NAME, {(2, "accept"): "accept"})
    assert "is the file that is read" in refused(out=Path("2023.csv"), force=force)
    Path("linked.csv").hardlink_to("2023.csv")
    assert "is the file that is read" in refused(out=Path("linked.csv"), force=force)
    assert "is the file that is read" in refused(CSV_NAME, out=folder / "results" / CSV_NAME, force=force)
    assert "is where rejected suggestions are remembered" in refused(out=Path("rejected_suggestions.csv"), force=force)
    assert "ends in '.xlsx'; a keyword table is a .csv file" in refused(out=Path("2024.xlsx"), force=force)


def test_an_existing_revision_is_replaced_only_with_force(company, folder, apply, refused, edit):
    edit(MARKS)
    Path("2024.csv").write_text("somebody's")
    assert "2024.csv exists already and was left as it is. Choose another --out" in refused()
    assert apply(out=Path("results/else.csv")).table == Path("results/else.csv")
    assert apply(force=True).table == Path("2024.csv")
    assert rows_of(company, "2024.csv") == rows_of(company, "results/else.csv")


@pytest.mark.parametrize(
    ("table", "following"),
    [("2023.csv", "2024.csv"), ("a/0009.csv", "a/0010.csv"), ("99.csv", "100.csv"), ("names.csv", "names-next.csv"),
     ("v2.csv", "v2-next.csv"), ("²³.csv", "²³-next.csv"), ("2023.txt", "2024.csv")],
)  # fmt: skip
def test_the_next_revision_counts_on_from_a_year(table, following):
    assert next_revision(Path(table)) == Path(following)


@pytest.mark.parametrize("broken", ["2024.csv", "rejected_suggestions.csv"])
@pytest.mark.parametrize("had_memory", [False, True])
def test_the_table_and_the_memory_are_both_written_or_neither(folder, apply, edit, monkeypatch, broken, had_memory):
    memory = folder / "rejected_suggestions.csv"
    if had_memory:
        edit({(5, "accept"): "reject"})
        apply()
    before = memory.read_bytes() if had_memory else None
    edit({(2, "accept"): "accept", (3, "accept"): "reject"})
    replace_file = Path.replace

    def fail(source, final):
        if Path(final).name == broken:
            raise OSError(5, "Input/output error")
        return replace_file(source, final)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(BadInput, match=f"{broken} cannot be written: Input/output error"):
        apply()
    assert (memory.read_bytes() if memory.exists() else None) == before
    assert sorted(path.name for path in folder.glob("*.csv")) == ["2023.csv", *([memory.name] if had_memory else [])]
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    apply()
    assert read_rejected(memory) == [*([VISITOR.key] if had_memory else []), NURSE.key]


def test_a_csv_needs_the_json_of_the_same_run(company, folder, refused):
    path = folder / "results" / CSV_NAME
    edit_csv(path, {(2, "accept"): "accept"})
    kept = path.read_bytes()
    make(company, [replace(GARDENER, priority=7.0)])
    path.write_bytes(kept)
    assert "line 2: no suggestion has the id 's" in refused(CSV_NAME)
    (folder / "results" / JSON_NAME).unlink()
    assert "No file beside the CSV at results/suggestions.json. Put suggestions.json of the same run" in refused(
        CSV_NAME
    )


def test_a_file_that_is_none_of_ours_is_refused(folder, refused, edit):
    results = folder / "results"
    assert "No file at results/none.xlsx; expected suggestions.xlsx" in refused("none.xlsx")
    (results / "table.xlsx").write_text("keyword,priority")
    assert "not readable as a spreadsheet (File is not a zip file). Save it as .xlsx" in refused("table.xlsx")
    (results / "table.ods").write_text("")
    assert "ends in '.ods'; expected .xlsx, .csv or .json" in refused("table.ods")
    edit({(1, "keyword"): "Keywords", (1, "department"): "seniority"})
    message = refused()
    assert "line 1: column 'keyword' is missing. Did you mean 'Keywords'?; column 'department' is missing" in message
    assert "column 'seniority' occurs 2 times. Give the columns their original names." in message
    book = load_workbook(results / XLSX_NAME)
    del book["exact"]
    book.save(results / XLSX_NAME)
    assert "has no sheet 'exact'. Mark the file as it was written" in refused()
