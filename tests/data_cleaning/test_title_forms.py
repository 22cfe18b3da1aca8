"""Titles that speak of another title."""

from pathlib import Path

import numpy as np
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.title_forms import TitleForm, answer_in_forms

RANKS = ("Chief", "Head", "Worker", "Nobody")
PLACES = ("Garden", "Kitchen")
CLASSES = {"grade": RANKS, "place": PLACES}

FORMS = (
    TitleForm(before=("former", "ex"), after=("retired",), labels={"grade": "Nobody"}),
    TitleForm(within=("assistant to",), labels={"grade": "Worker", "place": "Kitchen"}),
    TitleForm(after=("office",), of={"grade": ("Chief",)}, labels={"grade": "Worker"}),
)


def answer(titles):
    ranks = [next((at for at, rank in enumerate(RANKS) if rank.lower() in title.lower()), 2) for title in titles]
    places = ["kitchen" in title.lower() for title in titles]
    return {"grade": np.eye(4)[ranks], "place": np.eye(2)[np.array(places, dtype=int)]}


def labels(title, forms=FORMS):
    answers = answer_in_forms(np.array([title], dtype=object), forms, CLASSES, answer)
    return tuple(CLASSES[target][rows[0].argmax()] for target, rows in answers.items())


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Chief of the garden", ("Chief", "Garden")),
        ("Former Chief", ("Nobody", "Garden")),
        ("Ex-Chief, kitchen", ("Nobody", "Kitchen")),
        ("Chief (retired)", ("Nobody", "Garden")),
        ("FORMER  kitchen head", ("Nobody", "Kitchen")),
        ("Senior Assistant to the Chief", ("Worker", "Kitchen")),
        ("Former assistant to the Chief", ("Nobody", "Kitchen")),
        ("Chief's Office", ("Worker", "Garden")),
        ("Head Office", ("Head", "Garden")),
        ("Former", ("Worker", "Garden")),
        ("Transformer Chief", ("Chief", "Garden")),
        ("Excellent Chief", ("Chief", "Garden")),
    ],
)
def test_the_labels_of_a_form_take_the_place_of_the_titles_own(title, expected):
    assert labels(title) == expected


def test_other_titles_are_answered_as_they_were():
    titles = np.array(["Chief", "Former Head", "kitchen"], dtype=object)
    answers = answer_in_forms(titles, FORMS, CLASSES, answer)
    assert np.array_equal(answers["grade"][[0, 2]], answer(titles)["grade"][[0, 2]])
    assert all(np.allclose(rows.sum(axis=1), 1) for rows in answers.values())
    assert all(
        np.array_equal(rows, answer(titles)[name])
        for name, rows in answer_in_forms(titles, (), CLASSES, answer).items()
    )


def test_a_title_is_written_in_every_phrase_of_a_form():
    assert FORMS[0].written("Chief") == ["Former Chief", "Ex Chief", "Chief retired"]


def taxonomy_file(folder: Path, forms: str) -> Path:
    path = folder / "taxonomy.yaml"
    path.write_text("targets:\n  grade: {classes: {Chief: [Boss], Worker: [], Nobody: []}}\nforms:\n" + forms)
    return path


def test_a_taxonomy_names_its_forms_and_keeps_them(tmp_path):
    read = Taxonomy.read(
        taxonomy_file(tmp_path, "  - {before: [former], of: {grade: [Boss]}, labels: {grade: Nobody}}\n")
    )
    assert read.forms == (TitleForm(before=("former",), of={"grade": ("Chief",)}, labels={"grade": "Nobody"}),)
    assert Taxonomy.from_dict(read.to_dict()) == read


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("{before: [former], labels: {grade: Lord}}", "unknown grade label 'Lord'"),
        ("{before: [former], labels: {place: Garden}}", "unknown target 'place'"),
        ("{before: [former], of: {grade: [Lord]}}", "unknown grade label 'Lord'"),
        ("{labels: {grade: Nobody}}", "a form needs words"),
        ("{before: ['-'], labels: {grade: Nobody}}", "a form needs words"),
        ("{befor: [former]}", "befor"),
        ("{before: former}", "before"),
    ],
)
def test_a_faulty_form_is_named_with_its_line(tmp_path, form, message):
    with pytest.raises(BadInput, match=r"taxonomy\.yaml, line 4: .*" + message):
        Taxonomy.read(taxonomy_file(tmp_path, f"  - {form}\n"))
