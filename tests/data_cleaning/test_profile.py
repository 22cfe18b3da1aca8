import itertools
import math
import re
from statistics import mean

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.profile import (
    PAGE,
    Table,
    fit_heaps,
    growth_curve,
    missing_shares,
    plots,
    profile_leads,
    share_table,
    write_profile,
)
from data_cleaning.profile.drawing import house_style, readable
from data_cleaning.profile.measures import length_summary, length_table, round_sizes
from data_cleaning.profile.plots import write_plots
from data_cleaning.profile.profile_page import write_page, write_tables
from data_cleaning.progress import silent
from data_cleaning.taxonomy import Taxonomy

TARGETS = ("function", "level")

TAXONOMY = Taxonomy.from_dict(
    {
        "targets": {
            "function": {"classes": {"IT": ["Info Tech"], "Other": []}},
            "level": {"classes": {"Boss": ["Chief"]}},
        }
    }
)


def make_leads(count=None, **columns):
    n_rows = len(columns["title"])
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return frame.with_columns(pl.Series("count", count or [1] * n_rows, dtype=pl.Int64))


LEADS = make_leads(
    title=["CIO", "CIO", "cio", "IT Boss of it", None, " ", "Baker"],
    function=["IT", "Info Tech", " IT ", None, "IT", "", "Cakes"],
    level=["Boss", "Boss", "Chief", "Boss", "Boss", "Boss", " "],
    country=["US", "US", "DE", "US", "US", "US", None],
    count=[4, 2, 1, 1, 1, 1, 2],
)
"""Twelve records: ten with a title, ten with a function, ten with a level."""


def letters(titles):
    return np.array([len(title) for title in titles])


@pytest.fixture(scope="module")
def profile():
    return profile_leads(LEADS, TARGETS, TAXONOMY, letters)


def figures(profile):
    return {row["figure"]: (row["number"], row["share"]) for row in profile["figures"].iter_rows(named=True)}


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


def test_growth_takes_a_row_for_its_records_and_leaves_missing_titles_out():
    merged = growth_curve(pl.Series(["d", None, "a b"]), [1, 2, 5], pl.Series([3, 9, 2]))
    single = growth_curve(pl.Series(["a b", "d", "d", "a b", "d"]), [1, 2, 5])
    np.testing.assert_allclose(merged.to_numpy(), single.to_numpy())
    assert single.row(2) == (5, 2.0, 3.0)


@pytest.mark.parametrize("size", [0, 4])
def test_growth_refuses_a_sample_that_cannot_be_drawn(size):
    with pytest.raises(BadInput, match=f"A sample of {size} records cannot be drawn; expected 1 to 3"):
        growth_curve(pl.Series(["a", "b", "c"]), [1, size])


def test_heaps_curve_is_found_again():
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
def test_heaps_curve_needs_two_sizes_and_values_above_none(sizes, values):
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


def test_labels_are_shown_raw_and_grouped_and_one_outside_the_taxonomy_stops_nothing(profile):
    raw = profile["shares_function"].select("label", "class", "records")
    outside = "(in no class of the taxonomy)"
    assert raw.rows() == [("IT", "IT", 6), ("Cakes", outside, 2), ("Info Tech", "IT", 2)]
    assert profile["grouped_function"].select("label", "records").rows() == [("IT", 8), (outside, 2)]
    assert profile["cumulative_shares"].rows() == [(1, 0.6, 0.9), (2, 0.8, 1.0), (3, 1.0, None)]
    assert profile["countries"].select("country", "records").rows() == [("US", 9), ("DE", 1)]


def test_combinations_and_the_titles_that_have_several(profile):
    assert profile["combinations"].select(*TARGETS, "records").rows() == [
        ("IT", "Boss", 5), ("Info Tech", "Boss", 2), ("IT", "Chief", 1)
    ]  # fmt: skip
    assert profile["inconsistent_titles"].select("title", "records", "combinations").rows() == [("CIO", 6, 2)]
    assert profile["inconsistent_combinations"].select("title", *TARGETS, "records", "rank").rows() == [
        ("CIO", "IT", "Boss", 4, 1), ("CIO", "Info Tech", "Boss", 2, 2)
    ]  # fmt: skip


def test_lengths_in_characters_words_and_tokens(profile):
    assert profile["lengths_words"].select("length", "records").rows() == [(1, 9), (4, 1)]
    lengths = {row["unit"]: row for row in profile["lengths"].iter_rows(named=True)}
    assert lengths["words"]["mean"] == pytest.approx(1.3)
    assert lengths["tokens"]["longest"] == lengths["characters"]["longest"] == 13


def test_titles_above_64_tokens_are_counted_by_record():
    leads = make_leads(title=["x" * 64, "x" * 65], count=[3, 1])
    assert figures(profile_leads(leads, (), None, letters))["records with a title above 64 tokens"] == (1, 0.25)


def test_every_step_is_told(profile):
    told = []
    again = profile_leads(LEADS, TARGETS, TAXONOMY, letters, lambda *step: told.append(step))
    assert ("Count tokens", 4, 4) in told
    assert told[-1] == ("Profile leads", 6, 6, "steps")
    assert [table.frame.rows() for table in again.tables] == [table.frame.rows() for table in profile.tables]


def test_the_written_profile_shows_every_table_and_plot(profile, tmp_path):
    page = write_profile(profile, tmp_path / "new").read_text(encoding="utf-8")
    for table in profile.tables:
        assert pl.read_csv(tmp_path / "new" / "tables" / f"{table.name}.csv", infer_schema=False).height == len(
            table.frame
        )
        assert f"# {table.title}" in (tmp_path / "new" / "tables" / f"{table.name}.md").read_text(encoding="utf-8")
        assert table.title in page
    shown = set(re.findall(r'src="(plots/\w+\.png)"', page))
    assert shown == {f"plots/{path.name}" for path in (tmp_path / "new" / "plots").glob("*.png")}
    assert {path.removeprefix("plots/").removesuffix(".png") for path in shown} == {
        *("missing", "shares_function", "shares_level", "grouped_function", "grouped_level", "cumulative_shares"),
        *("countries", "combinations", "grouped_combinations", "inconsistent_titles", "words", "zipf", "growth"),
        *("lengths_words", "lengths_tokens"),
    }
    assert len(list((tmp_path / "new" / "plots").glob("*.svg"))) == len(shown)


HARD = {
    "only titles": make_leads(title=["a b", "a b", "c"]),
    "one record": make_leads(title=["CISO"], function=["IT"], level=["Boss"]),
    "no labels": make_leads(title=["a b", "c"], function=[None, " "]),
    "no titles": make_leads(title=[None, " "], function=["IT", "IT"]),
    "no words": make_leads(title=["🚀", "?"]),
    "one label": make_leads(title=["a", "b", "b"], function=["IT", "IT", "IT"]),
    "other scripts": make_leads(
        title=["情報システム部長", "🚀 Engineer", "🚀 Engineer", "$a$ <b>|_x\nmany\tlines"],
        function=["情報", "🚀 $Growth$", "|<i>", "_" + "W" * 80],
        level=["a", "b", "a", "c"],
    ),
}

DRAWN = ("one record", "other scripts")
"""The others have nothing on their plots that these lack, and plots take time."""


@pytest.mark.parametrize("name", HARD)
def test_hard_files_are_profiled_and_what_is_left_out_is_said(name, tmp_path):
    found = profile_leads(HARD[name], TARGETS, TAXONOMY)
    if name in DRAWN:
        write_profile(found, tmp_path)
    else:
        write_page(tmp_path / PAGE, found.tables, [], found.left_out)
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert all(len(table.frame) for table in found.tables)
    assert all(line in page for line in found.left_out)
    absent = {
        "only titles": ["function: the leads have no such column", "No label combinations", "no tokenizer was given"],
        "one record": ["No growth", "No inconsistent titles"],
        "no labels": ["No figures on function: every label is missing", "No label combinations"],
        "no titles": ["every title is missing", "No growth"],
        "no words": ["no title holds a letter or a digit", "No growth"],
        "one label": ["No inconsistent titles"],
        "other scripts": ["no tokenizer was given"],
    }
    for phrase in absent[name]:
        assert any(phrase in line for line in found.left_out), phrase


def test_labels_of_a_plot_keep_what_can_be_drawn_and_name_the_row_of_the_rest():
    with house_style():
        assert readable(["R$D$", "🚀  Growth 🚀🚀", "a\n b"]) == ["R$D$", "no. 2: […] Growth […]", "a b"]
        assert readable(["\U0010fffd"], first=7) == ["no. 7: […]"]
        cut = readable(["W" * 80, "i" * 80])
    assert cut[0].endswith("…")
    assert cut[1] == "i" * 80


def test_hostile_text_stays_text(tmp_path):
    tables = profile_leads(HARD["other scripts"], TARGETS).tables
    write_tables(tables, tmp_path)
    write_page(tmp_path / "page.html", tables, [], [])
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    markdown = (tmp_path / "titles.md").read_text(encoding="utf-8")
    assert r"<b>\|_x many lines" in markdown
    assert "情報システム部長" in markdown


def test_plots_are_the_same_bytes_again_and_leave_the_settings_of_matplotlib_alone(tmp_path):
    before = dict(mpl.rcParams)
    tables = [table for table in profile_leads(HARD["one label"], TARGETS).tables if table.name in ("missing", "zipf")]
    for name in ("first", "second"):
        assert len(write_plots(tables, tmp_path / name, silent)) == 2
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes(), path.name
    assert dict(mpl.rcParams) == before


def test_the_words_named_on_the_zipf_plot_stand_within_its_axes(tmp_path, monkeypatch):
    pairs = [" ".join(pair) for pair in itertools.permutations(("chief", "night", "ward", "nurse"), 2)]
    # The tenth word has fewer records than the tenth title, so that its name stands below the lines.
    rare = " ".join(f"only{letter}" for letter in "abcdefgh")
    leads = make_leads(title=[*pairs, rare], count=[2] * len(pairs) + [1])
    tables = [table for table in profile_leads(leads, ()).tables if table.name == "zipf"]
    drawn = []
    monkeypatch.setattr(plots, "save", lambda figure, path: drawn.append(figure))
    write_plots(tables, tmp_path, silent)
    figure = drawn[0]
    figure.draw_without_rendering()
    axes = figure.axes[0]
    within, named = axes.get_window_extent(), [text.get_window_extent() for text in axes.texts]
    assert len(named) == 2
    lowest = min(box.y0 for box in named)
    assert lowest < axes.transData.transform((1, 1))[1], "no name stands below the lines"
    for box in named:
        assert within.x0 <= box.x0
        assert box.x1 <= within.x1
        assert within.y0 <= box.y0
        assert box.y1 <= within.y1


@pytest.mark.parametrize("n_rows", [15, 40, 41, 101])
def test_long_tables_are_cut_for_reading_and_whole_as_csv(n_rows, tmp_path):
    table = Table("long", "Long", "Note.", pl.DataFrame({"row": [f"row{row};" for row in range(n_rows)]}))
    write_tables([table], tmp_path)
    write_page(tmp_path / "page.html", [table], [], [])
    page, markdown = (tmp_path / "page.html").read_text(), (tmp_path / "long.md").read_text()
    assert page.count(";</td>") == (n_rows if n_rows <= 40 else 15)
    assert ("more rows in" in page) == (n_rows > 40)
    assert markdown.count(";") == min(n_rows, 100)
    assert ("1 more rows in long.csv" in markdown) == (n_rows == 101)
    assert len((tmp_path / "long.csv").read_text().splitlines()) == n_rows + 1


def test_no_leads_and_a_target_named_like_a_column_are_refused():
    with pytest.raises(BadInput, match="no leads to profile"):
        profile_leads(LEADS.clear(), TARGETS)
    with pytest.raises(BadInput, match="Targets cannot be called share"):
        profile_leads(LEADS, ("share",))
