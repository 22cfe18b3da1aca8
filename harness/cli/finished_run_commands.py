"""The verbs about finished runs: runs, compare and gate."""

import json
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Force, Quiet, Results

FAILED = 1
"""Exit code of gate: the run does not meet what is asked of it."""


def runs_verb(
    results: Results = Path("results"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    quiet: Quiet = False,
) -> None:
    """List the finished runs: when and from what each was made, what it decided, and how well that scored.

    Example: python -m harness runs
    """
    from harness.cli.console import print_json, show_table
    from harness.experiment.finished_runs import runs_table

    table = runs_table(results)
    if as_json:
        records = json.loads(table.frame.to_json(orient="records"))
        print_json(json.dumps(records, indent=2, ensure_ascii=False))
    else:
        show_table(table, grouped=False)


def compare_verb(
    first: Annotated[Path, typer.Argument(help="Run folder to compare with.")],
    second: Annotated[Path, typer.Argument(help="The other run folder.")],
    system: Annotated[
        str | None, typer.Option(help="Whose answers are compared. By default what each run decided for.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Table to write of every answer that changed: .csv, .parquet or .xlsx.")
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Compare two runs: settings, data and code; scores on titles that both scored; and the answers that changed.

    Example: python -m harness compare results/default-1a2b3c4d results/default-5e6f7a8b --out changed.csv
    """
    from data_cleaning.files.output_places import check_file
    from data_cleaning.files.written_tables import write_table
    from harness.cli.console import announce, print_line, show_table
    from harness.experiment.finished_runs import FinishedRun, compare_runs

    if out is not None:
        check_file(out, None, force=force)
    compared = compare_runs(FinishedRun.open(first), FinishedRun.open(second), system)
    for line in compared.sentences:
        print_line(line)
    for table in compared.tables:
        show_table(table, grouped=False)
    if out is not None:
        write_table(compared.flipped, out)
        announce(f"Answers that changed are in {out}.")


def gate_verb(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    metric: Annotated[
        str, typer.Option(help="Such as title.all, record.level, title.macro_f1.level, golden.all or golden.acronym.")
    ] = "title.all",
    at_least: Annotated[float | None, typer.Option("--min", min=0, max=1, help="What the score must reach.")] = None,
    not_worse_than: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Run folder than which this one must not be worse.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="Whose score. By default what the run decided for.")] = None,
    quiet: Quiet = False,
) -> None:
    """Pass or fail a run in continuous integration: exit code 0 if it meets what is asked, 1 with the reason if not.

    A run is worse than another where the 95% interval of the difference, on titles that both scored, is below 0, or
    where fewer golden titles are right.

    Example: python -m harness gate results/default-1a2b3c4d --metric title.all --min .9
    """
    from harness.cli.console import fail, print_line
    from harness.experiment.finished_runs import FinishedRun
    from harness.experiment.gate import check_gate

    other = None if not_worse_than is None else FinishedRun.open(not_worse_than)
    told, failed = check_gate(FinishedRun.open(run), metric, at_least=at_least, other=other, system=system)
    for line in told:
        print_line(line)
    if failed:
        fail("\n".join(["The run does not pass the gate.", *failed]))
        raise typer.Exit(FAILED)
    print_line("The run passes the gate.")
