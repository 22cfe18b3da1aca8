"""The exploratory figures of a leads file: counts, shares, words, lengths, missing values, growth, inconsistency."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from data_cleaning.profile.label_tables import combination_tables, label_tables, missing_table
from data_cleaning.profile.material import gather
from data_cleaning.profile.measures import HeapsFit, fit_heaps, growth_curve, missing_shares, share_table
from data_cleaning.profile.plots import write_plots
from data_cleaning.profile.profile_page import Table, write_page, write_tables
from data_cleaning.profile.title_tables import TokenCounter, growth_tables, length_tables, title_tables
from data_cleaning.progress import Progress, silent
from data_cleaning.taxonomy import Taxonomy

__all__ = [
    "PAGE",
    "HeapsFit",
    "Profile",
    "Table",
    "fit_heaps",
    "growth_curve",
    "missing_shares",
    "profile_leads",
    "share_table",
    "write_profile",
]

PAGE = "profile.html"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Everything a reader who never saw the leads is shown."""

    tables: tuple[Table, ...]
    """In reading order, "figures" first; a table that would be empty is not there."""
    left_out: tuple[str, ...]
    """What the profile lacks, and why."""

    def __getitem__(self, name: str) -> pl.DataFrame:
        """Return the figures of the table called `name`; KeyError where the profile has none."""
        for table in self.tables:
            if table.name == name:
                return table.frame
        raise KeyError(name)


def profile_leads(
    leads: pl.DataFrame,
    targets: Sequence[str],
    taxonomy: Taxonomy | None = None,
    count_tokens: TokenCounter | None = None,
    progress: Progress = silent,
) -> Profile:
    """Make the exploratory tables of a leads file; every figure weighs a row by its `count`.

    Args:
        leads: as `leads.read_leads` returns them: `title`, `count` and, where the file has them, the targets,
            `country` and `date`.
        targets: names of the label columns; those that the leads lack are left out, and the profile says so.
        taxonomy: groups the raw labels; a label that is in no class of it is shown as such and stops nothing.
        count_tokens: a tokenizer, titles to the tokens of each; without one there are no figures on tokens.
        progress: told how far the steps and the tokens are.

    Raises:
        BadInput: there are no leads, or a target is called as a column of the tables is.
    """
    material = gather(leads, targets, taxonomy)
    material.add("records", material.n_records)
    steps = (
        lambda: missing_table(material),
        lambda: label_tables(material),
        lambda: combination_tables(material),
        lambda: title_tables(material),
        lambda: length_tables(material, count_tokens, progress),
        lambda: growth_tables(material),
    )
    tables: list[Table] = []
    for done, step in enumerate(steps, start=1):
        tables += step()
        progress("Profile leads", done, len(steps), "steps")
    schema = {"figure": pl.String, "number": pl.Int64, "share": pl.Float64, "share_of": pl.String}
    figures = Table(
        "figures",
        "Figures at a glance",
        "Where a figure is a part of something, its share of that is beside it.",
        pl.DataFrame(material.figures, schema=schema),
    )
    return Profile(tables=(figures, *tables), left_out=tuple(material.left_out))


def write_profile(profile: Profile, folder: Path, progress: Progress = silent) -> Path:
    """Write the tables, the plots, and one page that shows both.

    Args:
        profile: as `profile_leads` returns it.
        folder: made where there is none; `tables/` and `plots/` lie in it beside the page.
        progress: told after each plot.

    Returns:
        The page, an HTML file for a browser.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_tables(profile.tables, folder / "tables")
    plots = write_plots(profile.tables, folder / "plots", progress)
    write_page(folder / PAGE, profile.tables, plots, profile.left_out)
    return folder / PAGE
