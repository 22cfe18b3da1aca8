"""What every system promises; a new one gets these tests by entering SYSTEMS."""

from dataclasses import replace

import numpy as np
import pytest

from baselines.majority import MajorityClassifier
from data_cleaning.titles import UNKNOWN, LabelledTitles
from harness.experiment.arms import recipe_of
from harness.experiment.config_file import load_config
from harness.experiment.system_contract import CHECKS, Subject
from harness.experiment.systems import SYSTEMS, load_system


@pytest.fixture(scope="module")
def parts(company):
    frame = company.titles.rename(
        columns={"What you do": "title", "Dept": "department", "Grade": "seniority", "Times": "count"}
    )
    rows = LabelledTitles.from_frame(frame, company.taxonomy, source="legacy")
    in_valid = np.arange(len(rows)) % 4 == 0
    return rows.select(~in_valid), rows.select(in_valid)


@pytest.fixture(scope="module", params=list(SYSTEMS))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def build(company, name):
    estimator = "sklearn={estimator: sklearn.naive_bayes.ComplementNB}"
    config = load_config(company.config, ("neural.device=cpu", estimator))
    return recipe_of(config, company.taxonomy, SYSTEMS[name]).build


@pytest.fixture(scope="module")
def subject(build, parts, name):
    return Subject(build, SYSTEMS[name].load, *parts)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_system_keeps_the_contract(subject, check):
    check(subject)


@pytest.mark.parametrize("count", [0, 1, 9])
def test_a_batch_invariant_system_answers_a_title_alike_in_any_company(subject, name, tmp_path, count):
    subject.fitted.save(tmp_path)
    loaded = load_system(name, tmp_path, batch_invariant=True)
    alone = loaded.predict_proba(["night head nurse"])
    beside = loaded.predict_proba(["night head nurse", *["chief cook", "x" * 1_000_000, "driver"] * count])
    for target, rows in alone.items():
        np.testing.assert_allclose(rows[0], beside[target][0], atol=1e-6)


def test_every_system_but_the_floor_beats_it_on_titles_it_has_not_learned(subject, name, parts):
    if name in ("majority", "neural"):
        pytest.skip("the floor itself, and a network of random weights and two short epochs")
    train, valid = parts

    def accuracy(system):
        verdicts = system.predict_proba(valid.titles.tolist())["department"].argmax(axis=1)
        return np.average(verdicts == valid.labels["department"], weights=valid.counts)

    assert accuracy(subject.fitted) > accuracy(MajorityClassifier().fit(train, valid)) + 0.3


def test_every_system_learns_partly_labelled_rows_for_the_targets_they_have(build, name, parts):
    train, valid = parts
    lacking = {"department": np.arange(len(train)) % 3 == 0, "seniority": np.arange(len(train)) % 3 == 1}
    labels = {target: np.where(lacking[target], UNKNOWN, codes) for target, codes in train.labels.items()}
    partly = build().fit(replace(train, labels=labels), valid)
    for target, without in lacking.items():
        found = partly.predict_proba(valid.titles.tolist())[target]
        assert np.isfinite(found).all()
        if name == "neural":
            continue  # random weights and two short epochs; a test of its loss shows that unknown classes have none
        # Rows that lack a label teach as much about it as rows that are not there.
        expected = build().fit(train.select(~without), valid).predict_proba(valid.titles.tolist())[target]
        agree = (found.argmax(axis=1) == expected.argmax(axis=1)).mean()
        assert agree > 0.95, (target, agree)
