"""What every system promises; a new one gets these tests by entering SYSTEMS."""

import dataclasses
import json

import numpy as np
import pytest

from baselines.majority import MajorityClassifier
from data_cleaning.titles import LabelledTitles
from harness.experiment.config_file import load_config
from harness.experiment.plan import recipe_of
from harness.experiment.systems import SYSTEMS, Explainer, load_system

ODD_TITLES = ["night head nurse", "", "COOK", "a\0b", "👩‍⚕️", "٣", "́", "x" * 1_000_000, "night head nurse"]


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
def fitted(build, parts):
    return build().fit(*parts)


def test_probabilities_are_rows_that_sum_to_one_for_every_target(fitted, company):
    probabilities = fitted.predict_proba(ODD_TITLES)
    assert tuple(probabilities) == company.taxonomy.names
    for target, rows in probabilities.items():
        assert rows.shape == (len(ODD_TITLES), company.taxonomy.n_classes(target))
        assert (rows >= 0).all()
        np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-6)


def test_no_titles_give_no_rows(fitted, company):
    for target, rows in fitted.predict_proba([]).items():
        assert rows.shape == (0, company.taxonomy.n_classes(target))


def test_equal_titles_get_equal_answers_whatever_stands_beside_them(fitted):
    together = fitted.predict_proba(ODD_TITLES)
    alone = fitted.predict_proba(ODD_TITLES[:1])
    for target, rows in together.items():
        np.testing.assert_array_equal(rows[0], rows[-1])
        np.testing.assert_allclose(rows[0], alone[target][0], atol=2e-2)


def test_titles_may_come_as_an_array(fitted):
    listed, arrayed = (
        fitted.predict_proba(["cook", "chief nurse"]),
        fitted.predict_proba(np.array(["cook", "chief nurse"], dtype=object)),
    )
    for target in listed:
        np.testing.assert_allclose(listed[target], arrayed[target], atol=1e-6)


def test_a_saved_system_predicts_the_same(fitted, name, tmp_path):
    fitted.save(tmp_path / "model")
    again = load_system(name, tmp_path / "model")
    before, after = fitted.predict_proba(ODD_TITLES), again.predict_proba(ODD_TITLES)
    for target in before:
        np.testing.assert_allclose(before[target], after[target], atol=1e-6)
    assert again.fit_summary() == fitted.fit_summary()


def test_nothing_is_saved_as_pickle(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    endings = {file.suffix for file in (tmp_path / "model").rglob("*") if file.is_file()}
    assert endings <= {".json", ".csv", ".safetensors", ".txt", ".md", ".onnx", ".skops"}


def test_the_same_seed_gives_the_same_system(build, parts, fitted):
    again = build().fit(*parts).predict_proba(["cook", "chief nurse"])
    for target, rows in fitted.predict_proba(["cook", "chief nurse"]).items():
        np.testing.assert_array_equal(rows, again[target])


def test_the_fit_says_what_it_learned_from(fitted, parts):
    summary = fitted.fit_summary()
    assert json.loads(json.dumps(summary)) == summary
    assert summary["records"] == parts[0].n_records


def test_reviewed_rows_are_learned_from_and_named(build, parts):
    train, valid = parts
    sources = np.where(np.arange(len(train)) % 2 == 0, "reviewed", "legacy").astype(object)
    summary = build().fit(dataclasses.replace(train, sources=sources), valid).fit_summary()
    assert set(summary["sources"]) == {"legacy", "reviewed"}


def test_predicting_before_fitting_is_refused(build):
    with pytest.raises(ValueError, match="fit"):
        build().predict_proba(["cook"])


def test_every_system_but_the_floor_beats_it_on_titles_it_has_not_learned(fitted, name, parts):
    if name in ("majority", "neural"):
        pytest.skip("the floor itself, and a network of random weights and two short epochs")
    train, valid = parts

    def accuracy(system):
        verdicts = system.predict_proba(valid.titles.tolist())["department"].argmax(axis=1)
        return np.average(verdicts == valid.labels["department"], weights=valid.counts)

    assert accuracy(fitted) > accuracy(MajorityClassifier().fit(train, valid)) + 0.3


def test_the_table_explains_itself(fitted, name):
    assert isinstance(fitted, Explainer) == (SYSTEMS[name].explains == "keywords")
