import datetime
from dataclasses import replace

import pytest

from data_cleaning.errors import BadInput
from data_cleaning.simulate.history import HistorySettings, default_habits
from tests.data_cleaning.simulate.toy_history import QUIET, simulate, toy_revisions, toy_taxonomy


def test_us_records_have_their_share_and_no_foreign_titles(simulated):
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


def test_default_habits_come_from_the_taxonomy():
    habits = default_habits(toy_taxonomy())
    assert {(habit.name, habit.target) for habit in habits} == {
        ("webinar platform", "level"), ("reseller", "function"),
        ("badge scanner", "function"), ("badge scanner", "role"), ("badge scanner", "level"),
    }  # fmt: skip
    assert {habit.target for habit in default_habits(toy_taxonomy(("role",)))} == {"role"}


def test_a_revision_reaches_other_countries_later():
    simulated = simulate(settings=replace(QUIET, rollout_lag_days=200))
    truth, leads = simulated.truth, simulated.leads
    new = truth["revision"] == "new"
    from_us = leads["Country"] == "United States"
    assert leads.filter(new & from_us)["Date"].min() == datetime.date(2022, 6, 1)
    assert leads.filter(new & ~from_us)["Date"].min() == datetime.date(2022, 12, 18)
    assert leads.filter(~new & ~from_us)["Date"].max() == datetime.date(2022, 12, 17)


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
