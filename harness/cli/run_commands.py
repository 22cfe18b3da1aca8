"""The verbs that run experiments: run and search; and new-system, for a system of your own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_cleaning.errors import BadInput, counted, unknown
from data_cleaning.progress import silent
from harness.cli.options import Allow, Config, Overrides, Quiet, Results, load
from harness.experiment.systems import MINED, SYSTEMS

if TYPE_CHECKING:
    from harness.experiment.run import Run

_ALL, _MINE = ("all", "report"), "mine"
_SHOWN, _SHOWN_AFTER_MINING = ("verdict",), ("mined_lift",)
_MAX_WARNINGS, _MAX_WARNING = 3, 160
"""How many warnings of a run are printed, and how many characters of each; its page has them whole."""


def run_verb(
    what: Annotated[str, typer.Argument(help=f"all, report, mine, or one system: yours or {', '.join(SYSTEMS)}.")],
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of this run. By default results/<config>-<fingerprint>.")
    ] = None,
    results: Results = Path("results"),
    tables: Annotated[
        str | None,
        typer.Option(
            help="Tables to print too: all, or names with commas, such as summary,golden. See docs/SCORES.md."
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Fit systems that depend on a seed with so many, on one split; table seeds."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Processes that make stages at the same time. By default 2 if two networks are to be fitted."
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run every stage again and replace the run folder.")] = False,
    quiet: Quiet = False,
) -> None:
    """Take leads all the way to a verdict: clean, split, fit, predict and score.

    `all` runs every system of the config and prints which one to use. `report` does the same and prints every table, as
    --tables all does. `mine` runs what is needed to mine the keyword table. The name of a system runs that one alone.
    Stages that are already finished are reused.

    Example: python -m harness run all --config configs/smoke.yaml --set neural.epochs=2
    """
    from harness.cli.console import announce, shown_progress
    from harness.experiment.run import run

    chosen = MINED if what == _MINE else what
    named = [*SYSTEMS[chosen].run_with, chosen] if chosen in SYSTEMS else []
    alone = [f"systems=[{','.join(named)}]", "own_systems={}"] if named else []
    settings = load(config, [*(set_ or ()), *alone], allow, options={"--seeds": ("seeds", seeds)})
    own = {name: system.own for name, system in settings.all_systems.items() if system.own is not None}
    if what in own:
        own = {what: own[what]}
        its_settings = {name: given for name, given in settings.own_systems.items() if name == what}
        settings = settings.model_copy(update={"systems": (own[what],), "own_systems": its_settings})
    elif what not in (*_ALL, _MINE, *SYSTEMS):
        raise unknown("run", what, [*_ALL, _MINE, *SYSTEMS, *own])
    for system in own.values():
        announce(f"Running {system.path.name} …")
    with shown_progress() as on_progress:
        finished = run(
            settings,
            results=results,
            out=out,
            fresh=fresh,
            on_progress=on_progress,
            announce=announce,
            jobs=jobs,
        )
    shown = {*(_SHOWN_AFTER_MINING if what == _MINE else _SHOWN), *(tables or "").split(",")}
    _tell(finished, None if what == "report" or tables == "all" else shown)


def _tell(finished: "Run", shown: set[str] | None) -> None:
    """Print what a finished run has to say, with the tables of these names, or all of them for None."""
    from data_cleaning.report_table import cut
    from harness.cli.console import announce, by_step, print_line, show_table, warn

    if finished.reused:
        made = f"made {by_step(finished.made)}" if finished.made else "nothing had changed"
        announce(f"Reused finished stages: {by_step(finished.reused)}; {made}.")
    for note in finished.notes:
        announce(note)
    for warning in finished.warnings[:_MAX_WARNINGS]:
        warn(cut(warning, _MAX_WARNING))
    if finished.warnings:
        announce(f"report.html has {counted(len(finished.warnings), 'warning')} in full, under Data.")
    if finished.verdict is None:
        print_line("A floor is never a system to use, and this run has no other.")
    else:
        for line in (finished.verdict.headline, *finished.verdict.reasons):
            print_line(line)
        print_line("")
    _check_names(shown or set(), [table.name for table in finished.tables])
    for table in finished.tables:
        if shown is None or table.name in shown:
            show_table(table, grouped=table.name != "verdict")
    mined = " suggestions.xlsx," if (finished.folder / "suggestions.xlsx").exists() else ""
    print_line(f"All results are in {finished.folder}: report.html to read,{mined} tables/, scores.json for programs.")
    print_line(
        "Next: 'title-harness predict leads.xlsx --out tagged.xlsx' follows this verdict, 'review pick' chooses titles "
        "to label, 'run report' prints every table."
    )


def _check_names(shown: set[str], names: list[str]) -> None:
    for name in shown.difference(names, _SHOWN, _SHOWN_AFTER_MINING, [""]):
        raise unknown("table", name, names)


def search_verb(
    config: Config = None,
    set_: Overrides = None,
    allow: Allow = None,
    by: Annotated[str | None, typer.Option(help="Split to search on: record or title. By default the first.")] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Number of fits in all, earlier ones included.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Start no further trial after this many minutes.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of this search. By default results/search-<config>-<fingerprint>.")
    ] = None,
    results: Results = Path("results"),
    quiet: Quiet = False,
) -> None:
    """Search for settings of the network with better validation accuracy; the test part is never read.

    A search that was stopped or killed resumes when it is called again. It ends with the settings of the best trial.

    Example: python -m harness search --trials 20 --minutes 60 --set "search.space={epochs: [2, 6], dropout: [0, 0.3]}"
    """
    from harness.cli.console import announce, print_line, show_table, shown_progress
    from harness.experiment.search import search
    from harness.experiment.search_results import set_arguments

    options = {
        "--by": ("split.by", None if by is None else [by]),
        "--trials": ("search.trials", trials),
        "--minutes": ("search.minutes", minutes),
    }
    settings = load(config, set_, allow, options=options)
    with shown_progress() as on_progress:
        found = search(settings, results=results, out=out, on_progress=on_progress, announce=announce)
    show_table(found.table)
    announce(f"All trials and the best settings are in {found.folder}: trials.csv, best.yaml.")
    own, best = found.own, found.best
    print_line(
        f"Best on validation is trial {best.number} with {best.score:.4f}; the config's own settings: {own.score:.4f}."
    )
    print_line(" ".join(set_arguments(found.changes)) or "No trial was better than the config's own settings.")


def new_system_verb(
    name: Annotated[str | None, typer.Argument(help="Name of the system; NAME.py is written here.")] = None,
    check: Annotated[str | None, typer.Option(help="Check a class instead: file.py:Class. This runs the file.")] = None,
    quiet: Quiet = False,
) -> None:
    """Write a file with a small system of your own that works, or check that a class keeps every promise of a system.

    A config lists the class as file.py:Class under systems, and gives its settings under own_systems.

    Example: python -m harness new-system my_knn
    """
    from harness.cli.console import announce, print_line
    from harness.experiment.own_systems import OwnSystem, write_new
    from harness.experiment.system_contract import CHECKS, check_system

    if (name is None) == (check is None):
        raise BadInput("new-system takes a NAME to write, or --check file.py:Class; give one of them.")
    if name is not None:
        new = write_new(name, Path())
        listed = f"{new.path}:{new.class_name}"
        announce(f"Written to {new.path}. List it in a config as {listed}; check it with:")
        print_line(f"python -m harness new-system --check {listed}")
        return
    own = OwnSystem.parse(check or "")
    announce(f"Running {own.path.name} …")
    found = own.find_class()
    faults = check_system(lambda: found(**own.arguments({}, 0, silent)), found.load)
    if faults:
        raise BadInput("\n".join([f"{check} breaks a promise:", *(f"- {what}: {why}" for what, why in faults.items())]))
    print_line(f"{check} keeps all {len(CHECKS)} promises of a system.")
