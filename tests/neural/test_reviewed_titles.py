"""Reviewed titles come last: the network learns from all other rows first, then from what a person labelled."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelledTitles
from neural.classifier import NeuralClassifier
from tests.neural.toy import FIELDS, RANKS, labelled

SHIFTS = ("", "data ", "network ", "night ", "director ", "manager ")


def rows(source, words, **columns):
    """Titles of some words; whoever labelled the legacy ones took every teacher for a security officer."""
    wrong = {"teacher": "security"} if source == "legacy" else {}
    listed = [
        (f"{rank} {shift}{word}", wrong.get(word, FIELDS[word]), RANKS[rank])
        for word in words
        for shift in SHIFTS
        for rank in RANKS
    ]
    return labelled(listed, source=source, **columns)


def joined(*parts):
    return LabelledTitles.from_frame(
        pd.concat(
            [
                pd.DataFrame(
                    {
                        "title": part.titles,
                        **{t.name: [t.classes[c] for c in part.labels[t.name]] for t in part.taxonomy.targets},
                        "count": part.counts,
                        "source": part.sources,
                    }
                )
                for part in parts
            ]
        ),
        parts[0].taxonomy,
    )


@pytest.fixture(scope="module")
def train():
    # Three reviewed teachers against eighteen legacy ones of a hundred records each.
    reviewed = rows("reviewed", ["teacher"]).select(np.array([0, 4, 8]))
    return joined(rows("legacy", FIELDS, count=100), reviewed)


@pytest.fixture(scope="module")
def valid():
    return joined(rows("legacy", ["nurse"]), rows("reviewed", ["teacher"]).select(np.array([12])))


def teachers_right(system):
    asked = [f"{shift}teacher" for shift in SHIFTS]
    answers = system.predict_proba(asked)["type"].argmax(axis=1)
    return (answers == system.taxonomy_["type"].class_index["other"]).mean()


def test_few_reviewed_titles_outweigh_many_of_the_same_words(settings, train, valid):
    last = NeuralClassifier(replace(settings, reviewed_epochs=10)).fit(train, valid)
    mixed = NeuralClassifier(replace(settings, reviewed_epochs=0)).fit(train, valid)
    assert teachers_right(last) == 1
    assert teachers_right(mixed) == 0
    assert last.summary_["reviewed_alone"]
    assert not mixed.summary_["reviewed_alone"]


def test_the_log_says_which_epochs_passed_over_reviewed_titles_alone(settings, train, valid, tmp_path):
    system = NeuralClassifier(replace(settings, reviewed_epochs=3)).fit(train, valid)
    assert [entry.reviewed for entry in system.log_] == [False] * 6 + [True] * 3
    assert [entry.epoch for entry in system.log_] == list(range(1, 10))
    assert system.summary_["best_epoch"] in (7, 8, 9)
    system.save(tmp_path / "model")
    shown = (tmp_path / "model" / "training_log.md").read_text()
    assert "| 9 reviewed" in shown
    assert f"| {system.summary_['best_epoch']} reviewed (kept) |" in shown


def test_a_fit_goes_on_from_the_one_without_reviewed_titles(settings, train, valid, tmp_path):
    without = train.select(train.sources != "reviewed"), valid.select(valid.sources != "reviewed")
    NeuralClassifier(settings).fit(*without).save(tmp_path / "first")
    whole = NeuralClassifier(settings).fit(train, valid)
    went_on = NeuralClassifier(settings, start=tmp_path / "first").fit(train, valid)
    for target, answers in whole.predict_proba(list(train.titles)).items():
        np.testing.assert_allclose(answers, went_on.predict_proba(list(train.titles))[target], atol=1e-6)
    assert went_on.fit_summary()["sources"] == whole.fit_summary()["sources"]
    assert [entry.reviewed for entry in went_on.log_] == [entry.reviewed for entry in whole.log_]


def test_it_goes_on_from_no_network_with_other_labels(settings, train, valid, tmp_path):
    NeuralClassifier(settings).fit(train, valid).save(tmp_path / "first")
    other = Taxonomy.from_dict({"targets": {"type": {"classes": {"a": []}}, "a.b": {"classes": {"b": []}}}})
    frame = pd.DataFrame({"title": ["x", "y"], "type": "a", "a.b": "b", "source": ["legacy", "reviewed"]})
    with pytest.raises(BadInput, match="answers with other labels"):
        NeuralClassifier(settings, start=tmp_path / "first").fit(
            LabelledTitles.from_frame(frame, other), LabelledTitles.from_frame(frame, other)
        )


def test_rows_of_one_source_are_learned_at_once(settings, train, nothing):
    reviewed = train.select(train.sources == "reviewed")
    system = NeuralClassifier(settings).fit(reviewed, nothing)
    assert not system.summary_["reviewed_alone"]
    assert not any(entry.reviewed for entry in system.log_)
