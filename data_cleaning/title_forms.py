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

_NO_WORD = r"[^\p{L}\p{N}_]+"
"""What polars calls by another name than Python does."""

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
        answer: returns rows that sum to 1, (n_titles, n_classes) per target. It is called once, for the titles and for
            those that they speak of, since a network answers many titles faster than a few at a time.
    """
    texts = titles.tolist()
    spoken_of = _spoken_of(texts, forms)
    answers = answer(np.array(texts, dtype=object))
    # A title is shorter than the text that speaks of it, so that it has been answered in its own forms before.
    for row in sorted(spoken_of, key=lambda row: len(texts[row])):
        for form, inner in spoken_of[row]:
            if not all(classes[target][answers[target][inner].argmax()] in names for target, names in form.of.items()):
                continue
            for target, rows in answers.items():
                label = form.labels.get(target)
                rows[row] = rows[inner] if label is None else _sure(classes[target], label)
            break
    return {target: rows[: len(titles)] for target, rows in answers.items()}


def _spoken_of(texts: list[str], forms: Sequence[TitleForm]) -> dict[int, list[tuple[TitleForm, int]]]:
    """Return positions of texts, each with its forms in their order and the position of the title that it speaks of.

    Titles that `texts` lacks are added at its end.
    """
    spoken_of: dict[int, list[tuple[TitleForm, int]]] = {}
    position = {text: row for row, text in enumerate(texts)}
    rows = _may_have(texts, forms)
    for row in rows:
        for form in forms:
            title = form.title_in(texts[row])
            if title is None:
                continue
            if title not in position:
                position[title] = len(texts)
                texts.append(title)
                rows.append(position[title])
            spoken_of.setdefault(row, []).append((form, position[title]))
    return spoken_of


def _may_have(texts: Sequence[str], forms: Iterable[TitleForm]) -> list[int]:
    """Return the positions of texts that hold a phrase of some form as whole words, which few do."""
    phrases = sorted({_NO_WORD.join(map(re.escape, phrase.split())) for form in forms for phrase in form.words})
    if not phrases:
        return []
    held = pl.Series(texts, dtype=pl.String).str.contains(
        rf"(?i)(?:^|{_NO_WORD})(?:{'|'.join(phrases)})(?:{_NO_WORD}|$)"
    )
    return held.arg_true().to_list()


def _sure(classes: Sequence[str], label: str) -> npt.NDArray[np.float64]:
    """Return probabilities, (n_classes,), of a label that is as good as certain."""
    if len(classes) == 1:
        return np.ones(1)
    row = np.full(len(classes), (1 - _SURE) / (len(classes) - 1))
    row[classes.index(label)] = _SURE
    return row
