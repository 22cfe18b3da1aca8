"""Stage `split`: clean leads and reviewed titles into train, validation and test."""

import json
from pathlib import Path

import polars as pl

from data_cleaning.errors import BadInput
from data_cleaning.leads import read_labelled
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.config import RunConfig
from harness.experiment.splits import ToReview, split_hash, split_rows
from harness.experiment.stages.obtain_leads import read_truth
from harness.experiment.stages.stage_files import LEARN, ROWS, SPLIT_FACTS, TEST, TEST_ROWS


def split(config: RunConfig, taxonomy: Taxonomy, by: str, leads_folder: Path, clean_folder: Path, folder: Path) -> None:
    """Write what may be learned from, what is scored, and how much of each part there is.

    Raises:
        BadInput: the train or the test part has no leads, or a part has fewer titles than are to be reviewed.
    """
    truth = read_labelled(config.truth, config.leads.columns, taxonomy, config.leads.encoding) if config.truth else None
    reviewed = to_review = None
    if config.reviewed and config.reviewed.simulate:
        labels = read_truth(leads_folder, taxonomy)
        assert labels is not None, "the config is checked to simulate leads whose truth is known"
        to_review = ToReview(n_titles=dict(config.reviewed.simulate), labels=labels)
    elif config.reviewed and config.reviewed.path:
        reviewed = read_labelled(config.reviewed.path, config.leads.columns, taxonomy, config.leads.encoding)
    apart = clean_folder / TEST_ROWS
    parted = split_rows(
        pl.read_parquet(clean_folder / ROWS),
        by=by,
        shares=(config.split.valid_share, config.split.test_share),
        seed=config.seed,
        test_rows=pl.read_parquet(apart) if apart.exists() else None,
        reviewed=reviewed,
        to_review=to_review,
        truth_titles=truth["title"].to_list() if truth is not None else (),
    )
    in_test = pl.col("part") == "test"
    parted.filter(in_test).write_parquet(folder / TEST)
    parted.filter(~in_test).write_parquet(folder / LEARN)
    for part, remedy in (("test", "a larger split.test_share"), ("train", "smaller shares for validation and test")):
        if not ((parted["part"] == part) & (parted["source"] == "legacy")).any():
            raise BadInput(
                f"Split by {by}, no lead is in the {part} part, of {parted['title'].n_unique():,} titles in all. "
                f"Give more leads, or {remedy}."
            )
    held = parted.group_by("part", "source").agg(
        pl.col("title").n_unique().alias("titles"), pl.len().alias("rows"), pl.col("count").sum().alias("records")
    )
    facts = {"by": by, "hash": split_hash(parted), "parts": held.sort("source", "part").to_dicts()}
    (folder / SPLIT_FACTS).write_text(json.dumps(facts))
