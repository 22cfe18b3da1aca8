"""Run folders, read again."""

import json
import os
import shutil

import pytest

from data_cleaning.errors import BadInput
from harness.experiment.run_folder import RUN_FACTS, fitted_model, model_folder, newest_run
from harness.scoring.scores_file import Cost, Evidence, FitScores, RunScores, Verdict, write_scores


@pytest.mark.parametrize(
    ("label_sets", "taken"),
    [
        (["legacy"], "legacy"),
        (["consensus"], "consensus"),
        (["consensus-english"], "consensus-english"),
        (["consensus-english", "consensus"], "consensus"),
        (["consensus", "legacy"], "legacy"),
        (["consensus", "consensus+reviewed", "legacy"], "consensus+reviewed"),
        (["consensus+reviewed", "legacy+reviewed"], "legacy+reviewed"),
    ],
)
def test_models_that_learned_from_reviewed_titles_come_first_then_those_of_recorded_labels(tmp_path, label_sets, taken):
    (tmp_path / RUN_FACTS).write_text("{}")
    for label_set in label_sets:
        model_folder(tmp_path, "record", label_set, "tfidf").mkdir(parents=True)
    assert fitted_model(tmp_path, "tfidf") == model_folder(tmp_path, "record", taken, "tfidf")
    with pytest.raises(BadInput, match="has no fitted 'neural'; it has tfidf"):
        fitted_model(tmp_path, "neural")


def made(folder, name, when, origin, *, scores=True):
    """Write as much of a run as choosing one reads."""
    config = {"leads": {"columns": {"title": "Title"}}, "smoke": origin == "smoke"}
    if origin != "real":
        config["leads"]["simulate"] = {"records": 3}
    model_folder(folder / name, "record", "legacy", "keyword").mkdir(parents=True)
    (folder / name / "config.yaml").write_text(json.dumps(config))
    (folder / name / RUN_FACTS).write_text("{}")
    if scores:
        write_scores(scores_with(origin), folder / name)
    os.utime(folder / name / RUN_FACTS, (when, when))
    return folder / name


def scores_with(origin, learned_from=None, use="keyword"):
    cost = Cost(seconds_per_million_titles=1, fit_seconds=0, model_mb=0, memory_mb=0, needs_torch=False)
    evidence = Evidence(kind="people", reference="truth", split="title", titles=30, records=30)
    verdict = Verdict(
        use=use, learned_from=learned_from, shown="kept", score=1, low=None, high=None, against=None, tied=(),
        evidence=evidence, origin=origin, cost=cost, standings=(), headline="Keep keyword.", reasons=(),
    )  # fmt: skip
    fit = FitScores(split="title", learned_from="legacy", system="keyword", cost=cost, scores=())
    stamps = {"made_at": "", "commit": None, "fingerprint": "", "data_hash": "", "split_hash": {}}
    return RunScores(config="c", seed=1, verdict=verdict, references=(), fits=(fit,), **stamps)


@pytest.mark.parametrize("with_scores", [True, False])
def test_a_run_on_real_titles_goes_before_newer_ones_on_simulated_leads_and_these_before_smoke(tmp_path, with_scores):
    for when, origin in enumerate(["simulated", "real", "real", "simulated", "smoke"]):
        made(tmp_path, f"run{when}", when, origin, scores=with_scores)
    for taken in ("run2", "run1", "run3", "run0", "run4"):
        assert newest_run(tmp_path).name == taken
        shutil.rmtree(tmp_path / taken)


def test_a_run_with_damaged_scores_comes_last(tmp_path):
    made(tmp_path, "good", 1, "smoke")
    (made(tmp_path, "bad", 2, "real") / "scores.json").write_text("{")
    assert newest_run(tmp_path).name == "good"


def test_the_system_of_the_verdict_has_learned_from_the_labels_that_the_verdict_names(tmp_path):
    run = made(tmp_path, "run", 1, "real", scores=False)
    model_folder(run, "record", "legacy+reviewed", "keyword").mkdir(parents=True)
    assert fitted_model(run, "keyword").parent.name == "legacy+reviewed"
    write_scores(scores_with("real", "legacy"), run)
    assert fitted_model(run, "keyword").parent.name == "legacy"


def test_the_newest_run_that_has_the_system_is_taken(tmp_path):
    for number, name in enumerate(["old", "new"]):
        for system in ["majority", "keyword"]:
            model_folder(tmp_path / name, "record", "legacy", system).mkdir(parents=True)
        (tmp_path / name / RUN_FACTS).write_text("{}")
        os.utime(tmp_path / name / RUN_FACTS, (number, number))
    assert newest_run(tmp_path) == tmp_path / "new"
    model_folder(tmp_path / "new", "record", "legacy", "keyword").rmdir()
    assert newest_run(tmp_path) == tmp_path / "new"
    assert newest_run(tmp_path, "keyword") == tmp_path / "old"
    with pytest.raises(BadInput, match=r"No run under .* has a fitted 'tfidf'"):
        newest_run(tmp_path, "tfidf")
    with pytest.raises(BadInput, match=r"Unknown system 'keywrd'\. Did you mean 'keyword'\?"):
        newest_run(tmp_path, "keywrd")
