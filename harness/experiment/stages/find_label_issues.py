"""Stage `label_issues`: labels that speak against their titles, and what mending them is worth where it is known."""

from pathlib import Path

import polars as pl

from data_cleaning.consensus import WHOLE_FILE, learn_majority
from data_cleaning.label_issues import label_issue_scores, suspect_labels
from harness.experiment.label_fixes import compare_label_fixes, fold_rows, out_of_sample_probabilities
from harness.experiment.stages.stage_files import CLEAN, LABEL_FIXES, SUSPECTS, TRUTH
from harness.experiment.systems import SYSTEMS, Request


def find_label_issues(request: Request, leads_folder: Path, clean_folder: Path, folder: Path) -> None:
    """Write the suspect labels of the clean records and, for simulated leads, both ways to mend them by cause.

    The probabilities come from one system fitted on other folds of the same records; nothing that is learned here
    reaches any other stage.
    """
    section, taxonomy = request.config.label_issues, request.taxonomy
    assert section is not None, "the stage is planned only where the config has the section"
    folded = fold_rows(
        pl.read_parquet(clean_folder / CLEAN), n_folds=section.folds, by=section.by, seed=request.config.seed
    )
    system = SYSTEMS[section.system]
    probabilities = out_of_sample_probabilities(folded, taxonomy, lambda: system.build(request), request.on_progress)
    majority = learn_majority(folded, taxonomy.names, learned_from=WHOLE_FILE)
    suspects = suspect_labels(label_issue_scores(folded, probabilities, taxonomy), majority)
    suspects.write_csv(folder / SUSPECTS)
    truth = leads_folder / TRUTH
    if truth.exists() and set(taxonomy.names) <= set(pl.read_parquet_schema(truth)):
        fixes = compare_label_fixes(folded, pl.read_parquet(truth), taxonomy, probabilities)
        fixes.to_parquet(folder / LABEL_FIXES, index=False)
