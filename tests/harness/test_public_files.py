"""Every verb that reads leads counts each person of six kinds of export once, and loses or invents nobody."""

import csv
import io
from contextlib import redirect_stderr, redirect_stdout

import openpyxl
import pytest

from tests.called_verb import exit_code_of
from tests.harness.public_files import PUBLIC_FILES, hr_list

KEYWORDS = "configs/keywords/2023.csv"


@pytest.fixture(scope="module", params=PUBLIC_FILES, ids=lambda write: write.__name__)
def exported(request, tmp_path_factory):
    return request.param(tmp_path_factory.mktemp("exported"))


@pytest.fixture(scope="module")
def call(request):
    """Run a verb in the checkout; return its exit code. What it prints is not looked at."""

    def run(*arguments):
        said = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(said):
            patch.chdir(request.config.rootpath)
            return exit_code_of(*arguments)

    return run


@pytest.fixture(scope="module")
def run_folder(call, tmp_path_factory):
    """A run with the keyword table alone."""
    folder = tmp_path_factory.mktemp("results")
    settings = ["systems=[majority, keyword]", "leads.simulate.records=1000", "reviewed=null", "label_issues=null"]
    chosen = [part for setting in settings for part in ("--set", setting)]
    place = ["--results", folder, "--out", folder / "run"]
    assert call("run", "all", "--config", "configs/smoke.yaml", *place, *chosen) == 0
    return folder / "run"


def read(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def titles_of(exported):
    return dict(zip(exported.people, (title or "" for title in exported.titles), strict=True))


def number_of_titled(exported):
    return sum(title is not None for title in exported.titles)


def test_predict_tags_every_person_and_nothing_else(call, exported, run_folder, tmp_path):
    out = tmp_path / "tagged.csv"
    assert call("predict", exported.path, "--out", out, "--run", run_folder, "--system", "keyword") == 0
    rows = read(out)
    assert [row[exported.person_column] for row in rows] == list(exported.people)
    assert {row[exported.person_column]: row[exported.title_column] for row in rows} == titles_of(exported)
    untitled = [row for row in rows if row["review_reason"] == "no title"]
    assert len(rows) - len(untitled) == number_of_titled(exported)


def test_clean_keeps_or_quarantines_every_person(call, exported, tmp_path):
    assert call("clean", exported.path, "--out", tmp_path / "clean.csv", "--keep-foreign") == 0
    kept = {row[exported.person_column]: row["original_title"] for row in read(tmp_path / "clean.csv")}
    titled = {person: title for person, title in titles_of(exported).items() if title}
    assert kept == titled
    quarantined = [row[exported.person_column] for row in read(tmp_path / "clean_report" / "quarantine.csv")]
    assert sorted(quarantined) == sorted(set(exported.people) - set(titled))


def test_profile_counts_every_person_and_every_title(call, exported, tmp_path):
    assert call("profile", exported.path, "--no-tokens", "--out", tmp_path / "profile") == 0
    figures = {row["figure"]: int(row["number"]) for row in read(tmp_path / "profile" / "tables" / "figures.csv")}
    assert figures["records"] == len(exported.people)
    assert figures["records that lack title"] == len(exported.people) - number_of_titled(exported)


def test_audit_counts_every_person_with_a_title(call, exported, tmp_path):
    assert call("audit", KEYWORDS, "--leads", exported.path, "--out", tmp_path / "audit") == 0
    page = (tmp_path / "audit" / "audit.html").read_text()
    assert f"{number_of_titled(exported)} records in {exported.path.name}" in page


def test_check_counts_every_person_and_every_title(call, exported, tmp_path):
    out = tmp_path / "check.xlsx"
    assert call("check", exported.path, "--out", out) == 0
    overview = [row[0] for row in openpyxl.load_workbook(out)["Overview"].iter_rows(values_only=True)]
    people, titled = len(exported.people), number_of_titled(exported)
    expected = f"{exported.path.name} has {people} records, {titled / people:.1%} of them with a title ({titled});"
    assert any(str(sentence).startswith(expected) for sentence in overview), overview


@pytest.mark.parametrize("verb", ["predict", "clean"])
def test_a_written_workbook_keeps_number_formats_and_fills_merged_cells(call, run_folder, tmp_path, verb):
    exported = hr_list(tmp_path)
    out = tmp_path / "written.xlsx"
    options = ("--run", run_folder, "--system", "keyword") if verb == "predict" else ("--keep-foreign",)
    assert call(verb, exported.path, "--out", out, *options) == 0
    kept = [i for i, title in enumerate(exported.titles) if verb == "predict" or title is not None]
    sheet = openpyxl.load_workbook(out).worksheets[0]
    header = [cell.value for cell in sheet[1]]
    rows = list(sheet.iter_rows(min_row=2))
    assert len(rows) == len(kept)
    ids, days, sites = ([row[header.index(name)] for row in rows] for name in ("Emp ID", "Hire Date", "Site"))
    assert [cell.value for cell in ids] == [123 + i for i in kept]
    assert {cell.number_format for cell in ids} == {"000000"}
    assert {cell.number_format for cell in days} == {"dd/mm/yyyy"}
    assert [cell.value for cell in sites] == [f"Site {i // 10}" for i in kept]
