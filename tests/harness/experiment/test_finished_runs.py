"""Finished runs: listed, compared, and held against what is asked of them."""

import json
import shutil
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from data_cleaning.errors import BadInput
from harness.experiment.finished_runs import FinishedRun, compare_runs, runs_table
from harness.experiment.gate import check_gate
from harness.scoring.scores_file import FILE, read_scores
from tests.harness.tagging.given_run import toy_run


@pytest.fixture(scope="module")
def golden(company):
    """Write golden titles, of which the table has one wrong."""
    path = company.folder / "golden.csv"
    rows = ["nurse,Nursing,None given,plain", "head cook,Kitchen,Head,rank", "sous-chef,Kitchen,None given,odd word"]
    path.write_text("title,department,seniority,kind\n" + "\n".join(rows) + "\n")
    return f"golden={path}"


@pytest.fixture(scope="module")
def first(company, golden):
    return toy_run(company.config, "systems=[majority, keyword, tfidf]", golden)


@pytest.fixture(scope="module")
def worse(company, golden):
    """A run of a table that has lost its words for cooks."""
    table = company.folder / "fewer.csv"
    kept = [line for line in (company.folder / "keywords.csv").read_text().splitlines() if "Kitchen" not in line]
    table.write_text("\n".join(kept) + "\n")
    return toy_run(company.config, "systems=[majority, keyword, tfidf]", golden, f"keyword.table={table}")


def without_scores(run, tmp_path):
    folder = Path(shutil.copytree(run, tmp_path / "old"))
    (folder / FILE).unlink()
    (folder / "SHA256SUMS").unlink()
    return folder


def test_runs_are_listed_with_what_they_decided_and_damaged_or_older_ones_too(first, worse, tmp_path):
    results = tmp_path / "results"
    shutil.copytree(first, results / "a")
    shutil.copytree(worse, results / "b")
    (results / "b" / FILE).write_text("{")
    without_scores(first, results)
    table = runs_table(results).frame.set_index("folder")
    assert set(table.index) == {"a", "b", "old"}
    verdict = read_scores(first).verdict
    assert table.loc["a", "verdict"] == f"use {verdict.use}"
    assert table.loc["a", "score"] == verdict.score
    assert (table.loc["a", "config"], table.loc["a", "seed"], table.loc["a", "judged on"]) == (
        "company",
        "17",
        "real titles",
    )
    assert table.loc["b", "verdict"].startswith("damaged: ")
    assert table.loc["old", "verdict"] == "no verdict"
    with pytest.raises(BadInput, match="No run is under"):
        runs_table(tmp_path / "absent")


def test_a_run_compared_with_itself_differs_in_nothing(first):
    run = FinishedRun.open(first)
    compared = compare_runs(run, run)
    assert compared.sentences[0] == "The two runs have the same settings, data, code and libraries."
    assert [table.name for table in compared.tables] == ["scores"]
    scores = compared.tables[0].frame
    assert (scores["difference"] == 0).all()
    assert len(compared.flipped) == 0


def test_what_differs_of_two_runs_is_told_scored_and_listed(first, worse):
    compared = compare_runs(FinishedRun.open(first), FinishedRun.open(worse), "keyword")
    settings, scores, shown = (table.frame for table in compared.tables)
    assert settings["what"].tolist() == ["keyword.table"]
    table = scores.set_index(["system", "learned_from"]).loc[("keyword", "legacy")]
    summary = [pd.read_csv(run / "tables" / "summary.csv") for run in (first, worse)]
    wanted = [one[(one["split"] == "title") & (one["system"] == "keyword")]["all"].iloc[0] for one in summary]
    assert [table["first"], table["second"]] == pytest.approx(wanted)
    assert table["difference"] == pytest.approx(wanted[1] - wanted[0])
    assert table["high"] < 0
    assert table["verdict"] == "behind"
    flipped = compared.flipped
    assert (flipped["first_department"] == "Kitchen").all()
    assert (flipped["second_department"] != "Kitchen").all()
    assert set(flipped["right"]) <= {"first", "neither"}
    assert f"the first alone is right about {(flipped['right'] == 'first').sum()}" in compared.sentences[0]
    assert len(shown) == len(flipped)
    lost = flipped.filter(pl.col("right") == "first")["records"].sum()
    rows = pl.read_parquet(first / "references" / "title.parquet").filter(reference="legacy")
    assert lost / rows["records"].sum() == pytest.approx(wanted[0] - wanted[1])


def test_runs_of_other_classes_of_no_common_title_or_of_earlier_releases_are_refused(first, tmp_path):
    run = FinishedRun.open(first)
    with pytest.raises(BadInput, match=r"earlier release, which wrote no scores\.json"):
        FinishedRun.open(without_scores(first, tmp_path))
    with pytest.raises(BadInput, match="is no run folder"):
        FinishedRun.open(tmp_path)
    with pytest.raises(BadInput, match="has no 'neural' split by title; it has majority split by record"):
        compare_runs(run, run, "neural")
    other = Path(shutil.copytree(first, tmp_path / "other"))
    rows = pl.read_parquet(other / "references" / "title.parquet")
    rows.with_columns(pl.lit("elsewhere").alias("title")).write_parquet(other / "references" / "title.parquet")
    with pytest.raises(BadInput, match="have scored no title in common"):
        compare_runs(run, FinishedRun.open(other))
    (other / "SHA256SUMS").unlink()
    (other / "taxonomy.yaml").write_text((other / "taxonomy.yaml").read_text().replace("Garden", "Gardens"))
    with pytest.raises(BadInput, match="other targets or classes"):
        compare_runs(run, FinishedRun.open(other))


def test_a_gate_passes_or_fails_by_a_minimum(first):
    run = FinishedRun.open(first)
    score = pd.read_csv(first / "tables" / "summary.csv").query("split == 'title' and system == 'keyword'")
    value = float(score["all"].iloc[0])
    told, failed = check_gate(run, "title.all", at_least=value - 0.001, other=None, system="keyword")
    assert (told[0].startswith(f"title.all of keyword is {value:.3f} (legacy, "), failed) == (True, [])
    _, failed = check_gate(run, "title.all", at_least=value + 0.001, other=None, system="keyword")
    assert failed == [f"title.all of keyword is {value:.3f}, and at least {value + 0.001:.3f} is asked for."]
    department = float(score["department"].iloc[0])
    assert check_gate(run, "title.department", at_least=department, other=None, system="keyword")[1] == []


def test_a_gate_fails_a_run_that_is_worse_than_another(first, worse):
    good, bad = FinishedRun.open(first), FinishedRun.open(worse)
    told, failed = check_gate(bad, "title.all", at_least=None, other=good, system="keyword")
    assert len(told) == 2
    assert failed[0].startswith("worse: title.all: -")
    assert check_gate(good, "title.all", at_least=None, other=bad, system="keyword")[1] == []
    assert check_gate(good, "title.all", at_least=None, other=good)[1] == []
    _, failed = check_gate(bad, "title.macro_f1.department", at_least=None, other=good, system="keyword")
    assert failed[0].startswith("title.macro_f1.department fell from ")


def test_golden_titles_are_a_regression_file(first, worse):
    good, bad = FinishedRun.open(first), FinishedRun.open(worse)
    told, failed = check_gate(good, "golden.all", at_least=0.6, other=good, system="keyword")
    assert (told, failed) == (["golden.all of keyword is 0.667 (2 of 3 golden titles)."], [])
    _, failed = check_gate(bad, "golden.all", at_least=None, other=good, system="keyword")
    assert failed == [f"golden.all fell from 2 of 3 (keyword of {first}) to 1 of 3. Newly wrong: head cook."]
    assert check_gate(bad, "golden.plain", at_least=1, other=good, system="keyword")[1] == []


@pytest.mark.parametrize(
    "metric", ["title", "all", "week.all", "title.sum", "golden.none", "title.ordinal_error.seniority"]
)
def test_an_unknown_metric_is_refused_with_the_known_ones(first, metric):
    with pytest.raises(BadInput, match=rf"has no metric '{metric}'\. It has record\..*golden\.{{all\|plain"):
        check_gate(FinishedRun.open(first), metric, at_least=0.1, other=None)


def test_the_verbs_list_compare_and_gate(call, first, worse, tmp_path):
    code, out, _ = call("runs", "--results", first.parent, "--json", config=None)
    assert code == 0
    assert first.name in {run["folder"] for run in json.loads(out)}
    changed = tmp_path / "changed.csv"
    code, out, _ = call("compare", first, worse, "--system", "keyword", "--out", changed, config=None)
    assert code == 0
    assert "Scores on the same titles" in out
    assert len(pd.read_csv(changed)) > 10
    assert call("gate", first, "--min", 0.5, config=None)[0] == 0
    code, out, err = call("gate", worse, "--system", "keyword", "--not-worse-than", first, config=None)
    assert code == 1
    assert "Error: The run does not pass the gate." in err
    assert "The run passes" not in out
    for arguments, message in (((), "Give --min"), (("--min", 0.5, "--metric", "x.y"), "has no metric 'x.y'")):
        code, _, err = call("gate", first, *arguments, config=None)
        assert (code, message in err) == (2, True)
