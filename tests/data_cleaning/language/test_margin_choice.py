from pathlib import Path

import polars as pl
import pytest

from data_cleaning.language import LanguageSettings, judge_languages
from tests.data_cleaning.language.margin_choice import choose_margins, compare_with_plain, in_choosing_half, weigh
from tests.data_cleaning.language.toy_titles import FEW, SETTINGS, leads

DATA = Path(__file__).parents[4] / "shared" / "data"


needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real titles are not beside the checkout")


def test_nothing_is_learned_from_the_labelled_titles():
    labelled = pl.DataFrame({"title": ["Network Manager", "Indirect Procurement"], "lang": ["en", "en"]})
    beside = ["Network Engineer", "Security Manager", "Security Engineer"]
    few = LanguageSettings(**FEW)
    assert weigh(labelled, leads(*beside, "NETWORK-MANAGER"), few)["known"].to_list() == [False, False]
    assert weigh(labelled, leads(*beside, "Network Head", "Head Manager"), few)["known"].to_list() == [True, False]


@pytest.fixture(scope="module")
def weighed():
    """The titles of known language, with the vocabulary of the real titles."""
    labelled = pl.read_csv(DATA / "titles_by_language.csv").unique("title", keep="first", maintain_order=True)
    return weigh(labelled, pl.read_csv(DATA / "real_titles.csv"), SETTINGS)


@needs_data
def test_the_default_margins_are_those_chosen_on_one_half(weighed):
    chosen = choose_margins(weighed.filter(in_choosing_half(weighed["title"])), SETTINGS.margins)
    assert chosen == SETTINGS.margins


@needs_data
def test_on_the_other_half_we_keep_more_english_and_find_as_much_as_lingua_alone(weighed):
    shares = compare_with_plain(weighed.filter(~in_choosing_half(weighed["title"])), SETTINGS)
    assert len(shares) == 10
    english, foreign = shares.filter(pl.col("lang") == "en"), shares.filter(pl.col("lang") != "en")
    assert english["ours"].item() >= 0.985
    assert foreign["ours"].mean() >= foreign["plain"].mean()
    assert (foreign["ours"] - foreign["plain"]).min() >= -0.02


@needs_data
def test_hardly_a_record_of_real_security_titles_is_quarantined():
    titles = pl.read_csv(DATA / "real_titles.csv").filter(pl.col("source") == "infosec-jobs")
    quarantined = titles.filter(judge_languages(titles)["reason"].is_not_null())
    assert quarantined["count"].sum() <= 0.002 * titles["count"].sum()
