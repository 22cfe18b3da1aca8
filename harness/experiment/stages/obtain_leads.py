"""Stages `leads`, `clean` and `split`: from a file or the simulation to train, validation and test."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from baselines.keyword_table import KeywordTable
from data_cleaning.clean import CleanSettings, clean_leads, equal_rows
from data_cleaning.clean_reports import foreign_warning
from data_cleaning.column_names import one_column
from data_cleaning.errors import BadInput, counted, first_few
from data_cleaning.files.frames import frame_columns, read_frame
from data_cleaning.files.sources import FileColumns
from data_cleaning.files.table_layout import Layout
from data_cleaning.files.table_reader import TableFile, as_text, read_table
from data_cleaning.files.written_tables import write_rejects, write_table
from data_cleaning.labelled_files import read_labelled
from data_cleaning.lead_columns import LeadColumns, find_title
from data_cleaning.leads import read_counted_titles, read_leads
from data_cleaning.ledger import with_unread_rows
from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.progress import Progress
from data_cleaning.simulate.history import Revision
from data_cleaning.simulate.simulated_leads import SimulatedLeads, simulate_leads
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.text_repair import repaired
from data_cleaning.words import normalise_titles
from harness.experiment.config import LeadsSection, RunConfig, SimulatedReviewSection, SimulateSection
from harness.experiment.splits import ToReview, split_hash, split_rows
from harness.experiment.stages import (
    CLEAN,
    CLEAN_TEST,
    LEADS,
    LEARN,
    LEDGER,
    NOTES,
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
    known: tuple[str, ...] = ()
    """Keywords of the business, as `known_keywords` returns them."""
    file: str = "the leads"
    """What messages call the leads."""
    test_file: str = "the test file"
    """What messages call the test file, where there is one."""


@dataclass(frozen=True, kw_only=True)
class LabelledFile:
    """A file of titles that people labelled, read as the leads are."""

    path: Path
    columns: LeadColumns
    encoding: str
    partly: bool
    """Whether a title may say nothing about some targets; its `side` is returned too."""

    def read(self, taxonomy: Taxonomy) -> pl.DataFrame:
        """Return what `read_labelled` does."""
        return read_labelled(self.path, self.columns, taxonomy, self.encoding, partly=self.partly)

    def read_golden(self, taxonomy: Taxonomy) -> pl.DataFrame:
        """Return `title`, a label per target and `kind`, which says what is difficult about a title.

        Raises:
            BadInput: as `read_labelled`; there is no column `kind`.
        """
        labelled = self.read(taxonomy)

        def choose(file: FileColumns) -> list[str]:
            title = find_title(file.named, self.columns.title, self.path, asked_for=False, values=file.values)
            return [title.name, one_column(file.named, "kind", self.path, "It says what is difficult about a title.")]

        frame = as_text(read_table(self.path, self.encoding, choose=choose).frame, self.path)
        kinds = frame.rename(dict(zip(frame.columns, ("title", "kind"), strict=True)))
        kinds = kinds.with_columns(normalise_titles(kinds["title"])).unique("title", keep="first")
        return labelled.join(kinds, on="title", how="left", maintain_order="left")


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
        (out / NOTES).write_text(json.dumps(notes))
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
    if not written.exists() or set(taxonomy.names) - set(frame_columns(written)):
        return None
    known = read_frame(written).select("title", *taxonomy.names).drop_nulls("title")
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


def known_keywords(config: RunConfig, taxonomy: Taxonomy) -> tuple[str, ...]:
    """Return the keywords of a config's table, sorted, whose words are taken for English; none without a table.

    Raises:
        BadInput: the table is at fault.
    """
    if config.keyword is None:
        return ()
    return tuple(sorted(set(KeywordTable.read(config.keyword.table, taxonomy).rows["keyword"])))


def clean(settings: CleaningSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Clean the leads and, where there is one, the test file by itself; write the ledger and what was set aside."""
    ledgers, names, notes = [], settings.taxonomy.names, []
    files = (
        (LEADS, CLEAN, ROWS, "leads", settings.file),
        (TEST_LEADS, CLEAN_TEST, TEST_ROWS, "test file", settings.test_file),
    )
    for source, target, rows, name, file in files:
        if (inputs["leads"] / source).exists():
            leads = read_frame(inputs["leads"] / source)
            rejects = inputs["leads"] / REJECTS[source]
            n_rejects = len(pl.read_csv(rejects, infer_schema=False, glob=False)) if rejects.exists() else 0
            try:
                cleaned = clean_leads(leads, settings.taxonomy, settings.clean, on_progress, settings.known)
            except BadInput as error:
                raise BadInput(f"{file}: {error}") from None
            warning = foreign_warning(cleaned)
            notes += [f"{file}: {warning}"] if warning else []
            cleaned.kept.write_parquet(out / target)
            equal_rows(cleaned.kept, names).write_parquet(out / rows)
            write_table(cleaned.quarantined, out / f"quarantine_{name.replace(' ', '_')}.csv")
            ledger = with_unread_rows(cleaned.ledger, n_rejects)
            ledgers.append(ledger.select(pl.lit(name).alias("file"), pl.all()))
    pl.concat(ledgers).write_parquet(out / LEDGER)
    (out / NOTES).write_text(json.dumps(notes))


def split(settings: SplitSettings, inputs: Folders, out: Path, on_progress: Progress) -> None:
    """Write what may be learned from, what is scored, how much of each part there is, and which classes train lacks.

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
    rows = read_frame(inputs["clean"] / ROWS)
    truth_titles = settings.truth.read(taxonomy)["title"].to_list() if settings.truth else []
    divided = split_rows(
        rows,
        by=by,
        shares=settings.shares,
        seed=settings.seed,
        test_rows=read_frame(test_file) if test_file.exists() else None,
        reviewed=settings.reviewed.read(taxonomy) if settings.reviewed else None,
        to_review=to_review,
        truth_titles=truth_titles,
    )
    in_test = pl.col("part") == "test"
    divided.filter(in_test).write_parquet(out / TEST)
    divided.filter(~in_test).write_parquet(out / LEARN)
    for part, remedy in (("test", "a larger split.test_share"), ("train", "smaller shares for validation and test")):
        if not ((divided["part"] == part) & (divided["source"] == "legacy")).any():
            left = f"Split by {by}, no lead is in the {part} part, of {rows['title'].n_unique():,} titles in all. "
            keys = near_duplicate_keys(rows["title"])
            n_held_out = rows["title"].filter(keys.is_in(near_duplicate_keys(truth_titles).implode())).n_unique()
            if part == "train" and settings.truth is not None and n_held_out:
                raise BadInput(
                    f"{left}{n_held_out:,} of them are titles of the truth file {settings.truth.path}, or near "
                    "duplicates of these, and train nothing. Give leads with other titles, or a truth file with fewer."
                )
            raise BadInput(f"{left}Give more leads, or {remedy}.")
    of_parts = divided.group_by("part", "source").agg(
        pl.col("title").n_unique().alias("titles"), pl.len().alias("rows"), pl.col("count").sum().alias("records")
    )
    facts = {"by": by, "hash": split_hash(divided), "parts": of_parts.sort("source", "part").to_dicts()}
    (out / SPLIT_FACTS).write_text(json.dumps(facts))
    (out / NOTES).write_text(
        json.dumps([*_partly_labelled(divided, taxonomy, by), *_unlearnable(divided, taxonomy, by)])
    )


def _partly_labelled(divided: pl.DataFrame, taxonomy: Taxonomy, by: str) -> list[str]:
    """Say how many rows are learned from for some targets only."""
    partly = divided.filter(pl.any_horizontal(pl.col(taxonomy.names).is_null()))
    if partly.is_empty():
        return []
    lacking = (f"{name} ({int(partly.filter(pl.col(name).is_null())['count'].sum()):,})" for name in taxonomy.names)
    return [
        f"Split by {by}, {counted(int(partly['count'].sum()), 'record')} of train and validation lack a label: "
        f"{first_few(lacking)}. They are learned from for the targets that they have, and no score counts them."
    ]


def _unlearnable(divided: pl.DataFrame, taxonomy: Taxonomy, by: str) -> list[str]:
    """Name the classes that test has and train lacks, so that no system which learns can be right about them."""
    notes = []
    in_train, in_test = (divided.filter(pl.col("part") == part) for part in ("train", "test"))
    for name in taxonomy.names:
        lacking = in_test.filter(~pl.col(name).is_in(in_train[name].unique().implode()))
        if len(lacking):
            records = lacking.group_by(name).agg(pl.col("count").sum()).sort("count", name, descending=[True, False])
            named = first_few(f"{label!r} ({n_records:,})" for label, n_records in records.iter_rows())
            notes.append(
                f"Split by {by}, train has no record of these classes of {name}, but test has (records in brackets): "
                f"{named}. No system can learn them, and they lower every score of one that learns."
            )
    return notes
