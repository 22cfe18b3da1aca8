"""Stages `leads`, `clean` and `split`: from a file or the simulation to train, validation and test."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from baselines.keyword_table import KeywordTable
from data_cleaning.clean import CleanSettings, clean_leads, equal_rows
from data_cleaning.errors import BadInput
from data_cleaning.files.table_layout import Layout
from data_cleaning.files.table_reader import TableFile
from data_cleaning.files.written_tables import write_rejects, write_table
from data_cleaning.leads import LeadColumns, read_counted_titles, read_labelled, read_leads
from data_cleaning.ledger import with_unread_rows
from data_cleaning.progress import Progress
from data_cleaning.simulate import Revision, SimulatedLeads, simulate_leads
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.text_repair import repaired
from data_cleaning.words import normalise_titles
from harness.experiment.config import LeadsSection, SimulatedReviewSection, SimulateSection
from harness.experiment.splits import ToReview, split_hash, split_rows
from harness.experiment.stages import (
    CLEAN,
    CLEAN_TEST,
    LEADS,
    LEADS_NOTES,
    LEARN,
    LEDGER,
    REJECTS,
    ROWS,
    SPLIT_FACTS,
    TEST,
    TEST_LEADS,
    TEST_ROWS,
    TRUTH,
    Folders,
)


@dataclass(frozen=True, kw_only=True)
class ObtainSettings:
    """Where the leads come from."""

    leads: LeadsSection
    taxonomy: Taxonomy = field(repr=False)
    seed: int | None
    """Of the simulation; None where leads are read."""
    table: Path | None = None
    """The keyword table that labels the leads; None where they have labels."""


@dataclass(frozen=True, kw_only=True)
class CleaningSettings:
    """How leads are cleaned."""

    clean: CleanSettings
    taxonomy: Taxonomy = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class LabelledFile:
    """A file of titles that a person labelled, read as the leads are."""

    path: Path
    columns: LeadColumns
    encoding: str

    def read(self, taxonomy: Taxonomy) -> pl.DataFrame:
        """Return `title` and a label per target."""
        return read_labelled(self.path, self.columns, taxonomy, self.encoding)


@dataclass(frozen=True, kw_only=True)
class SplitSettings:
    """How rows are divided, and which of them a person labelled."""

    by: str
    shares: tuple[float, float]
    seed: int
    taxonomy: Taxonomy = field(repr=False)
    truth: LabelledFile | None
    reviewed: LabelledFile | None
    to_review: SimulatedReviewSection | None


def obtain_leads(settings: ObtainSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Write the leads, read from the config's file; or simulate them, their truth in a file that no fit gets."""
    section = settings.leads
    if section.simulate is None:
        assert section.path is not None, "the config is checked to name one origin"
        notes: list[str] = []
        files = ((LEADS, section.path, section.layout), (TEST_LEADS, section.test_path, Layout()))
        for name, path, layout in files:
            if path is not None:
                _read(settings, path, layout, notes.append, out / REJECTS[name]).write_parquet(out / name)
        (out / LEADS_NOTES).write_text(json.dumps(notes))
        return
    assert settings.seed is not None, "a simulation has a seed"
    simulated = simulate(section.simulate, settings.seed, settings.taxonomy, on_progress)
    written = out / "simulated.parquet"
    simulated.leads.write_parquet(written)
    # Simulated leads are read like any file, column mapping and checks included.
    read_leads(written, section.columns).write_parquet(out / LEADS)
    simulated.truth.write_parquet(out / TRUTH)


def _read(
    settings: ObtainSettings, path: Path, layout: Layout, announce: Callable[[str], None], rejects: Path
) -> pl.DataFrame:
    """Read leads with their labels or, where the keyword table labels them, with the raw label of each row that won."""

    def set_aside(table: TableFile) -> None:
        write_rejects(rejects, table.rejects, table.unit)

    section = settings.leads
    columns = section.columns if settings.table is None else replace(section.columns, targets={})
    leads = read_leads(path, columns, section.encoding, layout, set_aside, announce)
    if settings.table is None:
        return leads
    table = KeywordTable.read(settings.table, settings.taxonomy)
    titles = leads["title"].drop_nulls().unique()
    # The table labels the spelling that cleaning gives a title, which is the one that systems answer for.
    labels = table.raw_labels(normalise_titles(repaired(titles)).to_list())
    return leads.join(pl.DataFrame({"title": titles, **labels}), on="title", how="left", maintain_order="left")


def read_truth(leads_folder: Path, taxonomy: Taxonomy) -> pl.DataFrame | None:
    """Return `title`, as cleaning spells it, and its true label per target; None where they are not known."""
    written = leads_folder / TRUTH
    if not written.exists() or set(taxonomy.names) - set(pl.read_parquet_schema(written)):
        return None
    known = pl.read_parquet(written).select("title", *taxonomy.names).drop_nulls("title")
    spelled = known.with_columns(normalise_titles(known["title"]).alias("title"))
    return spelled.unique("title", keep="first", maintain_order=True)


def simulate(settings: SimulateSection, seed: int, taxonomy: Taxonomy, on_progress: Progress) -> SimulatedLeads:
    """Make leads by the tagging history of a config, from the title grammar or from the config's list of titles.

    Raises:
        BadInput: a table or the list of titles is at fault, or they do not fit the taxonomy.
    """
    return simulate_leads(
        n_records=settings.records,
        seed=seed,
        taxonomy=taxonomy,
        revisions=[
            Revision(
                name=revision.table.stem,
                in_force_from=revision.in_force_from,
                tagger=table.raw_labels,
                contenders=table.contenders,
            )
            for revision in settings.revisions
            for table in [KeywordTable.read(revision.table, taxonomy)]
        ],
        settings=settings.history,
        titles=None if settings.titles is None else read_counted_titles(settings.titles).to_pandas(),
        progress=on_progress,
    )


def clean(settings: CleaningSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Clean the leads and, where there is one, the test file by itself; write the ledger and what was set aside."""
    ledgers, names = [], settings.taxonomy.names
    files = ((LEADS, CLEAN, ROWS, "leads"), (TEST_LEADS, CLEAN_TEST, TEST_ROWS, "test file"))
    for source, target, rows, name in files:
        if (inputs["leads"] / source).exists():
            leads = pl.read_parquet(inputs["leads"] / source)
            cleaned = clean_leads(leads, settings.taxonomy, settings.clean, on_progress)
            rejects = inputs["leads"] / REJECTS[source]
            n_rejects = len(pl.read_csv(rejects, infer_schema=False)) if rejects.exists() else 0
            cleaned.kept.write_parquet(out / target)
            equal_rows(cleaned.kept, names).write_parquet(out / rows)
            write_table(cleaned.quarantined, out / f"quarantine_{name.replace(' ', '_')}.csv")
            ledger = with_unread_rows(cleaned.ledger, n_rejects)
            ledgers.append(ledger.select(pl.lit(name).alias("file"), pl.all()))
    pl.concat(ledgers).write_parquet(out / LEDGER)


def split(settings: SplitSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Write what may be learned from, what is scored, and how much of each part there is.

    Raises:
        BadInput: the train or the test part has no leads, or a part has fewer titles than are to be reviewed.
    """
    taxonomy, by = settings.taxonomy, settings.by
    to_review = None
    if settings.to_review is not None:
        labels = read_truth(inputs["leads"], taxonomy)
        assert labels is not None, "the config is checked to simulate leads whose truth is known"
        to_review = ToReview(n_titles=dict(settings.to_review), labels=labels)
    test_file = inputs["clean"] / TEST_ROWS
    divided = split_rows(
        pl.read_parquet(inputs["clean"] / ROWS),
        by=by,
        shares=settings.shares,
        seed=settings.seed,
        test_rows=pl.read_parquet(test_file) if test_file.exists() else None,
        reviewed=settings.reviewed.read(taxonomy) if settings.reviewed else None,
        to_review=to_review,
        truth_titles=settings.truth.read(taxonomy)["title"].to_list() if settings.truth else (),
    )
    in_test = pl.col("part") == "test"
    divided.filter(in_test).write_parquet(out / TEST)
    divided.filter(~in_test).write_parquet(out / LEARN)
    for part, remedy in (("test", "a larger split.test_share"), ("train", "smaller shares for validation and test")):
        if not ((divided["part"] == part) & (divided["source"] == "legacy")).any():
            raise BadInput(
                f"Split by {by}, no lead is in the {part} part, of {divided['title'].n_unique():,} titles in all. "
                f"Give more leads, or {remedy}."
            )
    counted = divided.group_by("part", "source").agg(
        pl.col("title").n_unique().alias("titles"), pl.len().alias("rows"), pl.col("count").sum().alias("records")
    )
    facts = {"by": by, "hash": split_hash(divided), "parts": counted.sort("source", "part").to_dicts()}
    (out / SPLIT_FACTS).write_text(json.dumps(facts))
