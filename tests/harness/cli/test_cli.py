import errno
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from polars.exceptions import PanicException
from typer.main import get_command

from data_cleaning.errors import LITTLE_MEMORY
from harness.cli import app, main

COMMANDS = get_command(app).commands
GROUPS = ("suggest", "hierarchy", "review")
VERBS = {name: verb for name, verb in COMMANDS.items() if name not in GROUPS}
VERBS |= {f"{group} {name}": verb for group in GROUPS for name, verb in COMMANDS[group].commands.items()}


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


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        pa.ArrowMemoryError("malloc"),
        ImportError("x.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
        PanicException("could not spawn threads: Resource temporarily unavailable"),
    ],
)
def test_too_little_memory_is_one_message(monkeypatch, capsys, error):
    def fail(**_):
        raise error

    monkeypatch.setattr("harness.cli.app", fail)
    assert call(monkeypatch, "run") == 2
    assert capsys.readouterr().err.startswith("Error: The memory that this process may use is not enough.")


@pytest.mark.parametrize("error", [KeyError("x"), PanicException("index out of bounds"), KeyboardInterrupt()])
def test_faults_of_the_program_and_interrupts_pass(monkeypatch, error):
    def fail(**_):
        raise error

    monkeypatch.setattr("harness.cli.app", fail)
    with pytest.raises(type(error)):
        call(monkeypatch, "run")


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
@pytest.mark.parametrize("mebibytes", [300, 500])
def test_memory_that_does_not_suffice_for_the_libraries_is_one_message(mebibytes):
    limited = f"ulimit -v {mebibytes * 1024}; exec {shlex.quote(sys.executable)} -m harness --version"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"Error: {LITTLE_MEMORY}\n"


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


def test_a_run_ends_with_its_verdict_one_table_and_the_folder_of_its_results(cheap_run):
    results, done = cheap_run
    (folder,) = results.glob("company-*")
    assert done.stdout.startswith("Keep keyword, the table in force: .")
    assert "Which system to use" in done.stdout
    assert "Read this first" not in done.stdout
    assert len(done.stdout.splitlines()) <= 40
    assert f"All results are in {folder}" in done.stdout
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
        (["run", "all", "--set", "sead=1"], "unknown key 'sead'. Did you mean 'seed'?"),
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


def test_the_saved_config_is_one_that_runs_again(monkeypatch, cheap_run, capsys):
    results, _ = cheap_run
    (folder,) = (place for place in results.glob("company-*") if (place / "models/record/legacy/keyword").is_dir())
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    assert settings["systems"] == ["majority", "keyword"]
    assert not Path(settings["leads"]["path"]).is_absolute()
    trusted = ["--allow", results.parents[1]]
    assert call(monkeypatch, "run", "all", "--config", folder / "config.yaml", "--results", results, *trusted) == 0
    shown = capsys.readouterr()
    assert "nothing had changed" in shown.err
    assert f"All results are in {folder}" in shown.out
    again = ["run", "all", "--config", folder / "config.yaml", "--results", results, *trusted]
    assert call(monkeypatch, *again, "--tables", "summary,costs") == 0
    some = capsys.readouterr().out
    assert "Read this first" in some
    assert "What does each system cost?" in some
    assert "What cleaning did" not in some
    assert call(monkeypatch, *again, "--tables", "all") == 0
    every = capsys.readouterr().out
    assert "What cleaning did" in every
    assert call(monkeypatch, *again, "--tables", "sumary") == 2
    assert "Unknown table 'sumary'. Did you mean 'summary'?" in capsys.readouterr().err


def test_warnings_of_libraries_stay_off_the_screen_and_our_own_are_shown():
    lines = (
        "import logging, sys, warnings",
        "from data_cleaning.errors import Notice",
        "from harness.cli import hide_library_warnings",
        "hide_library_warnings()",
        "warnings.warn('of scikit-learn', UserWarning)",
        "warnings.warn('of torch', FutureWarning)",
        "logging.getLogger('transformers').warning('of transformers')",
        "from transformers.utils import logging as theirs",
        "list(theirs.tqdm(range(3), desc='Writing model shards'))",
        "warnings.warn('The device ran out of memory.', Notice)",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "Warning: The device ran out of memory.\n")
