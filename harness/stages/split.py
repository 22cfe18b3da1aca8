"""Stage `split`: clean leads and reviewed titles into train, validation and test."""

import json
from pathlib import Path

import polars as pl

from data_cleaning.leads import read_labelled
from data_cleaning.taxonomy import Taxonomy
from harness.config import RunConfig
from harness.splits import split_hash, split_rows
from harness.stages.clean import CLEAN, CLEAN_TEST

SPLIT = "split.parquet"
SPLIT_FACTS = "split.json"


def split(config: RunConfig, taxonomy: Taxonomy, by: str, clean_folder: Path, folder: Path) -> None:
    """Write the split and how much of it each part holds."""
    truth = read_labelled(config.truth, config.leads.columns, taxonomy) if config.truth else None
    reviewed = None
    if config.reviewed:
        reviewed = read_labelled(config.reviewed.path, config.leads.columns, taxonomy)
    apart = clean_folder / CLEAN_TEST
    parted = split_rows(
        equal_rows(pl.read_parquet(clean_folder / CLEAN), taxonomy),
        by=by,
        shares=(config.split.valid_share, config.split.test_share),
        seed=config.seed,
        test_rows=equal_rows(pl.read_parquet(apart), taxonomy) if apart.exists() else None,
        reviewed=reviewed,
        truth_titles=truth["title"].to_list() if truth is not None else (),
    )
    parted.write_parquet(folder / SPLIT)
    held = parted.group_by("part", "source").agg(
        pl.col("title").n_unique().alias("titles"), pl.len().alias("rows"), pl.col("count").sum().alias("records")
    )
    facts = {"by": by, "hash": split_hash(parted), "parts": held.sort("source", "part").to_dicts()}
    (folder / SPLIT_FACTS).write_text(json.dumps(facts))


def equal_rows(records: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    """Merge records of the same title and labels into rows with a `count`, in a settled order."""
    keys = ["title", *taxonomy.names]
    return records.group_by(keys).agg(pl.col("count").sum()).sort(keys)
