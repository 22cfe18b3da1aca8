"""The folder of a profile: its tables, its plots, and one page that shows both."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from data_cleaning.profile import Profile, write_plots
from data_cleaning.profile.plots import PlotFile
from data_cleaning.progress import Progress, silent
from data_cleaning.report_table import write_tables
from data_cleaning.titles import IntArray
from harness.reporting.pages import PagePlot, table_section, write_page

PAGE = "profile.html"

_MAX_ROWS_ON_PAGE = 15
_MAX_ROWS_WHOLE = 40
"""Rows of a table that the page does not cut."""
_MAX_ROWS_IN_MARKDOWN = 100


def write_profile(profile: Profile, folder: Path, progress: Progress = silent) -> Path:
    """Write `tables/` and `plots/` into a folder, and one HTML page that shows both; return the page."""
    write_tables(profile.tables, folder / "tables", with_latex=False, max_rows=_MAX_ROWS_IN_MARKDOWN)
    write_profile_page(folder / PAGE, profile, write_plots(profile.tables, folder / "plots", progress))
    return folder / PAGE


def write_profile_page(path: Path, profile: Profile, plots: Sequence[PlotFile]) -> None:
    """Write the page, each plot above the table that it draws."""
    sections = []
    for table in profile.tables:
        drawn = [PagePlot(path=f"plots/{plot.name}", title=plot.title) for plot in plots if plot.table == table.name]
        max_rows = _MAX_ROWS_WHOLE if len(table.frame) <= _MAX_ROWS_WHOLE else _MAX_ROWS_ON_PAGE
        sections.append(table_section(table, "tables", max_rows=max_rows, plots=drawn))
    write_page(path, "What is in these leads?", profile.left_out, sections)


def token_counter(encoder: str) -> Callable[[Sequence[str]], IntArray]:
    """Return a function from titles to the tokens of each by the tokenizer of an encoder, the special ones included.

    Raises:
        BadInput: there is no such encoder.
    """
    from neural.encoder import load_encoder  # torch costs seconds that only a profile with tokens should pay

    _, tokenizer = load_encoder(encoder)

    def count(titles: Sequence[str]) -> IntArray:
        encoded = tokenizer(list(titles), add_special_tokens=True, return_attention_mask=False)
        return np.fromiter((len(ids) for ids in encoded["input_ids"]), dtype=np.int64, count=len(titles))

    return count
