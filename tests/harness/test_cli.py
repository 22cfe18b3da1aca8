import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from typer.main import get_command

from harness.cli import app, main

COMMANDS = get_command(app).commands
VERBS = {name: verb for name, verb in COMMANDS.items() if name != "suggest"}
VERBS |= {f"suggest {name}": verb for name, verb in COMMANDS["suggest"].commands.items()}


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["title-harness", *map(str, arguments)])
    try:
        main()
    except SystemExit as stop:
        return stop.code
    return 0


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_verb_has_help_with_an_example(verb):
    assert f"Example: python -m harness {verb}" in VERBS[verb].help


def test_the_module_is_the_command():
    shown = subprocess.run([sys.executable, "-m", "harness", "--help"], capture_output=True, text=True, check=True)
    assert "run" in shown.stdout
    assert "predict" in shown.stdout


@pytest.fixture(scope="module")
def cheap_run(company, tmp_path_factory):
    results = tmp_path_factory.mktemp("cli") / "results"
    command = [sys.executable, "-m", "harness", "run", "all", "--config", company.config, "--results", results]
    done = subprocess.run(
        [*map(str, command), "--set", "systems=[majority, keyword]"], capture_output=True, text=True, check=True
    )
    return results, done


def test_a_run_ends_with_tables_and_says_where_everything_lies(cheap_run):
    results, done = cheap_run
    (folder,) = results.glob("company-*")
    assert "Read this first" in done.stdout
    assert f"Everything lies in {folder}" in done.stdout
    assert "making fit/title/legacy/keyword" in done.stderr


def test_one_system_runs_alone(company, monkeypatch, cheap_run, capsys):
    results, _ = cheap_run
    assert call(monkeypatch, "run", "majority", "--config", company.config, "--results", results) == 0
    shown = capsys.readouterr()
    assert "Reused" in shown.err
    assert "keyword" not in shown.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "everything"], "Unknown run 'everything'"),
        (["run", "all", "--set", "seeds=1"], "unknown key 'seeds'. Did you mean 'seed'?"),
        (["run", "all", "--set", "leads.path=absent.csv"], "No file at"),
        (["run", "all", "--set", "keyword.table=absent.csv"], "absent.csv"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(company, monkeypatch, capsys, tmp_path, arguments, message):
    assert call(monkeypatch, *arguments, "--config", company.config, "--results", tmp_path) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert "Traceback" not in shown


LEADS = "What you do,Dept,Grade,Times\n"
TABLE = "keyword,priority,department,seniority\n"


@pytest.mark.parametrize(
    ("setting", "content", "message"),
    [
        ("leads.path", None, "No file at"),
        ("leads.path", "", "is empty"),
        ("leads.path", "What you did,Dept,Grade,Times\na,Kitchen,Head,1\n", "Did you mean 'What you did'?"),
        ("leads.path", LEADS + "a,b,Kitchen,Head,1\n", "line 2 has 5 fields"),
        ("leads.path", LEADS + "cook,Kitchn,Head,1\n", "Unknown department label 'Kitchn'. Did you mean 'Kitchen'?"),
        ("leads.path", (LEADS + "cuisinièr,Kitchen,Head,1\n").encode("latin-1"), "line 2 is not utf-8 (byte 0xe8)"),
        ("leads.path", LEADS + "co\0ok,Kitchen,Head,1\n", "line 2 holds a NUL byte"),
        ("keyword.table", TABLE + "cook,1,Kitchen,\ncook,2,Kitchen,\n", "line 3"),
        ("keyword.table", TABLE + "cook,first,Kitchen,\n", "'first'"),
        ("taxonomy", "targets: {a: 1}", "needs a mapping 'classes'"),
    ],
)
def test_a_bad_file_is_one_message_and_exit_code_2(company, monkeypatch, capsys, tmp_path, setting, content, message):
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    settings = ["--set", f"{setting}={path}", "--set", "systems=[majority, keyword]"]
    assert call(monkeypatch, "run", "all", "--config", company.config, "--results", tmp_path / "r", *settings) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert str(path) in shown or setting == "leads.path"
    assert "Traceback" not in shown


def test_predict_keeps_the_types_of_a_parquet_file(company, monkeypatch, cheap_run, tmp_path):
    results, _ = cheap_run
    leads, out = tmp_path / "any.parquet", tmp_path / "tagged.parquet"
    given = pd.DataFrame(
        {"_title": [1.5, 2.5], "What you do": ["head nurse", None], "day": pd.to_datetime(["2023-01-01"] * 2)}
    )
    given.to_parquet(leads)
    assert call(monkeypatch, "predict", leads, "--out", out, "--system", "keyword", "--results", results) == 0
    tagged = pd.read_parquet(out)
    pd.testing.assert_frame_equal(tagged[list(given.columns)], pd.read_parquet(leads))
    assert tagged["department"].tolist()[0] == "Nursing"
    assert pd.isna(tagged["department"][1])


def test_predict_writes_gzip_says_what_it_skipped_and_never_replaces_its_input(
    company, monkeypatch, cheap_run, tmp_path, capsys
):
    results, _ = cheap_run
    leads, out = tmp_path / "any.csv", tmp_path / "tagged.csv.gz"
    leads.write_text("JOB TITLE,n\ncook,1\n\nnurse,2\n")
    options = ["--system", "keyword", "--results", results]
    assert call(monkeypatch, "predict", leads, "--out", out, *options) == 0
    assert pd.read_csv(out)["department"].tolist() == ["Kitchen", "Nursing"]
    shown = capsys.readouterr().err
    assert "Blank lines, skipped: 1 (line 3)." in shown
    assert "Tagged 2 rows (2 distinct titles, 0 rows without a title)" in shown
    assert call(monkeypatch, "predict", leads, "--out", leads, "--force", *options) == 2
    assert "is the file that is read" in capsys.readouterr().err
    assert call(monkeypatch, "predict", leads, "--out", out, "--force", "--title-column", "Title", *options) == 2
    assert "Unknown column 'Title'" in capsys.readouterr().err
    pd.DataFrame({"title": ["cook"], "tags": [["a"]]}).to_parquet(tmp_path / "l.parquet")
    assert call(monkeypatch, "predict", tmp_path / "l.parquet", "--out", out, "--force", *options) == 2
    assert "which a CSV file cannot" in capsys.readouterr().err


def test_predict_keeps_empty_lines_of_a_file_of_one_column(company, monkeypatch, cheap_run, tmp_path):
    results, _ = cheap_run
    leads, out = tmp_path / "any.csv", tmp_path / "tagged.csv"
    leads.write_text("What you do\ncook\n\nnurse\n")
    assert call(monkeypatch, "predict", leads, "--out", out, "--system", "keyword", "--results", results) == 0
    assert pd.read_csv(out)["department"].fillna("").tolist() == ["Kitchen", "", "Nursing"]


def test_predict_never_takes_a_run_that_was_not_finished(company, monkeypatch, cheap_run, tmp_path, capsys):
    results, _ = cheap_run
    (folder,) = (place for place in results.glob("company-*") if (place / "models/record/legacy/keyword").is_dir())
    shutil.copytree(folder, tmp_path / "r" / "unfinished-1-company")
    (tmp_path / "any.csv").write_text("What you do\ncook\n")
    where = ["--results", tmp_path / "r", "--system", "keyword", "--out", tmp_path / "out.csv"]
    assert call(monkeypatch, "predict", tmp_path / "any.csv", *where) == 2
    assert "No run under" in capsys.readouterr().err


def test_predict_keeps_columns_and_order_and_adds_labels(company, monkeypatch, cheap_run, tmp_path):
    results, _ = cheap_run
    leads, out = tmp_path / "any.csv", tmp_path / "tagged.csv"
    leads.write_text('id,What you do,note\n007,head nurse,\n008,,x\n009,Chief COOK,"a,b"\n010,head nurse,\n')
    assert call(monkeypatch, "predict", leads, "--out", out, "--system", "keyword", "--results", results) == 0
    tagged = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert list(tagged.columns) == [
        *("id", "What you do", "note"),
        *("department", "department_confidence", "seniority", "seniority_confidence"),
    ]
    assert tagged["id"].tolist() == ["007", "008", "009", "010"]
    assert tagged["note"].tolist() == ["", "x", "a,b", ""]
    assert tagged["department"].tolist() == ["Nursing", "", "Kitchen", "Nursing"]
    assert tagged["seniority"].tolist() == ["Head", "", "Chief", "Head"]
    assert float(tagged["department_confidence"][0]) > 0.5


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("What you do\ncook\n", ["--system", "tfidf"], "has a fitted 'tfidf'"),
        ("What you do\ncook\n", ["--system", "keywrd"], "Did you mean 'keyword'?"),
        ("Job\ncook\n", [], "Name the column of titles with --title-column"),
        ("What you do,department\ncook,x\n", [], "already has columns that would be added: department"),
    ],
)
def test_predict_refuses_what_it_cannot_do(
    company, monkeypatch, cheap_run, tmp_path, capsys, content, options, message
):
    results, _ = cheap_run
    leads, out = tmp_path / "any.csv", tmp_path / "tagged.csv"
    leads.write_text(content)
    options = options or ["--system", "keyword"]
    assert call(monkeypatch, "predict", leads, "--out", out, "--results", results, *options) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_predict_never_replaces_a_file_unless_forced(company, monkeypatch, cheap_run, tmp_path, capsys):
    results, _ = cheap_run
    leads, out = tmp_path / "any.csv", tmp_path / "tagged.csv"
    leads.write_text("What you do\ncook\n")
    out.write_text("precious")
    options = ["predict", leads, "--out", out, "--system", "keyword", "--results", results]
    assert call(monkeypatch, *options) == 2
    assert out.read_text() == "precious"
    assert "--force" in capsys.readouterr().err
    assert call(monkeypatch, *options, "--force") == 0
    assert "Kitchen" in out.read_text()


def test_the_saved_config_is_one_that_runs_again(monkeypatch, cheap_run, capsys):
    results, _ = cheap_run
    (folder,) = (place for place in results.glob("company-*") if (place / "models/record/legacy/keyword").is_dir())
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    assert settings["systems"] == ["majority", "keyword"]
    assert not Path(settings["leads"]["path"]).is_absolute()
    assert call(monkeypatch, "run", "all", "--config", folder / "config.yaml", "--results", results) == 0
    shown = capsys.readouterr()
    assert "nothing had changed" in shown.err
    assert f"Everything lies in {folder}" in shown.out
