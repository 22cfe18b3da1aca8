"""A path that a person gives is that path: no library takes it for a pattern, a home folder or an address."""

import ast
import csv
import re
import shutil
from pathlib import Path

import pytest

from harness.keywords.suggestion_sheets import JSON_NAME, Origin, write_suggestions
from tests.called_verb import exit_code_of
from tests.harness.keywords.given_suggestions import GARDENER, mark_json
from tests.harness.tagging.given_run import HIERARCHY

ROOT = Path(__file__).parents[2]
FOLDERS = ("[Event] 2026 v?*{a,b}%41#é key=value", "~")


@pytest.fixture(params=FOLDERS)
def folder(request, company, tmp_path, monkeypatch):
    """Return the relative path of an oddly named folder with oddly named files, and others that they would match."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    place = Path(request.param)
    place.mkdir()
    for name in ("taxonomy.yaml", "test.csv"):
        shutil.copy(company.folder / name, place / name)
    config = company.config.read_text()
    config = config.replace("path: leads.csv", "path: leads*.csv").replace("keywords.csv", "keywords[1].csv")
    (place / "company.yaml").write_text(config)
    for name in ("leads*.csv", "leads-of-others.csv"):
        shutil.copy(company.folder / "leads.csv", place / name)
    with (place / "leads-of-others.csv").open("a") as opened:
        opened.writelines("somebody else,Dept. of Garden,Head,1\n" for _ in range(50))
    for name in ("keywords[1].csv", "keywords1.csv"):
        shutil.copy(company.folder / "keywords.csv", place / name)
    (place / "keywords1.csv").write_text("keyword,priority,department,seniority\nnobody,1,Dept. of Garden,\n")
    (place / "hierarchy?.yaml").write_text(HIERARCHY)
    yield place
    written = [path for path in home.iterdir() if not path.name.startswith(".")]  # libraries keep caches there
    assert written == [], "something was written into the home folder"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["home", place.name])


def run_verb(capsys, *arguments):
    code = exit_code_of(*arguments)
    said = capsys.readouterr()
    assert code == 0, (arguments[0], said.err)
    return said.out + said.err


def n_rows(path):
    with path.open(encoding="utf-8", newline="") as opened:
        return sum(1 for _ in csv.reader(opened)) - 1


def test_every_verb_works_with_names_that_look_like_patterns(folder, company, capsys):
    def verb(*arguments):
        return run_verb(capsys, *arguments)

    leads, table = folder / "leads*.csv", folder / "keywords[1].csv"
    own = n_rows(leads)
    toy = ["--config", folder / "company.yaml", "--allow", company.folder]
    systems = ["--set", "systems=[majority, keyword, tfidf]"]
    results, run = folder / "res[1]", folder / "res[1]" / "run*"

    verb("run", "all", *toy, *systems, "--results", results, "--out", run)
    said = verb("run", "all", *toy, *systems, "--results", results, "--out", run)
    assert "made" not in said or "none made" in said, "every stage is reused"
    verb("predict", leads, "--out", folder / "v1.csv", "--run", run, "--system", "keyword")
    for name in ("t[1].csv", "v?.csv", "t*.csv.gz", "t[1].parquet", "t?.xlsx", "~t.csv"):
        for model in (["--run", run], ["--results", results]):
            given = ["--hierarchy", folder / "hierarchy?.yaml", "--system", "tfidf", "--force"]
            verb("predict", leads, "--out", folder / name, *model, *given)
    assert n_rows(folder / "t[1].csv") == n_rows(folder / "v?.csv") == own
    verb("predict", folder / "t[1].parquet", "--out", folder / "again[1].parquet", "--run", run, "--prefix", "x_")
    verb("export", run, folder / "model[1]", "--hierarchy", "none")
    verb("predict", leads, "--out", folder / "by model?.csv", "--model", folder / "model[1]")
    verb("explain", "head nurse", "--model", folder / "model[1]")

    for name in ("clean[1].csv", "clean?.csv.gz", "clean*.parquet", "clean[1].xlsx"):
        verb("clean", leads, "--out", folder / name, *toy, "--force")
    verb(
        "profile",
        folder / "clean*.parquet",
        "--out",
        folder / "profile[1]",
        "--no-tokens",
        *toy,
        "--title-column",
        "What you do",
    )
    verb("audit", table, "--leads", leads, "--out", folder / "audit[1]", *toy)
    verb("diff", table, folder / "keywords1.csv", "--leads", leads, "--out", folder / "diff[1].csv", *toy)
    verb("check", leads, "--table", table, "--out", folder / "check[1].xlsx", "--title-column", "What you do")
    verb("init", leads, table, "--out", folder / "new[1]", "--title-column", "What you do")
    verb("simulate", "--records", "300", "--out", folder / "simulated[1].parquet")
    compared = [folder / "hierarchy?.yaml"] * 2
    verb(
        "hierarchy",
        "diff",
        *compared,
        "--leads",
        leads,
        "--run",
        run,
        "--system",
        "keyword",
        "--out",
        folder / "h[1].csv",
    )

    origin = Origin.of(table, company.taxonomy.names, run="toy", split="title", learned_from="legacy")
    (folder / "suggested[1]").mkdir()
    write_suggestions(folder / "suggested[1]", (GARDENER,), origin)
    mark_json(folder / "suggested[1]" / JSON_NAME, {1: "accept"})
    verb(
        "suggest", "apply", folder / "suggested[1]" / JSON_NAME, "--table", table, "--out", folder / "next[1].csv", *toy
    )


MODULES = [
    module
    for package in ("data_cleaning", "baselines", "neural", "harness")
    for module in sorted((ROOT / package).rglob("*.py"))
]
HOME_FOLDER_ON_PURPOSE = ("harness/experiment/config_file.py", "neural/encoder.py")
"""What is written in a config is seen by no shell, so that "~/" is read there as a shell would."""


def calls(module):
    return [node for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.relative_to(ROOT).as_posix())
def test_no_library_is_left_to_expand_a_path(module):
    faults = []
    where = module.relative_to(ROOT).as_posix()
    for call in calls(module):
        name = ast.unparse(call.func)
        if re.fullmatch(r"pl\.(read|scan)_\w+", name):
            settings = {one.arg: ast.unparse(one.value) for one in call.keywords}
            if settings.get("glob") != "False":
                faults.append(f"line {call.lineno}: {name} needs glob=False")
        if name.split(".")[-1] in ("expanduser", "expandvars", "iglob") and where not in HOME_FOLDER_ON_PURPOSE:
            faults.append(f"line {call.lineno}: {name}")
        if name.endswith((".glob", ".rglob")):
            parts = [node for node in ast.walk(call.args[0]) if isinstance(node, ast.Name)]
            if any(not part.id.isupper() for part in parts) and ast.unparse(call.args[0]) != "pattern":
                faults.append(f"line {call.lineno}: {ast.unparse(call)} has a name in its pattern")
    assert faults == []


def test_no_module_reads_folders_as_one_table():
    assert [m for m in MODULES if "pyarrow.dataset" in m.read_text(encoding="utf-8")] == []
