"""The verbs of the command line for people who own a keyword table: audit, diff, and suggest apply."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Allow, Config, Encoding, Force, Overrides, TitleColumn, counted, load

suggest = typer.Typer(help="Work with the suggestions of a run.", no_args_is_help=True)


def audit_verb(
    table: Annotated[Path, typer.Argument(help="CSV of a keyword table; one with duplicate rows is read as well.")],
    leads: Annotated[
        Path | None, typer.Option(help="CSV, gzipped CSV or Parquet with a column of titles, for what rows decide.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; by default <name of the table>_audit here.")
    ] = None,
    title_column: TitleColumn = None,
    encoding: Encoding = None,
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    force: Force = False,
) -> None:
    """Look at a keyword table row by row: what each decides, rightly or not, and what is in its way.

    Without leads only what the rows alone can tell: duplicates, and rows that can never win.

    Example: python -m harness audit configs/keywords/2023.csv --leads leads.csv
    """
    from harness.cli.console import announce, show_table, shown_progress
    from harness.keywords.audit_and_diff import audit_file

    with shown_progress() as on_progress:
        done = audit_file(
            table,
            load(config, set_, {"--encoding": ("leads.encoding", encoding)}, allow),
            leads=leads,
            out=out,
            title_column=title_column,
            force=force,
            on_progress=on_progress,
            announce=announce,
        )
    show_table(done.findings)
    announce(f"Open {done.page}; {', '.join(done.files[1:])} lie beside it.")


def diff_verb(
    old: Annotated[Path, typer.Argument(help="CSV of a keyword table.")],
    new: Annotated[Path, typer.Argument(help="CSV of another.")],
    leads: Annotated[
        Path | None,
        typer.Option(help="CSV, gzipped CSV or Parquet with a column of titles, to see which change."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File for every title whose verdict changes; the rows go beside it.")
    ] = None,
    title_column: TitleColumn = None,
    encoding: Encoding = None,
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    force: Force = False,
) -> None:
    """Compare two keyword tables: which rows differ, and every title whose verdict changes.

    Example: python -m harness diff configs/keywords/2022.csv configs/keywords/2023.csv --leads leads.csv
    """
    from harness.cli.console import announce, show_table, shown_progress
    from harness.keywords.audit_and_diff import diff_files

    with shown_progress() as on_progress:
        done = diff_files(
            old,
            new,
            load(config, set_, {"--encoding": ("leads.encoding", encoding)}, allow),
            leads=leads,
            out=out,
            title_column=title_column,
            force=force,
            on_progress=on_progress,
            announce=announce,
        )
    for table in done.tables:
        show_table(table)
    moved = "" if done.n_titles is None else f", {counted(done.n_titles, 'title')} with another verdict"
    written = f"; written to {' and '.join(map(str, done.written))}" if done.written else ""
    announce(f"{counted(done.n_rows, 'row')} changed{moved}{written}.")


@suggest.command("apply")
def apply_verb(
    suggestions: Annotated[
        Path, typer.Argument(help="suggestions.xlsx, .csv or .json with rows marked accept or reject.")
    ],
    table: Annotated[
        Path | None, typer.Option(help="The keyword table that they were made for; by default where it lay then.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The next revision to write; by default beside the table, 2023.csv to 2024.csv.")
    ] = None,
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    force: Force = False,
) -> None:
    """Write the next revision of a keyword table, with the suggestions that are marked accept.

    The table itself is never changed. Those marked reject are remembered beside it, and not proposed again.

    Example: python -m harness suggest apply results/default-1a2b3c4d/suggestions.xlsx --out configs/keywords/2024.csv
    """
    from harness.cli.console import announce
    from harness.keywords.apply_suggestions import apply_suggestions

    done = apply_suggestions(
        suggestions, table=table, out=out, config=load(config, set_, allow=allow), force=force, announce=announce
    )
    written = "No table was written" if done.table is None else f"{done.table} has {counted(done.n_rows or 0, 'row')}"
    announce(
        f"Accepted {done.n_accepted} ({done.n_changed} of them edited), rejected {done.n_rejected}, left open "
        f"{done.n_undecided}. {written}; what was rejected is remembered in {done.memory}."
    )
