from pathlib import Path

import numpy as np
import pytest
import torch

from neural.encoder import load_encoder
from neural.network import MultiHead
from neural.neural_settings import NeuralSettings
from tests.neural.toy import FIELDS, RANKS, labelled
from tests.tiny_encoder import tiny_encoder_folder


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Networks this small lose more to waking a second thread than they gain, most of all on a busy machine."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="session")
def toy():
    """Return rows whose labels two words decide, in every order and with a filler."""
    rows = []
    for rank, rank_class in RANKS.items():
        for field, field_class in FIELDS.items():
            for filler in ("", "data ", "network ", "night "):
                rows.append((f"{rank} {filler}{field}", field_class, rank_class))
    return labelled(rows)


@pytest.fixture(scope="session")
def nothing():
    return labelled([]).select(np.array([], dtype=np.int64))


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory) -> Path:
    return tiny_encoder_folder(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def settings(tiny_folder):
    return NeuralSettings(
        encoder=str(tiny_folder),
        epochs=6,
        min_steps=0,
        learning_rate=5e-3,
        max_tokens_per_batch=96,
        precision="fp32",
        device="cpu",
    )


@pytest.fixture
def tokenizer(tiny_folder):
    return load_encoder(str(tiny_folder))[1]


@pytest.fixture
def network(tiny_folder):
    torch.manual_seed(0)
    encoder, _ = load_encoder(str(tiny_folder))
    return MultiHead(encoder, {"type": 3, "a.b": 2}, "mean", 0.1).eval()
