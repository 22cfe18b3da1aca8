"""How often an answer changes when a title is only spelled differently; see `tests.spelling_variants`."""

from pathlib import Path

import numpy as np
import pytest

from baselines.keyword_table import KeywordTable
from data_cleaning.taxonomy import Taxonomy
from tests.spelling_variants import REAL_TITLES, common_titles, count_changes, spelling_variants


def test_the_variants_of_a_title_are_its_rotation_signs_in_each_gap_plural_and_final_dot():
    assert spelling_variants("Cloud Security Engineer") == {
        "Engineer, Cloud Security": "rotated",
        "Cloud, Security Engineer": "comma",
        "Cloud Security, Engineer": "comma",
        "Cloud-Security Engineer": "hyphen",
        "Cloud Security-Engineer": "hyphen",
        "Cloud/Security Engineer": "slash",
        "Cloud Security/Engineer": "slash",
        "Cloud Security Engineers": "plural",
        "Cloud Security Engineer.": "final dot",
    }


def test_what_follows_of_may_stand_before_or_behind_a_comma_and_the_person_is_counted():
    assert spelling_variants("Deputy Head of Security") == {
        "Security, Deputy Head": "rotated",
        "Deputy Head, Security": "comma",
        "Deputy, Head of Security": "comma",
        "Deputy-Head of Security": "hyphen",
        "Deputy/Head of Security": "slash",
        "Deputy Heads of Security": "plural",
        "Deputy Head of Security.": "final dot",
    }


def test_a_variant_counts_once_however_many_targets_change():
    def classes_of(titles):
        signs = np.array([sum(sign in title for sign in ",-/.") for title in titles])
        return {"function": signs, "level": np.array([title.endswith("s") for title in titles])}

    changed, n_variants = count_changes(classes_of, ["Web Developer"])
    assert n_variants == 6
    assert [variant for _, variant, _ in changed] == list(spelling_variants("Web Developer"))


@pytest.mark.skipif(not REAL_TITLES.is_file(), reason="the real titles are not beside the checkout")
def test_there_are_forty_distinct_real_titles():
    titles = common_titles()
    assert len(set(titles)) == 40
    assert {"Head of Security", "Cyber Security Analyst", "Loss Prevention Agent"} <= set(titles)


@pytest.mark.skipif(not REAL_TITLES.is_file(), reason="the real titles are not beside the checkout")
@pytest.mark.parametrize(("year", "exact", "corrected"), [(2021, 30, 2), (2022, 21, 2), (2023, 18, 0)])
def test_the_corrected_table_changes_at_most_four_answers_and_the_exact_one_as_many_as_ever(year, exact, corrected):
    configs = Path(__file__).parents[2] / "configs"
    table = KeywordTable.read(configs / "keywords" / f"{year}.csv", Taxonomy.read(configs / "taxonomy.yaml"))

    def changes(normalised):
        def classes_of(titles):
            won = table.winners(titles, normalised)
            return {target: table.class_positions[target][rows] for target, rows in won.items()}

        changed, n_variants = count_changes(classes_of, common_titles())
        assert n_variants == 373
        return len(changed)

    assert changes(normalised=False) == exact
    assert changes(normalised=True) == corrected <= 4
