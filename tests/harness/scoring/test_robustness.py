import numpy as np
import polars as pl
import pytest

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.scoring.robustness import robustness, title_variants

TAXONOMY = Taxonomy.from_dict({"targets": {"job": {"classes": {"cook": [], "nurse": []}}}})


def test_titles_are_typed_in_other_ways():
    variants = title_variants(["Senior Director of Security", "CISO"])
    assert variants["upper case"] == ["SENIOR DIRECTOR OF SECURITY", "CISO"]
    assert variants["lower case"] == ["senior director of security", "ciso"]
    assert variants["word order"] == ["Security, Senior Director", "CISO"]
    assert variants["abbreviation"][0] != "Senior Director of Security"
    assert len(variants["abbreviation"][0]) < len("Senior Director of Security")
    mistyped, short = variants["typing error"]
    assert mistyped != "Senior Director of Security"
    assert abs(len(mistyped) - len("Senior Director of Security")) <= 1
    assert short == "CISO", "a short word stays"
    assert variants == title_variants(["Senior Director of Security", "CISO"]), "every run types the same"


def answers(**jobs):
    sure = np.eye(2)[[TAXONOMY["job"].class_index[job] for job in jobs.values()]]
    titles = np.array([title.replace("_", " ") for title in jobs], dtype=object)
    return Predictions(taxonomy=TAXONOMY, titles=titles, probabilities={"job": sure})


def test_changed_answers_are_counted_among_the_titles_that_a_variant_changes():
    rows = pl.DataFrame(
        [
            ("truth", "Cook", "cook", 9),
            ("truth", "Chef", "cook", 1),
            ("truth", "RN", "nurse", 1),
            ("legacy", "Cook", "nurse", 9),
        ],
        schema=["reference", "title", "job", "records"],
        orient="row",
    )
    titles = ["Cook", "Chef", "RN"]
    variants = {"upper case": ["COOK", "CHEF", "RN"], "lower case": ["cook", "chef", "rn"], "none": titles}
    before = answers(Cook="cook", Chef="cook", RN="nurse")
    after = answers(COOK="cook", CHEF="nurse", cook="nurse", chef="nurse", rn="nurse")
    found = robustness(rows, before, titles, variants, after).set_index(["reference", "variant"])
    assert len(found) == 4
    assert found.loc[("truth", "upper case")].tolist() == pytest.approx([2, 1 / 2, 1, 1 / 2])
    assert found.loc[("truth", "lower case")].tolist() == pytest.approx([3, 2 / 3, 1, 1 / 3])
    assert found.loc[("legacy", "upper case")].tolist() == pytest.approx([1, 0, 0, 0])
    assert found.loc[("legacy", "lower case")].tolist() == pytest.approx([1, 1, 0, 1])
