"""The steps of a run: functions of `(settings, inputs, out, on_progress)`.

A stage is given the settings that it reads and nothing else; they are its fingerprint, together with its sources and
the stages that it needs. `inputs` are the folders of those, by role. Modules are divided so that a changed source
reruns little more than the stages that it touches. What the stages call their files is listed here.
"""

from collections.abc import Mapping
from pathlib import Path

Folders = Mapping[str, Path]
"""The role of a finished stage, or its name, to its folder."""

LEADS = "leads.parquet"
TEST_LEADS = "test_leads.parquet"
REJECTS = {LEADS: "rejects_leads.csv", TEST_LEADS: "rejects_test_file.csv"}
"""What could not be read of each file of leads; there is none where all could."""
TRUTH = "truth.parquet"

CLEAN = "clean.parquet"
CLEAN_TEST = "clean_test.parquet"
ROWS = "rows.parquet"
"""Clean records of the same title and labels merged, each row with its count."""
TEST_ROWS = "test_rows.parquet"
LEDGER = "ledger.parquet"
NOTES = "notes.json"
"""Of the stage leads: which columns were read, in sentences; of the stages after it: what a reader must not miss."""

SUSPECTS = "suspect_labels.csv"
LABEL_FIXES = "label_fixes.parquet"

LEARN = "learn.parquet"
"""Train and validation."""
TEST = "test.parquet"
SPLIT_FACTS = "split.json"

REFERENCE_ROWS = "references.parquet"
REFERENCE_FACTS = "references.json"
CEILINGS = "ceilings.json"

SLICES = "slices.parquet"

MODEL = "model"
FIT_FACTS = "fit.json"

PREDICTIONS = "predictions.parquet"
PREDICT_FACTS = "predict.json"

GOLDEN = "golden.parquet"
ROBUSTNESS = "robustness.parquet"
SCORES = "scores.parquet"
BY_CLASS = "by_class.parquet"
CONFUSION = "confusion.parquet"
CONFIDENCE_BINS = "confidence_bins.parquet"
SLICE_SCORES = "slice_scores.parquet"
RISK_COVERAGE = "risk_coverage.parquet"
DIFFERENCES = "differences.parquet"
ERRORS = "errors.parquet"
THREE_WAY = "three_way.parquet"
"""There is none where neither truth nor reviewed titles are known."""

MINED_TABLE = "keywords.csv"
"""The keyword table with everything that was mined."""
MINED_TABLES = "tables"
"""Folder of every amended table, numbered in the order of `MINED_SUGGESTIONS`."""
MINED_SUGGESTIONS = "suggestions.json"
MINED_CANDIDATES = "candidates.parquet"
MINED_NEARLY = "nearly.parquet"
MINE_FACTS = "mine.json"

LIFTS = "lifts.parquet"
PROVED_CHANGES = "changes.parquet"
RECOVERY = "recovery.parquet"

FAITHFULNESS = "faithfulness.parquet"
