"""What the verbs `simulate`, `profile` and `clean` do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data_cleaning.clean import clean_leads
from data_cleaning.clean_reports import foreign_warning, make_reports
from data_cleaning.errors import BadInput
from data_cleaning.files.output_places import (
    REJECTS,
    beside,
    check_folder,
    check_table,
    default_folder,
    ending,
    folder_beside,
    mark,
)
from data_cleaning.files.whole_files import whole_file, whole_folder
from data_cleaning.files.written_tables import check_columns, write_rejects, write_table
from data_cleaning.leads import OpenedLeads, open_leads, without_strange_labels
from data_cleaning.ledger import records as count_records
from data_cleaning.ledger import with_unread_rows
from data_cleaning.profile import Profile, profile_leads, write_plots
from data_cleaning.profile.plots import PlotFile
from data_cleaning.progress import Progress, silent
from data_cleaning.report_table import Table, write_tables
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import IntArray
from harness.data.cleaned_files import (
    VERB,
    check_added,
    cleaned_rows,
    kept_in_words,
    ledger_table,
    quarantined_rows,
    unchanged_cells,
    write_cleaning_folder,
    write_quarantine,
)
from harness.experiment.cache import plain
from harness.experiment.config import RunConfig
from harness.experiment.stages.obtain_leads import known_keywords, simulate
from harness.reporting.pages import PagePlot, table_section, write_page

PROFILE = "profile"
PAGE = "profile.html"

_MAX_ROWS_ON_PAGE = 15
_MAX_ROWS_WHOLE = 40
"""Rows of a table that the page does not cut."""
_MAX_ROWS_IN_MARKDOWN = 100


@dataclass(frozen=True, kw_only=True)
class ProfiledFile:
    """What `profile_file` wrote."""

    page: Path
    """To open first."""
    rejects: Path | None
    """What could not be read; None where there is nothing."""


@dataclass(frozen=True, kw_only=True)
class CleanedFile:
    """What `clean_file` wrote."""

    ledger: Table
    kept: str
    """Which share of the records and of the titles was kept, in words."""
    n_quarantined: int
    n_escaped: int
    """Cells of the cleaned file that a spreadsheet would have run, and that got an apostrophe."""
    report: Path
    rejects: Path | None
    """What could not be read; None where there is nothing."""
    warning: str | None
    """What must not be missed, such as many records dropped as foreign."""


def simulate_file(
    out: Path,
    config: RunConfig,
    *,
    records: int | None,
    titles: Path | None,
    seed: int | None,
    force: bool,
    on_progress: Progress,
) -> tuple[int, int, Path]:
    """Write leads made with the tagging history of a config, and their truth to a second file.

    Args:
        out: the leads; the truth goes to `<stem>.truth<ending>` in the same folder.
        config: with a section `leads.simulate`; its own number of records, titles and seed are taken where None.
        records: number of leads.
        titles: a CSV with `title` and `count` to tag instead of writing titles.
        seed: of all draws.
        force: whether existing files may be replaced.
        on_progress: called during the slow steps.

    Returns:
        The number of leads, that of their distinct titles, and the file of the truth.

    Raises:
        BadInput: the config has no such section, an output exists already, or a table or list is at fault.
    """
    truth = beside(out, ".truth")
    for place in (out, truth):
        check_table(place, titles, force=force)
    settings = config.leads.simulate
    if settings is None:
        raise BadInput(
            f"The config {config.name} has no 'leads.simulate' with a tagging history. Use one that has it, such as "
            "configs/default.yaml."
        )
    changes = {"records": records, "titles": titles}
    settings = settings.model_copy(update={name: value for name, value in changes.items() if value is not None})
    if settings.titles is not None and records is not None:
        raise BadInput(f"{settings.titles} says how many records of each title there are; leave out --records.")
    made = simulate(settings, config.seed if seed is None else seed, Taxonomy.read(config.taxonomy), on_progress)
    with whole_file(out) as leads_filling, whole_file(truth) as truth_filling:
        write_table(made.leads, leads_filling)
        write_table(made.truth, truth_filling)
    return len(made.leads), made.leads["Title"].drop_nulls().n_unique(), truth


def profile_file(
    source: Path,
    out: Path | None,
    config: RunConfig,
    *,
    title_column: str | None,
    with_tokens: bool,
    force: bool,
    on_progress: Progress,
    announce: Callable[[str], None],
) -> ProfiledFile:
    """Write the exploratory tables and plots of a file into a folder, `<stem>_profile` where `out` is None.

    Args:
        source: CSV, gzipped CSV, Parquet or XLSX.
        out: folder to write.
        config: names the columns, the taxonomy and the encoder.
        title_column: name of the title's column, where it is not the configured one.
        with_tokens: whether to count tokens with the tokenizer of the config's encoder.
        force: whether a folder that this verb has written may be replaced.
        on_progress: called during the slow steps.
        announce: called with the columns that were found, and what could not be read.

    Raises:
        BadInput: nothing can be read in the file, it has no title, or the folder holds something else.
    """
    folder = out or default_folder(source, "_profile")
    check_folder(folder, source, PROFILE, force=force)
    taxonomy = Taxonomy.read(config.taxonomy)
    opened = _opened(source, config, taxonomy, title_column, announce)
    targets = [name for name in taxonomy.names if name in opened.leads.columns]
    count_tokens = token_counter(config.neural.encoder) if with_tokens else None
    profile = profile_leads(opened.leads, targets, taxonomy, count_tokens, on_progress)
    table = opened.table
    profile = replace(profile, left_out=(*profile.left_out, *table.rejects_said()))
    with whole_folder(folder) as filling:
        page = write_profile(profile, filling, on_progress)
        write_rejects(filling / REJECTS, table.rejects, table.unit)
        mark(filling, PROFILE, {"file": source.name, "columns": dict(opened.found.present)})
    return ProfiledFile(page=folder / page.name, rejects=folder / REJECTS if table.rejects else None)


def clean_file(
    source: Path,
    out: Path,
    config: RunConfig,
    *,
    title_column: str | None,
    raw: bool,
    force: bool,
    on_progress: Progress,
    announce: Callable[[str], None],
) -> CleanedFile:
    """Write the cleaned rows of a file, and beside them a folder with the ledger, the quarantine and the reports.

    The output has every column of the file, with the title normalised and labels grouped in place; the original
    spelling and labels are added as `original_title` and `raw_<target>`, or stay as an earlier cleaning wrote them.
    Unless it is to be `raw`, text that a spreadsheet would run as a formula is escaped in CSV and XLSX.

    Raises:
        BadInput: a file is missing, exists already, cannot be read or cannot be written; it has no title, has
            columns with the names that are added, or columns that the output cannot hold; a label is in no class.
    """
    folder = folder_beside(out, "_report")
    check_table(out, source, force=force)
    check_folder(folder, source, VERB, force=force)
    taxonomy = Taxonomy.read(config.taxonomy)
    opened = _opened(
        source, config, taxonomy, title_column, announce, every_column=True, keep_cells=ending(out).lower() == ".xlsx"
    )
    present = opened.found.present
    check_columns(opened.table.frame, source, out)
    check_added(opened.table, opened.leads, present, taxonomy)
    opened = without_strange_labels(opened, taxonomy, announce)
    present = opened.found.present
    known = known_keywords(config, taxonomy) if config.clean.english_only else ()
    cleaned = clean_leads(opened.leads, taxonomy, config.clean, on_progress, known)
    rejects = opened.table.rejects
    cleaned = replace(cleaned, ledger=with_unread_rows(cleaned.ledger, len(rejects)))
    announce("writing the cleaned leads and the reports")
    facts = {"file": source.name, "taxonomy_version": taxonomy.version, "columns": dict(present)}
    facts["settings"] = plain(config.clean, str)
    reports = make_reports(cleaned, config.clean.min_support, config.clean.report_min_records)
    with whole_file(out) as filling, whole_folder(folder) as report:
        rows = cleaned_rows(opened.table.frame, present, cleaned)
        n_escaped = write_table(rows, filling, raw=raw, cells=unchanged_cells(opened.table, present, cleaned))
        dropped = write_quarantine(report, quarantined_rows(opened.table, cleaned), raw=raw)
        write_rejects(report / REJECTS, rejects, opened.table.unit, raw=raw)
        write_cleaning_folder(report, cleaned, reports, dropped, facts, n_rejects=len(rejects), raw=raw)
    return CleanedFile(
        ledger=ledger_table(cleaned.ledger),
        kept=kept_in_words(cleaned),
        n_quarantined=count_records(cleaned.quarantined),
        n_escaped=n_escaped,
        report=folder,
        rejects=folder / REJECTS if rejects else None,
        warning=foreign_warning(cleaned),
    )


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


def _opened(
    source: Path,
    config: RunConfig,
    taxonomy: Taxonomy,
    title_column: str | None,
    announce: Callable[[str], None],
    *,
    every_column: bool = False,
    keep_cells: bool = False,
) -> OpenedLeads:
    leads, layout = config.leads, config.leads.layout
    return open_leads(
        source,
        leads.columns,
        leads.encoding,
        taxonomy,
        title_column,
        announce,
        every_column=every_column,
        keep_cells=keep_cells,
        layout=layout,
    )
