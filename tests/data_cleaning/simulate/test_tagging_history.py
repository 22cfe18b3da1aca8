import datetime
from dataclasses import replace

import numpy as np
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.simulate.history import Revision, SourceHabit, default_habits
from data_cleaning.simulate.tagging_history import CAUSES, table_causes
from tests.data_cleaning.simulate.toy_history import CLASSES, QUIET, simulate, toy_tagger, toy_taxonomy


def test_records_are_labelled_by_the_revision_in_force():
    simulated = simulate(settings=QUIET)
    for revision, first, last in (("old", (2021, 1, 1), (2022, 5, 31)), ("new", (2022, 6, 1), (2023, 12, 31))):
        rows = simulated.leads["Date"].is_between(datetime.date(*first), datetime.date(*last))
        assert set(simulated.truth.filter(rows)["revision"]) == {revision}
        titles = simulated.leads.filter(rows)["Title"].to_list()
        expected = toy_tagger("network" if revision == "old" else "")(titles)
        assert simulated.leads.filter(rows)["Job Role"].to_list() == expected["role"].tolist()
        assert simulated.leads.filter(rows)["Job Function"].to_list() == expected["function"].tolist()


def test_right_overrides_write_the_true_class_and_wrong_ones_another():
    simulated = simulate(settings=replace(QUIET, override_share=0.2))
    taxonomy = toy_taxonomy()
    for cause, agrees in (("override right", True), ("override wrong", False)):
        for target, column in (("function", "Job Function"), ("role", "Job Role"), ("level", "Job Level")):
            rows = simulated.truth[f"cause_{target}"] == cause
            assert rows.sum() > 1000
            labels = taxonomy[target].encode(simulated.leads.filter(rows)[column].to_list())
            truths = taxonomy[target].encode(simulated.truth.filter(rows)[target].to_list())
            assert ((labels == truths) == agrees).all()


def test_each_target_has_its_own_override_share():
    settings = replace(QUIET, override_share={"role": 0.3, "level": 0.1})
    changed, plain = simulate(settings=settings).leads, simulate(settings=QUIET).leads
    shares = {name: (changed[name] != plain[name]).mean() for name in ("Job Function", "Job Role", "Job Level")}
    assert shares["Job Function"] == 0
    assert 0 < shares["Job Level"] < shares["Job Role"] < 0.3


def test_overrides_do_not_depend_on_planted_words():
    truth = simulate(120_000, settings=replace(QUIET, override_share=0.2)).truth
    planted = truth["planted"].is_not_null()
    by_hand = truth["cause_role"].str.starts_with("override")
    assert by_hand.filter(planted).mean() == pytest.approx(by_hand.filter(~planted).mean(), abs=0.015)


def test_us_records_are_changed_less_often():
    simulated = simulate(settings=replace(QUIET, override_share=0.2))
    by_hand = simulated.truth["cause_level"].str.starts_with("override")
    from_us = simulated.leads["Country"] == "United States"
    assert by_hand.filter(from_us).mean() < 0.75 * by_hand.filter(~from_us).mean()


def test_a_source_writes_its_own_labels_in_its_country_only():
    habit = SourceHabit(name="form", target="level", record_share=0.5, labels={"Unknown": "Manager"}, country="India")
    simulated = simulate(settings=replace(QUIET, habits=(habit,)))
    assert "source habit" not in set(simulated.truth["cause_role"])
    written = simulated.truth["cause_level"] == "source habit"
    assert written.sum() > 50
    assert set(simulated.leads.filter(written)["Country"]) == {"India"}
    assert set(simulated.leads.filter(written)["Job Level"]) == {"Manager"}


def test_a_badge_scanner_writes_every_raw_label_and_changes_no_class():
    taxonomy = toy_taxonomy()
    scanner = [habit for habit in default_habits(taxonomy) if habit.name == "badge scanner"]
    quiet = simulate(settings=QUIET)
    scanned = simulate(settings=replace(QUIET, habits=tuple(replace(habit, record_share=1.0) for habit in scanner)))
    for target, column in (("function", "Job Function"), ("role", "Job Role"), ("level", "Job Level")):
        classes = [taxonomy[target].encode(leads[column].to_list()) for leads in (quiet.leads, scanned.leads)]
        assert (classes[0] == classes[1]).all()
        written = {taxonomy[target].classes[position] for position in set(classes[0])}
        assert set(scanned.leads[column]) == {raw for name in written for raw in taxonomy[target].raw_of_class[name]}


def test_causes_separate_priorities_from_older_tables_and_missing_keywords():
    """Four titles, three tables: why each label is wrong is known by construction."""
    classes = CLASSES["role"]
    answers = {
        "old": {"a": "Networking", "b": "Networking", "c": "Systems", "d": "Non-ICP"},
        "new": {"a": "Networking", "b": "Systems", "c": "Systems", "d": "Non-ICP"},
    }
    meant = {"old": {"a": {"Networking", "Systems"}, "b": {"Networking"}, "c": {"Systems"}, "d": set()}}
    meant["new"] = {**meant["old"], "b": {"Networking", "Systems"}}
    truth = {"a": "Systems", "b": "Systems", "c": "Systems", "d": "Networking"}
    taxonomy = toy_taxonomy(("role",))
    answered = np.array([[classes.index(answers[name][title]) for title in "abcd"] for name in ("old", "new")])
    contenders = [
        {"role": np.array([[label in meant[name][title] for label in classes] for title in "abcd"])}
        for name in ("old", "new")
    ]
    should_be = {"role": np.array([classes.index(truth[title]) for title in "abcd"])}

    def named(contenders, should_be):
        found = table_causes({"role": answered}, contenders, should_be, taxonomy)["role"]
        return [[CAUSES[code] for code in row] for row in found]

    assert named(contenders, should_be) == [
        ["priority", "older revision", "table right", "no keyword"],
        ["priority", "table right", "table right", "no keyword"],
    ]
    assert named([None, None], should_be)[0] == ["no keyword", "older revision", "table right", "no keyword"]
    # Without a truth, answers are compared with the newest table's.
    assert named(contenders, None) == [
        ["table right", "older revision", "table right", "table right"],
        ["table right"] * 4,
    ]


def test_a_cause_says_whether_the_class_is_right(simulated):
    taxonomy = toy_taxonomy()
    for target, column in (("function", "Job Function"), ("role", "Job Role"), ("level", "Job Level")):
        whole = simulated.leads[column].is_not_null() & simulated.leads["Title"].is_not_null()
        assert ((simulated.truth[f"cause_{target}"] == "blank") == ~whole).all()
        labels = taxonomy[target].encode(simulated.leads.filter(whole)[column].to_list())
        right = labels == taxonomy[target].encode(simulated.truth.filter(whole)[target].to_list())
        cause = simulated.truth.filter(whole)[f"cause_{target}"]
        assert right[(cause == "table right").to_numpy()].all()
        assert not right[cause.is_in(["priority", "older revision", "no keyword", "override wrong"]).to_numpy()].any()


def test_a_label_outside_the_taxonomy_is_named():
    def strange(titles):
        return {target: np.full(len(titles), "Wizard", dtype=object) for target in CLASSES}

    with pytest.raises(BadInput, match="Wizard"):
        simulate(10, revisions=[Revision(in_force_from=datetime.date(2020, 1, 1), name="odd", tagger=strange)])
