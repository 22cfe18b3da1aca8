"""Titles that speak of another title: "Former CISO", "Assistant to the CISO", "Office of the CISO"."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

_SURE = 0.95
"""Probability of a label that a form sets: what a person meant by a title is never certain."""

Titles = npt.NDArray[np.object_]
Answers = dict[str, npt.NDArray[np.floating]]


@dataclass(frozen=True, kw_only=True)
class TitleForm:
    """Words around a title, and the labels that they give in place of its own."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    before: tuple[str, ...] = ()
    """Words that the text begins with; what follows is the title: "former"."""
    within: tuple[str, ...] = ()
    """Words that follow others, if any, and are followed by the title: "assistant to"."""
    after: tuple[str, ...] = ()
    """Words that the text ends with: "office"."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Target to class. Other targets are answered as for the title alone."""
    of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Target to the classes of which the title must have one, or the form does not apply."""

    @cached_property
    def _pattern(self) -> "re.Pattern[str]":
        ways: list[str] = []
        for words, shape in (
            (self.before, r"^\W*(?:{})\W+(?:the\s+)?(?P<t{}>.*\w.*)$"),
            (self.within, r"^(?:.*\W)?(?:{})\W+(?:the\s+)?(?P<t{}>.*\w.*)$"),
            (self.after, r"^(?P<t{1}>.*\w.*?)(?:['’]s?)?\W+(?:{0})\W*$"),
        ):
            if words:
                spelled = "|".join(r"\W+".join(map(re.escape, phrase.split())) for phrase in words)
                ways.append(shape.format(spelled, len(ways)))
        return re.compile("|".join(ways), re.IGNORECASE | re.DOTALL)

    @property
    def words(self) -> tuple[str, ...]:
        """The phrases of all three kinds."""
        return (*self.before, *self.within, *self.after)

    def title_in(self, text: str) -> str | None:
        """Return the title that a text speaks of; None where the text is not of this form."""
        found = self._pattern.match(text)
        return None if found is None else next(title for title in found.groups() if title is not None)

    def written(self, title: str) -> list[str]:
        """Return a title in this form, once for each of its phrases."""
        before = [f"{phrase} {title}" for phrase in (*self.before, *self.within)]
        return [text[0].upper() + text[1:] for text in before] + [f"{title} {phrase}" for phrase in self.after]


def answer_in_forms(
    titles: Titles,
    forms: Sequence[TitleForm],
    classes: Mapping[str, Sequence[str]],
    answer: Callable[[Titles], Answers],
) -> Answers:
    """Answer for titles as `answer` does, and for a title in a form as the form asks; forms may be nested.

    Args:
        titles: (n_titles,).
        forms: the first that applies to a title is taken.
        classes: target to its classes, in the order of the columns.
        answer: returns rows that sum to 1, (n_titles, n_classes) per target.
    """
    answers = answer(titles)
    open_ = _may_have(titles, forms)
    for form in forms:
        spoken_of = {int(at): title for at in np.flatnonzero(open_) if (title := form.title_in(titles[at])) is not None}
        if not spoken_of:
            continue
        inner = answer_in_forms(np.array(list(spoken_of.values()), dtype=object), forms, classes, answer)
        applies = np.ones(len(spoken_of), dtype=bool)
        for target, names in form.of.items():
            applies &= np.isin(inner[target].argmax(axis=1), [classes[target].index(name) for name in names])
        at = np.array(list(spoken_of))[applies]
        for target, rows in answers.items():
            label = form.labels.get(target)
            rows[at] = inner[target][applies] if label is None else _sure(classes[target], label)
        open_[at] = False
    return answers


def _may_have(titles: Titles, forms: Iterable[TitleForm]) -> npt.NDArray[np.bool_]:
    """Say which titles hold the first word of a phrase, which few do, (n_titles,)."""
    words = sorted({phrase.split()[0].lower() for form in forms for phrase in form.words})
    if not words:
        return np.zeros(len(titles), dtype=bool)
    found = pl.Series(titles, dtype=pl.String).str.to_lowercase().str.contains_any(words)
    return found.to_numpy().copy()


def _sure(classes: Sequence[str], label: str) -> npt.NDArray[np.float64]:
    """Return probabilities, (n_classes,), of a label that is as good as certain."""
    if len(classes) == 1:
        return np.ones(1)
    row = np.full(len(classes), (1 - _SURE) / (len(classes) - 1))
    row[classes.index(label)] = _SURE
    return row
