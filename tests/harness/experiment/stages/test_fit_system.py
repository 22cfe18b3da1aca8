import json
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.language import LanguageSettings, judge_languages
from data_cleaning.progress import silent
from data_cleaning.titles import LABELS, LabelledTitles, LabelSet
from harness.experiment.arms import Arm, recipe_of, rows_of
from harness.experiment.config_file import load_config
from harness.experiment.stages import fit_system as fit_stage
from harness.experiment.stages.fit_system import (
    FitSettings,
    RowSettings,
    believe_reviewed,
    rows_to_learn_from,
    weigh_reviewed,
    with_consensus,
    with_english_titles,
)
from harness.experiment.systems import SYSTEMS


def test_a_reviewed_title_silences_the_legacy_labels_of_its_near_duplicates():
    parted = pl.DataFrame(
        {
            "title": ["Head Nurse", "nurse, head", "Cook", "Head Nurse"],
            "source": ["legacy", "legacy", "legacy", "reviewed"],
        }
    )
    assert believe_reviewed(parted).rows() == [("Cook", "legacy"), ("Head Nurse", "reviewed")]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_reviewed_rows_make_up_their_share_of_the_weight(company, share):
    frame = pd.DataFrame(
        {
            "title": list("abcd"),
            "department": "Kitchen",
            "seniority": "Head",
            "count": [7, 2, 1, 1],
            "source": ["legacy", "legacy", "reviewed", "reviewed"],
        }
    )
    rows = LabelledTitles.from_frame(frame, company.taxonomy)
    weighed = weigh_reviewed(rows, share)
    assert weighed.fit_weights[2:].sum() / weighed.fit_weights.sum() == pytest.approx(share)
    np.testing.assert_array_equal(weighed.fit_weights[:2], rows.fit_weights[:2])
    alone = rows.select(rows.sources == "reviewed")
    np.testing.assert_array_equal(weigh_reviewed(alone, share).fit_weights, [1, 1])


def test_consensus_is_the_majority_of_train_and_changes_no_other_part():
    rows = [
        ("Cook", "train", "legacy", "Kitchen", 3),
        ("Cook", "train", "legacy", "Garden", 2),
        ("Cook", "valid", "legacy", "Garden", 9),
        ("Cook", "train", "reviewed", "Garden", 1),
        ("Nurse", "train", "legacy", "Ward", 2),
        ("Nurse", "train", "legacy", "Kitchen", 2),
        ("Smith", "train", "legacy", "Garden", 1),
    ]
    parted = pl.DataFrame(rows, schema=["title", "part", "source", "department", "count"], orient="row")
    assert sorted(with_consensus(parted, ("department",)).rows()) == [
        ("Cook", "train", "consensus", "Kitchen", 5),
        ("Cook", "train", "reviewed", "Garden", 1),
        ("Cook", "valid", "legacy", "Garden", 9),
        ("Nurse", "train", "legacy", "Kitchen", 2),
        ("Nurse", "train", "legacy", "Ward", 2),
        ("Smith", "train", "legacy", "Garden", 1),
    ]


MIXED = pl.DataFrame(
    [
        ("Head of Accounting", "train", "legacy", "Accounts", "Head", 3),
        ("Head of Accounting", "train", "legacy", "Kitchen", "Head", 2),
        ("Leiter der Buchhaltung", "train", "legacy", "Accounts", "Head", 4),
        ("Leiter der Buchhaltung", "train", "legacy", "Kitchen", "Head", 1),
        ("Leiter der Buchhaltung", "train", "reviewed", "Accounts", "Head", 1),
        ("Leiter der Buchhaltung", "valid", "legacy", "Accounts", "Head", 2),
        ("Head of Human Resources", "valid", "legacy", "Elsewhere", "Head", 1),
    ],
    schema=["title", "part", "source", "department", "seniority", "count"],
    orient="row",
)


def test_foreign_titles_leave_train_alone_and_what_a_person_labelled_stays():
    left = with_english_titles(MIXED, LanguageSettings())
    assert left.rows() == [row for row in MIXED.rows() if row[:3] != ("Leiter der Buchhaltung", "train", "legacy")]


def test_languages_are_told_apart_by_titles_of_train_alone(monkeypatch):
    asked = []

    def spying(titles, *settings):
        asked.extend(titles.sort("title").rows())
        return judge_languages(titles, *settings)

    monkeypatch.setattr(fit_stage, "judge_languages", spying)
    with_english_titles(MIXED, LanguageSettings())
    assert asked == [("Head of Accounting", 5), ("Leiter der Buchhaltung", 5)]


def test_titles_of_words_that_the_table_or_the_taxonomy_knows_are_english(company, tmp_path):
    odd = MIXED.with_columns(pl.col("title").replace("Leiter der Buchhaltung", "Presales"))
    odd.write_parquet(tmp_path / "learn.parquet")
    settings = RowSettings(
        label_set=LabelSet.parse("consensus-english"), reviewed_share=None, language=LanguageSettings()
    )

    def learned(settings, taxonomy=company.taxonomy):
        rows = rows_to_learn_from(settings, taxonomy, tmp_path / "learn.parquet", silent)
        return set(rows.filter(pl.col("part") == "train")["title"])

    assert "Presales" not in learned(settings)
    assert "Presales" in learned(replace(settings, known=("presales",)))
    target = replace(company.taxonomy.targets[0], raw_to_class={"Presales": "Nursing"})
    labelled = replace(company.taxonomy, targets=(target, *company.taxonomy.targets[1:]))
    assert "Presales" in learned(settings, labelled)


def test_the_keywords_of_the_table_reach_the_label_set_of_english_titles_alone(company):
    config = load_config(company.config, ("clean.english_only=false",))
    known = {
        labels: rows_of(config, company.taxonomy, Arm("title", LabelSet.parse(labels), "tfidf")).known
        for labels in LABELS
    }
    assert "nurse" in known.pop("consensus-english")
    assert set(known.values()) == {()}


def test_a_train_part_without_english_titles_is_refused():
    with pytest.raises(BadInput, match="none of the 1 titles in train is in English"):
        with_english_titles(MIXED.filter(pl.col("title").str.starts_with("Leiter")), LanguageSettings())


@pytest.mark.parametrize(
    ("label_set", "learned"),
    [
        ("legacy", {"legacy": {"rows": 4, "records": 10}}),
        ("consensus", {"consensus": {"rows": 2, "records": 10}}),
        ("consensus-english", {"consensus": {"rows": 1, "records": 5}}),
        (
            "consensus-english+reviewed",
            {"consensus": {"rows": 1, "records": 5}, "reviewed": {"rows": 1, "records": 1}},
        ),
    ],
)
def test_a_fit_says_what_it_learned_from_each_label_set(company, tmp_path, label_set, learned):
    overrides = (f"learn_from=[{', '.join(LABELS)}]", "reviewed=somewhere.csv")
    config = load_config(company.config, overrides)
    MIXED.write_parquet(tmp_path / "learn.parquet")
    settings = FitSettings(
        recipe=recipe_of(config, company.taxonomy, SYSTEMS["majority"]),
        rows=rows_of(config, company.taxonomy, Arm("title", LabelSet.parse(label_set), "tfidf")),
    )
    fit_stage.fit(settings, {"split": tmp_path}, tmp_path, silent)
    facts = json.loads((tmp_path / "fit.json").read_text())
    assert facts["learned_from"]["sources"] == learned


def drawn(taxonomy, learn, **sizes):
    settings = RowSettings(
        label_set=LabelSet("legacy", reviewed=True), reviewed_share=0.5, language=None, seed=3, **sizes
    )
    return fit_stage.rows_to_learn_from(settings, taxonomy, learn, silent)


def test_a_part_of_the_titles_is_part_of_every_larger_one_and_all_rows_of_others_stay(company, tmp_path):
    rows = [
        (f"title {n}", part, source, 2)
        for source, part, titles in (
            *(("legacy", "train", range(40)), ("legacy", "train", range(20)), ("legacy", "valid", range(40, 50))),
            *(("reviewed", "train", range(50, 60)), ("reviewed", "valid", range(60, 70))),
        )
        for n in titles
    ]
    frame = pl.DataFrame(rows, schema=["title", "part", "source", "count"], orient="row")
    frame.write_parquet(tmp_path / "learn.parquet")
    whole = drawn(company.taxonomy, tmp_path / "learn.parquet")
    assert whole.equals(frame)

    def titles_of(rows, source, part=("train", "valid")):
        return set(rows.filter((pl.col("source") == source) & pl.col("part").is_in(part))["title"])

    few, more = (drawn(company.taxonomy, tmp_path / "learn.parquet", max_reviewed=size) for size in (5, 12))
    assert len(titles_of(few, "reviewed")) == 5
    assert titles_of(few, "reviewed") < titles_of(more, "reviewed")
    assert titles_of(few, "legacy") == titles_of(whole, "legacy")
    short = drawn(company.taxonomy, tmp_path / "learn.parquet", max_titles=10)
    assert len(titles_of(short, "legacy", ["train"])) == 10
    assert titles_of(short, "legacy", ["valid"]) == titles_of(whole, "legacy", ["valid"])
    kept = titles_of(short, "legacy", ["train"])
    assert len(short.filter(pl.col("title").is_in(kept))) == len(whole.filter(pl.col("title").is_in(kept)))
