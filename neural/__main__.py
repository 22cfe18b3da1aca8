"""Fine-tune the network alone, in one process or several, with few of the packages (docs/TRAINING.md names them).

    python -m neural train.csv valid.csv --taxonomy taxonomy.yaml --settings settings.yaml --out model
    torchrun --nproc-per-node 2 -m neural train.csv valid.csv --taxonomy taxonomy.yaml --out model

The CSV files have the columns `title`, a label per target and optionally `count`, `weight` and `source`; the settings
are those of `neural.neural_settings`. A killed training that is started again resumes from the checkpoints beside the
output.
"""

import argparse
import os
import sys
import warnings
from pathlib import Path

import pandas as pd

from data_cleaning.errors import BadInput, unknown, visible
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelledTitles
from data_cleaning.yaml_files import Faults, read_yaml, unknown_key
from neural.checkpoints import log_table
from neural.classifier import NeuralClassifier
from neural.neural_settings import REMOVED, RENAMED, NeuralSettings


def main(arguments: list[str] | None = None) -> None:
    """Train, save and print the log; bad input becomes one message and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m neural", description="Fine-tune the network alone.")
    parser.add_argument("train", type=Path, help="CSV with title, a label per target, optionally count")
    parser.add_argument("valid", type=Path, help="the same for validation, which chooses the epoch")
    parser.add_argument("--taxonomy", type=Path, required=True, help="YAML file with the targets")
    parser.add_argument(
        "--settings", type=Path, help="YAML file with settings of the network; without it, the defaults"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the fitted network")
    parser.add_argument("--seed", type=int, default=17)
    given = parser.parse_args(arguments)
    try:
        taxonomy = Taxonomy.read(given.taxonomy)
        train, valid = (_read(path, taxonomy) for path in (given.train, given.valid))
        checkpoints = given.out.with_name(f"{given.out.name}_checkpoints")
        system = NeuralClassifier(_settings(given.settings), given.seed, checkpoints=checkpoints).fit(train, valid)
        if os.environ.get("RANK", "0") == "0":
            system.save(given.out)
            print(log_table(system.log_, system.summary_["best_epoch"]))  # noqa: T201
    except BadInput as error:
        print(f"Error: {visible(str(error), keep=chr(10))}", file=sys.stderr)  # noqa: T201
        sys.exit(2)


def _read(path: Path, taxonomy: Taxonomy) -> LabelledTitles:
    try:
        # Titles such as "NA" or "null" are text, not missing values.
        frame = pd.read_csv(path, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as a CSV file of labelled titles: {error}") from None
    for name in ("title", *taxonomy.names):
        if name not in frame:
            raise unknown(f"{path}: column", name, map(str, frame.columns))
    return LabelledTitles.from_frame(frame, taxonomy, None if "source" in frame else "legacy")


def _settings(path: Path | None) -> NeuralSettings:
    if path is None:
        return NeuralSettings()
    file = read_yaml(path, "settings file", "It holds settings such as 'epochs: 3'.")
    known, settings, faults = list(NeuralSettings.__dataclass_fields__), dict(file.content), Faults(file)
    for old, new in RENAMED.items():
        if old in settings and new not in settings:
            warnings.warn(f"{file.place([old])}: {old} is now called {new}.", FutureWarning, stacklevel=2)
            settings[new] = settings.pop(old)
    for name in [name for name in settings if name not in known]:
        is_gone = name in REMOVED
        faults.add([name], f"{name!r} was removed; delete it" if is_gone else unknown_key([name], known))
    faults.raise_any()
    return NeuralSettings(**settings)


if __name__ == "__main__":
    main()
