"""What a search found, and how it is written and worded."""

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from data_cleaning.files.whole_files import whole_file
from data_cleaning.report_table import Table
from neural.neural_settings import NeuralSettings

TRIALS, BEST = "trials.csv", "best.yaml"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One finished trial."""

    number: int
    """From 1, which has the config's own settings; trials that were killed are not counted."""
    settings: Mapping[str, Any]
    """What is varied; the other settings are the config's own."""
    accuracies: Mapping[str, float]
    """Target to the share of right answers on validation, in [0, 1]; empty where nothing could be fitted."""
    best_epoch: int | None = None
    """The epoch that was kept, from 1."""
    seconds: float = math.nan
    """Wall time of the epochs."""
    fault: str | None = None
    """Why nothing could be fitted with these settings."""

    @property
    def score(self) -> float:
        """Mean accuracy over the targets, in [0, 1]; below any other where nothing could be fitted."""
        return float(np.mean(list(self.accuracies.values()))) if self.accuracies else -math.inf


@dataclass(frozen=True)
class Search:
    """A search that is finished, or out of time."""

    folder: Path
    table: Table
    trials: Sequence[Trial]
    """The best first, and of equally good ones the earliest."""
    own: Trial
    """The trial with the config's own settings."""

    @property
    def best(self) -> Trial:
        """The trial that validated best."""
        return self.trials[0]

    @property
    def changes(self) -> dict[str, Any]:
        """Settings of the best trial that are not the config's own."""
        return {name: value for name, value in self.best.settings.items() if value != self.own.settings[name]}


def set_arguments(changes: Mapping[str, Any]) -> list[str]:
    """Return settings of the network as arguments of a command line, quoted for a shell."""
    worded = (yaml.safe_dump({f"neural.{name}": value}, width=math.inf).strip() for name, value in changes.items())
    return [f"--set {shlex.quote(line.replace(': ', '=', 1))}" for line in worded]


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """Put the best trial first."""
    return sorted(trials, key=lambda trial: -trial.score)  # stable: the earliest of equally good ones stays in front


def write_results(folder: Path, own: NeuralSettings, trials: Sequence[Trial]) -> None:
    """Write every trial so far, and the settings of the best one; `own` are the config's."""
    in_order = ranked(trials)
    best = in_order[0]
    with whole_file(folder / TRIALS) as filling:
        _frame(in_order).to_csv(filling, index=False)
    standard = {field.name: field.default for field in fields(NeuralSettings)}
    others = {name: value for name, value in vars(own).items() if value != standard[name]}
    head = (
        f"# Trial {best.number} of {len(trials)}: {best.score:.4f} on validation; the config's own settings: "
        f"{trials[0].score:.4f}.\n"
    )
    with whole_file(folder / BEST) as filling:
        filling.write_text(
            head + yaml.safe_dump({**others, **best.settings}, sort_keys=False, allow_unicode=True), encoding="utf-8"
        )


def _frame(trials: Sequence[Trial]) -> pd.DataFrame:
    """Return one row per trial: score, accuracies in [0, 1], kept epoch, seconds, what was varied, and any fault."""
    rows = []
    for trial in trials:
        row: dict[str, Any] = {"trial": trial.number}
        if trial.accuracies:
            row |= {"score": trial.score}
            row |= {f"{target} accuracy": value for target, value in trial.accuracies.items()}
            row |= {"best_epoch": trial.best_epoch, "seconds": round(trial.seconds, 1)}
        row |= trial.settings
        if any(each.fault for each in trials):
            row["why"] = trial.fault
        rows.append(row)
    return pd.DataFrame(rows).astype({"best_epoch": "Int64"})


def trials_table(trials: Sequence[Trial], by: str) -> Table:
    """Return the trials worded for reading, the words of a heading below each other, so that a line holds them all."""
    frame = _frame(trials)
    names = [str(name) for name in frame]
    shares = [name for name in names if name == "score" or name.endswith(" accuracy")]
    shown = frame.apply(lambda column: column.map(worded))
    shown[shares] = frame[shares].map(lambda share: "–" if pd.isna(share) else f"{share:.4f}")
    shown.columns = [name.replace("_", "\n").replace(" ", "\n") for name in names]
    note = (
        f"Trials from the best on; trial 1 has the config's own settings. The score is the mean accuracy over the "
        f"targets on validation, split by {by}. The best of many is flattered by chance: compare it on "
        "test with 'run'."
    )
    return Table("trials", "Which settings validate best?", note, shown)


def worded(value: Any) -> str:
    """Word a setting for reading."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def said(trial: Trial) -> str:
    """Word what a trial came to."""
    return f"{trial.score:.4f}" if trial.fault is None else f"not fitted ({trial.fault})"
