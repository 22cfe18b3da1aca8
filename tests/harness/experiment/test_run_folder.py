"""Run folders, read again."""

import os

import pytest

from data_cleaning.errors import BadInput
from harness.experiment.run_folder import RUN_FACTS, fitted_model, model_folder, newest_run


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
