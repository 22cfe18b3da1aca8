"""What every system promises, as an interface and as checks that run on any class, yours included.

`title-harness new-system --check my_knn.py:KnnClassifier` runs the checks on a class; so do this project's tests on the
systems that ship.
"""

import itertools
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import BoolArray, FloatArray, LabelledTitles

ODD_TITLES = ("night head nurse", "", "COOK", "a\0b", "👩‍⚕️", "٣", "́", "x" * 100_000, "night head nurse")
"""What people type; the first and the last are equal."""

_SAVED_AS = frozenset({".json", ".csv", ".safetensors", ".txt", ".md", ".onnx", ".skops", ".parquet"})
"""How files of a saved system may end: nothing that runs code when it is read. The copy of your own source is apart."""


class TitleClassifier(Protocol):
    """What every system can do, the keyword table included."""

    def fit(self, train: LabelledTitles, valid: LabelledTitles) -> Self:
        """Learn from `train`, choose on `valid`; neither holds a row of the test part; labels may be unknown (-1)."""

    def predict_proba(self, titles: Sequence[str]) -> Mapping[str, FloatArray]:
        """Return target to probabilities, each (n_titles, n_classes) with rows that sum to 1."""

    def fit_summary(self) -> dict[str, Any]:
        """Say what the fit learned from, as plain values."""

    def save(self, folder: Path) -> None:
        """Write everything `load` needs into `folder`."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the result predicts the same."""


class SystemClass(Protocol):
    """The class of a system, before anything is built from it."""

    def __call__(self, *arguments: Any, **settings: Any) -> TitleClassifier:
        """Build a system that has learned nothing."""

    def load(self, folder: Path) -> TitleClassifier:
        """Read a fitted system."""


@runtime_checkable
class NoveltyDetector(Protocol):
    """A system that also says for which texts it has learned nothing, so that its answers for them mean nothing."""

    def unlike(self, titles: Sequence[str]) -> BoolArray:
        """Say which texts are unlike the titles of the fit, (n_titles,)."""


@dataclass(frozen=True)
class Subject:
    """A system that is checked."""

    build: Callable[[], TitleClassifier]
    """Returns it, not yet fitted."""
    load: Callable[[Path], TitleClassifier]
    train: LabelledTitles
    valid: LabelledTitles

    @cached_property
    def fitted(self) -> TitleClassifier:
        """The system, fitted once for all checks."""
        return self.build().fit(self.train, self.valid)


def probabilities_are_rows_that_sum_to_one(subject: Subject) -> None:
    """Answer for every target of the taxonomy, in its order, whatever the title is."""
    taxonomy = subject.train.taxonomy
    as_array: Any = np.array(ODD_TITLES, dtype=object)  # titles may come as an array, too
    for titles in (list(ODD_TITLES), as_array, []):
        found = subject.fitted.predict_proba(titles)
        assert tuple(found) == taxonomy.names, f"answers are for {tuple(found)}, expected {taxonomy.names}"
        for target, rows in found.items():
            expected = (len(titles), taxonomy.n_classes(target))
            assert rows.shape == expected, f"{target} has shape {rows.shape}, expected {expected}"
            assert (rows >= 0).all(), f"{target} has a probability below 0"
            assert np.allclose(rows.sum(axis=1), 1.0, atol=1e-6), f"a row of {target} does not sum to 1"


def equal_titles_get_equal_answers(subject: Subject) -> None:
    """Answer alike for a title that is asked twice, and up to rounding for one that is asked alone."""
    together, alone = subject.fitted.predict_proba(ODD_TITLES), subject.fitted.predict_proba(ODD_TITLES[:1])
    for target, rows in together.items():
        assert np.array_equal(rows[0], rows[-1]), f"{target}: equal titles in one call get different answers"
        assert np.allclose(rows[0], alone[target][0], atol=2e-2), f"{target}: the other titles change the answer"


def a_saved_system_predicts_the_same(subject: Subject) -> None:
    """Come back from its folder as it was, without pickle."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model"
        place.mkdir()
        subject.fitted.save(place)
        endings = {file.suffix for file in place.rglob("*") if file.is_file()}
        assert endings <= _SAVED_AS, f"files end in {sorted(endings)}, expected only {sorted(_SAVED_AS)}"
        again = subject.load(place)
        before, after = subject.fitted.predict_proba(ODD_TITLES), again.predict_proba(ODD_TITLES)
        for target, rows in before.items():
            assert np.allclose(rows, after[target], atol=1e-6), f"{target}: the loaded system answers differently"
        if isinstance(subject.fitted, NoveltyDetector) and isinstance(again, NoveltyDetector):
            same = np.array_equal(subject.fitted.unlike(ODD_TITLES), again.unlike(ODD_TITLES))
            assert same, "for the loaded system other texts are unlike the fit"
        assert again.fit_summary() == subject.fitted.fit_summary(), "the loaded system has another fit_summary"


def what_is_unlike_the_fit_has_low_confidence(subject: Subject) -> None:
    """Say of each text alone whether it is unlike the fit, where a system does so, and answer it with the fallback."""
    if not isinstance(subject.fitted, NoveltyDetector):
        return
    titles = [*ODD_TITLES, "zqxw vbkj", "cook"]
    unlike, answers = subject.fitted.unlike(titles), subject.fitted.predict_proba(titles)
    assert unlike.shape == (len(titles),), f"unlike has shape {unlike.shape}, expected {(len(titles),)}"
    assert unlike[-2], "letters without sense are not unlike the fit"
    assert not unlike[-1], "a training title is unlike the fit"
    alone = np.concatenate([subject.fitted.unlike([title]) for title in titles])
    assert np.array_equal(unlike, alone), "the other titles change what is unlike the fit"
    for target in subject.train.taxonomy.targets:
        rows, fallback = answers[target.name][unlike], target.class_index[target.no_title]
        assert (rows.argmax(axis=1) == fallback).all(), (
            f"{target.name}: unlike texts have other answers than {fallback}"
        )
        assert (rows.max(axis=1) < 0.7).all(), f"{target.name}: unlike texts have confident answers"


def the_same_seed_gives_the_same_system(subject: Subject) -> None:
    """Learn the same from the same rows."""
    again = subject.build().fit(subject.train, subject.valid).predict_proba(["cook", "chief nurse"])
    for target, rows in subject.fitted.predict_proba(["cook", "chief nurse"]).items():
        assert np.array_equal(rows, again[target]), f"{target}: a second fit answers differently"


def the_fit_says_what_it_learned_from(subject: Subject) -> None:
    """Return plain values from `fit_summary`, those of `LabelledTitles.summary` among them."""
    summary = subject.fitted.fit_summary()
    assert json.loads(json.dumps(summary)) == summary, "fit_summary holds what JSON does not"
    assert summary["records"] == subject.train.n_records, "fit_summary lacks the records of train"
    halves = np.where(np.arange(len(subject.train)) % 2 == 0, "reviewed", "legacy").astype(object)
    mixed = subject.build().fit(replace(subject.train, sources=halves), subject.valid).fit_summary()
    assert set(mixed["sources"]) == {"legacy", "reviewed"}, "fit_summary does not name the sources of the rows"


def predicting_before_fitting_is_refused(subject: Subject) -> None:
    """Raise a ValueError that speaks of fit."""
    said = None
    try:
        subject.build().predict_proba(["cook"])
    except ValueError as error:
        said = str(error)
    assert said is not None, "a system that has learned nothing answers, in place of a ValueError"
    assert "fit" in said, f"the error does not speak of fit: {said}"


CHECKS: tuple[Callable[[Subject], None], ...] = (
    probabilities_are_rows_that_sum_to_one,
    equal_titles_get_equal_answers,
    a_saved_system_predicts_the_same,
    what_is_unlike_the_fit_has_low_confidence,
    the_same_seed_gives_the_same_system,
    the_fit_says_what_it_learned_from,
    predicting_before_fitting_is_refused,
)


def check_system(build: Callable[[], TitleClassifier], load: Callable[[Path], TitleClassifier]) -> dict[str, str]:
    """Fit a system on a few made-up titles and run all checks.

    Args:
        build: returns the system, not yet fitted.
        load: reads one that was saved.

    Returns:
        Each check that failed to why; any error that the system raises is one.
    """
    subject = Subject(build, load, *_few_titles())
    faults = {}
    for check in CHECKS:
        try:
            check(subject)
        except Exception as error:
            faults[check.__name__.replace("_", " ")] = str(error) or type(error).__name__
    return faults


def _few_titles() -> tuple[LabelledTitles, LabelledTitles]:
    """Return train and validation of a made-up company."""
    jobs = {"nurse": "Nursing", "cook": "Kitchen", "driver": "Transport"}
    grades = {"chief": "Chief", "head": "Head", "": "None given"}
    targets = {
        "department": {"importance": 2, "fallback": "Kitchen", "classes": {name: [] for name in jobs.values()}},
        "seniority": {"ordinal": True, "classes": {name: [] for name in grades.values()}},
    }
    rows = [
        {"title": " ".join(f"{shift} {grade} {job}".split()), "department": jobs[job], "seniority": grades[grade]}
        for shift, grade, job in itertools.product(("", "day", "night", "north", "south"), grades, jobs)
    ]
    frame = pd.DataFrame(rows).assign(count=[1 + number % 3 for number in range(len(rows))])
    titles = LabelledTitles.from_frame(frame, Taxonomy.from_dict({"targets": targets}), source="legacy")
    in_valid = np.arange(len(titles)) % 4 == 0
    return titles.select(~in_valid), titles.select(in_valid)
