"""What `clean --engine ray` does: two passes over the leads, and between them cleaning of what is distinct in them.

What becomes of a record depends on its title, its labels and its country alone. So the first pass collects these from
every block, with the records that each stands for; `clean_leads` cleans them on the driver as it would clean the
records, since every count is of records; and the second pass gives each record what became of its kind.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from data_cleaning.clean import CleanedLeads, clean_leads
from data_cleaning.clean_reports import foreign_warning, make_reports
from data_cleaning.errors import BadInput, counted, first_few
from data_cleaning.files.output_places import REJECTS
from data_cleaning.files.sources import FileColumns
from data_cleaning.files.table_reader import TableFile, read_table
from data_cleaning.files.whole_files import whole_file
from data_cleaning.files.written_tables import write_rejects, write_table
from data_cleaning.leads import (
    OpenedLeads,
    columns_said,
    find_lead_columns,
    pick_leads,
    without_endless_titles,
    without_strange_labels,
)
from data_cleaning.ledger import records as count_records
from data_cleaning.ledger import with_unread_rows
from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.text_repair import repaired, repaired_in_words
from harness.data.cleaned_files import (
    VERB,
    check_added,
    cleaned_rows,
    kept_in_words,
    ledger_table,
    quarantined_rows,
    write_cleaning_folder,
)
from harness.data.lead_files import CleanedFile
from harness.experiment.cache import commit, digest, library_versions, plain, project_version
from harness.experiment.checksums import file_digest
from harness.experiment.config import RunConfig
from harness.experiment.stages.obtain_leads import known_keywords
from harness.scale.blocks import Block, Input, OneBatch, open_input
from harness.scale.cluster import RayOptions, check_installed, ray_cluster, work_on_blocks
from harness.scale.parts_folder import QUARANTINE, PartsFolder

_DISTINCT, _CLEANED, _KINDS = "distinct", "cleaned", "kinds"
_REPORT = "report"
_NEW, _REASON, _AT = "new ", "reason", "row of the kinds"
_NOT_OF_KIND = ("record", "count", "date")
"""Columns of leads that decide nothing."""

_MAX_WAITING = 1_000_000
"""Rows that may wait at least before equal ones are merged."""


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """How leads are read from a block."""

    given: Input
    present: dict[str, str]
    """Our name of each column to the files' own."""
    taxonomy: Taxonomy
    kind: tuple[str, ...] = ()
    """Columns that decide what becomes of a record."""

    def leads(self, block: Block) -> tuple[TableFile, pl.DataFrame]:
        path = self.given.files[block.place.file]
        source = OneBatch(path, self.given.unit, self.given.schema, block.batch)
        table = read_table(source, choose=lambda file: file.named, allow_no_rows=True, keep_rejects=True)
        nameless = sorted({*table.frame.columns} - {*FileColumns(source).named})
        if nameless:
            raise BadInput(
                f"{path}: {first_few(nameless)} has no name but content. Name it in the header, or empty it."
            )
        table = without_endless_titles(table, self.present["title"])
        leads = pick_leads(table, self.present)
        if "record" not in self.present:
            leads = leads.with_columns((pl.col("record").cast(pl.Int64) + block.first_row - 1).cast(pl.String))
        return table, leads


@dataclass
class _CollectDistinct:
    """Collects the kinds of records of a block."""

    reading: _Reading
    folder: PartsFolder

    def do(self, block: Block) -> None:
        self.folder.begin(block)
        table, leads = self.reading.leads(block)
        check_added(table, leads, self.reading.present, self.reading.taxonomy)
        kinds = _merged_kinds([leads], self.reading.kind)
        unread = replace(block, batch=replace(block.batch, rejects=table.rejects))
        self.folder.save(_DISTINCT, unread, {}, {_KINDS: kinds})


@dataclass
class _CleanBlock:
    """Writes the kept and the dropped records of a block."""

    reading: _Reading
    folder: PartsFolder
    outcome: pl.DataFrame
    """A row per kind: its columns, those of a kept record after `_NEW`, and the reason of a dropped one."""
    targets: tuple[str, ...]

    def do(self, block: Block) -> None:
        self.folder.begin(block)
        table, leads = self.reading.leads(block)
        kind = [*self.reading.kind]
        found = leads.select(kind).join(self.outcome, on=kind, how="left", nulls_equal=True, maintain_order="left")
        is_kept = found[_REASON].is_null()
        new = [name for name in found.columns if name.startswith(_NEW)]
        assert found.filter(is_kept)[f"{_NEW}title"].null_count() == 0, (
            "every kind of record was seen by the first pass"
        )
        cleaned = CleanedLeads(
            kept=found.filter(is_kept).select(pl.col(name).alias(name.removeprefix(_NEW)) for name in new),
            kept_rows=is_kept.arg_true(),
            quarantined=found.filter(~is_kept).select(_REASON),
            quarantined_rows=(~is_kept).arg_true(),
            ledger=pl.DataFrame(),
            targets=self.targets,
            label_map=pl.DataFrame(),
            foreign_titles=pl.DataFrame(),
        )
        kept = cleaned_rows(table.frame, self.reading.present, cleaned)
        written = {self.folder.part(block.place): kept}
        if len(cleaned.quarantined):
            written[self.folder.part(block.place, QUARANTINE)] = quarantined_rows(table, cleaned)
        for path, frame in written.items():
            with whole_file(path) as filling:
                write_table(frame, filling)
        self.folder.save(_CLEANED, block, {}, {}, [*written])


def clean_on_ray(
    source: Path,
    out: Path,
    config: RunConfig,
    options: RayOptions,
    *,
    title_column: str | None,
    raw: bool,
    force: bool,
    on_progress: Progress,
    announce: Callable[[str], None],
) -> CleanedFile:
    """Write a folder: parts with the cleaned rows, parts with the dropped ones, the reports, and a manifest.

    The rows and reports are those that `clean_file` writes.

    Raises:
        BadInput: as `clean_file`; Ray is not installed; files of the input have different columns; the folder holds
            something else, or parts of another job.
    """
    check_installed()
    folder = PartsFolder(out)
    taxonomy = Taxonomy.read(config.taxonomy)
    given, opened = open_input(source, config.leads.encoding, None, config.leads.layout)
    columns = FileColumns(opened)
    found = find_lead_columns(columns, config.leads.columns, taxonomy, source, title_column)
    present = dict(found.present)
    known = known_keywords(config, taxonomy) if config.clean.english_only else ()
    identity = {
        "verb": VERB,
        "input": [given.identity(), str(given.layout), given.block_rows],
        "settings": plain(config.clean, str),
        "taxonomy": file_digest(config.taxonomy),
        "taxonomy version": taxonomy.version,
        "keywords": digest(known),
        "columns": present,
        "versions": {"project": project_version(), "commit": commit(), **library_versions()},
    }
    folder.check(source, given.files, identity, resume=options.resume, force=force)
    for line in (*opened.notes, columns_said(found, columns.named, "Passed through unchanged")):
        announce(line)
    with folder.locked(identity, force=force):
        facts = folder.finished()
        if facts is not None:
            announce("An earlier call has cleaned every row; the files have their checksums.")
            return _told(folder, facts)
        kind = tuple(name for name in present if name not in _NOT_OF_KIND)
        reading = _Reading(given=given, present=present, taxonomy=taxonomy, kind=kind)
        with ray_cluster(announce):
            kept = folder.kept(_DISTINCT)
            work_on_blocks(given, kept, _CollectDistinct(reading, folder), options, "collecting titles", on_progress)
            leads = _merged_kinds((one.frames[_KINDS] for one in folder.partials(_DISTINCT)), kind)
            no_table = TableFile(
                path=source, frame=pl.DataFrame(), columns=(), unit=opened.unit, places=pl.Series(dtype=pl.Int64)
            )
            usable = without_strange_labels(OpenedLeads(table=no_table, leads=leads, found=found), taxonomy, announce)
            present = dict(usable.found.present)
            reading = replace(reading, present=present, kind=tuple(name for name in kind if name in present))
            leads = _merged_kinds([usable.leads], reading.kind)
            damaged = leads.filter(repaired(leads["title"]) != leads["title"])
            if len(damaged):
                announce(repaired_in_words(count_records(damaged)))
            announce(f"Cleaning {len(leads):,} rows on this machine, which differ in {', '.join(reading.kind)}.")
            try:
                cleaned = clean_leads(leads, taxonomy, config.clean, on_progress, known)
            except BadInput:  # other leads or another taxonomy, which are asked for, make another job
                folder.forget(_DISTINCT)
                raise
            task = _CleanBlock(reading, folder, _outcome(leads, cleaned, reading.kind), cleaned.targets)
            kept = folder.kept(_CLEANED)
            if kept:
                announce(f"Resuming: {len(kept):,} parts of an earlier call are kept.")
            work_on_blocks(given, kept, task, options, "cleaning", on_progress)
        announce("Writing the reports.")
        facts = _finished(folder, given, cleaned, config, identity, {"file": source.name, "columns": present}, raw=raw)
        for line in facts["left_out"]:
            announce(line)
    return _told(folder, facts)


def _merged_kinds(frames: Iterable[pl.DataFrame], kind: Sequence[str]) -> pl.DataFrame:
    """Merge rows of one kind, in the order in which the kinds come first.

    Returns:
        The columns of the kind, `count`, and `record`, the first of them.
    """
    merged: list[pl.DataFrame] = []
    n_merged = 0

    def merge() -> pl.DataFrame:
        of_kind = pl.concat(merged).group_by(kind, maintain_order=True)
        return of_kind.agg(pl.col("count").sum(), pl.col("record").first())

    for frame in frames:
        merged.append(frame.select(*kind, "count", "record"))
        if sum(map(len, merged)) > max(_MAX_WAITING, 2 * n_merged):
            merged = [merge()]
            n_merged = len(merged[0])
    return merge()


def _outcome(leads: pl.DataFrame, cleaned: CleanedLeads, kind: Sequence[str]) -> pl.DataFrame:
    new = [name for name in cleaned.kept.columns if name not in (*_NOT_OF_KIND, "country")]
    kept = cleaned.kept.select(pl.col(new).name.prefix(_NEW)).with_columns(cleaned.kept_rows.alias(_AT))
    dropped = cleaned.quarantined.select(_REASON).with_columns(cleaned.quarantined_rows.alias(_AT))
    outcome = leads.select(kind).with_row_index(_AT)
    return outcome.join(kept, on=_AT, how="left").join(dropped, on=_AT, how="left").drop(_AT)


def _finished(
    folder: PartsFolder,
    given: Input,
    cleaned: CleanedLeads,
    config: RunConfig,
    identity: Mapping[str, Any],
    read: Mapping[str, Any],
    *,
    raw: bool,
) -> dict[str, Any]:
    """Write the reports and the manifest, and return what is to be said."""
    left_out: list[str] = []
    n_rejects = n_skipped = 0
    with folder.making_ready():
        report = folder.ready / _REPORT
        report.mkdir()
        for partial in folder.partials(_DISTINCT):
            rejects = partial.rejects(given)
            write_rejects(report / REJECTS, rejects, given.unit, raw=raw)
            n_rejects += len(rejects)
            n_skipped += partial.facts["n_skipped"]
            left_out += partial.facts["left_out"]
        n_dropped = sum(part["rows"] for name, part in folder.parts().items() if name.startswith(QUARANTINE))
        cleaned = replace(cleaned, ledger=with_unread_rows(cleaned.ledger, n_rejects))
        reports = make_reports(cleaned, config.clean.min_support, config.clean.report_min_records)
        facts = {**read, "taxonomy_version": identity["taxonomy version"], "settings": identity["settings"]}
        dropped = (f"../{QUARANTINE}/", n_dropped)
        write_cleaning_folder(report, cleaned, reports, dropped, facts, n_rejects=n_rejects, raw=raw)
        if n_rejects:
            left_out.append(f"{counted(n_rejects, 'row')} set aside, as not readable.")
        if n_skipped:
            left_out.append(f"Blank lines or empty rows, skipped: {n_skipped:,}.")
        told = {
            "ledger": cleaned.ledger.to_dicts(),
            "kept": kept_in_words(cleaned),
            "n_quarantined": count_records(cleaned.quarantined),
            "n_rejects": n_rejects,
            "warning": foreign_warning(cleaned),
            "left_out": [*dict.fromkeys(left_out)],
        }
        folder.finish(identity, told, given)
    return told


def _told(folder: PartsFolder, facts: Mapping[str, Any]) -> CleanedFile:
    report = folder.path / _REPORT
    return CleanedFile(
        ledger=ledger_table(pl.DataFrame(facts["ledger"])),
        kept=facts["kept"],
        n_quarantined=facts["n_quarantined"],
        n_escaped=0,
        report=report,
        rejects=report / REJECTS if facts["n_rejects"] else None,
        warning=facts["warning"],
    )
