"""The simulation against the study's figures, at the size that a test can afford; the benchmarks do the study's own."""

from pathlib import Path

import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.progress import silent
from data_cleaning.simulate.study import STUDY_RECORDS, Figure, study_figures
from data_cleaning.taxonomy import Taxonomy
from harness.data.published_study import compare_with_study, study_page, study_table
from harness.experiment.config_file import load_config

ROOT = Path(__file__).parents[3]
COMMITTED = ROOT / "results" / "reference" / "simulated_vs_study.md"
SIZE = 60_000


def default_config(*overrides):
    return load_config(ROOT / "configs" / "default.yaml", overrides)


@pytest.fixture(scope="module")
def figures():
    return compare_with_study(default_config(), [SIZE], silent)


def test_every_figure_with_bounds_at_this_size_is_within_them(figures):
    bounded = [figure for figure in figures[SIZE] if figure.holds is not None]
    assert len(bounded) >= 14
    assert [figure for figure in bounded if not figure.holds] == []


def test_the_committed_table_matches_the_simulation(figures):
    """A change of the simulation has to come with its table: `python -m harness study`."""
    lines = [line.split("|") for line in COMMITTED.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    committed = {line[1].strip(): line[3].strip() for line in lines[1:]}
    assert lines[0][3].strip() == f"{SIZE:,} leads"
    table = study_table(figures)
    assert committed == dict(zip(table["figure"], table[f"{SIZE:,} leads"], strict=True))


def test_the_committed_table_has_no_figure_out_of_bounds():
    text = COMMITTED.read_text(encoding="utf-8")
    assert f"{STUDY_RECORDS:,} leads" in text
    assert "✓" in text
    assert "✗" not in text


def test_figures_match_a_worked_example():
    taxonomy = Taxonomy.read(ROOT / "configs" / "taxonomy.yaml")
    rows = [
        ("IT Manager", "IT", "IT General", "Manager", "United States"),
        ("IT Manager", "IT", "IT General", "Mgr", "United States"),
        ("IT Manager", "IT", "IT General", "Mgr", "United States"),
        ("CISO", "IT", "Information Security", "C-Level", "Canada"),
        ("Baker", "Other", "None Technical", None, "Canada"),
        (None, "Sales", "None Technical", "Contributor", "Canada"),
    ]
    columns = ["title", "function", "role", "level", "country"]
    leads = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    leads = leads.with_columns(pl.lit(20, dtype=pl.Int64).alias("count"))
    found = {figure.name: figure.measured for figure in study_figures(leads, taxonomy)}
    expected = {
        "share of IT among functions": 4 / 6,
        "share of Information Security among roles": 1 / 6,
        "share of the five most common levels": 1.0,
        "share of records without a title": 1 / 6,
        "share of records with an output missing": 1 / 6,
        "share of records with anything missing": 2 / 6,
        "raw functions": 3,
        "unique titles": 3,
        "unique words": 4,
        "stop words among them": 1,
        "share of records left when only the US is kept": 0.5,
        "share of US records that majority relabelling of raw labels changes": 1 / 3,
        "noise ceiling, grouped levels": 1.0,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value), name


@pytest.mark.parametrize(
    ("lowest", "highest", "holds"), [(None, None, None), (0.5, None, True), (None, 0.4, False), (0.6, 0.7, False)]
)
def test_a_figure_holds_within_its_bounds(lowest, highest, holds):
    assert Figure(name="share", study="0.5", measured=0.5, lowest=lowest, highest=highest).holds is holds


def test_the_page_marks_figures_out_of_bounds():
    figures = {60: [Figure(name="share", study="0.5", measured=0.7, lowest=0.4, highest=0.6)]}
    page = study_page(figures, default_config())
    assert "0.4000 to 0.6000 ✗" in page


def test_a_config_without_the_grammar_is_bad_input():
    with pytest.raises(BadInput, match="does not simulate titles"):
        compare_with_study(default_config("leads.simulate.titles=list.csv", "reviewed=null"), [SIZE], silent)


def test_too_few_leads_are_bad_input():
    with pytest.raises(BadInput, match="at least 1000"):
        compare_with_study(default_config(), [SIZE, 20], silent)
