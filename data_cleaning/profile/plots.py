"""The exploratory plots, each drawn from one of the tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter

from data_cleaning.profile.drawing import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    horizontal_bars,
    legend_below,
    logarithmic,
    new_figure,
    note_missing_glyphs,
    percent_axis,
    plot_style,
    readable,
    save,
    set_rows,
)
from data_cleaning.profile.profile_tables import AT_LEAST_ONE, MAX_TOKENS
from data_cleaning.progress import Progress
from data_cleaning.report_table import Table, percent

_MAX_BARS = 15
_INCHES_PER_BAR = 0.31
_MAX_LENGTHS = 40
_LINES = ((BLUE, "-", "o"), (ORANGE, "--", "s"), (GREEN, "-.", "^"), (PURPLE, ":", "D"), (SKY, "-", "v"))
"""Colour, stroke and marker, so that lines differ without colour as well."""


@dataclass(frozen=True)
class PlotFile:
    """A plot, written as `name`.png and `name`.svg."""

    name: str
    title: str
    table: str
    """Name of the table that it draws."""


def write_plots(tables: Sequence[Table], folder: Path, progress: Progress) -> list[PlotFile]:
    """Draw every plot that the tables of a profile have the figures for, as `.png` and `.svg`, in their order."""
    folder.mkdir(parents=True, exist_ok=True)
    by_name = {table.name: table for table in tables}
    wanted = [(table, draw) for table in tables if (draw := _drawer(table.name)) is not None]
    drawn = []
    with plot_style():
        for done, (table, draw) in enumerate(wanted, start=1):
            title, figure = draw(table, by_name)
            save(figure, folder / table.name)
            drawn.append(PlotFile(table.name, title, table.name))
            progress("Draw plots", done, len(wanted), "plots")
    return drawn


_Draw = Callable[[Table, Mapping[str, Table]], tuple[str, Figure]]


def _drawer(name: str) -> _Draw | None:
    if name.startswith(("shares_", "grouped_", "countries", "combinations")):
        return _labels
    if name.startswith("lengths_"):
        return _lengths
    return {
        "missing": _missing,
        "cumulative_shares": _cumulative,
        "inconsistent_titles": _inconsistent,
        "words": _words,
        "zipf": _zipf,
        "growth": _growth,
    }.get(name)


def _bars(
    title: str, labels: Sequence[str], rows: pl.DataFrame, colours: Sequence[str], whole: str, counted: str
) -> tuple[str, Figure]:
    """Draw one horizontal bar per row, with its share of the whole and, in brackets, the records that are counted."""
    figure, axes = new_figure(title, 1.5 + _INCHES_PER_BAR * len(labels))
    horizontal_bars(axes, labels, rows["share"].to_list(), rows["records"].to_list(), colours)
    axes.set_xlabel(f"share of {whole}\n(in brackets: {counted})")
    note_missing_glyphs(axes, labels)
    return title, figure


def _missing(table: Table, _: Mapping[str, Table]) -> tuple[str, Figure]:
    columns = table.frame["column"].to_list()
    colours = [ORANGE if AT_LEAST_ONE in name else BLUE for name in columns]
    title = "How many records lack a value"
    return _bars(title, readable(columns), table.frame, colours, table.whole, "number of records")


def _labels(table: Table, _: Mapping[str, Table]) -> tuple[str, Figure]:
    """Draw the most common labels or combinations of labels, and all others as one bar."""
    frame = table.frame
    names = [name for name in frame.columns if name not in ("class", "records", "share", "cumulative_share")]
    top, rest = frame.head(_MAX_BARS), frame.slice(_MAX_BARS)
    labels = readable([" / ".join(row) for row in top.select(names).iter_rows()])
    rows, colours = top.select("share", "records"), [BLUE] * len(top)
    if len(rest):
        labels.append(f"{len(rest):,} others together")
        rows = pl.concat([rows, rest.select(pl.col("share", "records").sum())])
        colours.append(GREY)
    return _bars(table.title, labels, rows, colours, table.whole, "number of records")


def _words(table: Table, _: Mapping[str, Table]) -> tuple[str, Figure]:
    top = table.frame.head(_MAX_BARS)
    labels = readable(top["word"].to_list())
    return _bars(table.title, labels, top, [BLUE] * len(top), table.whole, "records whose title holds the word")


def _cumulative(table: Table, _: Mapping[str, Table]) -> tuple[str, Figure]:
    title = "How many labels cover how many records"
    figure, axes = new_figure(title, 4.6)
    ranks = table.frame["labels"].to_numpy()
    for position, column in enumerate(table.frame.columns[1:]):
        colour, stroke, marker = _LINES[position % len(_LINES)]
        shares = table.frame[column].drop_nulls().to_numpy()
        name = readable([column.removesuffix(" share")], position + 1)[0]
        axes.plot(ranks[: len(shares)], shares, stroke, color=colour, marker=marker, markersize=4, label=name)
    axes.set_xscale("log")
    axes.set_xlim(0.9, max(10, int(ranks[-1])) * 1.15)
    ticks = [step * 10**power for power in range(5) for step in (1, 2, 5)]
    ticks = [tick for tick in ticks if tick <= max(10, int(ranks[-1]))]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(0, 1.03)
    percent_axis(axes.yaxis)
    axes.grid(visible=True)
    axes.set_xlabel("number of labels, the most common first (logarithmic)")
    axes.set_ylabel("share of the records that have a label")
    legend_below(figure, 5)
    return title, figure


def _inconsistent(table: Table, by_name: Mapping[str, Table]) -> tuple[str, Figure]:
    """Draw how the records of the most inconsistent titles are shared between combinations of labels."""
    title = "How the most inconsistent titles were labelled"
    top = table.frame.head(_MAX_BARS)
    labels = readable(top["title"].to_list())
    figure, axes = new_figure(title, 2.0 + _INCHES_PER_BAR * len(labels))
    combinations = by_name["inconsistent_combinations"].frame.group_by("title", maintain_order=True).agg("records")
    records_of = dict(zip(combinations["title"], combinations["records"], strict=True))
    sizes: list[str] = []
    styles = (("largest combination of labels", BLUE), ("second", ORANGE), ("third", SKY), ("all others", GREY))
    for place, (name, records, n_combinations) in enumerate(top.select("title", "records", "combinations").iter_rows()):
        shares = [n / records for n in records_of[name]]
        widths = [*shares[:3], *[0.0] * (3 - len(shares)), sum(shares[3:])]
        left = 0.0
        for width, (_, colour) in zip(widths, styles, strict=True):
            axes.barh(place, width, left=left, color=colour, height=0.72, edgecolor="white")
            left += width
        sizes.append(f"{records:,} records, {n_combinations:,} combinations")
    set_rows(axes, labels)
    axes.set_xlim(0, 1)
    set_rows(axes.twinx(), sizes)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    percent_axis(axes.xaxis)
    axes.set_xlabel("share of the records of the title")
    legend_below(figure, 4, [Patch(color=colour, label=name) for name, colour in styles])
    note_missing_glyphs(axes, labels)
    return title, figure


def _lengths(table: Table, _: Mapping[str, Table]) -> tuple[str, Figure]:
    """Draw the share of records at each length; the few longest titles are one bar."""
    unit = table.name.removeprefix("lengths_")
    title = f"How long the titles are, in {unit}"
    figure, axes = new_figure(title, 4.2)
    frame = table.frame
    # Nearly all titles are short; one title of 400 words must not push them into a corner.
    usual = int(frame.filter(pl.col("cumulative_share") >= 0.999)["length"][0])
    last = min(max(usual, 5), _MAX_LENGTHS)
    within = frame.filter(pl.col("length") <= last)
    longer = frame.filter(pl.col("length") > last)
    axes.bar(within["length"], within["share"], color=BLUE, width=0.8)
    ticks = list(range(0, last + 1, 1 if last <= 20 else 5))
    names = [str(tick) for tick in ticks]
    if len(longer):
        share = float(longer["share"].sum())
        axes.bar(last + 2, share, color=GREY, width=0.8)
        ticks.append(last + 2)
        names.append(f"more\n({percent(share)})")
    axes.set_xticks(ticks, names)
    axes.set_xlim(-0.6, ticks[-1] + 0.6)
    percent_axis(axes.yaxis)
    axes.grid(axis="y")
    label = f"{unit} in the title"
    if unit == "tokens":
        above = float(frame.filter(pl.col("length") > MAX_TOKENS)["share"].sum())
        longest = frame["length"][-1]
        label += f"\n(above {MAX_TOKENS}: {percent(above)} of the records; the longest title has {longest:,})"
    axes.set_xlabel(label)
    axes.set_ylabel("share of the records with a title")
    return title, figure


def _zipf(table: Table, _: Mapping[str, Table]) -> tuple[str, Figure]:
    title = "How fast words and titles become rare (Zipf plot)"
    figure, axes = new_figure(title, 5.2)
    for name, (colour, stroke, marker) in zip(("word", "title"), _LINES, strict=False):
        known = table.frame.drop_nulls(name)
        style: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 3, "label": f"{name}s"}
        axes.plot(known["rank"], known[f"{name}_records"], stroke, **style)
    words = table.frame.drop_nulls("word")
    most = max(int(words["word_records"][0]), int(table.frame["title_records"][0]))
    logarithmic(axes, (1, table.frame["rank"][-1]), (1, most))
    low, high = axes.get_ylim()
    # Room for the name of a word of one record, which is under its point.
    axes.set_ylim(low * (low / high) ** 0.08, high)
    ranks = words["rank"].to_numpy()
    axes.plot(ranks, words["word_records"][0] / ranks, color=GREY, linewidth=1, label="Zipf's law: records ∝ 1 / rank")
    for decade in range(len(str(ranks[-1]))):
        row = int(np.argmax(ranks >= 10**decade))
        word, records, of_title = words.row(row)[1], words["word_records"][row], words["title_records"][row] or 0
        # Away from the other line.
        shift, side = ((6, 5), "left") if records >= of_title else ((-6, -12), "right")
        style = {"textcoords": "offset points", "ha": side, "fontsize": 9, "color": INK}
        axes.annotate(f"“{readable([word], int(ranks[row]))[0]}”", (ranks[row], records), xytext=shift, **style)
    axes.set_xlabel("rank: 1 is the most common (logarithmic)")
    axes.set_ylabel("records (logarithmic)")
    legend_below(figure, 3)
    return title, figure


def _growth(table: Table, by_name: Mapping[str, Table]) -> tuple[str, Figure]:
    title = "How unique titles and words grow with the number of records"
    figure, axes = new_figure(title, 5.2)
    frame = table.frame
    exponents = dict(by_name["growth_fit"].frame.select("growth_of", "exponent").iter_rows())
    drawn: list[float] = []
    for name, (colour, stroke, marker) in zip(("unique_titles", "unique_words"), _LINES, strict=False):
        worded = name.replace("_", " ")
        axes.plot(frame["records"], frame[name], marker, color=colour, label=f"{worded} in a sample of the records")
        curve = f"Heaps curve of the {worded}, exponent {exponents[worded]:.2f}"
        axes.plot(frame["records"], frame[f"fitted_{name}"], stroke, color=colour, linewidth=1.2, label=curve)
        drawn += [*frame[name], *frame[f"fitted_{name}"]]
    logarithmic(axes, (frame["records"][0], frame["records"][-1]), (max(1, min(drawn)), max(drawn)))
    axes.set_xlabel("records in the sample (logarithmic)")
    axes.set_ylabel("unique titles or words (logarithmic)")
    legend_below(figure, 2)
    return title, figure
