"""Checks on the real titles that lie beside the checkout; skipped, and said so, where they do not."""

from pathlib import Path

import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.near_duplicates import near_duplicate_keys
from data_cleaning.progress import silent
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.cache import StageStore, fingerprints, make_stages
from harness.experiment.config_file import load_config
from harness.experiment.plan import plan

ROOT = Path(__file__).parents[3]
DATA = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real titles are not beside the checkout")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    settings = ("systems=[majority, keyword]",)
    config = load_config(ROOT / "configs" / "real.yaml", settings, allowed=[DATA])
    stages = plan(config, Taxonomy.read(config.taxonomy))
    return make_stages(
        stages, fingerprints(stages), StageStore(tmp_path_factory.mktemp("real")), lambda _: None, silent
    )


def test_the_data_beside_the_checkout_must_be_allowed():
    with pytest.raises(BadInput, match=rf"leads\.simulate\.titles = .* leads to {DATA}(?s:.*)--allow {DATA}, or"):
        load_config(ROOT / "configs" / "real.yaml", allowed=())


def test_every_real_title_keeps_its_records_through_cleaning(done):
    given = pl.read_csv(DATA / "real_titles.csv")
    assert given["count"].sum() == 105_555
    leads = pl.read_parquet(done["leads"] / "leads.parquet")
    assert leads.group_by("title").len().sort("title").rows() == given.select("title", "count").sort("title").rows()
    quarantined = pl.read_csv(done["clean"] / "quarantine_leads.csv")
    assert len(pl.read_parquet(done["clean"] / "clean.parquet")) + len(quarantined) == 105_555


@pytest.mark.parametrize("by", ["record", "title"])
def test_no_near_duplicate_of_a_labelled_title_is_learned_from(done, by):
    labelled = pl.read_csv(DATA / "labelled_titles.csv")
    learned = pl.read_parquet(done[f"split/{by}"] / "learn.parquet")
    tested = pl.read_parquet(done[f"split/{by}"] / "test.parquet")
    keys = set(near_duplicate_keys(labelled["title"]))
    assert not keys & set(near_duplicate_keys(learned["title"]))
    for rows, parts in ((learned, {"train", "valid"}), (tested, {"test"})):
        assert set(rows.filter(pl.col("source") == "reviewed")["part"]) == parts


def test_both_label_sets_are_scored_on_every_labelled_title(done):
    for block in ("legacy", "legacy+reviewed"):
        predicted = pl.read_parquet(done[f"predict/title/{block}/keyword"] / "predictions.parquet")
        assert set(pl.read_csv(DATA / "labelled_titles.csv")["title"]) <= set(predicted["title"])
