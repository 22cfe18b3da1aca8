"""The verb `check`: read leads, a table and what goes with it, and write the workbook and the page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from baselines.keyword_table import KeywordTable
from data_cleaning.errors import BadInput, counted, first_few
from data_cleaning.files import Layout
from data_cleaning.files.opening import refuse_two_standard_inputs
from data_cleaning.files.output_places import check_file as check_place
from data_cleaning.files.output_places import ending, stem
from data_cleaning.files.sources import STANDARD_INPUT
from data_cleaning.files.whole_files import full_disk_as_bad_input, whole_file
from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.config import PROJECT_CONFIGS
from harness.keywords.table_taxonomy import fits, read_labels, taxonomy_of
from harness.tagging.answers import Answers
from harness.tagging.business.counting import RecordCounter
from harness.tagging.business.summary import Summary, summarise
from harness.tagging.checking.answered import Answered
from harness.tagging.checking.check_sentences import Check, actions, sentences
from harness.tagging.checking.check_workbook import write_check
from harness.tagging.checking.keyword_problems import find_keyword_problems
from harness.tagging.checking.lead_facts import LeadFacts, read_facts
from harness.tagging.checking.new_words import find_new_words
from harness.tagging.checking.suspicious import find_suspicious
from harness.tagging.checking.titles_to_label import choose_titles
from harness.tagging.hierarchy import Hierarchy, read_hierarchy
from harness.tagging.models import HIERARCHY, NO_HIERARCHY
from harness.tagging.tagger import fields_of

TABLE, TAXONOMY = "keywords/2023.csv", "taxonomy.yaml"
"""What is shipped and answers where nothing else is given."""


@dataclass(frozen=True, kw_only=True)
class CheckJob:
    """What to check, with what, and where to write."""

    leads: Path
    table: Path | None = None
    """None takes the shipped table."""
    taxonomy: Path | None = None
    """None takes the shipped one where the table has its labels, or else one of the table's own labels."""
    hierarchy: Path | None = None
    """None takes the shipped one with the shipped taxonomy; `NO_HIERARCHY` takes none."""
    out: Path | None = None
    """None writes `<stem>_check.xlsx` beside the leads."""
    by: tuple[str, ...] = ()
    title_column: str | None = None
    encoding: str | None = None
    layout: Layout = Layout()
    force: bool = False


@dataclass(frozen=True, kw_only=True)
class CheckedFile:
    """What was written, and what it says first."""

    workbook: Path
    page: Path
    sentences: tuple[str, ...]
    actions: tuple[str, ...]


def check_leads(job: CheckJob, on_progress: Progress, announce: Callable[[str], None]) -> CheckedFile:
    """Check leads with a keyword table, and write a workbook and a page.

    `announce` is told which columns, table and taxonomy are used.

    Raises:
        BadInput: a file is missing, cannot be read or is faulty, or an output exists or cannot be written.
    """
    refuse_two_standard_inputs(job.leads, job.table)
    workbook = job.out or _default_place(job.leads)
    page = workbook.with_suffix(".html")
    if ending(workbook).lower() != ".xlsx":
        raise BadInput(
            f"--out {workbook} is no XLSX file; the check writes a workbook. Give a name such as check.xlsx."
        )
    for place in (workbook, page):
        for read in (job.leads, job.table):
            check_place(place, read, force=job.force)
    check = look_at_leads(job, on_progress, announce)
    on_progress("checking", 3, 4, "steps")
    with (
        full_disk_as_bad_input(workbook),
        whole_file(workbook) as workbook_filling,
        whole_file(page) as page_filling,
    ):
        write_check(workbook_filling, page_filling, check, name=workbook.name)
    on_progress("checking", 4, 4, "steps")
    return CheckedFile(workbook=workbook, page=page, sentences=tuple(sentences(check)), actions=tuple(actions(check)))


def look_at_leads(job: CheckJob, on_progress: Progress, announce: Callable[[str], None]) -> Check:
    """Check leads and write nothing.

    Raises:
        BadInput: a file is missing, cannot be read or is faulty.
    """
    path = job.table or PROJECT_CONFIGS / TABLE
    taxonomy, shipped, notes = choose_taxonomy(job.taxonomy, job.table)
    table = KeywordTable.read(path, taxonomy, lenient=True)
    hierarchy, more = _choose_hierarchy(job, taxonomy, shipped=shipped)
    if job.table is None:
        named = f"The shipped table ({path.name}, {counted(len(table), 'row')})"
        notes.insert(0, "No table was given, so that the shipped one answers; give your own with --table.")
    else:
        named = f"{path.name} ({counted(len(table), 'row')})"
    notes += [*table.notes, *more]
    facts = read_facts(
        job.leads, title_column=job.title_column, by=job.by, encoding=job.encoding, layout=job.layout, announce=announce
    )
    for note in notes:
        announce(note)
    answered = Answered(titles=facts.distinct, table=table, hierarchy=hierarchy)
    on_progress("checking", 1, 4, "steps")
    suspicious = find_suspicious(answered, on_progress)
    on_progress("checking", 2, 4, "steps")
    of_record = _positions(facts, answered)
    return Check(
        facts=facts,
        answered=answered,
        of_record=of_record,
        table=named,
        notes=notes,
        suspicious=suspicious,
        keywords=find_keyword_problems(answered),
        words=find_new_words(answered),
        to_label=choose_titles(answered, suspicious),
        summary=_summary(answered, of_record, facts),
    )


def _default_place(leads: Path) -> Path:
    if leads == STANDARD_INPUT:
        raise BadInput("What comes from standard input has no name to call the output by. Name the output with --out.")
    return leads.with_name(f"{stem(leads)}_check.xlsx")


def choose_taxonomy(file: Path | None, table: Path | None) -> tuple[Taxonomy, bool, list[str]]:
    """Return the taxonomy of a file or else of a table, whether it is the shipped one, and what to say of it.

    Without a file it is the shipped one, unless a table is given that has other labels.
    """
    shipped = Taxonomy.read(PROJECT_CONFIGS / TAXONOMY)
    if file is not None:
        given = Taxonomy.read(file)
        return given, given == shipped, []
    if table is None:
        return shipped, True, []
    labels = read_labels(table)
    reasons = fits(labels, shipped)
    if not reasons:
        return shipped, True, []
    return (
        taxonomy_of(labels, f"{table}, its columns as targets"),
        False,
        [
            f"The labels of {table.name} are not those of the shipped taxonomy ({first_few(reasons, 3)}), so that its "
            f"own columns and labels are used: {', '.join(labels)}. Another taxonomy may be given with --taxonomy."
        ],
    )


def _choose_hierarchy(job: CheckJob, taxonomy: Taxonomy, *, shipped: bool) -> tuple[Hierarchy | None, list[str]]:
    """Return the hierarchy, and what to say where there is none."""
    if job.hierarchy == NO_HIERARCHY:
        return None, []
    if job.hierarchy is not None:
        return read_hierarchy(job.hierarchy, taxonomy), []
    if shipped:
        return read_hierarchy(PROJECT_CONFIGS / HIERARCHY, taxonomy), []
    said = "There is no hierarchy for these labels, so that reach is counted by the labels alone"
    return None, [f"{said}; one may be given with --hierarchy."]


def _positions(facts: LeadFacts, answered: Answered) -> np.ndarray:
    """Return the position of each record's title, -1 for none, (n_records,)."""
    numbered = answered.titles.select("title").with_row_index("position")
    records = facts.titles.alias("title").to_frame()
    found = records.join(numbered, on="title", how="left", maintain_order="left")["position"]
    return found.cast(pl.Int64).fill_null(-1).to_numpy()


def _summary(answered: Answered, of_record: np.ndarray, facts: LeadFacts) -> Summary | None:
    """Count the records of the file as `predict` does."""
    placed, hierarchy = answered.placements, answered.hierarchy
    if placed is None or hierarchy is None:
        return None
    taxonomy = answered.table.taxonomy
    records = np.zeros(len(placed.node) + 1, dtype=fields_of(taxonomy))  # the last is that of no title
    for at, name in enumerate(taxonomy.names):
        records["labels"][:, at] = np.append(answered.labels[name], -1)
    for name in ("node", "leaf", "band", "contradiction"):
        records[name] = np.append(getattr(placed, name), -1)
    counter = RecordCounter()
    by: dict[str, pl.Series] = dict(facts.by)
    counter.add(Answers(records, of_record % len(records)), taxonomy.names, by)
    return summarise(hierarchy, counter.total(), n_review=None)


def account(checked: CheckedFile) -> Sequence[str]:
    """Return the lines to print: what matters, and what to do next."""
    numbered = [f"{number}. {action}" for number, action in enumerate(checked.actions, start=1)]
    return [*checked.sentences, *(["What to do next:", *numbered] if numbered else [])]
