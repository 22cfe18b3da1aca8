import json
import sys

import pandas as pd
import polars as pl
import pytest

from data_cleaning.clean import clean_leads
from data_cleaning.progress import silent
from harness.cli import main
from harness.config import load_config
from harness.pipeline import fingerprints, plan
from harness.stages.clean import clean
from harness.stages.files import CLEAN, LEADS, LEDGER, ROWS
from harness.systems import SYSTEMS
from harness.table_files import MARK

GIVEN = """id,What you do,Dept,Grade,Times,campaign
007,Head  Nurse,Dept. of Nursing,Head,3,"spring, late"
008,,Nursing,Head,1,
009,Head Nurse,Nursing,Chief,1,autumn
010,"Chef ""2nd"", hot",Kitchen,,1,
011,Leiter der Buchhaltung,Accounts,Head,2,winter
012,Head Nurse,Nursing,Head,1,
"""


@pytest.fixture
def call(company, monkeypatch, capsys):
    """Run a verb with the toy company's config; return its exit code, stdout and stderr."""

    def run(verb, *arguments, config=company.config):
        monkeypatch.setattr(sys, "argv", ["title-harness", verb, *map(str, arguments), "--config", str(config)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        return code or 0, shown.out, shown.err

    return run


@pytest.fixture
def leads(tmp_path):
    (tmp_path / "leads.csv").write_text(GIVEN)
    return tmp_path / "leads.csv"


def test_clean_keeps_rows_and_columns_and_adds_what_they_were(call, leads, tmp_path):
    code, shown, said = call("clean", leads, "--out", tmp_path / "clean.csv")
    assert code == 0
    cleaned = pd.read_csv(tmp_path / "clean.csv", dtype=str, keep_default_na=False)
    assert list(cleaned.columns) == [
        *("id", "What you do", "Dept", "Grade", "Times", "campaign"),
        *("original_title", "raw_department", "raw_seniority"),
    ]
    assert cleaned["id"].tolist() == ["007", "009", "011", "012"]
    assert cleaned.iloc[0].tolist() == [
        *("007", "Head Nurse", "Nursing", "Head", "3", "spring, late"),
        *("Head  Nurse", "Dept. of Nursing", "Head"),
    ]
    assert "normalise titles" in shown
    assert "title from 'What you do', department from 'Dept'" in said
    assert "Passed on as they are: 'id'; 'campaign'." in said
    assert "Kept 7 records" in said


def test_quarantine_holds_every_dropped_row_as_it_came_with_reason_and_row(call, leads, tmp_path):
    call("clean", leads, "--out", tmp_path / "clean.parquet", "--set", "clean.english_only=true")
    dropped = pd.read_csv(tmp_path / "clean_report" / "quarantine.csv", dtype=str, keep_default_na=False)
    given = pd.read_csv(leads, dtype=str, keep_default_na=False)
    assert dropped[["reason", "row"]].to_numpy().tolist() == [
        ["missing title", "3"],
        ["missing seniority", "5"],
        ["foreign title (de)", "6"],
    ]
    assert dropped[given.columns].to_numpy().tolist() == given.iloc[[1, 3, 4]].to_numpy().tolist()
    kept = pl.read_parquet(tmp_path / "clean.parquet")
    assert sorted([*kept["id"], *dropped["id"]]) == given["id"].tolist()


def test_the_report_folder_tells_what_lies_in_it(call, leads, tmp_path):
    call("clean", leads, "--out", tmp_path / "clean.parquet")
    folder = tmp_path / "clean_report"
    guide = (folder / "README.md").read_text()
    for file in folder.iterdir():
        assert file.name in guide or file.name in (MARK, "README.md")
    assert "taxonomy version 1" in (folder / "ledger.md").read_text()
    label_map = pd.read_csv(folder / "label_map.csv").set_index(["target", "raw_label"])["records"]
    assert label_map["department", "Dept. of Nursing"] == 3
    assert pd.read_csv(folder / "noise_ceilings.csv")["labels"].unique().tolist() == ["raw", "grouped", "consensus"]
    assert pd.read_csv(folder / "inconsistent_titles.csv")["title"].tolist() == ["Head Nurse"]
    facts = json.loads((folder / MARK).read_text())
    assert (facts["file"], facts["settings"]["english_only"]) == ("leads.csv", False)


CONSENSUS = "clean.consensus=whole-file"


@pytest.mark.parametrize(
    ("ending", "setting"), [(".csv", CONSENSUS), (".csv.gz", CONSENSUS), (".parquet", "clean.english_only=true")]
)
def test_cleaning_the_cleaned_file_again_changes_nothing(call, leads, tmp_path, ending, setting):
    first, second = tmp_path / f"one{ending}", tmp_path / f"two{ending}"
    assert call("clean", leads, "--out", first, "--set", setting)[0] == 0
    assert call("clean", first, "--out", second, "--set", setting)[0] == 0
    assert first.read_bytes() == second.read_bytes()
    ledger = pd.read_csv(tmp_path / "two_report" / "ledger.csv")
    assert ledger[["changed", "dropped"]].to_numpy().sum() == 0


def test_only_the_title_is_required_and_what_is_missing_is_said(call, tmp_path):
    pd.DataFrame({"Rolle": ["IT  Manager", None, "CISO"], "n": [1, 2, 3]}).to_parquet(tmp_path / "bare.parquet")
    options = ["--title-column", "Rolle", "--set", "clean.english_only=false"]
    code, _, said = call("clean", tmp_path / "bare.parquet", "--out", tmp_path / "o.parquet", *options, config=DEFAULT)
    assert code == 0
    assert "done without: function ('Job Function'), role ('Job Role'), level ('Job Level')" in said
    cleaned = pl.read_parquet(tmp_path / "o.parquet")
    assert cleaned.rows() == [("IT Manager", 1, "IT  Manager"), ("CISO", 3, "CISO")]
    assert cleaned.schema["n"] == pl.Int64


DEFAULT = "configs/default.yaml"


@pytest.fixture(autouse=True)
def _in_the_checkout(request, monkeypatch):
    monkeypatch.chdir(request.config.rootpath)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (("Dept", "Dpt"), [], "Unknown column 'Dept'. Did you mean 'Dpt'?"),
        (("What you do", "Job"), [], "leads.columns.title"),
        (("Dept. of Nursing", "Dept. of Nursng"), [], "Did you mean 'Dept. of Nursing'"),
        (("campaign", "original_title"), [], "already has columns that cleaning adds: original_title"),
        (("campaign", "raw_department"), [], "already has columns that cleaning adds: raw_department"),
        (("", ""), ["--set", "clean.consensus=always"], "clean.consensus = 'always'"),
        (("", ""), ["--set", "clean.contries=[US]"], "unknown key 'clean.contries'. Did you mean 'countries'?"),
        (("", ""), ["--set", "clean.countries=[US]"], "the leads have no such column"),
        (("", ""), ["--set", "leads.columns.targets.rank=Grade"], "Unknown target in leads.columns.targets 'rank'"),
        (('"Chef ""2nd"", hot"', '"Chef'), [], "row 5 (line 5)"),
    ],
)
def test_bad_input_is_one_message_and_nothing_is_written(call, leads, tmp_path, change, options, message):
    leads.write_text(leads.read_text().replace(*change, 1) if change[0] else GIVEN)
    code, _, said = call("clean", leads, "--out", tmp_path / "clean.parquet", *options)
    assert code == 2
    assert message in said
    assert [place.name for place in tmp_path.iterdir()] == ["leads.csv"]


def test_no_output_is_replaced_unless_forced_and_no_foreign_folder_ever(call, leads, tmp_path):
    out = tmp_path / "clean.csv"
    assert call("clean", leads, "--out", out)[0] == 0
    before = out.read_bytes()
    leads.write_text(GIVEN.replace("campaign", "drive"))
    assert "--force" in call("clean", leads, "--out", out)[2]
    assert out.read_bytes() == before
    assert call("clean", leads, "--out", out, "--force")[0] == 0
    assert b"drive" in out.read_bytes()
    assert "is the file that is read" in call("clean", leads, "--out", leads, "--force")[2]
    (tmp_path / "mine_report").mkdir()
    (tmp_path / "mine_report" / "letter.txt").write_text("dear")
    assert "was not made by 'clean'" in call("clean", leads, "--out", tmp_path / "mine.csv", "--force")[2]
    assert (tmp_path / "mine_report" / "letter.txt").exists()
    assert not (tmp_path / "mine.csv").exists()


@pytest.mark.parametrize("name", ["clean.xlsx", "absent/clean.csv", "clean"])
def test_an_output_that_cannot_be_is_refused_before_any_work(call, leads, tmp_path, name):
    code, _, said = call("clean", leads, "--out", tmp_path / name)
    assert code == 2
    assert "expected" in said


def test_a_failure_half_way_leaves_nothing_behind(call, leads, tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("disk full")

    monkeypatch.setattr("harness.data_verbs.write_cleaning_folder", broken)
    with pytest.raises(RuntimeError, match="disk full"):
        call("clean", leads, "--out", tmp_path / "clean.parquet")
    assert [place.name for place in tmp_path.iterdir()] == ["leads.csv"]


def test_a_column_called_reason_stays_the_files_own(call, leads, tmp_path):
    leads.write_text(GIVEN.replace("campaign", "reason"))
    call("clean", leads, "--out", tmp_path / "clean.csv")
    dropped = pd.read_csv(tmp_path / "clean_report" / "quarantine.csv")
    assert list(dropped.columns)[:2] == ["quarantine_reason", "row"]
    assert "reason" in dropped.columns


def test_simulate_writes_leads_and_their_truth_alike_for_a_seed(call, tmp_path):
    for name in ("one", "two"):
        call("simulate", "--records", 300, "--seed", 5, "--out", tmp_path / f"{name}.csv.gz", config=DEFAULT)
    leads, truth = (pl.read_csv(tmp_path / f"one{kind}.csv.gz") for kind in ("", ".truth"))
    assert leads.equals(pl.read_csv(tmp_path / "two.csv.gz"))
    assert leads["Record"].to_list() == truth["Record"].to_list() == list(range(1, 301))
    assert {"Title", "Job Function", "Job Role", "Job Level", "Country", "Date"} < set(leads.columns)
    assert "persona" in truth.columns
    call("simulate", "--records", 300, "--seed", 6, "--out", tmp_path / "three.csv.gz", config=DEFAULT)
    assert not leads.equals(pl.read_csv(tmp_path / "three.csv.gz"))


def test_simulate_tags_a_list_of_titles(call, tmp_path):
    (tmp_path / "list.csv").write_text("title,count\nCISO,3\nIT Manager,2\n")
    call("simulate", "--titles", tmp_path / "list.csv", "--out", tmp_path / "leads.parquet", config=DEFAULT)
    made = pl.read_parquet(tmp_path / "leads.parquet")
    assert sorted(made["Title"]) == ["CISO"] * 3 + ["IT Manager"] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "{}/leads.docx"], "expected .csv.gz, .csv, .parquet"),
        (["--out", "{}/taken.csv"], "taken.truth.csv exists already"),
        (["--out", "{}/l.csv", "--titles", "{}/none.csv"], "No file at"),
        (["--out", "{}/l.csv", "--titles", "{}/none.csv", "--records", "5"], "leave out --records"),
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


def test_profile_goes_by_default_beside_nothing_of_somebody_elses(call, leads, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leads_profile").mkdir()
    (tmp_path / "leads_profile" / "letter.txt").write_text("dear")
    code, _, said = call("profile", leads, "--force")
    assert code == 2
    assert "leads_profile was not made by 'profile'" in said


def test_a_run_cleans_by_its_own_section(company, tmp_path):
    config = load_config(company.config, ["clean.countries=[US]"], tuple(SYSTEMS))
    given = pl.DataFrame(
        {
            "record": ["1", "2", "3"],
            "title": ["Head  Nurse", "Cook", "Cook"],
            "department": ["Nursing", "Dept. of Kitchen", "Kitchen"],
            "seniority": ["Head", "Head", "Head"],
            "country": ["US", "US", "Peru"],
            "count": [1, 2, 4],
        }
    )
    (tmp_path / "leads").mkdir()
    (tmp_path / "clean").mkdir()
    given.write_parquet(tmp_path / "leads" / LEADS)
    clean(config.clean, company.taxonomy, tmp_path / "leads", tmp_path / "clean", silent)
    merged = pl.read_parquet(tmp_path / "clean" / ROWS)
    assert merged.rows() == [("Cook", "Kitchen", "Head", 2), ("Head Nurse", "Nursing", "Head", 1)]
    expected = clean_leads(given, company.taxonomy, config.clean)
    assert pl.read_parquet(tmp_path / "clean" / CLEAN).equals(expected.kept)
    assert pl.read_parquet(tmp_path / "clean" / LEDGER).drop("file").equals(expected.ledger)
    assert pl.read_csv(tmp_path / "clean" / "quarantine_leads.csv")["reason"].to_list() == ["source not listed (Peru)"]
    other = load_config(company.config, (), tuple(SYSTEMS))
    prints = [fingerprints(plan(one, company.taxonomy, silent)) for one in (config, other)]
    assert prints[0]["leads"] == prints[1]["leads"]
    assert prints[0]["clean"] != prints[1]["clean"]
