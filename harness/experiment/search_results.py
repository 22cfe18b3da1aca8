"""What a search has found: its trials, ranked, as files and as a table to read."""

import io
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from data_cleaning.errors import BadInput
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

    @property
    def outcome(self) -> str:
        """The score, or why there is none, for reading."""
        return f"{self.score:.4f}" if self.fault is None else f"not fitted ({self.fault})"


def set_arguments(changes: Mapping[str, Any]) -> list[str]:
    """Return settings of the network as arguments of a command line, quoted for a shell."""
    worded = (yaml.safe_dump({f"neural.{name}": value}, width=math.inf).strip() for name, value in changes.items())
    return [f"--set {shlex.quote(line.replace(': ', '=', 1))}" for line in worded]


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """Return trials, the best first; of equally good ones the earliest comes first."""
    return sorted(trials, key=lambda trial: -trial.score)


def write_results(folder: Path, own: NeuralSettings, trials: Sequence[Trial]) -> None:
    """Write the trials as a table, and the settings of the best one."""
    in_order = ranked(trials)
    best = in_order[0]
    with whole_file(folder / TRIALS) as filling:
        _frame(in_order).to_csv(filling, index=False)
    standard = {field.name: field.default for field in fields(NeuralSettings)}
    changed = {name: value for name, value in vars(own).items() if value != standard[name]} | dict(best.settings)
    head = f"# Trial {best.number} of {len(trials)}: {best.score:.4f} on validation; the config's own settings: "
    settings = yaml.safe_dump(changed, sort_keys=False, allow_unicode=True)
    with whole_file(folder / BEST) as filling:
        filling.write_text(f"{head}{trials[0].score:.4f}.\n{settings}", encoding="utf-8")


def check_results(folder: Path, trials: Sequence[Trial]) -> None:
    """Refuse to resume a search if its stored trials are not those that `write_results` has listed.

    Raises:
        BadInput: they differ, so that one of the files was changed or damaged.
    """
    path = folder / TRIALS
    if not path.exists():
        return
    text = io.StringIO(_frame(trials).to_csv(index=False)) if trials else io.StringIO("trial\n")
    try:
        listed, stored = (pd.read_csv(file, dtype=str).set_index("trial") for file in (path, text))
        shared = listed.columns.intersection(stored.columns)
        is_same = listed[shared].equals(stored.reindex(listed.index)[shared]) and len(listed.columns) <= len(shared) + 1
    except (OSError, ValueError, KeyError):
        is_same = False
    if not is_same:
        raise BadInput(
            f"{path} does not list the trials that are stored beside it; one of the files was changed or damaged. "
            f"Remove {TRIALS} if you have changed it yourself, or choose another --out to begin again."
        )


def _frame(trials: Sequence[Trial]) -> pd.DataFrame:
    """Return one row per trial: score, accuracies in [0, 1], kept epoch, seconds, what was varied, and any fault."""
    rows = [
        {"trial": trial.number, "score": trial.score if trial.accuracies else None}
        | {f"{target} accuracy": value for target, value in trial.accuracies.items()}
        | {"best_epoch": trial.best_epoch, "seconds": round(trial.seconds, 1), **trial.settings, "why": trial.fault}
        for trial in trials
    ]
    frame = pd.DataFrame(rows).astype({"best_epoch": "Int64"})
    return frame if frame["why"].notna().any() else frame.drop(columns="why")


def trials_table(trials: Sequence[Trial], by: str) -> Table:
    """Return the trials worded for reading, the words of a heading below each other, so that a line holds them all."""
    frame = _frame(trials)
    shares = [name for name in map(str, frame) if name == "score" or name.endswith(" accuracy")]
    shown = frame.apply(lambda column: column.map(worded))
    shown[shares] = frame[shares].map(lambda share: "–" if pd.isna(share) else f"{share:.4f}")
    shown.columns = frame.columns.str.replace("[_ ]", "\n", regex=True)
    note = (
        f"Trials from the best on; trial 1 has the config's own settings. The score is the mean accuracy over the "
        f"targets on validation, split by {by}. The best of many is flattered by chance: compare it on "
        "test with 'run'."
    )
    return Table("trials", "Which settings validate best?", note, shown)


def worded(value: Any) -> str:
    """Word a setting or a measure for reading."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
