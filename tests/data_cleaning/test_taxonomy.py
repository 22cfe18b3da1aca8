from pathlib import Path

import polars as pl
import pytest

from data_cleaning.errors import BadInput
from data_cleaning.taxonomy import Taxonomy
from tests.harness.tagging.given_run import toy_run

OURS = Path(__file__).parents[2] / "configs" / "taxonomy.yaml"


def test_the_project_taxonomy_groups_the_studys_raw_labels():
    taxonomy = Taxonomy.read(OURS)
    assert taxonomy.names == ("function", "role", "level")
    assert [target.n_classes for target in taxonomy.targets] == [5, 6, 6]
    assert [len(target.raw_to_class) for target in taxonomy.targets] == [90, 42, 56]
    assert [target.fallback for target in taxonomy.targets] == ["Non-ICP", "Non-ICP", "Contributor"]
    assert [target.no_title for target in taxonomy.targets] == ["Non-ICP", "Non-ICP", "Unknown"]


def test_a_taxonomy_survives_being_written_and_read():
    taxonomy = Taxonomy.read(OURS)
    assert Taxonomy.from_dict(taxonomy.to_dict()) == taxonomy


def test_raw_labels_and_class_names_encode_alike(company):
    assert company.taxonomy["department"].encode(["Dept. of Surgery", "Surgery", "Nursing"]).tolist() == [1, 1, 0]


def test_all_unknown_labels_are_named_at_once(company):
    with pytest.raises(BadInput, match="2 department labels are in no class of the taxonomy: Barn; Shed"):
        company.taxonomy["department"].encode(["Shed", "Nursing", "Barn"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"classes": {}}, "needs a mapping 'classes'"),
        ({"classes": {"A": []}, "fallback": "B"}, "fallback 'B', which is none of its classes"),
        ({"classes": {"A": []}, "no_title": "B"}, "no_title 'B', which is none of its classes"),
        ({"classes": {"A": ["x"], "B": ["x"]}}, "puts raw label 'x' in both 'A' and 'B'"),
        ({"classes": {"A": []}, "importance": 0}, "importance 0; expected a number above 0"),
        ({"classes": {"A": []}, "ordinal": "maybe"}, "ordinal 'maybe'; expected true or false"),
        ({"classes": {"A": []}, "colour": 1}, "unknown key 'targets.kind.colour'"),
        ({"classes": {"A": []}, "importance": float("nan")}, "importance nan; expected a number above 0"),
        ({"classes": {"A": "tech"}}, "lists its raw labels as 'tech'"),
        ({"classes": {"A": 5}}, "lists its raw labels as 5"),
    ],
)
def test_a_faulty_target_is_named(body, message):
    with pytest.raises(BadInput, match=message):
        Taxonomy.from_dict({"targets": {"kind": body}})


def test_a_missing_file_says_where_to_set_it(tmp_path):
    with pytest.raises(BadInput, match="Set 'taxonomy' in the config"):
        Taxonomy.read(tmp_path / "absent.yaml")


@pytest.mark.parametrize("name", ["title", "count", "weighted", "all"])
def test_a_target_cannot_take_a_name_of_the_tables(name):
    with pytest.raises(BadInput, match=f"a target cannot be called '{name}'"):
        Taxonomy.from_dict({"targets": {name: {"classes": {"A": []}}}})


def test_every_fault_of_a_file_is_named_with_its_line(tmp_path):
    path = tmp_path / "taxonomy.yaml"
    path.write_text("targets:\n  kind:\n    ordinal: 7\n    classes:\n      A: [x]\n      B:\n      - y\n      - x\n")
    with pytest.raises(BadInput) as raised:
        Taxonomy.read(path)
    assert str(raised.value).splitlines() == [
        f"{path}, line 3: target 'kind' has ordinal '7'; expected true or false.",
        f"{path}, line 8: target 'kind' puts raw label 'x' in both 'A' and 'B'.",
    ]


def test_labels_that_yaml_would_take_for_something_else_stay_as_they_are_written(tmp_path):
    path = tmp_path / "taxonomy.yaml"
    path.write_text(
        "version: 2026.10\ntargets: {kind: {ordinal: yes, importance: 2.5, classes: {No: [1.50], Yes: }, fallback: No}}"
    )
    taxonomy = Taxonomy.read(path)
    assert taxonomy.version == "2026.10"
    assert (taxonomy["kind"].classes, taxonomy["kind"].fallback) == (("No", "Yes"), "No")
    assert taxonomy["kind"].raw_to_class == {"No": "No", "Yes": "Yes", "1.50": "No"}
    assert (taxonomy["kind"].ordinal, taxonomy["kind"].importance) == (True, 2.5)


def test_classes_that_yaml_would_take_for_other_values_are_the_texts_that_are_written(tmp_path):
    path = tmp_path / "taxonomy.yaml"
    path.write_text("targets: {kind: {classes: {NA: [], No: [], true: [], 007: [], 1: []}}}")
    assert Taxonomy.read(path)["kind"].classes == ("NA", "No", "true", "007", "1")


def test_a_class_that_is_written_twice_is_named(tmp_path):
    path = tmp_path / "taxonomy.yaml"
    path.write_text("targets:\n  kind:\n    classes:\n      NA: [a]\n      No: [b]\n      NA: [c]\n")
    with pytest.raises(BadInput, match="line 6: key 'NA' is repeated; the first is on line 4"):
        Taxonomy.read(path)


def _is_refused(name):
    try:
        Taxonomy.from_dict({"targets": {name: {"classes": {"A": []}}}})
    except BadInput:
        return True
    return False


def test_names_of_columns_beside_those_of_targets_are_reserved(company):
    # Every table that a run writes, and those of the verbs that have a column per target.
    folder = toy_run(company.config)
    paths = [*folder.rglob("*.csv"), *(folder.parent / ".cache").rglob("*.parquet")]
    beside = {"titles", "learned_from", "low", "high", "rank", "share"}
    for path in paths:
        columns = pl.scan_csv(path).collect_schema() if path.suffix == ".csv" else pl.read_parquet_schema(path)
        if set(company.taxonomy.names) & set(columns):
            beside |= {name for name in columns if not any(target in name for target in company.taxonomy.names)}
    assert len(beside) > 30
    assert [name for name in sorted(beside) if not _is_refused(name)] == []


@pytest.mark.parametrize("name", ["titles", "raw_kind", "a=b"])
def test_a_reserved_name_and_forms_of_names_are_refused(name):
    with pytest.raises(BadInput, match=f"a target cannot be called '{name}'"):
        Taxonomy.from_dict({"targets": {name: {"classes": {"A": []}}}})
