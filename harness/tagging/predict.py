"""Tag a file: its own columns in their order, and a label and a confidence per target beside them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from data_cleaning.clean import normalise_titles
from data_cleaning.errors import BadInput, first_few, unknown
from data_cleaning.leads import read_text_table
from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from data_cleaning.titles import Predictions
from harness.run import CONFIG, RUN_FACTS, TAXONOMY, model_folder
from harness.store import whole_file
from harness.systems import SYSTEMS, load_system

_TITLES_AT_ONCE = 20_000


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
    if out.exists() and not force:
        raise BadInput(f"{out} exists already and was left as it is. Choose another --out, or replace it with --force.")
    if out.suffix not in (".csv", ".parquet"):
        raise BadInput(f"--out {out} ends in {out.suffix or 'nothing'!r}; expected .csv or .parquet.")
    chosen = run_folder or newest_run(results, system)
    model = fitted_model(chosen, system)
    taxonomy = Taxonomy.read(chosen / TAXONOMY)
    frame = (
        pl.read_parquet(leads)
        if leads.is_file() and leads.suffix == ".parquet"
        else read_text_table(leads, encoding=encoding)
    )
    column = title_column or _title_column(chosen, frame.columns)
    if column not in frame.columns:
        raise BadInput(
            f"{leads}: {unknown('column', column, frame.columns)} Name the column of titles with --title-column."
        )
    taken = sorted(
        set(frame.columns) & {name for target in taxonomy.names for name in (target, f"{target}_confidence")}
    )
    if taken:
        raise BadInput(
            f"{leads} already has columns that would be added: {first_few(taken)}. Rename or drop them first."
        )

    titles = normalise_titles(frame[column].cast(pl.String)).fill_null("")
    distinct = titles.unique(maintain_order=True).filter(pl.Series(titles.unique(maintain_order=True) != ""))
    predictions = _predict_in_chunks(distinct, system, model, taxonomy, on_progress)
    answers = pl.DataFrame({"_title": distinct})
    for target in taxonomy.targets:
        verdicts = np.array(target.classes, dtype=object)[predictions.verdicts(target.name)]
        answers = answers.with_columns(
            pl.Series(target.name, verdicts, dtype=pl.String),
            pl.Series(f"{target.name}_confidence", predictions.confidences(target.name).astype(np.float64).round(4)),
        )
    tagged = (
        frame.with_columns(titles.alias("_title"))
        .join(answers, on="_title", how="left", maintain_order="left")
        .drop("_title")
    )
    assert len(tagged) == len(frame), "tagging must not add or lose a row"
    with whole_file(out) as filling:
        if out.suffix == ".parquet":
            tagged.write_parquet(filling)
        else:
            tagged.write_csv(filling)
    return Tagged(len(frame), len(distinct), int((titles == "").sum()), str(model))


def newest_run(results: Path, system: str) -> Path:
    """Return the newest run that has a fitted system.

    Raises:
        BadInput: there is none.
    """
    runs = sorted(results.glob(f"*/{RUN_FACTS}"), key=lambda facts: facts.stat().st_mtime, reverse=True)
    for facts in runs:
        if any(facts.parent.glob(f"models/*/*/{system}")):
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
    import yaml

    configured = yaml.safe_load((run_folder / CONFIG).read_text(encoding="utf-8"))["leads"]["columns"]["title"]
    return next(
        (name for name in columns if name.strip().lower() in (configured.lower(), "title", "job title")), configured
    )


def _predict_in_chunks(
    titles: pl.Series, system: str, model: Path, taxonomy: Taxonomy, on_progress: Progress
) -> Predictions:
    """Predict distinct titles a chunk at a time, so that a person sees how far it is."""
    classifier = load_system(system, model)
    values = titles.to_numpy()
    pieces: dict[str, list[np.ndarray]] = {name: [np.zeros((0, taxonomy.n_classes(name)))] for name in taxonomy.names}
    for first in range(0, len(values), _TITLES_AT_ONCE):
        chunk = values[first : first + _TITLES_AT_ONCE]
        on_progress(f"tagging with {system}", first, len(values))
        for name, rows in classifier.predict_proba(chunk.tolist()).items():
            pieces[name].append(rows)
    on_progress(f"tagging with {system}", len(values), len(values))
    return Predictions(
        taxonomy=taxonomy, titles=values, probabilities={name: np.concatenate(rows) for name, rows in pieces.items()}
    )
