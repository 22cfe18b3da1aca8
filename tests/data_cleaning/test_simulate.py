"""Simulated leads: titles with a truth, and a history of labels."""

import datetime
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.simulate import PLANTED, HistorySettings, Revision, SourceHabit, default_habits, simulate_leads
from data_cleaning.simulate.catalogue import catalogue
from data_cleaning.simulate.causes import CAUSES, table_causes
from data_cleaning.simulate.grammar import draw_titles
from data_cleaning.simulate.surface import write
from data_cleaning.taxonomy import Taxonomy

CLASSES = {
    "function": ["IT", "Engineering", "Procurement", "Risk/Legal/Compliance", "Non-ICP"],
    "role": ["Information Security", "Networking", "Systems", "Governance Risk Compliance", "IT General", "Non-ICP"],
    "level": ["C-Level", "Executive", "Director", "Manager", "Contributor", "Unknown"],
}
"""The grouped classes of the project; the fallback of each target comes last."""

WORDS = {
    "function": {"it": "IT", "security": "IT Support", "network": "IT", "engineer": "Engineering", "risk": "Risk"},
    "role": {"security": "Information Security", "network": "Networking", "it": "IT General"},
    "level": {"manager": "Manager", "director": "Director", "vp": "Vice President", "engineer": "Contributor"},
}
RAW = {
    "function": {"IT": ["IT Support"], "Risk/Legal/Compliance": ["Risk"]},
    "role": {},
    "level": {"Executive": ["Vice President"]},
}


def toy_taxonomy(targets=tuple(CLASSES)):
    body = {
        target: {
            "importance": position + 1,
            "ordinal": target == "level",
            "fallback": CLASSES[target][-1],
            "classes": {name: RAW[target].get(name, []) for name in CLASSES[target]},
        }
        for position, target in enumerate(targets)
    }
    return Taxonomy.from_dict({"targets": body})


def toy_tagger(skip="", targets=tuple(CLASSES)):
    """Label a title by the first known word in it; a word to skip makes another revision."""

    def tag(titles):
        answers = {}
        for target in targets:
            words = {word: label for word, label in WORDS[target].items() if word != skip}
            answers[target] = np.array(
                [next((words[word] for word in title.lower().split() if word in words), CLASSES[target][-1])
                 for title in titles], dtype=object)  # fmt: skip
        return answers

    return tag


def toy_revisions(targets=tuple(CLASSES)):
    return [
        Revision(in_force_from=datetime.date(2020, 1, 1), name="old", tagger=toy_tagger("network", targets)),
        Revision(in_force_from=datetime.date(2022, 6, 1), name="new", tagger=toy_tagger("", targets)),
    ]


def simulate(n_records=20_000, seed=3, **arguments):
    settings = {"taxonomy": toy_taxonomy(), "revisions": toy_revisions(), **arguments}
    return simulate_leads(n_records=n_records, seed=seed, **settings)


QUIET = HistorySettings(
    override_share=0.0, title_blank_share=0.0, any_label_blank_share=0.0, habits=(), rollout_lag_days=0
)
"""A history in which nothing but the tables labels anything."""


@pytest.fixture(scope="module")
def simulated():
    return simulate(60_000)


@pytest.fixture(scope="module")
def drawn():
    return draw_titles(60_000, np.random.default_rng(11))


@pytest.fixture(scope="module")
def truth_of_plain():
    return {title.text.replace("^", ""): title.truth for title in catalogue().titles}


def test_same_seed_gives_same_leads_and_another_seed_others():
    first, again, other = simulate(3000, 5), simulate(3000, 5), simulate(3000, 6)
    assert first.leads.equals(again.leads)
    assert first.truth.equals(again.truth)
    assert not first.leads.equals(other.leads)


def test_one_row_of_truth_per_lead_in_the_same_order(simulated):
    assert simulated.leads.columns == ["Record", "Title", "Job Function", "Job Role", "Job Level", "Country", "Date"]
    assert simulated.truth.columns == [
        *("Record", "title", "function", "role", "level", "persona", "planted", "revision"),
        *("cause_function", "cause_role", "cause_level"),
    ]
    assert simulated.leads["Record"].to_list() == list(range(1, 60_001)) == simulated.truth["Record"].to_list()
    given = simulated.leads["Title"].is_not_null()
    assert simulated.leads.filter(given)["Title"].equals(simulated.truth.filter(given)["title"], check_names=False)


def test_truth_is_a_function_of_the_title(simulated):
    meanings = simulated.truth.group_by("title").agg(pl.struct("function", "role", "level").n_unique().alias("n"))
    assert meanings["n"].max() == 1


def test_letter_case_changes_no_truth():
    meanings = {}
    for title in catalogue().titles:
        assert meanings.setdefault(title.text.replace("^", "").casefold(), title.truth) == title.truth


def test_every_class_of_every_target_occurs(simulated):
    for target, classes in CLASSES.items():
        assert set(simulated.truth[target]) == set(classes)


def test_the_mix_is_that_of_a_security_vendors_audience(simulated):
    truth = simulated.truth
    assert (truth["function"] == "IT").mean() == pytest.approx(0.69, abs=0.03)
    assert (truth["role"] == "Information Security").mean() == pytest.approx(0.32, abs=0.02)
    assert (truth["level"] == "Contributor").mean() == pytest.approx(0.38, abs=0.03)
    leasts = {"C-Level": 0.05, "Executive": 0.05, "Director": 0.1, "Manager": 0.15, "Unknown": 0.005}
    for level, least in leasts.items():
        assert (truth["level"] == level).mean() > least


def test_missing_shares_are_those_of_the_settings(simulated):
    leads = simulated.leads
    labels = ["Job Function", "Job Role", "Job Level"]
    assert leads["Title"].is_null().mean() == pytest.approx(0.03, abs=0.004)
    assert leads.select(pl.any_horizontal(pl.col(labels).is_null()).mean()).item() == pytest.approx(0.07, abs=0.005)
    any_missing = leads.select(pl.any_horizontal(pl.col("Title", *labels).is_null()).mean()).item()
    assert 0.07 < any_missing < 0.078
    bare = leads.filter(pl.col("Title").is_null())
    assert bare.select(pl.all_horizontal(pl.col(labels).is_null()).mean()).item() > 0.9


def test_us_records_hold_their_share_and_foreign_titles_are_not_among_them(simulated):
    leads = simulated.leads
    assert (leads["Country"] == "United States").mean() == pytest.approx(0.54, abs=0.01)
    foreign = simulated.truth["persona"].str.starts_with("foreign")
    assert foreign.sum() > 500
    assert "United States" not in set(leads.filter(foreign)["Country"])


def test_records_are_in_date_order_and_grow(simulated):
    dates = simulated.leads["Date"]
    assert dates.is_sorted()
    assert dates.min() >= datetime.date(2021, 1, 1)
    assert dates.max() <= datetime.date(2023, 12, 31)
    per_year = dates.dt.year().value_counts().sort("Date")["count"].to_list()
    assert per_year == sorted(per_year)


def test_records_are_labelled_by_the_revision_in_force():
    simulated = simulate(settings=QUIET)
    for revision, first, last in (("old", (2021, 1, 1), (2022, 5, 31)), ("new", (2022, 6, 1), (2023, 12, 31))):
        rows = simulated.leads["Date"].is_between(datetime.date(*first), datetime.date(*last))
        assert set(simulated.truth.filter(rows)["revision"]) == {revision}
        titles = simulated.leads.filter(rows)["Title"].to_list()
        expected = toy_tagger("network" if revision == "old" else "")(titles)
        assert simulated.leads.filter(rows)["Job Role"].to_list() == expected["role"].tolist()
        assert simulated.leads.filter(rows)["Job Function"].to_list() == expected["function"].tolist()


def test_a_right_hand_writes_the_true_class_and_a_wrong_one_another():
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


def test_default_habits_come_from_the_taxonomy():
    habits = default_habits(toy_taxonomy())
    assert {(habit.name, habit.target) for habit in habits} == {
        ("webinar platform", "level"), ("reseller", "function"),
        ("badge scanner", "function"), ("badge scanner", "role"), ("badge scanner", "level"),
    }  # fmt: skip
    assert {habit.target for habit in default_habits(toy_taxonomy(("role",)))} == {"role"}


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


def test_a_revision_reaches_other_countries_later():
    simulated = simulate(settings=replace(QUIET, rollout_lag_days=200))
    truth, leads = simulated.truth, simulated.leads
    new = truth["revision"] == "new"
    from_us = leads["Country"] == "United States"
    assert leads.filter(new & from_us)["Date"].min() == datetime.date(2022, 6, 1)
    assert leads.filter(new & ~from_us)["Date"].min() == datetime.date(2022, 12, 18)
    assert leads.filter(~new & ~from_us)["Date"].max() == datetime.date(2022, 12, 17)


def test_causes_tell_priorities_from_older_tables_and_missing_keywords():
    """Four titles, three tables: why each label is wrong is known by construction."""
    classes = CLASSES["role"]
    answers = {
        "old": {"a": "Networking", "b": "Networking", "c": "Systems", "d": "Non-ICP"},
        "new": {"a": "Networking", "b": "Systems", "c": "Systems", "d": "Non-ICP"},
    }
    spoken = {"old": {"a": {"Networking", "Systems"}, "b": {"Networking"}, "c": {"Systems"}, "d": set()}}
    spoken["new"] = {**spoken["old"], "b": {"Networking", "Systems"}}
    truth = {"a": "Systems", "b": "Systems", "c": "Systems", "d": "Networking"}
    taxonomy = toy_taxonomy(("role",))
    verdicts = np.array([[classes.index(answers[name][title]) for title in "abcd"] for name in ("old", "new")])
    contenders = [
        {"role": np.array([[label in spoken[name][title] for label in classes] for title in "abcd"])}
        for name in ("old", "new")
    ]
    should_be = {"role": np.array([classes.index(truth[title]) for title in "abcd"])}

    def named(contenders, should_be):
        found = table_causes({"role": verdicts}, contenders, should_be, taxonomy)["role"]
        return [[CAUSES[code] for code in row] for row in found]

    assert named(contenders, should_be) == [
        ["priority", "older revision", "table right", "no keyword"],
        ["priority", "table right", "table right", "no keyword"],
    ]
    assert named([None, None], should_be)[0] == ["no keyword", "older revision", "table right", "no keyword"]
    # Without a truth the newest table is the measure.
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


def test_planted_words_are_frequent_and_speak_their_truth(simulated):
    truth = simulated.truth.filter(pl.col("planted").is_not_null())
    assert 0.05 < len(truth) / 60_000 < 0.08
    counts = dict(truth["planted"].value_counts().iter_rows())
    assert set(counts) == set(PLANTED)
    assert sum(count >= 20 for count in counts.values()) >= len(PLANTED) - 2
    for word, meaning in PLANTED.items():
        rows = truth.filter(pl.col("planted") == word)
        for target, name in meaning.items():
            assert set(rows[target]) == {name}


def test_plain_titles_hold_the_planted_word_that_names_them():
    for title in catalogue().titles:
        words = title.text.replace("^", "").casefold()
        assert title.planted in words
        if not title.planted:
            assert not [word for word in PLANTED if f" {word}" in f" {words}"]


def test_unique_titles_grow_with_ever_fewer_new_ones():
    n_unique = {n: len(draw_titles(n, np.random.default_rng(2)).titles) for n in (5000, 20_000, 60_000)}
    assert 2000 < n_unique[5000] < 4000
    exponent = np.log(n_unique[20_000] / n_unique[5000]) / np.log(4)
    assert 0.65 < exponent < 0.95
    assert 22_000 <= n_unique[60_000] <= 32_000


def test_the_same_titles_head_every_size():
    heads = []
    for n_records in (20_000, 60_000):
        drawn = draw_titles(n_records, np.random.default_rng(4))
        counts = np.bincount(drawn.title_of_record)
        heads.append({drawn.titles[position] for position in np.argsort(-counts)[:20]})
    assert len(heads[0] & heads[1]) >= 15
    assert {"IT Manager", "CISO", "IT Director", "Network Engineer"} <= heads[1]


SPOT_CHECKS = [
    ("Chief Information Security Officer", "IT", "Information Security", "C-Level"),
    ("CTO & Co-Founder", "IT", "IT General", "C-Level"),
    ("CTO/Executive Director", "IT", "IT General", "C-Level"),
    ("CIO", "IT", "IT General", "C-Level"),
    ("Deputy CISO", "IT", "Information Security", "Director"),
    ("Deputy Head of IT", "IT", "IT General", "Director"),
    ("Executive Assistant to the CIO", "Non-ICP", "Non-ICP", "Contributor"),
    ("Director's Office Coordinator", "Non-ICP", "Non-ICP", "Contributor"),
    ("Sales Director, Cybersecurity", "Non-ICP", "Non-ICP", "Director"),
    ("Manager, IT Audit", "Risk/Legal/Compliance", "Governance Risk Compliance", "Manager"),
    ("Security Compliance Analyst", "Risk/Legal/Compliance", "Governance Risk Compliance", "Contributor"),
    ("GRC Analyst", "Risk/Legal/Compliance", "Governance Risk Compliance", "Contributor"),
    ("Internal Auditor", "Risk/Legal/Compliance", "Governance Risk Compliance", "Contributor"),
    ("Data Protection Officer", "Risk/Legal/Compliance", "Governance Risk Compliance", "Contributor"),
    ("Chief Risk Officer", "Risk/Legal/Compliance", "Governance Risk Compliance", "C-Level"),
    ("General Counsel", "Risk/Legal/Compliance", "Non-ICP", "Executive"),
    ("Attorney", "Risk/Legal/Compliance", "Non-ICP", "Contributor"),
    ("Privacy Counsel", "Risk/Legal/Compliance", "Governance Risk Compliance", "Contributor"),
    ("ISSO", "IT", "Information Security", "Contributor"),
    ("ISSM", "IT", "Information Security", "Manager"),
    ("SOC Analyst", "IT", "Information Security", "Contributor"),
    ("SOC Lead", "IT", "Information Security", "Manager"),
    ("Lead Information Security", "IT", "Information Security", "Manager"),
    ("Network Security Engineer", "IT", "Information Security", "Contributor"),
    ("Security Manager", "IT", "Information Security", "Manager"),
    ("Security", "IT", "Information Security", "Contributor"),
    ("Security Guard", "Non-ICP", "Non-ICP", "Contributor"),
    ("Director of Loss Prevention", "Non-ICP", "Non-ICP", "Director"),
    ("NOC Engineer", "IT", "Networking", "Contributor"),
    ("Network Engineer", "IT", "Networking", "Contributor"),
    ("Network & Systems Administrator", "IT", "Networking", "Contributor"),
    ("Systems Engineer", "IT", "Systems", "Contributor"),
    ("IT Systems Engineer", "IT", "Systems", "Contributor"),
    ("Director of Information Systems", "IT", "IT General", "Director"),
    ("Systems Engineer, Manufacturing", "Engineering", "Non-ICP", "Contributor"),
    ("VP / Director of Systems Engineering", "IT", "Systems", "Executive"),
    ("Lead DevOps Engineer", "IT", "Systems", "Contributor"),
    ("Site Reliability Engineer", "IT", "Systems", "Contributor"),
    ("DevSecOps Engineer", "IT", "Information Security", "Contributor"),
    ("MLOps Engineer", "Engineering", "Non-ICP", "Contributor"),
    ("IT Director", "IT", "IT General", "Director"),
    ("Director of IT", "IT", "IT General", "Director"),
    ("IT Project Manager", "IT", "IT General", "Manager"),
    ("Enterprise Architect", "IT", "IT General", "Contributor"),
    ("Technical Support Engineer", "IT", "IT General", "Contributor"),
    ("Data Governance Manager", "IT", "Governance Risk Compliance", "Manager"),
    ("VP Engineering", "Engineering", "Non-ICP", "Executive"),
    ("Software Engineer", "Engineering", "Non-ICP", "Contributor"),
    ("Data Analyst", "Engineering", "Non-ICP", "Contributor"),
    ("Marketing Data Analyst", "Non-ICP", "Non-ICP", "Contributor"),
    ("ServiceNow Developer", "Engineering", "Non-ICP", "Contributor"),
    ("Buyer", "Procurement", "Non-ICP", "Contributor"),
    ("Strategic Sourcing Analyst", "Procurement", "Non-ICP", "Contributor"),
    ("IT Recruiter", "Non-ICP", "Non-ICP", "Contributor"),
    ("Cybersecurity Sales Manager", "Non-ICP", "Non-ICP", "Manager"),
    ("Sales Engineer", "Non-ICP", "Non-ICP", "Contributor"),
    ("Account Executive", "Non-ICP", "Non-ICP", "Contributor"),
    ("Lead Generation Specialist", "Non-ICP", "Non-ICP", "Contributor"),
    ("Chief of Staff", "Non-ICP", "Non-ICP", "Director"),
    ("President", "Non-ICP", "Non-ICP", "C-Level"),
    ("President, Desktops", "Non-ICP", "Non-ICP", "Executive"),
    ("Managing Director", "Non-ICP", "Non-ICP", "Executive"),
    ("Board Member", "Non-ICP", "Non-ICP", "C-Level"),
    ("Committee Member", "Non-ICP", "Non-ICP", "Contributor"),
    ("Construction Superintendent", "Non-ICP", "Non-ICP", "Manager"),
    ("Student", "Non-ICP", "Non-ICP", "Unknown"),
    ("N/A", "Non-ICP", "Non-ICP", "Unknown"),
    ("Leiter IT", "IT", "IT General", "Executive"),
    ("Administrador de Redes", "IT", "Networking", "Contributor"),
]


@pytest.mark.parametrize(("title", "function", "role", "level"), SPOT_CHECKS)
def test_a_title_means_what_the_taxonomy_says(truth_of_plain, title, function, role, level):
    assert truth_of_plain[title] == (function, role, level)


@pytest.mark.parametrize(
    ("pattern", "target", "meaning"),
    [
        (r"(?i)^(senior|sr\.?) .*\bengineer$", "level", {"Contributor"}),
        (r"(?i)^(vp|svp|avp|evp) of ", "level", {"Executive"}),
        (r"(?i)^director of (?!.*(&|/|\+| and ))", "level", {"Director"}),
        (r"(?i)\b(it|security|network|sales) manager$", "level", {"Manager"}),
        (r"(?i)(security guard|loss prevention officer|physical security)", "function", {"Non-ICP"}),
        (r"(?i)\b(auditor|grc)\b", "role", {"Governance Risk Compliance"}),
        (r"(?i)^(procurement|purchasing) ", "function", {"Procurement"}),
        (r"(?i)\bzero trust\b", "role", {"Information Security"}),
    ],
)
def test_drawn_titles_of_a_pattern_mean_one_thing(drawn, pattern, target, meaning):
    found = np.array([re.search(pattern, title) is not None for title in drawn.titles])
    assert found.sum() >= 10
    assert set(drawn.truth[target][found]) <= meaning


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ({}, "Senior Director, Network & Security"),
        ({"join": 1, "separator": 2}, "Senior Director - Network and Security"),
        ({"abbreviation": 1}, "Sr. Director, Network & Security"),
        ({"case": 1}, "senior director, network & security"),
        ({"case": 3, "join": 2}, "Senior Director, Network/Security"),
    ],
)
def test_the_surface_follows_its_codes(codes, expected):
    plain = {"join": 0, "separator": 0, "abbreviation": 0, "typo": 0, "case": 0}
    assert write("Senior Director, Network & Security", **{**plain, **codes}) == expected


def test_typos_spare_short_words():
    for typo in range(1, 256):
        assert write("CIO", join=0, separator=0, abbreviation=0, typo=typo, case=0) == "CIO"
        assert abs(len(write("Manager", join=0, separator=0, abbreviation=0, typo=typo, case=0)) - 7) <= 1


def real_titles():
    return pd.DataFrame({"title": ["Security Engineer", "IT Manager", "Florist", "N/A"], "count": [4000, 900, 99, 1]})


def test_real_titles_keep_their_counts_and_are_never_blank():
    simulated = simulate(1, titles=real_titles())
    counts = dict(simulated.leads["Title"].value_counts().iter_rows())
    assert counts == dict(zip(real_titles()["title"], real_titles()["count"], strict=True))
    assert simulated.truth.columns == ["Record", "title", "revision", "cause_function", "cause_role", "cause_level"]
    assert set(simulated.truth["cause_role"]) == {"table right", "override", "source habit", "blank"}


def test_real_titles_work_with_other_targets():
    taxonomy = toy_taxonomy(("role", "level"))
    simulated = simulate_leads(
        n_records=0, seed=1, taxonomy=taxonomy, revisions=toy_revisions(("role", "level")), titles=real_titles(),
        columns={"role": "Specialism"},
    )  # fmt: skip
    assert simulated.leads.columns == ["Record", "Title", "Specialism", "level", "Country", "Date"]
    assert set(simulated.leads["Specialism"].drop_nulls()) <= set(CLASSES["role"])


def test_the_grammar_refuses_targets_that_it_does_not_know():
    with pytest.raises(BadInput, match="give a list of titles"):
        simulate(100, taxonomy=toy_taxonomy(("role", "level")))


@pytest.mark.parametrize(
    ("titles", "message"),
    [
        (pd.DataFrame({"title": ["CEO"]}), "'title' and 'count'"),
        (pd.DataFrame({"title": ["CEO", "CEO"], "count": [1, 2]}), r"stood in it before: 'CEO' in row 2\."),
        (pd.DataFrame({"title": ["CEO", " "], "count": [1, 2]}), r"no title in row 2\."),
        (pd.DataFrame({"title": ["CIO", "CEO"], "count": [1, 0]}), "whole counts of at least 1; got 'CEO' in row 2: 0"),
        (pd.DataFrame({"title": ["CEO"], "count": [10**14]}), "counts 100,000,000,000,000 records in all.*'CEO'"),
        (pd.DataFrame({"title": ["CEO"], "count": [1.5]}), "whole counts"),
    ],
)
def test_a_faulty_list_of_titles_is_named(titles, message):
    with pytest.raises(BadInput, match=message):
        simulate(1, titles=titles)


@pytest.mark.parametrize(
    ("revisions", "message"),
    [
        ([], "at least one revision"),
        (toy_revisions()[::-1], "date order"),
        (toy_revisions()[1:], "records begin 2021-01-01"),
        ([replace(toy_revisions()[0], name="new"), toy_revisions()[1]], "share a name"),
    ],
)
def test_faulty_revisions_are_named(revisions, message):
    with pytest.raises(BadInput, match=message):
        simulate(10, revisions=revisions)


def test_all_bad_settings_are_named_at_once():
    with pytest.raises(BadInput, match=r"us_share is 2; .*growth is 0"):
        HistorySettings(us_share=2, growth=0)
    with pytest.raises(BadInput, match="target of override_share"):
        simulate(10, settings=HistorySettings(override_share={"rank": 0.1}))


def test_a_label_outside_the_taxonomy_is_named():
    def strange(titles):
        return {target: np.full(len(titles), "Wizard", dtype=object) for target in CLASSES}

    with pytest.raises(BadInput, match="Wizard"):
        simulate(10, revisions=[Revision(in_force_from=datetime.date(2020, 1, 1), name="odd", tagger=strange)])


def test_progress_reaches_its_end():
    seen = []
    simulate(100, progress=lambda step, done, total, unit="titles": seen.append((step, done, total)))
    assert {step for step, done, total in seen if done == total} == {"writing titles", "tagging titles"}


def test_no_plain_title_is_broken_over_lines():
    assert not [title.text for title in catalogue().titles if "\n" in title.text]
