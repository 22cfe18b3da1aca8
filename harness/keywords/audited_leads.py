"""Leads for an audit: distinct titles with their records, and the labels to hold a keyword table against."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from data_cleaning.consensus import consensus
from data_cleaning.errors import BadInput
from data_cleaning.grouping import group_labels
from data_cleaning.lead_columns import LeadColumns
from data_cleaning.leads import open_leads, read_labelled
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.words import normalise_titles


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """What a config says about keyword tables and leads."""

    taxonomy: Path
    """File of the taxonomy."""
    columns: LeadColumns
    """Of the leads and of the labelled files."""
    encoding: str | None
    """Of CSV files."""
    labelled: Mapping[str, Path]
    """Name of a reference to its labelled file."""


@dataclass(frozen=True, kw_only=True)
class AuditedLeads:
    """The titles of a file, normalised."""

    titles: pl.DataFrame
    """Distinct `title` and `count`, its records, in order of the titles."""
    labels: pl.DataFrame | None
    """Distinct rows of `title`, the class of each target that the file has (null for none) and `count`; None where it
    has no labels."""
    n_blank: int
    """Records without a title, which are left out."""


def read_audited_leads(
    path: Path, settings: TableSettings, taxonomy: Taxonomy, title_column: str | None, announce: Callable[[str], None]
) -> AuditedLeads:
    """Read leads of which only the title is required.

    Args:
        path: CSV, gzipped CSV, Parquet or XLSX.
        settings: name the columns and the encoding.
        taxonomy: names the targets that there can be, and groups their labels.
        title_column: name of the title's column, where it is not the configured one.
        announce: told which columns were found, and how many records have no title.

    Raises:
        BadInput: the file cannot be read, has no column of titles or no title in it, or a label that is in no class.
    """
    leads = open_leads(path, settings.columns, settings.encoding, taxonomy, title_column, announce).leads
    targets = [name for name in taxonomy.names if name in leads.columns]
    # Rows of equal cells are merged before anything is done to their texts.
    merged = leads.group_by("title", *targets).agg(pl.col("count").sum(), pl.col("record").first())
    labels = [pl.col(name).str.strip_chars().replace("", None) for name in targets]
    merged = merged.with_columns(normalise_titles(merged["title"]).replace("", None), *labels)
    blank = merged.filter(pl.col("title").is_null())
    n_blank = int(blank["count"].sum())
    if n_blank:
        announce(f"Left out: {n_blank:,} record{'' if n_blank == 1 else 's'} without a title.")
    merged = merged.filter(pl.col("title").is_not_null())
    if merged.is_empty():
        raise BadInput(f"{path} has no title in any row; check the column that is read as the title.")
    grouped, _ = group_labels(merged, taxonomy, targets)
    rows = grouped.group_by("title", *targets).agg(pl.col("count").sum()).sort("title", *targets)
    titles = rows.group_by("title", maintain_order=True).agg(pl.col("count").sum())
    labelled = (
        rows.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in targets)) if targets else rows.clear()
    )
    return AuditedLeads(titles=titles, labels=labelled if len(labelled) else None, n_blank=n_blank)


def references_for(
    leads: AuditedLeads, settings: TableSettings, taxonomy: Taxonomy, announce: Callable[[str], None]
) -> dict[str, pl.DataFrame]:
    """Gather the references that a table can be held against.

    These are the leads' own labels (legacy), their majority per title (consensus), and the titles of the labelled files
    (truth and reviewed), each of which counts as often as it occurs in the leads.

    Returns:
        Name to rows of `title`, a class per target and `count`.

    Raises:
        BadInput: a labelled file is faulty.
    """
    references = {}
    if leads.labels is not None:
        references["legacy"] = leads.labels
        targets = [name for name in taxonomy.names if name in leads.labels.columns]
        references["consensus"] = consensus(leads.labels.drop_nulls(targets), targets)[0]
    for name, path in settings.labelled.items():
        known = read_labelled(path, settings.columns, taxonomy, settings.encoding)
        references[name] = known.join(leads.titles, on="title", how="inner")
        both = f"{len(references[name]):,} of its {len(known):,} titles are in the leads"
        announce(f"{name.capitalize()} from {path.name}: {both}.")
    return {name: rows for name, rows in references.items() if len(rows)}
