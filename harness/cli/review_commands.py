"""The verbs of the review loop: review pick, review add and review status."""

from pathlib import Path
from typing import Annotated

import typer

from data_cleaning.errors import counted
from harness.cli.options import DetectedEncoding, Force, HeaderRow, Quiet, Sheet, TitleColumn

review = typer.Typer(help="Have people label the titles that are most worth it.", no_args_is_help=True)

_MAX_PICKED, _MAX_CONFLICTS = 10_000, 20

Table = Annotated[
    Path | None,
    typer.Option(help="Keyword table as CSV, Parquet or XLSX. By default the shipped one."),
]
TaxonomyFile = Annotated[
    Path | None,
    typer.Option(help="YAML file of the labels' classes. By default the shipped one, or the table's own labels."),
]
Reviewed = Annotated[Path, typer.Option(help="CSV file of reviewed titles.")]


@review.command("pick")
def pick_verb(
    source: Annotated[Path, typer.Argument(help="Folder of a run, or leads as CSV, gzipped CSV, Parquet or XLSX.")],
    out: Annotated[Path, typer.Option(help="Workbook to write.")] = Path("to_review.xlsx"),
    n: Annotated[int, typer.Option("--n", min=1, max=_MAX_PICKED, help="Number of titles.")] = 200,
    table: Table = None,
    reviewed: Reviewed = Path("reviewed.csv"),
    side: Annotated[
        str, typer.Option(help="What the titles are for: 'learn', or 'score', which draws them by their records.")
    ] = "learn",
    taxonomy: TaxonomyFile = None,
    title_column: TitleColumn = None,
    encoding: DetectedEncoding = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Pick the titles that are most worth a person's minute, with the best answer filled in and drop-downs.

    Frequent titles come first about which systems disagree or are unsure, and that are unlike the reviewed ones. Titles
    of the reviewed file are never picked again.

    Example: python -m harness review pick leads.xlsx --table keywords.xlsx --n 200 --out to_review.xlsx
    """
    from data_cleaning.errors import unknown
    from data_cleaning.files import Layout
    from data_cleaning.labelled_files import LEARN, SCORE
    from harness.cli.console import announce, shown_progress
    from harness.tagging.checking.check_file import choose_taxonomy
    from harness.tagging.reviewing.pick_titles import PickJob, pick_titles

    if side not in (LEARN, SCORE):
        raise unknown("side", side, (LEARN, SCORE))
    job = PickJob(
        source=source,
        table=table,
        n_titles=n,
        out=out,
        taxonomy=choose_taxonomy(taxonomy, table)[0],
        reviewed=reviewed,
        side=side,
        title_column=title_column,
        encoding=encoding,
        layout=Layout(sheet, header_row),
        force=force,
    )
    with shown_progress() as on_progress:
        picked = pick_titles(job, on_progress, announce)
    left_out = f" Not offered: {', '.join(picked.left_out)}." if picked.left_out else ""
    announce(
        f"Picked {counted(picked.n_titles, 'title')} of {picked.n_records:,} records from {picked.n_offered:,} titles "
        f"into {out}.{left_out} Fill it in, then: title-harness review add {out} --reviewer NAME"
    )


@review.command("add")
def add_verb(
    file: Annotated[Path, typer.Argument(help="The sheet that a person has filled in: XLSX or CSV.")],
    reviewer: Annotated[str, typer.Option(help="Name of the person who labelled the titles.")],
    into: Annotated[Path, typer.Option(help="CSV file of reviewed titles to add to; made if there is none.")] = Path(
        "reviewed.csv"
    ),
    leads: Annotated[
        Path | None, typer.Option(help="Leads that the titles are from, for a file that 'review pick' did not write.")
    ] = None,
    table: Table = None,
    taxonomy: TaxonomyFile = None,
    title_column: TitleColumn = None,
    encoding: DetectedEncoding = None,
    quiet: Quiet = False,
) -> None:
    """Add what a person said of titles to the file of reviewed titles, checked row by row.

    Earlier rows stay as they are, and the file as it was is kept in a folder beside it. Opinions that differ from those
    of others are shown and kept.

    Example: python -m harness review add to_review.xlsx --reviewer Ann
    """
    from datetime import UTC, datetime

    from harness.cli.console import announce, print_line
    from harness.tagging.checking.check_file import choose_taxonomy
    from harness.tagging.reviewing.add_reviews import add_reviews
    from harness.tagging.reviewing.pick_titles import titles_of_file

    labels = choose_taxonomy(taxonomy, table)[0]
    known = None if leads is None else titles_of_file(leads, labels, announce, title_column=title_column)["title"]
    done = add_reviews(
        file,
        reviewer=reviewer,
        into=into,
        taxonomy=labels,
        encoding=encoding,
        known=known,
        now=datetime.now(UTC).astimezone(),
    )
    for title, target, _, label, others in done.conflicts.head(_MAX_CONFLICTS).iter_rows():
        print_line(f"{title}: {target} {label}; others say {others}")
    more = len(done.conflicts) - _MAX_CONFLICTS
    if more > 0:
        print_line(f"and {counted(more, 'more difference')}")
    same = f", {done.n_same:,} that were there already" if done.n_same else ""
    left = f", {done.n_left:,} not judged yet" if done.n_left else ""
    kept = f" The file as it was is {done.backup}." if done.backup else ""
    announce(
        f"Added {counted(done.n_added, 'row')} to {into}, {done.n_for_scoring:,} of them to score with{same}{left}. "
        f"{counted(len(done.conflicts), 'difference')} from what others said.{kept} A config takes the file as "
        f"'reviewed: {into}'."
    )


@review.command("status")
def status_verb(
    reviewed: Reviewed = Path("reviewed.csv"),
    leads: Annotated[
        Path | None, typer.Option(help="Leads, or the folder of a run, to see which share of the records is reviewed.")
    ] = None,
    table: Table = None,
    taxonomy: TaxonomyFile = None,
    title_column: TitleColumn = None,
    encoding: DetectedEncoding = None,
    quiet: Quiet = False,
) -> None:
    """Say who reviewed how much, how far people agree, what share of the leads is reviewed, and what more would bring.

    Example: python -m harness review status --leads leads.xlsx
    """
    from harness.cli.console import announce, print_line, show_table, shown_progress
    from harness.tagging.checking.check_file import choose_taxonomy
    from harness.tagging.models import open_run
    from harness.tagging.reviewing.pick_titles import titles_of_file, titles_of_run
    from harness.tagging.reviewing.review_status import review_status

    labels, titles = choose_taxonomy(taxonomy, table)[0], None
    if leads is not None and leads.is_dir():
        labels = open_run(leads).taxonomy
        titles = titles_of_run(leads, labels)[0]
    elif leads is not None:
        titles = titles_of_file(leads, labels, announce, title_column=title_column, encoding=encoding)
    with shown_progress() as on_progress:
        done = review_status(reviewed, labels, titles, on_progress)
    for one in done.tables:
        show_table(one)
    for sentence in done.sentences:
        print_line(sentence)
