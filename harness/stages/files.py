"""What stages call the files that they leave to each other."""

LEADS = "leads.parquet"
TEST_LEADS = "test_leads.parquet"
TRUTH = "truth.parquet"

CLEAN = "clean.parquet"
CLEAN_TEST = "clean_test.parquet"
LEDGER = "ledger.parquet"

LEARN = "learn.parquet"
"""Train and validation."""
TEST = "test.parquet"
SPLIT_FACTS = "split.json"

REFERENCE_ROWS = "references.parquet"
REFERENCE_FACTS = "references.json"

MODEL = "model"
FIT_FACTS = "fit.json"

PREDICTIONS = "predictions.parquet"
PREDICT_FACTS = "predict.json"

SCORES = "scores.parquet"
DIFFERENCES = "differences.parquet"
