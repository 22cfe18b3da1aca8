import openpyxl
import polars as pl
import pytest

from data_cleaning.labelled_files import LABELLING_SHEET, LEARN, SCORE, sides_of
from data_cleaning.near_duplicates import near_duplicate_keys
from harness.experiment.run_folder import TITLES
from tests.called_verb import exit_code_of
from tests.harness.tagging.given_run import toy_run
from tests.harness.tagging.reviewing.given_review import add, edited, pick, rows_of, write_leads


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_sheet_has_the_best_answers_drop_downs_and_reasons(company, tmp_path):
    assert pick(company, write_leads(tmp_path), "picked.xlsx", "--n", "10") == 0
    rows = rows_of(tmp_path / "picked.xlsx")
    assert len(rows) == 10
    assert list(rows[0]) == [
        *("title", "department", "seniority", "done", "note", "records", "why", "answer", "id"),
    ]
    for row in rows:
        assert row["answer"] == f"{row['department']} / {row['seniority']}"
        assert row["done"] is None
        assert row["why"]
        assert row["records"] >= 1
    rules = openpyxl.load_workbook("picked.xlsx")[LABELLING_SHEET].data_validations.dataValidation
    assert len(rules) == 3


def test_reviewed_titles_and_near_duplicates_of_them_are_not_picked_again(company, tmp_path):
    leads = write_leads(tmp_path)
    pick(company, leads, "first.xlsx", "--n", "15")
    marked = edited(tmp_path / "first.xlsx", tmp_path / "ann.xlsx", {(row, "done"): "yes" for row in range(2, 17)})
    assert add(company, marked, "Ann", "reviewed.csv") == 0
    leads.write_text(leads.read_text().replace("Head Ward nurse", "nurse (Ward), Head"))
    pick(company, leads, "second.xlsx", "--n", "100")
    first, second = (
        set(near_duplicate_keys([row["title"] for row in rows_of(tmp_path / name)]))
        for name in ("first.xlsx", "second.xlsx")
    )
    assert len(first) == 15
    assert not first & second


def test_leads_need_no_column_of_counts(company, tmp_path):
    (tmp_path / "leads.csv").write_text("Email,Title\n" + "a@b.c,Head Ward nurse\n" * 3 + "b@b.c,Weekend driver\n")
    assert pick(company, tmp_path / "leads.csv", "picked.xlsx") == 0
    assert pick(company, tmp_path / "leads.csv", "score.xlsx", "--side", "score") in (0, 2)
    assert {row["title"]: row["records"] for row in rows_of(tmp_path / "picked.xlsx")}["Head Ward nurse"] == 3


def test_a_title_is_picked_for_one_side_alone(company, tmp_path, capsys):
    leads = write_leads(tmp_path)
    assert pick(company, leads, "learn.xlsx", "--n", "500") == 0
    assert pick(company, leads, "score.xlsx", "--n", "500", "--side", "score") == 0
    assert {*sides_of(pl.Series([row["title"] for row in rows_of(tmp_path / "learn.xlsx")]))} == {LEARN}
    assert {*sides_of(pl.Series([row["title"] for row in rows_of(tmp_path / "score.xlsx")]))} == {SCORE}
    assert len(rows_of(tmp_path / "learn.xlsx")) + len(rows_of(tmp_path / "score.xlsx")) == 96
    assert pick(company, leads, "both.xlsx", "--side", "both") == 2


def test_a_run_answers_with_its_systems_and_keeps_its_held_out_titles_to_itself(company, tmp_path):
    run = toy_run(company.config, "systems=[keyword, tfidf]")
    titles = pl.read_parquet(run / TITLES)
    assert 0 < titles["held_out"].sum() < len(titles)
    assert exit_code_of("review", "pick", run, "--n", "1000", "--out", "picked.xlsx") == 0
    picked = [row["title"] for row in rows_of(tmp_path / "picked.xlsx")]
    held = near_duplicate_keys(titles.filter("held_out")["title"])
    assert picked
    assert not set(near_duplicate_keys(picked)) & set(held)
    assert set(picked) <= set(titles["title"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("leads.csv", "--out", "picked.csv"), "is no XLSX file"),
        (("leads.csv", "--out", "leads.csv"), "is the file that is read"),
        (("absent.csv",), "No file at absent.csv"),
        ((".",), "is no run folder"),
    ],
)
def test_bad_input_gets_one_message(company, tmp_path, capsys, arguments, said):
    write_leads(tmp_path)
    assert exit_code_of("review", "pick", *arguments) == 2
    assert said in capsys.readouterr().err
