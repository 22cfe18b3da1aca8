import numpy as np
import polars as pl
import pytest

from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.scoring.metrics import score_rows
from harness.scoring.references import make_references, noise_ceilings

TAXONOMY = Taxonomy.from_dict(
    {
        "targets": {
            "job": {"importance": 3, "fallback": "cook", "classes": {"cook": [], "nurse": []}},
            "grade": {"importance": 1, "fallback": "low", "classes": {"high": [], "low": []}},
        }
    }
)


def rows(*given, columns=("title", "job", "grade", "records")):
    return pl.DataFrame(list(given), schema=list(columns), orient="row")


LEGACY = rows(
    ("chef", "cook", "high", 6),
    ("chef", "cook", "low", 2),
    ("matron", "nurse", "high", 3),
    ("matron", "cook", "high", 3),
    ("porter", "cook", "low", 1),
)


def answering(answers):
    """Predictions that are sure of one class per target."""
    titles = np.array(list(answers), dtype=object)
    probabilities = {
        target.name: np.eye(target.n_classes)[target.encode([answers[title][position] for title in titles])]
        for position, target in enumerate(TAXONOMY.targets)
    }
    return Predictions(taxonomy=TAXONOMY, titles=titles, probabilities=probabilities)


def test_noise_ceilings_match_a_worked_example():
    ceilings = noise_ceilings(LEGACY, TAXONOMY.names)
    # By record of 15: jobs 8 + 3 + 1, ranks 6 + 6 + 1, both 6 + 3 + 1.
    assert ceilings["per record", "job"] == pytest.approx(12 / 15)
    assert ceilings["per record", "grade"] == pytest.approx(13 / 15)
    assert ceilings["per record", "all"] == pytest.approx(10 / 15)
    assert ceilings["per title", "all"] == pytest.approx((6 / 8 + 1 / 2 + 1) / 3)


def test_no_system_passes_the_ceiling_and_the_majority_reaches_it():
    gathered = make_references(
        LEGACY.rename({"records": "count"}).with_columns(source=pl.lit("legacy")),
        LEGACY.rename({"records": "count"}),
        None,
        TAXONOMY.names,
    )
    best = answering({"chef": ("cook", "high"), "matron": ("nurse", "high"), "porter": ("cook", "low")})
    scores = score_rows(gathered.rows, best, seed=0).query("reference == 'legacy' and history == 'any'")
    ceilings = noise_ceilings(LEGACY, TAXONOMY.names)
    for weighting in ("per record", "per title"):
        for target in ("job", "grade", "all"):
            found = scores.query("weighting == @weighting and target == @target and metric == 'accuracy'")["value"]
            assert found.item() == pytest.approx(ceilings[weighting, target])


def test_scores_of_a_hand_worked_example():
    truth = rows(("chef", "cook", "high", 8), ("matron", "nurse", "high", 6), ("porter", "cook", "low", 1))
    scored = truth.select(pl.lit("truth").alias("reference"), pl.all(), pl.lit("new").alias("history"))
    answers = answering({"chef": ("cook", "low"), "matron": ("nurse", "high"), "porter": ("nurse", "low")})
    scores = score_rows(scored, answers, seed=0).query("metric == 'accuracy'")
    value = scores.set_index(["weighting", "target"])["value"]
    assert value["per record", "job"] == pytest.approx(14 / 15)
    assert value["per record", "grade"] == pytest.approx(7 / 15)
    assert value["per record", "all"] == pytest.approx(6 / 15)
    assert value["per record", "weighted"] == pytest.approx((3 * 14 / 15 + 7 / 15) / 4)
    assert value["per title", "job"] == pytest.approx(2 / 3)
    assert value["per title", "all"] == pytest.approx(1 / 3)


def test_legacy_agreement_is_split_by_how_a_title_was_labelled():
    everything = rows(
        ("chef", "cook", "high", 9),
        ("chef", "cook", "low", 2),
        ("porter", "cook", "low", 1),
        ("nurse", "nurse", "low", 4),
    ).rename({"records": "count"})
    test = rows(("chef", "cook", "high", 2), ("porter", "cook", "low", 1), ("nurse", "nurse", "low", 1))
    test = test.rename({"records": "count"}).with_columns(source=pl.lit("legacy"))
    gathered = make_references(test, everything, None, TAXONOMY.names)
    history = dict(gathered.rows.filter(pl.col("reference") == "legacy").select("title", "history").iter_rows())
    assert history == {"chef": "inconsistent", "porter": "single record", "nurse": "consistent"}
    answers = answering({"chef": ("cook", "low"), "porter": ("cook", "low"), "nurse": ("nurse", "low")})
    scores = score_rows(gathered.rows, answers, seed=0).query("target == 'all'").set_index("history")["value"]
    assert (scores["inconsistent"], scores["consistent"], scores["single record"]) == (0, 1, 1)


def test_scoring_names_a_title_that_was_never_predicted():
    with pytest.raises(ValueError, match="1 titles have no prediction, 'porter'"):
        answering({"chef": ("cook", "low")}).rows_of(["chef", "porter"])
