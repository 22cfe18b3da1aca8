"""What all plots share: size, colours that colour-blind readers can distinguish, text that any font can show, files."""

import itertools
import math
import re
from bisect import bisect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from data_cleaning.report_table import cut, percent

BLUE, ORANGE, GREEN, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"
"""Of the palette of Okabe and Ito 2008, "Color universal design"."""

GREY = "#8a94a3"
INK = "#1c2430"

_WIDTH_INCHES = 9.0
_DOTS_PER_INCH = 120
_FONT_POINTS = 10.5
_LABEL_POINTS = 250
_MISSING_GLYPHS = "[…]"

_FONTS = (
    *("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans SC", "Noto Sans JP", "WenQuanYi Zen Hei"),
    *("IPAGothic", "Hiragino Sans", "Yu Gothic", "Microsoft YaHei", "Malgun Gothic", "Arial Unicode MS", "Noto Emoji"),
)
"""Fonts to draw with, the first that has a character; all but the first are used where they are installed."""


@contextmanager
def plot_style() -> Iterator[None]:
    """Draw with the fonts and colours of all plots, and restore the settings of the process."""
    settings: dict[Any, Any] = {  # matplotlib types the keys as a literal of all settings
        # A dollar sign in a label is a dollar sign.
        "text.parse_math": False,
        "font.family": list(_fonts()),
        "font.size": _FONT_POINTS,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "grid.color": "#d7dce3",
        "svg.hashsalt": "profile",
    }
    with mpl.rc_context(settings):
        yield


def new_figure(title: str, height_inches: float) -> tuple[Figure, Axes]:
    """Return a figure with one pair of axes under a title."""
    figure = Figure(figsize=(_WIDTH_INCHES, height_inches), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
    axes = figure.add_subplot()
    # Over the whole figure: long labels move the axes to the right, and a title over those would be cut.
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold")
    return figure, axes


def save(figure: Figure, path: Path) -> None:
    """Write `path`.png and `path`.svg, the same bytes for the same plot."""
    name = path.name
    # Laid out once for both files; it is half the work.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    figure.savefig(path.with_name(f"{name}.png"), dpi=_DOTS_PER_INCH, metadata={"Software": None})
    figure.savefig(path.with_name(f"{name}.svg"), metadata={"Date": None, "Creator": None})


def horizontal_bars(
    axes: Axes, labels: Sequence[str], shares: Sequence[float], records: Sequence[int], colours: Sequence[str]
) -> None:
    """Draw one bar per label of `readable`, the first on top, with its share, in [0, 1], and records behind it."""
    places = range(len(labels))
    axes.barh(places, shares, color=colours, height=0.72)
    for place, share, n_records in zip(places, shares, records, strict=True):
        axes.text(share, place, f"  {percent(share)}  ({n_records:,})", va="center", fontsize=9.5)
    set_rows(axes, labels)
    # Room for the text behind the longest bar.
    largest = max(shares) or 1
    axes.set_xticks([tick for tick in MaxNLocator(7, steps=[1, 2, 2.5, 5, 10]).tick_values(0, largest) if tick <= 1])
    axes.set_xlim(0, largest * 1.4)
    percent_axis(axes.xaxis)
    axes.grid(axis="x")


def set_rows(axes: Axes, labels: Sequence[str]) -> None:
    """Name the rows of a horizontal plot, the first on top."""
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(labels) - 0.4, -0.6)


def legend_below(figure: Figure, n_columns: int, handles: Sequence[Artist] | None = None) -> None:
    """Explain the handles, or every line that has a label, under the finished plot, where it hides nothing."""
    drawn = figure.axes[0].get_legend_handles_labels()[0] if handles is None else handles
    figure.legend(handles=drawn, loc="outside lower left", ncols=n_columns, frameon=False)


def logarithmic(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    """Make both axes logarithmic, with plain numbers on them.

    Each axis runs between the powers of ten around its smallest and largest value, both at least 1.
    """
    axes.set(xscale="log", yscale="log", xlim=_powers_of_ten(*x), ylim=_powers_of_ten(*y))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True)


def percent_axis(axis: Axis) -> None:
    """Set the ticks of an axis of shares in per cent, with as many digits as they need."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(value * 100, 6):g}%"))


def _powers_of_ten(smallest: float, largest: float) -> tuple[float, float]:
    """Return the ends of an axis, a little outside at least one whole power of ten."""
    low = math.floor(math.log10(smallest))
    return 10**low * 0.8, 10 ** max(low + 1, math.ceil(math.log10(largest))) * 1.25


def readable(labels: Sequence[str], first: int = 1) -> list[str]:
    """Return labels that the fonts can draw and that fit beside a plot.

    Characters that no installed font has become "[…]"; such a label gets its number in the table in front, counted from
    `first`, so that a reader can look up what it says.
    """
    shown = []
    for number, label in enumerate(labels, start=first):
        label = " ".join(label.split())
        marked = "".join(character if _advance(character) is not None else "\0" for character in label)
        drawn = re.sub(r"\0+(?:\s+\0+)*", _MISSING_GLYPHS, marked)
        shown.append(_cut_to_fit(drawn if drawn == label else f"no. {number}: {drawn}"))
    return shown


def note_missing_glyphs(axes: Axes, labels: Sequence[str]) -> None:
    """Explain the placeholder of `readable` under the horizontal axis, where a label has it."""
    if any(_MISSING_GLYPHS in label for label in labels):
        note = f"{_MISSING_GLYPHS} stands for characters that no installed\nfont has; see that row of the table"
        axes.set_xlabel(f"{axes.get_xlabel()}\n{note}")


def _cut_to_fit(label: str) -> str:
    """Shorten a label to the width that leaves room for the plot; letters differ threefold in theirs."""
    widths = [_advance(character) or 0.0 for character in label]
    reached = list(itertools.accumulate(widths))
    return label if not label or reached[-1] <= _LABEL_POINTS else cut(label, bisect(reached, _LABEL_POINTS))


@cache
def _fonts() -> tuple[str, ...]:
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return tuple(name for name in _FONTS if name in installed)


@cache
def _advance(character: str) -> float | None:
    """Return the width of a character in points; None where no font has it."""
    for font in _opened():
        if font.get_char_index(ord(character)):
            return float(font.load_char(ord(character)).linearHoriAdvance) / 65536
    return None


@cache
def _opened() -> tuple[FT2Font, ...]:
    fonts = tuple(FT2Font(font_manager.findfont(name)) for name in _fonts())
    for font in fonts:
        font.set_size(_FONT_POINTS, 72)
    return fonts
