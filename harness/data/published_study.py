"""What the verb `study` does: compare simulated leads with the study's published figures."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import polars as pl

from data_cleaning.errors import BadInput
from data_cleaning.files.output_places import check_file
from data_cleaning.files.whole_files import whole_file
from data_cleaning.progress import Progress
from data_cleaning.simulate.simulated_leads import COLUMNS, SimulatedLeads
from data_cleaning.simulate.study import STUDY_RECORDS, Figure, study_figures
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.config import RunConfig
from harness.experiment.stages.obtain_leads import simulate

STUDY_HEADING = "# Simulated leads beside the study"
"""First line of every page that `study` writes, by which it knows a page that it may replace."""
MIN_RECORDS = 1000
_HOLDS = {True: " ✓", False: " ✗", None: ""}


def study_file(
    out: Path, config: RunConfig, *, records: Sequence[int] | None, force: bool, on_progress: Progress
) -> int:
    """Write the page that compares simulated leads with the study's figures, and return how many are out of bounds.

    Args:
        out: Markdown file; one that this verb wrote before is replaced.
        config: with a section `leads.simulate` that writes titles of its own.
        records: numbers of leads; None takes 60,000 and the study's own.
        force: whether any other existing file may be replaced.
        on_progress: called during the slow steps.

    Raises:
        BadInput: the file cannot be written or this verb did not write it; the config simulates no such leads.
    """
    check_file(out, None, force=force or _is_study_page(out))
    figures = compare_with_study(config, list(records or (60_000, STUDY_RECORDS)), on_progress)
    with whole_file(out) as filling:
        filling.write_text(study_page(figures, config), encoding="utf-8")
    return sum(figure.holds is False for of_size in figures.values() for figure in of_size)


def _is_study_page(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as opened:
            return opened.readline(1000).rstrip() == STUDY_HEADING
    except (OSError, UnicodeDecodeError):
        return False


def compare_with_study(config: RunConfig, sizes: Sequence[int], on_progress: Progress) -> dict[int, list[Figure]]:
    """Simulate leads by a config's tagging history and measure the study's figures, for each number of leads.

    Raises:
        BadInput: the config simulates no leads from the title grammar, a table is at fault, or a size is below
            `MIN_RECORDS`.
    """
    for n_records in sizes:
        if n_records < MIN_RECORDS:
            raise BadInput(
                f"{n_records} leads are too few to measure growth; expected --records of at least {MIN_RECORDS}."
            )
    settings = config.leads.simulate
    if settings is None or settings.titles is not None:
        raise BadInput(
            f"The config {config.name} does not simulate titles; use one that does, such as configs/default.yaml."
        )
    taxonomy = Taxonomy.read(config.taxonomy)
    sized = {n_records: settings.model_copy(update={"records": n_records}) for n_records in sizes}
    return {
        n_records: study_figures(as_leads(simulate(one, config.seed, taxonomy, on_progress)), taxonomy)
        for n_records, one in sized.items()
    }


def as_leads(made: SimulatedLeads) -> pl.DataFrame:
    """Rename the columns of simulated leads as `leads.read_leads` does."""
    names = {"Title": "title", "Country": "country", **{column: target for target, column in COLUMNS.items()}}
    return made.leads.rename(names).with_columns(pl.lit(1, dtype=pl.Int64).alias("count"))


def study_table(figures: dict[int, list[Figure]]) -> pd.DataFrame:
    """Put the figures of all sizes side by side, with their bounds and a sign for those within them."""
    first = next(iter(figures.values()))
    table = {"figure": [figure.name for figure in first], "study": [figure.study for figure in first]}
    for n_records, of_size in figures.items():
        table[f"{n_records:,} leads"] = [_number(figure.measured) for figure in of_size]
        table[f"allowed at {n_records:,}"] = [_bounds(figure) + _HOLDS[figure.holds] for figure in of_size]
    return pd.DataFrame(table)


def study_page(figures: dict[int, list[Figure]], config: RunConfig) -> str:
    """Return the table as Markdown, with what a reader must know."""
    sizes = " and ".join(f"{n_records:,}" for n_records in figures)
    return (
        f"{STUDY_HEADING}\n\n"
        f"Made by `python -m harness study` with the config {config.name}, seed {config.seed}, {sizes} leads.\n"
        "Shares are of values that are not missing and of raw labels; the noise ceilings are of grouped labels.\n"
        "A dash means that the study does not give the figure, or that it has no bounds at that size: figures\n"
        "that depend on how often a title repeats have bounds only at the study's size. The study does not say\n"
        "what it counts as a word or a stop word; `data_cleaning/words.py` says what is counted here.\n\n"
        f"{study_table(figures).to_markdown(index=False, disable_numparse=True)}\n"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value > 1 else f"{value:.4f}"


def _bounds(figure: Figure) -> str:
    if figure.lowest == figure.highest:
        return "–" if figure.lowest is None else _number(figure.lowest)
    assert figure.highest is not None, "no figure has only a lower bound"
    highest = _number(figure.highest)
    return f"at most {highest}" if figure.lowest is None else f"{_number(figure.lowest)} to {highest}"
