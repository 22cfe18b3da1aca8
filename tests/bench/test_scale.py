"""The data floor at the size of the study, and at twice it: seconds and peak memory of whole commands.

Every command is a process of its own, so that its peak is its own. The peer of a size is the size half as large in the
same run: doubling the records may at most double both.

    python -m pytest tests/bench/test_scale.py -o addopts= -s
"""

import sys
from pathlib import Path

import pytest

from data_cleaning.progress import silent
from data_cleaning.simulate.study import STUDY_RECORDS
from harness.data.published_study import compare_with_study
from harness.experiment.config_file import load_config
from tests.bench.commands import ROOT, Cost, cost_of

SIMULATE_SECONDS, SIMULATE_GB = 90, 3
CLEAN_SECONDS, CLEAN_GB = 120, 4


def measured_by(benchmark, *arguments: object) -> Cost:
    cost = benchmark.pedantic(cost_of, args=arguments, rounds=1)
    benchmark.extra_info["gigabytes"] = cost.gigabytes
    sys.stdout.write(f"\n{arguments[0]}: {cost.seconds:.1f} s, {cost.gigabytes:.2f} GB\n")
    return cost


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("scale")


def leads_of(folder: Path, n_records: int) -> Path:
    path = folder / f"leads_{n_records}.parquet"
    if not path.exists():
        cost_of("simulate", "--records", n_records, "--out", path)
    return path


def test_simulating_the_studys_records(benchmark, folder):
    cost = measured_by(benchmark, "simulate", "--records", STUDY_RECORDS, "--out", folder / "simulated.csv.gz")
    assert cost.seconds < SIMULATE_SECONDS
    assert cost.gigabytes < SIMULATE_GB


def test_simulated_leads_reproduce_the_figures_of_the_study_at_its_size():
    config = load_config(ROOT / "configs" / "default.yaml")
    figures = compare_with_study(config, [STUDY_RECORDS], silent)[STUDY_RECORDS]
    assert [figure for figure in figures if figure.holds is False] == []


def test_cleaning_the_studys_records_and_twice_as_many(benchmark, folder):
    costs = {}
    for n_records in (STUDY_RECORDS, 2 * STUDY_RECORDS):
        leads, out = leads_of(folder, n_records), folder / f"clean_{n_records}.parquet"
        if n_records == STUDY_RECORDS:
            costs[n_records] = measured_by(benchmark, "clean", leads, "--out", out)
        else:
            costs[n_records] = cost_of("clean", leads, "--out", out)
    one, two = costs.values()
    ratios = f"{two.seconds / one.seconds:.2f} x the seconds, {two.gigabytes / one.gigabytes:.2f} x the memory"
    sys.stdout.write(f"\nclean, twice the records: {ratios}\n")
    assert one.seconds < CLEAN_SECONDS
    assert one.gigabytes < CLEAN_GB
    assert two.seconds < 2 * one.seconds
    assert two.gigabytes < 2 * one.gigabytes
