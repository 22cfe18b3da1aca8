import itertools
import math
from statistics import mean

import numpy as np
import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.profile import profile_leads
from data_cleaning.profile.measures import (
    fit_heaps,
    growth_curve,
    length_summary,
    length_table,
    missing_shares,
    round_sizes,
    share_table,
)
from tests.data_cleaning.profile.toy_leads import LEADS, TARGETS


def test_shares_are_of_the_records_that_have_a_label():
    shares = share_table(pl.Series(["b", " a", None, "", "a"]), pl.Series([1, 2, 50, 50, 1]))
    assert shares.columns == ["label", "records", "share", "cumulative_share"]
    assert shares.rows() == [("a", 3, 0.75, 0.75), ("b", 1, 0.25, 1.0)]
    assert share_table(pl.Series([None, " "], dtype=pl.String)).is_empty()


def test_missing_shares_weigh_by_records_and_count_blank_cells():
    assert missing_shares(LEADS, TARGETS) == pytest.approx(
        {"title": 2 / 12, "function": 2 / 12, "level": 2 / 12, "any output": 4 / 12, "any": 5 / 12}
    )
    assert missing_shares(LEADS, ()) == pytest.approx({"title": 2 / 12, "any": 2 / 12})


def test_growth_is_the_mean_over_every_sample():
    records = ["a b", "a b", "a c", "d", "d", "d"]
    grown = growth_curve(pl.Series(records), range(1, 7))
    for size, n_titles, n_words in grown.iter_rows():
        samples = list(itertools.combinations(records, size))
        assert n_titles == pytest.approx(mean(len(set(sample)) for sample in samples))
        assert n_words == pytest.approx(mean(len(set(" ".join(sample).split())) for sample in samples))


def test_growth_counts_the_records_of_a_row_and_skips_missing_titles():
    merged = growth_curve(pl.Series(["d", None, "a b"]), [1, 2, 5], pl.Series([3, 9, 2]))
    single = growth_curve(pl.Series(["a b", "d", "d", "a b", "d"]), [1, 2, 5])
    np.testing.assert_allclose(merged.to_numpy(), single.to_numpy())
    assert single.row(2) == (5, 2.0, 3.0)


@pytest.mark.parametrize("size", [0, 4])
def test_growth_refuses_a_sample_that_cannot_be_drawn(size):
    with pytest.raises(BadInput, match=f"A sample of {size} records cannot be drawn; expected 1 to 3"):
        growth_curve(pl.Series(["a", "b", "c"]), [1, size])


def test_fit_finds_the_heaps_curve_behind_the_values():
    sizes = [10, 100, 1000]
    k, exponent, deviation = fit_heaps(sizes, [3 * size**0.5 for size in sizes])
    assert (k, exponent, deviation) == pytest.approx((3, 0.5, 0))


def test_heaps_deviation_is_the_largest_relative_one():
    # The middle point is e times above the straight line of the others: the fit shifts up by a third of that.
    fit = fit_heaps([1, 10, 100], [1, 10 * math.e, 100])
    assert fit.exponent == pytest.approx(1)
    assert fit.k == pytest.approx(math.exp(1 / 3))
    assert fit.largest_deviation == pytest.approx(max(math.exp(1 / 3) - 1, 1 - math.exp(-2 / 3)))


@pytest.mark.parametrize(("sizes", "values"), [([5], [1]), ([5, 5], [1, 1]), ([1, 2], [0, 1]), ([0, 2], [1, 1])])
def test_heaps_curve_needs_two_sizes_and_positive_values(sizes, values):
    with pytest.raises(BadInput, match="two sizes or more"):
        fit_heaps(sizes, values)


def test_lengths_are_summed_up_per_record():
    table = length_table(np.array([2, 1, 40]), np.array([4, 5, 1]))
    assert table["length"].to_list() == [1, 2, 40]
    assert table["share"].to_list() == [0.5, 0.4, 0.1]
    assert list(length_summary(table).values()) == [5.3, 1, 2, 40, 40]


def test_lengths_of_very_many_records_are_summed_up():
    table = length_table(np.array([1, 2]), np.array([99_999_999_999, 99_999_999_999_999_999]))
    assert list(length_summary(table).values()) == pytest.approx([2, 2, 2, 2, 2], abs=1e-5)


@pytest.mark.parametrize(
    ("n_records", "sizes"), [(1, [1]), (3, [1, 2, 3]), (10, [1, 2, 5, 10]), (20_000, [20, 50, 100, 200, 500])]
)
def test_sizes_are_round_and_end_with_every_record(n_records, sizes):
    found = round_sizes(n_records)
    assert found[: len(sizes)] == sizes
    assert found[-1] == n_records


def test_no_leads_are_refused():
    with pytest.raises(BadInput, match="no leads to profile"):
        profile_leads(LEADS.clear(), TARGETS)
