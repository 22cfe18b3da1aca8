"""`clean --engine ray`: the rows and reports of the local engine."""

import json

import polars as pl
import pytest

from tests.harness.given_leads import CONSENSUS, GIVEN
from tests.harness.scale.conftest import interrupt, wait_for

FROM_LOCAL = {
    *("foreign_titles.csv", "inconsistent_titles.csv", "label_combinations.csv", "label_map.csv", "ledger.csv"),
    *("majority.csv", "near_duplicates.csv", "noise_ceilings.csv", "quarantine_reasons.csv"),
}


@pytest.fixture
def many(tmp_path):
    """Write leads with repeats, gaps, labels that disagree, other languages and a row with too many fields, twice."""
    header, *lines = GIVEN.splitlines()
    lines = [line for line in lines if line.count('"') != 1]
    lines += ["013,nurse head,Nursing,Staff,2,spring"] * 3 + ["014,a,b,c,d,e,f,g"] + lines * 3 + [",  ,,Head,1,"]
    lines = [line.replace(",Staff,", ",Senior,") for line in lines]
    (tmp_path / "many").mkdir()
    for number, start in enumerate((0, 9)):
        rows = lines[start : (9, None)[number]]
        (tmp_path / "many" / f"{number}.csv").write_text("\n".join([header, *rows]) + "\n")
    (tmp_path / "one.csv").write_text("\n".join([header, *lines]) + "\n")
    return tmp_path


@pytest.mark.usefixtures("cluster", "small_blocks")
@pytest.mark.parametrize("options", [("--set", CONSENSUS), ("--keep-foreign",)])
def test_kept_rows_dropped_rows_and_reports_are_those_of_the_local_engine(call, many, monkeypatch, options):
    monkeypatch.setattr("harness.scale.blocks.BLOCK_ROWS", 4)
    local_code, local_out, _ = call("clean", many / "one.csv", "--out", many / "local.parquet", *options)
    code, out, said = call("clean", many / "many", "--out", many / "ray", "--engine", "ray", *options)
    assert (code, local_code) == (3, 3), said
    assert out == local_out
    assert pl.read_parquet(many / "ray" / "parts").equals(pl.read_parquet(many / "local.parquet"))
    dropped = pl.read_parquet(many / "ray" / "quarantine").drop("line").cast(pl.String)
    assert dropped.equals(pl.read_csv(many / "local_report" / "quarantine.csv", infer_schema=False).drop("line"))
    here, there = many / "local_report", many / "ray" / "report"
    compared = [path.name for path in here.iterdir() if path.name in FROM_LOCAL]
    assert len(compared) >= 6
    assert {name: (here / name).read_text() for name in compared} == {
        name: (there / name).read_text() for name in compared
    }
    rejects = [pl.read_csv(folder / "rejects.csv") for folder in (here, there)]
    assert rejects[0]["text"].equals(rejects[1]["text"])
    manifest = json.loads((many / "ray" / "manifest.json").read_text())
    assert manifest["rows"] == pl.read_parquet(many / "local.parquet").height
    assert not (many / "ray" / ".job").exists()
    # A finished job says the same again.
    code, again, _ = call("clean", many / "many", "--out", many / "ray", "--engine", "ray", "--resume", *options)
    assert (code, again) == (3, local_out)


@pytest.mark.usefixtures("cluster")
def test_labels_in_no_class_are_one_message_and_leave_nothing_that_a_second_call_would_have_to_force(call, tmp_path):
    (tmp_path / "leads.csv").write_text(GIVEN.replace("Kitchen", "Kitschen"))
    code, _, local_said = call("clean", tmp_path / "leads.csv", "--out", tmp_path / "local.parquet")
    assert code == 2
    code, _, said = call("clean", tmp_path / "leads.csv", "--out", tmp_path / "ray", "--engine", "ray")
    assert code == 2
    assert "Unknown department label 'Kitschen'" in said
    assert local_said.splitlines()[-1] == said.splitlines()[-1]
    assert not (tmp_path / "ray").exists()


@pytest.mark.usefixtures("cluster")
def test_content_in_a_column_without_a_name_is_refused_by_its_place(call, tmp_path):
    (tmp_path / "leads.csv").write_text("What you do,,Dept,Grade,Times\nhead nurse,x,Nursing,Head,1\n")
    code, _, said = call("clean", tmp_path / "leads.csv", "--out", tmp_path / "ray", "--engine", "ray")
    assert code == 2
    assert "column 2 has no name but content" in said


def assert_same(folder, local):
    """Compare the kept rows and the ledger with those of the local engine."""
    assert pl.read_parquet(folder / "parts").equals(pl.read_parquet(local))
    ledgers = (folder / "report" / "ledger.csv", local.with_name(f"{local.stem}_report") / "ledger.csv")
    assert ledgers[0].read_text() == ledgers[1].read_text()


@pytest.mark.usefixtures("cluster")
def test_ctrl_c_twice_ends_ray_and_is_resumed_to_the_same_rows(call, company, many, called_apart, monkeypatch):
    monkeypatch.setattr("harness.scale.blocks.BLOCK_ROWS", 4)
    ray = ("--out", many / "ray", "--engine", "ray")
    process = called_apart(4, "clean", many / "many", *ray, "--workers", 1, "--config", company.config)
    wait_for(1, process, many / "ray", ".job/distinct-*.zip")
    interrupt(process, n_times=2)
    code, _, said = call("clean", many / "many", *ray, "--resume", "--set", "clean.min_support=7")
    assert (code, "it differs in settings (min support)" in said.replace("\n", " ")) == (2, True)
    assert call("clean", many / "many", *ray, "--resume")[0] == 3
    assert call("clean", many / "one.csv", "--out", many / "local.parquet")[0] == 3
    assert_same(many / "ray", many / "local.parquet")


@pytest.mark.usefixtures("cluster")
def test_a_disk_that_is_really_full_is_one_message_and_nothing_is_lost(call, many, small_disk, monkeypatch):
    monkeypatch.setattr("harness.scale.blocks.BLOCK_ROWS", 1)
    assert call("clean", many / "one.csv", "--out", many / "local.parquet")[0] == 3
    out = small_disk.path / "ray"

    def clean(*options):
        code, _, said = call("clean", many / "many", "--out", out, "--engine", "ray", "--workers", "1", *options)
        return code, said

    code, said = small_disk.fails_until_there_is_room(clean, "harness.scale.clean_on_ray", out)
    assert code == 3, said
    assert_same(out, many / "local.parquet")
