"""Stage `clean`: the cleaning steps, their ledger and what they set aside."""

from pathlib import Path

import polars as pl

from data_cleaning.clean import CleanSettings, clean_leads, equal_rows
from data_cleaning.progress import Progress
from data_cleaning.taxonomy import Taxonomy
from harness.experiment.stages.stage_files import CLEAN, CLEAN_TEST, LEADS, LEDGER, ROWS, TEST_LEADS, TEST_ROWS


def clean(settings: CleanSettings, taxonomy: Taxonomy, leads_folder: Path, folder: Path, on_progress: Progress) -> None:
    """Clean the leads and, where there is one, the test file apart."""
    ledgers = []
    files = ((LEADS, CLEAN, ROWS, "leads"), (TEST_LEADS, CLEAN_TEST, TEST_ROWS, "test file"))
    for source, target, rows, name in files:
        if (leads_folder / source).exists():
            cleaned = clean_leads(pl.read_parquet(leads_folder / source), taxonomy, settings, on_progress)
            cleaned.kept.write_parquet(folder / target)
            equal_rows(cleaned.kept, taxonomy.names).write_parquet(folder / rows)
            cleaned.quarantined.write_csv(folder / f"quarantine_{name.replace(' ', '_')}.csv")
            ledgers.append(cleaned.ledger.select(pl.lit(name).alias("file"), pl.all()))
    pl.concat(ledgers).write_parquet(folder / LEDGER)
