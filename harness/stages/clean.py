"""Stage `clean`: the cleaning steps, their ledger and what they set aside."""

from pathlib import Path

import polars as pl

from data_cleaning.clean import clean_leads
from data_cleaning.taxonomy import Taxonomy
from harness.stages.files import CLEAN, CLEAN_TEST, LEADS, LEDGER, TEST_LEADS


def clean(taxonomy: Taxonomy, leads_folder: Path, folder: Path) -> None:
    """Clean the leads and, where there is one, the test file apart."""
    ledgers = []
    for source, target, name in ((LEADS, CLEAN, "leads"), (TEST_LEADS, CLEAN_TEST, "test file")):
        if (leads_folder / source).exists():
            cleaned = clean_leads(pl.read_parquet(leads_folder / source), taxonomy)
            cleaned.kept.write_parquet(folder / target)
            cleaned.quarantined.write_csv(folder / f"quarantine_{name.replace(' ', '_')}.csv")
            ledgers.append(cleaned.ledger.select(pl.lit(name).alias("file"), pl.all()))
    pl.concat(ledgers).write_parquet(folder / LEDGER)
