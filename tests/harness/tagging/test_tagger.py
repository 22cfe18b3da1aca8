"""The tagger with the toy company's keyword table, tfidf and a hierarchy."""

from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest

from baselines.tfidf import TfidfClassifier
from baselines.tfidf_features import TfidfSettings
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelledTitles
from harness.experiment.config import PROJECT_CONFIGS
from harness.tagging import review
from harness.tagging.hierarchy import read_hierarchy
from harness.tagging.models import open_run
from harness.tagging.tagger import LONGEST_TITLE, Tagger
from neural.runtime import OnnxNetwork
from tests.harness.tagging.given_run import HIERARCHY, toy_run
from tests.not_titles import KNOWN, not_titles


@pytest.fixture(scope="module")
def model(company):
    return open_run(toy_run(company.config))


@pytest.fixture(scope="module")
def hierarchy(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("tagger") / "hierarchy.yaml"
    path.write_text(HIERARCHY)
    return read_hierarchy(path, model.taxonomy)


@pytest.fixture
def tagger_of(model, hierarchy):
    def build(system="keyword", placed=True, review_below=0.0, **options):
        return Tagger(
            system, model.systems[system], model.taxonomy, hierarchy if placed else None, review_below, **options
        )

    return build


def titles(*typed):
    return pl.Series("title", typed, dtype=pl.String)


def tagged(tagger, typed):
    """Return the record of each row."""
    answers = tagger.tag(typed)
    return answers.records[answers.of_row]


def labels_of(tagger, records):
    return [
        tuple(
            target.classes[code] if code >= 0 else None
            for target, code in zip(tagger.taxonomy.targets, row, strict=True)
        )
        for row in records["labels"].tolist()
    ]


def test_every_row_is_answered_in_its_place(tagger_of):
    tagger = tagger_of()
    records = tagged(tagger, titles("head nurse", None, "Chief COOK", "  ", "head nurse"))
    assert labels_of(tagger, records) == [
        ("Nursing", "Head"), (None, None), ("Kitchen", "Chief"), (None, None), ("Nursing", "Head"),
    ]  # fmt: skip
    assert (records["reasons"] == [0, review.NO_TITLE, 0, review.NO_TITLE, 0]).all()
    assert (records["node"][[1, 3]] == -1).all()
    assert (records["keywords"][[1, 3]] == -1).all()


@pytest.mark.parametrize("runtime", ["onnxruntime", "torch"])
@pytest.mark.parametrize("system", ["keyword", "keyword-corrected", "tfidf", "neural", "majority"])
def test_answers_are_the_same_to_the_last_bit_whatever_titles_are_asked_for_together(tagger_of, system, runtime):
    rng = np.random.default_rng(3)
    words = ["head", "nurse", "chief", "cook", "of", "the", "ward", "night", "gardener", "porter,"]
    typed = [" ".join(rng.choice(words, size=rng.integers(1, 9))) for _ in range(300)]
    whole, pieces = tagger_of(system), tagger_of(system)
    if system == "neural":
        for tagger in (whole, pieces):
            network = tagger._system
            network.runtime_ = OnnxNetwork.in_fp32(network.model_) if runtime == "onnxruntime" else None
            network.settings = replace(network.settings, precision="fp32")
    expected = tagged(whole, titles(*typed))
    order = rng.permutation(len(typed))
    found = np.empty_like(expected)
    start = 0
    for size in (1, 2, 3, 100, 7, 187):
        rows = order[start : start + size]
        found[rows] = tagged(pieces, titles(*(typed[row] for row in rows)))
        start += size
    assert start == len(typed)
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("system", ["keyword", "keyword-corrected", "tfidf", "neural", "majority"])
def test_an_answer_is_that_of_the_system(tagger_of, model, system):
    tagger = tagger_of(system)
    typed = ["head nurse", "chief cook", "gardener of the ward"]
    records = tagged(tagger, titles(*typed))
    from harness.experiment.systems import load_system

    answers = load_system(system, model.systems[system], batch_invariant=True).predict_proba(typed)
    for position, target in enumerate(model.taxonomy.names):
        np.testing.assert_array_equal(records["labels"][:, position], answers[target].argmax(axis=1))
        np.testing.assert_allclose(records["confidences"][:, position], answers[target].max(axis=1), rtol=1e-6)


def test_a_title_is_asked_for_once_however_it_is_spelled_and_however_often_it_comes(tagger_of):
    tagger = tagger_of()
    tagger.tag(titles("head nurse", "head nurse", "head\u00a0nurse", " head nurse ", "cook"))
    assert tagger.n_answered == 2
    tagger.tag(titles("cook", "head nurse"))
    assert tagger.n_answered == 2
    tagger.tag(titles("cook", "gardener"))
    assert tagger.n_answered == 3


def test_a_small_cache_answers_the_same(tagger_of):
    typed = titles(
        *(f"{rank} {word} {number % 7}" for number in range(60) for rank in ("head", "") for word in ("nurse", "cook"))
    )
    wide, narrow = tagger_of(), tagger_of(max_cached=4)
    pieces = [tagged(narrow, typed.slice(start, 9)) for start in range(0, len(typed), 9)]
    assert (np.concatenate(pieces) == tagged(wide, typed)).all()
    assert narrow.n_answered > wide.n_answered


def test_titles_are_placed_and_the_rest_is_for_review(tagger_of, hierarchy):
    tagger = tagger_of()
    records = tagged(tagger, titles("chief nurse", "nurse", "cook"))
    assert [hierarchy.nodes[node].name for node in records["leaf"]] == ["Heads of care", "Nurses", "House"]
    unplaced = tagged(tagger_of(placed=False), titles("chief nurse"))
    assert unplaced["node"][0] == unplaced["leaf"][0] == unplaced["band"][0] == -1
    assert unplaced["reasons"][0] == 0


def test_reasons_to_review(tagger_of):
    records = tagged(
        tagger_of(placed=False, review_below=1.0),
        titles("night shift", "院長", "nurse " + "x" * LONGEST_TITLE, "head nurse", "Dirección General – x"),
    )
    reasons = records["reasons"].tolist()
    assert [bool(one & review.OTHER_SCRIPT) for one in reasons] == [False, True, False, False, False]
    assert [bool(one & review.ACCENTED) for one in reasons] == [False, False, False, False, True]
    assert [bool(one & review.CUT) for one in reasons] == [False, False, True, False, False]
    assert all(one & review.low_confidence(0) and one & review.low_confidence(1) for one in reasons)


def test_a_title_that_no_keyword_matches_is_not_for_review_by_itself(tagger_of):
    assert tagged(tagger_of(placed=False), titles("night shift"))["reasons"].tolist() == [0]


def test_text_beyond_the_length_of_a_title_is_not_read(tagger_of):
    tagger = tagger_of()
    records = tagged(tagger, titles("x" * LONGEST_TITLE + " head nurse", "y" * 1_000_000))
    assert labels_of(tagger, records)[0] != ("Nursing", "Head")
    assert (records["reasons"] & review.CUT).all()


def test_only_a_table_has_keywords(tagger_of):
    assert "nurse" in tagger_of().keywords
    assert tagger_of("tfidf").keywords == []
    assert (tagged(tagger_of("tfidf"), titles("head nurse"))["keywords"] == -1).all()


def test_a_person_is_told_how_many_new_titles_are_answered(tagger_of):
    told = []
    tagger_of("tfidf").tag(titles("head nurse", "cook", "cook"), lambda done, total: told.append((done, total)))
    assert told[-1] == (2, 2)


@pytest.mark.parametrize("system", ["tfidf", "neural"])
def test_stored_answers_are_not_asked_for_again(tagger_of, tmp_path, system):
    first = tagger_of(system)
    assert first.store_answers(tmp_path / "answers") == 0
    answered = tagged(first, titles("head nurse", "cook", None))
    second = tagger_of(system)
    assert second.store_answers(tmp_path / "answers") == 2
    assert (tagged(second, titles("head  nurse", "cook", "")) == answered).all()
    assert second.n_answered == 0
    second.tag(titles("gardener", "cook"))
    assert second.n_answered == 1


def test_a_title_that_memory_forgot_is_found_in_the_store(tagger_of, tmp_path):
    tagger = tagger_of("tfidf", max_cached=2)
    tagger.store_answers(tmp_path / "answers")
    for title in ("head nurse", "cook", "gardener", "head nurse"):
        tagger.tag(titles(title))
    assert tagger.n_answered == 3


def test_a_model_is_asked_for_batches_of_a_fixed_size(tagger_of, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.tagging.tagger._TITLES_OF_MODEL", 3)
    typed = [f"nurse {number}" for number in range(8)]
    asked = []
    for n_before in (0, 3):
        tagger = tagger_of("tfidf")
        predict = tagger._system.predict_proba
        monkeypatch.setattr(tagger._system, "predict_proba", lambda some, p=predict: asked.append(len(some)) or p(some))
        tagger.store_answers(tmp_path / str(n_before))
        if n_before:
            tagger.tag(titles(*typed[:n_before]))
            asked.clear()
        tagger.tag(titles(*typed))
        assert asked == [3, 3, 2][n_before // 3 :]


def test_a_table_stores_nothing(tagger_of, tmp_path):
    assert tagger_of().store_answers(tmp_path / "answers") == 0
    assert not (tmp_path / "answers").exists()


def test_what_is_unlike_the_training_titles_is_for_review(tagger_of):
    tagger = tagger_of("tfidf")
    records = tagged(tagger, titles("head nurse", "ddsfsdf", "not a head nurse"))
    assert (records["reasons"] & review.UNLIKE > 0).tolist() == [False, True, True]
    assert (records["confidences"][1:] < 0.7).all()


@pytest.fixture(scope="module")
def project_tagger(tmp_path_factory):
    """Return a tagger with tfidf and the project's taxonomy and hierarchy, fitted on a few ideal customers."""
    taxonomy = Taxonomy.read(PROJECT_CONFIGS / "taxonomy.yaml")
    rows = [
        {"title": f"{grade} {field}", "function": "IT", "role": role, "level": level}
        for grade, level in {"CISO": "C-Level", "Director": "Director", "Manager": "Manager"}.items()
        for field, role in {"Information Security": "Information Security", "Network": "Networking"}.items()
    ]
    learned = LabelledTitles.from_frame(pd.DataFrame(rows), taxonomy, source="legacy")
    folder = tmp_path_factory.mktemp("fitted")
    TfidfClassifier(TfidfSettings(min_titles=1)).fit(learned, learned).save(folder)
    return Tagger("tfidf", folder, taxonomy, read_hierarchy(PROJECT_CONFIGS / "hierarchy.yaml", taxonomy), 0.7)


def test_no_text_that_is_no_title_becomes_an_ideal_customer(project_tagger):
    texts = [*KNOWN, "Not a CISO", *(text for some in not_titles(200).values() for text in some)]
    records = tagged(project_tagger, titles("CISO Information Security", *texts))
    places = [project_tagger.hierarchy.nodes[node].path for node in records["node"]]
    assert places[0][0] == "Ideal customers"
    assert not any(places[1:])
    assert set(labels_of(project_tagger, records)[1:]) == {("Non-ICP", "Non-ICP", "Unknown")}
    assert (records["reasons"][1:] & review.UNLIKE > 0).all()
