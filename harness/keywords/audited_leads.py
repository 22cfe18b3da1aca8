"""Somebody's leads as an audit takes them: distinct titles with their records, and what they are labelled."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from data_cleaning.consensus import consensus
from data_cleaning.errors import BadInput
from data_cleaning.grouping import group_labels
from data_cleaning.leads import read_labelled
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.words import normalise_titles
from harness.data.lead_files import open_leads
from harness.experiment.config import RunConfig


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
    path: Path, config: RunConfig, taxonomy: Taxonomy, title_column: str | None, announce: Callable[[str], None]
) -> AuditedLeads:
    """Read leads of which only the title is required.

    Args:
        path: CSV, gzipped CSV, Parquet or XLSX.
        config: names the columns and the encoding.
        taxonomy: names the targets that there can be, and groups their labels.
        title_column: name of the title's column, where it is not the configured one.
        announce: told which columns were found, and how many records have no title.

    Raises:
        BadInput: the file cannot be read, has no column of titles or no title in it, or a label that is in no class.
    """
    leads = open_leads(path, config, taxonomy, title_column, announce).leads
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
    leads: AuditedLeads, config: RunConfig, taxonomy: Taxonomy, announce: Callable[[str], None]
) -> dict[str, pl.DataFrame]:
    """Gather what a table can be held against.

    That is the leads' own labels (legacy), their majority per title (consensus), and the titles of the config's
    labelled files (truth and reviewed), each weighing as many records as the leads have of it.

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
    labelled = {"truth": config.truth, "reviewed": config.reviewed.path if config.reviewed else None}
    for name, path in labelled.items():
        if path is not None:
            known = read_labelled(path, config.leads.columns, taxonomy, config.leads.encoding)
            references[name] = known.join(leads.titles, on="title", how="inner")
            both = f"{len(references[name]):,} of its {len(known):,} titles are in the leads"
            announce(f"{name.capitalize()} from {path.name}: {both}.")
    return {name: rows for name, rows in references.items() if len(rows)}
