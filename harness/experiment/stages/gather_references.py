"""Stage `references`: what the test part of one split is scored against."""

import json
from pathlib import Path

import polars as pl

from data_cleaning.leads import read_labelled
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.config import RunConfig
from harness.experiment.stages.obtain_leads import read_truth
from harness.experiment.stages.stage_files import CEILINGS, REFERENCE_FACTS, REFERENCE_ROWS, ROWS, TEST, TEST_ROWS
from harness.scoring.references import make_references, noise_ceilings


def gather_references(
    config: RunConfig, taxonomy: Taxonomy, leads_folder: Path, clean_folder: Path, split_folder: Path, folder: Path
) -> None:
    """Write every reference that the run has for one test part, and the noise ceilings of its legacy labels."""
    test = pl.read_parquet(split_folder / TEST)
    apart = clean_folder / TEST_ROWS
    # Titles of a test file apart have their whole history in that file.
    all_rows = pl.read_parquet(apart if apart.exists() else clean_folder / ROWS)
    part = make_references(test, all_rows, _truth(config, taxonomy, leads_folder, test), taxonomy.names)
    part.rows.write_parquet(folder / REFERENCE_ROWS)
    (folder / REFERENCE_FACTS).write_text(json.dumps(part.facts))
    ceilings = noise_ceilings(part.rows.filter(pl.col("reference") == "legacy"), taxonomy.names)
    (folder / CEILINGS).write_text(json.dumps([[*key, value] for key, value in ceilings.items()]))


def _truth(config: RunConfig, taxonomy: Taxonomy, leads_folder: Path, test: pl.DataFrame) -> pl.DataFrame | None:
    if config.truth:
        labelled = read_labelled(config.truth, config.leads.columns, taxonomy, config.leads.encoding)
        return labelled.with_columns(pl.lit(1, dtype=pl.Int64).alias("count"))
    known = read_truth(leads_folder, taxonomy)
    if known is None:
        return None
    scored = test.filter(pl.col("source") == "legacy").group_by("title").agg(pl.col("count").sum())
    return scored.join(known, on="title", how="inner")
