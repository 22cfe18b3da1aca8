"""The verbs about the hierarchy: check one, and compare two on the same leads."""

from pathlib import Path
from typing import Annotated

import typer

from data_cleaning.errors import counted
from harness.cli.options import (
    DetectedEncoding,
    ExportedFolder,
    Force,
    HeaderRow,
    Quiet,
    Results,
    RunFolder,
    Sheet,
    TitleColumn,
)

hierarchy = typer.Typer(help="Work with the company's hierarchy.", no_args_is_help=True)


@hierarchy.command("check")
def check_verb(
    file: Annotated[Path, typer.Argument(help="YAML file of the hierarchy.")],
    taxonomy: Annotated[
        Path | None, typer.Option(help="Taxonomy whose labels it is for; by default configs/taxonomy.yaml.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Check a hierarchy: every combination of labels reaches one leaf, every rule and every leaf is used.

    Prints its tree, and for each leaf the lines of the rules that lead to it.

    Example: python -m harness hierarchy check configs/hierarchy.yaml
    """
    from harness.cli.console import announce, print_line
    from harness.tagging.hierarchy_files import read_for_labels, tree_lines

    read = read_for_labels(file, taxonomy)
    for line in tree_lines(read):
        print_line(line)
    n_leaves = sum(node.leaf for node in read.nodes)
    announce(f"{file}, version {read.version}: no faults in {counted(len(read.rules), 'rule')} and {n_leaves} leaves.")


@hierarchy.command("diff")
def diff_verb(
    old: Annotated[Path, typer.Argument(help="YAML file of the hierarchy in force.")],
    new: Annotated[Path, typer.Argument(help="YAML file of the one that may replace it.")],
    leads: Annotated[Path, typer.Option(help="CSV, gzipped CSV, Parquet or XLSX with a column of titles.")],
    system: Annotated[str | None, typer.Option(help="Which system answers; neural where there is one.")] = None,
    run: RunFolder = None,
    model: ExportedFolder = None,
    results: Results = Path("results"),
    out: Annotated[
        Path | None,
        typer.Option(help="Table of every way that titles go (.csv, .xlsx, .parquet); the nodes go beside it."),
    ] = None,
    title_column: TitleColumn = None,
    encoding: DetectedEncoding = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Place the titles of a file in two hierarchies, and list which go where.

    Example: python -m harness hierarchy diff old.yaml new.yaml --leads leads.csv --out moved.csv
    """
    from data_cleaning.files import Layout
    from harness.cli.console import announce, show_table, shown_progress
    from harness.tagging.hierarchy_files import compare_on_leads
    from harness.tagging.models import choose_model

    chosen = choose_model(run, model, results, system)
    with shown_progress() as on_progress:
        found = compare_on_leads(
            (old, new),
            leads,
            chosen,
            system,
            out=out,
            title_column=title_column,
            encoding=encoding,
            layout=Layout(sheet, header_row),
            force=force,
            on_progress=on_progress,
        )
    for note in found.notes:
        announce(note)
    for table in found.tables:
        show_table(table)
    written = f"; written to {' and '.join(map(str, found.files))}" if found.files else ""
    announce(
        f"{counted(found.n_changed, 'title')} of {found.n_titles:,} ({found.changed_records:,} of {found.records:,} "
        f"records) {'has' if found.n_changed == 1 else 'have'} another answer{written}. Rows that could not be read: "
        f"{found.n_rejected:,}."
    )
