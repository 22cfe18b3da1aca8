import subprocess
import sys

import polars as pl
import pytest
import yaml

from data_cleaning.errors import BadInput
from data_cleaning.files import Layout
from data_cleaning.progress import silent
from data_cleaning.taxonomy import Taxonomy
from harness.data.new_config import write_new_config
from harness.data.new_taxonomy import GivenLeads, labels_of_table
from harness.experiment.config_file import load_config
from harness.experiment.run import run

TITLES = [
    f"{grade} {job}".strip()
    for grade in ("", "Senior", "Chief", "Junior", "Lead")
    for job in ("Nurse", "Teacher", "IT Manager", "Driver", "Security Analyst", "Cook", "Buyer", "Account Executive")
]
THEIR_TABLE = """Keyword;Priority;Division;Rank
nurse;5;Wards;
teacher;5;School;
manager;4;Office;Manager
chief;1;;Director
senior;2;;Staff
junior;2;;Staff
cook;5;Others;
"""


@pytest.fixture
def init(tmp_path, monkeypatch):
    """Return a function that writes a config for files in the current folder; it returns config, taxonomy and words."""
    monkeypatch.chdir(tmp_path)

    def call(leads, table=None, out=None, **options):
        said = []
        given = {"title_column": None, "encoding": None, "layout": Layout(), "force": False, **options}
        paths = [None if one is None else tmp_path / one for one in (leads, table, out)]
        done = write_new_config(*paths, announce=said.append, **given)
        content = yaml.safe_load(done.config.read_text(encoding="utf-8"))
        return done, content, Taxonomy.read(done.config.with_name("taxonomy.yaml")), "\n".join(said)

    return call


def finished(done, tmp_path, *overrides):
    """Run a config as it was written, but for the systems that take long."""
    config = load_config(
        done.config, ("systems=[majority, keyword, tfidf]", "tfidf.min_titles=1", *overrides), allowed=()
    )
    made = run(config, results=tmp_path / "results", out=None, fresh=False, on_progress=silent, announce=lambda _: None)
    return pl.read_csv(made.folder / "tables" / "summary.csv")


def test_leads_without_labels_are_labelled_by_a_copy_of_the_projects_table(init, tmp_path):
    frame = pl.DataFrame({"First Name": ["A"] * 40, "Company": ["Acme"] * 40, "Position": TITLES})
    frame.write_csv(tmp_path / "connections.csv")
    done, content, taxonomy, said = init("connections.csv")
    assert content["leads"] == {
        "path": "../connections.csv",
        "labels": "table",
        "columns": {"title": "Position", "targets": {}},
    }
    assert taxonomy.names == ("function", "role", "level")
    assert (tmp_path / "connections_config" / "keywords.csv").exists()
    assert "Titles are read from 'Position'" in said
    assert "label some titles by hand" in done.config.read_text()
    scores = finished(done, tmp_path, "clean.english_only=false")
    assert scores.filter(pl.col("system") == "keyword")["all"].item() == 1


def test_labels_are_found_under_other_names_by_what_they_are(init, tmp_path):
    frame = pl.DataFrame({
        "Lead ID": [f"L{number}" for number in range(40)],
        "JOB_TITLE": TITLES,
        "CRM group": ["IT", "Sales", "Cybersecurity", "Gardening"] * 10,
        "Area": ["Systems", "ERP", "Help Desk", "Networking"] * 10,
        "Grade": ["Manager", "Individual contributor", "VP", "C-Level"] * 10,
    })  # fmt: skip
    frame.write_csv(tmp_path / "crm.csv")
    done, content, taxonomy, said = init("crm.csv")
    assert content["leads"]["columns"] == {
        "title": "JOB_TITLE",
        "record": "Lead ID",
        "targets": {"function": "CRM group", "role": "Area", "level": "Grade"},
    }
    assert "labels" not in content["leads"]
    assert taxonomy["function"].group("Gardening") == "Gardening"
    assert taxonomy["level"].group("Individual contributor") == "Contributor"
    assert "Classes of their own, being unknown: 'Gardening'" in said
    assert set(finished(done, tmp_path, "clean.english_only=false")["system"]) >= {"majority", "keyword", "tfidf"}


def test_the_targets_of_another_companys_table_are_taken(init, tmp_path):
    (tmp_path / "table.csv").write_text(THEIR_TABLE)
    text = pl.DataFrame({"Title": ["Mr", "Ms"] * 20, "Beruf": TITLES, "Ort": ["Köln"] * 40}).write_csv()
    (tmp_path / "theirs.csv").write_bytes(text.encode("latin-1"))
    done, content, taxonomy, said = init("theirs.csv", "table.csv", "my")
    assert taxonomy.names == ("Division", "Rank")
    assert taxonomy["Division"].fallback == "Others"
    assert taxonomy["Rank"].classes == ("Director", "Manager", "Staff", "Other")
    assert taxonomy["Rank"].ordinal
    assert content["leads"]["columns"]["title"] == "Beruf"
    assert content["leads"]["encoding"] == "latin-1"
    assert content["keyword"] == {"table": "../table.csv"}
    assert not (tmp_path / "my" / "keywords.csv").exists()
    assert "'Title' is not read as titles" in said
    assert finished(done, tmp_path, "clean.english_only=false").filter(pl.col("system") == "keyword")["all"].item() == 1


def test_leads_with_labels_of_their_own_and_no_table_need_no_keyword_systems(init, tmp_path):
    frame = pl.DataFrame({"Job Title": TITLES, "Department": ["Ward", "Lab"] * 20, "Grade": ["A", "B", "C", "No"] * 10})
    frame.write_csv(tmp_path / "hr.csv")
    done, content, taxonomy, _ = init("hr.csv")
    assert content["systems"] == ["majority", "tfidf", "neural"]
    assert content["leads"]["columns"]["targets"] == {"Department": "Department", "Grade": "Grade"}
    assert set(taxonomy["Grade"].classes) == {"A", "B", "C", "No"}
    assert "keyword" not in content
    finished(done, tmp_path, "clean.english_only=false", "systems=[majority, tfidf]")


def test_nothing_is_replaced_without_force(init, tmp_path):
    pl.DataFrame({"Job Title": TITLES}).write_csv(tmp_path / "leads.csv")
    done, *_ = init("leads.csv")
    done.config.write_text("mine")
    with pytest.raises(BadInput, match=r"config\.yaml.*already"):
        init("leads.csv")
    assert done.config.read_text() == "mine"
    init("leads.csv", force=True)
    assert done.config.read_text() != "mine"


def test_a_table_that_is_none_is_refused_before_anything_is_written(init, tmp_path):
    pl.DataFrame({"Job Title": TITLES}).write_csv(tmp_path / "leads.csv")
    (tmp_path / "notes.csv").write_text("word,note\na,b\n")
    (tmp_path / "faulty.csv").write_text("keyword,priority,Rank\nchief,first,Boss\n")
    with pytest.raises(BadInput, match="no column 'keyword', so it is no keyword table"):
        init("leads.csv", "notes.csv")
    with pytest.raises(BadInput, match="priority 'first'"):
        init("leads.csv", "faulty.csv")
    assert not (tmp_path / "leads_config").exists()


def test_the_command_allows_files_elsewhere(init, tmp_path, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("else where")
    pl.DataFrame({"Job Title": TITLES}).write_excel(elsewhere / "leads.xlsx")
    done, *_ = init(elsewhere / "leads.xlsx")
    assert f"--allow '{elsewhere.resolve()}'" in done.command


def test_the_verb_says_what_to_do_next(tmp_path):
    pl.DataFrame({"What is your\njob title?": TITLES}).write_excel(tmp_path / "event.xlsx")
    call = [sys.executable, "-m", "harness", "init", "event.xlsx", "--out", "my"]
    said = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "python -m harness run all --config my/config.yaml"
    assert "Titles are read from 'What is your job title?'" in said.stderr


def test_labels_of_a_table_are_read_in_any_encoding_and_remarks_are_none(tmp_path):
    rows = "".join(f"word{number},5,{'Küche' if number % 2 else 'Büro'},remark {number}\n" for number in range(40))
    (tmp_path / "table.csv").write_bytes(f"KEYWORD,Priority,Team,Notes\n{rows}".encode("cp1252"))
    assert labels_of_table(tmp_path / "table.csv") == {"Team": ["Büro", "Küche"]}


def test_labels_that_are_numbers_are_listed_as_a_run_reads_them(tmp_path):
    pl.DataFrame({"Title": ["CISO", "Cook", "Nurse"], "Job Level": [1.0, 2.0, 2.0]}).write_parquet(
        tmp_path / "l.parquet"
    )
    read = GivenLeads.read(tmp_path / "l.parquet", None, None, Layout(), lambda _: None)
    assert read.candidates() == {"Job Level": ["2", "1"]}
