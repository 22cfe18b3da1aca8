"""Stage `prove`: what was mined, scored once on the test part; reads tables, labels and no network."""

from pathlib import Path

import polars as pl

from data_cleaning.simulate import PLANTED
from harness.experiment.stages.mine_table import base_table, read_candidates, read_suggestions, read_tables
from harness.experiment.stages.obtain_leads import read_truth
from harness.experiment.stages.stage_files import LIFTS, PROVED_CHANGES, RECOVERY, REFERENCE_ROWS
from harness.experiment.systems import Request
from harness.mining.miner import MINED
from harness.mining.proof import lifts, prove_changes, recovery
from harness.scoring.references import REFERENCES


def prove(request: Request, leads_folder: Path, references_folder: Path, mine_folder: Path, folder: Path) -> None:
    """Write the lift of every amended table, what each change mended and, for simulated leads, planted words found.

    Args:
        request: names the config and the targets.
        leads_folder: of the leads, with their truth where they are simulated.
        references_folder: of the test part.
        mine_folder: of what was mined.
        folder: to write to.
    """
    table = base_table(request)
    rows = pl.read_parquet(references_folder / REFERENCE_ROWS)
    lifts(read_tables(mine_folder, request), table, rows, request.config.seed).to_parquet(folder / LIFTS, index=False)
    best = next(name for name in REFERENCES if (rows["reference"] == name).any())
    changes = prove_changes(table, read_suggestions(mine_folder)[MINED], rows.filter(pl.col("reference") == best))
    changes.assign(reference=best).to_parquet(folder / PROVED_CHANGES, index=False)
    truth = read_truth(leads_folder, request.taxonomy)
    if truth is not None:
        found = recovery(read_candidates(mine_folder), truth, table, PLANTED)
        found.to_parquet(folder / RECOVERY, index=False)
