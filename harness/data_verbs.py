"""What the verbs for one's own data do: simulate leads, profile a file, clean a file."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from data_cleaning.clean import CleanedLeads, clean_leads
from data_cleaning.clean_reports import make_reports
from data_cleaning.errors import BadInput, first_few, unknown
from data_cleaning.leads import FoundColumns, LeadColumns, find_columns, pick_leads, read_table, require_text
from data_cleaning.normalise import normalise_titles
from data_cleaning.profile import profile_leads, write_profile
from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from harness.cleaning_folder import VERB, ledger_table, write_cleaning_folder
from harness.config import RunConfig
from harness.reporting.tables import Table
from harness.stages.leads import simulate
from harness.store import plain, whole_file, whole_folder
from harness.table_files import beside, check_file, check_folder, folder_beside, mark, write_table
from harness.token_counting import token_counter

PROFILE = "profile"


@dataclass(frozen=True, kw_only=True)
class OpenedLeads:
    """Somebody's file, and the leads in it."""

    frame: pl.DataFrame
    """Every column as it was read."""
    leads: pl.DataFrame
    """The same rows under our names, as `leads.pick_leads` returns them."""
    found: FoundColumns


@dataclass(frozen=True, kw_only=True)
class SimulatedFile:
    """Leads that were made."""

    n_records: int
    n_titles: int
    truth: Path


@dataclass(frozen=True, kw_only=True)
class CleanedFile:
    """A finished cleaning."""

    ledger: Table
    n_kept: int
    n_quarantined: int
    report: Path


def open_leads(
    path: Path, config: RunConfig, taxonomy: Taxonomy, title_column: str | None, announce: Callable[[str], None]
) -> OpenedLeads:
    """Read somebody's file, of which only the title is required, and say which columns were found.

    Args:
        path: CSV, gzipped CSV or Parquet.
        config: names the columns and the encoding.
        taxonomy: names the targets that there can be.
        title_column: name of the title's column, where it is not the configured one.
        announce: told the columns in one line.

    Raises:
        BadInput: the file cannot be read, or has no title or no target that was asked for.
    """
    columns: LeadColumns = config.leads.columns
    if title_column is not None:
        columns = replace(columns, title=title_column)
    for name in columns.targets:
        if name not in taxonomy.names:
            raise unknown("target in leads.columns.targets", name, taxonomy.names)
    frame = read_table(path, config.leads.encoding)
    require_text(frame, path)
    found = find_columns(frame.columns, columns, path)
    announce(_worded(found, frame.columns))
    return OpenedLeads(frame=frame, leads=pick_leads(frame, found.present, path), found=found)


def simulate_file(
    out: Path,
    config: RunConfig,
    *,
    records: int | None,
    titles: Path | None,
    seed: int | None,
    force: bool,
    on_progress: Progress,
) -> SimulatedFile:
    """Write leads made with the tagging history of a config, and what is known about each beside them.

    Args:
        out: the leads; the truth goes to `<stem>.truth<ending>` in the same folder.
        config: with a section `leads.simulate`.
        records: number of leads; None takes the config's.
        titles: a CSV with `title` and `count` to tag instead of writing titles; None takes the config's.
        seed: None takes the config's.
        force: whether existing files may be replaced.
        on_progress: told of the slow steps.

    Raises:
        BadInput: the config has no such section, an output exists already, or a table or list is at fault.
    """
    truth = beside(out, ".truth")
    for place in (out, truth):
        check_file(place, titles, force=force)
    settings = config.leads.simulate
    if settings is None:
        raise BadInput(
            f"The config {config.name} has no 'leads.simulate', which holds the tagging history. Take one that has, "
            "such as configs/default.yaml."
        )
    changes = {"records": records, "titles": titles}
    settings = settings.model_copy(update={name: value for name, value in changes.items() if value is not None})
    if settings.titles is not None and records is not None:
        raise BadInput(f"{settings.titles} says how many records of each title there are; leave out --records.")
    made = simulate(settings, config.seed if seed is None else seed, Taxonomy.read(config.taxonomy), on_progress)
    with whole_file(out) as leads_filling, whole_file(truth) as truth_filling:
        write_table(made.leads, leads_filling)
        write_table(made.truth, truth_filling)
    titles_made = made.leads["Title"].drop_nulls().n_unique()
    return SimulatedFile(n_records=len(made.leads), n_titles=titles_made, truth=truth)


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
) -> Path:
    """Write the exploratory tables and plots of a file into a folder.

    Args:
        source: CSV, gzipped CSV or Parquet.
        out: folder to write; None makes `<stem>_profile` in the current one.
        config: names the columns, the taxonomy and the encoder.
        title_column: name of the title's column, where it is not the configured one.
        with_tokens: whether to count tokens with the tokenizer of the config's encoder.
        force: whether a folder that this verb has written may be replaced.
        on_progress: told of the slow steps.
        announce: told which columns were found.

    Returns:
        The page to open first.

    Raises:
        BadInput: the file cannot be read or has no title, or the folder holds something else.
    """
    folder = out or Path(f"{source.name.split('.')[0]}_profile")
    check_folder(folder, PROFILE, force=force)
    taxonomy = Taxonomy.read(config.taxonomy)
    opened = open_leads(source, config, taxonomy, title_column, announce)
    targets = [name for name in taxonomy.names if name in opened.leads.columns]
    count_tokens = token_counter(config.neural.encoder) if with_tokens else None
    profile = profile_leads(opened.leads, targets, taxonomy, count_tokens, on_progress)
    with whole_folder(folder) as filling:
        page = write_profile(profile, filling, on_progress)
        mark(filling, PROFILE, {"file": source.name, "columns": dict(opened.found.present)})
    return folder / page.name


def clean_file(
    source: Path,
    out: Path,
    config: RunConfig,
    *,
    title_column: str | None,
    force: bool,
    on_progress: Progress,
    announce: Callable[[str], None],
) -> CleanedFile:
    """Write the cleaned rows of a file, and beside them a folder with the ledger, the quarantine and the reports.

    The output has every column of the file, with the title normalised and labels grouped in place; the spelling and
    the labels that they came with are added as `original_title` and `raw_<target>`.

    Raises:
        BadInput: a file is missing, exists already or cannot be read; it has no title; a label is in no class.
    """
    folder = folder_beside(out, "_report")
    check_file(out, source, force=force)
    check_folder(folder, VERB, force=force)
    taxonomy = Taxonomy.read(config.taxonomy)
    opened = open_leads(source, config, taxonomy, title_column, announce)
    _check_added(opened, taxonomy, source)
    cleaned = clean_leads(opened.leads, taxonomy, config.clean, on_progress)
    announce("writing the cleaned leads and the reports")
    facts = {
        "file": source.name,
        "taxonomy_version": taxonomy.version,
        "columns": dict(opened.found.present),
        "settings": plain(config.clean, str),
    }
    reports = make_reports(cleaned, config.clean.min_support)
    with whole_file(out) as filling, whole_folder(folder) as report:
        write_table(_cleaned_rows(opened, cleaned), filling)
        write_cleaning_folder(report, cleaned, reports, _quarantined_rows(opened.frame, cleaned), facts)
    n_aside = int(cleaned.quarantined["count"].sum())
    return CleanedFile(
        ledger=ledger_table(cleaned), n_kept=int(cleaned.kept["count"].sum()), n_quarantined=n_aside, report=folder
    )


def _worded(found: FoundColumns, names: list[str]) -> str:
    """Say which columns are read as what, which are not there, and which are only passed on."""
    read = ", ".join(f"{ours} from {theirs!r}" for ours, theirs in found.present.items())
    absent = ", ".join(f"{ours} ({configured!r})" for ours, configured in found.absent.items())
    others = [repr(name) for name in names if name not in found.present.values()]
    return (
        f"Columns: {read}."
        + (f" Not in the file, and done without: {absent}." if absent else "")
        + (f" Passed on as they are: {first_few(others)}." if others else "")
    )


def _check_added(opened: OpenedLeads, taxonomy: Taxonomy, path: Path) -> None:
    """Refuse columns that cleaning would add, unless an earlier cleaning did: those are kept as they are.

    Raises:
        BadInput: a column has such a name and other content.
    """
    frame = opened.frame
    strange = []
    if "original_title" in frame.columns:
        pairs = pl.DataFrame([frame["original_title"].cast(pl.String), opened.leads["title"]]).unique().drop_nulls()
        if not (normalise_titles(pairs["original_title"]) == normalise_titles(pairs["title"])).all():
            strange.append("original_title")
    for target in taxonomy.targets:
        if target.name in opened.leads.columns:
            for name in (f"raw_{target.name}", f"original_{target.name}"):
                if name in frame.columns:
                    labels = frame[name].cast(pl.String).str.strip_chars().drop_nulls().unique()
                    if not labels.is_in(list(target.raw_to_class)).all():
                        strange.append(name)
    if strange:
        raise BadInput(
            f"{path} already has columns that cleaning adds: {first_few(strange)}, and not from an earlier cleaning. "
            "Rename or drop them."
        )


def _cleaned_rows(opened: OpenedLeads, cleaned: CleanedLeads) -> pl.DataFrame:
    """Return the file's own rows and columns that are left, with what cleaning changed and added."""
    kept, present = cleaned.kept, opened.found.present
    rows = opened.frame[cleaned.kept_rows]
    changed = [kept[name].alias(present[name]) for name in ("title", *cleaned.targets)]
    of_targets = [f"{prefix}_{name}" for prefix in ("raw", "original") for name in cleaned.targets]
    added = [name for name in ("original_title", *of_targets, "majority_status") if name in kept.columns]
    return rows.with_columns(*changed, *(kept[name] for name in added if name not in rows.columns))


def _quarantined_rows(frame: pl.DataFrame, cleaned: CleanedLeads) -> pl.DataFrame:
    """Return the file's own rows that were dropped, as they came, behind their reason and row."""
    reason, row = (name if name not in frame.columns else f"quarantine_{name}" for name in ("reason", "row"))
    dropped = frame[cleaned.quarantined_rows]
    numbers = cleaned.quarantined_rows.cast(pl.Int64) + 2  # the header is row 1
    first = [cleaned.quarantined["reason"].alias(reason), numbers.alias(row)]
    return dropped.with_columns(first).select(
        reason, row, *(name for name in frame.columns if name not in (reason, row))
    )
