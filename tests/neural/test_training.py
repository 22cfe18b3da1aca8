import numpy as np
import pytest
import torch

from data_cleaning.errors import BadInput
from neural import training
from neural.batches import tokenize
from neural.training import EpochLog, Examples, train


@pytest.fixture
def examples(tokenizer, toy):
    return Examples(titles=tokenize(list(toy.titles), tokenizer, 16), labels=toy.labels, weights=np.ones(len(toy)))


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
            epoch=1, train_loss=1, valid_loss=loss, valid_accuracy={"x": first, "y": second}, n_steps=1, seconds=1
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
    groups = training._make_optimizer(network, settings).param_groups

    for group in groups:
        assert all((weights.ndim > 1) == (group["weight_decay"] > 0) for weights in group["params"])
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))
    assert {group["lr"] for group in groups} == {5e-3, 5e-3 * settings.head_learning_rate_factor}


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, [1.0, 0.75, 0.5, 0.25]), (0.25, [0.5, 1.0, 2 / 3, 1 / 3])],
)
def test_the_learning_rate_rises_then_falls(share, expected):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = training._make_schedule(optimizer, 4, share)

    rates = []
    for _ in range(4):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()

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
