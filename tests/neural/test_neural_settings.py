import pytest
from pydantic import TypeAdapter, ValidationError

from data_cleaning.errors import BadInput
from neural.neural_settings import NeuralSettings

BAD = {
    "encoder": " ",
    "pooling": "sum",
    "max_tokens": 2,
    "max_tokens_per_batch": 64.0,
    "epochs": True,
    "learning_rate": 0,
    "head_learning_rate_factor": "5",
    "warmup_share": 1.0,
    "weight_decay": -0.1,
    "dropout": float("nan"),
    "clip_norm": float("inf"),
    "count_power": None,
    "max_train_rows": 0,
    "class_weight_power": 1.5,
    "kept_layers": 0,
    "teacher": "",
    "device": "gpu",
    "precision": "int8",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_setting_is_named_with_its_value(name):
    with pytest.raises(BadInput) as raised:
        NeuralSettings(**{name: BAD[name]})

    assert f"{name} is {BAD[name]!r}; expected " in str(raised.value)


def test_all_bad_settings_are_named_at_once():
    with pytest.raises(BadInput) as raised:
        NeuralSettings(**BAD)

    assert [name for name in BAD if f"{name} is " not in str(raised.value)] == []


def test_a_batch_must_hold_the_longest_title():
    with pytest.raises(BadInput, match="max_tokens_per_batch is 32; expected at least max_tokens, 64"):
        NeuralSettings(max_tokens_per_batch=32)


def test_pydantic_checks_the_same_bounds_field_by_field():
    bad = {"epochs": 0, "clip_norm": -1, "dropout": float("nan"), "device": "gpu"}

    with pytest.raises(ValidationError) as raised:
        TypeAdapter(NeuralSettings).validate_python(bad)

    assert [fault["loc"] for fault in raised.value.errors()] == [("epochs",), ("dropout",), ("clip_norm",), ("device",)]
