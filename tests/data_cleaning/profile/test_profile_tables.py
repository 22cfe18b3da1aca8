import pytest

from data_cleaning.profile import profile_leads
from tests.data_cleaning.profile.toy_leads import LEADS, TARGETS, TAXONOMY, figures, frames, letters, make_leads


def test_figures_at_a_glance(profile):
    found = figures(profile)
    assert found["records"] == (12, None)
    assert found["records that lack title"] == (2, pytest.approx(2 / 12))
    assert found["records that lack at least one of function, level"] == (4, pytest.approx(4 / 12))
    assert found["records that lack at least one of title, function, level"] == (5, pytest.approx(5 / 12))
    assert found["unique titles, as written"] == (4, 0.4)
    assert found["unique titles, case and white space aside"] == (3, 0.3)
    assert found["titles that occur once"] == (2, 0.5)
    assert found["unique words"] == (5, None)  # cio, baker, it, boss, of
    assert found["stop words among the unique words"] == (2, 0.4)  # it, of
    assert found["function: raw labels"] == (3, None)
    assert found["combinations of raw labels"] == (3, None)
    assert found["combinations of classes"] == (1, None)
    assert found["titles with more than one combination"] == (1, 0.5)
    assert found["records of these titles"] == (6, pytest.approx(6 / 7))
    assert found["records with a title above 64 tokens"] == (0, 0.0)


def test_labels_are_shown_raw_and_grouped_even_outside_the_taxonomy(profile):
    raw = frames(profile)["shares_function"].select("label", "class", "records")
    outside = "(in no class of the taxonomy)"
    assert raw.rows() == [("IT", "IT", 6), ("Cakes", outside, 2), ("Info Tech", "IT", 2)]
    assert frames(profile)["grouped_function"].select("label", "records").rows() == [("IT", 8), (outside, 2)]
    assert frames(profile)["cumulative_shares"].rows() == [(1, 0.6, 0.9), (2, 0.8, 1.0), (3, 1.0, None)]
    assert frames(profile)["countries"].select("country", "records").rows() == [("US", 9), ("DE", 1)]


def test_combinations_and_inconsistent_titles_are_listed(profile):
    assert frames(profile)["combinations"].select(*TARGETS, "records").rows() == [
        ("IT", "Boss", 5), ("Info Tech", "Boss", 2), ("IT", "Chief", 1)
    ]  # fmt: skip
    assert frames(profile)["inconsistent_titles"].select("title", "records", "combinations").rows() == [("CIO", 6, 2)]
    assert frames(profile)["inconsistent_combinations"].select("title", *TARGETS, "records", "rank").rows() == [
        ("CIO", "IT", "Boss", 4, 1), ("CIO", "Info Tech", "Boss", 2, 2)
    ]  # fmt: skip


def test_lengths_in_characters_words_and_tokens(profile):
    assert frames(profile)["lengths_words"].select("length", "records").rows() == [(1, 9), (4, 1)]
    lengths = {row["unit"]: row for row in frames(profile)["lengths"].iter_rows(named=True)}
    assert lengths["words"]["mean"] == pytest.approx(1.3)
    assert lengths["tokens"]["longest"] == lengths["characters"]["longest"] == 13


def test_titles_above_64_tokens_are_counted_by_record():
    leads = make_leads(title=["x" * 64, "x" * 65], count=[3, 1])
    assert figures(profile_leads(leads, (), None, letters))["records with a title above 64 tokens"] == (1, 0.25)


def test_every_step_reports_its_progress(profile):
    reported = []
    again = profile_leads(LEADS, TARGETS, TAXONOMY, letters, lambda *step: reported.append(step))
    assert ("Count tokens", 4, 4) in reported
    assert reported[-1] == ("Profile leads", 6, 6, "steps")
    assert [table.frame.rows() for table in again.tables] == [table.frame.rows() for table in profile.tables]
