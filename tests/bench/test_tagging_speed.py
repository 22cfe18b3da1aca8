"""Tagging a file at the size of the study, beside pyarrow that reads the same file and writes the same columns.

Every command is a process of its own, from start to end; the keyword table and pyarrow take turns, and a time is that
of the median round. pyarrow is given the added columns ready to write. The systems are those of a smoke run, whose
network is as large as that of the default run. Ten million leads are tagged for their peak memory.

    python -m pytest tests/bench/test_tagging_speed.py -o addopts= -s
"""

import sys
from pathlib import Path
from statistics import median

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from data_cleaning.simulate.study import STUDY_RECORDS
from tests.bench.commands import ROOT, cost_of, cost_of_python

N_ROUNDS = 3
MAX_TIMES, MAX_GB, MANY_RECORDS = 7, 1, 10_000_000
"""Measured on 2026-11-29: 4.4 to 5.5 times pyarrow's time, which was 1.0 to 1.2 s, and .79 GB."""

PLAIN = """
import sys
import pyarrow as pa, pyarrow.csv, pyarrow.parquet
leads, added, out = sys.argv[1:]
kind = pa.parquet if leads.endswith(".parquet") else pa.csv
table = (pa.parquet.read_table if kind is pa.parquet else pa.csv.read_csv)(leads)
new = pa.ipc.open_file(pa.memory_map(added)).read_all()
for name, column in zip(new.column_names, new.columns):
    table = table.append_column(name, column)
(pa.parquet.write_table if kind is pa.parquet else pa.csv.write_csv)(table, out)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tagging")


@pytest.fixture(scope="module")
def run_folder(folder):
    """Return a run with every system."""
    cost_of("run", "all", "--config", ROOT / "configs" / "smoke.yaml", "--results", folder / "results")
    (made,) = (place.parent for place in (folder / "results").glob("*/run.json"))
    return made


def leads_of(folder: Path, n_records: int, ending: str) -> Path:
    path = folder / f"leads_{n_records}{ending}"
    if not path.exists():
        cost_of("simulate", "--records", n_records, "--out", path)
    return path


def tag(folder: Path, run_folder: Path, leads: Path, system: str):
    """Tag a file; return the cost and the output, whose companions are of no interest here."""
    out = folder / f"tagged{leads.suffix}"
    cost = cost_of("predict", leads, "--out", out, "--run", run_folder, "--system", system, "--force")
    return cost, out


def added_columns(folder: Path, leads: Path, tagged: Path) -> Path:
    """Write what tagging added where pyarrow finds it without parsing."""
    is_parquet = leads.suffix == ".parquet"
    table = pa.parquet.read_table(tagged) if is_parquet else pa.csv.read_csv(tagged)
    names = pa.parquet.read_schema(leads).names if is_parquet else pa.csv.open_csv(leads).schema.names
    added = table.select(range(len(names), table.num_columns))
    path = folder / f"added{leads.suffix}.arrow"
    with pa.ipc.new_file(path, added.schema) as opened:
        opened.write_table(added)
    return path


def plainly(folder: Path, leads: Path, added: Path):
    return cost_of_python("-c", PLAIN, leads, added, folder / f"plain{leads.suffix}")


def say(what: str, seconds: float, gigabytes: float, n_records: int, plain: float) -> None:
    rate, times = n_records / seconds, seconds / plain
    sys.stdout.write(f"\n{what}: {seconds:.1f} s, {rate:,.0f} rows/s, {gigabytes:.2f} GB, {times:.1f} x pyarrow\n")


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_the_keyword_table_tags_little_slower_than_a_file_is_copied(benchmark, folder, run_folder, ending):
    leads = leads_of(folder, STUDY_RECORDS, ending)
    added = added_columns(folder, leads, tag(folder, run_folder, leads, "keyword")[1])
    ours, plain = [], []
    for _ in range(N_ROUNDS):
        ours.append(tag(folder, run_folder, leads, "keyword")[0])
        plain.append(plainly(folder, leads, added))
    seconds, copied = (median(cost.seconds for cost in costs) for costs in (ours, plain))
    benchmark.pedantic(plainly, args=(folder, leads, added), rounds=1)
    benchmark.extra_info.update(seconds=seconds, times_pyarrow=seconds / copied)
    say(f"pyarrow plainly, {ending}", copied, max(cost.gigabytes for cost in plain), STUDY_RECORDS, copied)
    say(f"keyword, {ending}", seconds, max(cost.gigabytes for cost in ours), STUDY_RECORDS, copied)
    if ending == ".csv":
        assert seconds < MAX_TIMES * copied


@pytest.mark.parametrize("system", ["tfidf", "cascade", "hybrid", "neural"])
def test_learned_systems_tag_every_row_of_the_study(benchmark, folder, run_folder, system):
    leads = leads_of(folder, STUDY_RECORDS, ".csv")
    cost, tagged = benchmark.pedantic(tag, args=(folder, run_folder, leads, system), rounds=1)
    plain = plainly(folder, leads, added_columns(folder, leads, tagged))
    say(system, cost.seconds, cost.gigabytes, STUDY_RECORDS, plain.seconds)
    assert pa.csv.read_csv(tagged).num_rows == STUDY_RECORDS


def test_ten_million_rows_fit_into_memory(benchmark, folder, run_folder):
    leads = leads_of(folder, MANY_RECORDS, ".csv")
    cost, tagged = benchmark.pedantic(tag, args=(folder, run_folder, leads, "keyword"), rounds=1)
    benchmark.extra_info["gigabytes"] = cost.gigabytes
    plain = plainly(folder, leads, added_columns(folder, leads, tagged))
    say("keyword, ten million rows", cost.seconds, cost.gigabytes, MANY_RECORDS, plain.seconds)
    assert cost.gigabytes < MAX_GB
