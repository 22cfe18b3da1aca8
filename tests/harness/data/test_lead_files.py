import re

import pandas as pd
import polars as pl
import pytest

from data_cleaning.profile import Profile, profile_leads
from data_cleaning.report_table import Table, write_tables
from data_cleaning.simulate.study import Figure
from harness.data.lead_files import PAGE, write_profile, write_profile_page
from harness.data.published_study import STUDY_HEADING
from tests.data_cleaning.profile.toy_leads import HARD, LEADS, TARGETS, TAXONOMY, letters
from tests.harness.given_leads import DEFAULT, GIVEN
from tests.html_check import assert_valid_page


@pytest.fixture(autouse=True)
def _in_the_checkout(request, monkeypatch):
    monkeypatch.chdir(request.config.rootpath)


@pytest.fixture
def _without_plots(monkeypatch):
    monkeypatch.setattr("harness.data.lead_files.write_plots", lambda *_: [])


def test_simulate_writes_the_same_leads_and_truth_for_a_seed(call, tmp_path):
    for name in ("one", "two"):
        call("simulate", "--records", 300, "--seed", 5, "--out", tmp_path / f"{name}.csv.gz", config=DEFAULT)
    leads, truth = (pl.read_csv(tmp_path / f"one{kind}.csv.gz") for kind in ("", ".truth"))
    assert leads.equals(pl.read_csv(tmp_path / "two.csv.gz"))
    assert leads["Record"].to_list() == truth["Record"].to_list() == list(range(1, 301))
    assert {"Title", "Job Function", "Job Role", "Job Level", "Country", "Date"} < set(leads.columns)
    assert "persona" in truth.columns
    call("simulate", "--records", 300, "--seed", 6, "--out", tmp_path / "three.csv.gz", config=DEFAULT)
    assert not leads.equals(pl.read_csv(tmp_path / "three.csv.gz"))


def test_simulate_writes_a_spreadsheet_with_the_rows_of_the_csv_file(call, tmp_path):
    for ending in (".csv", ".xlsx"):
        call("simulate", "--records", 50, "--seed", 5, "--out", tmp_path / f"leads{ending}", config=DEFAULT)
    for kind in ("", ".truth"):
        as_csv, as_xlsx = (
            pl.read_csv(tmp_path / f"leads{kind}.csv"),
            pd.read_excel(tmp_path / f"leads{kind}.xlsx", engine="openpyxl"),
        )
        assert as_csv["Record"].to_list() == as_xlsx["Record"].tolist() == list(range(1, 51))
        assert as_csv.columns == list(as_xlsx.columns)


def test_simulate_tags_a_list_of_titles(call, tmp_path):
    (tmp_path / "list.csv").write_text("Title,Count\nCISO,3\nIT Manager,2\n")
    call("simulate", "--titles", tmp_path / "list.csv", "--out", tmp_path / "leads.parquet", config=DEFAULT)
    made = pl.read_parquet(tmp_path / "leads.parquet")
    assert sorted(made["Title"]) == ["CISO"] * 3 + ["IT Manager"] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "{}/leads.docx"], "expected .csv.gz, .csv, .parquet, .xlsx"),
        (["--out", "{}/taken.csv"], "taken.truth.csv exists already"),
        (["--out", "{}/l.csv", "--titles", "{}/none.csv"], "No file at"),
        (["--out", "{}/l.csv", "--titles", "{}/none.csv", "--records", "5"], "leave out --records"),
        (["--out", "/proc/l.csv"], "/proc/l.csv cannot be written: "),
        (["--out", "{}/" + 250 * "l" + ".csv"], "cannot be written: the name is too long. Choose a shorter one."),
    ],
)
def test_simulate_refuses_what_it_cannot_do(call, tmp_path, arguments, message):
    (tmp_path / "taken.truth.csv").write_text("precious")
    code, _, said = call("simulate", *(part.format(tmp_path) for part in arguments), config=DEFAULT)
    assert code == 2
    assert message in said
    assert [place.name for place in tmp_path.iterdir()] == ["taken.truth.csv"]


def test_simulate_needs_a_tagging_history(call, tmp_path):
    code, _, said = call("simulate", "--out", tmp_path / "leads.csv")
    assert code == 2
    assert "has no 'leads.simulate'" in said


def test_profile_writes_a_page_tables_and_plots(call, leads, tmp_path):
    code, _, said = call("profile", leads, "--out", tmp_path / "look")
    assert code == 0
    assert (tmp_path / "look" / "profile.html").is_file()
    assert {file.suffix for file in (tmp_path / "look" / "tables").iterdir()} >= {".md", ".csv"}
    assert {file.suffix for file in (tmp_path / "look" / "plots").iterdir()} == {".png", ".svg"}
    assert f"Open {tmp_path / 'look' / 'profile.html'}" in said
    assert "--force" in call("profile", leads, "--out", tmp_path / "look")[2]


def test_profile_makes_a_default_folder_and_never_replaces_a_foreign_one(call, leads, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leads_profile").mkdir()
    (tmp_path / "leads_profile" / "letter.txt").write_text("dear")
    code, _, said = call("profile", leads, "--force")
    assert code == 2
    assert "leads_profile was not made by 'profile'" in said


@pytest.mark.parametrize("content", ["Title,Count\nCISO,99999999999999\n", "title,count\nCISO,1\n\nCISO,2\n"])
def test_a_faulty_list_of_titles_is_named_with_its_line(call, tmp_path, content):
    (tmp_path / "list.csv").write_text(content)
    code, _, said = call("simulate", "--titles", tmp_path / "list.csv", "--out", tmp_path / "l.csv", config=DEFAULT)
    assert code == 2
    assert "list.csv" in said
    assert "line 2: '99999999999999'" in said or "'CISO' in line 4" in said


@pytest.mark.usefixtures("_without_plots")
def test_force_never_removes_foreign_files_in_a_report(call, leads, tmp_path):
    for verb, folder, out in (("clean", "o_report", "o.csv"), ("profile", "look", "look")):
        assert call(verb, leads, "--out", tmp_path / out)[0] == 0
        assert call(verb, leads, "--out", tmp_path / out, "--force")[0] == 0
        (tmp_path / folder / "notes").mkdir()
        (tmp_path / folder / "notes" / "letter.txt").write_text("dear")
        code, _, said = call(verb, leads, "--out", tmp_path / out, "--force")
        assert code == 2
        assert f"holds what '{verb}' has not written: notes/letter.txt" in said
        assert (tmp_path / folder / "notes" / "letter.txt").read_text() == "dear"
    quarantine = tmp_path / "p_report" / "quarantine.csv"
    call("clean", leads, "--out", tmp_path / "p.csv")
    assert "which is read, is in" in call("clean", quarantine, "--out", tmp_path / "p.csv", "--force")[2]
    assert quarantine.exists()


@pytest.mark.parametrize(
    ("verb", "out"),
    [("clean", "/proc/x.csv"), ("profile", "/proc/x"), ("clean", "folder.csv"), ("study", "folder.csv")],
)
def test_places_that_cannot_be_written_are_refused_before_any_work(call, leads, tmp_path, monkeypatch, verb, out):
    (tmp_path / "folder.csv").mkdir()
    for work in ("data_cleaning.leads.read_table", "harness.data.published_study.compare_with_study"):
        monkeypatch.delattr(work)
    code, _, said = call(verb, *([] if verb == "study" else [leads]), "--out", tmp_path / out)
    assert code == 2
    assert "cannot be written" in said or "is a folder; expected a file" in said
    assert sorted(place.name for place in tmp_path.iterdir()) == ["folder.csv", "leads.csv"]


def test_study_replaces_only_what_it_wrote(call, tmp_path, monkeypatch):
    figure = Figure(name="share", study="0.5", measured=0.7, lowest=0.4, highest=0.6)
    monkeypatch.setattr("harness.data.published_study.compare_with_study", lambda *_: {500: [figure]})
    out = tmp_path / "study.md"
    out.write_text("dear")
    code, _, said = call("study", "--out", out, config=DEFAULT)
    assert (code, out.read_text()) == (2, "dear")
    assert "--force" in said
    assert "1 figure out of bounds" in call("study", "--out", out, "--force", config=DEFAULT)[2]
    assert out.read_text().startswith(STUDY_HEADING + "\n")
    out.write_text(out.read_text() + "more")
    assert call("study", "--out", out, config=DEFAULT)[0] == 0
    assert "more" not in out.read_text()


@pytest.mark.usefixtures("_without_plots")
def test_profiles_of_files_with_similar_names_have_their_own_folders(call, leads, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.2023.csv", "a.2024.csv"):
        (tmp_path / name).write_text(GIVEN)
        said = call("profile", tmp_path / name, "--no-tokens")[2]
        assert "Ignored: 'id'; 'campaign'." in said
    assert {place.name for place in tmp_path.glob("*_profile")} == {"a.2023_profile", "a.2024_profile"}


def test_the_default_config_is_found_from_anywhere(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, said = call("simulate", "--records", 20, "--out", "leads.csv", config=None)
    assert code == 0, said
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "default.yaml").write_text("seed: no\n")
    assert "configs/default.yaml, line 1" in call("simulate", "--out", "l.csv", config=None)[2]


def test_the_written_profile_shows_every_table_and_plot(tmp_path):
    profile = profile_leads(LEADS, TARGETS, TAXONOMY, letters)
    path = write_profile(profile, tmp_path / "new")
    assert_valid_page(path)
    page = path.read_text(encoding="utf-8")
    for table in profile.tables:
        assert pl.read_csv(tmp_path / "new" / "tables" / f"{table.name}.csv", infer_schema=False).height == len(
            table.frame
        )
        assert f"# {table.title}" in (tmp_path / "new" / "tables" / f"{table.name}.md").read_text(encoding="utf-8")
        assert table.title in page
    shown = set(re.findall(r'href="plots/(\w+)\.svg"', page))
    assert shown == {path.stem for path in (tmp_path / "new" / "plots").glob("*.png")}
    assert page.count('src="data:image/png') == len(shown), "the page holds the plots"
    assert shown == {
        *("missing", "shares_function", "shares_level", "grouped_function", "grouped_level", "cumulative_shares"),
        *("countries", "combinations", "grouped_combinations", "inconsistent_titles", "words", "zipf", "growth"),
        *("lengths_words", "lengths_tokens"),
    }
    assert len(list((tmp_path / "new" / "plots").glob("*.svg"))) == len(shown)


DRAWN = ("one record", "other scripts")
"""The others have nothing on their plots that these lack, and plots take time."""


@pytest.mark.parametrize("name", HARD)
def test_hard_files_are_profiled_and_omissions_are_named(name, tmp_path):
    found = profile_leads(HARD[name], TARGETS, TAXONOMY)
    if name in DRAWN:
        write_profile(found, tmp_path)
    else:
        write_profile_page(tmp_path / PAGE, found, [])
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert all(len(table.frame) for table in found.tables)
    assert all(line in page for line in found.left_out)
    absent = {
        "only titles": ["function: the leads have no such column", "No label combinations", "no tokenizer was given"],
        "one record": ["No growth", "No inconsistent titles"],
        "no labels": ["No figures on function: every label is missing", "No label combinations"],
        "no titles": ["every title is missing", "No growth"],
        "no words": ["no title holds a letter or a digit", "No growth"],
        "one label": ["No inconsistent titles"],
        "other scripts": ["no tokenizer was given"],
    }
    for phrase in absent[name]:
        assert any(phrase in line for line in found.left_out), phrase


def test_markup_in_titles_is_escaped(tmp_path):
    found = profile_leads(HARD["other scripts"], TARGETS)
    write_tables(found.tables, tmp_path, with_latex=False)
    write_profile_page(tmp_path / "page.html", found, [])
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    markdown = (tmp_path / "titles.md").read_text(encoding="utf-8")
    assert r"&lt;b>\|_x many lines" in markdown
    assert "情報システム部長" in markdown


@pytest.mark.parametrize("n_rows", [15, 40, 41, 101])
def test_long_tables_are_cut_for_reading_and_whole_as_csv(n_rows, tmp_path):
    table = Table(
        "long", "Long", "Note.", pl.DataFrame({"row": [f"row{row};" for row in range(n_rows)]}), wording="shares"
    )
    page = write_profile(Profile(tables=(table,), left_out=()), tmp_path).read_text()
    markdown = (tmp_path / "tables" / "long.md").read_text()
    assert page.count(";</td>") == (n_rows if n_rows <= 40 else 15)
    assert ("more rows in" in page) == (n_rows > 40)
    assert markdown.count(";") == min(n_rows, 100)
    assert ("1 more rows in long.csv" in markdown) == (n_rows == 101)
    assert len((tmp_path / "tables" / "long.csv").read_text().splitlines()) == n_rows + 1
