import polars as pl
import pytest

from data_cleaning.language import judge_languages
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.config import PROJECT_CONFIGS
from tests.data_cleaning.language.language_choice import (
    BEFORE,
    DATA,
    LISTS,
    TRANSLATED,
    caught,
    choose_thresholds,
    english_kept,
    in_choosing_half,
    read_lists,
    weigh_lists,
)
from tests.data_cleaning.language.toy_titles import SETTINGS

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real titles are not beside the checkout")


@pytest.fixture(scope="module")
def known():
    taxonomy = Taxonomy.read(PROJECT_CONFIGS / "taxonomy.yaml")
    labels = [label for target in taxonomy.targets for label in target.raw_to_class]
    return [*pl.read_csv(PROJECT_CONFIGS / "keywords" / "2023.csv")["keyword"], *labels]


@pytest.fixture(scope="module")
def lists():
    return read_lists()


@pytest.fixture(scope="module")
def halves(lists, known):
    """The lists of the choosing half, and those of the other half, on which is reported."""
    choosing = in_choosing_half(lists["title"])
    return [weigh_lists(lists.filter(half), SETTINGS, known) for half in (choosing, ~choosing)]


def test_the_default_thresholds_are_those_chosen_on_one_half(halves):
    margin, evidence = choose_thresholds(halves[0], SETTINGS)
    assert set(SETTINGS.used_margins.values()) == {margin}
    assert SETTINGS.min_evidence == evidence


def test_on_the_other_half_english_is_kept_and_foreign_titles_are_caught_as_often_as_before(halves):
    kept = english_kept(halves[1], SETTINGS)
    assert set(kept) == {*LISTS, TRANSLATED}
    assert min(kept.values()) >= 0.998, kept
    found = caught(halves[1][TRANSLATED].shares(SETTINGS))
    assert sum(found.values()) / len(found) >= 0.959
    plain = caught(halves[1][TRANSLATED].plain_shares())
    assert set(found) == set(plain) == set(BEFORE)
    # In single languages, a third of a hundred titles are chance.
    assert all(found[language] >= share - 0.01 for language, share in plain.items()), (found, plain)


@pytest.mark.parametrize("name", LISTS)
def test_of_each_long_list_hardly_a_record_is_dropped(name, lists, known):
    titles = lists.filter(list=name)
    kept = judge_languages(titles, known=known)["reason"].is_null()
    assert (titles["count"] * kept).sum() / titles["count"].sum() >= 0.998


def test_a_small_file_keeps_its_english_as_a_large_one_does(lists, known):
    english = lists.filter(list=TRANSLATED, lang="en")
    samples = [judge_languages(english.sample(200, seed=seed), known=known) for seed in range(4)]
    assert pl.concat(samples)["reason"].is_null().mean() >= 0.995


def test_frequent_foreign_titles_are_caught_as_well(lists, known):
    foreign = lists.filter(pl.col("list") == TRANSLATED, pl.col("lang") != "en")
    frequent = foreign.with_columns(count=pl.lit(SETTINGS.min_frequent_records))
    judged = judge_languages(frequent, known=known).with_columns(foreign["lang"])
    found = judged.group_by("lang").agg(pl.col("reason").is_not_null().mean().alias("caught"))
    assert found["caught"].mean() >= 0.94
