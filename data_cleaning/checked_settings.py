"""Settings in plain dataclasses that check themselves by their annotations wherever they are made.

pydantic reads the same annotations where the harness loads a config; a bare GPU machine has no pydantic.
"""

import math
import operator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from data_cleaning.errors import BadInput

_BOUNDS = {
    "ge": (operator.ge, "of at least"),
    "gt": (operator.gt, "above"),
    "le": (operator.le, "at most"),
    "lt": (operator.lt, "below"),
}


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Numbers that a setting accepts: at least `ge`, above `gt`, at most `le`, below `lt`; never NaN or infinite."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None

    @property
    def given(self) -> dict[str, float]:
        """The bounds that there are, by name."""
        return {name: bound for name, bound in vars(self).items() if bound is not None}

    def accept(self, value: float) -> bool:
        """Say whether a number is within the bounds."""
        return math.isfinite(value) and all(_BOUNDS[name][0](value, bound) for name, bound in self.given.items())

    def __str__(self) -> str:
        """Return the bounds in words."""
        return " and ".join(f"{_BOUNDS[name][1]} {bound:g}" for name, bound in self.given.items())

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> dict[str, Any]:
        """Tell pydantic the bounds, without importing it."""
        finite = {"allow_inf_nan": False} if source is float else {}
        return {**handler(source), **self.given, **finite}


Count = Annotated[int, Bounds(ge=1)]
NonNegative = Annotated[float, Bounds(ge=0)]
Positive = Annotated[float, Bounds(gt=0)]
ShareBelowOne = Annotated[float, Bounds(ge=0, lt=1)]
ShareAboveZero = Annotated[float, Bounds(gt=0, le=1)]
Power = Annotated[float, Bounds(ge=0, le=1)]


def check_settings(settings: Any, system: str, *, smaller: str, larger: str) -> None:
    """Check each setting of a dataclass by its annotation, and that the one called `larger` is not below `smaller`.

    Raises:
        BadInput: at least one setting is out of range; all such settings are named.
    """
    faults = []
    for name, annotation in get_type_hints(type(settings), include_extras=True).items():
        value = getattr(settings, name)
        is_good, expected = _check(value, annotation)
        if not is_good:
            faults.append(f"{name} is {value!r}; expected {expected}")
    low, high = getattr(settings, smaller), getattr(settings, larger)
    # Two good settings can still contradict each other; only checked once each is good by itself.
    if not faults and high < low:
        faults.append(f"{larger} is {high}; expected at least {smaller}, {low}")
    if faults:
        raise BadInput(f"Bad {system} settings: {'; '.join(faults)}.")


def _check(value: Any, annotation: Any) -> tuple[bool, str]:
    """Return whether a value fits the annotation of a setting, and what is expected there."""
    options = get_args(annotation)
    if type(None) in options:
        is_good, expected = _check(value, options[0])
        return value is None or is_good, f"{expected}, or none"
    if get_origin(annotation) is Literal:
        return value in options, f"one of {', '.join(options)}"
    if annotation is bool:
        return type(value) is bool, "true or false"
    if annotation is str:
        return isinstance(value, str) and bool(value.strip()), "text that is not blank"
    kind, bounds = options
    numbers, noun = ((int,), "a whole number") if kind is int else ((int, float), "a number")
    return type(value) in numbers and bounds.accept(value), f"{noun} {bounds}"
