"""TF-IDF with logistic regression learns from words, weighs records, and accepts empty input."""

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from baselines import regression
from baselines.tfidf import TfidfClassifier
from baselines.tfidf_features import TfidfSettings, TitleFeatures
from data_cleaning.errors import BadInput

EASY = TfidfSettings(min_titles=1)
ODD_TITLES = ["", "\0", "🎉", "x" * 1_000_000, "İ"]


@pytest.fixture
def separable(labelled):
    rows = []
    for place in ("north", "south", "east", "west"):
        rows.append((f"{place} network engineer", "IT", "IT General", "Contributor"))
        rows.append((f"{place} threat analyst", "Security", "Information Security", "Contributor"))
        rows.append((f"chief {place} baker", "Other", "None", "Executive"))
    return labelled(*rows)


def predicted(system, title, target="function"):
    classes = system.taxonomy_[target].classes
    return classes[system.predict_proba([title])[target].argmax()]


def test_separable_classes_are_learned(separable):
    system = TfidfClassifier(EASY).fit(separable, separable)
    assert predicted(system, "midwest network engineer") == "IT"
    assert predicted(system, "threat analysis") == "Security"  # by characters: no such word was seen
    assert predicted(system, "chief of bakers", "level") == "Executive"


def test_the_fit_that_saves_memory_answers_as_the_other_does(separable, monkeypatch):
    titles = ["midwest network engineer", "threat analysis", "chief of bakers"]
    usual = TfidfClassifier(EASY).fit(separable, separable)
    monkeypatch.setattr(regression, "_MAX_LBFGS_BYTES", 0)
    frugal = TfidfClassifier(EASY).fit(separable, separable)

    for target, rows in usual.predict_proba(titles).items():
        np.testing.assert_allclose(frugal.predict_proba(titles)[target], rows, atol=0.01)
        ours, theirs = (system.regressions_[target].coefficients for system in (frugal, usual))
        assert (ours != theirs).any()  # another solver did it


@pytest.mark.parametrize("variant", ["East-Network Engineer", "east network/engineers", "East, Network Engineer."])
def test_signs_between_words_and_plurals_do_not_change_the_answer(separable, variant):
    system = TfidfClassifier(EASY).fit(separable, separable)
    for target, rows in system.predict_proba(["east network engineer", variant]).items():
        np.testing.assert_array_equal(rows[0], rows[1], err_msg=target)


def test_a_system_that_an_earlier_release_saved_answers_as_it_did(separable, tmp_path):
    TfidfClassifier(EASY).fit(separable, separable).save(tmp_path)
    state = json.loads((tmp_path / "tfidf.json").read_text())
    del state["folded"], state["novelty"]
    (tmp_path / "tfidf.json").write_text(json.dumps(state))
    earlier = TfidfClassifier.load(tmp_path)
    assert not earlier.unlike(["ddsfsdf", "chief baker"]).any()
    assert earlier.features_.transform(["bakers"]).nnz > earlier.features_.transform(["bak"]).nnz


@pytest.mark.parametrize(
    ("n_words", "n_characters", "sublinear"), [(2, (2, 5), True), (3, (4, 6), False), (1, (30, 40), True)]
)
def test_features_are_those_of_scikit_learns_vectoriser(n_words, n_characters, sublinear):
    titles = [
        "Sr. Mgr\u2003InfoSec & Compliance",
        "  night  nurse ",
        "",
        "nurse nurse nurse",
        "C++ / R&D",
        "ΣΟΦΟΣ ΣΑΣ",
        "É",
    ] * 2
    titles += [f"{word}\t{other}" for word in ("head", "İstanbul", "a") for other in ("of\x1cit", "it", "看護師")] * 2
    settings = TfidfSettings(
        max_word_ngram=n_words,
        min_character_ngram=n_characters[0],
        max_character_ngram=n_characters[1],
        sublinear_frequency=sublinear,
    )
    features = TitleFeatures(settings, folded=False).fit(titles)
    shared = {"min_df": 2, "sublinear_tf": sublinear, "dtype": np.float32}
    words = TfidfVectorizer(ngram_range=(1, n_words), token_pattern=r"\w+", **shared)
    characters = TfidfVectorizer(ngram_range=n_characters, analyzer="char_wb", **shared)
    expected = sparse.hstack([words.fit_transform(titles), characters.fit_transform(titles)], format="csr")
    found = features.transform(titles)
    assert (found != expected).nnz == 0
    others = ["nurse of compliance it", "\t", *titles[::-1]]
    expected = sparse.hstack([words.transform(others), characters.transform(others)], format="csr")
    assert (features.transform(others) != expected).nnz == 0


def test_probabilities_are_rows_that_sum_to_one(separable):
    system = TfidfClassifier(EASY).fit(separable, separable)
    for target, rows in system.predict_proba([*ODD_TITLES, "chief", "chief"]).items():
        assert rows.shape == (7, separable.taxonomy.n_classes(target))
        np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-6)
        np.testing.assert_array_equal(rows[5], rows[6])
    assert system.predict_proba([])["function"].shape == (0, 3)


def test_classes_missing_from_training_get_probability_zero(labelled):
    train = labelled(("cook", "IT", "None", "Executive"), ("baker", "Other", "None", "Contributor"))
    proba = TfidfClassifier(EASY).fit(train, train).predict_proba(["cook", "baker", "COOK"])
    assert proba["function"][:, 1].tolist() == [0, 0, 0]
    assert proba["function"].argmax(axis=1).tolist()[:2] == [0, 2]
    assert proba["role"].tolist() == [[0, 0, 1]] * 3


@pytest.mark.parametrize("heavier", ["count", "weight"])
def test_the_label_with_more_weight_wins_a_title(labelled, heavier):
    heavy = (9, 1.0) if heavier == "count" else (1, 9.0)
    train = labelled(
        ("cook", "IT", "None", "Executive", *heavy), ("cook", "Other", "None", "Executive"),
        ("baker", "Other", "None", "Executive", *heavy), ("baker", "IT", "None", "Executive"),
    )  # fmt: skip
    system = TfidfClassifier(EASY).fit(train, train)
    assert [predicted(system, "cook"), predicted(system, "baker")] == ["IT", "Other"]


def test_count_power_of_zero_ignores_records_but_not_weights(labelled):
    train = labelled(("cook", "IT", "None", "Executive", 99), ("cook", "Other", "None", "Executive", 1, 2.0))
    by_record = TfidfClassifier(EASY).fit(train, train)
    by_row = TfidfClassifier(TfidfSettings(min_titles=1, count_power=0.0)).fit(train, train)
    assert [predicted(by_record, "cook"), predicted(by_row, "cook")] == ["IT", "Other"]


def test_rows_of_equal_title_and_label_are_merged(labelled):
    row = ("cook", "IT", "None", "Executive")
    other = ("baker", "Other", "None", "Contributor")
    apart, merged = labelled(row, row, other), labelled((*row, 2), other)
    first, second = (TfidfClassifier(EASY).fit(train, train) for train in (apart, merged))
    np.testing.assert_array_equal(first.predict_proba(["cook"])["function"], second.predict_proba(["cook"])["function"])
    assert first.fit_summary()["regressions"]["function"]["rows"] == 2


@pytest.mark.parametrize("settings", [EASY, TfidfSettings(min_titles=50)])
def test_an_empty_vocabulary_predicts_the_prior(labelled, settings):
    train = labelled(
        ("", "IT", "None", "Executive", 3), ("--" if settings is EASY else "x", "Other", "None", "Executive")
    )
    if settings is EASY:
        train = train.select(train.titles == "")
    proba = TfidfClassifier(settings).fit(train, train).predict_proba(["x", "cook"])
    expected = [1, 0, 0] if settings is EASY else [0.75, 0, 0.25]
    np.testing.assert_allclose(proba["function"], [expected] * 2)


def test_no_training_rows_give_equal_probabilities(separable):
    nothing = separable.select(np.array([], dtype=int))
    proba = TfidfClassifier(EASY).fit(nothing, nothing).predict_proba(["cook"])
    np.testing.assert_allclose(proba["function"], [[1 / 3] * 3])


def test_saved_and_loaded_systems_answer_alike(separable, tmp_path):
    system = TfidfClassifier(EASY, seed=3).fit(separable, separable)
    system.save(tmp_path / "new" / "folder")
    again = TfidfClassifier.load(tmp_path / "new" / "folder")
    titles = ["north cook", *ODD_TITLES]
    for target, rows in system.predict_proba(titles).items():
        np.testing.assert_array_equal(again.predict_proba(titles)[target], rows)
    assert (again.settings, again.seed) == (EASY, 3)
    assert json.loads(json.dumps(again.fit_summary())) == system.fit_summary()
    assert not list((tmp_path / "new" / "folder").glob("*.pkl"))


def test_a_fit_cut_short_is_reported_without_a_warning(separable):
    settings = TfidfSettings(min_titles=1, max_iterations=1)
    ended = TfidfClassifier(settings).fit(separable, separable).fit_summary()["regressions"]["function"]
    assert ended["stopped_at_max_iterations"]
    full = TfidfClassifier(EASY).fit(separable, separable).fit_summary()["regressions"]["function"]
    assert not full["stopped_at_max_iterations"]


def test_progress_is_reported(separable):
    reported = []
    system = TfidfClassifier(EASY, on_progress=lambda *step: reported.append(step)).fit(separable, separable)
    system.predict_proba(["a", "b", "a"])
    assert reported == [("fit tfidf", n, 3, "targets") for n in (1, 2, 3)] + [("predict tfidf", 2, 2)]


def test_bad_settings_are_named_together():
    with pytest.raises(BadInput, match=r"min_titles is 0; .*sublinear_frequency is 1; .*inverse_regularisation is nan"):
        TfidfSettings(min_titles=0, sublinear_frequency=1, inverse_regularisation=float("nan"))
    with pytest.raises(BadInput, match="max_character_ngram is 1; expected at least min_character_ngram, 2"):
        TfidfSettings(max_character_ngram=1)


def test_predicting_before_fit_says_what_to_do():
    with pytest.raises(BadInput, match="TfidfClassifier has learned nothing yet"):
        TfidfClassifier(EASY).predict_proba(["a"])


def test_settings_are_read_without_scikit_learn():
    code = "import sys, baselines.tfidf_features; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_saved_system_answers_without_scikit_learn(separable, tmp_path):
    TfidfClassifier(EASY).fit(separable, separable).save(tmp_path)
    code = (
        "import sys; from pathlib import Path; from baselines.tfidf import TfidfClassifier; "
        "TfidfClassifier.load(Path(sys.argv[1])).predict_proba(['chief baker']); sys.exit('sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path], check=False).returncode == 0
