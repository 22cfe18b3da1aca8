"""What whole runs decide, and what their scores.json holds."""

import itertools
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from data_cleaning.progress import silent
from harness.experiment.config_file import load_config
from harness.experiment.run import run
from harness.scoring.scores_file import RunScores, read_scores
from tests.toy_company import DEPARTMENTS, SENIORITIES

ROOT = Path(__file__).parents[3]
CHEAP = "systems=[majority, keyword, tfidf]"


def do(config, results, *overrides):
    loaded = load_config(config, overrides)
    return run(loaded, results=results, out=None, fresh=False, on_progress=silent, announce=lambda _: None)


@pytest.fixture(scope="module")
def toy(company, tmp_path_factory):
    return do(company.config, tmp_path_factory.mktemp("toy"), CHEAP)


def test_another_companys_run_decides_for_the_system_that_has_learned_its_words(toy):
    """Its table lacks the garden; TF-IDF has learned it from recorded labels, which are right."""
    verdict = toy.verdict
    assert (verdict.use, verdict.shown, verdict.origin) == ("tfidf", "ahead", "real")
    assert (verdict.evidence.kind, verdict.evidence.split) == ("legacy", "title")
    assert verdict.against.low > 0
    assert "200 titles that you label (review pick) go before them" in " ".join(verdict.reasons)
    table = pd.read_csv(toy.folder / "tables" / "verdict.csv").set_index("system")
    assert table["verdict"].fillna("").to_dict() == {"tfidf": "use", "keyword": "", "majority": "floor"}


def test_scores_json_holds_every_score_of_the_tables_and_follows_its_schema(toy):
    scores = read_scores(toy.folder)
    assert scores.verdict == toy.verdict
    summary = pd.read_csv(toy.folder / "tables" / "summary.csv")
    for _, row in summary[summary["system"] != "(noise ceiling)"].iterrows():
        fit = scores.fit(row["split"], row["system"])
        found = {
            score.target: score.value
            for score in fit.scores
            if (score.reference, score.weighting, score.metric) == ("legacy", "per record", "accuracy")
        }
        assert found["all"] == pytest.approx(row["all"])
        assert found["department"] == pytest.approx(row["department"])
    facts = json.loads((toy.folder / "run.json").read_text())
    assert (scores.seed, scores.data_hash, scores.split_hash) == (17, facts["data_hash"], facts["split_hash"])
    assert {(one.split, one.reference) for one in scores.references} >= {("title", "legacy"), ("record", "legacy")}
    text = (toy.folder / "scores.json").read_text()
    assert not re.search(r"\bNaN\b|Infinity", text)
    assert RunScores.model_validate_json(text) == scores


def test_a_file_that_is_nearly_all_single_records_is_judged_on_all_its_titles(company, tmp_path):
    """623 records of 514 titles, of which 39 have several records and so a consensus."""
    places = ["ward", "hall", "lobby", "attic", "cellar", "annex", "lodge", "tower", "gate", "yard", "barn", "shed"]
    words = itertools.product(places, SENIORITIES.items(), DEPARTMENTS.items())
    rows = [
        {"What you do": " ".join(filter(None, (place, rank_word, word))), "Dept": department, "Grade": rank}
        for place, (rank, rank_word), (department, word) in words
    ]
    titles = pd.DataFrame(rows).drop_duplicates("What you do")
    assert len(titles) >= 514
    chosen = titles.sample(514, random_state=3).reset_index(drop=True)
    chosen["Times"] = 1
    chosen.loc[:38, "Times"] = 2
    chosen.loc[:30, "Times"] += 2
    chosen.loc[0, "Times"] += 623 - int(chosen["Times"].sum())
    test = tmp_path / "theirs.csv"
    chosen.to_csv(test, index=False)
    done = do(company.config, tmp_path, CHEAP, f"leads.test_path={test}")
    sizes = {(one.split, one.reference): (one.titles, one.records) for one in read_scores(done.folder).references}
    assert sizes["title", "legacy"] == (514, 623)
    assert sizes["title", "consensus"][0] == 39
    assert (done.verdict.evidence.titles, done.verdict.evidence.reference) == (514, "legacy")
    assert "(514 titles, 623 records" in (done.folder / "tables" / "summary.md").read_text()


def test_labels_that_the_table_gave_decide_nothing(company, tmp_path):
    leads = pd.read_csv(company.folder / "leads.csv").drop(columns=["Dept", "Grade"])
    leads.to_csv(tmp_path / "leads.csv", index=False)
    overrides = (f"leads.path={tmp_path / 'leads.csv'}", "leads.test_path=null", "leads.labels=table")
    verdict = do(company.config, tmp_path / "results", CHEAP, *overrides, "leads.columns={title: What you do}").verdict
    assert (verdict.use, verdict.shown) == ("keyword", "unknown")
    assert "The keyword table labelled these leads itself" in verdict.reasons[1]


def test_a_run_with_a_floor_alone_decides_nothing(company, tmp_path):
    done = do(company.config, tmp_path, "systems=[majority]")
    assert done.verdict is None
    assert read_scores(done.folder).verdict is None
    assert "verdict" not in {table.name for table in done.tables}


def simulated(tmp_path, *overrides):
    less = ("systems=[majority, keyword, tfidf]", "label_issues=null", "clean.english_only=false", "split.by=[title]")
    return do(ROOT / "configs" / "smoke.yaml", tmp_path, *less, *overrides).verdict


def test_a_smoke_run_keeps_the_table_and_says_what_it_is(tmp_path):
    verdict = simulated(tmp_path)
    assert (verdict.use, verdict.shown, verdict.origin) == ("keyword", "kept", "smoke")
    assert (verdict.evidence.kind, verdict.against.system) == ("simulated truth", "tfidf")
    assert verdict.against.high < 0


def test_labels_that_people_gave_decide_before_the_truth_of_simulated_leads(tmp_path):
    """The labels are of somebody who disagrees with the table about nurses, so that they alone tell what decided."""
    words = ["night", "ward", "senior", "theatre", "school", "staff", "lead", "chief", "practice", "clinic"]
    rows = [f"{one} {two} nurse,IT,Networking,Contributor" for one in words for two in ("day", "relief", "agency")]
    (tmp_path / "truth.csv").write_text("Title,function,role,level\n" + "\n".join(rows) + "\n")
    verdict = simulated(tmp_path, f"truth={tmp_path / 'truth.csv'}", "smoke=false")
    assert (verdict.evidence.kind, verdict.evidence.titles, verdict.origin) == ("people", 30, "real")
    assert simulated(tmp_path, "smoke=false").origin == "simulated"
