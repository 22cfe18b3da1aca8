"""The exploratory figures of a leads file: counts, shares, words, lengths, missing values, growth, inconsistency."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from data_cleaning.profile.measures import gather
from data_cleaning.profile.plots import write_plots
from data_cleaning.profile.profile_tables import (
    TokenCounter,
    combination_tables,
    growth_tables,
    label_tables,
    length_tables,
    missing_table,
    title_tables,
)
from data_cleaning.progress import Progress, silent
from data_cleaning.report_table import Table
from data_cleaning.taxonomy import Taxonomy

__all__ = ["Profile", "profile_leads", "write_plots"]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Everything a reader who never saw the leads is shown."""

    tables: tuple[Table, ...]
    """In reading order, "figures" first; a table that would be empty is not there."""
    left_out: tuple[str, ...]
    """What the profile lacks, and why."""


def profile_leads(
    leads: pl.DataFrame,
    targets: Sequence[str],
    taxonomy: Taxonomy | None = None,
    count_tokens: TokenCounter | None = None,
    progress: Progress = silent,
) -> Profile:
    """Make the exploratory tables of a leads file; every figure weighs a row by its `count`.

    Args:
        leads: as `leads.read_leads` returns them; targets, `country` and `date` where the file has them.
        targets: names of the label columns; those that the leads lack are left out, and the profile says so.
        taxonomy: groups the raw labels; a label that is in no class of it is shown as such and stops nothing.
        count_tokens: a tokenizer, titles to the tokens of each; without one there are no figures on tokens.
        progress: called after each step, and while tokens are counted.

    Raises:
        BadInput: there are no leads.
    """
    material = gather(leads, targets, taxonomy)
    material.add("records", material.n_records)
    # Each step is a generator, so that its work is done, and its figures are added, in its turn.
    steps = (
        missing_table(material),
        label_tables(material),
        combination_tables(material),
        title_tables(material),
        length_tables(material, count_tokens, progress),
        growth_tables(material),
    )
    tables: list[Table] = []
    for done, step in enumerate(steps, start=1):
        tables += step
        progress("Profile leads", done, len(steps), "steps")
    schema = {"figure": pl.String, "number": pl.Int64, "share": pl.Float64, "share_of": pl.String}
    note = "Where a figure is a part of something, its share of that is beside it."
    figures: Table = Table("figures", "Figures at a glance", note, pl.DataFrame(material.figures, schema=schema))
    worded = tuple(replace(table, wording="shares") for table in (figures, *tables))
    return Profile(tables=worded, left_out=tuple(material.left_out))
