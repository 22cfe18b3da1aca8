"""The verbs for people who own a keyword table: audit, diff, and suggest apply."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_cleaning.errors import counted
from harness.cli.options import (
    WITH_REJECTS,
    Allow,
    Config,
    Encoding,
    Force,
    HeaderRow,
    Overrides,
    Quiet,
    Sheet,
    TitleColumn,
    exit_with_rejects,
    load,
)

if TYPE_CHECKING:
    from harness.experiment.config import RunConfig
    from harness.keywords.audit_and_diff import TableSettings

suggest = typer.Typer(help="Work with the suggestions of a run.", no_args_is_help=True)


def audit_verb(
    table: Annotated[
        Path,
        typer.Argument(
            help="Keyword table as CSV, Parquet or XLSX; duplicate rows are allowed. - reads standard input."
        ),
    ],
    leads: Annotated[
        Path | None,
        typer.Option(help="CSV, gzipped CSV, Parquet or XLSX with a column of titles, to see what each row decides."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write. By default <name of the table>_audit in this folder.")
    ] = None,
    title_column: TitleColumn = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Examine a keyword table row by row: what each row decides, how often it is right, and what stops it.

    Without leads it reports what the rows alone show: duplicates, and rows that can never win.

    Example: python -m harness audit configs/keywords/2023.csv --leads leads.csv
    """
    from harness.cli.console import announce, show_table, shown_progress
    from harness.keywords.audit_and_diff import audit_file

    with shown_progress() as on_progress:
        done = audit_file(
            table,
            table_settings(load(config, set_, allow, encoding, sheet=sheet, header_row=header_row)),
            leads=leads,
            out=out,
            title_column=title_column,
            force=force,
            on_progress=on_progress,
            announce=announce,
        )
    show_table(done.findings)
    announce(f"Open {done.page}; {', '.join(done.files[1:])} are beside it.")
    exit_with_rejects(done.rejects)


def diff_verb(
    old: Annotated[Path, typer.Argument(help="The keyword table in force: CSV, Parquet or XLSX.")],
    new: Annotated[Path, typer.Argument(help="The keyword table that may replace it.")],
    leads: Annotated[
        Path | None,
        typer.Option(
            help="CSV, gzipped CSV, Parquet or XLSX with a column of titles, to see which predictions change."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File for every title whose prediction changes; the rows go beside it.")
    ] = None,
    title_column: TitleColumn = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Compare two keyword tables: which rows differ, and every title whose prediction changes.

    Example: python -m harness diff configs/keywords/2022.csv configs/keywords/2023.csv --leads leads.csv
    """
    from harness.cli.console import announce, show_table, shown_progress
    from harness.keywords.audit_and_diff import diff_files

    with shown_progress() as on_progress:
        done = diff_files(
            old,
            new,
            table_settings(load(config, set_, allow, encoding, sheet=sheet, header_row=header_row)),
            leads=leads,
            out=out,
            title_column=title_column,
            force=force,
            on_progress=on_progress,
            announce=announce,
        )
    for table in done.tables:
        show_table(table)
    moved = "" if done.n_titles is None else f", {counted(done.n_titles, 'title')} with another prediction"
    written = f"; written to {' and '.join(map(str, done.written))}" if done.written else ""
    announce(f"{counted(done.n_rows, 'row')} changed{moved}{written}.")
    if done.n_rejects:
        raise typer.Exit(WITH_REJECTS)


@suggest.command("apply")
def apply_verb(
    suggestions: Annotated[
        Path, typer.Argument(help="suggestions.xlsx, .csv or .json with rows marked accept or reject.")
    ],
    table: Annotated[
        Path | None,
        typer.Option(help="The keyword table that the suggestions are for. By default the config's."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The next revision to write. By default beside the table: 2023.csv becomes 2024.csv."),
    ] = None,
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Write the next revision of a keyword table, with the suggestions that are marked accept.

    The table itself is never changed. Suggestions marked reject are remembered beside it and not proposed again.

    Example: python -m harness suggest apply results/default-1a2b3c4d/suggestions.xlsx --out configs/keywords/2024.csv
    """
    from harness.cli.console import announce
    from harness.keywords.apply_suggestions import apply_suggestions

    settings = load(config, set_, allow)
    done = apply_suggestions(
        suggestions,
        table=table,
        configured=settings.keyword.table if settings.keyword else None,
        out=out,
        taxonomy=settings.taxonomy,
        force=force,
        announce=announce,
    )
    written = "No table was written" if done.table is None else f"{done.table} has {counted(done.n_rows or 0, 'row')}"
    announce(
        f"Accepted {done.n_accepted} ({done.n_changed} of them edited), rejected {done.n_rejected}, left open "
        f"{done.n_undecided}. {written}; rejected suggestions are remembered in {done.memory}."
    )


def table_settings(config: "RunConfig") -> "TableSettings":
    """Return what a config says about keyword tables and leads."""
    from harness.keywords.audit_and_diff import TableSettings

    labelled = {"truth": config.truth, "reviewed": config.reviewed.path if config.reviewed else None}
    return TableSettings(
        taxonomy=config.taxonomy,
        columns=config.leads.columns,
        encoding=config.leads.encoding,
        layout=config.leads.layout,
        labelled={name: path for name, path in labelled.items() if path is not None},
    )
