"""From a fitted network to suggestions: a planted word is found with its class, a filler is not."""

import numpy as np
import polars as pl
import pytest

from harness.experiment.stages.fit_system import believe_reviewed, labelled_titles
from harness.keywords.suggestions import amend
from harness.mining.candidates import BASELINES
from harness.mining.miner import GROUPS, HYBRID, MINED, NETWORK, NEW_ROWS, RECORDS, MiningSettings, mine
from harness.mining.title_labels import label_titles
from neural.classifier import NeuralClassifier
from neural.neural_settings import NeuralSettings
from tests.harness.mining.given_labels import TAXONOMY, n_right, table_of
from tests.tiny_encoder import tiny_encoder_folder

TABLE = table_of(
    ("engineer", 2, {"function": "Engineering"}),
    ("sales", 2, {"function": "Other"}),
    ("chief", 1, {"level": "C-Level"}),
    # The planted fault: teachers are no engineers, whatever the table says.
    ("teacher", 3, {"function": "Engineering"}),
    ("information", 9, {"function": "Other"}),
)
RANKS = {"chief": "Executive", "senior": "Contributor", "": "Contributor"}
SHIFTS = {
    "train": ("", "data ", "night ", "network ", "night data "),
    "valid": ("director ", "data night ", "night network "),
    "reviewed": ("manager ", "night manager "),
}
NURSE = "nurse"
"""The planted word: the table does not know it and takes nurses for Other, a person takes them for Security."""


def titles_of(part, words):
    return [
        (f"{rank} {shift}{word}".strip(), level, word)
        for word in words
        for shift in SHIFTS[part]
        for rank, level in RANKS.items()
    ]


def rows_of(*, reviewed):
    """Rows as the table labelled them, fifty records each; and a few reviewed nurses and teachers in train."""
    told = {"engineer": "IT", "sales": "Other", "teacher": "IT", NURSE: "Other"}
    rows = [
        (title, part, "legacy", told[word], level, 50)
        for part in ("train", "valid")
        for title, level, word in titles_of(part, told)
    ]
    if reviewed:
        right = told | {"teacher": "Other", NURSE: "Security"}
        rows += [
            (title, "train", "reviewed", right[word], level, 1) for title, level, word in titles_of("reviewed", right)
        ]
    return pl.DataFrame(rows, schema=["title", "part", "source", *TAXONOMY.names, "count"], orient="row")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return NeuralSettings(
        encoder=str(tiny_encoder_folder(tmp_path_factory.mktemp("encoder"))), epochs=6, min_steps=0,
        learning_rate=5e-3, max_tokens_per_batch=96, precision="fp32", device="cpu", runtime="torch", spelling="exact",
    )  # fmt: skip


def fitted(rows, settings):
    train, valid = (labelled_titles(believe_reviewed(rows), part, TAXONOMY) for part in ("train", "valid"))
    return NeuralClassifier(settings, seed=1).fit(train, valid)


@pytest.fixture(scope="module")
def system(settings):
    return fitted(rows_of(reviewed=True), settings)


def settings_with(**options):
    defaults = {
        **{"attribution": "integrated-gradients", "explained_titles": 1500, "min_titles": 3},
        **{"candidates": 20, "suggestions": 200},
    }
    return MiningSettings(**{**defaults, **options})


def mined(system, rows, share, **options):
    return mine(system, TABLE, rows, settings_with(**options), reviewed_share=share, seed=5)


@pytest.fixture(scope="module")
def found(system):
    return mined(system, rows_of(reviewed=True), 0.5)


def named(frame):
    return [(row["keyword"], row["class"]) for row in frame.to_dict("records")]


def told(changes):
    return [(change.action, change.keyword, *filter(None, change.labels.values())) for change in changes]


def test_the_planted_word_is_the_first_candidate_with_its_class_and_fillers_are_none(found):
    keywords = named(found.candidates[MINED]["function"])
    assert keywords[0] == (NURSE, "Security")
    assert not {"night", "data", "network"} & {keyword for keyword, _ in keywords}
    assert NURSE not in {keyword for keyword, _ in named(found.candidates[MINED]["level"])}


def test_the_planted_word_is_proposed_and_the_misleading_row_is_retired(found):
    assert sorted(told(found.suggestions[MINED])) == [
        ("add", NURSE, "Security"),
        ("retire", "teacher", "Engineering"),
    ]
    assert told(found.suggestions[NEW_ROWS])[0] == ("add", NURSE, "Security")
    assert {change.action for source in (NEW_ROWS, *BASELINES) for change in found.suggestions[source]} <= {"add"}
    evidence = {change.keyword: change.evidence for change in found.suggestions[MINED]}
    assert all(one.judge == NETWORK for one in evidence.values())
    assert 0 < evidence[NURSE].importance <= 1
    assert evidence["teacher"].importance is None
    # Of 15 titles of train, 9 of validation and 6 reviewed ones with a nurse or a teacher each.
    for one in evidence.values():
        assert (one.reviewed_fixed, one.reviewed_broken, one.believed_fixed, one.believed_broken) == (6, 0, 24, 0)


def test_changes_do_what_they_promise_by_what_the_network_answers(found, system):
    rows = rows_of(reviewed=True)
    titles = sorted(set(rows["title"]))
    predicted = label_titles(rows, TAXONOMY, system.predict_proba(titles))
    before, after = (n_right(table, predicted) for table in (TABLE, amend(TABLE, found.suggestions[MINED])))
    changes = [change.evidence for change in found.suggestions[MINED]]
    assert sum(after) - sum(before) == sum(one.fixed - one.broken for one in changes) == 60


def test_baselines_know_the_recorded_labels_and_offer_as_many_random_phrases(found, system):
    assert tuple(found.candidates) == (MINED, *BASELINES)
    assert tuple(found.suggestions) == (MINED, GROUPS, NEW_ROWS, *BASELINES)
    for target in TAXONOMY.names:
        assert len(found.candidates["random"][target]) == len(found.candidates[MINED][target])
    # Legacy nurses are Other, and reviewed ones carry half of the weight.
    assert (NURSE, "Security") in named(found.candidates["chi-squared"]["function"])
    unweighed = mined(system, rows_of(reviewed=True), 0.01)
    assert (NURSE, "Other") in named(unweighed.candidates["chi-squared"]["function"])
    assert named(unweighed.candidates[MINED]["function"]) == named(found.candidates[MINED]["function"])


def test_what_was_counted_is_told(found):
    rows = rows_of(reviewed=True)
    train = rows.filter(pl.col("part") == "train")
    assert found.facts == {
        "judge": NETWORK,
        "train_titles": train["title"].n_unique(),
        "judged_titles": rows["title"].n_unique(),
        "reviewed_titles": train.filter(pl.col("source") == "reviewed")["title"].n_unique(),
        "variants": 0,
        "explained_titles": train["title"].n_unique(),
        "phrases": found.facts["phrases"],
    }


def test_recorded_labels_alone_change_nothing_but_what_they_support_is_shown(system):
    rows = rows_of(reviewed=False).with_columns(
        pl.when(pl.col("title").str.contains(NURSE)).then(pl.lit("Security")).otherwise("function").alias("function")
    )
    plain = mined(system, rows, None)
    assert plain.facts["judge"] == RECORDS
    assert tuple(plain.suggestions) == (MINED, GROUPS, NEW_ROWS, *BASELINES)
    assert not any(plain.suggestions.values())
    assert told(plain.nearly)[0] == ("add", NURSE, "Security")
    assert plain.nearly[0].evidence.judge == RECORDS


def test_what_was_rejected_is_not_proposed_by_any_source(system, found):
    refused = {change.key for changes in found.suggestions.values() for change in changes}
    assert f"add|{NURSE}" in refused
    again = mined_refusing(system, refused)
    assert not {change.key for changes in again.suggestions.values() for change in changes} & refused
    assert named(again.candidates[MINED]["function"]) == named(found.candidates[MINED]["function"])


def mined_refusing(system, refused):
    rows = rows_of(reviewed=True)
    return mine(system, TABLE, rows, settings_with(), reviewed_share=0.5, seed=5, refused=refused)


def test_the_same_call_proposes_the_same(system, found):
    again = mined(system, rows_of(reviewed=True), 0.5)
    assert again.suggestions == found.suggestions
    assert again.facts == found.facts


def test_settings_bound_what_is_explained_and_proposed(system):
    few = mined(system, rows_of(reviewed=True), 0.5, candidates=1, suggestions=1, explained_titles=40)
    assert few.facts["explained_titles"] == 40
    assert {len(frame) for of_target in few.candidates.values() for frame in of_target.values()} <= {0, 1}
    assert len(few.suggestions[MINED]) == 1


def test_rows_are_changed_where_no_phrase_is_frequent_enough(system):
    none = mined(system, rows_of(reviewed=True), 0.5, min_titles=1000)
    assert none.facts["phrases"] == 0
    assert told(none.suggestions[MINED]) == [("retire", "teacher", "Engineering")]


def test_a_place_that_ends_titles_after_a_dash_is_no_keyword(system):
    rows = rows_of(reviewed=True)
    away = rows.filter(pl.col("source") == "legacy").with_columns(
        title=pl.col("title") + " - Peru", function=pl.lit("Security")
    )
    placed = mined(system, pl.concat([rows, away]), 0.5)
    keywords = {keyword for of_target in placed.candidates.values() for keyword, _ in named(of_target["function"])}
    assert "peru" not in keywords
    told_with_it = mined(system, pl.concat([rows, away.with_columns(pl.col("title").str.replace(" - ", " "))]), 0.5)
    assert "peru" in {keyword for keyword, _ in named(told_with_it.candidates["chi-squared"]["function"])}


class Contrary:
    """A judge that takes every title for a nurse's."""

    def predict_proba(self, titles):
        wanted = {"function": "Security", "level": "Contributor"}
        return {
            target.name: np.tile(np.eye(target.n_classes)[target.class_index[wanted[target.name]]], (len(titles), 1))
            for target in TAXONOMY.targets
        }


def test_another_judge_is_believed_except_where_a_person_labelled_the_title(system):
    rows = rows_of(reviewed=True)
    found = mine(system, TABLE, rows, settings_with(), judge=Contrary(), reviewed_share=0.5, seed=5)
    assert found.facts["judge"] == HYBRID
    by_keyword = {change.keyword: change for change in found.suggestions[MINED]}
    assert by_keyword[NURSE].labels["function"] == "Security"
    # Sales are Other by every person who looked, whatever the judge believes.
    assert "sales" not in by_keyword
    assert {one.evidence.judge for one in found.suggestions[MINED]} == {HYBRID}
