"""How a network reads titles, and in which other spellings it learns them."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural.attribution import explain
from neural.classifier import NeuralClassifier
from neural.numpy_network import load_for_few_titles
from neural.runtime import OnnxNetwork
from neural.spelling import MAX_CHARACTERS, as_read, spellings

PLAIN = "chief data nurse"
SIGNED = ["chief, data nurse", "chief-data/nurse", "Chief Data Nurse.", "chief: data (nurse)", "chief; data | nurse"]


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=40))
def test_characters_stay_in_their_place_so_that_words_are_found_in_the_title(title):
    for folded in (True, False):
        read = as_read(title, folded=folded)
        assert len(read) == len(title)
        assert all(was == now or now in " ?" for was, now in zip(title, read, strict=True))


def test_signs_between_words_are_read_as_spaces_and_those_within_words_stay():
    assert as_read("VP, R&D/IT - C++ (Node.js)", folded=True) == "VP  R&D IT   C++  Node.js "
    assert as_read("VP, IT.", folded=False) == "VP, IT."
    assert len(as_read("x" * 5_000, folded=True)) == MAX_CHARACTERS


@pytest.mark.parametrize(
    ("title", "others"),
    [
        ("Cloud Engineer", ["Engineer, Cloud", "Cloud Engineers", "Engineers, Cloud"]),
        ("Cloud Engineers", ["Engineers, Cloud", "Cloud Engineer", "Engineer, Cloud"]),
        ("Director of Security", ["Security, Director", "Directors of Security", "Security, Directors"]),
        ("Secretary, Legal", ["Legal, Secretary", "Secretaries, Legal", "Legal, Secretaries"]),
        ("Boss", ["Boss", "Bosses", "Bosses"]),
        ("Bosses", ["Bosses", "Boss", "Boss"]),
        ("Head of IT", ["IT, Head", "Heads of IT", "IT, Heads"]),
        ("Manager IT", ["IT, Manager", "Manager IT", "IT, Manager"]),
        ("Nurse, ", ["Nurse, ", "Nurses, ", "Nurses, "]),
        ("", ["", "", ""]),
    ],
)
def test_a_title_is_learned_turned_round_and_in_the_other_number(title, others):
    assert spellings(title) == others


@given(st.text(max_size=30))
def test_any_text_has_three_other_spellings(title):
    assert len(spellings(title)) == 3


def logs(system, titles):
    """Return logarithms of probabilities: those of a small network are near 0 and 1, and would all look the same."""
    return {target: np.log(rows) for target, rows in system.predict_proba(titles).items()}


@pytest.fixture(scope="module")
def fitted(settings, toy):
    return NeuralClassifier(replace(settings, epochs=12, runtime="torch"), seed=3).fit(toy, toy)


def test_signs_between_words_change_no_probability_in_any_runtime(fitted, tmp_path):
    fitted.save(tmp_path)
    onnx = NeuralClassifier.load(tmp_path)
    onnx.runtime_ = OnnxNetwork.in_fp32(onnx.model_)
    expected = logs(fitted, [PLAIN])
    for system in (fitted, onnx, load_for_few_titles(tmp_path)):
        for target, rows in logs(system, SIGNED).items():
            np.testing.assert_allclose(rows, np.repeat(expected[target], len(SIGNED), axis=0), atol=1e-2)


def test_the_words_of_an_explanation_are_those_of_the_title_as_written(fitted):
    plain, signed = (explain(fitted, [title], "gradient-x-input") for title in (PLAIN, "(chief) - data/nurse"))
    words = ["(chief) - data/nurse"[start:end] for start, end in zip(signed.starts, signed.ends, strict=True)]
    assert words == PLAIN.split()
    for target, scores in plain.scores.items():
        np.testing.assert_allclose(signed.scores[target], scores, atol=1e-5)


def test_every_epoch_learns_each_title_in_one_of_its_spellings(fitted, toy):
    rows = fitted._training_examples(toy, np.random.default_rng(0))
    assert (len(rows), rows.n_spellings, len(rows.titles)) == (len(toy), 4, 4 * len(toy))
    assert fitted.fit_summary()["distinct_rows_fitted"] == len(toy)
    for target, codes in toy.labels.items():
        assert rows.labels[target].tolist() == codes.tolist() * 4


def test_turned_titles_keep_their_answer(fitted, toy):
    turned = [spellings(title)[0] for title in toy.titles]
    for target, rows in fitted.predict_proba(turned).items():
        assert (rows.argmax(1) == toy.labels[target]).mean() > 0.9


def test_exact_spelling_learns_titles_as_they_are_written(settings, toy):
    exact = NeuralClassifier(replace(settings, spelling="exact", epochs=1, runtime="torch")).fit(toy, toy)
    assert exact._training_examples(toy, np.random.default_rng(0)).n_spellings == 1
    plain, signed = logs(exact, [PLAIN, SIGNED[0]])["type"]
    assert np.abs(plain - signed).max() > 0.1


def test_a_network_saved_before_titles_were_folded_reads_them_as_they_are_written(fitted, tmp_path):
    fitted.save(tmp_path)
    path = tmp_path / "settings.json"
    saved = json.loads(path.read_text())
    del saved["settings"]["spelling"]
    path.write_text(json.dumps(saved))
    titles = [PLAIN, re.sub(" ", ", ", PLAIN)]
    by_torch, by_numpy = NeuralClassifier.load(tmp_path), load_for_few_titles(tmp_path)
    assert by_torch.settings.spelling == "exact"
    for target, rows in logs(by_torch, titles).items():
        assert np.abs(rows[0] - rows[1]).max() > 0.1
        np.testing.assert_allclose(logs(by_numpy, titles)[target], rows, atol=1e-2)
