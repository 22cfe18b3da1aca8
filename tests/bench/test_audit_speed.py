"""The audit of a keyword table at the size of the study: a whole call of the verb, in a process of its own.

1.6 million leads of 330,000 distinct titles against 1,000 keywords, held against legacy labels, consensus and truth;
reading the leads and writing the folder included. The comparison of two such tables is timed beside it.

    python -m pytest tests/bench/test_audit_speed.py -o addopts= -s
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from baselines.keyword_table import KeywordTable
from tests.bench.test_keyword_lookup import TARGETS, distinct_titles, keyword_table, leads

ROOT = Path(__file__).parents[2]
AUDIT_SECONDS, AUDIT_GB = 30, 3
CALL = """
import sys
from pathlib import Path
from data_cleaning.progress import silent
from harness.cli.table_commands import table_settings
from harness.keywords import audit_and_diff
from harness.experiment.config_file import load_config
from harness.experiment.systems import SYSTEMS
verb, *files, leads, out = sys.argv[1:]
folder = Path(leads).parent
getattr(audit_and_diff, verb)(
    *map(Path, files), table_settings(load_config(folder / "config.yaml")), leads=Path(leads), out=Path(out),
    title_column=None, force=False, on_progress=silent, announce=lambda line: None,
)
"""


def write_inputs(place: Path) -> None:
    """Write two tables, their taxonomy, labelled leads, a truth and a config into a folder."""
    table = keyword_table()
    table.to_csv(place / "old.csv")
    generator = np.random.default_rng(4)
    raised = np.where(generator.random(len(table)) < 0.1, 1.0, table.rows["priority"])
    KeywordTable(taxonomy=table.taxonomy, rows=table.rows.assign(priority=raised)).to_csv(place / "new.csv")
    (place / "taxonomy.yaml").write_text(yaml.safe_dump(table.taxonomy.to_dict(), sort_keys=False))
    config = {
        "taxonomy": "taxonomy.yaml",
        "leads": {"path": "leads.parquet", "columns": {"title": "Title", "targets": {name: name for name in TARGETS}}},
        "systems": ["keyword"],
        "keyword": {"table": "old.csv"},
        "truth": "truth.parquet",
    }
    (place / "config.yaml").write_text(yaml.safe_dump(config))
    distinct = distinct_titles()
    titles = leads(distinct)
    # A tenth of the labels are random, as if people and other tables had given them.
    labels = {}
    for name, raw in table.raw_labels(titles).items():
        other = generator.choice(table.taxonomy[name].classes, len(titles))
        labels[name] = np.where(generator.random(len(titles)) < 0.1, other, raw).tolist()
    pl.DataFrame({"Title": titles, **labels}).write_parquet(place / "leads.parquet")
    truth = {name: generator.choice(table.taxonomy[name].classes, len(distinct)).tolist() for name in TARGETS}
    pl.DataFrame({"title": distinct, **truth}).write_parquet(place / "truth.parquet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("audit")
    # In a process of its own: a child is counted at least the memory of the process that it was forked from.
    write = "import sys; from pathlib import Path; from tests.bench import test_audit_speed as bench; "
    subprocess.run(
        [sys.executable, "-c", f"{write}bench.write_inputs(Path(sys.argv[1]))", str(place)], cwd=ROOT, check=True
    )
    return place


@pytest.mark.parametrize(
    ("verb", "files", "out"),
    [("audit_file", ["old.csv"], "audit"), ("diff_files", ["old.csv", "new.csv"], "moved.csv")],
)
def test_a_verb_over_the_studys_records_takes_seconds(benchmark, folder, verb, files, out):
    arguments = [verb, *(folder / name for name in (*files, "leads.parquet", out))]

    def call() -> tuple[float, float]:
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-c", CALL, *map(str, arguments)], cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        # Linux counts kibibytes here, macOS bytes.
        return time.perf_counter() - began, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9

    seconds, gigabytes = benchmark.pedantic(call, rounds=1)
    benchmark.extra_info["gigabytes"] = gigabytes
    sys.stdout.write(f"\n{verb}: {seconds:.1f} s, {gigabytes:.2f} GB\n")
    assert (folder / out).exists()
    assert seconds < AUDIT_SECONDS
    assert gigabytes < AUDIT_GB
