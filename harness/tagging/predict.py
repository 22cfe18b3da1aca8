"""Tag a file: its own columns in their order, and a label and a confidence per target beside them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import yaml

from data_cleaning.errors import BadInput, first_few, unknown
from data_cleaning.finding_columns import find_title
from data_cleaning.leads import read_table, require_text
from data_cleaning.normalise import normalise_titles
from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.config import LABELS, REVIEWED
from harness.predicting import predict_titles
from harness.run import CONFIG, RUN_FACTS, TAXONOMY, model_folder
from harness.store import is_unfinished, whole_file
from harness.systems import SYSTEMS, load_system
from harness.table_files import check_columns, check_table, write_table

_BLOCKS = (*(f"{labels}{REVIEWED}" for labels in LABELS), *LABELS)
"""What a model may have learned from, the best first: reviewed titles are worth most, then labels as recorded."""


@dataclass(frozen=True)
class Tagged:
    """What was tagged, and by what."""

    n_rows: int
    n_titles: int
    n_blank: int
    model: str
    notes: tuple[str, ...]
    """What of the file is not in the output."""


def predict_file(
    leads: Path,
    out: Path,
    *,
    system: str,
    run_folder: Path | None,
    results: Path,
    title_column: str | None,
    encoding: str,
    force: bool,
    on_progress: Progress,
) -> Tagged:
    """Write `out`: every row and column of `leads`, then a label and a confidence per target.

    A row without a title gets no label. A Parquet file's columns keep their types.

    Raises:
        BadInput: a file is missing, exists already, cannot be read or cannot be written; no run holds the system; no
            column of titles, or columns that the output cannot hold.
    """
    if system not in SYSTEMS:
        raise unknown("system", system, SYSTEMS)
    check_table(out, leads, force=force)
    chosen = run_folder or newest_run(results, system)
    model = fitted_model(chosen, system)
    taxonomy = Taxonomy.read(chosen / TAXONOMY)
    table = read_table(leads, encoding)
    frame = table.frame
    column = title_column or _configured_title(chosen)
    column = find_title(frame.columns, column, leads, asked_for=title_column is not None)
    require_text(frame.select(column), leads)
    check_columns(frame, leads, out)
    added = {name for target in taxonomy.names for name in (target, f"{target}_confidence")}
    if taken := sorted(added & set(frame.columns)):
        raise BadInput(f"{leads} already has columns that would be added: {first_few(taken)}. Rename or drop them.")

    titles = normalise_titles(frame[column].cast(pl.String)).fill_null("")
    named = titles != ""
    row_of_title, distinct = pd.factorize(titles.filter(named).to_numpy())
    step = f"tagging with {system}"
    predictions = predict_titles(load_system(system, model), distinct.tolist(), taxonomy, step, on_progress)
    positions = np.full(len(frame), len(distinct))  # (n_rows,); past the last title: no answer
    positions[named.to_numpy()] = row_of_title
    tagged = frame.hstack(_answers(predictions)[positions])
    assert len(tagged) == len(frame), "tagging must not add or lose a row"
    with whole_file(out) as filling:
        write_table(tagged, filling)
    return Tagged(len(frame), len(distinct), int((~named).sum()), str(model), table.notes)


def _answers(predictions: Predictions) -> pl.DataFrame:
    """Return a label and a confidence per target for each title, and a last row of nulls for no title."""
    columns = {}
    for target in predictions.taxonomy.targets:
        labels = [target.classes[code] for code in predictions.verdicts(target.name)]
        columns[target.name] = pl.Series([*labels, None], dtype=pl.String)
        confidences = predictions.confidences(target.name).astype(np.float64).round(4)
        columns[f"{target.name}_confidence"] = pl.Series([*confidences.tolist(), None], dtype=pl.Float64)
    return pl.DataFrame(columns)


def newest_run(results: Path, system: str) -> Path:
    """Return the newest run that has a fitted system.

    Raises:
        BadInput: there is none.
    """
    runs = sorted(results.glob(f"*/{RUN_FACTS}"), key=lambda facts: facts.stat().st_mtime, reverse=True)
    for facts in runs:
        if not is_unfinished(facts.parent) and any(facts.parent.glob(f"models/*/*/{system}")):
            return facts.parent
    raise BadInput(
        f"No run under {results.resolve()} has a fitted {system!r}. Make one with 'python -m harness run all'."
    )


def fitted_model(run_folder: Path, system: str) -> Path:
    """Return the model of a run that learned from most: split by record, reviewed titles included where there were any.

    A run may have learned from several kinds of labels; recorded ones are preferred.

    Raises:
        BadInput: the folder is no run, or the run has no such system.
    """
    if not (run_folder / RUN_FACTS).is_file():
        raise BadInput(f"{run_folder} is no run folder (it has no {RUN_FACTS}). Give one that 'run' has written.")
    for by in ("record", "title"):
        for block in _BLOCKS:
            folder = model_folder(run_folder, by, block, system)
            if folder.is_dir():
                return folder
    held = sorted({place.name for place in run_folder.glob("models/*/*/*")})
    raise BadInput(f"{run_folder} has no fitted {system!r}; it has {', '.join(held)}.")


def _configured_title(run_folder: Path) -> str:
    return str(yaml.safe_load((run_folder / CONFIG).read_text(encoding="utf-8"))["leads"]["columns"]["title"])
