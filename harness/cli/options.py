"""Options that several verbs share, and the config that they are read with."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.experiment.systems import SYSTEMS

if TYPE_CHECKING:
    from harness.experiment.config import RunConfig

Config = Annotated[
    Path | None,
    typer.Option(help="YAML file with the settings; by default configs/default.yaml, of this folder or the project."),
]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="Override one setting: key=value. Repeatable.")]
Allow = Annotated[
    list[Path] | None,
    typer.Option(
        "--allow",
        metavar="DIR",
        help="Further folder that paths in the config may lead to, besides its own and this one. Repeatable.",
    ),
]
TitleColumn = Annotated[str | None, typer.Option(help="Name of the column of titles.")]
Encoding = Annotated[str | None, typer.Option(help="Encoding of a CSV file; by default the config's.")]
FoundEncoding = Annotated[str | None, typer.Option(help="Encoding of a CSV file; found out by default.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing output.")]
_DEFAULT = Path("configs/default.yaml")


def load(
    config: Path | None,
    set_: list[str] | None,
    options: Mapping[str, tuple[str, Any]] | None = None,
    allow: list[Path] | None = None,
) -> "RunConfig":
    """Read the config that a verb was given, or the default one, and apply overrides and options to it.

    Paths in the file may lead to its own folder, to the current one, and to those of `allow`.
    """
    from harness.experiment.config import PROJECT_CONFIGS, load_config

    if config is None:
        config = _DEFAULT if _DEFAULT.exists() else PROJECT_CONFIGS / _DEFAULT.name
    return load_config(config, set_ or (), tuple(SYSTEMS), options, allow or ())


def counted(number: int, noun: str) -> str:
    """Word a number of things: "1 row", "2,000 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
