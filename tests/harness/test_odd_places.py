"""Pipes, devices, sockets and folders where a file is expected: one message within seconds, exit code 2.

Every case is an option and a kind of place.
"""

import itertools
import os
import shutil
import signal
import socket

import pytest

from harness.keywords.suggestion_sheets import CSV_NAME, Origin, write_suggestions
from harness.tagging.export import export_model
from harness.tagging.models import NO_HIERARCHY
from tests.fuzz.fuzz_size import FULL
from tests.harness.keywords.given_suggestions import ALL, edit_csv
from tests.harness.tagging.given_run import HIERARCHY, toy_run

SECONDS = 20


def pipe(path):
    os.mkfifo(path)


def zeros(path):
    path.symlink_to("/dev/zero")


def nothing(path):
    path.symlink_to("/dev/null")


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as opened:
        here = os.open(".", os.O_RDONLY)
        os.chdir(path.parent)  # the name of a socket must be short
        try:
            opened.bind(path.name)
        finally:
            os.fchdir(here)
            os.close(here)


def folder(path):
    path.mkdir()


def linked_to_itself(path):
    path.symlink_to(path)


KINDS = (pipe, zeros, nothing, a_socket, folder, linked_to_itself)

OUT = ("--out", "out.csv")
PREDICT = ("predict", "leads.csv", *OUT, "--system", "keyword", "--hierarchy", "none")
ALLOW = ("--allow", "/dev")
OPTIONS = {
    "config": ("clean", "leads.csv", *OUT, "--config", "odd"),
    "config of a run": ("run", "all", "--config", "odd"),
    "taxonomy of a config": ("clean", "leads.csv", *OUT, *ALLOW, "--set", "taxonomy=odd", "--config", "company"),
    "taxonomy of a check": ("check", "leads.csv", "--taxonomy", "odd", "--hierarchy", "none"),
    "taxonomy of a hierarchy": ("hierarchy", "check", "hierarchy.yaml", "--taxonomy", "odd"),
    "hierarchy": ("hierarchy", "check", "odd"),
    "hierarchy of predict": (*PREDICT[:-1], "odd", "--run", "run"),
    "hierarchy of check": ("check", "leads.csv", "--hierarchy", "odd"),
    "hierarchy of export": ("export", "run", "exported", "--hierarchy", "odd"),
    "old hierarchy": ("hierarchy", "diff", "odd", "hierarchy.yaml", "--leads", "leads.csv", "--run", "run"),
    "layout": (*PREDICT, "--run", "run", "--layout", "odd"),
    "layout of export": ("export", "run", "exported", "--layout", "odd", "--hierarchy", "none"),
    "keyword table": ("audit", "odd", "--config", "company"),
    "keyword table of a check": ("check", "leads.csv", "--table", "odd"),
    "keyword table of a config": ("run", "all", *ALLOW, "--set", "keyword.table=odd", "--config", "company"),
    "other keyword table": ("diff", "keywords.csv", "odd", "--config", "company"),
    "keyword table of suggestions": ("suggest", "apply", CSV_NAME, "--table", "odd", "--config", "company"),
    "reviewed titles": ("run", "all", *ALLOW, "--set", "reviewed.path=odd", "--config", "company"),
    "truth": ("run", "all", *ALLOW, "--set", "truth=odd", "--config", "company"),
    "leads of a config": ("run", "all", *ALLOW, "--set", "leads.path=odd", "--config", "company"),
    "test leads": ("run", "all", *ALLOW, "--set", "leads.test_path=odd", "--config", "company"),
    "rejected suggestions": ("run", "all", *ALLOW, "--set", "mining.rejected=odd", "--config", "company"),
    "marked workbook": ("suggest", "apply", "odd.xlsx", "--config", "company"),
    "marked CSV": ("suggest", "apply", "odd.csv", "--config", "company"),
    "marked JSON": ("suggest", "apply", "odd.json", "--config", "company"),
    "run folder": (*PREDICT, "--run", "odd"),
    "model folder": (*PREDICT, "--model", "odd"),
    "results": (*PREDICT, "--results", "odd"),
    "run to export": ("export", "odd", "exported", "--hierarchy", "none"),
    "leads of predict": ("predict", "odd", *OUT, "--run", "run"),
    "leads of clean": ("clean", "odd", *OUT, "--config", "company"),
    "leads of profile": ("profile", "odd", "--config", "company"),
    "leads of check": ("check", "odd"),
    "labelled leads of an audit": ("audit", "keywords.csv", "--leads", "odd", "--config", "company"),
    "leads of diff": ("diff", "keywords.csv", "keywords.csv", "--leads", "odd", "--config", "company"),
    "leads of init": ("init", "odd", "keywords.csv"),
    "table of init": ("init", "leads.csv", "odd", "--title-column", "What you do"),
    "titles of simulate": ("simulate", *OUT, "--titles", "odd"),
    "a system of one's own": ("new-system", "--check", "odd.py:Mine"),
}
INSIDE = [
    *(("run", f"run/{name}") for name in ("run.json", "config.yaml", "taxonomy.yaml", "SHA256SUMS")),
    *(("run", f"run/models/record/legacy/keyword/{name}") for name in ("keyword.json", "keywords.csv", "SHA256SUMS")),
    *(("model", f"model/{name}") for name in ("model.json", "taxonomy.yaml", "SHA256SUMS")),
    *(("model", f"model/systems/keyword/{name}") for name in ("keyword.json", "keywords.csv")),
]


def cases(options):
    """Pair each option with a pipe and one other kind in turn, or, where all are asked for, with every kind."""
    if FULL:
        return [*itertools.product(options, KINDS)]
    others = itertools.cycle(KINDS[1:])
    return [(option, kind) for option in options for kind in (pipe, next(others))]


def named(case):
    return case.__name__ if callable(case) else case[1] if isinstance(case, tuple) else case


@pytest.fixture(scope="module")
def whole(company, tmp_path_factory):
    """A folder with all that the options are given, which each test copies."""
    place = tmp_path_factory.mktemp("whole")
    run = toy_run(company.config)
    kept = shutil.ignore_patterns("tfidf", "neural", "keyword+mined", "keyword-corrected", "majority", "predictions")
    shutil.copytree(run, place / "run", ignore=kept)
    export_model(run, place / "model", hierarchy=NO_HIERARCHY)
    shutil.copyfile(company.folder / "keywords.csv", place / "keywords.csv")
    shutil.copyfile(company.folder / "leads.csv", place / "leads.csv")
    (place / "hierarchy.yaml").write_text(HIERARCHY)
    origin = Origin.of(place / "keywords.csv", company.taxonomy.names, run="r", split="title", learned_from="legacy")
    write_suggestions(place, ALL, origin)
    edit_csv(place / CSV_NAME, {(2, "accept"): "accept"})
    return place


@pytest.fixture
def refused(call, company, tmp_path, monkeypatch):
    """Call a verb, and require one message and exit code 2 within seconds, and no other file."""
    monkeypatch.chdir(tmp_path)

    def stop(*_):
        raise AssertionError("the verb waits")

    def files():
        # Sums of stages that are finished stay, for a repeat.
        return sorted(place for place in tmp_path.rglob("*") if "results" not in place.parts)

    def check(arguments):
        given = [str(company.config) if argument == "company" else argument for argument in arguments]
        held = files()
        former = signal.signal(signal.SIGALRM, stop)
        signal.alarm(SECONDS)
        try:
            code, out, err = call(*given, config=None)
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, former)
        assert (code, sum(line.startswith("Error: ") for line in err.splitlines())) == (2, 1), (out, err)
        assert files() == held
        return err

    return check


@pytest.mark.parametrize(("option", "kind"), cases(OPTIONS), ids=named)
def test_what_is_no_plain_file_is_refused_by_name(whole, refused, tmp_path, option, kind):
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    arguments = OPTIONS[option]
    name = next(part.rpartition("=")[2].partition(":")[0] for part in arguments if "odd" in part)
    kind(tmp_path / name)
    said = refused(arguments)
    assert name in said or "/dev/" in said


@pytest.mark.parametrize(("file", "kind"), cases(INSIDE), ids=named)
def test_what_is_no_plain_file_within_a_folder_of_ours_is_refused(whole, refused, tmp_path, file, kind):
    option, name = file
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).unlink(missing_ok=True)
    kind(tmp_path / name)
    refused([*PREDICT, f"--{option}", option])
