import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch._dynamo.exc import TorchDynamoException

from data_cleaning.errors import BadInput
from neural import training
from neural.batches import Examples, tokenize
from neural.checkpoints import Checkpoints
from neural.optimization import target_losses, total_loss
from neural.training import Trainer


@pytest.fixture
def examples(tokenizer, toy):
    return Examples(titles=tokenize(list(toy.titles), tokenizer, 16), labels=toy.labels, weights=np.ones(len(toy)))


def train(*arguments, **more):
    return Trainer(*arguments, **more).run()


def without_dropout(network):
    for dropout in (module for module in network.modules() if isinstance(module, torch.nn.Dropout)):
        dropout.p = 0.0


def test_the_epoch_that_validates_best_is_kept(network, examples, settings, monkeypatch):
    scores = iter([0.5, 0.8, 0.7])
    states = []

    def scripted(model, *_):
        states.append({name: values.clone() for name, values in model.state_dict().items()})
        return 1.0, {"type": next(scores), "a.b": 0.5}

    monkeypatch.setattr(training, "evaluate", scripted)
    three_epochs = type(settings)(**{**vars(settings), "epochs": 3})
    log, best = train(network, examples, examples, three_epochs, np.random.default_rng(0))

    assert [entry.epoch for entry in log] == [1, 2, 3]
    assert best is log[1]
    assert set(best.train_accuracy) == {"type", "a.b"}
    kept = network.heads.state_dict()
    second, third = ({name: state[f"heads.{name}"] for name in kept} for state in states[1:])
    assert all(torch.equal(kept[name], values) for name, values in second.items())
    assert not any(torch.equal(kept[name], values) for name, values in third.items())


def test_without_validation_rows_the_last_epoch_is_kept(network, examples, settings):
    log, best = train(network, examples, None, settings, np.random.default_rng(0))

    assert best is log[-1]
    assert best.epoch == settings.epochs
    assert best.valid_loss is None
    assert log[-1].train_loss < log[0].train_loss


def test_a_loss_that_is_not_a_number_is_bad_input(network, examples, settings):
    torch.nn.init.constant_(network.heads[0].bias, float("nan"))

    with pytest.raises(BadInput, match=r"epoch 1 after 0 titles: the loss is nan\. Lower learning_rate"):
        train(network, examples, None, settings, np.random.default_rng(0))


def test_evaluation_weighs_rows(network, examples):
    right = (
        training.predict_logits(network, examples.titles, "fp32")["type"].argmax(1).numpy() == examples.labels["type"]
    )
    weights = np.where(right, 3.0, 1.0)

    _, accuracy = training.evaluate(
        network, Examples(titles=examples.titles, labels=examples.labels, weights=weights), "fp32"
    )

    assert accuracy["type"] == pytest.approx(3 * right.sum() / (3 * right.sum() + (~right).sum()))


def test_every_parameter_trains(network, examples, settings):
    before = {name: values.clone() for name, values in network.named_parameters()}

    train(network, examples, None, settings, np.random.default_rng(0))

    assert not [name for name, values in network.named_parameters() if torch.equal(before[name], values)]


def test_progress_counts_the_titles_of_each_epoch(network, examples, settings):
    told = []

    train(network, examples, None, settings, np.random.default_rng(0), on_progress=lambda *said: told.append(said))

    assert told[0][0] == "neural epoch 1/6"
    assert told[-1] == ("neural epoch 6/6", len(examples.titles), len(examples.titles))


class _Killed(Exception):
    pass


def _fit(network, examples, settings, checkpoints, kill_after=None):
    """Train a fresh copy of a network, or be killed after so many batches."""
    model = copy.deepcopy(network)
    n_batches = iter(range(10_000))

    def on_progress(*_):
        if next(n_batches) == kill_after:
            raise _Killed

    torch.manual_seed(1)
    log, best = train(
        model, examples, examples, settings, np.random.default_rng(5), on_progress=on_progress, checkpoints=checkpoints
    )
    return model, log, best


@pytest.mark.parametrize("kills", [[0], [4], [6, 3], [1, 1, 1]])
def test_a_killed_training_ends_with_the_weights_of_an_unbroken_one(network, examples, settings, tmp_path, kills):
    often = replace(settings, epochs=4, checkpoint_minutes=0, target_weights="inverse-accuracy", accuracy_window=3)
    whole, whole_log, whole_best = _fit(network, examples, often, None)
    for kill_after in kills:
        with pytest.raises(_Killed):
            _fit(network, examples, often, Checkpoints(tmp_path, "mine"), kill_after)
    # Whatever the caller drew meanwhile.
    torch.rand(3)
    broken, log, best = _fit(network, examples, often, Checkpoints(tmp_path, "mine"))

    assert all(torch.equal(values, broken.state_dict()[name]) for name, values in whole.state_dict().items())
    plain = [replace(entry, seconds=0) for entry in log]
    assert plain == [replace(entry, seconds=0) for entry in whole_log]
    assert best.epoch == whole_best.epoch


def test_a_finished_training_is_not_done_again(network, examples, settings, tmp_path):
    first, _, _ = _fit(network, examples, settings, Checkpoints(tmp_path, "mine"))
    again, _, _ = _fit(network, examples, settings, Checkpoints(tmp_path, "mine"), kill_after=0)
    assert all(torch.equal(values, again.state_dict()[name]) for name, values in first.state_dict().items())


def test_the_batch_on_which_training_diverged_is_saved(network, examples, settings, tmp_path):
    torch.nn.init.constant_(network.heads[0].bias, float("nan"))

    with pytest.raises(BadInput, match=r"bad_batch\.json"):
        train(network, examples, None, settings, np.random.default_rng(0), checkpoints=Checkpoints(tmp_path, "mine"))

    batch = json.loads((tmp_path / "bad_batch.json").read_text())
    offsets = examples.titles.offsets
    for row, ids in zip(batch["rows"], batch["token_ids"], strict=True):
        assert ids == examples.titles.ids[offsets[row] : offsets[row + 1]].tolist()
    assert batch["labels"]["type"] == examples.labels["type"][batch["rows"]].tolist()


def test_too_little_memory_halves_the_batches_and_trains_on(network, examples, settings, monkeypatch):
    """A device with room for four titles: every title is still learned from, and once."""
    seen = []
    batch = Examples.batch

    def with_little_room(self, rows, *arguments):
        if len(rows) > 4:
            raise torch.OutOfMemoryError("no room")
        seen.extend(rows)
        return batch(self, rows, *arguments)

    monkeypatch.setattr(Examples, "batch", with_little_room)
    with pytest.warns(RuntimeWarning, match="batches of half the size"):
        log, _ = train(network, examples, None, replace(settings, epochs=1), np.random.default_rng(0))

    assert sorted(seen) == list(range(len(examples.titles)))
    assert log[0].n_steps >= len(examples.titles) / 4


def test_memory_for_not_even_one_title_is_an_error(network, examples, settings, monkeypatch):
    def no_room(*_):
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(Examples, "batch", no_room)
    with pytest.raises(torch.OutOfMemoryError), pytest.warns(RuntimeWarning):
        train(network, examples, None, settings, np.random.default_rng(0))


def test_training_stops_once_every_target_is_accurate_enough(network, examples, settings):
    log, _ = train(network, examples, None, replace(settings, epochs=30, stop_accuracy=0.9), np.random.default_rng(0))

    assert len(log) < 30
    assert min(log[-1].train_accuracy.values()) >= 0.9
    assert all(min(entry.train_accuracy.values()) < 0.9 for entry in log[:-1])


def test_the_target_of_the_lowest_accuracy_weighs_most(network, examples, settings):
    weighed = replace(settings, target_weights="inverse-accuracy", epochs=1)
    entry = train(network, examples, examples, weighed, np.random.default_rng(0))[0][0]

    worst = min(entry.train_accuracy, key=entry.train_accuracy.__getitem__)
    assert max(entry.target_weights, key=entry.target_weights.__getitem__) == worst
    assert sum(entry.target_weights.values()) == pytest.approx(2, abs=1e-5)
    inverse = np.array([1 / entry.train_accuracy[target] for target in entry.train_accuracy])
    assert list(entry.valid_target_weights.values()) == pytest.approx(inverse / inverse.mean(), abs=1e-5)


def test_padding_changes_no_loss(network, examples):
    """Trimmed to the longest title of the batch, or padded to 64 as in the study's recipe."""
    device = torch.device("cpu")
    rows = np.arange(len(examples.titles))
    losses = []
    for width in (None, 64):
        batch = examples.batch(rows, device, width)
        assert batch.ids.shape[1] == (64 if width else examples.titles.lengths.max())
        with torch.no_grad():
            losses.append(total_loss(target_losses(network(batch.ids, batch.mask), batch.labels, batch.weights)))
    assert abs(float(losses[0] - losses[1])) < 1e-5


def test_random_batches_hold_every_title_once(network, examples, settings, monkeypatch):
    sizes = []
    batch = Examples.batch

    def noted(self, rows, *arguments):
        sizes.append(rows.tolist())
        return batch(self, rows, *arguments)

    monkeypatch.setattr(Examples, "batch", noted)
    train(network, examples, None, replace(settings, batching="random", titles_per_batch=10, epochs=1),
          np.random.default_rng(0))  # fmt: skip
    assert {len(rows) for rows in sizes[:-1]} == {10}
    assert sorted(row for rows in sizes for row in rows) == list(range(len(examples.titles)))


def test_chunks_of_a_random_batch_add_up_to_its_loss_and_gradient(network, examples, settings):
    """Padded as a whole to 16 tokens, or in chunks of equally long titles: the same step, in several pieces."""
    whole = replace(settings, batching="random", titles_per_batch=100, epochs=1, pad_to_max=True, max_tokens=16)
    in_chunks = replace(whole, pad_to_max=False, max_tokens_per_batch=16)
    without_dropout(network)
    n_forwards, losses, gradients = [], [], []
    network.register_forward_pre_hook(lambda *_: n_forwards.append(1))
    for chosen in (whole, in_chunks):
        n_forwards.clear()
        copied = copy.deepcopy(network)
        log, _ = train(copied, examples, None, chosen, np.random.default_rng(0))
        losses.append(log[0].train_loss)
        words = copied.encoder.get_input_embeddings().weight  # which the training left for those of its titles alone
        others = (weights for weights in copied.parameters() if weights is not words)
        gradients.append(torch.cat([weights.grad.flatten() for weights in others]))
    assert len(n_forwards) > 3
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("min_steps", "n_epochs"), [(0, 2), (7, 4), (10_000, 10)])
def test_small_data_gets_more_epochs_up_to_ten(network, examples, settings, min_steps, n_epochs):
    few = replace(settings, batching="random", titles_per_batch=len(examples.titles) // 2, epochs=2)

    log, _ = train(network, examples, None, replace(few, min_steps=min_steps), np.random.default_rng(0))

    assert len(log) == n_epochs
    assert {entry.n_steps for entry in log} == {2}


def test_a_machine_that_cannot_compile_is_bad_input(network, examples, settings, monkeypatch):
    def cannot(*_):
        raise TorchDynamoException("No working C++ compiler found\nand much more")

    monkeypatch.setattr(torch, "compile", lambda *_, **__: cannot)
    with pytest.raises(BadInput, match=r"cannot compile the steps \(No working C\+\+ compiler found\)"):
        train(network, examples, None, replace(settings, compiled=True), np.random.default_rng(0))


def test_compiled_steps_have_few_shapes_and_learn_the_same(network, examples, settings, monkeypatch):
    """Some rows only fill a shape and have weight 0; compiling itself is left to torch."""
    shapes, modes = [], []

    def noted(model, dynamic, mode):
        modes.append((dynamic, mode))
        model.register_forward_pre_hook(
            lambda _, given: shapes.append(tuple(given[0].shape)) if model.training else None
        )
        return model

    monkeypatch.setattr(torch, "compile", noted)
    without_dropout(network)
    compiled = replace(settings, compiled=True, max_tokens=16, max_tokens_per_batch=64, epochs=2)
    log, _ = train(copy.deepcopy(network), examples, examples, compiled, np.random.default_rng(0))

    assert modes == [(False, None)]
    assert set(shapes) <= {(8, 8), (4, 16)}
    # The same rows in the same batches, without rows that fill a shape.
    monkeypatch.setattr(Trainer, "_shape", lambda *_: (None, None))
    plain, _ = train(copy.deepcopy(network), examples, examples, compiled, np.random.default_rng(0))
    for ours, theirs in zip(log, plain, strict=True):
        assert ours.train_loss == pytest.approx(theirs.train_loss, abs=1e-5)
        assert ours.train_accuracy == pytest.approx(theirs.train_accuracy)
        assert ours.valid_loss == pytest.approx(theirs.valid_loss, abs=1e-4)
