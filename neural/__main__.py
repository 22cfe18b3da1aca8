"""Fine-tune the network alone, on a machine that has torch and little else, in one process or in several.

    python -m neural train.csv valid.csv --taxonomy taxonomy.yaml --settings settings.yaml --out model
    torchrun --nproc-per-node 2 -m neural train.csv valid.csv --taxonomy taxonomy.yaml --out model

The files hold `title`, a label per target and optionally `count`, `weight` and `source`; the settings are those of
`neural.neural_settings`. A killed training goes on from the checkpoints beside the output, once it is started again.
"""

import argparse
import os
import sys
from pathlib import Path

import pandas as pd

from data_cleaning.errors import BadInput, unknown
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import LabelledTitles
from data_cleaning.yaml_files import Faults, read_yaml
from neural.classifier import NeuralClassifier
from neural.neural_settings import NeuralSettings
from neural.training_log import log_table


def main(arguments: list[str] | None = None) -> None:
    """Train, save and print the log; bad input becomes one message and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m neural", description="Fine-tune the network alone.")
    parser.add_argument("train", type=Path, help="CSV with title, a label per target, optionally count")
    parser.add_argument("valid", type=Path, help="the same, to choose the epoch by")
    parser.add_argument("--taxonomy", type=Path, required=True, help="YAML file with the targets")
    parser.add_argument(
        "--settings", type=Path, help="YAML file with settings of the network; the defaults without one"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the fitted network")
    parser.add_argument("--seed", type=int, default=17)
    given = parser.parse_args(arguments)
    try:
        _run(given)
    except BadInput as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)


def _run(given: argparse.Namespace) -> None:
    taxonomy = Taxonomy.read(given.taxonomy)
    train, valid = (_read(path, taxonomy) for path in (given.train, given.valid))
    leads = os.environ.get("RANK", "0") == "0"
    system = NeuralClassifier(
        _settings(given.settings), given.seed, checkpoints=given.out.with_name(f"{given.out.name}_checkpoints")
    )
    system.fit(train, valid)
    if leads:
        system.save(given.out)
        print(log_table(system.log_, system.summary_["best_epoch"]))  # noqa: T201


def _read(path: Path, taxonomy: Taxonomy) -> LabelledTitles:
    """Read labelled titles.

    Raises:
        BadInput: the file is missing, is no CSV, or lacks a column.
    """
    try:
        # A title such as "NA" or "null" is what somebody typed.
        frame = pd.read_csv(path, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as a CSV file of labelled titles: {error}") from None
    for name in ("title", *taxonomy.names):
        if name not in frame:
            raise unknown(f"{path}: column", name, map(str, frame.columns))
    return LabelledTitles.from_frame(frame, taxonomy, None if "source" in frame else "legacy")


def _settings(path: Path | None) -> NeuralSettings:
    """Read settings of the network.

    Raises:
        BadInput: the file is missing, or holds something else than settings.
    """
    if path is None:
        return NeuralSettings()
    file = read_yaml(path, "settings file", "It holds settings such as 'epochs: 3'.")
    faults = Faults(file)
    faults.unknown_keys((), list(NeuralSettings.__dataclass_fields__))
    faults.raise_any()
    return NeuralSettings(**file.content)


if __name__ == "__main__":
    main()
