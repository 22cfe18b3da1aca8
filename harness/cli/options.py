"""Options that several verbs share, and the config that they are read with."""

import importlib.metadata
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from data_cleaning.errors import BadInput

if TYPE_CHECKING:
    from harness.experiment.config import RunConfig
    from harness.scale.cluster import RayOptions

_DEFAULT = Path("configs/default.yaml")


WITH_REJECTS = 3
"""Exit code: everything is done, except for rows of the leads that could not be read and are set aside."""

INTERRUPTED = 130
"""Exit code: a person stopped the work."""


@contextmanager
def told_if_interrupted(spread: "RayOptions | None", local: str) -> Iterator[None]:
    """Say what is kept where a person stops the work, and end the verb with the code that says so."""
    try:
        yield
    except KeyboardInterrupt:
        from harness.cli.console import announce

        kept = local if spread is None else "The same command with --resume keeps the parts that are finished."
        announce(f"Interrupted. {kept}")
        raise typer.Exit(INTERRUPTED) from None


def exit_with_rejects(rejects: Path | None) -> None:
    """Name the file of what could not be read, and end the verb with the code that says so; do nothing for None."""
    if rejects is not None:
        from harness.cli.console import announce

        announce(f"What could not be read is in {rejects}.")
        raise typer.Exit(WITH_REJECTS)


def _be_quiet(quiet: bool) -> None:
    if quiet:
        from harness.cli.console import silence

        silence()


LeadsFile = Annotated[
    Path, typer.Argument(help="CSV, gzipped CSV, Parquet or XLSX with a column of titles; - reads standard input.")
]
Config = Annotated[
    Path | None,
    typer.Option(
        help="YAML file with the settings. By default configs/default.yaml, of the current folder or else the project."
    ),
]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="Override one setting: key=value. Repeatable.")]
Allow = Annotated[
    list[Path] | None,
    typer.Option(
        "--allow",
        metavar="DIR",
        help="Another folder that paths in the config may lead to, besides its own and the current one. Repeatable.",
    ),
]
TitleColumn = Annotated[str | None, typer.Option(help="Name of the column of titles.")]
Encoding = Annotated[str | None, typer.Option(help="Encoding of a CSV file. By default the config's.")]
DetectedEncoding = Annotated[str | None, typer.Option(help="Encoding of a CSV file. By default it is detected.")]
Sheet = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Sheet of an XLSX file; 'all' joins those with equal headers. By default chosen."
    ),
]
HeaderRow = Annotated[
    int | None,
    typer.Option(min=1, help="Line or row that names the columns, from 1. By default it is found."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing output.")]
Raw = Annotated[
    bool, typer.Option("--raw", help="Write text that a spreadsheet would run as a formula as it is, unescaped.")
]
Engine = Annotated[
    Literal["local", "ray"],
    typer.Option(
        help="Where the work is done: 'ray' spreads it over a Ray cluster, reads folders too, and writes a folder of "
        "Parquet parts (docs/SCALING.md)."
    ),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="With --engine ray: processes that work. By default one for each core.")
]
WorkerGpus = Annotated[float, typer.Option(min=0, help="With --engine ray: GPUs of each worker, such as 1 or 0.5.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="With --engine ray: keep the parts that an interrupted call has finished.")
]
Results = Annotated[Path, typer.Option(help="Folder of all runs and of finished stages.")]
RunFolder = Annotated[
    Path | None,
    typer.Option(
        "--run", help="Folder of a run. By default the newest under results/, one judged on real titles first."
    ),
]
ExportedFolder = Annotated[
    Path | None, typer.Option("--model", help="Folder that 'export' wrote, in place of a run folder.")
]
HierarchyFile = Annotated[
    Path | None,
    typer.Option(
        help="YAML file of the hierarchy, or 'none'. By default the exported folder's own; for a run, "
        "configs/hierarchy.yaml of the current folder or of the project, if it speaks of the run's targets."
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print only results and errors, no progress.", callback=_be_quiet)
]


def ray_options(engine: str, workers: int | None, resume: bool, force: bool, gpus: float = 0) -> "RayOptions | None":
    """Return how a job is spread over a Ray cluster; None for the local engine, which has no such options.

    Raises:
        BadInput: an option is given to the other engine, or two of them exclude each other.
    """
    if engine == "local":
        for option, given in {"--workers": workers, "--resume": resume, "--worker-gpus": gpus}.items():
            if given:
                raise BadInput(f"{option} is for --engine ray; on one machine, leave it out.")
        return None
    from harness.scale.cluster import RayOptions

    if resume and force:
        raise BadInput("--resume and --force exclude each other: one keeps finished parts, the other removes them.")
    return RayOptions(workers=workers, gpus=gpus, resume=resume)


def escaped_cells(n_escaped: int) -> list[str]:
    """Say how many cells were made safe, in no line or one."""
    if not n_escaped:
        return []
    cells = "1 cell begins" if n_escaped == 1 else f"{n_escaped:,} cells begin"
    return [f"{cells} like a formula, and got an apostrophe so that no spreadsheet runs it; --raw leaves that out."]


def load(
    config: Path | None,
    set_: list[str] | None,
    allow: list[Path] | None = None,
    encoding: str | None = None,
    options: Mapping[str, tuple[str, Any]] | None = None,
    *,
    sheet: str | None = None,
    header_row: int | None = None,
) -> "RunConfig":
    """Read the config that a verb was given, or the default one, and apply overrides and options to it.

    Paths in the file may lead to its own folder, to the current one, and to those of `allow`.
    """
    from harness.cli.console import warn
    from harness.experiment.config import PROJECT_CONFIGS
    from harness.experiment.config_file import OldSetting, load_config

    if config is None:
        config = _DEFAULT if _DEFAULT.exists() else PROJECT_CONFIGS / _DEFAULT.name
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", OldSetting)
        given = {
            "--encoding": ("leads.encoding", encoding),
            "--sheet": ("leads.sheet", sheet),
            "--header-row": ("leads.header_row", header_row),
            **(options or {}),
        }
        loaded = load_config(config, set_ or (), options=given, allowed=allow or ())
    for warning in caught:
        warn(str(warning.message))
    return loaded


def print_version(asked: bool) -> None:
    """Print the version of the installed project and stop."""
    if asked:
        typer.echo(f"title-harness {importlib.metadata.version('title-harness')}")
        raise typer.Exit
