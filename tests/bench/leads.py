"""Simulated leads for benchmarks."""

from pathlib import Path

import polars as pl

from data_cleaning.grouping import group_labels
from data_cleaning.progress import silent
from data_cleaning.taxonomy import Taxonomy
from harness.data.published_study import as_leads
from harness.experiment.config import RunConfig
from harness.experiment.config_file import load_config
from harness.experiment.stages.obtain_leads import simulate

CONFIGS = Path(__file__).parents[2] / "configs"


def complete_leads(n_records: int) -> tuple[RunConfig, Taxonomy, pl.DataFrame]:
    """Return the default config, its taxonomy, and so many simulated leads, grouped, less those that lack a label."""
    config = load_config(CONFIGS / "default.yaml")
    taxonomy = Taxonomy.read(config.taxonomy)
    settings = config.leads.simulate.model_copy(update={"records": n_records})
    leads = as_leads(simulate(settings, config.seed, taxonomy, silent)).drop_nulls(["title", *taxonomy.names])
    grouped, _ = group_labels(leads.with_row_index("record"), taxonomy, taxonomy.names)
    return config, taxonomy, grouped
