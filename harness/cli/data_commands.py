"""The verbs about leads: init, simulate, profile, clean and study."""

from pathlib import Path
from typing import Annotated, Any

import typer

from data_cleaning.errors import counted
from harness.cli.options import (
    Allow,
    Config,
    DetectedEncoding,
    Encoding,
    Engine,
    Force,
    HeaderRow,
    LeadsFile,
    Overrides,
    Quiet,
    Raw,
    Resume,
    Sheet,
    TitleColumn,
    Workers,
    escaped_cells,
    exit_with_rejects,
    load,
    ray_options,
    told_if_interrupted,
)

_MAX_RECORDS = 100_000_000
_MAX_SEED = 2**32 - 1  # as in harness.experiment.config, which takes long to import


def init_verb(
    leads: Annotated[Path, typer.Argument(help="CSV, gzipped CSV, Parquet or XLSX with a column of titles.")],
    table: Annotated[
        Path | None,
        typer.Argument(help="Your keyword table: CSV, Parquet or XLSX. By default a copy of the project's."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write. By default <name of the leads>_config in this folder.")
    ] = None,
    title_column: TitleColumn = None,
    encoding: DetectedEncoding = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Write a config and a taxonomy for your own leads and keyword table, commented and ready to run.

    Targets and classes come from the table's columns, or from the columns of labels in the leads. Where the leads have
    no labels, the keyword table labels them.

    Example: python -m harness init leads.xlsx keywords.xlsx --out my
    """
    from data_cleaning.files import Layout
    from harness.cli.console import announce, print_line
    from harness.data.new_config import write_new_config

    done = write_new_config(
        leads,
        table,
        out,
        title_column=title_column,
        encoding=encoding,
        layout=Layout(sheet, header_row),
        force=force,
        announce=announce,
    )
    announce(f"Written: {', '.join(map(str, done.files))}. Read the comments, change what is not right, then run:")
    print_line(done.command)


def simulate_verb(
    out: Annotated[
        Path, typer.Option(help="File to write: .csv, .csv.gz, .parquet or .xlsx. The truth is written beside it.")
    ],
    records: Annotated[
        int | None, typer.Option(min=1, max=_MAX_RECORDS, help="Number of leads. By default the config's.")
    ] = None,
    titles: Annotated[
        Path | None, typer.Option(help="Label these titles instead: a file with title and count, which says how many.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=_MAX_SEED, help="Equal seeds give equal leads. By default the config's.")
    ] = None,
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Simulate leads with the labelling history of the config, and write the truth about each of them.

    Example: python -m harness simulate --records 1600000 --out leads.parquet
    """
    from harness.cli.console import announce, shown_progress
    from harness.data.lead_files import simulate_file

    settings = load(config, set_, allow)
    with shown_progress() as on_progress:
        n_records, n_titles, truth = simulate_file(
            out, settings, records=records, titles=titles, seed=seed, force=force, on_progress=on_progress
        )
    announce(
        f"Simulated {counted(n_records, 'lead')} with {counted(n_titles, 'distinct title')}. The leads are "
        f"in {out}, the truth is in {truth}."
    )


def profile_verb(
    leads: LeadsFile,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write. By default <name of the file>_profile in this folder.")
    ] = None,
    tokens: Annotated[bool, typer.Option(help="Count tokens with the tokenizer of the config's encoder.")] = True,
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
    """Look at leads before anything is done to them: figures, tables and plots.

    Exit codes: 0 complete, 2 bad input, 3 complete except for rows that could not be read.

    Example: python -m harness profile leads.csv
    """
    from harness.cli.console import announce, shown_progress
    from harness.data.lead_files import profile_file

    settings = load(config, set_, allow, encoding, sheet=sheet, header_row=header_row)
    with shown_progress() as on_progress:
        done = profile_file(
            leads,
            out,
            settings,
            title_column=title_column,
            with_tokens=tokens,
            force=force,
            on_progress=on_progress,
            announce=announce,
        )
    announce(f"Open {done.page}; tables and plots are beside it.")
    exit_with_rejects(done.rejects)


def clean_verb(
    leads: LeadsFile,
    out: Annotated[
        Path,
        typer.Option(
            help="File to write: .csv, .csv.gz, .parquet or .xlsx. The reports are written beside it. With --engine "
            "ray: a folder."
        ),
    ],
    keep_foreign: Annotated[
        bool, typer.Option("--keep-foreign", help="Keep titles in other languages, which otherwise go to quarantine.")
    ] = False,
    title_column: TitleColumn = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    raw: Raw = False,
    engine: Engine = "local",
    workers: Workers = None,
    resume: Resume = False,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Clean leads step by step: a ledger of the steps, every dropped record in quarantine, reports on what is left.

    Only the title is required. Columns are named in the config under leads.columns, steps are chosen under clean.

    Exit codes: 0 complete, 2 bad input, 3 complete except for rows that could not be read, 130 interrupted.

    Example: python -m harness clean leads.csv --out clean.parquet --keep-foreign
    """
    from harness.cli.console import announce, show_table, shown_progress, warn
    from harness.data.lead_files import clean_file

    kept = {"--keep-foreign": ("clean.english_only", False if keep_foreign else None)}
    spread = ray_options(engine, workers, resume, force)
    settings = load(config, set_, allow, encoding, kept, sheet=sheet, header_row=header_row)
    again = "Nothing is half written; the same command starts again."
    with told_if_interrupted(spread, again), shown_progress() as on_progress:
        options: dict[str, Any] = {
            "title_column": title_column,
            "raw": raw,
            "force": force,
            "on_progress": on_progress,
            "announce": announce,
        }
        if spread is None:
            done = clean_file(leads, out, settings, **options)
        else:
            from harness.scale.clean_on_ray import clean_on_ray

            done = clean_on_ray(leads, out, settings, spread, **options)
    show_table(done.ledger)
    for line in escaped_cells(done.n_escaped):
        announce(line)
    announce(
        f"Kept {done.kept} in {out}; {counted(done.n_quarantined, 'record')} in quarantine. The ledger, the quarantine "
        f"and the reports are in {done.report}."
    )
    if done.warning:
        warn(done.warning)
    exit_with_rejects(done.rejects)


def study_verb(
    out: Annotated[
        Path, typer.Option(help="Markdown file to write. A file that this verb wrote before is replaced.")
    ] = Path("results/reference/simulated_vs_study.md"),
    records: Annotated[
        list[int] | None,
        typer.Option(min=1, max=_MAX_RECORDS, help="Number of leads. Repeatable; by default 60000 and 1600000."),
    ] = None,
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Compare simulated leads with the published figures that they must reproduce.

    Example: python -m harness study --records 60000 --out study.md
    """
    from harness.cli.console import announce, shown_progress
    from harness.data.published_study import study_file

    with shown_progress() as on_progress:
        missed = study_file(out, load(config, set_, allow), records=records, force=force, on_progress=on_progress)
    announce(f"Written to {out}; {counted(missed, 'figure')} out of bounds.")
