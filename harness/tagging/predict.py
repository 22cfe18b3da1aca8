"""Tag a file: its own columns in their order, and a label and a confidence per target beside them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import yaml

from data_cleaning.errors import BadInput, first_few, unknown
from data_cleaning.leads import read_parquet, read_text_table, require_text
from data_cleaning.normalise import normalise_titles
from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.predicting import predict_titles
from harness.run import CONFIG, RUN_FACTS, TAXONOMY, model_folder
from harness.store import is_unfinished, whole_file
from harness.systems import SYSTEMS, load_system


@dataclass(frozen=True)
class Tagged:
    """What was tagged, and by what."""

    n_rows: int
    n_titles: int
    n_blank: int
    model: str


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
        BadInput: a file is missing, exists already, or cannot be read; no run holds the system; no column of titles.
    """
    if system not in SYSTEMS:
        raise unknown("system", system, SYSTEMS)
    _check_output(out, force=force)
    chosen = run_folder or newest_run(results, system)
    model = fitted_model(chosen, system)
    taxonomy = Taxonomy.read(chosen / TAXONOMY)
    frame = _read_with_types(leads, encoding)
    column = title_column or _title_column(chosen, frame.columns)
    if column not in frame.columns:
        raise BadInput(
            f"{leads}: {unknown('column', column, frame.columns)} Name the column of titles with --title-column."
        )
    require_text(frame if out.suffix == ".csv" else frame.select(column), leads)
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
        if out.suffix == ".parquet":
            tagged.write_parquet(filling)
        else:
            tagged.write_csv(filling)
    return Tagged(len(frame), len(distinct), int((~named).sum()), str(model))


def _check_output(out: Path, *, force: bool) -> None:
    """Refuse an output that exists, that cannot be written, or of an unknown kind, before any work is done."""
    if out.suffix not in (".csv", ".parquet"):
        raise BadInput(f"--out {out} ends in {out.suffix or 'nothing'!r}; expected .csv or .parquet.")
    if out.is_dir() or not out.parent.is_dir():
        raise BadInput(f"--out {out} cannot be written: expected a file in a folder that exists.")
    if out.exists() and not force:
        raise BadInput(f"{out} exists already and was left as it is. Choose another --out, or replace it with --force.")


def _read_with_types(leads: Path, encoding: str) -> pl.DataFrame:
    """Read a Parquet file as it is, and any other file as text."""
    if leads.suffix.lower() == ".parquet" and leads.is_file():
        return pl.DataFrame(read_parquet(leads))
    return read_text_table(leads, encoding=encoding)


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
    raise BadInput(f"No run under {results} has a fitted {system!r}. Make one with 'python -m harness run all'.")


def fitted_model(run_folder: Path, system: str) -> Path:
    """Return the model of a run that learned from most: split by record, reviewed titles included where there were any.

    Raises:
        BadInput: the folder is no run, or the run has no such system.
    """
    if not (run_folder / RUN_FACTS).is_file():
        raise BadInput(f"{run_folder} is no run folder (it has no {RUN_FACTS}). Give one that 'run' has written.")
    for by in ("record", "title"):
        for block in ("legacy+reviewed", "legacy"):
            folder = model_folder(run_folder, by, block, system)
            if folder.is_dir():
                return folder
    held = sorted({place.name for place in run_folder.glob("models/*/*/*")})
    raise BadInput(f"{run_folder} has no fitted {system!r}; it has {', '.join(held)}.")


def _title_column(run_folder: Path, columns: list[str]) -> str:
    configured = yaml.safe_load((run_folder / CONFIG).read_text(encoding="utf-8"))["leads"]["columns"]["title"]
    return next(
        (name for name in columns if name.strip().lower() in (configured.lower(), "title", "job title")), configured
    )
