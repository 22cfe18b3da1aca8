"""The reviewed titles that are most like a title."""

from dataclasses import replace

import polars as pl
import pytest

from harness.tagging.explain import explain_titles
from harness.tagging.explain_tables import tables_of
from harness.tagging.export import export_model
from harness.tagging.models import open_exported, open_run
from harness.tagging.nearest_reviewed import NearestReviewed
from tests.harness.tagging.given_run import toy_run

LABELLED = "title,department,seniority\nnight head nurse,Nursing,Head\ncook,Kitchen,\nstaff nurse,Nursing,Qualified\n"


@pytest.fixture(scope="module")
def model(company, tmp_path_factory):
    """Return the model of a run that has learned from reviewed titles."""
    reviewed = tmp_path_factory.mktemp("reviewed") / "reviewed.csv"
    reviewed.write_text(LABELLED)
    return open_run(toy_run(company.config, "systems=[keyword]", f"reviewed={reviewed}"))


def test_the_likest_reviewed_titles_come_first_with_their_labels(model):
    first, *others = NearestReviewed.of(model).of_title("head nurse by night")
    assert (first["title"], first["department"], first["seniority"]) == ("night head nurse", "Nursing", "Head")
    assert [one["title"] for one in others] == ["staff nurse"]
    assert 1 > first["likeness"] > others[0]["likeness"] > 0


def test_an_equal_title_has_a_likeness_of_one_whatever_its_case(model):
    assert NearestReviewed.of(model).of_title("COOK")[0] | {"seniority": None} == {
        "title": "cook", "likeness": 1.0, "department": "Kitchen", "seniority": None
    }  # fmt: skip


def test_what_was_reviewed_since_the_run_counts_first(model, tmp_path):
    (tmp_path / "more.csv").write_text("title,department,seniority\nCook,Surgery,\nward cook,Kitchen,\n")
    found = NearestReviewed.of(model, tmp_path / "more.csv").of_title("cook")
    assert [(one["title"], one["department"]) for one in found] == [("Cook", "Surgery"), ("ward cook", "Kitchen")]


def test_a_model_without_reviewed_titles_has_none_to_compare_with(company, tmp_path):
    assert NearestReviewed.of(open_run(toy_run(company.config)), tmp_path / "none.csv") is None


def test_an_exported_folder_compares_with_the_reviewed_titles_of_its_run(model, tmp_path):
    export_model(model.folder, tmp_path / "model")
    exported = open_exported(tmp_path / "model")
    (found,) = explain_titles(exported, ["night nurse"], None, reviewed=NearestReviewed.of(exported))
    assert found.nearest == NearestReviewed.of(model).of_title("night nurse")
    (table,) = [one for one in tables_of(found, "keyword") if one.name == "nearest"]
    assert isinstance(table.frame["title"][0], str)
    (tmp_path / "model" / "reviewed_titles.parquet").write_bytes(b"")
    with pytest.raises(Exception, match="has changed"):
        open_exported(tmp_path / "model")


def test_titles_that_share_nothing_are_not_near(model):
    assert NearestReviewed.of(replace(model)).of_title("xyz") == ()
    assert pl.read_parquet(model.folder / "reviewed_titles.parquet").columns == ["title", "department", "seniority"]
