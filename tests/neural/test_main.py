"""Training from the command line, in one process and in two, as `torchrun` starts them."""

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from neural.__main__ import _settings, main
from tests.neural.toy import TAXONOMY

ROOT = Path(__file__).parents[2]


@pytest.fixture
def files(tmp_path, toy, settings):
    """Write rows, taxonomy and settings; without dropout, one process and two differ by rounding alone."""
    frame = pd.DataFrame({"title": toy.titles, "count": 1 + np.arange(len(toy)) % 3})
    for target in TAXONOMY.targets:
        frame[target.name] = [target.classes[code] for code in toy.labels[target.name]]
    frame.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "taxonomy.yaml").write_text(yaml.safe_dump(TAXONOMY.to_dict()))
    encoder = tmp_path / "encoder"
    shutil.copytree(settings.encoder, encoder)
    config = json.loads((encoder / "config.json").read_text())
    without = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (encoder / "config.json").write_text(json.dumps({**config, **without}))
    plain = {**asdict(settings), "encoder": str(encoder), "dropout": 0.0, "epochs": 3}
    plain |= {"batching": "random", "titles_per_batch": 9}
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(plain))
    return tmp_path


def arguments(files, out):
    rows = files / "rows.csv"
    return [
        *(rows, rows, "--taxonomy", files / "taxonomy.yaml", "--settings", files / "settings.yaml"),
        *("--out", files / out),
    ]


def epochs_of(files, out):
    return json.loads((files / out / "training_log.json").read_text())["epochs"]


def test_two_processes_train_the_network_that_one_trains(files):
    one = [sys.executable, "-m", "neural", *map(str, arguments(files, "one"))]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    two = [*launch, "-m", "neural", *map(str, arguments(files, "two"))]
    for command in (one, two):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]

    for alone, together in zip(epochs_of(files, "one"), epochs_of(files, "two"), strict=True):
        assert together["n_steps"] == alone["n_steps"]
        assert together["train_loss"] == pytest.approx(alone["train_loss"], abs=2e-3)
        assert together["valid_loss"] == pytest.approx(alone["valid_loss"], abs=2e-3)
        for target in TAXONOMY.names:
            assert together["valid_accuracy"][target] == pytest.approx(alone["valid_accuracy"][target], abs=0.03)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("settings.yaml", "epoch: 3"), "Did you mean 'epochs'"),
        (("settings.yaml", "- 3"), "expected a mapping"),
        (("settings.yaml", "epochs: 0"), "epochs is 0; expected a whole number of at least 1"),
        (("settings.yaml", "label_smoothing: 0.1"), "'label_smoothing' was removed"),
        (("rows.csv", "Title,type,a.b\nCook,other,rest\n"), "Did you mean"),
        (("rows.csv", ""), "cannot be read"),
    ],
)
def test_bad_input_ends_with_one_message_and_exit_code_2(files, capsys, change, message):
    name, text = change
    (files / name).write_text(text)
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments(files, "out")])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_an_old_name_of_a_setting_works_with_a_warning(tmp_path):
    (tmp_path / "settings.yaml").write_text("least_steps: 7\n")

    with pytest.warns(FutureWarning, match="line 1: least_steps is now called min_steps"):
        settings = _settings(tmp_path / "settings.yaml")

    assert settings.min_steps == 7
