import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch._dynamo.exc import TorchDynamoException

from data_cleaning.errors import BadInput
from neural import training
from neural.batches import tokenize
from neural.checkpoints import Checkpoints
from neural.examples import Examples
from neural.objective import target_losses, total_loss
from neural.optimization import make_optimizer, set_learning_rate
from neural.training import train
from neural.training_log import EpochLog


@pytest.fixture
def examples(tokenizer, toy):
    return Examples(titles=tokenize(list(toy.titles), tokenizer, 16), labels=toy.labels, weights=np.ones(len(toy)))


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
    kept = network.state_dict()
    assert all(torch.equal(kept[name], values) for name, values in states[1].items())
    assert not all(torch.equal(kept[name], values) for name, values in states[2].items())


@pytest.mark.parametrize(
    ("better", "worse"),
    [((0.9, 0.5, 2.0), (0.6, 0.7, 1.0)), ((0.6, 0.8, 1.0), (0.8, 0.6, 1.1))],
    ids=["mean accuracy decides", "a tie goes to the lower loss"],
)
def test_epochs_are_ranked(better, worse):
    ranks = [
        EpochLog(
            epoch=1,
            train_loss=1,
            train_accuracy={},
            valid_loss=loss,
            valid_accuracy={"x": first, "y": second},
            target_weights={},
            valid_target_weights={},
            n_steps=1,
            seconds=1,
        ).rank
        for first, second, loss in (better, worse)
    ]

    assert ranks[0] > ranks[1]


def test_without_validation_rows_the_last_epoch_is_kept(network, examples, settings):
    log, best = train(network, examples, None, settings, np.random.default_rng(0))

    assert best is log[-1]
    assert best.epoch == settings.epochs
    assert best.valid_loss is None
    assert log[-1].train_loss < log[0].train_loss


def test_a_loss_that_is_no_number_stops_with_the_way_out(network, examples, settings):
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


def test_biases_and_norms_do_not_decay_and_heads_learn_faster(network, settings):
    groups = make_optimizer(network, settings).param_groups

    for group in groups:
        assert all((weights.ndim > 1) == (group["weight_decay"] > 0) for weights in group["params"])
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))
    assert {group["lr"] for group in groups} == {5e-3, 5e-3 * settings.head_learning_rate_factor}


@pytest.mark.parametrize(
    ("schedule", "share", "expected"),
    [
        ("linear", 0.0, [1.0, 0.75, 0.5, 0.25, 0.25]),
        ("linear", 0.25, [0.5, 1.0, 2 / 3, 1 / 3, 1 / 3]),
        ("constant", 0.25, [0.5, 1.0, 1.0, 1.0, 1.0]),
    ],
)
def test_the_learning_rate_rises_then_falls_or_stays(network, settings, schedule, share, expected):
    planned = replace(settings, schedule=schedule, warmup_share=share)
    optimizer = make_optimizer(network, planned)

    rates = []
    for step in range(5):  # one more than was planned
        set_learning_rate(optimizer, step, 4, planned)
        rates.append(optimizer.param_groups[0]["lr"] / settings.learning_rate)

    assert rates == pytest.approx(expected)


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
def test_a_killed_training_ends_as_an_unbroken_one(network, examples, settings, tmp_path, kills):
    often = replace(settings, epochs=4, checkpoint_minutes=0, target_weights="inverse-accuracy", accuracy_window=3)
    whole, whole_log, whole_best = _fit(network, examples, often, None)
    for kill_after in kills:
        with pytest.raises(_Killed):
            _fit(network, examples, often, Checkpoints(tmp_path, "mine"), kill_after)
    # Whatever the caller's draws were meanwhile.
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


def test_a_checkpoint_that_was_cut_short_leaves_the_last_one(network, examples, settings, tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path, "mine")
    often = replace(settings, checkpoint_minutes=0)
    with pytest.raises(_Killed):
        _fit(network, examples, often, checkpoints, 5)
    before = checkpoints.load()
    monkeypatch.setattr("neural.checkpoints.save_file", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        checkpoints.save(before)
    after = checkpoints.load()
    assert after.facts == before.facts
    assert after.tensors.keys() == before.tensors.keys()


@pytest.mark.parametrize("spoil", ["other", "broken"])
def test_a_checkpoint_that_does_not_fit_is_refused(network, examples, settings, tmp_path, spoil):
    _fit(network, examples, settings, Checkpoints(tmp_path, "mine"))
    if spoil == "broken":
        next(tmp_path.glob("snapshot-*")).write_bytes(b"not tensors")
    with pytest.raises(BadInput, match="other settings or data" if spoil == "other" else "cannot be read"):
        _fit(network, examples, settings, Checkpoints(tmp_path, "yours" if spoil == "other" else "mine"))


def test_the_batch_on_which_training_came_apart_is_saved(network, examples, settings, tmp_path):
    torch.nn.init.constant_(network.heads[0].bias, float("nan"))

    with pytest.raises(BadInput, match=r"bad_batch\.json"):
        train(network, examples, None, settings, np.random.default_rng(0), checkpoints=Checkpoints(tmp_path, "mine"))

    batch = json.loads((tmp_path / "bad_batch.json").read_text())
    offsets = examples.titles.offsets
    for row, ids in zip(batch["rows"], batch["token_ids"], strict=True):
        assert ids == examples.titles.ids[offsets[row] : offsets[row + 1]].tolist()
    assert batch["labels"]["type"] == examples.labels["type"][batch["rows"]].tolist()


def test_too_little_memory_halves_the_batches_and_goes_on(network, examples, settings, monkeypatch):
    """A device with room for four titles: every title is learned from all the same, and once."""
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


def test_the_worst_answered_target_counts_most(network, examples, settings):
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


def test_parts_of_a_random_batch_add_up_to_its_loss_and_gradient(network, examples, settings):
    """Padded as a whole to 16 tokens, or in parts of equally long titles: the same step, in several pieces."""
    whole = replace(settings, batching="random", titles_per_batch=100, epochs=1, pad_to_max=True, max_tokens=16)
    in_parts = replace(whole, pad_to_max=False, max_tokens_per_batch=16)
    without_dropout(network)
    n_forwards, losses, gradients = [], [], []
    network.register_forward_pre_hook(lambda *_: n_forwards.append(1))
    for chosen in (whole, in_parts):
        n_forwards.clear()
        copied = copy.deepcopy(network)
        log, _ = train(copied, examples, None, chosen, np.random.default_rng(0))
        losses.append(log[0].train_loss)
        gradients.append(torch.cat([weights.grad.flatten() for weights in copied.parameters()]))
    assert len(n_forwards) > 3
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("least_steps", "n_epochs"), [(0, 2), (7, 4), (10_000, 10)])
def test_small_data_is_passed_more_often_up_to_ten_times(network, examples, settings, least_steps, n_epochs):
    few = replace(settings, batching="random", titles_per_batch=len(examples.titles) // 2, epochs=2)

    log, _ = train(network, examples, None, replace(few, least_steps=least_steps), np.random.default_rng(0))

    assert len(log) == n_epochs
    assert {entry.n_steps for entry in log} == {2}


def test_a_machine_that_cannot_compile_says_so(network, examples, settings, monkeypatch):
    def cannot(*_):
        raise TorchDynamoException("No working C++ compiler found\nand much more")

    monkeypatch.setattr(torch, "compile", lambda *_, **__: cannot)
    with pytest.raises(BadInput, match=r"cannot compile the steps \(No working C\+\+ compiler found\)"):
        train(network, examples, None, replace(settings, compiled=True), np.random.default_rng(0))


def test_compiled_steps_have_few_shapes_and_learn_the_same(network, examples, settings, monkeypatch):
    """With rows that fill a shape and weigh nothing; compiling itself is left to torch."""
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
    # The same rows in the same batches, none filled up.
    monkeypatch.setattr(training._Trainer, "_shape", lambda *_: (None, None))
    plain, _ = train(copy.deepcopy(network), examples, examples, compiled, np.random.default_rng(0))
    for ours, theirs in zip(log, plain, strict=True):
        assert ours.train_loss == pytest.approx(theirs.train_loss, abs=1e-5)
        assert ours.train_accuracy == pytest.approx(theirs.train_accuracy)
        assert ours.valid_loss == pytest.approx(theirs.valid_loss, abs=1e-4)
