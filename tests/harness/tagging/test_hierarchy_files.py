"""The verbs about the hierarchy."""

import pandas as pd
import pytest

from tests.harness.tagging.given_run import HIERARCHY, toy_run


@pytest.fixture
def hierarchy(tmp_path):
    path = tmp_path / "hierarchy.yaml"
    path.write_text(HIERARCHY)
    return path


@pytest.fixture
def changed(tmp_path):
    path = tmp_path / "next.yaml"
    swapped = {
        "2027.1": "2027.2",
        "seniority: [Chief, Head], leaf: Heads of care": "seniority: [Chief, Head], leaf: Nurses",
        "[Nursing, Surgery], leaf: Nurses": "[Nursing, Surgery], leaf: Heads of care",
    }
    text = HIERARCHY
    for old, new in swapped.items():
        text = text.replace(old, new)
    path.write_text(text)
    return path


def test_check_prints_the_tree_with_what_leads_to_each_leaf(call, company, hierarchy):
    code, shown, said = call(
        "hierarchy", "check", hierarchy, "--taxonomy", company.folder / "taxonomy.yaml", config=None
    )
    assert code == 0, said
    assert shown.splitlines()[:3] == [
        "Care",
        "  Heads of care: Upper; Lead; rules of lines 11",
        "  Nurses: Lower; Staff; rules of lines 12",
    ]
    assert "version 2027.1: no faults in 3 rules and 3 leaves" in said


def test_check_names_every_fault_with_its_line(call, company, hierarchy):
    hierarchy.write_text(HIERARCHY.replace("leaf: Nurses", "leaf: Nursse").replace("rank: Lower", "rank: Lowre"))
    code, _, said = call("hierarchy", "check", hierarchy, "--taxonomy", company.folder / "taxonomy.yaml", config=None)
    assert code == 2
    assert "line 12" in said


def test_diff_lists_what_moves_and_writes_it(call, company, hierarchy, changed, tmp_path):
    leads = tmp_path / "leads.csv"
    leads.write_text("What you do,n\nchief nurse,1\n chief  nurse ,1\nnurse,1\ncook,1\n,1\nodd,1,1\n")
    where = ["--leads", leads, "--run", toy_run(company.config), "--system", "keyword", "--out", tmp_path / "moved.csv"]
    code, shown, said = call("hierarchy", "diff", hierarchy, changed, *where, config=None)
    assert code == 0, said
    assert "2027.1" in shown
    assert "2 titles of 3 (3 of 4 records) have another answer" in said
    assert "Rows that could not be read: 1." in said
    moved = pd.read_csv(tmp_path / "moved.csv")
    assert moved[["from", "to", "records"]].values.tolist() == [
        ["Care > Heads of care", "Care > Nurses", 2],
        ["Care > Nurses", "Care > Heads of care", 1],
    ]
    assert set(pd.read_csv(tmp_path / "moved.nodes.csv")["path"]) == {
        "Care",
        "Care > Heads of care",
        "Care > Nurses",
        "House",
    }
    assert call("hierarchy", "diff", hierarchy, changed, *where, config=None)[0] == 2
