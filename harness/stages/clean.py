"""Stage `clean`: the cleaning steps, their ledger and what they set aside."""

from pathlib import Path

import polars as pl

from data_cleaning.clean import clean_leads
from data_cleaning.taxonomy import Taxonomy
from harness.stages.files import CLEAN, CLEAN_TEST, LEADS, LEDGER, ROWS, TEST_LEADS, TEST_ROWS


def clean(taxonomy: Taxonomy, leads_folder: Path, folder: Path) -> None:
    """Clean the leads and, where there is one, the test file apart."""
    ledgers = []
    files = ((LEADS, CLEAN, ROWS, "leads"), (TEST_LEADS, CLEAN_TEST, TEST_ROWS, "test file"))
    for source, target, rows, name in files:
        if (leads_folder / source).exists():
            cleaned = clean_leads(pl.read_parquet(leads_folder / source), taxonomy)
            cleaned.kept.write_parquet(folder / target)
            _equal_rows(cleaned.kept, taxonomy).write_parquet(folder / rows)
            cleaned.quarantined.write_csv(folder / f"quarantine_{name.replace(' ', '_')}.csv")
            ledgers.append(cleaned.ledger.select(pl.lit(name).alias("file"), pl.all()))
    pl.concat(ledgers).write_parquet(folder / LEDGER)


def _equal_rows(records: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    """Merge records of the same title and labels into rows with a `count`, in a settled order."""
    keys = ["title", *taxonomy.names]
    return records.group_by(keys).agg(pl.col("count").sum()).sort(keys)
