import numpy as np
import pytest
import torch

from neural.batches import Examples, TokenizedTitles, plan_batches, tokenize

CLS, SEP, UNK = 2, 3, 1
LENGTHS = np.random.default_rng(0).integers(2, 20, 500)


@pytest.mark.parametrize("rng", [None, np.random.default_rng(1), np.random.default_rng(2)])
@pytest.mark.parametrize("budget", [19, 64, 1000, 10**6])
def test_batches_cover_every_row_once_and_stay_under_the_budget(budget, rng):
    batches = plan_batches(LENGTHS, budget, rng)

    assert sorted(np.concatenate(batches)) == list(range(len(LENGTHS)))
    assert max(len(rows) * LENGTHS[rows].max() for rows in batches) <= budget


def test_batches_are_few_and_hold_titles_of_about_one_length():
    batches = plan_batches(LENGTHS, 200, np.random.default_rng(0))

    padded = sum(len(rows) * LENGTHS[rows].max() for rows in batches)
    assert padded < 1.05 * LENGTHS.sum()
    assert len(batches) < 1.2 * LENGTHS.sum() / 200


def test_each_epoch_has_its_own_batches_and_the_same_number_of_them():
    rng = np.random.default_rng(0)
    first, second = (plan_batches(LENGTHS, 100, rng) for _ in range(2))

    assert len(first) == len(second) == len(plan_batches(LENGTHS, 100))
    assert {frozenset(rows) for rows in first} != {frozenset(rows) for rows in second}
    assert [LENGTHS[rows].max() for rows in first] != sorted(LENGTHS[rows].max() for rows in first)


def test_no_titles_make_no_batches():
    assert plan_batches(np.array([], dtype=np.int64), 64) == []


def test_padding_fills_to_the_longest_of_the_batch():
    titles = TokenizedTitles(ids=np.array([2, 7, 3, 2, 3], np.int32), offsets=np.array([0, 3, 5]), pad_id=9)

    ids, mask = titles.padded(np.array([1, 0]))

    assert ids.tolist() == [[2, 3, 9], [2, 7, 3]]
    assert mask.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert titles.padded(np.array([1]))[0].tolist() == [[2, 3]]


def test_an_empty_title_is_its_special_tokens(tokenizer):
    titles = tokenize(["", "nurse", "   "], tokenizer, 8)

    assert titles.lengths.tolist() == [2, 3, 2]
    assert titles.ids[:2].tolist() == [CLS, SEP]


def test_a_long_title_keeps_its_first_tokens(tokenizer):
    titles = tokenize(["nurse " * 20, "x" * 10**6], tokenizer, 5)

    assert titles.lengths.max() == 5
    assert titles.ids[[0, 4]].tolist() == [CLS, SEP]


@pytest.mark.parametrize("title", ["\x00", "\ud800 nurse", "\N{GRINNING FACE}" * 2000, "Größe 夜間看護師", "\n\t"])
def test_any_string_can_be_tokenized(tokenizer, title):
    assert 2 <= tokenize([title], tokenizer, 16).lengths[0] <= 16


def test_no_titles_can_be_tokenized(tokenizer):
    assert len(tokenize([], tokenizer, 8)) == 0


CPU = torch.device("cpu")


@pytest.fixture
def examples(tokenizer):
    titles = tokenize(["nurse", "chief information security officer", "", "sales analyst"], tokenizer, 16)
    soft = {"type": np.full((4, 3), 1 / 3, dtype=np.float32)}
    labels = {"type": np.array([1, 0, 2, 2], dtype=np.int16)}
    return Examples(titles=titles, labels=labels, weights=np.array([1.0, 2.0, 0.5, 0.5]), soft_labels=soft)


@pytest.mark.parametrize("width", [None, 12])
def test_a_batch_holds_the_tokens_of_its_titles(examples, width):
    rows = np.array([1, 0, 2])
    batch = examples.batch(rows, CPU, width)
    ids, mask = examples.titles.padded(rows)
    n_more = 0 if width is None else width - ids.shape[1]

    assert torch.equal(batch.ids, torch.nn.functional.pad(ids, (0, n_more), value=examples.titles.pad_id))
    assert torch.equal(batch.mask, torch.nn.functional.pad(mask, (0, n_more)))
    assert batch.labels["type"].tolist() == [0, 1, 2]
    assert batch.weights.tolist() == [2.0, 1.0, 0.5]
    assert batch.loss_labels["type"].shape == (3, 3)


def test_rows_added_to_fill_a_shape_have_weight_zero(examples):
    batch = examples.batch(np.array([3, 0]), CPU, 8, n_rows=5)

    assert batch.ids.shape == batch.mask.shape == (5, 8)
    assert batch.weights.tolist() == [0.5, 1.0, 0, 0, 0]
    assert (batch.mask.sum(1) >= 2).all()  # no row is all padding, which would have nothing to pool
    assert examples.weights.tolist() == [1.0, 2.0, 0.5, 0.5]


def test_without_soft_labels_the_loss_uses_the_labels(examples):
    plain = Examples(titles=examples.titles, labels=examples.labels, weights=examples.weights)
    batch = plain.batch(np.array([0]), CPU)

    assert torch.equal(batch.loss_labels["type"], batch.labels["type"])


def test_examples_are_copied_to_a_device_once(examples, monkeypatch):
    examples.batch(np.array([0]), CPU)
    monkeypatch.setattr(torch, "from_numpy", lambda array: torch.tensor(array) if array.dtype == np.int64 else 1 / 0)

    examples.batch(np.array([1, 2]), CPU)


def test_titles_that_are_read_alike_are_distinct_once(tokenizer):
    titles = tokenize(["nurse", "chief nurse", "Nurse", "chief, nurse", "", "nurse"], tokenizer, 16)

    distinct, own = titles.distinct()

    assert own.tolist() == [0, 1, 0, 1, 2, 0]
    assert len(distinct) == 3
    again = distinct.select(own)
    assert (again.ids.tolist(), again.offsets.tolist()) == (titles.ids.tolist(), titles.offsets.tolist())
    nothing, of_nothing = titles.select(np.empty(0, dtype=np.int64)).distinct()
    assert (len(nothing), len(of_nothing)) == (0, 0)
