"""The verbs of the command line, nothing else."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from data_cleaning.errors import BadInput, unknown
from harness.systems import SYSTEMS

app = typer.Typer(
    help="Sorts job titles into function, role and level, and settles which system should do it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_ALL = ("all", "report")
_SHOWN = ("summary", "differences", "costs")


@app.command("run")
def run_verb(
    what: Annotated[str, typer.Argument(help=f"all, report, or one system: {', '.join(SYSTEMS)}.")],
    config: Annotated[Path, typer.Option(help="YAML file with the settings of the run.")] = Path(
        "configs/default.yaml"
    ),
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override one setting: key=value. Repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of this run; by default results/<config>-<hash>.")] = None,
    results: Annotated[Path, typer.Option(help="Folder of all runs and of finished stages.")] = Path("results"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Make every stage anew and replace the run folder.")] = False,
) -> None:
    """Take leads all the way to tables: clean, split, fit, predict and score.

    `all` runs every system of the config and ends with the table to read first; `report` does the same and prints
    every table; the name of a system runs that one. Finished stages are reused.

    Example: python -m harness run all --config configs/smoke.yaml --set neural.epochs=2
    """
    from harness.config import load_config
    from harness.console import by_step, err, show_table, shown_progress
    from harness.console import out as stdout
    from harness.run import run

    if what not in (*_ALL, *SYSTEMS):
        raise unknown("run", what, [*_ALL, *SYSTEMS])
    alone = [] if what in _ALL else [f"systems=[{what}]"]
    settings = load_config(config, [*(set_ or ()), *alone], tuple(SYSTEMS))
    with shown_progress() as on_progress:
        finished = run(
            settings,
            results=results,
            out=out,
            fresh=fresh,
            on_progress=on_progress,
            announce=lambda stage: err.print(f"making {stage}", markup=False, highlight=False),
        )
    if finished.reused:
        made = f"made {by_step(finished.made)}" if finished.made else "nothing had changed"
        err.print(f"Reused finished stages: {by_step(finished.reused)}; {made}.", markup=False, highlight=False)
    to_show = finished.tables if what == "report" else [t for t in finished.tables if t.name in _SHOWN]
    for table in to_show:
        show_table(table)
    stdout.print(
        f"Everything lies in {finished.folder}: report.html, tables/, models/, predictions/.",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


@app.command("predict")
def predict_verb(
    leads: Annotated[Path, typer.Argument(help="CSV, gzipped CSV or Parquet with a column of titles.")],
    out: Annotated[Path, typer.Option(help="File to write; its ending says which kind.")],
    system: Annotated[str, typer.Option(help=f"One of {', '.join(SYSTEMS)}.")] = "neural",
    run: Annotated[Path | None, typer.Option(help="Run folder; by default the newest under results/.")] = None,
    results: Annotated[Path, typer.Option(help="Folder of all runs.")] = Path("results"),
    title_column: Annotated[str | None, typer.Option(help="Name of the column of titles.")] = None,
    encoding: Annotated[str, typer.Option(help="Encoding of a CSV file.")] = "utf-8",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing output.")] = False,
) -> None:
    """Add each target's label and confidence to a file's own columns, order kept.

    Example: python -m harness predict leads.csv --out tagged.csv --system keyword
    """
    from harness.console import err, shown_progress
    from harness.tagging.predict import predict_file

    with shown_progress() as on_progress:
        tagged = predict_file(
            leads,
            out,
            system=system,
            run_folder=run,
            results=results,
            title_column=title_column,
            encoding=encoding,
            force=force,
            on_progress=on_progress,
        )
    err.print(
        f"Tagged {tagged.n_rows:,} rows ({tagged.n_titles:,} distinct titles, {tagged.n_blank:,} rows without a title) "
        f"with {system} of {tagged.model}; written to {out}.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def main() -> None:
    """Run the command; bad input becomes one message and exit code 2."""
    try:
        app()
    except BadInput as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
