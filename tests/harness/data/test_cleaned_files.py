import io
import json
from datetime import timedelta

import pandas as pd
import polars as pl
import pytest

from data_cleaning.clean import clean_leads
from data_cleaning.files.output_places import MARK
from data_cleaning.progress import silent
from harness.experiment.cache import fingerprints
from harness.experiment.config_file import load_config
from harness.experiment.plan import plan
from harness.experiment.stages import CLEAN, LEADS, LEDGER, ROWS
from harness.experiment.stages.obtain_leads import CleaningSettings, ObtainSettings, clean, obtain_leads
from tests.harness.given_leads import CONSENSUS, DEFAULT, GIVEN


@pytest.fixture(autouse=True)
def _in_the_checkout(request, monkeypatch):
    monkeypatch.chdir(request.config.rootpath)


@pytest.fixture
def _without_plots(monkeypatch):
    monkeypatch.setattr("harness.data.lead_files.write_plots", lambda *_: [])


def test_clean_keeps_rows_and_columns_and_adds_the_original_values(call, leads, tmp_path):
    code, shown, said = call("clean", leads, "--out", tmp_path / "clean.csv")
    assert code == 0
    cleaned = pd.read_csv(tmp_path / "clean.csv", dtype=str, keep_default_na=False)
    assert list(cleaned.columns) == [
        *("id", "What you do", "Dept", "Grade", "Times", "campaign"),
        *("original_title", "raw_department", "raw_seniority"),
    ]
    assert cleaned["id"].tolist() == ["007", "009", "010", "011", "012"]
    assert cleaned.iloc[2][["Dept", "Grade"]].tolist() == ["Kitchen", ""]
    assert cleaned.iloc[0].tolist() == [
        *("007", "Head Nurse", "Nursing", "Head", "3", "spring, late"),
        *("Head  Nurse", "Dept. of Nursing", "Head"),
    ]
    assert "normalise titles" in shown
    assert "title from 'What you do', department from 'Dept'" in said
    assert "Passed through unchanged: 'id'; 'campaign'." in said
    assert "Kept 8 of " in said


BROKEN = (
    GIVEN
    + '013,Cook,Kitchen,Head,1,x,more\n014,"Cook,Kitchen,Head,1,x\n'
    + "015,Night\0Nurse,Nursing,Head,1,\n016,Cook,Kitchen,Head,2\n"
)


def test_what_cannot_be_read_is_set_aside_and_counted(call, leads, tmp_path):
    leads.write_text(BROKEN)
    code, shown, said = call("clean", leads, "--out", tmp_path / "clean.csv")
    assert code == 3
    assert "3 rows set aside, as not readable: line 8 has 7 fields, expected 6; line 9 opens a quote" in said
    assert said.rstrip().endswith(f"What could not be read is in {tmp_path / 'clean_report' / 'rejects.csv'}.")
    rejects = pd.read_csv(tmp_path / "clean_report" / "rejects.csv", dtype=str)
    assert rejects["line"].tolist() == ["8", "9", "10"]
    assert rejects["text"].tolist()[:2] == ["013,Cook,Kitchen,Head,1,x,more", '014,"Cook,Kitchen,Head,1,x']
    assert rejects["reason"][2] == "holds a NUL byte"
    kept = pd.read_csv(tmp_path / "clean.csv", dtype=str)["id"].tolist()
    quarantined = pd.read_csv(tmp_path / "clean_report" / "quarantine.csv", dtype=str)["id"].tolist()
    assert sorted([*kept, *quarantined]) == ["007", "008", "009", "010", "011", "012", "016"]
    ledger = pd.read_csv(tmp_path / "clean_report" / "ledger.csv")
    assert ledger.loc[0, ["step", "records_in", "dropped", "records_out"]].tolist() == ["read the file", 14, 3, 11]
    assert ledger["dropped"].sum() + ledger["records_out"].iloc[-1] == ledger["records_in"][0]
    assert "read the file" in shown
    assert "| rejects.csv | 3 |" in (tmp_path / "clean_report" / "README.md").read_text()


def test_a_file_in_which_nothing_can_be_read_is_refused(call, leads, tmp_path):
    leads.write_text(GIVEN.splitlines()[0] + "\n1,2,3,4,5,6,7\n")
    for verb, *out in (("clean", "--out", tmp_path / "clean.csv"), ("profile",)):
        code, _, said = call(verb, leads, *out)
        assert code == 2
        assert "1 row could not be read: line 2 has 7 fields, expected 6" in said


@pytest.mark.usefixtures("_without_plots")
def test_a_profile_sets_aside_what_cannot_be_read_and_says_so_on_its_page(call, leads, tmp_path):
    leads.write_text(BROKEN)
    code, _, said = call("profile", leads, "--out", tmp_path / "p", "--no-tokens")
    assert code == 3, said
    assert len(pd.read_csv(tmp_path / "p" / "rejects.csv")) == 3
    assert "3 rows set aside, as not readable" in (tmp_path / "p" / "profile.html").read_text()


def test_a_column_without_a_name_but_with_content_is_kept_under_its_place(call, leads, tmp_path):
    leads.write_text(GIVEN.replace("campaign", ""))
    code, _, said = call("clean", leads, "--out", tmp_path / "clean.csv")
    assert code == 0, said
    assert "Passed through unchanged: 'id'; 'column 6'." in said
    assert pd.read_csv(tmp_path / "clean.csv")["column 6"][0] == "spring, late"


def test_a_title_that_an_unclosed_quote_has_filled_costs_its_row_only(call, tmp_path):
    pd.DataFrame({"What you do": ["cook", "x" * 10_001, "nurse"]}).to_parquet(tmp_path / "leads.parquet")
    options = ("--set", "clean.english_only=false", "--title-column", "What you do")
    code, _, said = call("clean", tmp_path / "leads.parquet", "--out", tmp_path / "clean.csv", *options, config=DEFAULT)
    assert code == 3, said
    assert "row 2 has a title of 10,001 characters, more than the 10,000 of the longest title" in said
    assert pd.read_csv(tmp_path / "clean.csv")["What you do"].tolist() == ["cook", "nurse"]


def test_a_spreadsheet_and_standard_input_are_cleaned_as_the_csv_is(call, leads, tmp_path, monkeypatch):
    assert call("clean", leads, "--out", tmp_path / "csv.csv")[0] == 0
    pd.read_csv(leads, dtype=str).to_excel(tmp_path / "leads.xlsx", index=False)
    assert call("clean", tmp_path / "leads.xlsx", "--out", tmp_path / "xlsx.csv")[0] == 0
    assert (tmp_path / "xlsx.csv").read_bytes() == (tmp_path / "csv.csv").read_bytes()
    for place in (leads, tmp_path / "leads.xlsx"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(place.read_bytes())))
        assert call("clean", "-", "--out", tmp_path / "piped.csv", "--force")[0] == 0
        assert (tmp_path / "piped.csv").read_bytes() == (tmp_path / "csv.csv").read_bytes()


def test_a_profile_of_standard_input_needs_a_name(call):
    code, _, said = call("profile", "-")
    assert code == 2
    assert "Name the output with --out" in said


def test_quarantine_has_every_dropped_row_unchanged_with_reason_and_line(call, leads, tmp_path):
    call("clean", leads, "--out", tmp_path / "clean.parquet", "--set", "clean.english_only=true")
    dropped = pd.read_csv(tmp_path / "clean_report" / "quarantine.csv", dtype=str, keep_default_na=False)
    given = pd.read_csv(leads, dtype=str, keep_default_na=False)
    assert dropped[["reason", "line"]].to_numpy().tolist() == [
        ["missing title", "3"],
        ["foreign title (de)", "6"],
    ]
    assert dropped[given.columns].to_numpy().tolist() == given.iloc[[1, 4]].to_numpy().tolist()
    kept = pl.read_parquet(tmp_path / "clean.parquet")
    assert sorted([*kept["id"], *dropped["id"]]) == given["id"].tolist()


def test_the_readme_of_the_report_folder_lists_its_files(call, leads, tmp_path):
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


def test_clean_writes_a_spreadsheet_with_the_rows_of_the_csv_file(call, leads, tmp_path):
    for name in ("one.csv", "two.xlsx"):
        assert call("clean", leads, "--out", tmp_path / name)[0] == 0
    as_csv = pd.read_csv(tmp_path / "one.csv", dtype=str, keep_default_na=False)
    as_xlsx = pd.read_excel(tmp_path / "two.xlsx", dtype=str, keep_default_na=False, engine="openpyxl")
    pd.testing.assert_frame_equal(as_csv, as_xlsx)


def test_formulas_are_escaped_in_every_file_of_a_cleaning_unless_it_is_to_be_raw(call, tmp_path):
    leads = tmp_path / "leads.csv"
    leads.write_text("Title,note\nIT Manager,=HYPERLINK(1)\n,@SUM(A1)\n=cmd Analyst,+49 30 1234\n")
    setting = ("--set", "clean.english_only=false")
    for name, mark, options in (("safe.csv", "'", ()), ("raw.csv", "", ("--raw",))):
        code, _, said = call("clean", leads, "--out", tmp_path / name, *setting, *options, config=DEFAULT)
        assert code == 0, said
        assert ("3 cells begin like a formula" in said) == bool(mark)  # the original title is one of them
        cleaned = pd.read_csv(tmp_path / name, dtype=str)
        assert cleaned["note"].tolist() == [f"{mark}=HYPERLINK(1)", "+49 30 1234"]
        assert cleaned["Title"].tolist() == ["IT Manager", f"{mark}=cmd Analyst"]
        quarantine = pd.read_csv(tmp_path / name.replace(".csv", "_report") / "quarantine.csv", dtype=str)
        assert quarantine["note"].tolist() == [f"{mark}@SUM(A1)"]


def test_only_the_title_is_required_and_missing_columns_are_reported(call, tmp_path):
    pd.DataFrame({"Rolle": ["IT  Manager", None, "CISO"], "n": [1, 2, 3]}).to_parquet(tmp_path / "bare.parquet")
    options = ["--title-column", "Rolle", "--set", "clean.english_only=false"]
    code, _, said = call("clean", tmp_path / "bare.parquet", "--out", tmp_path / "o.parquet", *options, config=DEFAULT)
    assert code == 0
    assert "not needed: function ('Job Function'), role ('Job Role'), level ('Job Level')" in said
    cleaned = pl.read_parquet(tmp_path / "o.parquet")
    assert cleaned.rows() == [("IT Manager", 1, "IT  Manager"), ("CISO", 3, "CISO")]
    assert cleaned.schema["n"] == pl.Int64


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (("Dept", "Dpt"), [], "Unknown column 'Dept'. Did you mean 'Dpt'?"),
        (("What you do", "Job"), [], "leads.columns.title"),
        (("Dept. of Nursing", "Dept. of Nursng"), [], "Did you mean 'Dept. of Nursing'"),
        (("campaign", "original_title"), [], "disagree with the title or label of their row: original_title (line 2)"),
        (("campaign", "raw_department"), [], "disagree with the title or label of their row: raw_department (line 2)"),
        (("campaign", "original_seniority"), [], "original_seniority (line 2)"),
        (("campaign", "majority_status"), ["--set", CONSENSUS], "majority_status (line 2)"),
        (("campaign", "original_title"), ["--title-column", "original_title"], "title from 'original_title'"),
        (
            ("campaign", "raw_department"),
            ["--set", "leads.columns.targets.department=raw_department"],
            "read have the names of columns that cleaning adds: department from 'raw_department'",
        ),
        (("", ""), ["--title-column", "Nope"], "Unknown column 'Nope'"),
        (("", ""), ["--set", "leads.columns.title=Nope"], "Unknown column 'Nope'"),
        (("", ""), ["--set", "leads.columns.count=Tims"], "Unknown column 'Tims'. Did you mean 'Times'?"),
        (("winter", "9" * 12), ["--set", "leads.columns.count=campaign"], "1 to 1,000,000,000; got line 2"),
        (("", ""), ["--set", "clean.consensus=always"], "clean.consensus = 'always'"),
        (("", ""), ["--set", "clean.contries=[US]"], "unknown key 'clean.contries'. Did you mean 'countries'?"),
        (("", ""), ["--set", "clean.countries=[US]"], "the leads have no such column"),
        (("", ""), ["--set", "leads.columns.targets.rank=Grade"], "Unknown target in leads.columns.targets 'rank'"),
    ],
)
def test_bad_input_gives_one_message_and_writes_nothing(call, leads, tmp_path, change, options, message):
    leads.write_text(leads.read_text().replace(*change, 1) if change[0] else GIVEN)
    code, _, said = call("clean", leads, "--out", tmp_path / "clean.parquet", *options)
    assert code == 2
    assert message in said
    assert [place.name for place in tmp_path.iterdir()] == ["leads.csv"]


def test_outputs_are_replaced_only_with_force_and_foreign_folders_never(call, leads, tmp_path):
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


@pytest.mark.parametrize("name", ["clean.docx", "absent/clean.csv", "clean"])
def test_an_impossible_output_is_refused_before_any_work(call, leads, tmp_path, name):
    code, _, said = call("clean", leads, "--out", tmp_path / name)
    assert code == 2
    assert "expected" in said


def test_a_failed_cleaning_leaves_no_files(call, leads, tmp_path, monkeypatch):
    def broken(*_, **options):
        raise RuntimeError("disk full")

    monkeypatch.setattr("harness.data.lead_files.write_cleaning_folder", broken)
    with pytest.raises(RuntimeError, match="disk full"):
        call("clean", leads, "--out", tmp_path / "clean.parquet")
    assert [place.name for place in tmp_path.iterdir()] == ["leads.csv"]


def test_a_column_named_reason_is_kept_in_quarantine(call, leads, tmp_path):
    leads.write_text(GIVEN.replace("campaign", "reason"))
    call("clean", leads, "--out", tmp_path / "clean.csv")
    dropped = pd.read_csv(tmp_path / "clean_report" / "quarantine.csv")
    assert list(dropped.columns)[:2] == ["quarantine_reason", "line"]
    assert "reason" in dropped.columns


def test_every_column_of_the_file_is_in_quarantine(call, leads, tmp_path):
    leads.write_text(GIVEN.replace("campaign", "reason").replace("id,", "quarantine_reason,").replace("Times", "line"))
    said = call("clean", leads, "--out", tmp_path / "clean.csv", "--set", "leads.columns.count=line")[2]
    dropped = pd.read_csv(tmp_path / "clean_report" / "quarantine.csv", dtype=str, keep_default_na=False)
    assert list(dropped.columns) == [
        *("quarantine_quarantine_reason", "quarantine_line"),
        *("quarantine_reason", "What you do", "Dept", "Grade", "line", "reason"),
    ], said
    assert dropped["quarantine_reason"].tolist() == ["008"]


def test_a_run_sets_aside_what_cannot_be_read_and_its_ledger_counts_it(company, leads, tmp_path):
    leads.write_text(BROKEN)
    config = load_config(company.config, [f"leads.path={leads}"])
    settings = ObtainSettings(leads=config.leads, taxonomy=company.taxonomy, seed=None)
    places = {name: tmp_path / name for name in ("leads", "clean")}
    for place in places.values():
        place.mkdir()
    obtain_leads(settings, {}, places["leads"], silent)
    assert pd.read_csv(places["leads"] / "rejects_leads.csv")["line"].tolist() == [8, 9, 10]
    clean(CleaningSettings(clean=config.clean, taxonomy=company.taxonomy), places, places["clean"], silent)
    ledger = pl.read_parquet(places["clean"] / LEDGER)
    assert ledger.row(0)[:3] == ("leads", "read the file", 14)
    ledger = ledger.filter(file="leads")
    assert ledger["dropped"].sum() + ledger["records_out"][-1] == 14


def test_a_run_cleans_by_the_section_clean_of_its_config(company, tmp_path):
    config = load_config(company.config, ["clean.countries=[US]"])
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
    settings = CleaningSettings(clean=config.clean, taxonomy=company.taxonomy)
    clean(settings, {"leads": tmp_path / "leads"}, tmp_path / "clean", silent)
    merged = pl.read_parquet(tmp_path / "clean" / ROWS)
    assert merged.rows() == [("Cook", "Kitchen", "Head", 2), ("Head Nurse", "Nursing", "Head", 1)]
    expected = clean_leads(given, company.taxonomy, config.clean)
    assert pl.read_parquet(tmp_path / "clean" / CLEAN).equals(expected.kept)
    assert pl.read_parquet(tmp_path / "clean" / LEDGER).drop("file").equals(expected.ledger)
    assert pl.read_csv(tmp_path / "clean" / "quarantine_leads.csv")["reason"].to_list() == ["source not listed (Peru)"]
    other = load_config(company.config)
    prints = [fingerprints(plan(one, company.taxonomy)) for one in (config, other)]
    assert prints[0]["leads"] == prints[1]["leads"]
    assert prints[0]["clean"] != prints[1]["clean"]


def test_foreign_columns_with_our_names_are_not_taken_for_an_earlier_cleaning(call, leads, tmp_path):
    lines = GIVEN.replace("campaign", "raw_department").splitlines()
    known = [lines[0], *(f"{line.rsplit(',', 1)[0]},Garden" for line in lines[1:] if '"' not in line)]
    leads.write_text("\n".join(known) + "\n")
    code, _, said = call("clean", leads, "--out", tmp_path / "clean.csv")
    assert code == 2
    assert "raw_department (line 2)" in said


def test_empty_cells_of_an_earlier_cleaning_are_filled(call, leads, tmp_path):
    once = tmp_path / "once.csv"
    assert call("clean", leads, "--out", once, "--set", CONSENSUS)[0] == 0
    once.write_text(once.read_text() + "013,Night  Cook,Dept. of Kitchen,Head,1,,,,,,,\n")
    code, _, said = call("clean", once, "--out", tmp_path / "twice.csv", "--set", CONSENSUS)
    assert code == 0, said
    last = pd.read_csv(tmp_path / "twice.csv", dtype=str, keep_default_na=False).iloc[-1]
    assert last[["What you do", "original_title"]].tolist() == ["Night Cook", "Night  Cook"]
    assert last[["raw_department", "original_department", "majority_status"]].tolist() == [
        *("Dept. of Kitchen", "Kitchen", "too few")
    ]


def test_labels_from_an_earlier_consensus_keep_their_status(call, leads, tmp_path):
    """Cleaning again what is left of a title must not call its mended label one of too few records."""
    once = tmp_path / "once.csv"
    call("clean", leads, "--out", once, "--set", CONSENSUS)
    rows = pd.read_csv(once, dtype=str, keep_default_na=False)
    mended = rows[rows["Grade"] != rows["original_seniority"]]
    assert mended["majority_status"].tolist() == ["majority"]
    mended.to_csv(once, index=False)
    code, _, said = call("clean", once, "--out", tmp_path / "twice.csv", "--set", CONSENSUS)
    assert code == 0, said
    again = pd.read_csv(tmp_path / "twice.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(again, mended.reset_index(drop=True))


def test_blank_lines_and_nameless_columns_are_reported(call, leads, tmp_path):
    leads.write_text("\n".join(line + "," for line in GIVEN.splitlines()[:3]) + "\n\n\n")
    code, _, said = call("clean", leads, "--out", tmp_path / "clean.csv")
    assert code == 0
    assert "Blank lines, skipped: 2." in said
    assert "Columns without name and content, left out: 7, from the left." in said
    assert "Kept 3 of " in said
    leads.write_text("What you do,Dept,Grade,Times\nCook,Kitchen,Head,1\n")
    assert "Kept 1 of 1 records (100.0%)" in call("clean", leads, "--out", tmp_path / "clean.csv", "--force")[2]


@pytest.mark.usefixtures("_without_plots")
def test_a_column_that_csv_cannot_hold_needs_a_parquet_output(call, tmp_path):
    given = pl.DataFrame(
        {"Title": ["CISO", None], "n": [1.0, 2.0], "took": [timedelta(1), timedelta(2)], "tags": [["a"], ["b", "c"]]}
    )
    given.write_parquet(tmp_path / "l.parquet")
    options = ["--set", "clean.english_only=false", "--set", "leads.columns.count=n"]
    code, _, said = call("clean", tmp_path / "l.parquet", "--out", tmp_path / "o.csv", *options, config=DEFAULT)
    assert code == 2
    assert "column 'took'; 'tags' holds Duration" in said
    assert "--out that ends in .parquet" in said
    code, _, said = call("clean", tmp_path / "l.parquet", "--out", tmp_path / "o.parquet", *options, config=DEFAULT)
    assert code == 0, said
    assert pl.read_parquet(tmp_path / "o.parquet").select(given.columns).equals(given[:1])
    dropped = pl.read_parquet(tmp_path / "o_report" / "quarantine.parquet")
    assert dropped.drop("reason", "row").equals(given[1:])
    assert dropped["row"].to_list() == [2]
    assert "quarantine.parquet" in (tmp_path / "o_report" / "README.md").read_text()
    assert call("profile", tmp_path / "l.parquet", "--out", tmp_path / "look", "--no-tokens", config=DEFAULT)[0] == 0


def test_a_target_whose_column_has_other_content_can_be_left_out(call, tmp_path):
    (tmp_path / "l.csv").write_text("Title,Job Function,Level\nCISO,IT,C-Level\nIT Manager,IT,attic\n")
    options = ["--out", tmp_path / "o.csv", "--set", "clean.english_only=false"]
    said = call("clean", tmp_path / "l.csv", *options, config=DEFAULT)[2]
    assert '--set "leads.columns.targets={function: <its column>}"' in said
    for targets, added in (("{function: Job Function}", ["raw_function"]), ("{}", [])):
        mapped = ["--set", f"leads.columns.targets={targets}", "--force"]
        code, _, said = call("clean", tmp_path / "l.csv", *options, *mapped, config=DEFAULT)
        assert code == 0, said
        cleaned = pd.read_csv(tmp_path / "o.csv")
        assert list(cleaned.columns) == ["Title", "Job Function", "Level", "original_title", *added]
        assert cleaned["Level"].tolist() == ["C-Level", "attic"]


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_a_column_without_any_label_of_the_taxonomy_is_passed_on_and_named(call, tmp_path, ending):
    levels = pl.DataFrame({"Title": ["CISO", "IT Manager"], "Job Function": ["IT", "IT"], "Job Level": [1.0, 2.0]})
    leads, out = tmp_path / f"l.{ending}", tmp_path / "o.csv"
    if ending == "csv":
        levels.cast({"Job Level": pl.Int64}).write_csv(leads)
    elif ending == "xlsx":
        levels.write_excel(leads)
    else:
        levels.write_parquet(leads)
    code, _, said = call("clean", leads, "--out", out, "--set", "clean.english_only=false", config=DEFAULT)
    assert code == 0, said
    assert "'Job Level' is not read as the level: none of its 2 labels ('1'; '2') is in the taxonomy." in said
    cleaned = pd.read_csv(out)
    assert list(cleaned.columns) == [*levels.columns, "original_title", "raw_function"]
    assert cleaned["Job Level"].tolist() == [1, 2]
    code, _, said = call(
        "audit", "configs/keywords/2023.csv", "--leads", leads, "--out", tmp_path / "audit", config=DEFAULT
    )
    assert code == 0, said
    assert "not read as the level" in said


def test_numbers_are_labels_as_they_are_written_where_the_taxonomy_knows_them(call, tmp_path):
    (tmp_path / "taxonomy.yaml").write_text("targets: {level: {classes: {Top: [1, 2], Rest: [3]}}}\n")
    levels = pl.DataFrame({"Title": ["CISO", "IT Manager", "Clerk"], "Job Level": [1.0, 2.0, 3.0]})
    levels.write_parquet(tmp_path / "l.parquet")
    settings = (
        f"taxonomy={tmp_path / 'taxonomy.yaml'}",
        "leads.columns.targets={level: Job Level}",
        "clean.english_only=false",
    )
    options = [part for setting in settings for part in ("--set", setting)]
    code, _, said = call("clean", tmp_path / "l.parquet", "--out", tmp_path / "o.csv", *options, config=DEFAULT)
    assert code == 0, said
    cleaned = pd.read_csv(tmp_path / "o.csv", dtype=str)
    assert cleaned[["Job Level", "raw_level"]].to_numpy().tolist() == [["Top", "1"], ["Top", "2"], ["Rest", "3"]]


def test_reports_have_the_majority_status_and_a_minimum_of_records(call, leads, tmp_path):
    call("clean", leads, "--out", tmp_path / "a.csv", "--set", "clean.min_support=3")
    folder = tmp_path / "a_report"
    assert pd.read_csv(folder / "majority.csv")["records"].tolist() == [5, 0, 2]
    assert not list(folder.glob("*.tex"))
    listed = pd.read_csv(folder / "label_combinations.csv")
    assert listed[["title", "records", "rank"]].to_numpy().tolist() == [
        ["Head Nurse", 4, 1],
        ["Head Nurse", 1, 2],
        ["Leiter der Buchhaltung", 2, 1],
    ]
    call("clean", leads, "--out", tmp_path / "b.csv", "--set", "clean.report_min_records=3")
    assert len(pd.read_csv(tmp_path / "b_report" / "label_combinations.csv")) == 2
