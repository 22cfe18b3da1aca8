"""A saved network that numpy runs."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from neural.classifier import NeuralClassifier
from neural.numpy_network import load_for_few_titles

TITLES = [
    "chief nurse",
    "",
    "senior night data network nurse",
    "R&D",
    "Geschäftsführer",
    "x" * 3_000,
    "\ud800 a",
    "a\0b",
]


@pytest.fixture(scope="module")
def fitted(settings, toy):
    return NeuralClassifier(replace(settings, epochs=1, runtime="torch"), seed=3).fit(toy, toy)


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_numpy_answers_as_torch_does(fitted, tmp_path, pooling):
    fitted.save(tmp_path / "saved")
    path = tmp_path / "saved" / "settings.json"
    saved = json.loads(path.read_text())
    saved["settings"]["pooling"] = pooling
    path.write_text(json.dumps(saved))
    expected = NeuralClassifier.load(tmp_path / "saved").predict_proba(TITLES * 10)
    found = load_for_few_titles(tmp_path / "saved").predict_proba(TITLES * 10)
    assert found.keys() == expected.keys()
    for target, rows in expected.items():
        np.testing.assert_allclose(found[target], rows, atol=1e-5)


@pytest.mark.parametrize(("key", "value"), [("model_type", "distilbert"), ("hidden_act", "relu"), ("is_decoder", True)])
def test_other_encoders_are_left_to_torch(fitted, tmp_path, key, value):
    fitted.save(tmp_path)
    path = tmp_path / "encoder" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    assert load_for_few_titles(tmp_path) is None


@pytest.mark.parametrize(("precision", "by_numpy"), [("auto", True), ("fp32", True), ("bf16", False)])
def test_a_network_that_is_to_run_in_bf16_is_left_to_torch(fitted, tmp_path, precision, by_numpy):
    fitted.save(tmp_path)
    path = tmp_path / "settings.json"
    saved = json.loads(path.read_text())
    saved["settings"]["precision"] = precision
    path.write_text(json.dumps(saved))
    assert (load_for_few_titles(tmp_path) is not None) == by_numpy


@pytest.mark.parametrize("name", ["model.safetensors", "training_log.json", "settings.json", "encoder"])
def test_what_is_wrong_with_a_folder_is_left_to_torch_to_say(fitted, tmp_path, name):
    fitted.save(tmp_path)
    if name == "encoder":
        shutil.rmtree(tmp_path / name)
    else:
        (tmp_path / name).write_bytes(b"\0broken")
    assert load_for_few_titles(tmp_path) is None
