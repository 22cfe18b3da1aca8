"""The verbs of the command line, nothing else."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from data_cleaning.errors import BadInput, unknown
from harness.cli.hierarchy_commands import hierarchy
from harness.cli.model_commands import explain_verb, export_verb
from harness.cli.options import Allow, Config, Encoding, Force, Overrides, TitleColumn, counted, load
from harness.cli.predict_command import predict_verb
from harness.cli.table_commands import audit_verb, diff_verb, suggest
from harness.experiment.systems import MINED, SYSTEMS

app = typer.Typer(
    help="Sorts job titles into function, role and level, and settles which system should do it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_MOST = 100_000_000
_ALL, _MINE = ("all", "report"), "mine"
_SHOWN = (
    *("summary", "differences", "what_cleaning_bought"),
    *("mined_lift", "mined_folds", "mined_candidates", "mined_changes", "faithfulness", "most_wrong", "costs"),
)
_SHOWN_OF_MINING = (*(name for name in _SHOWN if name.startswith("mined")), "mined_inversions", "faithfulness")


@app.command("run")
def run_verb(
    what: Annotated[str, typer.Argument(help=f"all, report, mine, or one system: {', '.join(SYSTEMS)}.")],
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    out: Annotated[Path | None, typer.Option(help="Folder of this run; by default results/<config>-<hash>.")] = None,
    results: Annotated[Path, typer.Option(help="Folder of all runs and of finished stages.")] = Path("results"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Make every stage anew and replace the run folder.")] = False,
) -> None:
    """Take leads all the way to tables: clean, split, fit, predict and score.

    `all` runs every system of the config and ends with the tables to read first; `report` does the same and prints
    every table; `mine` runs what mining the keyword table needs; the name of a system runs that one. Finished stages
    are reused.

    Example: python -m harness run all --config configs/smoke.yaml --set neural.epochs=2
    """
    from harness.cli.console import announce, by_step, show_table, shown_progress
    from harness.cli.console import out as stdout
    from harness.experiment.run import run

    if what not in (*_ALL, _MINE, *SYSTEMS):
        raise unknown("run", what, [*_ALL, _MINE, *SYSTEMS])
    named = ["keyword", "neural", MINED] if what in (_MINE, MINED) else [what]
    alone = [] if what in _ALL else [f"systems=[{','.join(named)}]"]
    settings = load(config, [*(set_ or ()), *alone], allow=allow)
    with shown_progress() as on_progress:
        finished = run(
            settings,
            results=results,
            out=out,
            fresh=fresh,
            on_progress=on_progress,
            announce=lambda stage: announce(f"making {stage}"),
        )
    if finished.reused:
        made = f"made {by_step(finished.made)}" if finished.made else "nothing had changed"
        announce(f"Reused finished stages: {by_step(finished.reused)}; {made}.")
    shown = _SHOWN_OF_MINING if what == _MINE else _SHOWN
    for table in finished.tables:
        if what == "report" or table.name in shown:
            show_table(table)
    mined = " suggestions.xlsx, mined/," if MINED in settings.systems else ""
    stdout.print(
        f"Everything lies in {finished.folder}: report.html,{mined} tables/, models/, predictions/.",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


@app.command("search")
def search_verb(
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    by: Annotated[str | None, typer.Option(help="Split to search on: record or title; by default the first.")] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Fits in all, earlier ones included.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Begin no further trial after so long.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of this search; by default results/search-<config>-<hash>.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of all runs and of finished stages.")] = Path("results"),
) -> None:
    """Search for settings with which the network validates better; the test part stays out of it.

    A search that was stopped or killed goes on when it is called again. It ends with the best trial's settings.

    Example: python -m harness search --trials 20 --minutes 60 --set "search.space={epochs: [2, 6], dropout: [0, 0.3]}"
    """
    from harness.cli.console import announce, show_table, shown_progress
    from harness.cli.console import out as stdout
    from harness.experiment.search import search, set_arguments

    options = {
        "--by": ("split.by", None if by is None else [by]),
        "--trials": ("search.trials", trials),
        "--minutes": ("search.minutes", minutes),
    }
    settings = load(config, set_, options, allow)
    with shown_progress() as on_progress:
        found = search(settings, results=results, out=out, on_progress=on_progress, announce=announce)
    show_table(found.table)
    announce(f"All trials and the best settings lie in {found.folder}: trials.csv, best.yaml.")
    own, best = found.own, found.best
    said = (
        f"Best on validation is trial {best.number} with {best.score:.4f}; the config's own settings: {own.score:.4f}."
    )
    changes = " ".join(set_arguments(found.changes)) or "Nothing was better than they are."
    stdout.print(f"{said}\n{changes}", soft_wrap=True, markup=False, highlight=False)


@app.command("simulate")
def simulate_verb(
    out: Annotated[Path, typer.Option(help="File to write: .csv, .csv.gz or .parquet; the truth goes beside it.")],
    records: Annotated[
        int | None, typer.Option(min=1, max=_MOST, help="Number of leads; by default the config's.")
    ] = None,
    titles: Annotated[
        Path | None, typer.Option(help="Tag these titles instead: a CSV with title and count, which says how many.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Equal seeds give equal leads; by default the config's.")
    ] = None,
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    force: Force = False,
) -> None:
    """Make leads with the config's tagging history, and the truth about each of them.

    Example: python -m harness simulate --records 1600000 --out leads.parquet
    """
    from harness.cli.console import announce, shown_progress
    from harness.data.lead_files import simulate_file

    with shown_progress() as on_progress:
        made = simulate_file(
            out,
            load(config, set_, allow=allow),
            records=records,
            titles=titles,
            seed=seed,
            force=force,
            on_progress=on_progress,
        )
    announce(
        f"Made {counted(made.n_records, 'lead')} with {counted(made.n_titles, 'distinct title')}; written to {out}, "
        f"the truth to {made.truth}."
    )


@app.command("profile")
def profile_verb(
    leads: Annotated[Path, typer.Argument(help="CSV, gzipped CSV or Parquet with a column of titles.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; by default <name of the file>_profile here.")
    ] = None,
    tokens: Annotated[bool, typer.Option(help="Count tokens with the tokenizer of the config's encoder.")] = True,
    title_column: TitleColumn = None,
    encoding: Encoding = None,
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    force: Force = False,
) -> None:
    """Look at leads before anything is done to them: exploratory figures, tables and plots.

    Example: python -m harness profile leads.csv
    """
    from harness.cli.console import announce, shown_progress
    from harness.data.lead_files import profile_file

    with shown_progress() as on_progress:
        page = profile_file(
            leads,
            out,
            load(config, set_, {"--encoding": ("leads.encoding", encoding)}, allow),
            title_column=title_column,
            with_tokens=tokens,
            force=force,
            on_progress=on_progress,
            announce=announce,
        )
    announce(f"Open {page}; tables and plots lie beside it.")


@app.command("clean")
def clean_verb(
    leads: Annotated[Path, typer.Argument(help="CSV, gzipped CSV or Parquet with a column of titles.")],
    out: Annotated[Path, typer.Option(help="File to write: .csv, .csv.gz or .parquet; the reports go beside it.")],
    title_column: TitleColumn = None,
    encoding: Encoding = None,
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    force: Force = False,
) -> None:
    """Clean leads step by step, with a ledger, every dropped record in quarantine, and reports on what is left.

    Only the title is required. Columns are named in the config under leads.columns, steps are chosen under clean.

    Example: python -m harness clean leads.csv --out clean.parquet --set clean.english_only=false
    """
    from harness.cli.console import announce, show_table, shown_progress
    from harness.data.lead_files import clean_file

    with shown_progress() as on_progress:
        done = clean_file(
            leads,
            out,
            load(config, set_, {"--encoding": ("leads.encoding", encoding)}, allow),
            title_column=title_column,
            force=force,
            on_progress=on_progress,
            announce=announce,
        )
    show_table(done.ledger)
    announce(
        f"Kept {counted(done.n_kept, 'record')}, written to {out}; in quarantine: {done.n_quarantined:,}. "
        f"Ledger, quarantine and reports: {done.report}."
    )


@app.command("study")
def study_verb(
    out: Annotated[
        Path, typer.Option(help="Markdown file to write; one that this verb has written is replaced.")
    ] = Path("results/reference/simulated_vs_study.md"),
    records: Annotated[
        list[int] | None,
        typer.Option(min=1, max=_MOST, help="Number of leads; repeatable, 60000 and 1600000 by default."),
    ] = None,
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    force: Force = False,
) -> None:
    """Set simulated leads beside the published figures that they have to stand up to.

    Example: python -m harness study --records 60000 --out study.md
    """
    from harness.cli.console import announce, shown_progress
    from harness.data.lead_files import study_file

    with shown_progress() as on_progress:
        missed = study_file(out, load(config, set_, allow=allow), records=records, force=force, on_progress=on_progress)
    announce(f"Written to {out}; {counted(missed, 'figure')} out of bounds.")


app.command("predict")(predict_verb)
app.command("explain")(explain_verb)
app.command("export")(export_verb)
app.command("audit")(audit_verb)
app.command("diff")(diff_verb)
app.add_typer(suggest, name="suggest")
app.add_typer(hierarchy, name="hierarchy")


def main() -> None:
    """Run the command; bad input becomes one message and exit code 2."""
    try:
        app()
    except BadInput as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
