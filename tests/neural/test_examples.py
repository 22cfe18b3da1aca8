import numpy as np
import pytest
import torch

from neural.batches import tokenize
from neural.examples import Examples

CPU = torch.device("cpu")


@pytest.fixture
def examples(tokenizer):
    titles = tokenize(["nurse", "chief information security officer", "", "sales analyst"], tokenizer, 16)
    soft = {"type": np.full((4, 3), 1 / 3, dtype=np.float32)}
    labels = {"type": np.array([1, 0, 2, 2], dtype=np.int16)}
    return Examples(titles=titles, labels=labels, weights=np.array([1.0, 2.0, 0.5, 0.5]), soft_labels=soft)


@pytest.mark.parametrize("width", [None, 12])
def test_a_batch_holds_the_tokens_that_the_titles_have(examples, width):
    rows = np.array([1, 0, 2])
    batch = examples.batch(rows, CPU, width)
    ids, mask = examples.titles.padded(rows, CPU, width)

    assert torch.equal(batch.ids, ids)
    assert torch.equal(batch.mask, mask)
    assert batch.labels["type"].tolist() == [0, 1, 2]
    assert batch.weights.tolist() == [2.0, 1.0, 0.5]
    assert batch.against["type"].shape == (3, 3)


def test_rows_that_fill_a_shape_weigh_nothing(examples):
    batch = examples.batch(np.array([3, 0]), CPU, 8, n_rows=5)

    assert batch.ids.shape == batch.mask.shape == (5, 8)
    assert batch.weights.tolist() == [0.5, 1.0, 0, 0, 0]
    assert (batch.mask.sum(1) >= 2).all()  # no row is all padding, which would have nothing to pool
    assert examples.weights.tolist() == [1.0, 2.0, 0.5, 0.5]


def test_without_soft_labels_the_loss_is_taken_against_the_labels(examples):
    plain = Examples(titles=examples.titles, labels=examples.labels, weights=examples.weights)
    batch = plain.batch(np.array([0]), CPU)

    assert torch.equal(batch.against["type"], batch.labels["type"])


def test_examples_are_taken_to_a_device_once(examples, monkeypatch):
    examples.batch(np.array([0]), CPU)
    monkeypatch.setattr(torch, "from_numpy", lambda array: torch.tensor(array) if array.dtype == np.int64 else 1 / 0)

    examples.batch(np.array([1, 2]), CPU)
