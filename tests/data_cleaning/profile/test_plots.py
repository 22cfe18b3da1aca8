import itertools

import matplotlib as mpl

from data_cleaning.profile import plots, profile_leads
from data_cleaning.profile.plots import write_plots
from data_cleaning.progress import silent
from tests.data_cleaning.profile.toy_leads import HARD, TARGETS, make_leads


def test_plots_are_reproducible_and_keep_the_settings_of_matplotlib(tmp_path):
    before = dict(mpl.rcParams)
    tables = [table for table in profile_leads(HARD["one label"], TARGETS).tables if table.name in ("missing", "zipf")]
    for name in ("first", "second"):
        assert len(write_plots(tables, tmp_path / name, silent)) == 2
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes(), path.name
    assert dict(mpl.rcParams) == before


def test_the_words_named_on_the_zipf_plot_are_within_its_axes(tmp_path, monkeypatch):
    pairs = [" ".join(pair) for pair in itertools.permutations(("chief", "night", "ward", "nurse"), 2)]
    # The tenth word has fewer records than the tenth title, so that its name is below the lines.
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
    assert lowest < axes.transData.transform((1, 1))[1], "no name is below the lines"
    for box in named:
        assert within.x0 <= box.x0
        assert box.x1 <= within.x1
        assert within.y0 <= box.y0
        assert box.y1 <= within.y1
