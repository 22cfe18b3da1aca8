"""Which settings of the network a search varies, and within which bounds; reading this needs no optuna."""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from data_cleaning.errors import BadInput, unknown
from neural.neural_settings import NeuralSettings

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_CHECKED_SETTINGS = TypeAdapter(NeuralSettings)
_WITHOUT_EFFECT = ("device", "runtime", "checkpoint_minutes")
"""Settings that decide where and how fast the network computes, not what it learns."""


class SearchRange(BaseModel):
    """The values of one setting: from `low` to `high`, both included, or one of `choices`.

    A config may write `[low, high]` for an even range.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float | None = Field(default=None, allow_inf_nan=False)
    """Smallest value."""
    high: float | None = Field(default=None, allow_inf_nan=False)
    """Largest value."""
    log: bool = False
    """Whether a value is as likely between 1 and 10 as between 10 and 100."""
    choices: tuple[Any, ...] | None = Field(default=None, min_length=1)
    """The only values, in place of a range."""

    @model_validator(mode="before")
    @classmethod
    def _may_be_a_pair(cls, content: Any) -> Any:
        if isinstance(content, list) and len(content) == 2:
            return {"low": content[0], "high": content[1]}
        if not isinstance(content, Mapping | cls):
            raise ValueError("expected [low, high], {low: …, high: …, log: true} or {choices: […]}")
        return content

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if self.choices is not None:
            if self.low is not None or self.high is not None or self.log:
                raise ValueError("give either 'choices', or 'low' and 'high', not both")
        elif self.low is None or self.high is None:
            raise ValueError("give 'low' and 'high', or 'choices'")
        elif self.low >= self.high:
            raise ValueError(f"low is {self.low:g}, high is {self.high:g}; expected a low below the high")
        elif self.log and self.low <= 0:
            raise ValueError(f"low is {self.low:g}; a range with 'log: true' begins above 0")
        return self


DEFAULT_SPACE: Mapping[str, SearchRange] = {
    "learning_rate": SearchRange(low=5e-5, high=2e-3, log=True),
    "head_learning_rate_factor": SearchRange(low=1, high=30, log=True),
    "max_tokens_per_batch": SearchRange(choices=(256, 512, 1024)),
    "count_power": SearchRange(low=0, high=1),
    "epochs": SearchRange(low=1, high=4),
    "warmup_share": SearchRange(low=0, high=0.3),
    "dropout": SearchRange(low=0, high=0.3),
    "weight_decay": SearchRange(low=1e-4, high=0.3, log=True),
}
"""What is searched where a config names nothing else."""


def distributions(space: Mapping[str, SearchRange], settings: NeuralSettings) -> dict[str, "BaseDistribution"]:
    """Return a space in the terms of optuna; a range of whole numbers holds whole numbers only.

    Raises:
        BadInput: the space has a fault.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, BaseDistribution] = {}
    for name, given in space.items():
        try:
            values = typed_values(name, given, settings)
        except BadInput as error:
            raise BadInput(f"search.space.{name}: {error}") from None
        if given.choices is not None:
            found[name] = CategoricalDistribution(values)
            continue
        low, high = values
        kind = IntDistribution if isinstance(low, int) else FloatDistribution
        found[name] = kind(low, high, log=given.log)
    return found


def contains(bounds: "BaseDistribution", value: Any) -> bool:
    """Say whether a value is one that may be proposed."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(bounds, CategoricalDistribution):
        return value in bounds.choices
    assert isinstance(bounds, IntDistribution | FloatDistribution), "a space has no other kind"
    return value is not None and bounds.low <= value <= bounds.high


def typed_values(name: str, given: SearchRange, settings: NeuralSettings) -> list[Any]:
    """Return the bounds or choices of a setting as values of its own type, such as 2 for the 2.0 of a whole number.

    Raises:
        BadInput: there is no such setting to search, or it may not have such a value beside the other settings.
    """
    known = [field.name for field in fields(NeuralSettings) if field.name not in _WITHOUT_EFFECT]
    if name in _WITHOUT_EFFECT:
        raise BadInput(f"{name} changes nothing that the network learns. Leave it out.")
    if name not in known:
        raise unknown("setting", name, known)
    values = []
    for value in given.choices or (given.low, given.high):
        try:
            values.append(getattr(_CHECKED_SETTINGS.validate_python({**vars(settings), name: value}), name))
        except ValidationError as error:
            fault = error.errors()[0]
            reason = fault.get("ctx", {}).get("error") or f"{name} is {value!r}: {fault['msg']}."
            raise BadInput(str(reason)) from None
    if given.choices is None and any(type(value) not in (int, float) for value in values):
        raise BadInput(f"{name} is no number. Give {{choices: […]}}.")
    return values
